#!/usr/bin/env python3
"""Sends a wide random mix of data points and reads every scrape with the parsers of prometheus_client.

    tests/exposition/strict.py --binary target/release/oscar-metrics [--rounds 12] [--seed N]

Each round is one process with a translation strategy of its own. It receives all five kinds of points with odd sums, bounds, names,
labels, units and exemplars, and is scraped in each text format and under each escaping scheme. prometheus_client's OpenMetrics parser
refuses a whole body over one line that the standard forbids. Also: no series comes twice, and no sample was dropped. The last line is
`N passed, N failed`: one for each body. Needs prometheus_client.
"""
import argparse
import collections
import http.client
import json
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

STRATEGIES = ["UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes", "NoUTF8EscapingWithSuffixes", "NoTranslation"]
TEXT, OPEN = "text/plain;version={}", "application/openmetrics-text;version={}"
FORMATS = [TEXT.format("0.0.4"), TEXT.format("1.0.0"), OPEN.format("0.0.1"), OPEN.format("1.0.0")]
SCHEMES = ["", "allow-utf-8", "underscores", "dots", "values"]
CONFIG = """
server: {{web: {{created_lines: true}}}}
datapoints: {{translation: {strategy}, scope_labels: {scope}}}
metrics:
  calls_total: {{help: Calls., type: counter, from: span}}
  relabelled_seconds: {{help: From points., type: histogram, unit: seconds, from: datapoint, where: {{name: "relabelled*"}}, buckets: [1s]}}
"""
# Names that meet each other, those of other families' samples, and reserved ones, under some strategy or scheme.
STEMS = ["lat", "lat.x", "lat_x", "lat-x", "h\u00e9", "\u65e5\u672c", "9lives", "a b", "relabelled.lat", "calls", "target", "up", "process.threads"]
ENDINGS = ["", "", "", ".total", "_total", ".count", "_sum", "_bucket", "_created", ".info", "_info", "{}", '"q"', "\\", "\n"]
KEYS = ["x.y", "x_y", "x-y", "le", "quantile", "job", "instance", "__x", "..name--", "9a", "\u65e5\u672c", "a\"b", "k", "\u00e9", "U__x_2e_y"]
VALUES = ["", "1", "a\\b", 'q"u', "n\nl", "\u65e5\u672c", "x" * 400, "{}", " # "]
UNITS = ["", "s", "ms", "By", "%", "{tokens}", "1", "odd unit", "USD"]
SUMS = [None, None, 0.0, -0.0, 1.5, -3.0, 1e300, -1e300, 1.7e308]
BOUNDS = [[], [1.0], [0.0, 1.0], [-1.0, 0.0, 1.0], [-5.0, -1.0], [0.25, 45.0], [1.0, "Infinity"], [1e-300, 1e300], [-0.0, 2.0]]
# A line up to its value: one with an exemplar, or any.
SERIES = re.compile(r'(.*) \S+ # \{trace_id="[0-9a-f]{32}".*\} \S+(?: [0-9.]+)?|(.*) \S+')
NUMBERS = [0, 1, 2.5, -2.5, 1e300, 5e-324, "NaN", "Infinity", "-Infinity"]


class Points:
    """Random points, with time going on from request to request."""

    def __init__(self, chance):
        self.chance, self.time = chance, time.time_ns() - 600 * 10**9

    def pick(self, values):
        return self.chance.choice(values)

    def attributes(self, most=3):
        keys = self.chance.sample(KEYS, self.chance.randint(0, most))
        return [{"key": key, "value": {"stringValue": self.pick(VALUES)}} for key in keys]

    def exemplars(self):
        trace = self.pick(["", "0" * 32, "ab" * 16])
        one = {"traceId": trace, "spanId": self.pick(["", "cd" * 8]), "asDouble": self.pick(NUMBERS),
               "timeUnixNano": str(self.pick([0, self.time])), "filteredAttributes": self.attributes()}
        return [one] if self.chance.random() < 0.3 else []

    def point(self):
        start = self.pick([0, self.time - 60 * 10**9, self.time])
        return {"attributes": self.attributes(), "startTimeUnixNano": str(start), "timeUnixNano": str(self.time)}

    def number(self):
        return {**self.point(), "asDouble": self.pick(NUMBERS), "exemplars": self.exemplars()}

    def sum(self, count):
        value = self.pick(SUMS)
        return {"count": count, **({} if value is None else {"sum": value})}

    def histogram(self):
        bounds = self.pick(BOUNDS)
        counts = [self.chance.randint(0, 5) for _ in range(len(bounds) + 1)]
        return {**self.point(), **self.sum(sum(counts)), "bucketCounts": counts, "explicitBounds": bounds, "exemplars": self.exemplars()}

    def exponential(self):
        def side():
            counts = [self.chance.randint(0, 3) for _ in range(self.chance.randint(0, 6))]
            return {"offset": self.chance.randint(-40, 40), "bucketCounts": counts}

        positive, negative, zero = side(), self.pick([{"offset": 0, "bucketCounts": []}, side()]), self.chance.randint(0, 2)
        count = sum(positive["bucketCounts"]) + sum(negative["bucketCounts"]) + zero
        return {**self.point(), **self.sum(count), "scale": self.chance.randint(-4, 10), "zeroCount": zero, "exemplars": self.exemplars(),
                "zeroThreshold": self.pick([0, 0.001, 1.0]), "positive": positive, "negative": negative}

    def summary(self):
        ranks = sorted(self.chance.sample([0, 0.25, 0.5, 0.99, 1], self.chance.randint(0, 3)))
        quantiles = [{"quantile": rank, "value": self.pick(NUMBERS)} for rank in ranks]
        return {**self.point(), **self.sum(self.chance.randint(0, 9)), "quantileValues": quantiles}

    def metric(self):
        temporality = self.pick([1, 2, 2])
        kind, make = self.pick([
            ("gauge", self.number), ("sum", self.number), ("histogram", self.histogram),
            ("exponentialHistogram", self.exponential), ("summary", self.summary),
        ])
        data = {"dataPoints": [make() for _ in range(self.chance.randint(1, 4))]}
        if kind not in ("gauge", "summary"):
            data["aggregationTemporality"] = temporality
        if kind == "sum":
            data["isMonotonic"] = self.pick([True, True, False])
        name = self.pick(STEMS) + self.pick(ENDINGS)
        return {"name": name, "unit": self.pick(UNITS), "description": self.pick(VALUES), kind: data}

    def request(self):
        self.time += 10**9
        identity = [("service.name", ["", "bot", "shop"]), ("service.instance.id", ["", "i1", "i2"])]
        attributes = [{"key": key, "value": {"stringValue": self.pick(values)}} for key, values in identity]
        scope = {"name": self.pick(["", "lib"]), "attributes": self.attributes(2)}
        metrics = [self.metric() for _ in range(self.chance.randint(1, 12))]
        resource = {"attributes": attributes + self.attributes()}
        return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"scope": scope, "metrics": metrics}]}]}


class Process:
    def __init__(self, binary, folder, config):
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        grpc, self.http, self.web = (one.getsockname()[1] for one in sockets)
        for one in sockets:
            one.close()
        file, self.log = folder / "config.yaml", folder / "log"
        file.write_text(config)
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", f"--config.file={file}", f"--otlp.grpc.listen-address=127.0.0.1:{grpc}",
                 f"--otlp.http.listen-address=127.0.0.1:{self.http}", f"--web.listen-address=127.0.0.1:{self.web}"],
                stdout=log, stderr=log)
        end = time.time() + 10
        while True:
            try:
                self.scrape("")
                break
            except OSError:
                if self.process.poll() is not None or time.time() > end:
                    sys.exit(f"it does not start: {self.log.read_text(errors='replace')[-2000:]}")
                time.sleep(0.01)

    def ask(self, port, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{method} {path}: {answer.status} {text}")
        return text

    def send(self, request):
        headers = {"Content-Type": "application/json"}
        answer = json.loads(self.ask(self.http, "POST", "/v1/metrics", json.dumps(request), **headers))
        return int(answer.get("partialSuccess", {}).get("rejectedDataPoints", 0))

    def scrape(self, accept):
        return self.ask(self.web, "GET", "/metrics", Accept=accept)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def fault(body, accept):
    """What is wrong with a body, or None."""
    read = openmetrics_parser if "openmetrics" in accept else parser
    try:
        families = list(read.text_string_to_metric_families(body))
    except (ValueError, KeyError, IndexError) as error:
        return f"{type(error).__name__}: {error}"
    if len(families) < 10:
        return f"{len(families)} families"
    series = [SERIES.fullmatch(line) for line in body.split("\n") if line and not line.startswith("# ")]
    often = collections.Counter(found[1] or found[2] for found in series).most_common(1)
    if often[0][1] > 1:  # a duplicate that the parser for OpenMetrics leaves out without a word
        return f"twice: {often[0][0]}"
    dropped = [line for line in body.splitlines() if line.startswith("oscar_metrics_quarantined_rows_total ")]
    return None if [line.split(" ")[1] for line in dropped] == ["0"] else f"samples were dropped: {dropped}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--rounds", type=int, default=12)
    arguments.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = arguments.parse_args()
    print(f"seed {given.seed}")
    passed = failed = points = rejected = 0
    for number in range(given.rounds):
        chance = random.Random(f"{given.seed} {number}")
        strategy = STRATEGIES[number % len(STRATEGIES)]
        config = CONFIG.format(strategy=strategy, scope=chance.choice(["true", "false"]))
        with tempfile.TemporaryDirectory() as folder:
            process, source = Process(given.binary, pathlib.Path(folder), config), Points(chance)
            for _ in range(40):
                request = source.request()
                metrics = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
                points += sum(len(data["dataPoints"]) for metric in metrics for data in metric.values() if isinstance(data, dict))
                rejected += process.send(request)
            for accept in FORMATS:
                for scheme in SCHEMES:
                    asked = f"{accept};escaping={scheme}" if scheme else accept
                    why = fault(process.scrape(asked), accept)
                    passed, failed = passed + (why is None), failed + (why is not None)
                    if why is not None:
                        print(f"FAIL round {number} {strategy} {asked}: {why}")
            process.stop()
            if b"samples_dropped" in process.log.read_bytes():
                failed += 1
                print(f"FAIL round {number}: {process.log.read_text(errors='replace')[-1000:]}")
    if rejected > 0.75 * points:  # most of it clashes on purpose
        failed += 1
        print(f"FAIL: {rejected} of {points} points were rejected")
    print(f"{points} points, {rejected} rejected")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

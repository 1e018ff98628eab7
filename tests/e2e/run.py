#!/usr/bin/env python3
"""End to end with real peers: Python SDK bots -> oscar-metrics -> Prometheus, and what was sent is what is queried.

    run.py --binary target/release/oscar-metrics

Run by `tests/run` inside the tests' own Python environment. Each check prints one line; the last line is `N passed, N failed`.
Everything stays on the loopback interface; only processes started here are ended.
"""

import argparse
import collections
import gzip
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

HERE = pathlib.Path(__file__).parent
RESULTS = collections.Counter()
FORMATS = {
    "text 0.0.4": "text/plain;version=0.0.4",
    "OpenMetrics 1.0.0": "application/openmetrics-text;version=1.0.0",
    "what Prometheus 3 sends": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                               "application/openmetrics-text;version=0.0.1;q=0.5,"
                               "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                               "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
}


def check(name, got, expected):
    good = got == expected
    RESULTS["passed" if good else "failed"] += 1
    print(f"{'PASS' if good else 'FAIL'} {name}" + ("" if good else f": expected {expected!r}, got {got!r}"), flush=True)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def fetch(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        body = answer.read()
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        return answer.headers["Content-Type"], body.decode()


def wait_for(url, seconds=20):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return fetch(url)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class Stack:
    """The sidecar and a Prometheus that scrapes it, in a folder of their own."""

    def __init__(self, binary, folder):
        self.folder = folder
        self.web, self.grpc, self.http, self.prometheus = free_ports(4)
        self.log = open(folder / "log", "wb")
        self.processes = []
        self.start(binary, "serve", f"--web.listen-address=127.0.0.1:{self.web}",
                   f"--otlp.grpc.listen-address=127.0.0.1:{self.grpc}",
                   f"--otlp.http.listen-address=127.0.0.1:{self.http}")
        wait_for(f"http://127.0.0.1:{self.web}/-/ready")
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 500ms, scrape_timeout: 400ms}\n"
            "scrape_configs:\n- job_name: bot\n  honor_labels: true\n  static_configs:\n"
            f"  - targets: ['127.0.0.1:{self.web}']\n")
        self.start(shutil.which("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
                   f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{self.prometheus}",
                   "--log.level=warn")
        wait_for(f"http://127.0.0.1:{self.prometheus}/-/ready")
        # Prometheus takes seconds to its first scrape, and what is born before it is first shown at 0.
        deadline = time.monotonic() + 30
        while not self.query('up{job="bot"} == 1'):
            if time.monotonic() > deadline:
                raise TimeoutError("Prometheus does not scrape")
            time.sleep(0.1)

    def start(self, *command):
        self.processes.append(subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT))

    def stop(self):
        """Ends what was started; the sidecar's exit status."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        statuses = [process.wait(timeout=30) for process in self.processes]
        self.log.close()
        return statuses[0]

    def query(self, expression):
        text = urllib.parse.urlencode({"query": expression})
        answer = json.loads(fetch(f"http://127.0.0.1:{self.prometheus}/api/v1/query?{text}")[1])
        return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in answer["data"]["result"]}

    def settle(self):
        """At least two scrapes that began after now: the first shows what was born since the last at 0."""
        begin = time.time()
        while True:
            done = self.query('timestamp(up{job="bot"})')
            if any(moment > begin + 1.2 for moment in done.values()):
                return
            time.sleep(0.2)


def expected(truths, kind, labels):
    total = collections.Counter()
    for truth in truths:
        for key, value in truth.items():
            first, *parts = key.split("/")
            if first == kind:
                total[tuple(sorted(zip(labels, parts)))] += value
    return {key: float(value) for key, value in total.items()}


def counts(stack, truths):
    """Every count that was sent is what Prometheus answers."""
    def by(kind, metric, *labels):
        got = stack.query(f"sum by ({', '.join(labels)}) ({metric}) > 0")
        check(f"{metric} by {', '.join(labels)}", got, expected(truths, kind, labels))

    by("interactions", "bot_interactions_total", "outcome", "feature", "tier")
    by("tokens", "bot_tokens_total", "type")
    by("tools", "bot_tool_calls_total", "tool", "outcome")
    by("feedback", "bot_feedback_total", "label")
    by("guardrail", "bot_guardrail_interventions_total", "stage")
    for part, expression in [("count", "sum(bot_interaction_duration_seconds_count)"),
                             ("sum", "sum(bot_interaction_duration_seconds_sum)"),
                             ("le45", 'sum(bot_interaction_duration_seconds_bucket{le="45.0"})')]:
        total = float(sum(truth[f"durations/{part}"] for truth in truths))
        check(f"durations: {part}", stack.query(expression), {(): total})
    born = stack.query("sum(increase(bot_interactions_total[1m]))")
    check("increase() sees the first events", born[()] >= float(sum(expected(truths, "interactions", []).values())), True)
    books = "sum by (signal) (oscar_metrics_received_items_total) - on (signal) " \
            "(sum by (signal) (oscar_metrics_accepted_items_total) + on (signal) " \
            "sum by (signal) (oscar_metrics_rejected_items_total)) != 0"
    check("the books balance in Prometheus", stack.query(books), {})


def bodies(stack):
    """Every body is read whole by parsers that are not ours."""
    url = f"http://127.0.0.1:{stack.web}/metrics"
    for name, accept in FORMATS.items():
        kind, body = fetch(url, {"Accept": accept, "Accept-Encoding": "gzip"})
        parse = openmetrics if kind.startswith("application/openmetrics-text") else classic
        families = {family.name: family for family in parse(body)}
        check(f"{name}: the Python parser finds the headline", "bot_interactions" in families, True)
        check(f"{name}: no private text", [word for word in ("hunter2", '"U1"', '"C1"') if word in body], [])
    _, body = fetch(url, {"Accept": FORMATS["text 0.0.4"]})
    lint = subprocess.run([shutil.which("promtool"), "check", "metrics"], input=body, text=True, capture_output=True)
    check("promtool check metrics", (lint.returncode, lint.stdout + lint.stderr), (0, ""))


def run(binary, folder):
    stack = Stack(binary, folder)
    try:
        truths = []
        for protocol, port in [("grpc", stack.grpc), ("http", stack.http)]:
            bot = subprocess.run([sys.executable, HERE / "bot.py", "--protocol", protocol, "--endpoint",
                                  f"http://127.0.0.1:{port}"], capture_output=True, text=True, timeout=60)
            check(f"the {protocol} bot ends well", (bot.returncode, bot.stderr[-2000:]), (0, ""))
            truths.append(json.loads(bot.stdout))
        stack.settle()
        counts(stack, truths)
        bodies(stack)
        page = fetch(f"http://127.0.0.1:{stack.web}/")
        check("the page is a page", (page[0].split(";")[0], "/metrics" in page[1]), ("text/html", True))
    finally:
        status = stack.stop()
    check("the sidecar drains and ends with 0", status, 0)
    log = (folder / "log").read_text(errors="replace")
    check("no panic in the log", [line for line in log.splitlines() if "panicked" in line], [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(options.binary, pathlib.Path(folder))
        except Exception:
            traceback.print_exc()
            print((pathlib.Path(folder) / "log").read_text(errors="replace")[-3000:])
            RESULTS["failed"] += 1
    print(f"{RESULTS['passed']} passed, {RESULTS['failed']} failed")
    sys.exit(1 if RESULTS["failed"] else 0)


if __name__ == "__main__":
    main()

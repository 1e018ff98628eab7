"""Both sides as processes: oscar-metrics, the Collector, and Prometheus servers that scrape one of them."""

import collections
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from stack import Asked, fetch, free_ports  # noqa: E402

STARTED = 60  # seconds that a program may take to its first answer
POLL = 0.25  # seconds between two reads
SETTLED = 2.5  # seconds that a right value has to stay; longer than a flush of the Collector
PATIENCE = 12  # seconds until the value is the result whatever it is


class Program:
    """A process with its log in `folder`."""

    def __init__(self, folder, name):
        self.folder, self.log, self.process = folder, folder / f"{name}.log", None

    def run(self, command, ready):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + STARTED
        while True:
            try:
                return fetch(ready)
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} does not start") from None
            time.sleep(0.05)

    def end(self, how=signal.SIGTERM):
        """Ends the process and waits for it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Side(Program):
    """One side of a scenario. A second `start` uses the same ports and files."""

    def __init__(self, programs, scenario, folder):
        super().__init__(folder, "side")
        self.programs, self.scenario = programs, scenario
        self.web, self.http, self.grpc = free_ports(3)
        self.servers = []

    def send(self, request):
        """Sends an OTLP request in JSON; the HTTP status."""
        signal_name = {"resourceMetrics": "metrics", "resourceSpans": "traces", "resourceLogs": "logs"}[next(iter(request))]
        post = urllib.request.Request(f"http://127.0.0.1:{self.http}/v1/{signal_name}", json.dumps(request).encode(),
                                      {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(post, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def values(self, name, **labels):
        """Labels and values of the samples on /metrics with this name and at least these labels."""
        text = fetch(f"http://127.0.0.1:{self.web}/metrics", {"Accept": "text/plain"})[1]
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return [(one.labels, one.value) for one in samples if one.name == name and labels.items() <= one.labels.items()]

    def total(self, name, **labels):
        """The sum of these samples, None without any."""
        values = [value for _, value in self.values(name, **labels)]
        return sum(values) if values else None

    def wait_for_value(self, read, expected):
        """Reads until the value is `expected` and stays so for `SETTLED` seconds, or for `PATIENCE` seconds; the last value."""
        deadline, since = time.monotonic() + PATIENCE, None
        while True:
            value, now = read(), time.monotonic()
            since = (since or now) if value == expected else None
            if (since and now > since + SETTLED) or (not since and now > deadline):
                return value
            time.sleep(POLL)

    def add_prometheus(self, interval="500ms"):
        """A Prometheus that has scraped this side once."""
        server = Prometheus(self.programs, self.folder, self.web, len(self.servers), interval)
        self.servers.append(server)
        server.start()
        return server

    def close(self):
        for program in [*self.servers, self]:
            program.end()


class Ours(Side):
    name = "oscar-metrics"

    def start(self):
        config = self.folder / "ours.yaml"
        config.write_text(self.scenario.ours)
        self.run([self.programs.oscar_metrics, "serve", f"--config.file={config}", f"--state.dir={self.folder / 'state'}",
                  f"--web.listen-address=127.0.0.1:{self.web}", f"--otlp.http.listen-address=127.0.0.1:{self.http}",
                  f"--otlp.grpc.listen-address=127.0.0.1:{self.grpc}"], f"http://127.0.0.1:{self.web}/-/ready")


class Collector(Side):
    name = "Collector"

    def start(self):
        config = self.folder / "collector.yaml"
        config.write_text(COLLECTOR.format(http=self.http, web=self.web, **{**DEFAULTS, **self.scenario.collector}))
        self.run([self.programs.otelcol, f"--config={config}", f"--feature-gates=-{INSTANCE_ID}"],
                 f"http://127.0.0.1:{self.web}/metrics")


# Otherwise every restart of the Collector changes the label `collector_instance_id` of every series.
INSTANCE_ID = "connector.spanmetrics.includeCollectorInstanceID"
# As a careful user writes it. `delta_to_cumulative` is there for delta points of senders and of the connector alike.
DEFAULTS = {"flush": "1s", "expiration": "5m", "cardinality": 0}
COLLECTOR = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{http}"}}}}}}
processors:
  delta_to_cumulative: {{}}
connectors:
  span_metrics:
    metrics_flush_interval: {flush}
    aggregation_cardinality_limit: {cardinality}
    resource_metrics_key_attributes: [service.name]
exporters:
  prometheus: {{endpoint: "127.0.0.1:{web}", enable_open_metrics: true, metric_expiration: {expiration}}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: warn}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [span_metrics]}}
    metrics: {{receivers: [otlp, span_metrics], processors: [delta_to_cumulative], exporters: [prometheus]}}
"""


class Prometheus(Program, Asked):
    """A Prometheus server that scrapes the port `target`."""

    def __init__(self, programs, folder, target, number, interval):
        super().__init__(folder, f"prometheus-{number}")
        self.programs, self.target, self.number, self.interval = programs, target, number, interval
        (self.prometheus,) = free_ports(1)

    def start(self):
        config = self.folder / f"prometheus-{self.number}.yml"
        config.write_text(
            f"global: {{scrape_interval: {self.interval}, scrape_timeout: {self.interval}}}\n"
            "scrape_configs:\n- job_name: bot\n  honor_labels: true\n"
            f"  static_configs: [{{targets: ['127.0.0.1:{self.target}']}}]\n")
        self.run([self.programs.prometheus, f"--config.file={config}", f"--storage.tsdb.path={self.folder / f'data-{self.number}'}",
                  f"--web.listen-address=127.0.0.1:{self.prometheus}", "--log.level=warn"],
                 f"http://127.0.0.1:{self.prometheus}/-/ready")
        deadline = time.monotonic() + 60
        while not self.query('up{job="bot"} == 1'):
            if time.monotonic() > deadline:
                raise TimeoutError("Prometheus does not scrape")
            time.sleep(0.1)

    def last_scrape(self):
        return self.value('timestamp(up{job="bot"})')

    def value(self, expression):
        return next(iter(self.query(expression).values()), None)

    def increase(self, name):
        """The exact increase since the first sample, over all series. `anchored` does not extrapolate."""
        return self.value(f"sum(increase({name}[10m] anchored))")


Programs = collections.namedtuple("Programs", "oscar_metrics otelcol prometheus")

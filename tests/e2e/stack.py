"""The sidecar, a Prometheus that scrapes it, and how checks are told."""

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

RESULTS = collections.Counter()


def check(name, got, expected):
    good = got == expected
    RESULTS["passed" if good else "failed"] += 1
    print(f"{'PASS' if good else 'FAIL'} {name}" + ("" if good else f": expected {expected!r}, got {got!r}"), flush=True)


def apart(name, what):
    """A part with a folder of its own, whose failure leaves the others alone."""
    print(f"-- {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            what(pathlib.Path(folder))
        except Exception:
            traceback.print_exc()
            log = pathlib.Path(folder) / "log"
            print(log.read_text(errors="replace")[-3000:] if log.exists() else "(no log)")
            RESULTS["failed"] += 1


def finish():
    """The last line, and the end."""
    print(f"{RESULTS['passed']} passed, {RESULTS['failed']} failed")
    sys.exit(1 if RESULTS["failed"] else 0)


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


class Asked:
    """A Prometheus at the port `prometheus`, asked."""

    def ask(self, path, **arguments):
        text = urllib.parse.urlencode(arguments)
        return json.loads(fetch(f"http://127.0.0.1:{self.prometheus}/api/v1/{path}?{text}")[1])["data"]

    def query(self, expression, **arguments):
        result = self.ask("query", query=expression, **arguments)["result"]
        return {tuple(sorted(one["metric"].items())): float(one["value"][1]) for one in result}


class Prometheus(Asked):
    """A Prometheus that scrapes nothing and has what lies in `data`."""

    def __init__(self, folder, data, *options):
        (self.prometheus,) = free_ports(1)
        (folder / "idle.yml").write_text("scrape_configs: []\n")
        self.log = open(folder / "log", "ab")
        self.process = subprocess.Popen(
            [shutil.which("prometheus"), f"--config.file={folder / 'idle.yml'}", f"--storage.tsdb.path={data}",
             f"--web.listen-address=127.0.0.1:{self.prometheus}", "--storage.tsdb.retention.time=400d",
             "--query.lookback-delta=40m", "--log.level=warn", *options], stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(f"http://127.0.0.1:{self.prometheus}/-/ready")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()


class Stack(Asked):
    """The sidecar and a Prometheus that scrapes it, in a folder of their own. `options` are more words for Prometheus, `serve` is the
    sidecar's command and its words, `rules` are files of rules."""

    def __init__(self, binary, folder, *options, serve=("serve",), rules=()):
        self.folder = folder
        self.web, self.grpc, self.http, self.prometheus = free_ports(4)
        self.log = open(folder / "log", "wb")
        self.processes = []
        self.start(binary, *serve, f"--web.listen-address=127.0.0.1:{self.web}",
                   f"--otlp.grpc.listen-address=127.0.0.1:{self.grpc}",
                   f"--otlp.http.listen-address=127.0.0.1:{self.http}")
        wait_for(f"http://127.0.0.1:{self.web}/-/ready")
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 1s}\n"
            f"rule_files: {json.dumps([str(file) for file in rules])}\n"
            "scrape_configs:\n- job_name: bot\n  honor_labels: true\n  static_configs:\n"
            f"  - targets: ['127.0.0.1:{self.web}']\n")
        self.start(shutil.which("prometheus"), f"--config.file={folder / 'prometheus.yml'}",
                   f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{self.prometheus}",
                   "--log.level=warn", *options)
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

    def exemplars(self, expression):
        """Every exemplar of the last minutes: its labels with its value."""
        now = time.time()
        data = self.ask("query_exemplars", query=expression, start=now - 600, end=now + 60)
        return [(one["labels"], float(one["value"])) for series in data for one in series["exemplars"]]

    def settle(self):
        """At least two scrapes that began after now: the first shows what was born since the last at 0."""
        begin = time.time()
        while True:
            done = self.query('timestamp(up{job="bot"})')
            if any(moment > begin + 1.2 for moment in done.values()):
                return
            time.sleep(0.2)

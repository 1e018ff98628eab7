"""Distinct people over replicas: their registers are series, and a real Prometheus merges them.

Three replicas with one key have overlapping people; a fourth has all of them under a key of its own. What PromQL makes of the
registers is the count within the stated error, and keys are never mixed. The formula is `estimator.promql`, which a unit test
holds equal to what rules are generated with. Then windows of weeks, from a simulated past.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time
import urllib.request

import history
from stack import Asked, Prometheus, check, free_ports, wait_for

FORMULA = (pathlib.Path(__file__).parent / "estimator.promql").read_text()
PEOPLE = {"one": 1, "five": 5, "twenty": 20, "many": 50_000}
KEYS = ["first", "first", "first", "second"]
ERROR = 3 * 1.04 / 512 ** 0.5


def estimate(window):
    return FORMULA.replace("REGISTERS", f"(max by (service, key, register) (max_over_time(bot_active_users_register[{window}])))")


class Replicas(Asked):
    """The sidecars and a Prometheus that scrapes them all."""

    def __init__(self, binary, folder):
        self.log = open(folder / "log", "wb")
        self.processes, self.ports, targets = [], [], []
        for key in KEYS:
            web, grpc, http = free_ports(3)
            self.start([binary, "serve", f"--web.listen-address=127.0.0.1:{web}", f"--otlp.grpc.listen-address=127.0.0.1:{grpc}",
                        f"--otlp.http.listen-address=127.0.0.1:{http}"], OSCAR_METRICS_HASH_KEY=key)
            wait_for(f"http://127.0.0.1:{web}/-/ready")
            self.ports.append(http)
            targets.append(f"'127.0.0.1:{web}'")
        (self.prometheus,) = free_ports(1)
        (folder / "replicas.yml").write_text(
            "global: {scrape_interval: 1s}\n"
            f"scrape_configs: [{{job_name: bot, static_configs: [{{targets: [{', '.join(targets)}]}}]}}]\n")
        self.start([shutil.which("prometheus"), f"--config.file={folder / 'replicas.yml'}", f"--storage.tsdb.path={folder / 'replicas'}",
                    f"--web.listen-address=127.0.0.1:{self.prometheus}", "--log.level=warn"])
        wait_for(f"http://127.0.0.1:{self.prometheus}/-/ready")

    def start(self, command, **environment):
        self.processes.append(subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, **environment}))

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)
        self.log.close()

    def until(self, expression, wanted, seconds=60):
        deadline = time.monotonic() + seconds
        while (got := self.query(expression)) != wanted and time.monotonic() < deadline:
            time.sleep(0.5)
        return got


def send(port, service, people):
    """An interaction of each of these people, a thousand a request."""
    def text(key, value):
        return {"key": key, "value": {"stringValue": value}}

    def span(person):
        now = time.time_ns()
        return {"traceId": f"{random.getrandbits(128):032x}", "spanId": f"{random.getrandbits(64):016x}",
                "name": "bot.interaction x", "kind": 5, "startTimeUnixNano": str(now - 10 ** 9), "endTimeUnixNano": str(now),
                "attributes": [text("user.id", f"U{service}{person}"), text("bot.outcome", "answered")]}

    for first in range(0, len(people), 1000):
        spans = [span(person) for person in people[first:first + 1000]]
        resource = {"attributes": [text("service.name", service)]}
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/traces", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()


def replicas(binary, folder):
    running = Replicas(binary, folder)
    try:
        running.until("sum(up)", {(): float(len(KEYS))})
        for service, count in PEOPLE.items():
            people = list(range(count))
            for at, port in enumerate(running.ports):
                # Each of the three misses a third of them, each another one.
                send(port, service, people if at == 3 else [person for person in people if person % 3 != at])
        visits = {(("service", service),): float(2 * count + count) for service, count in PEOPLE.items()}
        check("users: all visits arrived", running.until("sum by (service) (bot_interactions_total)", visits), visits)
        time.sleep(2.5)
        shares = running.query('sort(bot_active_users{service="many", window="28d"})')
        wanted = sorted([*(sum(person % 3 != at for person in range(50_000)) for at in range(3)), 50_000])
        check("users: each replica alone is exact", sorted(shares.values()), [float(count) for count in wanted])
        counted = running.query(estimate("5m"))
        keys = {dict(labels)["key"] for labels in counted}
        check("users: two keys, two sketches of every service", (len(keys), len(counted)), (2, 2 * len(PEOPLE)))
        for labels, value in sorted(counted.items()):
            service = dict(labels)["service"]
            count = PEOPLE[service]
            good = abs(value - count) <= max(ERROR * count, 0.5)
            check(f"users: {service} over replicas of one key: {value:.2f} of {count}", good, True)
    finally:
        running.stop()


def weeks(binary, folder):
    out, truth = history.write(binary, folder, "people", "--history=28d", "--only=bot_active_users", "--only=bot_active_users_register")
    history.blocks(out, folder / "people")
    prometheus = Prometheus(folder, folder / "people", "--query.timeout=1m")
    try:
        for window in ("1d", "7d", "28d"):
            shown = prometheus.query(f'bot_active_users{{window="{window}"}}', time=history.END)
            (exact,), (value,) = shown.values(), prometheus.query(estimate(window), time=history.END).values()
            good = abs(value - exact) <= ERROR * exact + 0.5
            check(f"users: registers over {window} of a past: {value:.1f} of {exact:.0f}", good, True)
        check("users: the month's people are the truth", exact, float(truth["distinct_users"]))
    finally:
        prometheus.stop()


def run(binary, folder):
    replicas(binary, folder)
    weeks(binary, folder)

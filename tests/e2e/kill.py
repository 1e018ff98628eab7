#!/usr/bin/env python3
"""Kills the binary a hundred times at random moments under load, beside a real Prometheus, and checks what is there after each start.

    tests/e2e/kill.py --binary target/release/oscar-metrics [--kills 100] [--seed N]

After each start: nothing had to be set aside; whoever was seen before the last snapshot began is still counted; the snapshot is no
older than its interval, when there was time to write one; no counter is lower under the start time it had; and counters go on exactly
when the process ended well or no scrape was completed after the snapshot. Every tenth end is a clean one, which lets Prometheus scrape
the last increments. A span whose answer did not come is sent again to the next process.

At the end the increase that Prometheus stored is compared with the truth: it is never above it, and short of it by no more than what
came after the last scrape or snapshot of each life. The last line is `N passed, N failed`: one for each start, and those two.
Standard library and Prometheus.
"""
import argparse
import http.client
import json
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from stack import Asked, free_ports, wait_for

INTERVAL = 0.1
SCRAPES = 0.25  # from one scrape of Prometheus to the next
TOOLS = 7
SLOW = 1.0  # what a loaded machine may take to copy, write and sync
CONFIG = """
server: {web: {created_lines: true, linger: 2s}}
state: {interval: 100ms}
attributes: {user: {any_of: [user.id], hash: true}}
metrics:
  spans_total: {help: Spans., type: counter, from: span, labels: {tool: {from: tool, limit: 50}}}
  span_seconds: {help: Spans., type: histogram, from: span, value: duration, buckets: [1s, 5s]}
  users: {help: People., type: distinct, from: span, of: user, windows: [1d], registers: 64}
"""


class Failed(Exception):
    pass


def check(holds, words):
    if not holds:
        raise Failed(words)


class Sender(threading.Thread):
    """Sends one span of a new person at a time for as long as it is let. `taken`: when each was acknowledged, and its tool; `lost`: the
    one that was not, which the next sender begins with, as an exporter does."""

    def __init__(self, port, life, lost):
        super().__init__(daemon=True)
        self.port, self.life, self.taken, self.sent, self.lost = port, life, [], 0, lost
        self.is_over = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        while not self.is_over.is_set():
            if self.lost is None:
                self.sent += 1
                self.lost = (f"t{self.sent % TOOLS}", self.body())
            time.sleep(0.001)  # all lives together send fewer than are counted one by one
            tool, body = self.lost
            try:
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.lost = None
                self.taken.append((time.time(), tool))

    def body(self):
        now, who = time.time_ns(), f"{self.life}-{self.sent}"
        attributes = {"user.id": who, "tool": f"t{self.sent % TOOLS}"}
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": f"{self.life + 1:032x}", "spanId": f"{self.sent:016x}", "name": "x",
            "startTimeUnixNano": str(now - 2_000_000_000), "endTimeUnixNano": str(now),
            "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in attributes.items()],
        }]}]}]})


class Prometheus(Asked):
    """A Prometheus that scrapes the place, alive or not."""

    def __init__(self, folder, web):
        (self.prometheus,) = free_ports(1)
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: {int(SCRAPES * 1000)}ms, scrape_timeout: {int(SCRAPES * 900)}ms}}\n"
            f"scrape_configs: [{{job_name: bot, static_configs: [{{targets: ['127.0.0.1:{web}']}}]}}]\n")
        self.log = open(folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(
            [shutil.which("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.prometheus}", "--log.level=warn"], stdout=self.log, stderr=subprocess.STDOUT)
        wait_for(f"http://127.0.0.1:{self.prometheus}/-/ready")

    def samples(self):
        """All samples of the spans' counter, by tool."""
        found = self.ask("query", query="spans_total[1h]")["result"]
        return {one["metric"]["tool"]: [(float(moment), float(value)) for moment, value in one["values"]] for one in found}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.log.close()


class Place:
    def __init__(self, binary, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "config.yaml").write_text(CONFIG)
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        grpc, self.http, self.web = (one.getsockname()[1] for one in sockets)
        for one in sockets:
            one.close()
        self.command = [
            binary, "serve", "--log.format=json", f"--config.file={self.folder / 'config.yaml'}",
            f"--state.dir={self.folder / 'state'}", f"--otlp.grpc.listen-address=127.0.0.1:{grpc}",
            f"--otlp.http.listen-address=127.0.0.1:{self.http}", f"--web.listen-address=127.0.0.1:{self.web}",
        ]

    def start(self):
        with open(self.folder / "log", "wb") as log:
            return subprocess.Popen(self.command, stdout=log, stderr=log)

    def ready(self, process):
        end = time.time() + 10
        while time.time() < end:
            check(process.poll() is None, f"it ended with {process.returncode}: {self.log()[-500:]}")
            try:
                return self.scrape()
            except OSError:
                time.sleep(0.002)
        raise Failed("not ready within 10 s")

    def scrape(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=5)
        connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        text = connection.getresponse().read().decode()
        lines = [line.split(" # ")[0].rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {series: float(value) for series, value in lines}

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def restored(self):
        """When the snapshot was begun that this process took up; none: there was none."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        faults = [line for line in lines if line["event"] in ("state_set_aside", "state_unusable", "state_not_written", "panic")]
        check(not faults, f"the log says {faults}")
        found = [line for line in lines if line["event"] == "state_restored"]
        return (found[0]["written"], found[0]["counters"]) if found else (None, False)


def totals(scrape):
    """Each counted series with its value and its start time."""
    found = {}
    for series, value in scrape.items():
        name, brace, labels = series.partition("{")
        for end in ("_total", "_count", "_sum"):
            created = f"{name.removesuffix(end)}_created{brace}{labels}"
            if name.endswith(end) and created in scrape and not name.startswith("oscar_metrics"):
                found[series] = (value, scrape[created])
    return found


class Life:
    """What is known of one process: when it began and ended, what was acknowledged, whether it ended well, when the last of our own
    scrapes began and ended, and whether its counters went on from a snapshot of which moment."""

    def __init__(self, begin):
        self.start, self.begin, self.end, self.taken, self.is_clean = begin, begin, begin, [], False
        self.scraped, self.written, self.counted, self.was_ready = None, None, False, False

    def until(self, moment, tool=None):
        """How many spans were acknowledged by then, of one tool or of all."""
        return sum(1 for at, one in self.taken if at <= moment and tool in (None, one))


class Story:
    """All lives so far."""

    def __init__(self, place, prometheus, dice):
        self.place, self.prometheus, self.dice = place, prometheus, dice
        self.sure, self.most, self.seen, self.lost = 0, 0, {}, None
        self.lives = []

    def judge(self, life, scrape):
        """Checks what the new process shows of the lives before it."""
        life.written, life.counted = self.place.restored()
        before = next((one for one in reversed(self.lives) if one.was_ready), None)
        if before and before.is_clean:
            check(life.counted and life.written, "a clean end's counters do not go on")
            self.sure += len(before.taken)
        elif before:
            written = life.written
            if written:
                self.sure += before.until(written - 0.001)
            lived = before.end - before.begin > INTERVAL + SLOW
            check(not lived or (written and before.end - written < INTERVAL + SLOW), f"killed {before.end}, last written {written}")
            ours = before.scraped
            check(not (life.counted and ours and written < ours[0]), f"counters of {written} go on after the scrape of {ours}")
        if life.counted:
            total = sum(value for series, (value, _) in totals(scrape).items() if series.startswith("spans_total"))
            least = before.until(life.written - 0.001) if before else 0
            check(total >= least, f"{total} spans go on, {least} were acknowledged before the snapshot")
        users = scrape['users{window="1d"}']
        check(self.sure <= users <= self.most, f"{users} users, not {self.sure} to {self.most}")
        self.look(scrape)

    def look(self, scrape):
        for series, (value, start) in totals(scrape).items():
            last, began = self.seen.get(series, (value, start))
            check(start >= began, f"{series}: an earlier start time")
            check(start > began or value >= last, f"{series}: {last} fell to {value}")
            self.seen[series] = (value, start)

    def live(self, number):
        life, sender, process = Life(time.time()), None, self.place.start()
        try:
            if number % 10 == 5:  # before it is ready, or just then: what it took up is still there
                time.sleep(self.dice.uniform(0, 0.05))
                return
            first = self.place.ready(process)
            life.was_ready = True
            self.judge(life, first)
            sender = Sender(self.place.http, number, self.lost)
            sender.start()
            life.begin = time.time()
            long = INTERVAL + SLOW + 0.2 if number % 10 == 7 else self.dice.uniform(0, 1.2)
            time.sleep(0 if number % 10 == 0 and number else long)
            if self.dice.random() < 0.3:
                begin = time.time()
                self.look(self.place.scrape())
                life.scraped = (begin, time.time())
            if number % 10 == 9:
                process.send_signal(signal.SIGTERM)
                check(process.wait(timeout=30) == 0, "it did not end well")
        finally:
            life.end = time.time()
            process.kill()
            process.wait()
            life.is_clean = process.returncode == 0
            if sender:
                sender.is_over.set()
                sender.join(timeout=10)
                self.most += sender.sent
                self.lost = sender.lost
                life.taken = sender.taken
            self.lives.append(life)

    def last(self):
        """One more life, that is scraped to its end, so that nothing of the lives before it is still to come."""
        life, process = Life(time.time()), self.place.start()
        try:
            self.judge(life, self.place.ready(process))
            life.was_ready, life.begin = True, time.time()
            sender = Sender(self.place.http, len(self.lives), self.lost)
            sender.start()
            time.sleep(1)
            sender.is_over.set()
            sender.join(timeout=10)
            self.most, life.taken = self.most + sender.sent, sender.taken
            time.sleep(6 * SCRAPES)
            life.end = time.time()
        finally:
            process.kill()
            process.wait()
            self.lives.append(life)

    def least(self, tool, samples):
        """The least that the stored increase of a tool's spans may be."""
        shown = [moment for moment, value in samples if value > 0]
        ready = [life for life in self.lives if life.was_ready]
        least = kept = 0
        for life, after in zip(ready, [*ready[1:], None]):
            # What was acknowledged before the last scrape that showed a value began, and all that was kept before.
            seen = max((moment for moment in shown if life.start < moment <= life.end), default=None)
            if seen:
                least, kept = least + kept + life.until(seen, tool), 0
            if after and after.counted:
                kept += max(0, life.until(after.written - 0.001, tool) - (life.until(seen, tool) if seen else 0))
            else:
                kept = 0
        return least


def increase(samples):
    """What `increase()` is, before it is extrapolated: all rises, and after each fall the value."""
    return sum(value if value < before else value - before for (_, before), (_, value) in zip(samples, samples[1:]))


def compare(story):
    """Whether what Prometheus stored is the truth, within what may be lost."""
    samples = story.prometheus.samples()
    stored, most = sum(map(increase, samples.values())), story.most
    least = sum(story.least(*one) for one in samples.items())
    restored = sum(life.counted for life in story.lives)
    print(f"increase {stored:.0f} of {most} spans, at least {least} had to be there; counters went on {restored} times")
    return [stored <= most, stored >= least]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked = parser.parse_args()
    passed = failed = 0
    begin = time.time()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(asked.binary, folder)
        prometheus = Prometheus(pathlib.Path(folder), place.web)
        try:
            story = Story(place, prometheus, random.Random(asked.seed))
            lives = [*((story.live, (number,)) for number in range(asked.kills)), (story.last, ())]
            for number, (life, arguments) in enumerate(lives):
                try:
                    life(*arguments)
                    passed += 1
                except Failed as fault:
                    failed += 1
                    print(f"FAIL life {number}: {fault}")
            for what, good in zip(("above the truth", "below what was scraped or kept"), compare(story)):
                passed, failed = passed + good, failed + (not good)
                if not good:
                    print(f"FAIL the increase is {what}")
        finally:
            prometheus.stop()
        print(f"seed {asked.seed}, {story.most} people were sent and {story.sure} had to be there, {time.time() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

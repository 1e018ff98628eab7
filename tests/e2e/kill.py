#!/usr/bin/env python3
"""Kills the binary a hundred times at random moments under load, and looks each time at what it is after the next start.

    tests/e2e/kill.py --binary target/release/oscar-metrics [--kills 100] [--seed N]

After each start: nothing had to be set aside; whoever was seen before the last snapshot began is still counted; the snapshot is no
older than its interval, when there was time to write one; and no counter is lower under the start time it had. Every tenth end is a
clean one, whose counters go on; the next kill then comes at once, so that they must not go on a second time. The last line is
`N passed, N failed`: one for each start. Standard library only.
"""
import argparse
import http.client
import json
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

INTERVAL = 0.1
SLOW = 1.0  # what a loaded machine may take to copy, write and sync
CONFIG = """
server: {web: {created_lines: true}}
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
    """Sends one new person at a time for as long as it is let, and remembers when each was taken."""

    def __init__(self, port, life):
        super().__init__(daemon=True)
        self.port, self.life, self.taken, self.sent = port, life, [], 0
        self.is_over = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        while not self.is_over.is_set():
            self.sent += 1
            time.sleep(0.001)  # all lives together send fewer than are counted one by one
            try:
                connection.request("POST", "/v1/traces", self.body(), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 200:
                self.taken.append(time.time())

    def body(self):
        now, who = time.time_ns(), f"{self.life}-{self.sent}"
        attributes = {"user.id": who, "tool": f"t{self.sent % 7}"}
        return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": f"{self.life + 1:032x}", "spanId": f"{self.sent:016x}", "name": "x",
            "startTimeUnixNano": str(now - 2_000_000_000), "endTimeUnixNano": str(now),
            "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in attributes.items()],
        }]}]}]})


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


class Story:
    """What is known of all lives so far."""

    def __init__(self, place, dice):
        self.place, self.dice = place, dice
        self.sure, self.most, self.seen = 0, 0, {}
        self.last = None  # when the last life began and ended, whom it took, whether it ended well
        self.taken = 0

    def judge(self, scrape):
        """What the new process says of the lives before it."""
        written, counted = self.place.restored()
        last, self.last = self.last, None
        if last:
            begin, end, taken, is_clean = last
            if is_clean:
                check(counted and written, "a clean end's counters do not go on")
                self.sure += len(taken)
                sums = sum(value for series, (value, _) in totals(scrape).items() if series.startswith("spans_total"))
                check(sums >= self.taken + len(taken), f"{sums} spans after a clean end, {self.taken + len(taken)} were taken")
            else:
                check(not counted, "counters go on after a kill")
                if written:
                    self.sure += sum(1 for moment in taken if moment < written - 0.001)
                lived = end - begin > INTERVAL + SLOW
                check(not lived or (written and end - written < INTERVAL + SLOW), f"killed {end}, last written {written}")
            self.taken = self.taken + len(taken) if is_clean else 0
        users = scrape['users{window="1d"}']
        check(self.sure <= users <= self.most, f"{users} users, not {self.sure} to {self.most}")
        self.look(scrape)

    def look(self, scrape):
        for series, (value, start) in totals(scrape).items():
            last, began = self.seen.get(series, (value, start))
            check(start >= began, f"{series}: an earlier start time")
            check(start > began or value >= last, f"{series}: {last} fell to {value}")
            self.seen[series] = (value, start)

    def live(self, life):
        begin = time.time()
        process = self.place.start()
        sender = None
        try:
            is_clean = life % 10 == 9
            if life % 10 == 5:  # before it is ready, or just then: whatever it took of the last life is still there
                time.sleep(self.dice.uniform(0, 0.05))
                return None
            self.judge(self.place.ready(process))
            sender = Sender(self.place.http, life)
            sender.start()
            begin = time.time()
            long = INTERVAL + SLOW + 0.2 if life % 10 == 7 else self.dice.uniform(0, 0.4)
            time.sleep(0 if life % 10 == 0 and life else long)
            self.look(self.place.scrape())
            if is_clean:
                process.send_signal(signal.SIGTERM)
                check(process.wait(timeout=30) == 0, "it did not end well")
            return is_clean
        finally:
            end = time.time()
            process.kill()
            process.wait()
            if sender:
                sender.is_over.set()
                sender.join(timeout=10)
                self.most += sender.sent
                self.last = (begin, end, sender.taken, process.returncode == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    asked = parser.parse_args()
    passed = failed = 0
    begin = time.time()
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Place(asked.binary, folder), random.Random(asked.seed))
        for life in range(asked.kills):
            try:
                story.live(life)
                passed += 1
            except Failed as fault:
                failed += 1
                print(f"FAIL life {life}: {fault}")
        print(f"seed {asked.seed}, {story.most} people were sent and {story.sure} had to be there, {time.time() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

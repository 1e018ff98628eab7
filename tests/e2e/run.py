#!/usr/bin/env python3
"""End to end with real peers: SDK bots -> oscar-metrics -> Prometheus, and what was sent is what is queried.

    run.py --binary target/release/oscar-metrics

Once with Prometheus as it comes, which reads text, and once with native histograms and exemplars, which makes it read protobuf; then
every query of the dashboards, with the demo as the bot, and again of a month of its past; the shipped alerts from incidents to receivers,
living and past. Run by `tests/run`, which installs both SDKs. Each check prints one line; the last line is `N passed, N failed`.
Everything stays on the loopback interface; only processes started here are ended.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

import bedrock
import checks
import dashboards
import history
import users
from stack import RESULTS, Stack, apart, check, fetch, finish

HERE = pathlib.Path(__file__).parent
PYTHON, NODE = (sys.executable, HERE / "bot.py"), ("node", HERE / "js" / "bot.mjs")
BOTS = [
    (PYTHON, "grpc", "cumulative"),
    (PYTHON, "http", "delta"),
    (NODE, "grpc", "delta"),
    (NODE, "http", "cumulative"),
    (NODE, "proto", "delta"),
]
FEATURES = "--enable-feature=native-histograms,exemplar-storage"


def send(stack):
    """All bots at once; what each says that it sent."""
    started = []
    for program, protocol, temporality in BOTS:
        port = stack.grpc if protocol == "grpc" else stack.http
        command = [*program, "--protocol", protocol, "--temporality", temporality, "--endpoint", f"http://127.0.0.1:{port}"]
        bot = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append((f"{program[1].name} over {protocol}", bot))
    truths = []
    try:
        for name, bot in started:
            out, errors = bot.communicate(timeout=60)
            check(f"{name} ends well", (bot.returncode, errors[-2000:]), (0, ""))
            truths.append(json.loads(out))
    finally:
        for _, bot in started:
            if bot.poll() is None:
                bot.kill()
    return truths


def run(binary, folder, native):
    stack = Stack(binary, folder, *([FEATURES] if native else []))
    try:
        truths = send(stack)
        stack.settle()
        checks.counts(stack, truths)
        checks.metrics(stack, truths)
        checks.sizes(stack, truths, native)
        if native:
            checks.exemplars(stack, truths)
        else:
            checks.bodies(stack)
            page = fetch(f"http://127.0.0.1:{stack.web}/")
            check("the page is a page", (page[0].split(";")[0], "/metrics" in page[1]), ("text/html", True))
    finally:
        status = stack.stop()
    check("the sidecar drains and ends with 0", status, 0)
    log = (folder / "log").read_text(errors="replace")
    check("no panic in the log", [line for line in log.splitlines() if "panicked" in line], [])


def begin(part, binary, *words):
    """A part that is minutes of waiting: it has a process of its own, and the others go on meanwhile."""
    return subprocess.Popen([sys.executable, HERE / part, binary, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(name, process):
    print(f"-- {name}", flush=True)
    said, _ = process.communicate(timeout=900)
    *lines, books = said.rstrip().splitlines() or [""]
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed", books)
    print("\n".join(lines if counts else lines + [books]))
    for word, count in zip(("passed", "failed"), counts.groups() if counts else (0, 1)):
        RESULTS[word] += int(count)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    binary = parser.parse_args().binary
    past, live = begin("alerts.py", binary, "incidents"), begin("live.py", binary)
    apart("Prometheus as it comes", lambda folder: run(binary, folder, native=False))
    apart("Prometheus with native histograms and exemplars", lambda folder: run(binary, folder, native=True))
    apart("The dashboards on the demo", lambda folder: dashboards.run(binary, folder))
    apart("A past, loaded into Prometheus", lambda folder: history.run(binary, folder))
    apart("People over replicas and weeks", lambda folder: users.run(binary, folder))
    apart("An instrumentor from PyPI on Amazon Bedrock", lambda folder: bedrock.run(binary, folder))
    month = begin("alerts.py", binary, "month")
    end("The shipped alerts, from a living bot's incident to a receiver", live)
    end("The shipped alerts, from a past incident to a receiver", past)
    end("The shipped alerts, in a month to which nothing happens", month)
    finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs oscar-metrics and the OpenTelemetry Collector through the same scenarios and compares what each shows with the truth.

    tests/peers/run.py --binary target/release/oscar-metrics --peers FOLDER [--page docs/collector.md] [ID ...]

FOLDER has `otelcol` and `prometheus`, built by `tests/peers/build FOLDER`. Prints a Markdown table; --page also writes it into that file,
between its two `scenarios` comments. A scenario fails when oscar-metrics is wrong without a documented limit, or when a side raised an
error. The last line is `N passed, N failed`. Needs prometheus_client.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import traceback

import points  # noqa: F401: adds its scenarios
import spans  # noqa: F401
from scenario import ALL
from sides import Collector, Ours, Programs

WORKERS = 4  # sides at once; they wait most of the time
TABLE = re.compile(r"(<!-- scenarios: begin -->\n).*(<!-- scenarios: end -->)", re.DOTALL)
HEAD = ["| id | scenario | truth | Collector | oscar-metrics |", "|---|---|---|---|---|"]
OUTCOMES = {(True, True): "both right", (False, True): "only oscar-metrics right", (True, False): "only the Collector right",
            (False, False): "both wrong"}
ERROR, NOT_COMPARED = "error", "not compared"


def result(programs, scenario, side_class):
    """What a side shows in a scenario."""
    if side_class is Collector and scenario.collector is None:
        return NOT_COMPARED
    with tempfile.TemporaryDirectory() as folder:
        side = side_class(programs, scenario, pathlib.Path(folder))
        try:
            side.start()
            return scenario.run(side)
        except Exception:
            log = side.log.read_text(errors="replace")[-1500:] if side.log.exists() else ""
            print(f"{scenario.id}, {side.name}: {traceback.format_exc()}{log}", file=sys.stderr)
            return ERROR
        finally:
            side.close()


def text(value):
    match value:
        case None: return "no data"
        case tuple(): return ", ".join(map(text, value))
        case float(): return f"{value:.10g}"
        case _: return str(value)


def row(scenario, collector, ours):
    cells = [text(value) if value in (scenario.truth, NOT_COMPARED) else f"**{text(value)}**" for value in (collector, ours)]
    if scenario.limit and ours != scenario.truth:
        cells[1] += f" ({scenario.limit})"
    return f"| {' | '.join([scenario.id, scenario.text, text(scenario.truth), *cells])} |"


def is_failure(scenario, collector, ours):
    return ERROR in (collector, ours) or (ours != scenario.truth and not scenario.limit)


def summary(results):
    outcomes = [(collector == scenario.truth, ours == scenario.truth) for scenario, collector, ours in results if collector != NOT_COMPARED]
    counts = ", ".join(f"{outcomes.count(outcome)} {words}" for outcome, words in OUTCOMES.items())
    return f"{len(outcomes)} scenarios compared: {counts}."


def version(program):
    printed = subprocess.run([program, "--version"], capture_output=True, text=True)
    return (printed.stdout or printed.stderr).splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--peers", required=True, type=pathlib.Path)
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("ids", nargs="*", metavar="ID")
    options = parser.parse_args()
    if options.page and options.ids:
        parser.error("--page takes all scenarios")
    begin = time.monotonic()
    programs = Programs(options.binary.resolve(), options.peers / "otelcol", options.peers / "prometheus")
    chosen = [scenario for scenario in ALL if not options.ids or scenario.id in options.ids]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        futures = [[pool.submit(result, programs, scenario, side) for side in (Collector, Ours)] for scenario in chosen]
        results = [(scenario, *(future.result() for future in pair)) for scenario, pair in zip(chosen, futures)]
    table = "\n".join([*HEAD, *(row(*one) for one in results), "", summary(results)]) + "\n"
    print(table)
    print(*map(version, programs), f"{time.monotonic() - begin:.0f} s", sep="\n")
    if options.page and not any(ERROR in one for one in results):
        options.page.write_text(TABLE.sub(lambda found: found[1] + table + found[2], options.page.read_text()))
    failed = sum(is_failure(*one) for one in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())

"""Every query of every dashboard, asked of a real Prometheus that scrapes the demo: no error, and an answer.

Windows are seconds here, and what takes the rules hours to record is excused: `weeks.py` asks them as they are, of weeks.
"""

import json
import pathlib
import re
import time

from stack import Stack, check

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Said in the description of panels that are empty as long as all is well (`empty_when_healthy` of the generator).
EMPTY_WHEN_HEALTHY = "Empty means that there was none."
# Seconds of the demo, each of them an hour of the bot's.
SECONDS, SPEED = 60, 3600
# Conversations are over by the clock on the wall, which is not sped up.
CONFIG = """use: [oscar]
sessions: {from: interaction, key: conversation, idle: 2s, max: 100000, end: session_end, liked: liked, disliked: disliked}
"""
VARIABLES = [("$__rate_interval", "10s"), ("$__interval_ms", "10000"), ("$__interval", "10s"), ("$__range", f"{SECONDS // 2}s")]


def panels(board):
    for panel in board["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def queries(board):
    """Each panel's title, whether it may be empty, and its targets."""
    for panel in panels(board):
        may_be_empty = EMPTY_WHEN_HEALTHY in panel.get("description", "")
        yield panel["title"], may_be_empty, panel.get("targets", [])


def plain(expr, gate):
    """The query without Grafana's variables, for a range of seconds: what is gated is gated lower."""
    for name, value in VARIABLES:
        expr = expr.replace(name, value)
    expr = expr.replace('"$metric"', '"bot_interactions_total"').replace("($label)", "(outcome)")
    expr = re.sub(r'"\$(\w+)"', '".*"', expr)
    expr = re.sub(f"offset {SECONDS // 2}s", "offset 5s", expr)
    expr = re.sub(r"offset (7d|1w|28d|1d)", "offset 1s", expr)
    expr = re.sub(r"\[7d\]|\[6h\]", "[30s]", expr)
    return re.sub(r">= (20|5)\)", f">= {gate})", expr)


def recorded(expr):
    """Whether a query needs what rules record, which takes hours to be there."""
    return re.search(r"\w+:\w+:\w+", expr) and " or max by" not in expr


def ask(stack, expr, over_time):
    if not over_time:
        return stack.ask("query", query=expr)["result"]
    now = time.time()
    return stack.ask("query_range", query=expr, start=now - SECONDS, end=now, step=5)["result"]


def answers(stack, board):
    """What fails, and which panels are empty although they should not be."""
    faults, empty, asked = [], [], 0
    for title, may_be_empty, targets in queries(board):
        found = []
        for target in targets:
            expr = plain(target["expr"], 1)
            asked += 1
            try:
                found.append(bool(ask(stack, expr, target["range"])))
            except OSError as error:
                faults.append((title, expr, str(error)))
        rules = any(recorded(target["expr"]) for target in targets)
        # A change needs a period before, which a young Prometheus has not: the first number of a panel decides.
        if targets and not may_be_empty and not rules and not (found and found[0]):
            empty.append(title)
    return faults, empty, asked


def run(binary, folder):
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    rules = sorted((ROOT / "dashboards" / "rules").glob("*.yaml"))
    stack = Stack(binary, folder, serve=("demo", f"--speed={SPEED}", f"--config.file={config}"), rules=rules)
    try:
        time.sleep(SECONDS)
        for path in sorted((ROOT / "dashboards").glob("*.json")):
            faults, empty, asked = answers(stack, json.loads(path.read_text()))
            check(f"{path.name}: all {asked} queries are answered", faults, [])
            check(f"{path.name}: no panel is empty that should not be", empty, [])
    finally:
        status = stack.stop()
    check("the demo ends with 0", status, 0)

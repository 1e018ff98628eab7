"""Every query of every dashboard, and every recorded series, asked of weeks that lie in a real Prometheus.

Nothing of a query is changed but Grafana's variables, which become what Grafana makes of them for a board as it is opened. What the
rules would have recorded is written by promtool, from the shipped rules as they are.
"""

import json
import pathlib
import re
import subprocess

import yaml

import dashboards
from stack import Prometheus, check

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "dashboards" / "rules"
MINUTE, HOUR, DAY = 60, 3600, 86_400
# How far apart the past's scrapes are, and as far apart are the moments for which rules record.
STEP = 30 * MINUTE
# Grafana's `auto`: a board's time by 24, at least an hour, rounded as Grafana rounds (`roundInterval`).
BARS = {"28d": ("1d", DAY), "7d": ("6h", 6 * HOUR), "24h": ("1h", HOUR), "6h": ("1h", HOUR)}
# Four scrapes, which is what Grafana makes of `$__rate_interval` at least.
RATE = "2h"
# Series that nobody's past has: this process's own, and what Prometheus says of a scrape. The living demo is asked for them.
NOT_SIMULATED = re.compile(r"\b(?:process|scrape)_\w+")
LIVE_ONLY = {
    "series.json": {"New series in an hour"},
    "sidecar.json": {"Time of a scrape", "Lines in a scrape", "Processor", "Memory", "Open files", "Running for", "Threads",
                     "Reserved addresses"},
}
# Rules whose window has no two scrapes of such a past. Alarms are made of them in `alerts.py`, whose past has a minute's steps.
TOO_SHORT = re.compile(r":(?:increase30m|mean10m)$")
# How far back a rule is evaluated that reads what others have recorded: as far as panels look, and as rules look back a week from there.
# Registers are many: a day of them.
BACK, BACK_REGISTERS = 15 * DAY, DAY


class Rule:
    def __init__(self, rule):
        self.name, self.labels, self.written = rule["record"], rule.get("labels", {}), rule
        self.reads = set(re.findall(r"\w+:\w+:\w+", rule["expr"]))
        self.registers = "_register" in rule["expr"]

    def series(self):
        return self.name + "{" + ", ".join(f"{label}={json.dumps(value)}" for label, value in self.labels.items()) + "}"


def rules():
    """All that record, in the order of the files."""
    groups = [group for path in sorted(RULES.glob("*.yaml")) for group in yaml.safe_load(path.read_text())["groups"]]
    return [Rule(rule) for group in groups for rule in group["rules"] if "record" in rule]


def layers(waiting):
    """Rules in turns: each reads only what turns before it have recorded."""
    while waiting:
        names = {rule.name for rule in waiting}
        turn = [rule for rule in waiting if not rule.reads & names]
        if not turn:
            raise ValueError(f"rules in a circle: {sorted(names)}")
        yield turn
        waiting = [rule for rule in waiting if rule not in turn]


def record(folder, data, begin, end):
    """Writes what the rules would have recorded by the end: a turn becomes blocks, which the next turn's Prometheus has."""
    for number, turn in enumerate(layers(rules())):
        server = Prometheus(folder, data, "--query.timeout=2m")
        try:
            for registers in (False, True):
                part = [rule.written for rule in turn if rule.registers == registers]
                file = folder / f"turn-{number}-{registers}.yml"
                # Named without its folder: promtool takes a part of the moments' choice from the name.
                file.write_text(json.dumps({"groups": [{"name": file.stem, "rules": part}]}))
                since = begin if number == 0 else max(begin, end - (BACK_REGISTERS if registers else BACK))
                command = ["promtool", "tsdb", "create-blocks-from", "rules", f"--start={since}", f"--end={end}",
                           f"--url=http://127.0.0.1:{server.prometheus}", f"--output-dir={data}", f"--eval-interval={STEP}s",
                           "--max-block-duration=960h", file.name]
                made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300) if part else None
                if made and made.returncode != 0:
                    raise RuntimeError(f"{file.name}: {made.stderr[-2000:]}")
        finally:
            server.stop()


def recorded(server, end):
    """Every rule has recorded something that can be seen at the end."""
    asked = [rule for rule in rules() if not TOO_SHORT.search(rule.name)]
    # Hours of a night may have nobody, and so no registers.
    silent = [rule.series() for rule in asked if not server.query(f"last_over_time({rule.series()}[6h])", time=end)]
    check(f"weeks: {len(asked)} rules have recorded something", silent, [])


def plain(expr, span):
    """The query as Grafana asks it, with all that can be chosen at a board's head chosen."""
    name, seconds = BARS[span]
    for variable, value in [("$__rate_interval", RATE), ("$__interval_ms", f"{seconds}000"), ("$__interval", name), ("$__range", span),
                            ('"$job"', '".+"'), ('"$instance"', '".+"'), ('"$metric"', '"bot_model_calls_total"'), ("($label)", "(model)")]:
        expr = expr.replace(variable, value)
    return re.sub(r'"\$(\w+)"', '".*"', expr)


def has_numbers(server, target, span, end):
    """Whether the answer has a number that is one."""
    values = [value for one in ask(server, target, span, end) for _, value in one.get("values", [one.get("value")])]
    return any(value != "NaN" for value in values)


def ask(server, target, span, end):
    expr = plain(target["expr"], span)
    if not target["range"]:
        return server.ask("query", query=expr, time=end)["result"]
    seconds = BARS[span][1]
    length = int(span[:-1]) * {"h": HOUR, "d": DAY}[span[-1]]
    return server.ask("query_range", query=expr, start=end - length + seconds, end=end, step=seconds)["result"]


def board(server, path, end):
    """What fails, which panels have an empty query although they should not, which may, and which are of no past."""
    board = json.loads(path.read_text())
    faults, empty, allowed, living, asked = [], set(), set(), set(), 0
    for panel in dashboards.panels(board):
        may_be_empty = dashboards.EMPTY_WHEN_HEALTHY in panel.get("description", "")
        span = panel.get("timeFrom", board["time"]["from"].removeprefix("now-"))
        for target in panel.get("targets", []):
            if NOT_SIMULATED.search(target["expr"]):
                living.add(panel["title"])
                continue
            asked += 1
            try:
                if not has_numbers(server, target, span, end):
                    fine = may_be_empty or target["legendFormat"] == LEFT
                    (allowed if fine else empty).add((panel["title"], target["legendFormat"]))
            except OSError as error:
                faults.append((panel["title"], target["expr"], str(error)))
    return faults, empty, allowed, living, asked


# What is empty in the simulated bot's weeks although its panel does not say that it may be.
EMPTY = {
    # Fewer than twenty in those two days of the period before that this past has.
    "safety.json": {("Requests denied", "Change"), ("Attempts at misuse", "Change"), ("Guardrail stepped in", "Change")},
}
# Everywhere: what is left when the seven largest have all.
LEFT = "all others"


def few_yesterday(server, end):
    """What is hidden as long as the day is young: a change against fewer than twenty by this time of yesterday."""
    before = server.ask("query", query='max(bot_active_users{window="today"} offset 1d)', time=end)["result"]
    return {("People today", "Change")} if float(before[0]["value"][1]) < 20 else set()


def run(server, end):
    recorded(server, end)
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        faults, empty, allowed, living, asked = board(server, path, end)
        check(f"weeks: {path.name}: all {asked} queries are answered", faults, [])
        fine = few_yesterday(server, end) if path.name == "adoption.json" else EMPTY.get(path.name, set())
        check(f"weeks: {path.name}: only what may be empty is", empty - fine, set())
        check(f"weeks: {path.name}: only what has no past is left out", living, LIVE_ONLY.get(path.name, set()))
        print(f"     empty: {sorted(empty | allowed)}")

"""A simulated past, loaded into a real Prometheus: it is OpenMetrics, its totals are the truth, and an incident in it shows."""

import collections
import json
import re
import shutil
import subprocess

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

import weeks
from stack import Prometheus, check

END = 1_795_651_200  # Thursday, 2026-11-26, 00:00 UTC
HOUR = 3600
# Longer than any window of a board or a rule, so that what compares with the one before has some of it.
DAYS = 30
SAMPLE = re.compile(r'^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+) (\d+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def write(binary, folder, name, *options):
    """A history and its truth."""
    out, truth = folder / f"{name}.om", folder / f"{name}.json"
    command = [binary, "demo", f"--out={out}", f"--truth={truth}", f"--end={END}", "--label=job=bot", "--label=instance=demo:9464",
               *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    check(f"{name}: it is written", (done.returncode, done.stdout), (0, ""))
    return out, json.loads(truth.read_text())


def blocks(out, data):
    """Blocks of a Prometheus, made of a history."""
    command = [shutil.which("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=960h", "--quiet", out, data]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120)
    check(f"{out.stem}: promtool makes blocks of it", (made.returncode, made.stderr), (0, ""))


def totals(out, metrics):
    """What counters have counted, series by series, over every time each was forgotten and began anew."""
    last, sums = {}, {metric: collections.Counter() for metric in metrics}
    with open(out) as lines:
        for line in lines:
            metric = line.partition("{")[0]
            if metric not in sums:
                continue
            _, labels, value, _ = SAMPLE.match(line).groups()
            value, before = float(value), last.get((metric, labels), 0.0)
            sums[metric][labels] += value - before if value >= before else value
            last[metric, labels] = value
    return {metric: [dict(LABEL.findall(labels)) | {"value": value} for labels, value in counted.items()]
            for metric, counted in sums.items()}


def by(rows, value, *names):
    sums = collections.Counter()
    for row in rows:
        sums[tuple(row.get(name, "") for name in names)] += row[value]
    return {key: float(total) for key, total in sums.items() if total}


def agrees(out, truth):
    compared = [
        ("interactions", "bot_interactions_total", ("outcome", "feature", "tier", "kind"), ("outcome", "feature", "tier", "kind")),
        ("tools", "bot_tool_calls_total", ("tool", "outcome"), ("tool", "outcome")),
        ("webhooks", "bot_webhooks_total", ("event",), ("event",)),
        ("attempts", "bot_agent_attempts_total", ("number", "strategy"), ("number", "strategy")),
        ("jobs", "bot_jobs_total", ("name",), ("job_name",)),
    ]
    counted = totals(out, [metric for _, metric, *_ in compared] + ["bot_tokens_total", "bot_sessions_total"])
    for kind, metric, theirs, ours in compared:
        check(f"history: {metric} is the truth", by(counted[metric], "value", *ours), by(truth[kind], "count", *theirs))
    tokens = [row for row in truth["tokens"] if row["type"] != "cache_read"]
    check("history: bot_tokens_total is the truth", by(counted["bot_tokens_total"], "value", "model", "type"),
          by(tokens, "count", "model", "type"))
    sessions = sum(row["value"] for row in counted["bot_sessions_total"])
    check("history: bot_sessions_total is the truth", sessions, truth["sessions_ended"])


def reports(binary, url):
    """The report of that week in each form. Its end is now, and the history's is not: `--until` says so."""
    def report(form, *more):
        command = [binary, "report", f"--prometheus={url}", f"--format={form}", "--since=7d", f"--until={END}", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    code, text, said = report("json")
    check("report: it is made", (code, said), (0, ""))
    page = json.loads(text)
    numbers = {figure["title"]: figure["value"] for figure in page["figures"]}
    check(f"report: every number is there {numbers}", all(value is not None for value in numbers.values()), True)
    check("report: the bad deploy is a note", any("answers" in note for note in page["notes"]), True)
    tables = {table["title"] for table in page["tables"]}
    check("report: its tables", tables >= {"What was promised", "What people asked about", "Models", "Tools"}, True)
    for form, part in [("md", "| Messages | "), ("html", "<h2>Models</h2>"), ("slack", '"type": "header"')]:
        code, text, said = report(form)
        check(f"report: as {form}", (code, part in text, said), (0, True, ""))
    code, _, said = report("md", '--match=service="nobody"')
    check("report: of nothing is none", (code, "nothing of the bot" in said), (69, True))


def run(binary, folder):
    # A day, read whole by a parser that is strict about families, labels and the order of time. Without histograms: of those it
    # forgets, in a second point of a label set, all lines but the first.
    only = [f"--only={glob}" for glob in ("*_total", "bot_active_users*", "up")]
    out, truth = write(binary, folder, "day", "--history=1d", "--step=4h", *only)
    families = {family.name: family for family in openmetrics(out.read_text())}
    check("history: the Python parser reads it", {"up", "bot_interactions", "oscar_metrics_received_items"} <= families.keys(), True)
    times = [float(sample.timestamp) for sample in families["up"].samples]
    check("history: its scrapes", times, [END - 4 * HOUR * n for n in range(6, -1, -1)])
    target = [{"job": "bot", "instance": "demo:9464"}] * len(times)
    check("history: the labels of a scrape", [sample.labels for sample in families["up"].samples], target)

    incident = ["--step=30m", "--incident=bad_deploy", "--incident-before-end=8h"]
    twice = [write(binary, folder, name, "--history=2d", *incident)[0].read_bytes() for name in ("first", "again")]
    check("history: one seed is one history", twice[0] == twice[1], True)

    out, truth = write(binary, folder, "month", f"--history={DAYS}d", *incident)
    agrees(out, truth)
    month = folder / "month"
    blocks(out, month)
    out.unlink()
    weeks.record(folder, month, END - DAYS * weeks.DAY, END)
    prometheus = Prometheus(folder, month, "--query.timeout=1m")
    try:
        incident = truth["incident"]
        failed = 'sum(increase(bot_interactions_total{outcome=~"error|fallback"}[2h])) / sum(increase(bot_interactions_total[2h]))'
        during = prometheus.query(failed, time=incident["ended_unix_seconds"])[()]
        before = prometheus.query(failed, time=incident["began_unix_seconds"] - 600)[()]
        check(f"history: the incident shows ({before:.3f}, then {during:.3f})", during > 0.2 and before < 0.15, True)
        week = 'sum by (outcome) (increase(bot_interactions_total[7d]))'
        check("history: weeks are there", len(prometheus.query(week, time=END)) >= 8, True)
        rates = "count(count_over_time(bot_interactions_total[1h]) >= 2) / count(count_over_time(bot_interactions_total[1h]))"
        check("history: an hour has two samples of every series", prometheus.query(rates, time=END), {(): 1.0})
        reports(binary, f"http://127.0.0.1:{prometheus.prometheus}")
        weeks.run(prometheus, END)
    finally:
        prometheus.stop()

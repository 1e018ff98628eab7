"""What was sent is what Prometheus answers, and what parsers that are not ours read."""

import collections
import shutil
import subprocess

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

from stack import check, fetch

FORMATS = {
    "text 0.0.4": "text/plain;version=0.0.4",
    "OpenMetrics 1.0.0": "application/openmetrics-text;version=1.0.0",
    "what Prometheus 3 sends": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                               "application/openmetrics-text;version=0.0.1;q=0.5,"
                               "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
                               "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
}


def expected(truths, kind, labels):
    total = collections.Counter()
    for truth in truths:
        for key, value in truth["counts"].items():
            first, *parts = key.split("/")
            if first == kind:
                total[tuple(sorted(zip(labels, parts)))] += value
    return {key: float(value) for key, value in total.items()}


def counts(stack, truths):
    """Every count that was sent is what Prometheus answers."""
    def by(kind, metric, *labels):
        got = stack.query(f"sum by ({', '.join(labels)}) ({metric}) > 0")
        check(f"{metric} by {', '.join(labels)}", got, expected(truths, kind, labels))

    by("interactions", "bot_interactions_total", "outcome", "feature", "tier")
    by("tokens", "bot_tokens_total", "type")
    by("tools", "bot_tool_calls_total", "tool", "outcome")
    by("feedback", "bot_feedback_total", "label")
    by("guardrail", "bot_guardrail_interventions_total", "stage")
    for part, expression in [("count", "sum(bot_interaction_duration_seconds_count)"),
                             ("sum", "sum(bot_interaction_duration_seconds_sum)"),
                             ("le45", 'sum(bot_interaction_duration_seconds_bucket{le="45.0"})')]:
        total = float(sum(truth["counts"][f"durations/{part}"] for truth in truths))
        check(f"durations: {part}", stack.query(expression), {(): total})
    born = stack.query("sum(increase(bot_interactions_total[1m]))")
    check("increase() sees the first events", born[()] >= float(sum(expected(truths, "interactions", []).values())), True)
    books = "sum by (signal) (oscar_metrics_received_items_total) - on (signal) " \
            "(sum by (signal) (oscar_metrics_accepted_items_total) + on (signal) " \
            "sum by (signal) (oscar_metrics_rejected_items_total)) != 0"
    check("the books balance in Prometheus", stack.query(books), {})


def bodies(stack):
    """Every body is read whole by parsers that are not ours."""
    url = f"http://127.0.0.1:{stack.web}/metrics"
    for name, accept in FORMATS.items():
        kind, body = fetch(url, {"Accept": accept, "Accept-Encoding": "gzip"})
        parse = openmetrics if kind.startswith("application/openmetrics-text") else classic
        families = {family.name: family for family in parse(body)}
        check(f"{name}: the Python parser finds the headline", "bot_interactions" in families, True)
        check(f"{name}: no private text", [word for word in ("hunter2", '"U1"', '"C1"') if word in body], [])
    _, body = fetch(url, {"Accept": FORMATS["text 0.0.4"]})
    lint = subprocess.run([shutil.which("promtool"), "check", "metrics"], input=body, text=True, capture_output=True)
    check("promtool check metrics", (lint.returncode, lint.stdout + lint.stderr), (0, ""))


def metrics(stack, truths):
    """The bots' own metrics: each writer's series, whatever protocol, temporality and language it came in."""
    def by_job(name, kind, expression, labels=()):
        wanted = {}
        for truth in truths:
            for key, value in expected([truth], kind, labels).items():
                wanted[tuple(sorted((*key, ("job", truth["service"]))))] = value
        check(name, stack.query(f"sum by ({', '.join(('job', *labels))}) ({expression})"), wanted)

    by_job("metrics: counters", "items", "bot_work_items_total", ("kind",))
    by_job("metrics: up-down counters", "queue", "bot_work_queue")
    for part, expression in [("count", "bot_work_duration_seconds_count"), ("sum", "bot_work_duration_seconds_sum"),
                             ("le1", 'bot_work_duration_seconds_bucket{le="1.0"}')]:
        wanted = {(("job", truth["service"]),): float(truth["counts"][f"work/{part}"]) for truth in truths}
        check(f"metrics: histograms: {part}", stack.query(f"sum by (job) ({expression})"), wanted)


def sizes(stack, truths, native):
    """The exponential histograms: native where Prometheus takes them, else in classic buckets."""
    def wanted(value):
        return {(("job", truth["service"]),): float(value(truth["sizes"])) for truth in truths}

    name = "bot_work_size_bytes"
    count, total = (f"histogram_count({name})", f"histogram_sum({name})") if native else (f"{name}_count", f"{name}_sum")
    check("metrics: exponential histograms: count", stack.query(f"sum by (job) ({count})"), wanted(len))
    check("metrics: exponential histograms: sum", stack.query(f"sum by (job) ({total})"), wanted(sum))
    if not native:
        return
    for rank in (0.5, 0.9):
        got = stack.query(f"histogram_quantile({rank}, sum by (job) ({name}))")
        true = wanted(lambda all: sorted(all)[int(rank * len(all)) - 1])
        # The SDKs keep 160 buckets: 16 to a doubling here, 4 % each; and a rank may fall between two values.
        near = {job: abs(got.get(job, 0) / value - 1) < 0.08 for job, value in true.items()}
        check(f"histogram_quantile({rank}) of native histograms", (near, len(got)), (dict.fromkeys(true, True), len(true)))


def exemplars(stack, truths):
    """Exemplars lead from a number to a trace that was sent."""
    sent = {trace for truth in truths for trace in truth["ids"]}
    for name in ("bot_interactions_total", "bot_interaction_duration_seconds_bucket"):
        found = stack.exemplars(name)
        foreign = [labels for labels, _ in found if labels.get("trace_id") not in sent]
        check(f"exemplars of {name}", (bool(found), foreign), (True, []))
    durations = [value for _, value in stack.exemplars("bot_interaction_duration_seconds_bucket")]
    check("exemplars hold what was observed", [value for value in durations if not 1 <= value <= 50], [])

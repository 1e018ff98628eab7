"""Scenarios of metrics from spans and logs: requests, limits, resends, scrapers, and ends of the process."""

import signal
import time

from otlp import logs, spans
from scenario import scenario

CALLS = "traces_span_metrics_calls_total"
ANSWERS = "bot_answers_total"
PACK = "use: [span_metrics]\n"


def calls(side, truth, **labels):
    return side.wait_for_value(lambda: side.total(CALLS, **labels), truth)


@scenario("L1", "One span, default settings: count on `/metrics` within 12 s", 1, ours=PACK, collector={"flush": "60s"})
def first_span(side):
    side.send(spans(1))
    return calls(side, 1)


@scenario("B2", "One request has 500 spans with 36 KiB of text each (17.6 MiB): spans counted", 500, ours=PACK)
def large_request(side):
    side.send(spans(500, messages="x" * 36 * 1024))
    return calls(side, 500)


@scenario("P1", "One request has 1,000 spans that were sampled with probability 0.4: spans counted", 2500, ours=PACK)
def sampling_weights(side):
    side.send(spans(1000, tracestate="ot=th:9999999999999a"))
    return calls(side, 2500)


LIMITED = f"""
metrics:
  {CALLS}:
    help: Spans.
    type: counter
    from: span
    labels:
      span_name: {{from: name, limit: 10}}
      status_code: {{from: status, map: {{error: STATUS_CODE_ERROR}}}}
"""


@scenario("C1", "20 of 100 spans with different names are errors, at most 10 names have label sets: errors counted", 20, ours=LIMITED,
          collector={"cardinality": 10})
def errors_over_the_limit(side):
    for number in range(100):
        side.send(spans(1, f"name {number}", first=1 + number, failed=number % 5 == 4))
    return calls(side, 20, status_code="STATUS_CODE_ERROR")


@scenario("D4", "A batch of 5 spans is resent after 12 s (as after 12 min: deduplication for 60 s instead of 1 h): spans counted", 5,
          ours=PACK + "limits: {dedupe: {window: 60s}}\n")
def late_resend(side):
    request = spans(5)
    side.send(request)
    calls(side, 5)
    time.sleep(12)
    side.send(request)
    return calls(side, 5)


@scenario("D3", "A batch of 5 log records is resent: records counted", 5, limit="log records have no identity", collector=None,
          ours=f"metrics: {{{ANSWERS}: {{help: Answers., type: counter, from: log}}}}\n")
def resent_logs(side):
    request = logs(5)
    for _ in range(2):
        side.send(request)
        value = side.wait_for_value(lambda: side.total(ANSWERS), 5)
    return value


@scenario("F5", "Two Prometheus servers with one address scrape 4 spans: `increase()` of each", (4, 4), ours=PACK)
def two_scrapers(side):
    servers = [side.add_prometheus(), side.add_prometheus()]
    side.send(spans(4))
    return side.wait_for_value(lambda: tuple(server.increase(CALLS) for server in servers), (4, 4))


SNAPSHOTS = PACK + "state: {interval: 500ms}\n"


def increase_over_a_kill(side, delay):
    """15 spans, a scrape, 7 spans, `delay` seconds, SIGKILL, a start, 3 spans."""
    server = side.add_prometheus("5s")
    side.send(spans(15))
    side.wait_for_value(lambda: server.value(f"sum({CALLS})"), 15)
    last_scrape = server.last_scrape()
    while server.last_scrape() == last_scrape:
        time.sleep(0.05)
    side.send(spans(7, first=101))
    time.sleep(delay)
    side.end(signal.SIGKILL)
    side.start()
    side.send(spans(3, first=201))
    return side.wait_for_value(lambda: server.increase(CALLS), 25)


@scenario("G3", "15 spans are scraped, 7 more are in a snapshot, `kill -9`, 3 spans after the restart: `increase()`", 25, ours=SNAPSHOTS)
def kill_after_a_snapshot(side):
    return increase_over_a_kill(side, 2)


@scenario("G3, at once", "The same, killed before the snapshot: `increase()`", 25, ours=SNAPSHOTS, limit="lost: what came after the last scrape and snapshot")
def kill_before_a_snapshot(side):
    return increase_over_a_kill(side, 0)


@scenario("G2", "15 spans are scraped, 7 more arrive right before SIGTERM: last value in Prometheus", 22,
          ours=PACK + "server: {web: {linger: 5s}}\n")
def clean_end(side):
    server = side.add_prometheus()
    side.send(spans(15))
    calls(side, 15)
    side.send(spans(7, first=101))
    side.end()
    return side.wait_for_value(lambda: server.value(f"sum(max_over_time({CALLS}[5m]))"), 22)

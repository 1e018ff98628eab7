"""Scenarios of passed-through points: metrics that senders aggregated themselves."""

import uuid

from otlp import SECOND, ago, counter, gauge, metrics, point, up_down
from scenario import scenario

STEPS, STEPS_TOTAL = "bot.steps", "bot_steps_total"
BUSY = "bot_busy"
# By default both sides expire gauges after 5 minutes.
SHORT_EXPIRY = {"ours": "datapoints: {stale: 2s}\n", "collector": {"expiration": "2s"}}


def steps(*points, delta=False, **resource):
    return metrics(counter(STEPS, *points, delta=delta), **resource)


def busy(*points, **resource):
    return metrics(gauge(BUSY, *points), **resource)


def delta_windows(*windows):
    """A request for each (begin, end, amount), in this order, with times in seconds of the last minute."""
    minute = ago(60)
    return [steps(point(amount, minute + round(begin * SECOND), minute + round(end * SECOND)), delta=True)
            for begin, end, amount in windows]


def total_after(side, requests, truth, name=STEPS_TOTAL):
    for request in requests:
        side.send(request)
    return side.wait_for_value(lambda: side.total(name), truth)


@scenario("I4", "A pod reports a gauge of 7 and ends, its successor reports 3: sum of the gauge after the expiry", 3, **SHORT_EXPIRY)
def gauge_of_an_ended_pod(side):
    total_after(side, [busy(point(7), service_instance_id="first")], 7, BUSY)

    def read():
        side.send(busy(point(3), service_instance_id="second"))
        return side.total(BUSY)

    return side.wait_for_value(read, 3)


def series_after_rollouts(side, rollouts, pods):
    """Starts `pods` pods `rollouts` times, each with 50 label sets and a new instance id; the number of series of the last ones."""
    for _ in range(rollouts):
        instances = [str(uuid.uuid4()) for _ in range(pods)]
        for instance in instances:
            points = [point(1, ago(1), step=step) for step in range(50)]
            side.send(steps(*points, service_instance_id=instance))
    return side.wait_for_value(lambda: sum(len(side.values(STEPS_TOTAL, instance=instance)) for instance in instances), pods * 50)


@scenario("I3", "A bot with 50 label sets and a random instance id starts 45 times: series of the last start", 50)
def restarts(side):
    return series_after_rollouts(side, 45, 1)


@scenario("I3, pods", "10 rollouts of 20 such pods: series of the last rollout", 1000)
def rollouts(side):
    return series_after_rollouts(side, 10, 20)


@scenario("W1", "Two processes with one identity report cumulative counters, in the end 12 and 22: total", 34)
def two_cumulative_writers(side):
    first, second = ago(40), ago(30)
    return total_after(side, [steps(point(value, start)) for pair in [(5, 10), (9, 17), (12, 22)]
                              for value, start in zip(pair, (first, second))], 34)


@scenario("W1, 64", "64 processes with one identity report cumulative counters of 1, then of 2: total", 128)
def many_cumulative_writers(side):
    starts = [ago(100 - number) for number in range(64)]
    return total_after(side, [steps(point(value, start)) for value in (1, 2) for start in starts], 128)


@scenario("W2", "Two processes with one identity report delta counters whose windows overlap in part or lie in one another: total", 14)
def overlapping_windows(side):
    windows = (0, 10, 1), (5, 15, 2), (10, 20, 3), (21, 24, 4), (20, 30, 1), (24, 31, 3)
    return total_after(side, delta_windows(*windows), 14)


@scenario("W2, 16", "16 processes with one identity report 5 delta windows of 1 each, all overlapping: total", 80)
def many_delta_writers(side):
    windows = [(10 * number + writer / 2, 10 * number + 10 + writer / 2, 1) for number in range(5) for writer in range(16)]
    return total_after(side, delta_windows(*windows), 80)


@scenario("W3", "Two processes with one identity report equal delta windows of 3 and 4: total", 7)
def equal_windows(side):
    return total_after(side, delta_windows((0, 10, 3), (0, 10, 4)), 7)


@scenario("W3, equal", "The same with 3 and 3: total", 6, limit="equal to a resend")
def equal_windows_and_amounts(side):
    return total_after(side, delta_windows((0, 10, 3), (0, 10, 3)), 6)


@scenario("O1", "The second of three delta windows (5, 3, 7) arrives last: total", 15)
def window_out_of_order(side):
    return total_after(side, delta_windows((0, 10, 5), (20, 30, 7), (10, 20, 3)), 15)


@scenario("M1", "A delta up-down counter reports +5, -2, +4: value", 7)
def delta_up_down(side):
    times = [ago(seconds) for seconds in (40, 30, 20, 10)]
    return total_after(side, [metrics(up_down(BUSY, point(change, begin, end), delta=True))
                              for begin, end, change in zip(times, times[1:], (5, -2, 4))], 7, BUSY)


@scenario("M4", "Two processes with one identity report up-down counters of 2 and 5: value", 7)
def two_up_down_writers(side):
    starts = {ago(40): 2, ago(30): 5}

    def read():
        for start, value in starts.items():
            side.send(metrics(up_down(BUSY, point(value, start))))
        return side.total(BUSY)

    return side.wait_for_value(read, 7)


@scenario("M4, clock", "The same, the second process with a clock 1 h ahead: value", 7)
def two_up_down_writers_and_a_clock_ahead(side):
    starts = {ago(40): (2, 0), ago(-3580): (5, -3600)}

    def read():
        for start, (value, age) in starts.items():
            side.send(metrics(up_down(BUSY, point(value, start, ago(age)))))
        return side.total(BUSY)

    return side.wait_for_value(read, 7)


@scenario("K2", "A cumulative counter reports 5 with a clock 1 h ahead, then 12 with the right time: total", 12)
def clock_ahead(side):
    start = ago(60)
    return total_after(side, [steps(point(5, start, ago(-3600))), steps(point(12, start))], 12)


@scenario("R1", "A cumulative counter reports 100, restarts and reports 120 between two scrapes: `increase()` from then on", 120)
def overtaking_restart(side):
    server = side.add_prometheus()
    side.send(steps(point(100, ago(60))))
    side.wait_for_value(lambda: server.value(f"sum({STEPS_TOTAL})"), 100)
    side.send(steps(point(120, ago(0))))
    return side.wait_for_value(lambda: server.increase(STEPS_TOTAL), 120)


@scenario("C3", "One process reports a counter with 2,500 label sets: total", 2500)
def counter_with_many_sets(side):
    start = ago(60)
    return total_after(side, [steps(*(point(1, start, step=step) for step in range(2500)))], 2500)


@scenario("C2", "25 processes report a gauge with 100 label sets each: series", 2500)
def gauges_of_many(side):
    for process in range(25):
        side.send(busy(*(point(1, room=room) for room in range(100)), service_instance_id=process))
    return side.wait_for_value(lambda: len(side.values(BUSY)), 2500)


@scenario("C2, one", "One process reports a gauge with 2,500 label sets: series", 2500, limit="`limits.series_per_metric`: 2,000")
def gauges_of_one(side):
    side.send(busy(*(point(1, room=room) for room in range(2500))))
    return side.wait_for_value(lambda: len(side.values(BUSY)), 2500)


@scenario("E1", "A point has the attributes `a.b` = x and `a_b` = y: value of the label `a_b`", "x;y")
def equal_label_names(side):
    side.send(steps(point(1, ago(60), **{"a.b": "x", "a_b": "y"})))
    return side.wait_for_value(lambda: next((labels.get("a_b") for labels, _ in side.values(STEPS_TOTAL)), None), "x;y")


@scenario("E3", "Label values of three gauges (1, 2, 3) differ only after 300 characters: series, sum", (3, 6))
def long_label_values(side):
    side.send(busy(*(point(value, question="why " * 75 + str(value)) for value in (1, 2, 3))))
    return side.wait_for_value(lambda: (len(side.values(BUSY)), side.total(BUSY)), (3, 6))


@scenario("F2", "A delta counter reports 4, its first increments, between two scrapes: `increase()`", 4)
def first_increments(side):
    server = side.add_prometheus()
    side.send(steps(point(4, ago(10), ago(0)), delta=True))
    return side.wait_for_value(lambda: server.increase(STEPS_TOTAL), 4)

"""OTLP requests as JSON, built from few words."""

import time

SECOND = 10**9
CUMULATIVE, DELTA = 2, 1


def ago(seconds):
    """That long before now, in nanoseconds of the Unix epoch; negative: in the future."""
    return time.time_ns() - round(seconds * SECOND)


def attributes(values):
    return [{"key": key, "value": {"stringValue": str(value)}} for key, value in values.items()]


def point(value, start=0, end=None, **labels):
    """A number; without `end` it is of now."""
    return {"asInt": str(value), "startTimeUnixNano": str(start), "timeUnixNano": str(end or ago(0)), "attributes": attributes(labels)}


def counter(name, *points, delta=False, monotonic=True):
    temporality = DELTA if delta else CUMULATIVE
    return {"name": name, "sum": {"aggregationTemporality": temporality, "isMonotonic": monotonic, "dataPoints": list(points)}}


def up_down(name, *points, delta=False):
    return counter(name, *points, delta=delta, monotonic=False)


def gauge(name, *points):
    return {"name": name, "gauge": {"dataPoints": list(points)}}


def metrics(*families, **resource):
    """A request of a resource; `service_instance_id="a"` is the attribute `service.instance.id`."""
    return {"resourceMetrics": [{"resource": of(resource), "scopeMetrics": [{"scope": {"name": "bot"}, "metrics": list(families)}]}]}


def spans(count, name="answer", first=1, failed=False, tracestate="", **texts):
    """A request of spans with ids that count up from `first`, all of 100 ms."""
    return traces([{
        "traceId": f"{number:032x}", "spanId": f"{number:016x}", "name": name, "kind": 2, "traceState": tracestate,
        "startTimeUnixNano": str(ago(0.1)), "endTimeUnixNano": str(ago(0)), "attributes": attributes(texts),
        "status": {"code": 2} if failed else {},
    } for number in range(first, first + count)])


def traces(items):
    return {"resourceSpans": [{"resource": of({}), "scopeSpans": [{"spans": items}]}]}


def logs(count):
    records = [{"timeUnixNano": str(ago(0)), "body": {"stringValue": f"answer {number}"}} for number in range(count)]
    return {"resourceLogs": [{"resource": of({}), "scopeLogs": [{"logRecords": records}]}]}


def of(resource):
    given = {key.replace("_", "."): value for key, value in resource.items()}
    return {"attributes": attributes({"service.name": "bot", **given})}

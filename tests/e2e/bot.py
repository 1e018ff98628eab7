"""A small bot on the OpenTelemetry SDK for Python: sends interactions, model calls, tools, events and metrics, and prints what it sent.

    bot.py --protocol grpc|http --temporality delta|cumulative --endpoint URL --interactions N

The truth goes to stdout as one JSON document: the service's name, counts by the labels that the series must show, the trace ids
of the interactions, and every value of the exponential histogram. `js/bot.mjs` is its twin.
"""

import argparse
import collections
import json
import time

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import (
    _log_exporter as grpc_logs, metric_exporter as grpc_metrics, trace_exporter as grpc_traces)
from opentelemetry.exporter.otlp.proto.http import (
    _log_exporter as http_logs, metric_exporter as http_metrics, trace_exporter as http_traces)
from opentelemetry.sdk import metrics as sdk
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

OUTCOMES = ["answered", "answered", "answered", "timeout", "denied", "error"]
FEATURES = ["knowledge", "jenkins.read", "metrics.build"]
TIERS = ["privileged", "limited"]
KINDS = ["read", "write"]
SECONDS = 1_000_000_000


def exporters(protocol, endpoint, temporality):
    # What only rises, by the temporality that was asked for; what also falls is cumulative always.
    asked = AggregationTemporality.DELTA if temporality == "delta" else AggregationTemporality.CUMULATIVE
    preferred = {sdk.Counter: asked, sdk.Histogram: asked}
    if protocol == "grpc":
        return (grpc_traces.OTLPSpanExporter(endpoint=endpoint, insecure=True),
                grpc_logs.OTLPLogExporter(endpoint=endpoint, insecure=True),
                grpc_metrics.OTLPMetricExporter(endpoint=endpoint, insecure=True, preferred_temporality=preferred))
    return (http_traces.OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"),
            http_logs.OTLPLogExporter(endpoint=f"{endpoint}/v1/logs"),
            http_metrics.OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", preferred_temporality=preferred))


class Bot:
    def __init__(self, service, spans, logs, points):
        resource = Resource.create({"service.name": service, "service.instance.id": "one",
                                    "deployment.environment.name": "test"})
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(BatchSpanProcessor(spans))
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(BatchLogRecordProcessor(logs))
        reader = PeriodicExportingMetricReader(points, export_interval_millis=3_600_000)
        view = View(instrument_name="bot.work.size", aggregation=ExponentialBucketHistogramAggregation())
        self.metrics = sdk.MeterProvider(resource=resource, metric_readers=[reader], views=[view])
        self.tracer = self.traces.get_tracer("bot")
        self.logger = self.logs.get_logger("bot")
        meter = self.metrics.get_meter("bot")
        self.items = meter.create_counter("bot.work.items", unit="{item}", description="Work done.")
        self.duration = meter.create_histogram("bot.work.duration", unit="s", description="How long it took.",
                                               explicit_bucket_boundaries_advisory=[0.5, 1, 2.5, 5])
        self.size = meter.create_histogram("bot.work.size", unit="By", description="How large it was.")
        self.queue = meter.create_up_down_counter("bot.work.queue", description="What waits.")
        self.truth = collections.Counter()
        self.ids, self.sizes = [], []

    def handle(self, number):
        outcome, feature = OUTCOMES[number % 6], FEATURES[number % 3]
        tier, seconds = TIERS[number % 2], 1 + number % 50
        end = time.time_ns()
        start = end - seconds * SECONDS
        attributes = {
            "bot.platform": "slack", "bot.interaction.kind": "mention", "bot.channel.type": "public",
            "bot.feature": feature, "bot.access.tier": tier, "bot.outcome": outcome,
            "user.id": f"U{number % 7}", "gen_ai.conversation.id": f"C{number % 11}",
            "gen_ai.input.messages": "my password is hunter2",
        }
        span = self.tracer.start_span(f"bot.interaction {feature}", kind=trace.SpanKind.CONSUMER,
                                      attributes=attributes, start_time=start)
        context = trace.set_span_in_context(span)
        self.ids.append(f"{span.get_span_context().trace_id:032x}")
        self.truth[f"interactions/{outcome}/{feature}/{tier}"] += 1
        if outcome != "denied":
            self.truth["durations/count"] += 1
            self.truth["durations/sum"] += seconds
            self.truth["durations/le45"] += seconds <= 45
            self.agent(context, number, start, end)
        if number % 4 == 0:
            label = "up" if number % 8 else "down"
            span.add_event("bot.feedback", {"bot.feedback.label": label}, timestamp=end)
            self.truth[f"feedback/{label}"] += 1
        span.end(end_time=end)
        if number % 5 == 0:
            self.event("bot.guardrail.intervened", {"bot.guardrail.stage": "input"})
            self.truth["guardrail/input"] += 1
        self.measure(number)

    def agent(self, parent, number, start, end):
        usage = {"gen_ai.usage.input_tokens": 100 + number, "gen_ai.usage.output_tokens": 10}
        agent = self.tracer.start_span(
            "invoke_agent oscar", context=parent, kind=trace.SpanKind.CLIENT, start_time=start,
            attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "oscar", **usage})
        inside = trace.set_span_in_context(agent)
        chat = self.tracer.start_span(
            "chat claude", context=inside, kind=trace.SpanKind.CLIENT, start_time=start,
            attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5", **usage})
        chat.end(end_time=end)
        self.truth["tokens/input"] += 100 + number
        self.truth["tokens/output"] += 10
        outcome = "ok" if number % 3 else "declared_error"
        tool = self.tracer.start_span(
            "execute_tool trigger_job", context=inside, start_time=start,
            attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "trigger_job",
                        "bot.tool.outcome": outcome})
        tool.end(end_time=end)
        self.truth[f"tools/trigger_job/{outcome}"] += 1
        agent.end(end_time=end)

    def event(self, name, attributes):
        self.logger.emit(timestamp=time.time_ns(), severity_number=SeverityNumber.INFO, event_name=name,
                         attributes=attributes)

    def measure(self, number):
        """Halves and whole numbers, so that sums are exact."""
        kind, items, seconds, size = KINDS[number % 2], 1 + number % 3, number % 8 / 2, 10 * (number + 1)
        self.items.add(items, {"kind": kind})
        self.duration.record(seconds)
        self.size.record(size)
        self.queue.add(2)
        self.queue.add(-1)
        self.truth[f"items/{kind}"] += items
        self.truth["work/count"] += 1
        self.truth["work/sum"] += seconds
        self.truth["work/le1"] += seconds <= 1
        self.truth["queue/"] += 1
        self.sizes.append(size)

    def stop(self):
        self.traces.shutdown()
        self.logs.shutdown()
        self.metrics.shutdown()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--protocol", choices=["grpc", "http"], required=True)
    parser.add_argument("--temporality", choices=["delta", "cumulative"], required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--interactions", type=int, default=60)
    options = parser.parse_args()
    service = f"python-{options.protocol}"
    bot = Bot(service, *exporters(options.protocol, options.endpoint, options.temporality))
    for number in range(options.interactions):
        bot.handle(number)
        # Two exports: what is delta must add up, what is cumulative must not.
        if number == options.interactions // 2:
            bot.metrics.force_flush()
    bot.stop()
    print(json.dumps({"service": service, "counts": bot.truth, "ids": bot.ids, "sizes": bot.sizes}, indent=1))


if __name__ == "__main__":
    main()

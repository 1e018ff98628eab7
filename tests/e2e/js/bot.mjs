// A small bot on the OpenTelemetry SDK for JavaScript, the twin of `bot.py`: sends interactions, events and metrics, and prints what it sent.
//
//     bot.mjs --protocol grpc|http|proto --temporality delta|cumulative --endpoint URL --interactions N
//
// `http` is OTLP/JSON, `proto` protobuf over HTTP. The truth goes to stdout as one JSON document.

import { parseArgs } from "node:util";

import { SpanKind, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as GrpcLogs } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as HttpLogs } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as GrpcMetrics } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { AggregationTemporalityPreference, OTLPMetricExporter as HttpMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcTraces } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const OUTCOMES = ["answered", "answered", "answered", "timeout", "denied", "error"];
const FEATURES = ["knowledge", "jenkins.read", "metrics.build"];
const TIERS = ["privileged", "limited"];
const KINDS = ["read", "write"];
const EXPORTERS = {
  grpc: [GrpcTraces, GrpcLogs, GrpcMetrics],
  http: [HttpTraces, HttpLogs, HttpMetrics],
  proto: [ProtoTraces, ProtoLogs, ProtoMetrics],
};

function exporters(protocol, endpoint, temporality) {
  const [Traces, Logs, Metrics] = EXPORTERS[protocol];
  const url = (signal) => (protocol === "grpc" ? endpoint : `${endpoint}/v1/${signal}`);
  const temporalityPreference =
    temporality === "delta" ? AggregationTemporalityPreference.DELTA : AggregationTemporalityPreference.CUMULATIVE;
  return [
    new Traces({ url: url("traces") }),
    new Logs({ url: url("logs") }),
    new Metrics({ url: url("metrics"), temporalityPreference }),
  ];
}

class Bot {
  constructor(service, [spans, records, points]) {
    const resource = resourceFromAttributes({
      "service.name": service,
      "service.instance.id": "one",
      "deployment.environment.name": "test",
    });
    this.traces = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(spans)] });
    this.logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: records })] });
    const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 });
    const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM };
    this.metrics = new MeterProvider({ resource, readers: [reader], views: [{ instrumentName: "bot.work.size", aggregation }] });
    this.tracer = this.traces.getTracer("bot");
    this.logger = this.logs.getLogger("bot");
    const meter = this.metrics.getMeter("bot");
    this.items = meter.createCounter("bot.work.items", { unit: "{item}", description: "Work done." });
    this.duration = meter.createHistogram("bot.work.duration", {
      unit: "s",
      description: "How long it took.",
      advice: { explicitBucketBoundaries: [0.5, 1, 2.5, 5] },
    });
    this.size = meter.createHistogram("bot.work.size", { unit: "By", description: "How large it was." });
    this.queue = meter.createUpDownCounter("bot.work.queue", { description: "What waits." });
    this.service = service;
    this.counts = {};
    this.ids = [];
    this.sizes = [];
  }

  count(key, value = 1) {
    this.counts[key] = (this.counts[key] ?? 0) + value;
  }

  handle(number) {
    const [outcome, feature, tier] = [OUTCOMES[number % 6], FEATURES[number % 3], TIERS[number % 2]];
    const seconds = 1 + (number % 50);
    const now = Date.now();
    const end = [Math.floor(now / 1000), (now % 1000) * 1_000_000];
    const start = [end[0] - seconds, end[1]];
    const attributes = {
      "bot.platform": "slack", "bot.interaction.kind": "mention", "bot.channel.type": "public",
      "bot.feature": feature, "bot.access.tier": tier, "bot.outcome": outcome,
      "user.id": `U${number % 7}`, "gen_ai.conversation.id": `C${number % 11}`,
      "gen_ai.input.messages": "my password is hunter2",
    };
    const span = this.tracer.startSpan(
      `bot.interaction ${feature}`, { kind: SpanKind.CONSUMER, attributes, startTime: start, root: true }, ROOT_CONTEXT);
    this.ids.push(span.spanContext().traceId);
    this.count(`interactions/${outcome}/${feature}/${tier}`);
    if (outcome !== "denied") {
      this.count("durations/count");
      this.count("durations/sum", seconds);
      this.count("durations/le45", seconds <= 45 ? 1 : 0);
      this.agent(trace.setSpan(ROOT_CONTEXT, span), number, start, end);
    }
    if (number % 4 === 0) {
      const label = number % 8 ? "up" : "down";
      span.addEvent("bot.feedback", { "bot.feedback.label": label }, end);
      this.count(`feedback/${label}`);
    }
    span.end(end);
    if (number % 5 === 0) {
      this.event("bot.guardrail.intervened", { "bot.guardrail.stage": "input" });
      this.count("guardrail/input");
    }
    this.measure(number);
  }

  agent(parent, number, start, end) {
    const usage = { "gen_ai.usage.input_tokens": 100 + number, "gen_ai.usage.output_tokens": 10 };
    const open = (name, context, kind, attributes) =>
      this.tracer.startSpan(name, { kind, attributes, startTime: start }, context);
    const agent = open("invoke_agent oscar", parent, SpanKind.CLIENT,
      { "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "oscar", ...usage });
    const inside = trace.setSpan(parent, agent);
    open("chat claude", inside, SpanKind.CLIENT,
      { "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5", ...usage }).end(end);
    this.count("tokens/input", 100 + number);
    this.count("tokens/output", 10);
    const outcome = number % 3 ? "ok" : "declared_error";
    open("execute_tool trigger_job", inside, SpanKind.INTERNAL,
      { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "trigger_job", "bot.tool.outcome": outcome }).end(end);
    this.count(`tools/trigger_job/${outcome}`);
    agent.end(end);
  }

  event(eventName, attributes) {
    this.logger.emit({ eventName, attributes, severityNumber: SeverityNumber.INFO, timestamp: Date.now() });
  }

  // Halves and whole numbers, so that sums are exact.
  measure(number) {
    const [kind, items, seconds, bytes] = [KINDS[number % 2], 1 + (number % 3), (number % 8) / 2, 10 * (number + 1)];
    this.items.add(items, { kind });
    this.duration.record(seconds);
    this.size.record(bytes);
    this.queue.add(2);
    this.queue.add(-1);
    this.count(`items/${kind}`, items);
    this.count("work/count");
    this.count("work/sum", seconds);
    this.count("work/le1", seconds <= 1 ? 1 : 0);
    this.count("queue/", 1);
    this.sizes.push(bytes);
  }

  async stop() {
    await Promise.all([this.traces.shutdown(), this.logs.shutdown(), this.metrics.shutdown()]);
  }
}

const { values } = parseArgs({
  options: {
    protocol: { type: "string" },
    temporality: { type: "string" },
    endpoint: { type: "string" },
    interactions: { type: "string", default: "60" },
  },
});
const bot = new Bot(`js-${values.protocol}`, exporters(values.protocol, values.endpoint, values.temporality));
const interactions = Number(values.interactions);
for (let number = 0; number < interactions; number += 1) {
  bot.handle(number);
  // Two exports: what is delta must add up, what is cumulative must not.
  if (number === interactions >> 1) await bot.metrics.forceFlush();
}
await bot.stop();
const { service, counts, ids, sizes } = bot;
console.log(JSON.stringify({ service, counts, ids, sizes }, null, 1));

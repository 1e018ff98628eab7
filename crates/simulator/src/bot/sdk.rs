//! The OpenTelemetry SDK as a bot would set it up, fed with spans whose times are over.
//!
//! What is simulated is built by the SDK's own API with explicit times, because `tracing` spans measure themselves and cannot be
//! backdated. What the bot really does is traced as a Rust bot would: `tracing` spans through `tracing-opentelemetry`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer,
    TracerProvider,
};
use opentelemetry::{Array, Context, KeyValue, StringValue, Value as SdkValue};
use opentelemetry_otlp::{ExporterBuildError, LogExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{self, BatchLogProcessor, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{self, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider};

use tracing_subscriber::layer::SubscriberExt;

use super::super::TrafficError;
use super::super::story::{self, Event, Kind, Span, Trace, Value};
use super::super::truth::Sent;
use super::export::{Counted, Tally};
use super::shift;
use engine::limits;

/// For one export; the bot waits for the receiver no longer than that.
const EXPORT: Duration = Duration::from_secs(5);
/// How long a span waits for company.
const DELAY: Duration = Duration::from_millis(300);

/// What became of all that was sent, whatever the bot's version.
#[derive(Clone, Default)]
pub(super) struct Tallies {
    spans: Arc<Tally>,
    logs: Arc<Tally>,
}

/// One version of the bot.
pub(super) struct Sdk {
    tracers: SdkTracerProvider,
    loggers: SdkLoggerProvider,
    tracer: SdkTracer,
    logger: SdkLogger,
}

impl Tallies {
    /// What became of so many spans.
    pub(super) fn spans(&self, made: u64) -> Sent {
        let (exported, failed) = self.spans.read();
        Sent { made, exported, failed }
    }

    /// What became of so many log records.
    pub(super) fn log_records(&self, made: u64) -> Sent {
        let (exported, failed) = self.logs.read();
        Sent { made, exported, failed }
    }
}

impl Sdk {
    /// Sets everything up; must be called on a runtime, whose reactor the exporters use.
    pub(super) fn new(
        endpoint: &str,
        version: &'static str,
        tallies: &Tallies,
    ) -> Result<Self, TrafficError> {
        let target = |why: ExporterBuildError| TrafficError::Target {
            target: endpoint.to_owned(),
            why: why.to_string(),
        };
        let Tallies { spans, logs } = tallies.clone();
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
        let exporter = exporter.with_timeout(EXPORT).build().map_err(target)?;
        let tracers = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(resource(version))
            .with_span_processor(span_processor(Counted { exporter, tally: spans }))
            .build();
        let exporter = LogExporter::builder().with_tonic().with_endpoint(endpoint);
        let exporter = exporter.with_timeout(EXPORT).build().map_err(target)?;
        let loggers = SdkLoggerProvider::builder()
            .with_resource(resource(version))
            .with_log_processor(log_processor(Counted { exporter, tally: logs }))
            .build();
        let (tracer, logger) = (tracers.tracer(story::SCOPE), loggers.logger(story::SCOPE));
        Ok(Self { tracers, loggers, tracer, logger })
    }

    /// Does the bot's own start-up work, in a span that measures it.
    pub(super) fn load_config<T>(&self, work: impl FnOnce() -> T) -> T {
        let layer = tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(
                "bot.config.load",
                bot.config.source = "embedded",
                bot.config.cache_hit = false
            );
            span.in_scope(work)
        })
    }

    /// Sends a trace that began at `begin`; the context of its root, for those who follow it.
    pub(super) fn send(
        &self,
        trace: &Trace,
        begin: SystemTime,
        follows: Option<SpanContext>,
    ) -> Option<SpanContext> {
        let mut contexts: Vec<Context> = Vec::with_capacity(trace.spans.len());
        for span in &trace.spans {
            let parent = span.parent.and_then(|at| contexts.get(at).cloned()).unwrap_or_default();
            let follows = follows.clone().filter(|_| follow(span));
            let mut sdk = self.tracer.build_with_context(builder(span, begin, follows), &parent);
            for event in &span.events {
                let at = shift(begin, event.at);
                sdk.add_event_with_timestamp(event.name, at, pairs(&event.attributes));
            }
            if let Some(error) = span.error {
                sdk.set_status(Status::error(error));
            }
            let context = sdk.span_context().clone();
            sdk.end_with_timestamp(shift(begin, span.end));
            contexts.push(Context::new().with_remote_span_context(context));
        }
        for log in &trace.logs {
            let context =
                contexts.get(log.span).map(|context| context.span().span_context().clone());
            self.log(log, begin, context);
        }
        contexts.first().map(|context| context.span().span_context().clone())
    }

    fn log(&self, log: &Event, begin: SystemTime, context: Option<SpanContext>) {
        let mut record = self.logger.create_log_record();
        let severity = if log.warning { Severity::Warn } else { Severity::Info };
        record.set_event_name(log.name);
        record.set_timestamp(shift(begin, log.at));
        record.set_severity_number(severity);
        record.set_severity_text(severity.name());
        record.set_body(AnyValue::from(log.name));
        for (key, value) in &log.attributes {
            record.add_attribute(*key, any(value));
        }
        if let Some(context) = context {
            let flags = Some(context.trace_flags());
            record.set_trace_context(context.trace_id(), context.span_id(), flags);
        }
        self.logger.emit(record);
    }

    /// Sends what is left. An endpoint that is away makes this end in failed exports, not in an error.
    pub(super) async fn shutdown(&self) -> Result<(), TrafficError> {
        let (tracers, loggers) = (self.tracers.clone(), self.loggers.clone());
        let ended = tokio::task::spawn_blocking(move || {
            for result in [tracers.shutdown(), loggers.shutdown()] {
                if let Err(error) = result {
                    tracing::warn!(%error, "the simulated bot could not send all it had");
                }
            }
        });
        ended.await.map_err(|why| TrafficError::Sdk(why.to_string()))
    }
}

fn resource(version: &'static str) -> Resource {
    let attributes = story::resource(version).map(|(key, value)| KeyValue::new(key, value));
    Resource::builder().with_attributes(attributes).build()
}

fn span_processor(exporter: Counted<SpanExporter>) -> BatchSpanProcessor {
    let config = trace::BatchConfigBuilder::default()
        .with_max_queue_size(2 * limits::BOT_PENDING)
        .with_scheduled_delay(DELAY)
        .build();
    BatchSpanProcessor::builder(exporter).with_batch_config(config).build()
}

fn log_processor(exporter: Counted<LogExporter>) -> BatchLogProcessor {
    let config = logs::BatchConfigBuilder::default()
        .with_max_queue_size(2 * limits::BOT_PENDING)
        .with_scheduled_delay(DELAY)
        .build();
    BatchLogProcessor::builder(exporter).with_batch_config(config).build()
}

/// Which span of a following trace has the link: the wait for approval, or a job.
fn follow(span: &Span) -> bool {
    span.name == "bot.approval.wait" || span.name.starts_with("bot.job ")
}

fn builder(span: &Span, begin: SystemTime, follows: Option<SpanContext>) -> SpanBuilder {
    let kind = match span.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Producer => SpanKind::Producer,
        Kind::Consumer => SpanKind::Consumer,
    };
    let builder = SpanBuilder::from_name(span.name.clone())
        .with_kind(kind)
        .with_start_time(shift(begin, span.start))
        .with_attributes(pairs(&span.attributes));
    match follows {
        Some(context) => builder.with_links(vec![Link::with_context(context)]),
        None => builder,
    }
}

fn pairs(attributes: &[(&'static str, Value)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| KeyValue::new(*key, sdk(value))).collect()
}

fn sdk(value: &Value) -> SdkValue {
    match value {
        Value::Int(number) => SdkValue::I64(*number),
        Value::Bool(truth) => SdkValue::Bool(*truth),
        Value::Texts(texts) => {
            let texts = texts.iter().map(|text| StringValue::from(*text)).collect();
            SdkValue::Array(Array::String(texts))
        }
        Value::Text(_) | Value::Person(_) | Value::Conversation(_) => {
            SdkValue::String(value.to_string().into())
        }
    }
}

fn any(value: &Value) -> AnyValue {
    match value {
        Value::Int(number) => AnyValue::Int(*number),
        Value::Bool(truth) => AnyValue::Boolean(*truth),
        _ => AnyValue::String(value.to_string().into()),
    }
}

//! Builders of OTLP protobuf, on the messages of `opentelemetry-proto`.

use engine::pipeline::{Encoding, Outcome, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

/// A text attribute.
pub fn text(key: &str, value: impl Into<String>) -> KeyValue {
    let value = Some(any_value::Value::StringValue(value.into()));
    KeyValue { key: key.into(), value: Some(AnyValue { value }), ..KeyValue::default() }
}

/// A request of spans, of a resource and a scope without attributes.
pub fn traces(spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// A request of log records, of a resource and a scope without attributes.
pub fn logs(log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }.encode_to_vec()
}

/// A request of metrics by name and data, of a resource with these attributes.
pub fn metrics(resource: Vec<KeyValue>, all: Vec<(&str, Data)>) -> Vec<u8> {
    let metric = |(name, data): (&str, Data)| Metric {
        name: name.into(),
        data: Some(data),
        ..Metric::default()
    };
    let metrics = all.into_iter().map(metric).collect();
    let resource = Some(Resource { attributes: resource, ..Resource::default() });
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics =
        vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

/// Hands one request to a pipeline, which must not refuse it.
pub fn ingest(pipeline: &Pipeline, signal: Signal, body: &[u8], now: Timestamp) -> Outcome {
    crate::ingest(pipeline, (signal, Encoding::Protobuf), body, now)
}

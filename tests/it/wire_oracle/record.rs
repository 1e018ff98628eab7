//! The calls of a walk as owned values, and the calls a decoded request should make.

mod metrics;

use engine::view::{
    Data, LogRecord, Metric, Origin, Point, Span, SpanEvent, SpanKind, Status, Value, Visitor,
    write_double,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::{logs, trace};
use serde_json::Value as Json;

pub use metrics::metric_calls;
use metrics::{Measured, Sampled};

/// A value, its doubles by their bits and what nests as JSON.
#[derive(Debug, PartialEq)]
pub enum Told {
    Empty,
    Text(Vec<u8>),
    Bool(bool),
    Int(i64),
    Double(u64),
    Bytes(Vec<u8>),
    Nested(Json),
}

/// One call.
#[derive(Debug, PartialEq)]
pub enum Call {
    Resource,
    Scope { name: Vec<u8>, version: Vec<u8> },
    Schema(Vec<u8>),
    Attribute { origin: Origin, key: Vec<u8>, value: Told },
    Span { bytes: [Vec<u8>; 5], kind: SpanKind, times: [u64; 2], status: Status },
    Event { name: Vec<u8>, time: u64 },
    Log { bytes: [Vec<u8>; 4], times: [u64; 2], severity: i32, body: Told },
    Metric { texts: [Vec<u8>; 3], data: Data },
    Point { metric: Vec<u8>, times: [u64; 2], flags: u32, value: Measured, exemplars: Vec<Sampled> },
}

/// Keeps every call.
#[derive(Default)]
pub struct Recorder(pub Vec<Call>);

fn told(value: Value<'_>) -> Told {
    match value {
        Value::Empty => Told::Empty,
        Value::Text(text) => Told::Text(text.into()),
        Value::Bool(value) => Told::Bool(value),
        Value::Int(value) => Told::Int(value),
        Value::Double(value) => Told::Double(value.to_bits()),
        Value::Bytes(bytes) => Told::Bytes(bytes.into()),
        Value::Nested(nested) => {
            let mut text = String::new();
            (nested.write_json)(nested.bytes, &mut text);
            // What is no JSON is no list or map either, and fails the comparison.
            Told::Nested(serde_json::from_str(&text).unwrap_or(Json::String(text)))
        }
    }
}

impl<'a> Visitor<'a> for Recorder {
    fn resource(&mut self) {
        self.0.push(Call::Resource);
    }

    fn scope(&mut self, name: &'a [u8], version: &'a [u8]) {
        self.0.push(Call::Scope { name: name.into(), version: version.into() });
    }

    fn schema(&mut self, url: &'a [u8]) {
        self.0.push(Call::Schema(url.into()));
    }

    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        self.0.push(Call::Attribute { origin, key: key.into(), value: told(value) });
    }

    fn span(&mut self, span: &Span<'a>) {
        let bytes = [
            span.trace_id.into(),
            span.span_id.into(),
            span.parent_span_id.into(),
            span.trace_state.into(),
            span.name.into(),
        ];
        let times = [span.start.0, span.end.0];
        self.0.push(Call::Span { bytes, kind: span.kind, times, status: span.status });
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        self.0.push(Call::Event { name: event.name.into(), time: event.time.0 });
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        let bytes = [
            record.trace_id.into(),
            record.span_id.into(),
            record.event_name.into(),
            record.severity_text.into(),
        ];
        let times = [record.time.0, record.observed.0];
        let severity = record.severity_number;
        self.0.push(Call::Log { bytes, times, severity, body: told(record.body) });
    }

    fn metric(&mut self, metric: &Metric<'a>) {
        let texts = [metric.name, metric.description, metric.unit].map(Vec::from);
        self.0.push(Call::Metric { texts, data: metric.data });
    }

    fn point(&mut self, metric: &Metric<'a>, point: &Point<'a>) {
        self.0.push(Call::Point {
            metric: metric.name.into(),
            times: [point.start.0, point.time.0],
            flags: point.flags,
            value: Measured::told(point.value),
            exemplars: point.exemplars.iter().map(Sampled::told).collect(),
        });
    }
}

/// The calls a decoded trace request should make.
pub fn trace_calls(request: &ExportTraceServiceRequest) -> Vec<Call> {
    let mut calls = Vec::new();
    for resource in &request.resource_spans {
        resource_calls(resource.resource.as_ref(), &mut calls);
        for scope in &resource.scope_spans {
            scope_calls(scope.scope.as_ref(), &scope.schema_url, &mut calls);
            for span in &scope.spans {
                span_calls(span, &mut calls);
            }
        }
    }
    calls
}

/// The calls a decoded log request should make.
pub fn log_calls(request: &ExportLogsServiceRequest) -> Vec<Call> {
    let mut calls = Vec::new();
    for resource in &request.resource_logs {
        resource_calls(resource.resource.as_ref(), &mut calls);
        for scope in &resource.scope_logs {
            scope_calls(scope.scope.as_ref(), &scope.schema_url, &mut calls);
            for record in &scope.log_records {
                record_calls(record, &mut calls);
            }
        }
    }
    calls
}

fn resource_calls(resource: Option<&Resource>, calls: &mut Vec<Call>) {
    calls.push(Call::Resource);
    let attributes = resource.map(|resource| &*resource.attributes).unwrap_or_default();
    attribute_calls(Origin::Resource, attributes, calls);
}

fn scope_calls(scope: Option<&InstrumentationScope>, schema_url: &str, calls: &mut Vec<Call>) {
    let scope = scope.cloned().unwrap_or_default();
    calls.push(Call::Scope { name: scope.name.into(), version: scope.version.into() });
    if !schema_url.is_empty() {
        calls.push(Call::Schema(schema_url.into()));
    }
    attribute_calls(Origin::Scope, &scope.attributes, calls);
}

fn span_calls(span: &trace::v1::Span, calls: &mut Vec<Call>) {
    attribute_calls(Origin::Span, &span.attributes, calls);
    calls.push(Call::Span {
        bytes: [
            span.trace_id.clone(),
            span.span_id.clone(),
            span.parent_span_id.clone(),
            span.trace_state.clone().into(),
            span.name.clone().into(),
        ],
        kind: match span.kind {
            1 => SpanKind::Internal,
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Unspecified,
        },
        times: [span.start_time_unix_nano, span.end_time_unix_nano],
        status: match span.status.as_ref().map(|status| status.code) {
            Some(1) => Status::Ok,
            Some(2) => Status::Error,
            _ => Status::Unset,
        },
    });
    for event in &span.events {
        attribute_calls(Origin::Event, &event.attributes, calls);
        calls.push(Call::Event { name: event.name.clone().into(), time: event.time_unix_nano });
    }
}

fn record_calls(record: &logs::v1::LogRecord, calls: &mut Vec<Call>) {
    attribute_calls(Origin::Log, &record.attributes, calls);
    calls.push(Call::Log {
        bytes: [
            record.trace_id.clone(),
            record.span_id.clone(),
            record.event_name.clone().into(),
            record.severity_text.clone().into(),
        ],
        times: [record.time_unix_nano, record.observed_time_unix_nano],
        severity: record.severity_number,
        body: expected(record.body.as_ref()),
    });
}

fn attribute_calls(origin: Origin, attributes: &[KeyValue], calls: &mut Vec<Call>) {
    calls.extend(attributes.iter().map(|attribute| Call::Attribute {
        origin,
        key: attribute.key.clone().into(),
        value: expected(attribute.value.as_ref()),
    }));
}

fn expected(value: Option<&AnyValue>) -> Told {
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Kind::StringValueStrindex(_)) => Told::Empty,
        Some(Kind::StringValue(text)) => Told::Text(text.clone().into()),
        Some(Kind::BoolValue(value)) => Told::Bool(*value),
        Some(Kind::IntValue(value)) => Told::Int(*value),
        Some(Kind::DoubleValue(value)) => Told::Double(value.to_bits()),
        Some(Kind::BytesValue(bytes)) => Told::Bytes(bytes.clone()),
        Some(Kind::ArrayValue(_) | Kind::KvlistValue(_)) => Told::Nested(json(value)),
    }
}

fn json(value: Option<&AnyValue>) -> Json {
    use base64::Engine;
    match value.and_then(|value| value.value.as_ref()) {
        None | Some(Kind::StringValueStrindex(_)) => Json::Null,
        Some(Kind::StringValue(text)) => text.as_str().into(),
        Some(Kind::BoolValue(value)) => (*value).into(),
        Some(Kind::IntValue(value)) => (*value).into(),
        Some(Kind::DoubleValue(value)) => {
            let mut text = String::new();
            write_double(*value, &mut text);
            serde_json::from_str(&text).unwrap_or(Json::String(text))
        }
        Some(Kind::BytesValue(bytes)) => {
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        Some(Kind::ArrayValue(list)) => list.values.iter().map(|value| json(Some(value))).collect(),
        Some(Kind::KvlistValue(map)) => {
            let entries =
                map.values.iter().map(|entry| (entry.key.clone(), json(entry.value.as_ref())));
            Json::Object(entries.collect())
        }
    }
}

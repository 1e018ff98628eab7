//! Builders of OTLP/JSON. Attributes are built first, by [`attributes`] or [`texts`], and passed on as they are.

use engine::pipeline::{Encoding, Outcome, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::{Value, json};

/// Attributes from an object: texts, booleans, integers and doubles.
pub fn attributes(pairs: Value) -> Value {
    let Value::Object(pairs) = pairs else { panic!("not an object: {pairs}") };
    let value = |value: Value| match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(yes) => json!({"boolValue": yes}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        other => panic!("not an attribute: {other}"),
    };
    pairs.into_iter().map(|(key, one)| json!({"key": key, "value": value(one)})).collect()
}

/// Attributes that are all texts, in this order.
pub fn texts(pairs: &[(&str, &str)]) -> Value {
    let pair = |(key, value): &(&str, &str)| json!({"key": key, "value": {"stringValue": value}});
    pairs.iter().map(pair).collect()
}

/// This object with further fields.
pub fn with(mut object: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("not an object: {fields}") };
    fields.into_iter().for_each(|(key, value)| object[key] = value);
    object
}

/// A span: its name, the numbers of its trace and of itself, the nanoseconds of its start and end, and its attributes.
pub fn span(
    name: &str,
    (trace, id): (u64, u64),
    (start, end): (u64, u64),
    attributes: Value,
) -> Value {
    json!({
        "traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}"), "name": name,
        "startTimeUnixNano": start.to_string(), "endTimeUnixNano": end.to_string(), "attributes": attributes,
    })
}

/// A span event at this nanosecond.
pub fn event(name: &str, time: u64, attributes: Value) -> Value {
    json!({"name": name, "timeUnixNano": time.to_string(), "attributes": attributes})
}

/// A log record of this event name at this nanosecond.
pub fn log(name: &str, time: u64, attributes: Value) -> Value {
    json!({"eventName": name, "timeUnixNano": time.to_string(), "attributes": attributes})
}

/// A number point: the nanoseconds of its start and time, and its value.
pub fn point((start, time): (u64, u64), value: f64, attributes: Value) -> Value {
    json!({
        "startTimeUnixNano": start.to_string(), "timeUnixNano": time.to_string(),
        "asDouble": value, "attributes": attributes,
    })
}

/// A gauge metric.
pub fn gauge(name: &str, points: &[Value]) -> Value {
    json!({"name": name, "gauge": {"dataPoints": points}})
}

/// A monotonic sum metric; temporality 1 is delta, 2 cumulative.
pub fn sum(name: &str, temporality: u8, points: &[Value]) -> Value {
    json!({"name": name, "sum": {"aggregationTemporality": temporality, "isMonotonic": true, "dataPoints": points}})
}

/// A histogram metric; temporality 1 is delta, 2 cumulative.
pub fn histogram(name: &str, temporality: u8, points: &[Value]) -> Value {
    json!({"name": name, "histogram": {"aggregationTemporality": temporality, "dataPoints": points}})
}

/// A request of spans of one bot: `service.name` is `bot`, `service.instance.id` is `i1`, the scope is `lib`.
pub fn traces(spans: &[Value]) -> Value {
    request("resourceSpans", "scopeSpans", "spans", spans)
}

/// A request of log records of the same bot.
pub fn logs(records: &[Value]) -> Value {
    request("resourceLogs", "scopeLogs", "logRecords", records)
}

/// A request of metrics of the same bot.
pub fn metrics(metrics: &[Value]) -> Value {
    request("resourceMetrics", "scopeMetrics", "metrics", metrics)
}

fn request(resources: &str, scopes: &str, items: &str, all: &[Value]) -> Value {
    let bot = texts(&[("service.name", "bot"), ("service.instance.id", "i1")]);
    let scope = json!({"scope": {"name": "lib"}, items: all});
    json!({resources: [{"resource": {"attributes": bot}, scopes: [scope]}]})
}

/// The request with these attributes of its resource instead.
pub fn of_resource(mut request: Value, attributes: Value) -> Value {
    for resources in request.as_object_mut().unwrap().values_mut() {
        resources[0]["resource"] = json!({"attributes": attributes});
    }
    request
}

/// Hands one request to a pipeline, which must not refuse it.
pub fn ingest(pipeline: &Pipeline, signal: Signal, request: &Value, now: Timestamp) -> Outcome {
    crate::ingest(pipeline, (signal, Encoding::Json), request.to_string().as_bytes(), now)
}

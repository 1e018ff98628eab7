//! Random requests, and one of each signal that has every field set.

pub mod metrics;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status,
    span::{Event, Link},
};
use proptest::collection::vec;
use proptest::num::f64 as doubles;
use proptest::option;
use proptest::prelude::*;

/// Every double.
pub fn double() -> BoxedStrategy<f64> {
    doubles::ANY.boxed()
}

/// Doubles that opentelemetry-proto's serde can write: it makes `null` of the others.
pub fn finite() -> BoxedStrategy<f64> {
    (doubles::NORMAL | doubles::SUBNORMAL | doubles::ZERO).boxed()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z._]{0,12}", "\\PC{0,6}", ".{0,6}"]
}

/// Ids of the right length, and of others.
fn id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 16),
        vec(any::<u8>(), 8),
        vec(any::<u8>(), 0..20),
        Just(vec![0; 16]),
    ]
}

fn enumeration() -> impl Strategy<Value = i32> {
    prop_oneof![4 => 0..7, 1 => any::<i32>()]
}

fn any_value(double: BoxedStrategy<f64>) -> BoxedStrategy<AnyValue> {
    let leaf = prop_oneof![
        text().prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        double.prop_map(Value::DoubleValue),
        vec(any::<u8>(), 0..6).prop_map(Value::BytesValue),
    ];
    let leaf = option::weighted(0.95, leaf).prop_map(|value| AnyValue { value });
    let nested = leaf.prop_recursive(4, 16, 3, |inner| {
        let entry = (text(), option::of(inner.clone()));
        let entry = entry.prop_map(|(key, value)| KeyValue { key, value, key_strindex: 0 });
        let list = vec(inner, 0..3).prop_map(|values| Value::ArrayValue(ArrayValue { values }));
        let map = vec(entry, 0..3).prop_map(|values| Value::KvlistValue(KeyValueList { values }));
        prop_oneof![list, map].prop_map(|value| AnyValue { value: Some(value) })
    });
    nested.boxed()
}

fn attributes(double: &BoxedStrategy<f64>) -> BoxedStrategy<Vec<KeyValue>> {
    let value = option::weighted(0.95, any_value(double.clone()));
    let one = (text(), value, prop_oneof![9 => Just(0), 1 => any::<i32>()]);
    vec(one.prop_map(|(key, value, key_strindex)| KeyValue { key, value, key_strindex }), 0..4)
        .boxed()
}

fn resource(double: &BoxedStrategy<f64>) -> impl Strategy<Value = Resource> + use<> {
    let texts = || vec(text(), 0..3);
    let entity = (text(), text(), texts(), texts()).prop_map(|fields| EntityRef {
        schema_url: fields.0,
        r#type: fields.1,
        id_keys: fields.2,
        description_keys: fields.3,
    });
    (attributes(double), any::<u32>(), vec(entity, 0..2)).prop_map(|fields| Resource {
        attributes: fields.0,
        dropped_attributes_count: fields.1,
        entity_refs: fields.2,
    })
}

fn scope(double: &BoxedStrategy<f64>) -> impl Strategy<Value = InstrumentationScope> + use<> {
    (text(), text(), attributes(double), any::<u32>()).prop_map(|fields| InstrumentationScope {
        name: fields.0,
        version: fields.1,
        attributes: fields.2,
        dropped_attributes_count: fields.3,
    })
}

fn event(double: &BoxedStrategy<f64>) -> impl Strategy<Value = Event> + use<> {
    (any::<u64>(), text(), attributes(double), any::<u32>()).prop_map(|fields| Event {
        time_unix_nano: fields.0,
        name: fields.1,
        attributes: fields.2,
        dropped_attributes_count: fields.3,
    })
}

fn link(double: &BoxedStrategy<f64>) -> impl Strategy<Value = Link> + use<> {
    (id(), id(), text(), attributes(double), any::<[u32; 2]>()).prop_map(|fields| Link {
        trace_id: fields.0,
        span_id: fields.1,
        trace_state: fields.2,
        attributes: fields.3,
        dropped_attributes_count: fields.4[0],
        flags: fields.4[1],
    })
}

fn span(double: &BoxedStrategy<f64>) -> impl Strategy<Value = Span> + use<> {
    let status = (text(), enumeration()).prop_map(|(message, code)| Status { message, code });
    let names = (id(), id(), id(), text(), text());
    let numbers = (enumeration(), any::<[u64; 2]>(), any::<[u32; 4]>());
    let lists = (attributes(double), vec(event(double), 0..3), vec(link(double), 0..2));
    (names, numbers, lists, option::of(status)).prop_map(|(names, numbers, lists, status)| Span {
        trace_id: names.0,
        span_id: names.1,
        parent_span_id: names.2,
        trace_state: names.3,
        name: names.4,
        kind: numbers.0,
        start_time_unix_nano: numbers.1[0],
        end_time_unix_nano: numbers.1[1],
        flags: numbers.2[0],
        dropped_attributes_count: numbers.2[1],
        dropped_events_count: numbers.2[2],
        dropped_links_count: numbers.2[3],
        attributes: lists.0,
        events: lists.1,
        links: lists.2,
        status,
    })
}

fn record(double: &BoxedStrategy<f64>) -> impl Strategy<Value = LogRecord> + use<> {
    let names = (id(), id(), text(), text());
    let numbers = (enumeration(), any::<[u64; 2]>(), any::<[u32; 2]>());
    let body = option::of(any_value(double.clone()));
    (names, numbers, attributes(double), body).prop_map(|(names, numbers, attributes, body)| {
        LogRecord {
            trace_id: names.0,
            span_id: names.1,
            event_name: names.2,
            severity_text: names.3,
            severity_number: numbers.0,
            time_unix_nano: numbers.1[0],
            observed_time_unix_nano: numbers.1[1],
            flags: numbers.2[0],
            dropped_attributes_count: numbers.2[1],
            attributes,
            body,
        }
    })
}

/// A random trace request.
pub fn traces(double: BoxedStrategy<f64>) -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scopes = (option::of(scope(&double)), vec(span(&double), 0..3), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    let resources = (option::of(resource(&double)), vec(scopes, 0..3), text()).prop_map(
        |(resource, scope_spans, schema_url)| ResourceSpans { resource, scope_spans, schema_url },
    );
    vec(resources, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// A random log request.
pub fn logs(double: BoxedStrategy<f64>) -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scopes = (option::of(scope(&double)), vec(record(&double), 0..3), text())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url });
    let resources = (option::of(resource(&double)), vec(scopes, 0..3), text()).prop_map(
        |(resource, scope_logs, schema_url)| ResourceLogs { resource, scope_logs, schema_url },
    );
    vec(resources, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn any_of(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

/// One attribute of each kind.
fn all_kinds() -> Vec<KeyValue> {
    let leaves = [
        Value::StringValue("text é".into()),
        Value::BoolValue(true),
        Value::IntValue(-300),
        Value::DoubleValue(0.1),
        Value::BytesValue(vec![0xfb, 0xff]),
    ];
    let keyed = |(index, value): (usize, Value)| KeyValue {
        key: format!("k{index}"),
        value: Some(any_of(value)),
        key_strindex: 0,
    };
    let list =
        Value::ArrayValue(ArrayValue { values: leaves.iter().cloned().map(any_of).collect() });
    let map = KeyValueList { values: leaves.iter().cloned().enumerate().map(keyed).collect() };
    leaves.into_iter().chain([list, Value::KvlistValue(map)]).enumerate().map(keyed).collect()
}

fn full_resource() -> Resource {
    let entity = EntityRef {
        schema_url: "u".into(),
        r#type: "service".into(),
        id_keys: vec!["a".into(), "b".into()],
        description_keys: vec!["c".into()],
    };
    Resource { attributes: all_kinds(), dropped_attributes_count: 1, entity_refs: vec![entity] }
}

fn full_scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "scope".into(),
        version: "1.2".into(),
        attributes: all_kinds(),
        dropped_attributes_count: 300,
    }
}

/// A trace and a log request with every field set.
pub fn sample() -> (ExportTraceServiceRequest, ExportLogsServiceRequest) {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        trace_state: "ot=th:8".into(),
        parent_span_id: vec![3; 8],
        flags: 0x101,
        name: "reply".into(),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_001_000_000_000,
        attributes: all_kinds(),
        dropped_attributes_count: 1,
        events: vec![
            Event {
                time_unix_nano: 5,
                name: "e".into(),
                attributes: all_kinds(),
                ..Event::default()
            },
            Event { dropped_attributes_count: 9, ..Event::default() },
        ],
        dropped_events_count: 2,
        links: vec![Link {
            trace_id: vec![4; 16],
            span_id: vec![5; 8],
            trace_state: "s".into(),
            attributes: all_kinds(),
            dropped_attributes_count: 1,
            flags: 1,
        }],
        dropped_links_count: 3,
        status: Some(Status { message: "bad".into(), code: 2 }),
    };
    let record = LogRecord {
        time_unix_nano: 1,
        observed_time_unix_nano: 2,
        severity_number: 9,
        severity_text: "INFO".into(),
        body: all_kinds().pop().and_then(|map| map.value),
        attributes: all_kinds(),
        dropped_attributes_count: 1,
        flags: 1,
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "bot.feedback".into(),
    };
    let (scope, resource) = (Some(full_scope()), Some(full_resource()));
    let schema_url = String::from("url");
    let scope_spans =
        ScopeSpans { scope: scope.clone(), spans: vec![span], schema_url: schema_url.clone() };
    let scope_logs = ScopeLogs { scope, log_records: vec![record], schema_url: schema_url.clone() };
    let resource_spans = ResourceSpans {
        resource: resource.clone(),
        scope_spans: vec![scope_spans],
        schema_url: schema_url.clone(),
    };
    let resource_logs = ResourceLogs { resource, scope_logs: vec![scope_logs], schema_url };
    (
        ExportTraceServiceRequest { resource_spans: vec![resource_spans] },
        ExportLogsServiceRequest { resource_logs: vec![resource_logs] },
    )
}

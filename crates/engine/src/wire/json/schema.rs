//! The OTLP messages as tables: a JSON key, the field number it has in protobuf, and how its value is written.
//!
//! Source: opentelemetry-proto 1.x; keys are the lowerCamelCase names of OTLP 1.x "JSON Protobuf Encoding".

use crate::limits;
use crate::view::Signal;
use crate::wire::writer::Integer;

/// A message: its fields, the frequent ones first, because a key is looked for in this order.
pub struct Message(pub &'static [Field]);

/// A field of a message.
pub struct Field {
    /// Its key.
    pub json: &'static str,
    /// Its number in protobuf.
    pub number: u32,
    /// What it holds.
    pub kind: Kind,
    /// Whether it holds a list of them.
    pub many: bool,
    /// How a scalar that is no value of `kind` is handled.
    pub misfit: Misfit,
    /// Bytes that the request is charged for each entry, as the first walk charges it.
    pub charge: usize,
}

/// How a scalar is handled that is no value of its field: a number out of range, text that is not hex, text instead of a number. An
/// object or a list instead of a scalar, or a scalar instead of them, always refuses the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// The request is refused: rules read the field.
    Refuse,
    /// The field is left out: no rule reads it.
    Skip,
    /// The scalar of an attribute value is read by its JSON type instead: perhaps no rule reads the attribute, and one that cannot
    /// use the value counts a skip.
    Keep,
}

/// What a field holds: its form in both encodings.
#[derive(Clone, Copy)]
pub enum Kind {
    /// `string`.
    Text,
    /// `bytes` that OTLP/JSON writes as hex: trace and span ids.
    Hex,
    /// `bytes`.
    Base64,
    /// `bool`.
    Bool,
    /// `double`.
    Double,
    /// A whole number.
    Integer(Integer),
    /// An `enum`: its names, where the index is the number.
    Enum(&'static [&'static str]),
    /// A message.
    Message(&'static Message),
    /// The message of a list or a map in a value, where nesting is limited.
    Nested(&'static Message),
}

impl Message {
    /// The request of a signal.
    pub fn request(signal: Signal) -> &'static Self {
        match signal {
            Signal::Traces => &TRACES,
            Signal::Metrics => &METRICS,
            Signal::Logs => &LOGS,
        }
    }

    /// The field with this key.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.0.iter().find(|field| field.json == key)
    }
}

const fn one(json: &'static str, number: u32, kind: Kind) -> Field {
    Field { json, number, kind, many: false, misfit: Misfit::Refuse, charge: 0 }
}

const fn many(json: &'static str, number: u32, kind: Kind) -> Field {
    Field { many: true, ..one(json, number, kind) }
}

/// A list of what a request is charged for.
const fn items(json: &'static str, number: u32, kind: Kind, charge: usize) -> Field {
    Field { charge, ..many(json, number, kind) }
}

/// A field that no rule reads.
const fn unread(json: &'static str, number: u32, kind: Kind) -> Field {
    Field { misfit: Misfit::Skip, ..one(json, number, kind) }
}

/// A scalar of an `AnyValue`.
const fn value(json: &'static str, number: u32, kind: Kind) -> Field {
    Field { misfit: Misfit::Keep, ..one(json, number, kind) }
}

const TEXT: Kind = Kind::Text;
const HEX: Kind = Kind::Hex;
const DOUBLE: Kind = Kind::Double;
const INT32: Kind = Kind::Integer(Integer::Int32);
const UINT32: Kind = Kind::Integer(Integer::Uint32);
const SINT32: Kind = Kind::Integer(Integer::Sint32);
const FIXED32: Kind = Kind::Integer(Integer::Fixed32);
const INT64: Kind = Kind::Integer(Integer::Int64);
const UINT64: Kind = Kind::Integer(Integer::Uint64);
const FIXED64: Kind = Kind::Integer(Integer::Fixed64);
const SFIXED64: Kind = Kind::Integer(Integer::Sfixed64);

// common.proto and resource.proto

static KEY_VALUE: Message = Message(&[
    one("key", 1, TEXT),
    one("value", 2, Kind::Message(&ANY_VALUE)),
    unread("keyStrindex", 3, INT32),
]);

static ANY_VALUE: Message = Message(&[
    value("stringValue", 1, TEXT),
    value("intValue", 3, INT64),
    value("doubleValue", 4, DOUBLE),
    value("boolValue", 2, Kind::Bool),
    one("arrayValue", 5, Kind::Nested(&ARRAY_VALUE)),
    one("kvlistValue", 6, Kind::Nested(&KEY_VALUE_LIST)),
    value("bytesValue", 7, Kind::Base64),
    unread("stringValueStrindex", 8, INT32),
]);

static ARRAY_VALUE: Message = Message(&[many("values", 1, Kind::Message(&ANY_VALUE))]);

static KEY_VALUE_LIST: Message = Message(&[many("values", 1, Kind::Message(&KEY_VALUE))]);

static SCOPE: Message = Message(&[
    one("name", 1, TEXT),
    one("version", 2, TEXT),
    many("attributes", 3, Kind::Message(&KEY_VALUE)),
    unread("droppedAttributesCount", 4, UINT32),
]);

static RESOURCE: Message = Message(&[
    many("attributes", 1, Kind::Message(&KEY_VALUE)),
    unread("droppedAttributesCount", 2, UINT32),
    many("entityRefs", 3, Kind::Message(&ENTITY_REF)),
]);

static ENTITY_REF: Message = Message(&[
    unread("schemaUrl", 1, TEXT),
    unread("type", 2, TEXT),
    Field { many: true, ..unread("idKeys", 3, TEXT) },
    Field { many: true, ..unread("descriptionKeys", 4, TEXT) },
]);

// trace.proto

static TRACES: Message = Message(&[many("resourceSpans", 1, Kind::Message(&RESOURCE_SPANS))]);

static RESOURCE_SPANS: Message = Message(&[
    one("resource", 1, Kind::Message(&RESOURCE)),
    many("scopeSpans", 2, Kind::Message(&SCOPE_SPANS)),
    unread("schemaUrl", 3, TEXT),
]);

static SCOPE_SPANS: Message = Message(&[
    one("scope", 1, Kind::Message(&SCOPE)),
    items("spans", 2, Kind::Message(&SPAN), limits::SPAN_CHARGE),
    unread("schemaUrl", 3, TEXT),
]);

static SPAN: Message = Message(&[
    one("traceId", 1, HEX),
    one("spanId", 2, HEX),
    one("traceState", 3, TEXT),
    one("parentSpanId", 4, HEX),
    unread("flags", 16, FIXED32),
    one("name", 5, TEXT),
    one("kind", 6, Kind::Enum(SPAN_KIND)),
    one("startTimeUnixNano", 7, FIXED64),
    one("endTimeUnixNano", 8, FIXED64),
    many("attributes", 9, Kind::Message(&KEY_VALUE)),
    unread("droppedAttributesCount", 10, UINT32),
    items("events", 11, Kind::Message(&EVENT), limits::EVENT_CHARGE),
    unread("droppedEventsCount", 12, UINT32),
    many("links", 13, Kind::Message(&LINK)),
    unread("droppedLinksCount", 14, UINT32),
    one("status", 15, Kind::Message(&STATUS)),
]);

const SPAN_KIND: &[&str] = &[
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

static EVENT: Message = Message(&[
    one("timeUnixNano", 1, FIXED64),
    one("name", 2, TEXT),
    many("attributes", 3, Kind::Message(&KEY_VALUE)),
    unread("droppedAttributesCount", 4, UINT32),
]);

static LINK: Message = Message(&[
    unread("traceId", 1, HEX),
    unread("spanId", 2, HEX),
    unread("traceState", 3, TEXT),
    many("attributes", 4, Kind::Message(&KEY_VALUE)),
    unread("droppedAttributesCount", 5, UINT32),
    unread("flags", 6, FIXED32),
]);

static STATUS: Message =
    Message(&[unread("message", 2, TEXT), one("code", 3, Kind::Enum(STATUS_CODE))]);

const STATUS_CODE: &[&str] = &["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

// logs.proto

static LOGS: Message = Message(&[many("resourceLogs", 1, Kind::Message(&RESOURCE_LOGS))]);

static RESOURCE_LOGS: Message = Message(&[
    one("resource", 1, Kind::Message(&RESOURCE)),
    many("scopeLogs", 2, Kind::Message(&SCOPE_LOGS)),
    unread("schemaUrl", 3, TEXT),
]);

static SCOPE_LOGS: Message = Message(&[
    one("scope", 1, Kind::Message(&SCOPE)),
    items("logRecords", 2, Kind::Message(&LOG_RECORD), limits::LOG_CHARGE),
    unread("schemaUrl", 3, TEXT),
]);

static LOG_RECORD: Message = Message(&[
    one("timeUnixNano", 1, FIXED64),
    one("observedTimeUnixNano", 11, FIXED64),
    one("severityNumber", 2, Kind::Enum(SEVERITY)),
    one("severityText", 3, TEXT),
    one("body", 5, Kind::Message(&ANY_VALUE)),
    many("attributes", 6, Kind::Message(&KEY_VALUE)),
    unread("droppedAttributesCount", 7, UINT32),
    unread("flags", 8, FIXED32),
    one("traceId", 9, HEX),
    one("spanId", 10, HEX),
    one("eventName", 12, TEXT),
]);

const SEVERITY: &[&str] = &[
    "SEVERITY_NUMBER_UNSPECIFIED",
    "SEVERITY_NUMBER_TRACE",
    "SEVERITY_NUMBER_TRACE2",
    "SEVERITY_NUMBER_TRACE3",
    "SEVERITY_NUMBER_TRACE4",
    "SEVERITY_NUMBER_DEBUG",
    "SEVERITY_NUMBER_DEBUG2",
    "SEVERITY_NUMBER_DEBUG3",
    "SEVERITY_NUMBER_DEBUG4",
    "SEVERITY_NUMBER_INFO",
    "SEVERITY_NUMBER_INFO2",
    "SEVERITY_NUMBER_INFO3",
    "SEVERITY_NUMBER_INFO4",
    "SEVERITY_NUMBER_WARN",
    "SEVERITY_NUMBER_WARN2",
    "SEVERITY_NUMBER_WARN3",
    "SEVERITY_NUMBER_WARN4",
    "SEVERITY_NUMBER_ERROR",
    "SEVERITY_NUMBER_ERROR2",
    "SEVERITY_NUMBER_ERROR3",
    "SEVERITY_NUMBER_ERROR4",
    "SEVERITY_NUMBER_FATAL",
    "SEVERITY_NUMBER_FATAL2",
    "SEVERITY_NUMBER_FATAL3",
    "SEVERITY_NUMBER_FATAL4",
];

// metrics.proto

static METRICS: Message = Message(&[many("resourceMetrics", 1, Kind::Message(&RESOURCE_METRICS))]);

static RESOURCE_METRICS: Message = Message(&[
    one("resource", 1, Kind::Message(&RESOURCE)),
    many("scopeMetrics", 2, Kind::Message(&SCOPE_METRICS)),
    unread("schemaUrl", 3, TEXT),
]);

static SCOPE_METRICS: Message = Message(&[
    one("scope", 1, Kind::Message(&SCOPE)),
    items("metrics", 2, Kind::Message(&METRIC), limits::METRIC_CHARGE),
    one("schemaUrl", 3, TEXT),
]);

static METRIC: Message = Message(&[
    one("name", 1, TEXT),
    one("description", 2, TEXT),
    one("unit", 3, TEXT),
    one("gauge", 5, Kind::Message(&GAUGE)),
    one("sum", 7, Kind::Message(&SUM)),
    one("histogram", 9, Kind::Message(&HISTOGRAM)),
    one("exponentialHistogram", 10, Kind::Message(&EXPONENTIAL_HISTOGRAM)),
    one("summary", 11, Kind::Message(&SUMMARY)),
    many("metadata", 12, Kind::Message(&KEY_VALUE)),
]);

const TEMPORALITY: Kind = Kind::Enum(&[
    "AGGREGATION_TEMPORALITY_UNSPECIFIED",
    "AGGREGATION_TEMPORALITY_DELTA",
    "AGGREGATION_TEMPORALITY_CUMULATIVE",
]);

static GAUGE: Message =
    Message(&[items("dataPoints", 1, Kind::Message(&NUMBER_POINT), limits::POINT_CHARGE)]);

static SUM: Message = Message(&[
    items("dataPoints", 1, Kind::Message(&NUMBER_POINT), limits::POINT_CHARGE),
    one("aggregationTemporality", 2, TEMPORALITY),
    one("isMonotonic", 3, Kind::Bool),
]);

static HISTOGRAM: Message = Message(&[
    items("dataPoints", 1, Kind::Message(&HISTOGRAM_POINT), limits::POINT_CHARGE),
    one("aggregationTemporality", 2, TEMPORALITY),
]);

static EXPONENTIAL_HISTOGRAM: Message = Message(&[
    items("dataPoints", 1, Kind::Message(&EXPONENTIAL_POINT), limits::POINT_CHARGE),
    one("aggregationTemporality", 2, TEMPORALITY),
]);

static SUMMARY: Message =
    Message(&[items("dataPoints", 1, Kind::Message(&SUMMARY_POINT), limits::POINT_CHARGE)]);

static NUMBER_POINT: Message = Message(&[
    many("attributes", 7, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, FIXED64),
    one("timeUnixNano", 3, FIXED64),
    one("asDouble", 4, DOUBLE),
    one("asInt", 6, SFIXED64),
    many("exemplars", 5, Kind::Message(&EXEMPLAR)),
    unread("flags", 8, UINT32),
]);

static HISTOGRAM_POINT: Message = Message(&[
    many("attributes", 9, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, FIXED64),
    one("timeUnixNano", 3, FIXED64),
    one("count", 4, FIXED64),
    one("sum", 5, DOUBLE),
    many("bucketCounts", 6, FIXED64),
    many("explicitBounds", 7, DOUBLE),
    many("exemplars", 8, Kind::Message(&EXEMPLAR)),
    unread("flags", 10, UINT32),
    unread("min", 11, DOUBLE),
    unread("max", 12, DOUBLE),
]);

static EXPONENTIAL_POINT: Message = Message(&[
    many("attributes", 1, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, FIXED64),
    one("timeUnixNano", 3, FIXED64),
    one("count", 4, FIXED64),
    one("sum", 5, DOUBLE),
    one("scale", 6, SINT32),
    one("zeroCount", 7, FIXED64),
    one("positive", 8, Kind::Message(&BUCKETS)),
    one("negative", 9, Kind::Message(&BUCKETS)),
    unread("flags", 10, UINT32),
    many("exemplars", 11, Kind::Message(&EXEMPLAR)),
    unread("min", 12, DOUBLE),
    unread("max", 13, DOUBLE),
    one("zeroThreshold", 14, DOUBLE),
]);

static BUCKETS: Message = Message(&[one("offset", 1, SINT32), many("bucketCounts", 2, UINT64)]);

static SUMMARY_POINT: Message = Message(&[
    many("attributes", 7, Kind::Message(&KEY_VALUE)),
    one("startTimeUnixNano", 2, FIXED64),
    one("timeUnixNano", 3, FIXED64),
    one("count", 4, FIXED64),
    one("sum", 5, DOUBLE),
    many("quantileValues", 6, Kind::Message(&QUANTILE)),
    unread("flags", 8, UINT32),
]);

static QUANTILE: Message = Message(&[one("quantile", 1, DOUBLE), one("value", 2, DOUBLE)]);

static EXEMPLAR: Message = Message(&[
    many("filteredAttributes", 7, Kind::Message(&KEY_VALUE)),
    unread("timeUnixNano", 2, FIXED64),
    unread("asDouble", 3, DOUBLE),
    unread("asInt", 6, SFIXED64),
    unread("spanId", 4, HEX),
    unread("traceId", 5, HEX),
]);

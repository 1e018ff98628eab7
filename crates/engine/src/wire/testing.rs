//! Short words for the messages that unit tests of this room build.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

use crate::view::{LogRecord, Metric, Origin, Point, PointValue, Span, SpanEvent, Value, Visitor};

/// What becomes an `AnyValue`.
pub(super) trait IntoAny {
    fn into_any(self) -> Kind;
}

impl IntoAny for &str {
    fn into_any(self) -> Kind {
        Kind::StringValue(self.into())
    }
}

impl IntoAny for i64 {
    fn into_any(self) -> Kind {
        Kind::IntValue(self)
    }
}

impl IntoAny for bool {
    fn into_any(self) -> Kind {
        Kind::BoolValue(self)
    }
}

impl IntoAny for f64 {
    fn into_any(self) -> Kind {
        Kind::DoubleValue(self)
    }
}

impl IntoAny for Vec<u8> {
    fn into_any(self) -> Kind {
        Kind::BytesValue(self)
    }
}

pub(super) fn any(value: impl IntoAny) -> AnyValue {
    AnyValue { value: Some(value.into_any()) }
}

pub(super) fn list(values: impl IntoIterator<Item = AnyValue>) -> AnyValue {
    let values = values.into_iter().collect();
    AnyValue { value: Some(Kind::ArrayValue(ArrayValue { values })) }
}

pub(super) fn map(values: impl IntoIterator<Item = KeyValue>) -> AnyValue {
    let values = values.into_iter().collect();
    AnyValue { value: Some(Kind::KvlistValue(KeyValueList { values })) }
}

pub(super) fn kv(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value), key_strindex: 0 }
}

/// One field with a length: its key and these bytes.
pub(super) fn field(number: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut out = vec![number << 3 | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

/// The calls of a walk, one line each.
#[derive(Default)]
pub(super) struct Lines(pub Vec<String>);

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

impl<'a> Visitor<'a> for Lines {
    fn resource(&mut self) {
        self.0.push("resource".into());
    }

    fn scope(&mut self, name: &'a [u8], version: &'a [u8]) {
        self.0.push(format!("scope {} {}", text(name), text(version)));
    }

    fn schema(&mut self, url: &'a [u8]) {
        self.0.push(format!("schema {}", text(url)));
    }

    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        let mut shown = String::new();
        value.write_text(&mut shown);
        self.0.push(format!("{origin:?} {}={shown}", text(key)));
    }

    fn span(&mut self, span: &Span<'a>) {
        self.0.push(format!("span {} {:?} {:?}", text(span.name), span.kind, span.status));
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        self.0.push(format!("event {} {}", text(event.name), event.time.0));
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        let mut body = String::new();
        record.body.write_text(&mut body);
        self.0.push(format!("log {} {body}", text(record.event_name)));
    }

    fn metric(&mut self, metric: &Metric<'a>) {
        let texts = [metric.name, metric.description, metric.unit].map(text).join(",");
        self.0.push(format!("metric {texts} {:?}", metric.data));
    }

    fn point(&mut self, metric: &Metric<'a>, point: &Point<'a>) {
        let value = match point.value {
            PointValue::None => "none".into(),
            PointValue::Int(value) => format!("{value}"),
            PointValue::Double(value) => format!("{value:?}"),
            PointValue::Histogram(value) => {
                let counts: Vec<_> = value.counts.iter().collect();
                let bounds: Vec<_> = value.bounds.iter().collect();
                format!("{} {:?} {counts:?} {bounds:?}", value.count, value.sum)
            }
            PointValue::Exponential(value) => {
                let buckets = [value.positive, value.negative];
                let buckets = buckets.map(|b| (b.offset, b.counts.iter().collect::<Vec<_>>()));
                format!("{} {:?} {} {buckets:?}", value.count, value.sum, value.scale)
            }
            PointValue::Summary(value) => {
                let quantiles = value.quantiles.iter().map(|q| (q.quantile, q.value));
                format!("{} {:?} {:?}", value.count, value.sum, quantiles.collect::<Vec<_>>())
            }
        };
        self.0.push(format!("point {} {value}", text(metric.name)));
    }
}

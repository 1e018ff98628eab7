//! A batch as protobuf, with the places of its ids and times (opentelemetry-proto: trace/v1/trace.proto, logs/v1/logs.proto,
//! common/v1).

use super::super::story::{Event, Span, Trace, Value};
use super::template::{Batch, Form, Ids, Patch, Placed, Template, What};

/// Encodes a batch.
pub(super) fn encode(batch: &Batch<'_>, ids: Ids) -> Template {
    let spans = (0_u32..).zip(&batch.spans).zip(batch.numbers());
    let spans = spans.map(|((at, placed), numbers)| span(placed, at, numbers, ids));
    request(batch, spans.collect(), ids)
}

/// Encodes the log records of the batch's one trace, which ends at `end`.
pub(super) fn logs(batch: &Batch<'_>, trace: &Trace, end: i64, ids: Ids) -> Template {
    request(batch, trace.logs.iter().map(|log| record(log, end, ids)).collect(), ids)
}

/// Items under a resource and a scope: requests of all signals have the same shape.
fn request(batch: &Batch<'_>, items: Vec<Message>, ids: Ids) -> Template {
    let mut resource = Message::default();
    for (key, value) in batch.resource {
        resource.nested(1, pair(key, &(*value).into(), (0, ids)));
    }
    let mut scope = Message::default();
    scope.text(1, batch.scope);
    let mut of_scope = Message::default();
    of_scope.nested(1, scope);
    items.into_iter().for_each(|item| of_scope.nested(2, item));
    let mut of_resource = Message::default();
    of_resource.nested(1, resource);
    of_resource.nested(2, of_scope);
    let mut request = Message::default();
    request.nested(1, of_resource);
    let spans = batch.spans.len() as u64;
    Template { bytes: request.bytes, patches: request.patches, form: Form::Binary, spans }
}

/// A log record with an event name.
fn record(log: &Event, end: i64, ids: Ids) -> Message {
    let at = What::Time(end.saturating_sub(log.at).unsigned_abs());
    let (severity, word) = if log.warning { (13, "WARN") } else { (9, "INFO") };
    let mut record = Message::default();
    record.time(1, at);
    record.number(2, severity);
    record.text(3, word);
    record.nested(5, any(&log.name.into(), (0, ids)));
    for (key, value) in &log.attributes {
        record.nested(6, pair(key, value, (0, ids)));
    }
    record.patched(9, &[0; 16], What::Trace(0));
    record.patched(10, &[0; 8], What::Span(u32::try_from(log.span).unwrap_or(u32::MAX)));
    record.time(11, at);
    record.text(12, log.name);
    record
}

fn span(placed: &Placed<'_>, at: u32, (trace, parent): (u32, Option<u32>), ids: Ids) -> Message {
    let Span { name, kind, start, end, error, attributes, events, .. } = placed.span;
    let before = |time: i64| What::Time(placed.end.saturating_sub(time).unsigned_abs());
    let mut span = Message::default();
    span.patched(1, &[0; 16], What::Trace(trace));
    span.patched(2, &[0; 8], What::Span(at));
    if placed.span.parent.is_some() {
        // A parent in another batch is an id far from those of this one: its span is missing, as in real cut traces.
        span.patched(4, &[0; 8], What::Span(parent.unwrap_or(u32::MAX - at)));
    }
    span.text(5, name);
    span.number(6, *kind as u64);
    span.time(7, before(*start));
    span.time(8, before(*end));
    for (key, value) in attributes {
        span.nested(9, pair(key, value, (trace, ids)));
    }
    for Event { name, at, attributes, .. } in events {
        let mut event = Message::default();
        event.time(1, before(*at));
        event.text(2, name);
        for (key, value) in attributes {
            event.nested(3, pair(key, value, (trace, ids)));
        }
        span.nested(11, event);
    }
    if let Some(error) = error {
        let mut status = Message::default();
        status.text(2, error);
        status.number(3, 2);
        span.nested(15, status);
    }
    span
}

fn pair(key: &str, value: &Value, of: (u32, Ids)) -> Message {
    let mut pair = Message::default();
    pair.text(1, key);
    pair.nested(2, any(value, of));
    pair
}

fn any(value: &Value, (trace, ids): (u32, Ids)) -> Message {
    let mut any = Message::default();
    match value {
        Value::Text(text) => any.text(1, text),
        Value::Bool(truth) => any.number(2, u64::from(*truth)),
        Value::Int(number) => any.number(3, number.cast_unsigned()),
        Value::Texts(texts) => {
            let mut list = Message::default();
            for text in texts {
                let mut item = Message::default();
                item.text(1, text);
                list.nested(1, item);
            }
            any.nested(5, list);
        }
        Value::Person(_) | Value::Conversation(_) => {
            let text = value.to_string();
            match (value, ids) {
                (Value::Person(_), Ids::Fresh(people @ 1..)) => {
                    any.patched(1, text.as_bytes(), What::Person(trace, people));
                }
                (Value::Conversation(_), Ids::Fresh(_)) => {
                    any.patched(1, text.as_bytes(), What::Conversation(trace));
                }
                _ => any.text(1, &text),
            }
        }
    }
    any
}

/// A message being written, with the places in it.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
    patches: Vec<Patch>,
}

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn data(&mut self, field: u64, data: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(data.len() as u64);
        self.bytes.extend_from_slice(data);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.data(field, text.as_bytes());
    }

    fn patched(&mut self, field: u64, data: &[u8], what: What) {
        self.data(field, data);
        self.patches.push(Patch { at: self.bytes.len() - data.len(), what });
    }

    fn time(&mut self, field: u64, what: What) {
        self.varint(field << 3 | 1);
        self.patches.push(Patch { at: self.bytes.len(), what });
        self.bytes.extend_from_slice(&[0; 8]);
    }

    fn nested(&mut self, field: u64, message: Message) {
        self.data(field, &message.bytes);
        let shift = self.bytes.len() - message.bytes.len();
        let moved = message.patches.into_iter();
        self.patches.extend(moved.map(|patch| Patch { at: patch.at + shift, ..patch }));
    }
}

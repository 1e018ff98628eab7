//! A batch as OTLP JSON, with the places of its ids and times (OTLP specification, "JSON Protobuf Encoding").

use std::fmt::Write as _;

use super::super::story::{Event, Value};
use super::template::{Batch, Form, Patch, Placed, Template, What};

/// Encodes a batch; with `people`, every user id is patched with one of so many.
pub(super) fn encode(batch: &Batch<'_>, people: u32) -> Template {
    let mut json = Json { text: String::new(), patches: Vec::new(), people };
    json.push("{\"resourceSpans\":[{\"resource\":{\"attributes\":");
    let resource: Vec<(&str, Value)> =
        batch.resource.iter().map(|(key, value)| (*key, Value::from(*value))).collect();
    json.pairs(&resource, 0);
    json.push("},\"scopeSpans\":[{\"scope\":{\"name\":");
    json.quoted(batch.scope);
    json.push("},\"spans\":[");
    for ((at, placed), numbers) in (0_u32..).zip(&batch.spans).zip(batch.numbers()) {
        json.separate(at == 0);
        json.span(placed, at, numbers);
    }
    json.push("]}]}]}");
    let spans = batch.spans.len() as u64;
    Template { bytes: json.text.into_bytes(), patches: json.patches, form: Form::Text, spans }
}

struct Json {
    text: String,
    patches: Vec<Patch>,
    people: u32,
}

impl Json {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.text.push(',');
        }
    }

    fn quoted(&mut self, text: &str) {
        // Display of a JSON string is the quoted and escaped text, and writing to a String cannot fail.
        let _ = write!(self.text, "{}", serde_json::Value::from(text));
    }

    /// A quoted text of fixed width that is patched.
    fn patched(&mut self, key: &str, text: &str, what: What) {
        self.push(key);
        self.text.push('"');
        self.patches.push(Patch { at: self.text.len(), what });
        self.push(text);
        self.text.push('"');
    }

    fn time(&mut self, key: &str, before: i64) {
        self.patched(key, "0000000000000000000", What::Time(before.unsigned_abs()));
    }

    fn span(&mut self, placed: &Placed<'_>, at: u32, (trace, parent): (u32, Option<u32>)) {
        let span = placed.span;
        self.patched("{\"traceId\":", &"0".repeat(32), What::Trace(trace));
        self.patched(",\"spanId\":", &"0".repeat(16), What::Span(at));
        if span.parent.is_some() {
            let parent = What::Span(parent.unwrap_or(u32::MAX - at));
            self.patched(",\"parentSpanId\":", &"0".repeat(16), parent);
        }
        self.push(",\"name\":");
        self.quoted(&span.name);
        self.push(&format!(",\"kind\":{}", span.kind as u8));
        self.time(",\"startTimeUnixNano\":", placed.end.saturating_sub(span.start));
        self.time(",\"endTimeUnixNano\":", placed.end.saturating_sub(span.end));
        self.push(",\"attributes\":");
        self.pairs(&span.attributes, trace);
        if !span.events.is_empty() {
            self.push(",\"events\":[");
            for (n, event) in span.events.iter().enumerate() {
                self.separate(n == 0);
                self.event(event, placed.end, trace);
            }
            self.push("]");
        }
        if let Some(error) = span.error {
            self.push(",\"status\":{\"code\":2,\"message\":");
            self.quoted(error);
            self.push("}");
        }
        self.push("}");
    }

    fn event(&mut self, event: &Event, end: i64, trace: u32) {
        self.time("{\"timeUnixNano\":", end.saturating_sub(event.at));
        self.push(",\"name\":");
        self.quoted(event.name);
        self.push(",\"attributes\":");
        self.pairs(&event.attributes, trace);
        self.push("}");
    }

    fn pairs(&mut self, pairs: &[(&str, Value)], trace: u32) {
        self.push("[");
        for (n, (key, value)) in pairs.iter().enumerate() {
            self.separate(n == 0);
            self.push("{\"key\":");
            self.quoted(key);
            self.push(",\"value\":{");
            self.value(value, trace);
            self.push("}}");
        }
        self.push("]");
    }

    fn value(&mut self, value: &Value, trace: u32) {
        match value {
            Value::Bool(truth) => self.push(&format!("\"boolValue\":{truth}")),
            Value::Int(number) => self.push(&format!("\"intValue\":\"{number}\"")),
            Value::Texts(texts) => {
                self.push("\"arrayValue\":{\"values\":[");
                for (n, text) in texts.iter().enumerate() {
                    self.separate(n == 0);
                    self.push("{\"stringValue\":");
                    self.quoted(text);
                    self.push("}");
                }
                self.push("]}");
            }
            Value::Person(_) if self.people > 0 => {
                let what = What::Person(trace, self.people);
                self.patched("\"stringValue\":", &value.to_string(), what);
            }
            Value::Conversation(_) => {
                let what = What::Conversation(trace);
                self.patched("\"stringValue\":", &value.to_string(), what);
            }
            Value::Text(_) | Value::Person(_) => {
                self.push("\"stringValue\":");
                self.quoted(&value.to_string());
            }
        }
    }
}

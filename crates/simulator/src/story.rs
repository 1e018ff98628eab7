//! What a happening looks like on the wire: its spans, span events and log records, with the names people agreed on.
//!
//! The one place of the sending side that knows attribute names. Plain data: `bot` hands it to the SDK, `load` encodes it.
//! Times are nanoseconds from the begin of the happening and may lie before it.

use std::borrow::Cow;

use super::model::{Happening, Job, Webhook};

mod attributes;
mod background;
mod events;
mod steps;
mod turn;

pub use attributes::{SCOPE, Value, resource};

/// Spans and log records of one trace; the first span is its root.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// In the order they began; parents come before their children.
    pub spans: Vec<Span>,
    /// Log records.
    pub logs: Vec<Event>,
    /// The conversation of an earlier trace this one goes back to.
    pub follows: Option<u64>,
    /// The conversation this is a turn of.
    pub conversation: Option<u64>,
}

/// A span.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its kind.
    pub kind: Kind,
    /// Its parent's position; none: the root.
    pub parent: Option<usize>,
    /// Nanoseconds from the begin of the happening.
    pub start: i64,
    /// Likewise.
    pub end: i64,
    /// The status message when it failed.
    pub error: Option<&'static str>,
    /// Attributes.
    pub attributes: Vec<(&'static str, Value)>,
    /// Span events.
    pub events: Vec<Event>,
}

/// A span event or a log record with an event name.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: &'static str,
    /// Nanoseconds from the begin of the happening.
    pub at: i64,
    /// Of a log record: the span it belongs to.
    pub span: usize,
    /// Of a log record: whether it is a warning.
    pub warning: bool,
    /// Attributes.
    pub attributes: Vec<(&'static str, Value)>,
}

/// Span kinds, with their OTLP numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// The traces of a happening: mostly one, two when the platform delivered a message again.
pub fn tell(what: &Happening) -> Vec<Trace> {
    match what {
        Happening::Turn(interaction) => turn::tell(interaction),
        Happening::Lost(_) => vec![turn::redelivery((0.0, 0.02))],
        Happening::Webhook(webhook) => vec![Webhook::tell(webhook)],
        Happening::Job(job) => vec![Job::tell(job)],
    }
}

/// Seconds as nanoseconds.
fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

impl Span {
    fn new(name: impl Into<Cow<'static, str>>, kind: Kind, (start, end): (f64, f64)) -> Self {
        Self {
            name: name.into(),
            kind,
            parent: None,
            start: nanos(start),
            end: nanos(end.max(start)),
            error: None,
            attributes: Vec::with_capacity(14),
            events: Vec::new(),
        }
    }

    fn under(mut self, parent: usize) -> Self {
        self.parent = Some(parent);
        self
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((key, value.into()));
        self
    }

    fn with_some(self, key: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Marks it as failed, the way instrumentations do: status, `error.type` and an exception event.
    fn failed(mut self, error: Option<&'static str>) -> Self {
        let Some(error) = error else { return self };
        self.error = Some(error);
        let at = self.end;
        let exception = Event::new("exception", at).with("exception.type", error);
        self.events.push(exception.with("exception.message", "the simulated call did not succeed"));
        self.with("error.type", error)
    }
}

impl Event {
    fn new(name: &'static str, at: i64) -> Self {
        Self { name, at, span: 0, warning: false, attributes: Vec::with_capacity(4) }
    }

    fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((key, value.into()));
        self
    }

    fn warning(mut self) -> Self {
        self.warning = true;
        self
    }
}

impl Trace {
    fn add(&mut self, span: Span) -> usize {
        self.spans.push(span);
        self.spans.len() - 1
    }
}

#[cfg(test)]
mod tests;

//! Spans, span events and log records as a request holds them, and the order in which a walk tells everything.

use crate::timestamp::{ElapsedError, Timestamp};

use super::{Metric, Point, Value};

/// Where an attribute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The process that sent it (`Resource.attributes`).
    Resource,
    /// The instrumentation library (`InstrumentationScope.attributes`).
    Scope,
    /// A span.
    Span,
    /// An event of a span.
    Event,
    /// A log record.
    Log,
    /// A data point of a metric.
    Point,
}

/// `Span.kind` (trace.proto).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpanKind {
    /// Not told; counts as internal, as the OpenTelemetry API says.
    #[default]
    Unspecified,
    /// Work inside the process.
    Internal,
    /// The callee of a remote call.
    Server,
    /// The caller of a remote call.
    Client,
    /// Put a message somewhere.
    Producer,
    /// Took a message from somewhere.
    Consumer,
}

/// `Span.status.code` (trace.proto).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Nobody said.
    #[default]
    Unset,
    /// Said to be fine.
    Ok,
    /// Said to have failed.
    Error,
}

/// One span, without its attributes: those were told before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span<'a> {
    /// 16 bytes, or whatever was sent.
    pub trace_id: &'a [u8],
    /// 8 bytes, or whatever was sent.
    pub span_id: &'a [u8],
    /// Empty for a root span.
    pub parent_span_id: &'a [u8],
    /// W3C tracestate; carries the sampling threshold as `ot=th:...`.
    pub trace_state: &'a [u8],
    /// UTF-8 by contract, unchecked.
    pub name: &'a [u8],
    /// What kind of work.
    pub kind: SpanKind,
    /// When it began, or 0.
    pub start: Timestamp,
    /// When it ended, or 0; may lie before `start` when clocks moved.
    pub end: Timestamp,
    /// How it ended.
    pub status: Status,
}

impl Span<'_> {
    /// How long it took in seconds; 0 when it ended before it began.
    ///
    /// # Errors
    /// Its start or end is unknown, or they are more than [`crate::limits::DURATION`] apart.
    #[inline]
    pub fn seconds(&self) -> Result<f64, ElapsedError> {
        self.end.seconds_since(self.start)
    }
}

/// One event of a span, without its attributes: those were told before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanEvent<'a> {
    /// UTF-8 by contract, unchecked.
    pub name: &'a [u8],
    /// When it happened, or 0.
    pub time: Timestamp,
}

/// One log record, without its attributes: those were told before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRecord<'a> {
    /// When it happened, or 0.
    pub time: Timestamp,
    /// When it was first seen, or 0.
    pub observed: Timestamp,
    /// 1 to 24, or 0 (logs.proto, `SeverityNumber`).
    pub severity_number: i32,
    /// The sender's own word for it.
    pub severity_text: &'a [u8],
    /// Any value; mostly text.
    pub body: Value<'a>,
    /// Empty for a plain log record.
    pub event_name: &'a [u8],
    /// 16 bytes, or empty.
    pub trace_id: &'a [u8],
    /// 8 bytes, or empty.
    pub span_id: &'a [u8],
}

/// What a walk over a request calls, in this order whatever the order of fields on the wire:
/// `resource`, its attributes; `scope`, its schema, its attributes; then for each span its attributes, `span`, and for each of
/// its events the event's attributes and `event`; for each log record its attributes, then `log`; for each metric `metric`, and
/// for each of its points the point's attributes and `point`. A visitor has the methods it listens to.
///
/// A walk may fail after any call, so a visitor collects and changes nothing outside itself until the walk has returned.
pub trait Visitor<'a> {
    /// A new resource begins; attributes of the last one are gone.
    fn resource(&mut self) {}
    /// A new scope begins; attributes of the last one are gone.
    fn scope(&mut self, _name: &'a [u8], _version: &'a [u8]) {}
    /// Where the schema of the last scope and of what it holds is described; not told when it is empty.
    fn schema(&mut self, _url: &'a [u8]) {}
    /// One attribute. Keys are UTF-8 by contract, unchecked.
    fn attribute(&mut self, _origin: Origin, _key: &'a [u8], _value: Value<'a>) {}
    /// A span whose attributes are complete.
    fn span(&mut self, _span: &Span<'a>) {}
    /// An event of the last span.
    fn event(&mut self, _event: &SpanEvent<'a>) {}
    /// A log record whose attributes are complete.
    fn log(&mut self, _record: &LogRecord<'a>) {}
    /// A metric that has data; its points follow.
    fn metric(&mut self, _metric: &Metric<'a>) {}
    /// A point of the last metric, whose attributes are complete.
    fn point(&mut self, _metric: &Metric<'a>, _point: &Point<'a>) {}
    /// Whether the walk should stop here. It then fails, as at a fault in the framing.
    #[inline(always)]
    fn is_full(&self) -> bool {
        false
    }
}

/// The three kinds of OTLP requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Spans and their events.
    Traces,
    /// Data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// All of them, in the order of [`Signal::index`].
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// A dense index for tables.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The word in paths and labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

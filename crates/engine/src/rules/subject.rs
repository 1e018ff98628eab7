//! The record that is looked at, and the properties it has beside its attributes.

use crate::timestamp::{ElapsedError, Timestamp};
use crate::view::{
    LogRecord, Metric, Origin, Point, PointValue, Session, Span, SpanEvent, SpanKind, Status, Value,
};

use super::definition::{Intrinsic, Source};

/// One record of any kind.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'s, 'a> {
    /// A span.
    Span(&'s Span<'a>),
    /// An event, and its span.
    Event(&'s SpanEvent<'a>, &'s Span<'a>),
    /// A log record.
    Log(&'s LogRecord<'a>),
    /// A data point, and its metric.
    Point(&'s Point<'a>, &'s Metric<'a>),
    /// A conversation that has ended.
    Session(&'s Session),
}

/// What an intrinsic yields.
pub(super) enum Property<'a> {
    Value(Value<'a>),
    Word(&'static str),
    Hex(&'a [u8]),
}

impl<'a> Subject<'_, 'a> {
    /// What kind of record.
    pub fn source(&self) -> Source {
        match self {
            Self::Span(_) => Source::Span,
            Self::Event(..) => Source::SpanEvent,
            Self::Log(_) => Source::Log,
            Self::Point(..) => Source::Datapoint,
            Self::Session(_) => Source::Session,
        }
    }

    /// The span it is or belongs to.
    pub(super) fn span(&self) -> Option<&Span<'a>> {
        match self {
            Self::Span(span) | Self::Event(_, span) => Some(span),
            Self::Log(_) | Self::Point(..) | Self::Session(_) => None,
        }
    }

    /// Where an attribute without a stated origin is looked for, in order.
    pub(super) fn origins(&self) -> &'static [Origin] {
        match self {
            Self::Span(_) => &[Origin::Span, Origin::Scope, Origin::Resource],
            Self::Event(..) => &[Origin::Event, Origin::Span, Origin::Scope, Origin::Resource],
            Self::Log(_) => &[Origin::Log, Origin::Scope, Origin::Resource],
            Self::Point(..) => &[Origin::Point, Origin::Scope, Origin::Resource],
            // What it remembers stands for its turns' attributes.
            Self::Session(_) => &[],
        }
    }

    /// Whether attributes of this origin belong to the record at all.
    pub(super) fn sees(&self, origin: Origin) -> bool {
        self.origins().contains(&origin)
    }

    /// The record's own time: a span's end, an event's or a point's time, a log record's time or when it was first seen; 0:
    /// unknown.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Span(span) => span.end,
            Self::Event(event, span) if event.time.0 == 0 => span.end,
            Self::Event(event, _) => event.time,
            Self::Log(record) if record.time.0 == 0 => record.observed,
            Self::Log(record) => record.time,
            Self::Point(point, _) => point.time,
            Self::Session(session) => session.end,
        }
    }

    /// What clocks say of it, in seconds: its time, as it is shown of a record that arrived at `arrival`, how long it took, or how
    /// long after its span's start it was. None: it has no such property.
    pub(super) fn clock(
        &self,
        intrinsic: Intrinsic,
        arrival: Timestamp,
    ) -> Option<Result<f64, ElapsedError>> {
        match (intrinsic, self) {
            (Intrinsic::Duration, Self::Session(session)) => Some(session.seconds()),
            (Intrinsic::Duration, _) => self.span().map(Span::seconds),
            (Intrinsic::SinceStart, Self::Event(event, span)) => {
                Some(event.time.seconds_since(span.start))
            }
            (Intrinsic::Time, _) if self.time().is_unknown() => Some(Err(ElapsedError::Unknown)),
            (Intrinsic::Time, _) => Some(Ok(self.time().shown(arrival).seconds())),
            _ => None,
        }
    }

    /// A property that needs no slot and no clock; `Service`, `ScopeName` and a log record's fallback name are the caller's.
    pub(super) fn property(&self, intrinsic: Intrinsic) -> Option<Property<'a>> {
        let span = self.span();
        let text = |bytes: &'a [u8]| Some(Property::Value(Value::Text(bytes)));
        match (intrinsic, self) {
            (Intrinsic::Name, Self::Span(span)) => text(span.name),
            (Intrinsic::Name, Self::Event(event, _)) => text(event.name),
            (Intrinsic::Name, Self::Log(record)) => text(record.event_name),
            (Intrinsic::Name, Self::Point(_, metric)) => text(metric.name),
            (Intrinsic::Value, Self::Point(point, _)) => measured(point),
            (Intrinsic::SpanName, Self::Event(_, span)) => text(span.name),
            (Intrinsic::Severity, Self::Log(record)) => severity(record),
            (Intrinsic::Body, Self::Log(record)) => Some(Property::Value(record.body)),
            (Intrinsic::TraceId, Self::Log(record)) => Some(Property::Hex(record.trace_id)),
            (Intrinsic::SpanId, Self::Log(record)) => Some(Property::Hex(record.span_id)),
            (Intrinsic::TraceId, _) => span.map(|span| Property::Hex(span.trace_id)),
            (Intrinsic::SpanId, _) => span.map(|span| Property::Hex(span.span_id)),
            (Intrinsic::Kind, _) => span.map(|span| Property::Word(kind(span.kind))),
            (Intrinsic::Status, _) => span.map(|span| Property::Word(status(span.status))),
            (Intrinsic::Root, _) => {
                span.map(|span| Property::Value(Value::Bool(is_blank(span.parent_span_id))))
            }
            _ => None,
        }
    }
}

fn number<'a>(value: f64) -> Property<'a> {
    Property::Value(Value::Double(value))
}

/// A point's number; histograms and summaries have none.
fn measured<'a>(point: &Point<'a>) -> Option<Property<'a>> {
    match point.value {
        PointValue::Int(value) => Some(Property::Value(Value::Int(value))),
        PointValue::Double(value) => Some(number(value)),
        _ => None,
    }
}

fn is_blank(id: &[u8]) -> bool {
    id.iter().all(|byte| *byte == 0)
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified | SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Unset => "unset",
        Status::Ok => "ok",
        Status::Error => "error",
    }
}

/// By number (logs data model, "Displaying Severity"); without one, the sender's own word.
fn severity<'a>(record: &LogRecord<'a>) -> Option<Property<'a>> {
    Some(match record.severity_number {
        1..=4 => Property::Word("trace"),
        5..=8 => Property::Word("debug"),
        9..=12 => Property::Word("info"),
        13..=16 => Property::Word("warn"),
        17..=20 => Property::Word("error"),
        21..=24 => Property::Word("fatal"),
        _ => Property::Value(Value::Text(record.severity_text)),
    })
}

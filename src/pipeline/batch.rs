//! One request on its way: the walk's visitor. It collects items and updates, and changes nothing outside itself.

use crate::clock::Timestamp;
use crate::derive::{Fingerprint, weight};
use crate::rules::definition::Source;
use crate::rules::{Evaluation, Subject, Updates};
use crate::series::Sample;
use crate::view::{LogRecord, Origin, Span, SpanEvent, Value, Visitor};

use super::engine::Engine;

/// A request's items and what the rules made of them.
pub(super) struct Batch<'a> {
    evaluation: Evaluation<'a>,
    keys: &'a foldhash::fast::RandomState,
    /// Records before this are late.
    deadline: Option<Timestamp>,
    span: Span<'a>,
    /// The last span's attributes are complete: the next one for a span is another span's.
    span_told: bool,
    pub(super) items: Vec<Item<'a>>,
}

/// One span or log record.
pub(super) struct Item<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) weight: f64,
    pub(super) fate: Fate,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Matched,
    Unmatched,
    Late,
    Duplicate,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        keys: &'a foldhash::fast::RandomState,
        now: Timestamp,
    ) -> Self {
        Self {
            evaluation: Evaluation::new(&engine.rules, engine.limits.label_value, now),
            keys,
            deadline: engine.limits.late.map(|late| now.before(late)),
            span: Span::default(),
            span_told: false,
            items: Vec::new(),
        }
    }

    pub(super) fn into_parts(self) -> (Vec<Item<'a>>, Updates<'a>) {
        (self.items, self.evaluation.updates)
    }

    fn item(&mut self, item: Item<'a>, subject: Subject<'_, 'a>) {
        self.items.push(item);
        let time = subject.time();
        let late = self.deadline.is_some_and(|deadline| time.0 != 0 && time < deadline);
        if late {
            self.settle(Fate::Late);
        } else {
            self.evaluate(subject);
        }
    }

    /// Runs the rules over a record of the last item.
    fn evaluate(&mut self, subject: Subject<'_, 'a>) {
        let Some((at, item)) = self.items.len().checked_sub(1).zip(self.items.last()) else {
            return;
        };
        let weight = item.weight;
        let Ok(at) = u32::try_from(at) else { return };
        if self.evaluation.record(subject, at, weight) {
            self.settle(Fate::Matched);
        }
    }

    fn settle(&mut self, fate: Fate) {
        if let Some(item) = self.items.last_mut() {
            item.fate = fate;
        }
    }
}

impl Item<'_> {
    /// The record behind a change, its ids when they are whole.
    pub(super) fn sample(&self, time: Timestamp) -> Sample {
        let trace_id = self.trace_id.try_into().ok().filter(|id| *id != [0; 16]);
        let ids = trace_id.map(|id| (id, self.span_id.try_into().unwrap_or_default()));
        Sample { time, ids }
    }
}

impl<'a> Visitor<'a> for Batch<'a> {
    fn resource(&mut self) {
        self.evaluation.slots.clear(Origin::Resource);
    }

    fn scope(&mut self, name: &'a [u8], _version: &'a [u8]) {
        self.evaluation.scope(name);
    }

    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        if origin == Origin::Span && std::mem::take(&mut self.span_told) {
            self.evaluation.slots.clear(Origin::Span);
        }
        self.evaluation.slots.set(origin, key, value);
    }

    fn span(&mut self, span: &Span<'a>) {
        if std::mem::replace(&mut self.span_told, true) {
            self.evaluation.slots.clear(Origin::Span);
        }
        self.span = *span;
        let item = Item {
            trace_id: span.trace_id,
            span_id: span.span_id,
            fingerprint: Fingerprint::of_span(self.keys, span.trace_id, span.span_id),
            weight: weight(span.trace_state),
            fate: Fate::Unmatched,
        };
        self.item(item, Subject::Span(span));
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        let live = self.items.last().is_some_and(|item| item.fate != Fate::Late);
        if live && self.evaluation.reads(Source::SpanEvent) {
            let span = self.span;
            self.evaluate(Subject::Event(event, &span));
        }
        self.evaluation.slots.clear(Origin::Event);
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        let item = Item {
            trace_id: record.trace_id,
            span_id: record.span_id,
            fingerprint: None, // a log record has no identity
            weight: 1.0,
            fate: Fate::Unmatched,
        };
        self.item(item, Subject::Log(record));
        self.evaluation.slots.clear(Origin::Log);
    }
}

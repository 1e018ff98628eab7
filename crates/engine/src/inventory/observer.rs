//! The second walk: a visitor that notes names and attributes, and shows each record to the rules once more, to hear who takes it.

use crate::dedupe::Keys;
use crate::limits;
use crate::rules::{Evaluation, Scratch, Subject, recycled};
use crate::timestamp::Timestamp;
use crate::view::{LogRecord, Metric, Origin, Point, Span, SpanEvent, Value, Visitor};

use super::census::Census;
use super::told::RecordKind;
use crate::items::Attribute;
use crate::runtime::Engine;

const EVENT_NAME: &[u8] = b"event.name";

/// The visitor. Its slots are kept as those of `pipeline::batch` and `passthrough::points`.
pub(super) struct Observer<'w, 'a> {
    engine: &'a Engine,
    keys: &'a Keys,
    census: &'w mut Census,
    evaluation: Evaluation<'a>,
    /// Attributes of the record at hand, whose name comes after them.
    attributes: Vec<Attribute<'a>>,
    /// Attributes there may still be, of the resource or scope at hand.
    room: usize,
    span: Span<'a>,
    /// The last span's attributes are complete.
    span_told: bool,
    /// Whether the last span was looked at.
    span_seen: bool,
    /// Whether the points of the metric at hand pass.
    passes: bool,
    sample: Sample,
    /// Resources and scopes, and events, that may still be looked at.
    homes: usize,
    events: usize,
    /// Where the resource or scope at hand is counted.
    home: Option<usize>,
}

/// Which items are looked at.
#[derive(Clone, Copy)]
struct Sample {
    /// Items so far.
    item: usize,
    /// One of so many is looked at.
    stride: usize,
    /// Which one of them.
    first: usize,
    /// Looked at so far.
    seen: usize,
}

/// Memory that one walk leaves to the next.
#[derive(Default)]
pub(super) struct Room {
    scratch: Scratch,
    attributes: Vec<Attribute<'static>>,
}

/// What a walk looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Looked {
    /// Spans, log records or data points.
    pub(super) items: usize,
    /// Those, and events.
    pub(super) records: usize,
}

impl<'w, 'a> Observer<'w, 'a> {
    /// For a request of so many items. `turn` changes with each walk, so that it is not always the same ones of many.
    pub(super) fn new(
        (engine, keys, now): (&'a Engine, &'a Keys, Timestamp),
        census: &'w mut Census,
        room: Room,
        (items, turn): (usize, usize),
    ) -> Self {
        let Room { scratch, attributes } = room;
        let evaluation = Evaluation::new(&engine.rules, (engine.limits.label_value, now), scratch);
        let stride = items.div_ceil(limits::INVENTORY_RECORDS).max(1);
        Self {
            engine,
            keys,
            census,
            evaluation,
            attributes: recycled(attributes),
            room: 0,
            span: Span::default(),
            span_told: false,
            span_seen: false,
            passes: false,
            sample: Sample { item: 0, stride, first: turn % stride, seen: 0 },
            homes: limits::INVENTORY_RECORDS,
            events: limits::INVENTORY_RECORDS,
            home: None,
        }
    }

    /// What was looked at, and the memory.
    pub(super) fn end(self) -> (Looked, Room) {
        let items = self.sample.seen;
        let records = items + limits::INVENTORY_RECORDS - self.events;
        let attributes = recycled(self.attributes);
        (Looked { items, records }, Room { scratch: self.evaluation.into_scratch(), attributes })
    }

    /// A resource or a scope, whose attributes follow.
    fn home(&mut self, kind: RecordKind, name: &[u8]) {
        self.home = None;
        if let Some(left) = self.homes.checked_sub(1) {
            self.homes = left;
            let place = self.census.place(kind, name, self.engine.limits.label_value);
            self.census.begin(place);
            (self.home, self.room) = (Some(place), limits::INVENTORY_ATTRIBUTES);
        }
    }

    /// Forgets the last span's attributes when they are complete.
    fn leave_span(&mut self, told: bool) {
        if std::mem::replace(&mut self.span_told, told) {
            self.evaluation.forget(Origin::Span);
        }
    }

    /// A record whose attributes are complete. `passes`: it goes somewhere, whatever the rules say.
    fn record(&mut self, kind: RecordKind, name: &[u8], subject: Subject<'_, 'a>, passes: bool) {
        let place = self.census.place(kind, name, self.engine.limits.label_value);
        self.census.begin(place);
        for (key, value) in self.attributes.drain(..) {
            self.census.attribute(place, key, value, self.keys);
        }
        let before = self.evaluation.updates.list.len();
        let took = self.evaluation.record(subject, 0, 1.0) || passes;
        let made = self.evaluation.updates.list.iter().skip(before);
        self.census.judge(place, took, made.map(|update| update.family));
    }

    fn hides_event_names(&self) -> bool {
        self.engine.private.hides_key(Some(Origin::Log), "event.name")
    }
}

impl Sample {
    /// Whether the item whose attributes come now is looked at.
    fn takes_next(&self) -> bool {
        self.item % self.stride == self.first
    }

    /// Ends an item, and whether it is looked at.
    fn take(&mut self) -> bool {
        let takes = self.takes_next();
        self.item += 1;
        self.seen += usize::from(takes);
        takes
    }
}

impl<'a> Visitor<'a> for Observer<'_, 'a> {
    fn resource(&mut self) {
        self.evaluation.resource();
        self.home(RecordKind::Resource, b"");
    }

    fn scope(&mut self, name: &'a [u8], _version: &'a [u8]) {
        self.evaluation.scope(name);
        self.home(RecordKind::Scope, name);
    }

    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        let wanted = match origin {
            Origin::Resource | Origin::Scope => {
                if let Some((place, left)) = self.home.zip(self.room.checked_sub(1)) {
                    self.room = left;
                    self.census.attribute(place, key, value, self.keys);
                }
                return self.evaluation.attribute(origin, key, value);
            }
            Origin::Span => {
                self.leave_span(false);
                self.sample.takes_next()
            }
            Origin::Event => self.span_seen && self.events > 0,
            Origin::Log | Origin::Point => self.sample.takes_next(),
        };
        if wanted {
            self.evaluation.attribute(origin, key, value);
            match self.attributes.len() < limits::INVENTORY_ATTRIBUTES {
                true => self.attributes.push((key, value)),
                false => self.census.bounded = true,
            }
        }
    }

    fn span(&mut self, span: &Span<'a>) {
        self.leave_span(true);
        self.span = *span;
        self.span_seen = self.sample.take();
        if self.span_seen {
            self.record(RecordKind::Span, span.name, Subject::Span(span), false);
        }
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        if let Some(left) = self.events.checked_sub(1).filter(|_| self.span_seen) {
            self.events = left;
            let span = self.span;
            self.record(RecordKind::SpanEvent, event.name, Subject::Event(event, &span), false);
        }
        self.evaluation.forget(Origin::Event);
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        if self.sample.take() {
            let told = self.attributes.iter().find_map(|(key, value)| match value {
                Value::Text(name) if *key == EVENT_NAME => Some(*name),
                _ => None,
            });
            let told = told.filter(|_| !self.hides_event_names()).unwrap_or_default();
            let name = if record.event_name.is_empty() { told } else { record.event_name };
            self.record(RecordKind::Log, name, Subject::Log(record), false);
        }
        self.evaluation.forget(Origin::Log);
    }

    fn metric(&mut self, metric: &Metric<'a>) {
        let name = std::str::from_utf8(metric.name).unwrap_or_default();
        self.passes = self.engine.points.pass.iter().any(|glob| glob.fits(name));
    }

    fn point(&mut self, metric: &Metric<'a>, point: &Point<'a>) {
        if self.sample.take() {
            let subject = Subject::Point(point, metric);
            self.record(RecordKind::Datapoint, metric.name, subject, self.passes);
        }
        self.evaluation.forget(Origin::Point);
    }
}

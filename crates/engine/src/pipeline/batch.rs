//! One request on its way: the walk's visitor. It collects items and updates, and changes nothing outside itself.

use crate::dedupe::{Fingerprint, Keys};
use crate::limits;
use crate::rules::definition::Source;
use crate::rules::{Evaluation, Subject};
use crate::timestamp::Timestamp;
use crate::view::{LogRecord, Origin, Span, SpanEvent, Value, Visitor};
use crate::weight::weight;

use crate::items::{Fate, Item};
use crate::runtime::Engine;
use crate::workspace::Workspace;

/// A request's items and what the rules made of them.
pub(crate) struct Batch<'a> {
    evaluation: Evaluation<'a>,
    keys: &'a Keys,
    /// Records before this are late.
    deadline: Option<Timestamp>,
    /// The last span, while there are rules for its events.
    span: Span<'a>,
    reads_events: bool,
    /// The last span's attributes are complete: the next one for a span is another span's.
    span_told: bool,
    /// Events of spans so far.
    events: usize,
    /// Whether it takes no more than one chunk holds.
    is_bounded: bool,
    /// The rest of the workspace; `items` grow on the way.
    work: Workspace,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(engine: &'a Engine, keys: &'a Keys, now: Timestamp) -> Self {
        let mut work = engine.workspaces.take();
        work.items.clear();
        let scratch = std::mem::take(&mut work.scratch);
        let evaluation = Evaluation::new(&engine.rules, (engine.limits.label_value, now), scratch);
        Self {
            reads_events: evaluation.reads(Source::SpanEvent),
            evaluation,
            keys,
            deadline: engine.limits.late.map(|late| now.before(late)),
            span: Span::default(),
            span_told: false,
            events: 0,
            is_bounded: true,
            work,
        }
    }

    /// The same, and never full: for who may take as much memory as a request needs.
    pub(crate) fn unbounded(engine: &'a Engine, keys: &'a Keys, now: Timestamp) -> Self {
        Self { is_bounded: false, ..Self::new(engine, keys, now) }
    }

    /// Lets `commit` use what there is so far, and goes on with nothing. While events of the last item may follow, the item stays:
    /// `commit` has seen it, but doesn't count it.
    pub(super) fn commit_chunk(&mut self, is_open: bool, commit: impl FnOnce(&mut Workspace)) {
        let evaluated = &mut self.evaluation.updates;
        std::mem::swap(evaluated, &mut self.work.scratch.updates);
        commit(&mut self.work);
        std::mem::swap(&mut self.evaluation.updates, &mut self.work.scratch.updates);
        self.evaluation.restart();
        let last = self.work.items.pop().filter(|_| is_open);
        self.work.items.clear();
        // It came before, namely in the chunk before.
        self.work.items.extend(last.map(|item| Item { fingerprint: None, ..item }));
        self.events = 0;
    }

    /// The items, and what the rules made of them.
    pub(crate) fn into_work(self) -> Workspace {
        Workspace { scratch: self.evaluation.into_scratch(), ..self.work }
    }

    fn item(&mut self, item: Item, subject: Subject<'_, 'a>) {
        self.work.items.push(item);
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
        let Some((at, item)) = self.work.items.len().checked_sub(1).zip(self.work.items.last())
        else {
            return;
        };
        let weight = item.weight;
        let Ok(at) = u32::try_from(at) else { return };
        if self.evaluation.record(subject, at, weight) {
            self.settle(Fate::Matched);
        }
    }

    fn settle(&mut self, fate: Fate) {
        if let Some(item) = self.work.items.last_mut() {
            item.fate = fate;
        }
    }
}

/// A record's ids as exemplars show them: none without a trace id.
#[inline]
fn ids(trace_id: &[u8], span_id: &[u8]) -> Option<([u8; 16], [u8; 8])> {
    let trace_id = trace_id.try_into().ok().filter(|id| *id != [0; 16])?;
    Some((trace_id, span_id.try_into().unwrap_or_default()))
}

impl<'a> Visitor<'a> for Batch<'a> {
    fn resource(&mut self) {
        self.evaluation.resource();
    }

    fn scope(&mut self, name: &'a [u8], _version: &'a [u8]) {
        self.evaluation.scope(name);
    }

    #[inline(always)]
    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        if origin == Origin::Span && std::mem::take(&mut self.span_told) {
            self.evaluation.forget(Origin::Span);
        }
        self.evaluation.attribute(origin, key, value);
    }

    fn span(&mut self, span: &Span<'a>) {
        if std::mem::replace(&mut self.span_told, true) {
            self.evaluation.forget(Origin::Span);
        }
        if self.reads_events {
            self.span = *span;
        }
        let item = Item {
            ids: ids(span.trace_id, span.span_id),
            fingerprint: Fingerprint::of_span(self.keys, span.trace_id, span.span_id),
            weight: weight(span.trace_state),
            fate: Fate::Unmatched,
        };
        self.item(item, Subject::Span(span));
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        self.events += 1;
        let item = self.work.items.last();
        let live = item.is_some_and(|item| !matches!(item.fate, Fate::Late | Fate::Duplicate));
        if live && self.reads_events {
            let span = self.span;
            self.evaluate(Subject::Event(event, &span));
        }
        self.evaluation.forget(Origin::Event);
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        let item = Item {
            ids: ids(record.trace_id, record.span_id),
            fingerprint: None, // a log record has no identity
            weight: 1.0,
            fate: Fate::Unmatched,
        };
        self.item(item, Subject::Log(record));
        self.evaluation.forget(Origin::Log);
    }

    #[inline]
    fn is_full(&self) -> bool {
        let has_items = self.work.items.len() > limits::CHUNK_ITEMS;
        let is_full =
            has_items || self.events > limits::CHUNK_EVENTS || self.evaluation.updates.is_full();
        is_full && self.is_bounded
    }
}

//! The second walk: each record is shown to the rules again, to ask why, beside what the first walk made of it.

use crate::counters::Rejection;
use crate::model::key;
use crate::rules::explain::{Account, Asked, Found};
use crate::rules::{Evaluation, Scratch, Subject, Update, Updates};
use crate::timestamp::Timestamp;
use crate::view::{LogRecord, Metric, Origin, Point, Span, SpanEvent, Value, Visitor};

use crate::items::{Fate, PointItem};
use crate::passthrough::{self, Brought, PointBatch, measure};
use crate::runtime::Engine;
use crate::workspace::Workspace;

use super::{Counts, Made, Pass, Tell, Told, ToldPoint, Verdict};

const SERVICE: &[u8] = b"service.name";

/// What became of a request, as the code that serves says.
#[derive(Clone, Copy)]
pub(super) enum Outcome<'w, 'a> {
    Records(&'w Workspace),
    Points(&'w PointBatch<'a>, &'w [(Result<Fate, Rejection>, Brought)]),
}

/// The visitor. Its slots are kept as those of `pipeline::batch` and `passthrough::points`.
pub(super) struct Guide<'w, 'a, 'd> {
    engine: &'a Engine,
    evaluation: Evaluation<'a>,
    asked: Asked<'d>,
    outcome: Outcome<'w, 'a>,
    tell: Tell<'w>,
    service: Found,
    span: Span<'a>,
    /// The last span's attributes are complete.
    span_told: bool,
    /// Items told so far.
    items: usize,
    /// Updates told so far.
    updates: usize,
}

impl<'w, 'a, 'd> Guide<'w, 'a, 'd> {
    pub(super) fn new(
        engine: &'a Engine,
        (asked, now): (Asked<'d>, Timestamp),
        outcome: Outcome<'w, 'a>,
        tell: Tell<'w>,
    ) -> Self {
        let evaluation =
            Evaluation::new(&engine.rules, (engine.limits.label_value, now), Scratch::default());
        let (service, span) = (Found::Missing, Span::default());
        let (span_told, items, updates) = (false, 0, 0);
        Self { engine, evaluation, asked, outcome, tell, service, span, span_told, items, updates }
    }

    /// Tells a record of the last item.
    fn record(&mut self, subject: Subject<'_, 'a>) {
        let item = self.items.saturating_sub(1);
        let (fate, weight) = match self.outcome {
            Outcome::Records(done) => {
                done.items.get(item).map(|item| (Ok(item.fate), item.weight)).unzip()
            }
            Outcome::Points(_, became) => (became.get(item).map(|(fate, _)| *fate), Some(1.0)),
        };
        let (Some(fate), Some(weight)) = (fate, weight) else { return };
        let verdict = match fate {
            Ok(Fate::Matched) => Verdict::Accepted,
            Ok(Fate::Unmatched) => Verdict::Unmatched,
            Ok(Fate::Late) => Verdict::Rejected(Rejection::Late),
            Ok(Fate::Duplicate) => Verdict::Rejected(Rejection::Duplicate),
            Err(reason) => Verdict::Rejected(reason),
        };
        let account =
            (fate != Ok(Fate::Late)).then(|| self.evaluation.explain(self.asked, subject, weight));
        let made = account.as_ref().map(|account| self.made(item, account, verdict));
        let point = match (subject, self.outcome) {
            (Subject::Point(_, metric), Outcome::Points(batch, became)) => {
                let (one, brought) = (batch.items.get(item), became.get(item));
                one.zip(brought)
                    .map(|(one, (_, brought))| self.of_point(batch, one, metric, *brought))
            }
            _ => None,
        };
        let (made, service) = (made.unwrap_or_default(), self.service.clone());
        (self.tell)(&Told { subject, verdict, account, made, service, point });
    }

    /// The next updates, as far as they are this record's: the rules made them in the order in which they now account for
    /// them, one for each part that holds and has an amount.
    fn made(&mut self, item: usize, account: &Account<'d>, verdict: Verdict) -> Vec<Made<'a>> {
        let (updates, kind) = match self.outcome {
            Outcome::Records(done) => (&done.scratch.updates, None),
            Outcome::Points(batch, _) => {
                let told = batch.items.get(item).and_then(|one| batch.metrics.get(one.metric));
                (batch.updates(), told.map(|told| measure::kind(told.metric.data)))
            }
        };
        let mut made = Vec::new();
        for rule in &account.rules {
            for (part, account) in (0_u32..).zip(&rule.parts) {
                let expected =
                    account.held && (kind.is_some() || matches!(account.op, Ok(Some(_))));
                let Some(update) = updates.list.get(self.updates).filter(|_| expected) else {
                    continue;
                };
                let at = (update.item as usize, update.family, update.shape);
                if at == (item, rule.family, part) {
                    self.updates += 1;
                    let counts = match verdict {
                        Verdict::Rejected(_) => Counts::Rejected,
                        _ if kind.is_some_and(|kind| {
                            !passthrough::takes(self.engine, rule.family, kind)
                        }) =>
                        {
                            Counts::OtherKind
                        }
                        _ => self.counts(updates, update),
                    };
                    made.push(self.one(updates, update, counts));
                }
            }
        }
        made
    }

    fn counts(&self, updates: &Updates, update: &Update) -> Counts<'a> {
        let Outcome::Records(done) = self.outcome else { return Counts::Yes };
        let repeated = |guard: &u32| done.repeated.get(*guard as usize) == Some(&true);
        let guard = update.guard.filter(repeated);
        let guard = guard.and_then(|guard| updates.guards.get(guard as usize));
        guard.map_or(Counts::Yes, |guard| {
            let name = self.engine.rules.class_names().get(guard.class as usize);
            Counts::Repeated(name.map_or("", String::as_str))
        })
    }

    fn one(&self, updates: &Updates, update: &Update, counts: Counts<'a>) -> Made<'a> {
        let engine = self.engine;
        let family = engine.rules.declarations().get(update.family as usize);
        let names = family.map_or(&[][..], |one| &one.family.labels);
        let values = key::values(updates.key(update.key));
        let labels = names.iter().zip(values).filter(|(_, value)| !value.is_empty());
        let labels = labels.map(|(name, value)| (name.as_str(), value.to_owned())).collect();
        Made { family: update.family, part: update.shape, labels, op: update.op, counts }
    }

    fn of_point(
        &self,
        batch: &PointBatch<'a>,
        item: &PointItem<'a>,
        metric: &Metric<'a>,
        brought: Brought,
    ) -> ToldPoint {
        let own = batch.attributes.get(item.attributes.clone()).unwrap_or_default();
        let attribute = |(key, value): &(&'a [u8], Value<'a>)| {
            let key = String::from_utf8_lossy(key).into_owned();
            let found = self.shown(Origin::Point, &key, *value);
            (key, found)
        };
        let pass = match brought.way {
            _ if !batch.metrics.get(item.metric).is_some_and(|told| told.passes) => Pass::No,
            None => Pass::Nowhere,
            Some(Err(reason)) => Pass::Refused(reason),
            Some(Ok(())) => self.series(batch, item, metric).unwrap_or(Pass::Nowhere),
        };
        ToldPoint { attributes: own.iter().map(attribute).collect(), gain: brought.gain, pass }
    }

    /// The series of its own that a point goes to, named as the code that serves names it.
    fn series(
        &self,
        batch: &PointBatch<'a>,
        item: &PointItem<'a>,
        metric: &Metric<'a>,
    ) -> Option<Pass> {
        let (passing, kind) = (&self.engine.points, measure::kind(metric.data));
        let home = batch.homes.get(batch.metrics.get(item.metric)?.home)?;
        let target = passing.target(batch.attributes.get(home.resource.clone())?);
        let own = batch.attributes.get(item.attributes.clone())?;
        let labels = passing.series(&batch.attributes, home, own, (&target, kind)).ok()?;
        Some(Pass::As(passing.metric(metric.name, metric.unit, kind)?.name, labels))
    }

    fn shown(&self, origin: Origin, key: &str, value: Value<'a>) -> Found {
        let mut text = String::new();
        value.write_text(&mut text);
        match self.asked.private.hides_key(Some(origin), key) {
            true if !text.is_empty() => Found::Hidden,
            _ => Found::text(&text),
        }
    }

    /// Forgets the last span's attributes when they are complete.
    fn leave_span(&mut self, told: bool) {
        if std::mem::replace(&mut self.span_told, told) {
            self.evaluation.forget(Origin::Span);
        }
    }
}

impl<'a> Visitor<'a> for Guide<'_, 'a, '_> {
    fn resource(&mut self) {
        self.evaluation.resource();
        self.service = Found::Missing;
    }

    fn scope(&mut self, name: &'a [u8], _version: &'a [u8]) {
        self.evaluation.scope(name);
    }

    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        if origin == Origin::Span {
            self.leave_span(false);
        }
        if origin == Origin::Resource && key == SERVICE && self.service == Found::Missing {
            self.service = self.shown(origin, "service.name", value);
        }
        self.evaluation.attribute(origin, key, value);
    }

    fn span(&mut self, span: &Span<'a>) {
        self.leave_span(true);
        self.span = *span;
        self.items += 1;
        self.record(Subject::Span(span));
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        let span = self.span;
        self.record(Subject::Event(event, &span));
        self.evaluation.forget(Origin::Event);
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        self.items += 1;
        self.record(Subject::Log(record));
        self.evaluation.forget(Origin::Log);
    }

    fn point(&mut self, metric: &Metric<'a>, point: &Point<'a>) {
        self.items += 1;
        self.record(Subject::Point(point, metric));
        self.evaluation.forget(Origin::Point);
    }
}

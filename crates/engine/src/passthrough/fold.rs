//! The second half of the arrow for data points: each is folded into its stream, and what it adds goes to the series it passes
//! to and to those that rules make of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::counters::{Counters, ItemCounts, Rejection};
use crate::dedupe::Fingerprint;
use crate::limits;
use crate::model::amount::{Amount, Shape};
use crate::model::{Addition, BucketKind, Kind, Op};
use crate::rules::{SkipReason, Update};
use crate::series::{Applied, Birth, Budget, Change, Sample};
use crate::streams::{Context, Folded, Reject, Streams};
use crate::timestamp::Timestamp;
use crate::view::Temporality;

use crate::items::{self, Fate, Home, PointItem};
use crate::runtime::Engine;
use crate::translation::Target;

use super::measure::{self, Spares};
use super::points::PointBatch;
use super::route::{self, Route, Way};
use super::targets::Targets;

/// What is known of senders of data points.
pub(crate) struct Senders {
    pub(crate) streams: Streams,
    /// Where the points of a stream go: only a memory, what it lacks is found again.
    pub(crate) routes: HashMap<Fingerprint, Route, foldhash::fast::RandomState>,
    pub(crate) targets: Targets,
    /// Who each resource is, by its hash and the rules' epoch: only a memory too.
    pub(crate) known: HashMap<(u64, u64), Target, foldhash::fast::RandomState>,
    /// Of each home of the batch at hand.
    pub(crate) homes: Vec<Target>,
    pub(crate) spares: Spares,
}

/// What a fold needs to know of the process around it.
#[derive(Clone, Copy)]
pub(crate) struct Process<'p> {
    pub(crate) counters: &'p Counters,
    /// When it began.
    pub(crate) began: Timestamp,
    /// When the last scrape that was read to its end began.
    pub(crate) scraped: Timestamp,
    pub(crate) now: Timestamp,
}

/// One request's fold.
struct Fold<'b, 'a> {
    process: Process<'b>,
    engine: &'b Engine,
    senders: &'b mut Senders,
    batch: &'b PointBatch<'a>,
    /// Of each home of the batch.
    targets: Vec<Target>,
    /// Of the point at hand.
    brought: Brought,
}

/// What a point brought, beside what became of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Brought {
    /// Whether it has a series of its own, or why it may not; none: it goes to none.
    pub(crate) way: Option<Result<(), Rejection>>,
    /// To all its series.
    pub(crate) gain: Gain,
}

/// What its series gain by a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Gain {
    /// Nothing: it was not taken, or says only that it pauses.
    #[default]
    Nothing,
    /// A counter rises.
    Number(f64),
    /// A histogram or summary rises by so many observations, and by their sum.
    Observations(f64, Option<f64>),
    /// A histogram begins anew with so many.
    Anew(f64, Option<f64>),
    /// A level.
    Level(f64),
    /// The level has ended.
    End,
}

/// Folds what counts of a batch and tells what became of its points.
pub(crate) fn fold(
    senders: &mut Senders,
    (engine, process): (&Engine, Process<'_>),
    batch: &PointBatch<'_>,
) -> ItemCounts {
    let mut counts = ItemCounts { received: batch.items.len() as u64, ..ItemCounts::default() };
    fold_each(senders, (engine, process), batch, &mut |became, _| match became {
        Ok(fate) => items::count(&mut counts, fate),
        Err(reason) => counts.reject(reason),
    });
    counts
}

/// Folds what counts of a batch and tells of each point what became of it and what it brought.
pub(crate) fn fold_each(
    senders: &mut Senders,
    (engine, process): (&Engine, Process<'_>),
    batch: &PointBatch<'_>,
    tell: &mut dyn FnMut(Result<Fate, Rejection>, Brought),
) {
    let mut targets = std::mem::take(&mut senders.homes);
    targets.clear();
    targets.extend(batch.homes.iter().map(|home| senders.target(engine, batch, home)));
    let brought = Brought::default();
    let mut fold = Fold { process, engine, senders, batch, targets, brought };
    for item in &batch.items {
        fold.brought = Brought::default();
        let became = fold.item(item);
        tell(became, fold.brought);
    }
    let targets = fold.targets;
    senders.homes = targets;
}

impl<'b, 'a> Fold<'b, 'a> {
    fn item(&mut self, item: &PointItem<'a>) -> Result<Fate, Rejection> {
        let told = self.batch.metrics.get(item.metric);
        let told = told.filter(|told| told.passes || item.fate == Fate::Matched);
        let Some(told) = told.filter(|_| item.fate != Fate::Late) else { return Ok(item.fate) };
        let point = measure::point(&told.metric, &item.point, &mut self.senders.spares)
            .map_err(rejection)?;
        let kind = measure::kind(told.metric.data);
        let is_idle = self.rules(item, kind).next().is_none();
        let way = match told.passes && point.recorded {
            true => Some(self.way(item, told.home, point.measured.shape())),
            false => None,
        };
        self.brought.way = way.as_ref().map(|way| way.as_ref().map(|_| ()).map_err(|why| *why));
        // It is rejected for its name, its type or want of room only when no rule has another use for it.
        match way {
            Some(Err(reason)) if is_idle => return Err(reason),
            None if is_idle && !told.passes => return Err(Rejection::TypeConflict),
            _ => {}
        }
        let goes = Goes { way: way.and_then(Result::ok), kind, temporality: point.temporality };
        let context = self.context(told.home);
        let folded = self.senders.streams.fold(item.stream, point, context);
        self.brought.gain = Gain::of(&folded);
        self.apply(item, goes, folded, context)
    }

    fn context(&self, home: usize) -> Context {
        let first = self.targets.get(home).and_then(|target| self.senders.targets.first(target));
        let Process { began, scraped, now, .. } = self.process;
        Context { now, began, scraped: first.is_some_and(|first| scraped > first) }
    }

    /// What rules make of the point, where their families can take such points at all.
    fn rules(
        &self,
        item: &PointItem<'a>,
        kind: Kind,
    ) -> impl Iterator<Item = &'b Update> + use<'b, 'a> {
        let (engine, batch) = (self.engine, self.batch);
        let all = batch.updates().list.get(item.updates.clone()).unwrap_or_default();
        all.iter().filter(move |update| takes(engine, update.family, kind))
    }

    /// Which series of its own the point goes to.
    fn way(
        &self,
        item: &PointItem<'a>,
        home: usize,
        shape: Option<Shape>,
    ) -> Result<Way, Rejection> {
        if let Some(way) = self.senders.known(item.stream, self.engine, shape)? {
            return Ok(way);
        }
        let target = self.targets.get(home).ok_or(Rejection::Name)?;
        let again = self.senders.routes.contains_key(&item.stream)
            || self.senders.streams.knows(item.stream);
        Way::find(self.engine, self.batch, item, (target, shape, again))
    }

    fn apply(
        &mut self,
        item: &PointItem<'a>,
        goes: Goes,
        folded: Folded,
        context: Context,
    ) -> Result<Fate, Rejection> {
        let (amount, anew) = match folded {
            Folded::Add(amount) => (amount, false),
            Folded::Reshape(histogram) => (Amount::Histogram(histogram), true),
            Folded::Set { value, time } => {
                let birth = route::birth(None, (&item.point, goes.temporality), context);
                return self.put(item, goes, birth, (Op::Set(value), time));
            }
            Folded::Remove => {
                self.senders.end(item.stream);
                return Ok(Fate::Matched);
            }
            Folded::Nothing => return Ok(Fate::Matched),
            Folded::Rejected(reject) => {
                goes.way.into_iter().for_each(|way| way.give_back(&self.engine.passed));
                return Err(rejection(reject));
            }
        };
        let exemplars = self.senders.spares.exemplars(&item.point);
        let addition = Addition { amount, exemplars, anew };
        let birth = route::birth(Some(&addition.amount), (&item.point, goes.temporality), context);
        let since = birth.start.unwrap_or(context.now);
        let fate = self.put(item, goes, birth, (Op::Merge(&addition), since));
        self.senders.spares.keep(addition);
        fate
    }

    fn put(
        &mut self,
        item: &PointItem<'a>,
        goes: Goes,
        birth: Birth<'_>,
        (op, time): (Op<'_>, Timestamp),
    ) -> Result<Fate, Rejection> {
        let sample = Sample { time, arrival: self.process.now, ids: None };
        let mut taken = false;
        for update in self.rules(item, goes.kind) {
            taken |= self.declared(update, op, sample);
        }
        if let Some(way) = goes.way {
            let stream = (self.engine, item.stream);
            taken |= self.senders.pass(way, stream, birth, (op, sample, self.process.now));
            self.target(item);
        }
        if taken { Ok(Fate::Matched) } else { Err(Rejection::TypeConflict) }
    }

    /// One rule's use of the point.
    fn declared(&self, update: &Update, op: Op<'_>, sample: Sample) -> bool {
        let family = update.family as usize;
        let declaration = self.engine.rules.declarations().get(family);
        let Some((declaration, mut writer)) =
            declaration.zip(self.engine.store.write(family, self.process.now))
        else {
            return false;
        };
        let updates = self.batch.updates();
        let key = updates.key(update.key);
        let hash = self.engine.store.hash(key);
        let change = Change { shape: update.shape as usize, key, hash, op, sample };
        let applied = writer.apply(&change);
        drop(writer);
        if applied == Applied::NoRoom {
            let name = declaration.family.name.as_str();
            self.process.counters.skipped(name, SkipReason::GaugeLimit, 1);
        }
        applied != Applied::Mismatch
    }

    /// The point's target is heard of.
    fn target(&mut self, item: &PointItem<'a>) {
        let told = self.batch.metrics.get(item.metric);
        let home = told.and_then(|told| {
            Some((self.batch.homes.get(told.home)?, self.targets.get(told.home)?))
        });
        let Some((home, target)) = home else { return };
        let (engine, batch) = (self.engine, self.batch);
        let labels = || {
            let resource = batch.attributes.get(home.resource.clone()).unwrap_or_default();
            engine.points.info(resource, target).unwrap_or_default()
        };
        let shared = !engine.points.instance_label;
        let now = (&*engine.passed, self.process.now);
        self.senders.targets.seen(target, (home.resource_hash, shared), labels, now);
    }
}

impl Senders {
    /// None so far.
    pub(crate) fn new(budget: Arc<Budget>, idle: Duration) -> Self {
        Self {
            streams: Streams::new(limits::SENDER_STREAMS, idle),
            routes: Default::default(),
            known: Default::default(),
            homes: Vec::new(),
            spares: Default::default(),
            targets: Targets::new(budget),
        }
    }

    /// Who a home's resource is.
    fn target(&mut self, engine: &Engine, batch: &PointBatch<'_>, home: &Home<'_>) -> Target {
        if self.known.len() >= limits::TARGETS_KNOWN {
            self.known.clear();
        }
        let resource = || batch.attributes.get(home.resource.clone()).unwrap_or_default();
        let known = self.known.entry((home.resource_hash, engine.epoch));
        known.or_insert_with(|| engine.points.target(resource())).clone()
    }
}

/// Whether a rule's family can take points that make this kind of family.
pub(crate) fn takes(engine: &Engine, family: u32, kind: Kind) -> bool {
    let declaration = engine.rules.declarations().get(family as usize);
    declaration.is_some_and(|one| one.family.kind == kind && one.buckets != BucketKind::Both)
}

impl Gain {
    fn of(folded: &Folded) -> Self {
        let total = |counts: &[u64]| counts.iter().map(|count| *count as f64).sum();
        match folded {
            Folded::Add(Amount::Number(number)) => Self::Number(*number),
            Folded::Add(Amount::Histogram(one)) => {
                Self::Observations(total(one.counts()), one.sum())
            }
            Folded::Add(Amount::Exponential(one)) => {
                Self::Observations(one.count(), Some(one.sum()))
            }
            Folded::Add(Amount::Summary(one)) => {
                Self::Observations(one.count() as f64, Some(one.sum()))
            }
            Folded::Reshape(one) => Self::Anew(total(one.counts()), one.sum()),
            Folded::Set { value, .. } => Self::Level(*value),
            Folded::Remove => Self::End,
            Folded::Nothing | Folded::Rejected(_) => Self::Nothing,
        }
    }
}

/// Where a point goes.
struct Goes {
    way: Option<Way>,
    /// What its metric is.
    kind: Kind,
    temporality: Temporality,
}

fn rejection(reject: Reject) -> Rejection {
    match reject {
        Reject::Duplicate => Rejection::Duplicate,
        Reject::Late => Rejection::Late,
        Reject::Temporality => Rejection::Temporality,
        Reject::DeltaNonmonotonic => Rejection::DeltaNonmonotonic,
        Reject::Scale => Rejection::Scale,
        Reject::Invalid => Rejection::Invalid,
        Reject::StreamLimit => Rejection::StreamLimit,
    }
}

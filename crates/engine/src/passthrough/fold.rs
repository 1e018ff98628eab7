//! The second half of the arrow for data points: each is folded into its stream, and what it adds goes to the series it passes
//! to and to those that rules make of it.

use crate::counters::{Counters, ItemCounts, RefusedPoint, Rejection, StreamBound};
use crate::items::{self, Fate, PointItem};
use crate::limits;
use crate::model::amount::{Amount, Holds};
use crate::model::{Addition, BucketKind, Kind, Op};
use crate::rules::{SkipReason, Update};
use crate::runtime::Engine;
use crate::series::{Applied, Birth, Change, Effect, Sample};
use crate::streams::{Context, Folded, PointIn, Reject};
use crate::timestamp::Timestamp;
use crate::view::{Data, Temporality};

use super::gain::Gain;
use super::measure;
use super::points::PointBatch;
use super::route::{self, Asked, Beginning, NoWay, Way};
use super::senders::{Home, Route, Senders};

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
    /// Who sends what is in each home of the batch.
    homes: Vec<Home>,
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

/// Where a point goes.
struct Goes {
    way: Option<Way>,
    /// What its metric is.
    kind: Kind,
    temporality: Temporality,
    /// Whether its stream was known before it.
    again: bool,
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
    let mut homes = std::mem::take(&mut senders.homes);
    senders.greet(engine, batch, process.now, &mut homes);
    let brought = Brought::default();
    let mut fold = Fold { process, engine, senders, batch, homes, brought };
    for item in &batch.items {
        fold.brought = Brought::default();
        let became = fold.item(item);
        tell(became, fold.brought);
    }
    senders.homes = fold.homes;
}

impl<'b, 'a> Fold<'b, 'a> {
    fn item(&mut self, item: &PointItem<'a>) -> Result<Fate, Rejection> {
        let told = self.batch.metrics.get(item.metric);
        let told = told.filter(|told| told.passes || item.fate == Fate::Matched);
        let Some(told) = told.filter(|_| item.fate != Fate::Late) else { return Ok(item.fate) };
        let life = self.homes.get(told.home).map_or(Timestamp::default(), |home| home.life);
        let spares = &mut self.senders.spares;
        let point = measure::point(&told.metric, &item.point, life, spares).map_err(rejection)?;
        let kind = measure::kind(told.metric.data);
        let is_idle = self.rules(item, kind).next().is_none();
        let way = match told.passes && point.recorded {
            true => Some(self.way(item, told.home, &point)),
            false => None,
        };
        self.brought.way = way.as_ref().map(|way| way.as_ref().map(|_| ()).map_err(|why| *why));
        // It is rejected for its name, its type or want of room only when no rule has another use for it.
        match way {
            Some(Err(reason)) if is_idle => return Err(reason),
            None if is_idle && !told.passes => return Err(Rejection::TypeConflict),
            _ => {}
        }
        let again = self.senders.streams.knows(item.stream);
        let temporality = point.temporality;
        let goes = Goes { way: way.and_then(Result::ok), kind, temporality, again };
        let (holds, context) = (point.measured.holds(), self.context(told.home));
        if !again && self.senders.streams.is_full() {
            self.senders.make_stream_room(self.engine, context.now);
        }
        let writer = self.batch.homes.get(told.home).map_or(0, |home| home.resource_hash);
        let folded = self.senders.streams.fold((item.stream, writer), point, context);
        self.brought.gain = Gain::of(&folded);
        self.apply(item, goes, (folded, holds), context)
    }

    fn context(&self, home: usize) -> Context {
        let Process { began, scraped, now, .. } = self.process;
        let known = self.homes.get(home).and_then(|home| self.senders.targets.first(&home.target));
        let writer = self.batch.homes.get(home).map_or(0, |home| home.resource_hash);
        let silence = self.senders.writers.silence(writer, self.engine.stale);
        Context { now, began, scraped: known.is_some_and(|first| scraped > first), silence }
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
        &mut self,
        item: &PointItem<'a>,
        home: usize,
        point: &PointIn,
    ) -> Result<Way, Rejection> {
        let holds = point.measured.holds();
        if let Some(way) = self.senders.way(item.stream, self.engine, holds)? {
            return Ok(way);
        }
        let folded = self.senders.streams.is_folded(item.stream);
        let (engine, batch) = (self.engine, self.batch);
        let home = self.homes.get(home).ok_or(Rejection::Name)?;
        let bounds = point.measured.bounds();
        let asked = Asked { target: &home.target, holds, bounds, folded };
        match Way::find(engine, batch, item, asked, false) {
            Ok(way) => Ok(way),
            Err(NoWay::Rejected(reason)) => Err(reason),
            Err(NoWay::Full) => {
                self.senders.make_room(engine, self.process.now);
                Way::find(engine, batch, item, asked, true).map_err(|why| match why {
                    NoWay::Rejected(reason) => reason,
                    NoWay::Full => Rejection::SeriesLimit,
                })
            }
        }
    }

    fn apply(
        &mut self,
        item: &PointItem<'a>,
        goes: Goes,
        (folded, holds): (Folded, Holds),
        context: Context,
    ) -> Result<Fate, Rejection> {
        let (amount, anew, joins) = match folded {
            Folded::Add(amount) => (amount, false, false),
            Folded::Join(amount) => {
                self.process.counters.stream_joined();
                (amount, false, true)
            }
            Folded::Reshape(histogram) => (Amount::Histogram(histogram), true, false),
            Folded::Level { value, time, conflict } => {
                if conflict {
                    self.process.counters.writer_conflict();
                }
                let begins = (context, false, goes.again);
                let birth = route::birth(
                    route::first(None, holds),
                    (&item.point, goes.temporality),
                    begins,
                );
                return self.put(item, goes, birth, (Op::Set(value), time));
            }
            Folded::End => {
                self.senders.end(item.stream);
                return Ok(Fate::Matched);
            }
            Folded::Nothing => return Ok(Fate::Matched),
            Folded::Rejected(reject) => {
                self.refused(item, reject);
                return Err(rejection(reject));
            }
        };
        let exemplars = self.senders.spares.exemplars(&item.point);
        let addition = Addition { amount, exemplars, anew };
        let first = route::first(Some(&addition.amount), holds);
        let begins = (context, joins, goes.again);
        let birth = route::birth(first, (&item.point, goes.temporality), begins);
        let since = birth.start.unwrap_or(context.now);
        let fate = self.put(item, goes, birth, (Op::Merge(&addition), since));
        self.senders.spares.keep(addition);
        fate
    }

    /// Reports a point that is rejected as `stream_limit`.
    fn refused(&self, item: &PointItem<'a>, reject: Reject) {
        let bound = match reject {
            Reject::StartLimit => StreamBound::Starts,
            Reject::StreamLimit => StreamBound::Streams,
            _ => return,
        };
        let Some(told) = self.batch.metrics.get(item.metric) else { return };
        let Some(Home { target, .. }) = self.homes.get(told.home) else { return };
        let name = String::from_utf8_lossy(told.metric.name);
        self.process.counters.refuse_point(RefusedPoint {
            metric: name.chars().take(limits::LOG_NAME).collect(),
            job: target.job.clone(),
            instance: target.instance.clone(),
            bound,
        });
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
            let own = match op {
                Op::Set(value) => Op::Part { stream: item.stream.bits(), value },
                op => op,
            };
            taken |= self.pass(item, way, birth, (own, sample));
            self.target(item);
        }
        if taken { Ok(Fate::Matched) } else { Err(Rejection::TypeConflict) }
    }

    /// Applies what a point brings to its series. Whether the series could take it.
    fn pass(
        &mut self,
        item: &PointItem<'a>,
        way: Way,
        birth: Birth<'_>,
        (op, sample): (Op<'_>, Sample),
    ) -> bool {
        let (engine, now) = (self.engine, self.process.now);
        let (family, place, folded) = match way {
            Way::There { family, place, folded } => (family, place, folded),
            Way::New(new) => {
                let Beginning { there, family, labels, owner, is_overflow } = *new;
                let there = there.map_or_else(|| engine.passed.create(family), Ok);
                let Ok(family) = there else { return false };
                let place = family.create(&labels, (owner, is_overflow), birth, now);
                (family, place, is_overflow)
            }
        };
        if folded {
            self.senders.streams.set_folded(item.stream);
        }
        let effect = family.apply(place, op, sample, now);
        if effect == Effect::Conflict {
            self.process.counters.writer_conflict();
        }
        self.senders.lead(item.stream, Route { epoch: engine.epoch, family, place });
        effect != Effect::None
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
        let home = told
            .and_then(|told| Some((self.batch.homes.get(told.home)?, self.homes.get(told.home)?)));
        let Some((sent, home)) = home else { return };
        let (engine, batch) = (self.engine, self.batch);
        let labels = || {
            let resource = batch.attributes.get(sent.resource.clone()).unwrap_or_default();
            engine.points.info(resource, &home.target).unwrap_or_default()
        };
        let shared = !engine.points.instance_label;
        let resource = (sent.resource_hash, shared);
        self.senders.targets.seen(&home.target, resource, labels, self.process.now);
    }
}

impl Senders {
    /// Who sends what is in each home of a batch, and that they are there.
    fn greet(
        &mut self,
        engine: &Engine,
        batch: &PointBatch<'_>,
        now: Timestamp,
        homes: &mut Vec<Home>,
    ) {
        homes.clear();
        for sent in &batch.homes {
            if self.known.len() >= limits::TARGETS_KNOWN {
                self.known.clear();
            }
            let resource = || batch.attributes.get(sent.resource.clone()).unwrap_or_default();
            let known = self.known.entry((sent.resource_hash, engine.epoch));
            let target = known.or_insert_with(|| engine.points.target(resource())).clone();
            self.writers.seen(sent.resource_hash, &target, now);
            homes.push(Home { target, life: Timestamp::default() });
        }
        // Totals tell since when their process runs.
        for item in &batch.items {
            let Some(told) = batch.metrics.get(item.metric) else { continue };
            if let Data::Sum { temporality: Temporality::Cumulative, .. }
            | Data::Histogram { temporality: Temporality::Cumulative }
            | Data::Exponential { temporality: Temporality::Cumulative } = told.metric.data
                && let Some(home) = homes.get_mut(told.home)
                && !home.life.is_known()
            {
                home.life = item.point.start;
            }
        }
    }

    /// The remembered way of a stream; none: it has to be found.
    fn way(
        &self,
        stream: crate::dedupe::Fingerprint,
        engine: &Engine,
        holds: Holds,
    ) -> Result<Option<Way>, Rejection> {
        let route = self.routes.get(&stream).filter(|route| route.epoch == engine.epoch);
        let Some(route) = route else { return Ok(None) };
        match route.family.takes(route.place, holds) {
            None => Ok(None),
            Some(true) => {
                let (family, place) = (route.family.clone(), route.place);
                Ok(Some(Way::There { family, place, folded: false }))
            }
            Some(false) => Err(Rejection::TypeConflict),
        }
    }
}

/// Whether a rule's family can take points that make this kind of family.
pub(crate) fn takes(engine: &Engine, family: u32, kind: Kind) -> bool {
    let declaration = engine.rules.declarations().get(family as usize);
    declaration.is_some_and(|one| one.family.kind == kind && one.buckets != BucketKind::Both)
}

fn rejection(reject: Reject) -> Rejection {
    match reject {
        Reject::Duplicate => Rejection::Duplicate,
        Reject::Late => Rejection::Late,
        Reject::Temporality => Rejection::Temporality,
        Reject::Scale => Rejection::Scale,
        Reject::Invalid => Rejection::Invalid,
        Reject::StreamLimit | Reject::StartLimit => Rejection::StreamLimit,
    }
}

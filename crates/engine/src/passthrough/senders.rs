//! What is known of senders of data points, and how it ends: by silence, by idling, and where there is no room.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::dedupe::Fingerprint;
use crate::limits;
use crate::model::Op;
use crate::runtime::Engine;
use crate::series::{Budget, PassedFamily, Place, Sample};
use crate::streams::Streams;
use crate::timestamp::Timestamp;
use crate::translation::Target;

use super::measure::Spares;
use super::targets::Targets;
use super::writers::Writers;

/// All of it.
pub(crate) struct Senders {
    pub(crate) streams: Streams,
    /// Where the points of each stream go.
    pub(crate) routes: HashMap<Fingerprint, Route, foldhash::fast::RandomState>,
    pub(crate) targets: Targets,
    pub(crate) writers: Writers,
    /// Who each resource is, by its hash and the rules' epoch: only a memory.
    pub(super) known: HashMap<(u64, u64), Target, foldhash::fast::RandomState>,
    /// Of each home of the batch at hand.
    pub(super) homes: Vec<Home>,
    pub(super) spares: Spares,
    /// When room was looked for last and none was found: to look takes as long as there are series.
    evicted: Timestamp,
}

/// The series of a stream, as one config made it.
pub(crate) struct Route {
    pub(super) epoch: u64,
    pub(super) family: Arc<PassedFamily>,
    pub(super) place: Place,
}

/// Who sends what is in one home, and since when its process runs; 0: unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    pub(super) target: Target,
    pub(super) life: Timestamp,
}

impl Senders {
    /// None so far.
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        Self {
            streams: Streams::new(limits::SENDER_STREAMS),
            routes: HashMap::default(),
            targets: Targets::new(budget),
            writers: Writers::default(),
            known: HashMap::default(),
            homes: Vec::new(),
            spares: Spares::default(),
            evicted: Timestamp::default(),
        }
    }

    /// Gives back memory that is kept for points to come.
    pub(crate) fn free_spares(&mut self) {
        (self.homes, self.spares) = Default::default();
        self.known.clear();
    }

    /// What ends by time alone: what silent writers show, what was idle for too long, and routes to series that are gone.
    pub(crate) fn expire(&mut self, engine: &Engine, now: Timestamp) {
        let (idle, stale) = (engine.limits.idle, engine.stale);
        if let Some(stale) = stale {
            self.end_silent(engine, stale, now);
        }
        engine.passed.expire(now, idle);
        for stream in self.streams.expire(now, idle) {
            self.leave(stream);
        }
        self.targets.expire(now, idle);
        self.writers.expire(now, idle);
        let streams = &mut self.streams;
        self.routes.retain(|stream, route| {
            let stays = route.epoch == engine.epoch && route.family.is_there(route.place);
            if !stays {
                streams.set_fed(*stream, false);
            }
            stays
        });
    }

    /// What silent writers show ends; what they said is remembered.
    fn end_silent(&mut self, engine: &Engine, stale: Duration, now: Timestamp) {
        let silent = self.writers.fallen_silent(stale, now);
        if !silent.is_empty() {
            let ids: HashSet<u64> = silent.iter().map(|(id, _)| *id).collect();
            let streams = &self.streams;
            self.routes.retain(|stream, route| {
                let ends = route.family.is_level()
                    && streams.writer(*stream).is_none_or(|writer| ids.contains(&writer));
                if ends {
                    route.family.end(route.place, stream.bits());
                }
                !ends
            });
            for (_, target) in &silent {
                if !self.writers.has_living(target, stale, now) {
                    self.targets.end(target);
                }
            }
        }
        let (writers, routes) = (&self.writers, &self.routes);
        let changed = self.streams.end_silent_lives(|id| writers.silence(id, Some(stale)));
        for (stream, value) in changed {
            let Some(route) = routes.get(&stream).filter(|route| route.epoch == engine.epoch)
            else {
                continue;
            };
            let (op, sample) = (Op::Part { stream: stream.bits(), value }, Sample::at(now));
            route.family.apply(route.place, op, sample, now);
        }
    }

    /// A stream is forgotten: its part of a level ends, and a total stays.
    pub(super) fn leave(&mut self, stream: Fingerprint) {
        if let Some(route) = self.routes.remove(&stream) {
            match route.family.is_level() {
                true => route.family.end(route.place, stream.bits()),
                false => route.family.feed(route.place, false),
            }
        }
        self.streams.set_fed(stream, false);
    }

    /// The points of a stream go to this series.
    pub(super) fn lead(&mut self, stream: Fingerprint, route: Route) {
        if let Some(before) = self.routes.get(&stream) {
            if Arc::ptr_eq(&before.family, &route.family) && before.place == route.place {
                self.routes.insert(stream, route);
                return;
            }
            before.family.feed(before.place, false);
            self.streams.set_fed(stream, false);
        }
        // One that was there before a restart is counted among those that feed its series already.
        if !self.streams.set_fed(stream, true) {
            route.family.feed(route.place, true);
        }
        self.routes.insert(stream, route);
    }

    /// What a stream shows ends, because its sender says so.
    pub(super) fn end(&mut self, stream: Fingerprint) {
        if let Some(route) = self.routes.remove(&stream) {
            route.family.end(route.place, stream.bits());
            self.streams.set_fed(stream, false);
        }
    }

    /// Makes room where all senders together have as many label sets as they may: those of silent writers go, the longest silent
    /// first. A writer that lives never loses one.
    pub(super) fn make_room(&mut self, engine: &Engine, now: Timestamp) {
        if now.since(self.evicted) < limits::EVICTION.0 && now >= self.evicted {
            return;
        }
        let (budget, stale) = (engine.passed.budget(), engine.stale);
        let before = budget.used();
        let wanted = budget.limit().saturating_sub((budget.limit() / limits::EVICTION.1).max(1));
        let living: HashSet<(*const PassedFamily, Place)> = self
            .routes
            .iter()
            .filter(|(stream, _)| {
                let writer = self.streams.writer(**stream);
                writer.is_some_and(|writer| !self.writers.is_silent(writer, stale, now))
            })
            .map(|(_, route)| (Arc::as_ptr(&route.family), route.place))
            .collect();
        let deadline = now.before(stale.unwrap_or(engine.limits.idle));
        let mut quiet = Vec::new();
        for family in engine.passed.families() {
            let places = family.quiet(deadline).into_iter();
            let places =
                places.filter(|(_, place)| !living.contains(&(Arc::as_ptr(&family), *place)));
            quiet.extend(places.map(|(last, place)| (last, family.clone(), place)));
        }
        quiet.sort_by_key(|(last, ..)| *last);
        for (_, family, place) in quiet {
            if budget.used() <= wanted {
                break;
            }
            family.remove(place);
        }
        if budget.used() == before {
            self.evicted = now;
        }
    }

    /// Makes room for streams: those of silent writers are forgotten.
    pub(super) fn make_stream_room(&mut self, engine: &Engine, now: Timestamp) {
        if now.since(self.evicted) < limits::EVICTION.0 && now >= self.evicted {
            return;
        }
        let mut gone = self.streams.expire(now, engine.limits.idle);
        let (writers, stale) = (&self.writers, engine.stale);
        gone.extend(self.streams.evict_writers(|writer| writers.is_silent(writer, stale, now)));
        if gone.is_empty() {
            self.evicted = now;
        }
        gone.into_iter().for_each(|stream| self.leave(stream));
    }

    /// Where the streams of restored levels go: their parts say which streams they are of.
    pub(crate) fn restore_routes(&mut self, engine: &Engine) {
        for family in engine.passed.families() {
            for (place, stream) in family.parts() {
                let (epoch, stream) = (engine.epoch, Fingerprint::from_bits(stream));
                self.routes.insert(stream, Route { epoch, family: family.clone(), place });
            }
        }
    }
}

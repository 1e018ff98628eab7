//! State of the senders of data points that outlives a request: their streams and the series that each stream feeds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::counters::Rejection;
use crate::dedupe::Fingerprint;
use crate::items::Home;
use crate::limits;
use crate::model::Op;
use crate::model::amount::Shape;
use crate::runtime::Engine;
use crate::series::{Birth, Budget, Sample};
use crate::streams::Streams;
use crate::timestamp::Timestamp;
use crate::translation::Target;

use super::measure::Spares;
use super::points::PointBatch;
use super::route::{Beginning, Route, Way};
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
    pub(super) fn target(
        &mut self,
        engine: &Engine,
        batch: &PointBatch<'_>,
        home: &Home<'_>,
    ) -> Target {
        if self.known.len() >= limits::TARGETS_KNOWN {
            self.known.clear();
        }
        let resource = || batch.attributes.get(home.resource.clone()).unwrap_or_default();
        let known = self.known.entry((home.resource_hash, engine.epoch));
        known.or_insert_with(|| engine.points.target(resource())).clone()
    }

    /// The remembered way of a stream; none: it has to be found.
    pub(crate) fn known(
        &self,
        stream: Fingerprint,
        engine: &Engine,
        shape: Option<Shape>,
    ) -> Result<Option<Way>, Rejection> {
        let Some(route) = self.routes.get(&stream).filter(|route| route.epoch == engine.epoch)
        else {
            return Ok(None);
        };
        match route.family.takes(route.place, shape) {
            None => Ok(None),
            Some(true) => Ok(Some(Way::There(route.family.clone(), route.place))),
            Some(false) => Err(Rejection::TypeConflict),
        }
    }

    /// Applies what a point brings to its series. Whether the series could take it.
    pub(crate) fn pass(
        &mut self,
        way: Way,
        (engine, stream): (&Engine, Fingerprint),
        birth: Birth<'_>,
        (op, sample, now): (Op<'_>, Sample, Timestamp),
    ) -> bool {
        let (family, place) = match way {
            Way::There(family, place) => (family, place),
            Way::New(new) => {
                let Beginning { there, family, labels, again } = *new;
                let there = there.map_or_else(|| engine.passed.create(family), Ok);
                let Ok(family) = there else {
                    engine.passed.unreserve();
                    return false;
                };
                // A stream that had a series before goes on in one that begins now.
                let start = if again { birth.start.map(|_| now) } else { birth.start };
                let birth = Birth { start, ..birth };
                let place = family.create(&labels, birth, now);
                (family, place)
            }
        };
        let applied = family.apply(place, op, sample, now);
        if self.routes.len() >= limits::SENDER_STREAMS && !self.routes.contains_key(&stream) {
            self.routes.clear(); // a memory: what is still needed is found again
        }
        self.routes.insert(stream, Route { epoch: engine.epoch, family, place });
        applied
    }

    /// A level's sender says that it has ended.
    pub(crate) fn end(&mut self, stream: Fingerprint) {
        if let Some(route) = self.routes.remove(&stream) {
            route.family.remove(route.place);
        }
    }

    /// Forgets the ways to series that are gone.
    pub(crate) fn tidy(&mut self, epoch: u64) {
        self.routes.retain(|_, route| route.epoch == epoch && route.family.is_there(route.place));
    }
}

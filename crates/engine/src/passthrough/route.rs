//! Where the points of a stream go: to which series, found once and remembered.

use std::sync::Arc;

use crate::counters::Rejection;
use crate::dedupe::Fingerprint;
use crate::limits;
use crate::model::amount::{Amount, Shape};
use crate::model::{Family, MetricName, Op};
use crate::series::{Birth, Passed, PassedFamily, Place, Sample, Taken};
use crate::streams::Context;
use crate::timestamp::Timestamp;
use crate::view::{Point, Temporality};

use super::fold::Senders;
use super::measure;
use crate::items::PointItem;
use crate::runtime::Engine;
use crate::translation::{Set, Target};

use super::points::PointBatch;

/// The series of a stream, as one config made it.
pub(crate) struct Route {
    epoch: u64,
    family: Arc<PassedFamily>,
    place: Place,
}

/// Where one point goes.
pub(crate) enum Way {
    /// To a series that is there.
    There(Arc<PassedFamily>, Place),
    /// To one that begins with it, for which room is reserved.
    New(Box<Beginning>),
}

/// A series that is not there yet, and perhaps its family neither.
pub(crate) struct Beginning {
    there: Option<Arc<PassedFamily>>,
    family: Family,
    labels: Set,
    /// Whether the stream had a series before.
    again: bool,
}

impl Way {
    /// By the point's names, which may belong to others, and within the budget.
    pub(crate) fn find(
        engine: &Engine,
        batch: &PointBatch<'_>,
        item: &PointItem<'_>,
        (target, shape, again): (&Target, Option<Shape>, bool),
    ) -> Result<Self, Rejection> {
        let told = batch.metrics.get(item.metric).ok_or(Rejection::Name)?;
        let home = batch.homes.get(told.home).ok_or(Rejection::Name)?;
        let metric = &told.metric;
        let kind = measure::kind(metric.data);
        let name = engine.points.metric(metric.name, metric.unit, kind).ok_or(Rejection::Name)?;
        let there = engine.passed.family(&name.name, kind).map_err(rejection)?;
        let own = batch.attributes.get(item.attributes.clone()).unwrap_or_default();
        let labels = engine.points.series(&batch.attributes, home, own, (target, kind));
        let labels = labels.map_err(|_| Rejection::Name)?;
        if let Some(family) = &there
            && let Some(place) = family.find(&labels)
        {
            let fits = family.takes(place, shape).unwrap_or(false);
            let way = Self::There(family.clone(), place);
            return if fits { Ok(way) } else { Err(Rejection::TypeConflict) };
        }
        if !engine.passed.reserve(there.as_deref()) {
            return Err(Rejection::SeriesLimit);
        }
        let family = Family {
            name: MetricName::foreign(&name.name).map_err(|_| Rejection::Name)?,
            help: String::from_utf8_lossy(metric.description).into_owned(),
            unit: name.unit,
            kind,
            labels: Vec::new(),
            bounds: Vec::new(),
        };
        Ok(Self::New(Box::new(Beginning { there, family, labels, again })))
    }

    /// The point does not go there after all.
    pub(crate) fn give_back(self, passed: &Passed) {
        if let Self::New(_) = self {
            passed.unreserve();
        }
    }
}

fn rejection(taken: Taken) -> Rejection {
    match taken {
        Taken::Declared => Rejection::Name,
        Taken::Sender => Rejection::TypeConflict,
    }
}

impl Senders {
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

/// How the series of a stream not seen before begins. One that its sender began keeps the sender's start; one that joins a
/// stream under way, and one of changes, is ours.
pub(crate) fn birth<'a>(
    amount: Option<&'a Amount>,
    (point, temporality): (&Point<'_>, Temporality),
    context: Context,
) -> Birth<'a> {
    let told = |time: Timestamp| (time.0 != 0).then_some(time);
    let (start, time) = (told(point.start), told(point.time).unwrap_or(context.now));
    let joins = context.scraped && start.is_some_and(|start| start < context.began);
    match (amount, temporality) {
        (None, _) => Birth { amount, start: None, born: None },
        (_, Temporality::Delta) => {
            Birth { amount, start: start.or(Some(time)), born: Some(context.now) }
        }
        _ if joins => Birth { amount, start: Some(time), born: None },
        _ => Birth { amount, start, born: None },
    }
}

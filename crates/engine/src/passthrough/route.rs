//! Where the points of a stream go: to which series, found once and remembered.

use std::sync::Arc;

use crate::counters::Rejection;
use crate::model::amount::{Amount, Shape};
use crate::model::{Family, MetricName};
use crate::series::{Birth, Passed, PassedFamily, Place, Taken};
use crate::streams::Context;
use crate::timestamp::Timestamp;
use crate::view::{Point, Temporality};

use super::measure;
use crate::items::PointItem;
use crate::runtime::Engine;
use crate::translation::{Set, Target};

use super::points::PointBatch;

/// The series of a stream, as one config made it.
pub(crate) struct Route {
    pub(super) epoch: u64,
    pub(super) family: Arc<PassedFamily>,
    pub(super) place: Place,
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
    pub(super) there: Option<Arc<PassedFamily>>,
    pub(super) family: Family,
    pub(super) labels: Set,
    /// Whether the stream had a series before.
    pub(super) again: bool,
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

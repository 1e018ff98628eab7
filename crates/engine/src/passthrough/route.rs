//! Where the points of a stream go: to which series, found once and remembered, and within which limits.

use std::sync::Arc;

use crate::counters::Rejection;
use crate::items::{Attribute, PointItem, Told};
use crate::limits;
use crate::model::amount::{Amount, Holds};
use crate::model::{Family, Kind, MetricName};
use crate::runtime::Engine;
use crate::series::{Birth, First, Owner, PassedFamily, Place, Room, Taken};
use crate::streams::Context;
use crate::timestamp::Timestamp;
use crate::translation::{Passing, Set, Target, Translated};
use crate::view::{Data, Point, Temporality};

use super::measure;
use super::points::PointBatch;

/// Where one point goes.
pub(super) enum Way {
    /// To a series that is there; `folded`: to the overflow set of its metric.
    There { family: Arc<PassedFamily>, place: Place, folded: bool },
    /// To one that begins with it, for which there is room.
    New(Box<Beginning>),
}

/// A series that is not there yet, and perhaps its family neither.
pub(super) struct Beginning {
    pub(super) there: Option<Arc<PassedFamily>>,
    pub(super) family: Family,
    pub(super) labels: Set,
    pub(super) owner: Owner,
    /// Whether it is the overflow set of its owner.
    pub(super) is_overflow: bool,
}

/// What is asked of a way.
#[derive(Clone, Copy)]
pub(super) struct Asked<'t> {
    pub(super) target: &'t Target,
    pub(super) holds: Holds,
    /// Bounds of the point, where it is a histogram.
    pub(super) bounds: Option<&'t [f64]>,
    /// Whether its stream goes to the overflow set for its life.
    pub(super) folded: bool,
}

/// Why there is no way.
pub(super) enum NoWay {
    /// For good.
    Rejected(Rejection),
    /// Because all senders together have as many label sets as they may: room may be made.
    Full,
}

impl From<Rejection> for NoWay {
    fn from(reason: Rejection) -> Self {
        Self::Rejected(reason)
    }
}

/// A search for the way of one point.
struct Search<'s, 'a> {
    engine: &'s Engine,
    batch: &'s PointBatch<'a>,
    asked: Asked<'s>,
    /// With it there is no room to be made any more.
    last: bool,
    told: &'s Told<'a>,
    name: Translated,
    kind: Kind,
    there: Option<Arc<PassedFamily>>,
    owner: Owner,
}

impl Way {
    /// By the point's names, which may belong to others, and within the budget. With `last` there is no room to be made any more.
    pub(super) fn find(
        engine: &Engine,
        batch: &PointBatch<'_>,
        item: &PointItem<'_>,
        asked: Asked<'_>,
        last: bool,
    ) -> Result<Self, NoWay> {
        let told = batch.metrics.get(item.metric).ok_or(Rejection::Name)?;
        let metric = &told.metric;
        let kind = measure::kind(metric.data);
        let name = engine.points.metric(metric.name, metric.unit, kind).ok_or(Rejection::Name)?;
        let there = engine.passed.family(&name.name, kind).map_err(rejection)?;
        let owner = Owner { id: engine.points.owner(asked.target), folds: folds(metric.data) };
        let search = Search { engine, batch, asked, last, told, name, kind, there, owner };
        let own = batch.attributes.get(item.attributes.clone()).unwrap_or_default();
        if !(owner.folds && (asked.folded || Passing::is_overflow(own)))
            && let Some(way) = search.own(own)?
        {
            return Ok(way);
        }
        search.overflow()
    }
}

impl Search<'_, '_> {
    /// To a label set of the point's own; none: there is no room for it, and it folds.
    fn own(&self, own: &[Attribute<'_>]) -> Result<Option<Way>, NoWay> {
        let home = self.batch.homes.get(self.told.home).ok_or(Rejection::Name)?;
        let (points, target) = (&self.engine.points, self.asked.target);
        let labels = points.series(&self.batch.attributes, home, own, (target, self.kind));
        let labels = labels.map_err(|_| Rejection::Name)?;
        if let Some((family, place)) = self.found(&labels)? {
            return Ok(Some(Way::There { family, place, folded: false }));
        }
        if self.there.as_ref().is_some_and(|family| family.meets(&labels)) {
            return Err(Rejection::Name.into());
        }
        let room = match &self.there {
            Some(family) => family.room(self.owner),
            None if self.engine.passed.has_room(self.owner.folds) => Room::Free,
            // A new name has no overflow set to fold into.
            None if self.last => return Err(Rejection::SeriesLimit.into()),
            None => return Err(NoWay::Full),
        };
        match room {
            Room::Free => self.begin(labels, false).map(Some),
            Room::Full if !self.last => Err(NoWay::Full),
            _ if !self.owner.folds => Err(Rejection::SeriesLimit.into()),
            _ => Ok(None),
        }
    }

    /// To the overflow set of its metric and writer.
    fn overflow(&self) -> Result<Way, NoWay> {
        let labels = self.engine.points.overflow(self.asked.target);
        if let Some((family, place)) = self.found(&labels)? {
            // Histograms of other bounds can't be added up exactly.
            let fits = |bounds| family.has_bounds(place, bounds);
            return match self.asked.bounds.is_none_or(fits) {
                true => Ok(Way::There { family, place, folded: true }),
                false => Err(Rejection::SeriesLimit.into()),
            };
        }
        let room = self.there.as_ref().map(|family| family.has_overflow_room(self.owner.id));
        match room.unwrap_or_else(|| self.engine.passed.has_room(false)) {
            true => self.begin(labels, true),
            false if self.last => Err(Rejection::SeriesLimit.into()),
            false => Err(NoWay::Full),
        }
    }

    /// The series with these labels, if it is there and can hold such points.
    fn found(&self, labels: &Set) -> Result<Option<(Arc<PassedFamily>, Place)>, Rejection> {
        let there = self.there.as_ref();
        let Some((family, place)) = there.and_then(|one| Some((one, one.find(labels)?))) else {
            return Ok(None);
        };
        match family.takes(place, self.asked.holds) {
            Some(true) => Ok(Some((family.clone(), place))),
            _ => Err(Rejection::TypeConflict),
        }
    }

    fn begin(&self, labels: Set, is_overflow: bool) -> Result<Way, NoWay> {
        let family = Family {
            name: MetricName::foreign(&self.name.name).map_err(|_| Rejection::Name)?,
            help: String::from_utf8_lossy(self.told.metric.description).into_owned(),
            unit: self.name.unit.clone(),
            kind: self.kind,
            labels: Vec::new(),
            bounds: Vec::new(),
        };
        let (there, owner) = (self.there.clone(), self.owner);
        Ok(Way::New(Box::new(Beginning { there, family, labels, owner, is_overflow })))
    }
}

/// Whether what is too much of a metric folds: what adds up does.
fn folds(data: Data) -> bool {
    match data {
        Data::Sum { monotonic, .. } => monotonic,
        Data::Histogram { .. } | Data::Exponential { .. } => true,
        Data::Gauge | Data::Summary => false,
    }
}

fn rejection(taken: Taken) -> Rejection {
    match taken {
        Taken::Name => Rejection::Name,
        Taken::Kind => Rejection::TypeConflict,
    }
}

/// How the series of a stream begins. One that its sender began keeps the sender's start; one that joins a stream under way, and
/// one of changes, is ours. `again`: the stream had a series before, and goes on in one that begins now.
pub(super) fn birth<'a>(
    first: First<'a>,
    (point, temporality): (&Point<'_>, Temporality),
    (context, joins, again): (Context, bool, bool),
) -> Birth<'a> {
    if matches!(first, First::Level { .. }) {
        return Birth { first, start: None, born: None };
    }
    let now = context.now;
    let known = |time: Timestamp| time.is_known().then_some(time);
    let (start, time) = (known(point.start), known(point.time).unwrap_or(now).min(now));
    if temporality == Temporality::Delta {
        let start =
            if again { Some(now) } else { start.map(|start| start.min(now)).or(Some(time)) };
        return Birth { first, start, born: Some(now) };
    }
    // `start == time` is how a sender says that it doesn't know (Metrics Data Model, "Cumulative streams: unknown start time").
    let shown = start.filter(|start| Some(*start) != known(point.time));
    let shown = shown.filter(|start| start.since(now) <= limits::CLOCK_AHEAD);
    let start = match () {
        () if again => Some(now),
        () if joins => Some(time),
        () => shown,
    };
    Birth { first, start, born: None }
}

/// What a level of this kind comes to with others.
pub(super) fn first<'a>(amount: Option<&'a Amount>, holds: Holds) -> First<'a> {
    amount.map_or(First::Level { adds: holds == Holds::Sum }, First::Total)
}

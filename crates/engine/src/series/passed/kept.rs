//! Senders' own series as they are kept over a restart that ended well.

use serde::{Deserialize, Serialize};

use crate::model::{Family, Kind, LabelName, MetricName};
use crate::timestamp::Timestamp;

use super::super::cell::Cell;
use super::Passed;
use super::family::{Owner, PassedFamily};
use super::state::Series;

/// The families that senders brought.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptPassed(Vec<KeptOne>);

#[derive(Debug, Serialize, Deserialize)]
struct KeptOne {
    name: Box<str>,
    help: String,
    unit: String,
    kind: Kind,
    series: Vec<KeptSeries>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptSeries {
    labels: Vec<(Box<str>, Box<str>)>,
    start: Option<Timestamp>,
    last: Timestamp,
    is_overflow: bool,
    feeds: u32,
    cell: Cell,
}

/// Who owns a series with these labels, of a family of this kind.
pub type OwnerOf<'o> = &'o dyn Fn(Kind, &[(Box<str>, Box<str>)]) -> Owner;

impl Passed {
    /// Copies all of it.
    pub fn keep(&self) -> KeptPassed {
        KeptPassed(self.families().iter().map(|family| family.keep()).collect())
    }

    /// Takes up what was kept, where nobody else has the name by now.
    pub fn restore(&self, kept: KeptPassed, owner: OwnerOf<'_>) {
        for kept in kept.0 {
            let Ok(name) = MetricName::foreign(&kept.name) else { continue };
            let (help, unit, kind) = (kept.help, kept.unit, kept.kind);
            let (labels, bounds) = Default::default();
            let family = self.create(Family { name, help, unit, kind, labels, bounds });
            let Ok(family) = family else { continue };
            kept.series.into_iter().for_each(|series| family.restore(series, owner));
        }
    }
}

impl PassedFamily {
    fn keep(&self) -> KeptOne {
        let family = self.family();
        KeptOne {
            name: family.name.as_str().into(),
            help: family.help.clone(),
            unit: family.unit.clone(),
            kind: family.kind,
            series: self.map(KeptSeries::of),
        }
    }

    /// One that we began has been shown at its 0 before.
    fn restore(&self, kept: KeptSeries, owner: OwnerOf<'_>) {
        let KeptSeries { labels, start, last, is_overflow, feeds, cell } = kept;
        if labels.iter().all(|(name, _)| LabelName::foreign(name).is_ok()) {
            let owner = (owner(self.family().kind, &labels), is_overflow);
            self.revive(&labels, owner, (start, last), (feeds, cell));
        }
    }
}

impl KeptSeries {
    fn of(series: &Series) -> Self {
        let pairs = series.labels.0.iter();
        Self {
            labels: pairs.map(|(name, value)| (name.as_str().into(), (**value).into())).collect(),
            start: series.start,
            last: series.last,
            is_overflow: series.is_overflow,
            feeds: series.feeds,
            cell: series.cell.clone(),
        }
    }
}

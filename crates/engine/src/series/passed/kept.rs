//! Senders' own series as they are kept over a restart.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Family, Kind, LabelName, MetricName};
use crate::timestamp::Timestamp;

use super::super::cell::Cell;
use super::Passed;
use super::family::{Owner, PassedFamily};
use super::state::SeriesCopy;

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
    born: Option<Timestamp>,
    last: Timestamp,
    is_overflow: bool,
    feeds: u32,
    cell: Cell,
}

/// Who owns a series with these labels, of a family of this kind.
pub type OwnerOf<'o> = &'o dyn Fn(Kind, &[(Box<str>, Box<str>)]) -> Owner;

impl KeptPassed {
    /// Copies the series of the cut that has begun with these families, a few under each lock.
    pub fn of(families: &[Arc<PassedFamily>]) -> Self {
        Self(families.iter().map(|family| family.keep()).collect())
    }
}

impl Passed {
    /// A cut begins with all series as they are now. [`KeptPassed::of`] copies those of the families that this returns.
    pub fn begin_cut(&self) -> Vec<Arc<PassedFamily>> {
        let families = self.families();
        families.iter().for_each(|family| family.begin_cut());
        families
    }

    /// Takes up what was kept, where no other metric has the name by now. Scrapers have seen the series that were born until `shown`.
    pub fn restore(
        &self,
        kept: KeptPassed,
        owner: OwnerOf<'_>,
        (shown, now): (Timestamp, Timestamp),
    ) {
        for kept in kept.0 {
            let Ok(name) = MetricName::foreign(&kept.name) else { continue };
            let (help, unit, kind) = (kept.help, kept.unit, kept.kind);
            let (labels, bounds) = Default::default();
            let family = self.create(Family { name, help, unit, kind, labels, bounds });
            let Ok(family) = family else { continue };
            kept.series.into_iter().for_each(|one| family.restore(one, owner, (shown, now)));
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
            series: self.copy_cut().into_iter().map(KeptSeries::from).collect(),
        }
    }

    /// One that we began and no scraper has seen is shown at 0 first.
    fn restore(&self, kept: KeptSeries, owner: OwnerOf<'_>, (shown, now): (Timestamp, Timestamp)) {
        let KeptSeries { labels, start, born, last, is_overflow, feeds, cell } = kept;
        let born = born.filter(|born| *born > shown).map(|_| now);
        if labels.iter().all(|(name, _)| LabelName::foreign(name).is_ok()) {
            let owner = (owner(self.family().kind, &labels), is_overflow);
            self.revive(&labels, owner, (start, born, last), (feeds, cell));
        }
    }
}

impl From<SeriesCopy> for KeptSeries {
    fn from(
        SeriesCopy { labels, start, born, last, is_overflow, feeds, cell }: SeriesCopy,
    ) -> Self {
        let pairs = labels.0.iter();
        let labels = pairs.map(|(name, value)| (name.as_str().into(), (**value).into())).collect();
        Self { labels, start, born, last, is_overflow, feeds, cell }
    }
}

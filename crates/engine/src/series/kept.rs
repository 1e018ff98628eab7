//! Series as they are kept over a restart.
//!
//! A family is restored only where its declaration says the same of its series as before; the series of any other begin at 0. Windows
//! are always restored, counters only when no scrape has shown more: then every series has the start and the value it had, and no scrape
//! shows it at 0. One that no scraper has seen is shown at 0 first.

use std::collections::HashMap;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::model::{BucketKind, Declaration, key};
use crate::timestamp::Timestamp;

use super::cell::Cell;
use super::family::{self, FamilyStore};
use super::state::{KeptSeries, Revived};
use super::store::Store;

/// A family's series.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptFamily {
    name: Box<str>,
    declared: [u8; 32],
    overflow: u64,
    series: Vec<KeptSeries>,
}

impl Store {
    /// A cut begins with all counted series as they are now: [`keep`](Self::keep) copies them.
    pub fn begin_cut(&self) {
        self.families().iter().for_each(|family| family.begin_cut());
    }

    /// Copies what a restart is to leave: the counted series of the cut that has begun, and windows as they are now. No lock is held
    /// for longer than a scrape would, or than one label set's ids take.
    pub fn keep(&self) -> Vec<KeptFamily> {
        self.families().iter().filter_map(|family| family.keep()).collect()
    }

    /// Takes up what was kept, before anything is counted, and returns of how many families. With `shown` counters go on where they
    /// were; scrapers have seen the series that began until then.
    pub fn restore(
        &self,
        kept: Vec<KeptFamily>,
        shown: Option<Timestamp>,
        now: Timestamp,
    ) -> usize {
        let mut ours: HashMap<&str, _> = HashMap::new();
        for family in self.families() {
            ours.insert(family.declaration().family.name.as_str(), family);
        }
        let known = kept.into_iter().filter_map(|kept| Some((*ours.get(&*kept.name)?, kept)));
        known
            .filter(|(family, _)| shown.is_some() || family.is_distinct())
            .fold(0, |sum, (family, kept)| sum + usize::from(family.restore(kept, shown, now)))
    }
}

impl FamilyStore {
    fn begin_cut(&self) {
        if !self.is_distinct() {
            self.state.change().cut.begin();
        }
    }

    fn keep(&self) -> Option<KeptFamily> {
        let declaration = self.declaration();
        let declared = declaration.digest()?;
        let series = if self.is_distinct() { self.keep_windows() } else { self.keep_cut() };
        let name = declaration.family.name.as_str().into();
        Some(KeptFamily { name, declared, overflow: self.count().1, series })
    }

    /// Windows, as they are now. A request that came after the cut does no harm: a resend of its ids changes nothing.
    fn keep_windows(&self) -> Vec<KeptSeries> {
        let _still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
        // What is born from now on waits for the next time: of a group all are there, or none.
        let births = self.births();
        let mut series = Vec::with_capacity(self.count().0);
        // One under each lock: ids may be many.
        self.each(1, |state, _, one| {
            if one.birth < births {
                series.push(KeptSeries::of(one, state.groups()));
            }
        });
        series
    }

    fn keep_cut(&self) -> Vec<KeptSeries> {
        let values = self.declaration().family.bounds.len() + 1;
        let at_once = (limits::SCRAPE_VALUES / values).max(1);
        let mut from = 0;
        while self.state.look().copy_cut(from, at_once) {
            from += at_once;
        }
        self.state.look().cut.take()
    }

    /// Whether its declaration is the one that was kept.
    fn restore(&self, kept: KeptFamily, shown: Option<Timestamp>, now: Timestamp) -> bool {
        let declaration = self.declaration();
        if declaration.digest() != Some(kept.declared) {
            return false;
        }
        let (labels, declared) = (declaration.family.labels.len(), Cell::new(declaration));
        let mut state = self.state.change();
        if shown.is_some() {
            state.overflow = kept.overflow;
        }
        let mut groups = HashMap::from([(0, 0)]);
        for series in kept.series {
            if key::values(&series.key).count() != labels
                || !fits(&series.cell, &declared, declaration)
            {
                continue;
            }
            let group = groups.entry(series.group);
            let group = *group.or_insert_with(|| state.new_group(series.heard));
            let hash = family::hash(&self.hasher, &series.key);
            let start = if shown.is_some() { series.start } else { now };
            let is_shown = shown.is_some_and(|shown| series.start <= shown);
            let born = if is_shown { Timestamp::default() } else { now };
            let revived = Revived { start, born, cell: series.cell };
            let revived = revived.remembering(declaration, shown.is_some());
            if state.find(hash, &series.key).is_none() {
                // What was there stays there, under whatever limits there are now: so it is over a reload.
                self.budget.take_reserved(usize::from(!self.is_overflow(&series.key)));
                state.create(declaration, (hash, &series.key), group, series.heard);
            }
            state.revive((hash, &series.key), revived);
        }
        true
    }
}

/// Whether a cell is such as this declaration makes them. As senders have it, their first histogram may have become native.
fn fits(cell: &Cell, declared: &Cell, declaration: &Declaration) -> bool {
    let sent = declaration.buckets == BucketKind::Sent && declaration.family.bounds.is_empty();
    cell.is_like(declared) || (sent && cell.is_native_alone())
}

impl Revived {
    /// With a memory as long as the config has it now; what is not counted on begins at nobody.
    fn remembering(mut self, declaration: &Declaration, counted: bool) -> Self {
        if let (Cell::Distinct(crowd), Some(plan)) = (&mut self.cell, &declaration.distinct) {
            crowd.seen.reach(plan.longest());
            if !counted {
                crowd.seen.count_anew();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;

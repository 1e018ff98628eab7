//! Series as they are kept over a restart.
//!
//! A family is taken up again only where its declaration says the same of its series as before; the series of any other begin
//! anew. What is windowed (who was there lately) is always taken up, what is counted only when the process ended well: then
//! every series has the start and the value it had, and nobody is shown a 0 of it.

use std::collections::HashMap;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::model::{BucketKind, Declaration, key};
use crate::timestamp::Timestamp;

use super::cell::Cell;
use super::family::{self, FamilyStore};
use super::state::{Revived, Series, State};
use super::store::Store;

/// A family's series.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptFamily {
    name: Box<str>,
    declared: [u8; 32],
    overflow: u64,
    series: Vec<KeptSeries>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptSeries {
    /// The label values as `model::key` writes them.
    key: Box<[u8]>,
    /// Series of a group come and go together; 0: they never go.
    group: u32,
    /// When the group last changed.
    heard: Timestamp,
    start: Timestamp,
    cell: Cell,
}

impl KeptSeries {
    fn of(state: &State, series: &Series) -> Self {
        Self {
            key: series.key().into(),
            group: series.group,
            heard: state.heard(series.group).unwrap_or_default(),
            start: series.start,
            cell: series.cell.clone(),
        }
    }
}

impl Store {
    /// Copies what a restart is to leave: the families that are windows, or all of them. No lock is held for longer than a
    /// scrape would, or than one label set's ids take.
    pub fn keep(&self, all: bool) -> Vec<KeptFamily> {
        let families = self.families().iter().filter(|family| all || family.is_distinct());
        families.filter_map(|family| family.keep()).collect()
    }

    /// Takes up what was kept, before anything is counted; with `counted` counters go on where they were. How many families
    /// there were to go on with.
    pub fn restore(&self, kept: Vec<KeptFamily>, counted: bool, now: Timestamp) -> usize {
        let mut ours: HashMap<&str, _> = HashMap::new();
        for family in self.families() {
            ours.insert(family.declaration().family.name.as_str(), family);
        }
        let known = kept.into_iter().filter_map(|kept| Some((*ours.get(&*kept.name)?, kept)));
        known
            .filter(|(family, _)| counted || family.is_distinct())
            .fold(0, |sum, (family, kept)| sum + usize::from(family.restore(kept, counted, now)))
    }
}

impl FamilyStore {
    fn keep(&self) -> Option<KeptFamily> {
        let declaration = self.declaration();
        let declared = declaration.digest()?;
        let at_once = match self.is_distinct() {
            true => 1, // ids may be many
            false => (limits::SCRAPE_VALUES / (declaration.family.bounds.len() + 1)).max(1),
        };
        let _still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
        // What is born from now on waits for the next time: of a group all are there, or none.
        let births = self.births();
        let (count, overflow) = self.count();
        let mut series = Vec::with_capacity(count);
        self.each(at_once, |state, _, one| {
            if one.birth < births {
                series.push(KeptSeries::of(state, one));
            }
        });
        let name = declaration.family.name.as_str().into();
        Some(KeptFamily { name, declared, overflow, series })
    }

    /// Whether its declaration is the one that was kept.
    fn restore(&self, kept: KeptFamily, counted: bool, now: Timestamp) -> bool {
        let declaration = self.declaration();
        if declaration.digest() != Some(kept.declared) {
            return false;
        }
        let (labels, declared) = (declaration.family.labels.len(), Cell::new(declaration));
        let mut state = self.state.change();
        if counted {
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
            let revived = match counted {
                true => Revived { start: series.start, restored: true, cell: series.cell },
                false => Revived { start: now, restored: false, cell: series.cell },
            };
            let revived = revived.remembering(declaration, counted);
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

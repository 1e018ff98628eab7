//! Senders' own series: families and label sets as they come, under a budget of their own.
//!
//! A name belongs to whoever had it first: the config, or the first sender; so one name has one kind, and no name is another's
//! `_count`. Names and label sets that some scraper could not tell from those that are there are refused (`names`, `escaped`): what
//! is admitted is shown in every format. What is known of a series is its [`Place`], and a place outlives its series without ever meaning another.

mod escaped;
mod family;
mod kept;
mod names;
mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{Declaration, Family, Kind, MetricName};
use crate::timestamp::Timestamp;

use super::budget::Budget;
use super::store::FamilyCount;

pub use family::{Birth, Effect, First, Owner, PassedFamily, Room};
pub use kept::{KeptPassed, OwnerOf};
pub use names::Taken;
pub use state::Place;

use names::Names;

/// The families that senders brought.
#[derive(Debug)]
pub struct Passed {
    budget: Arc<Budget>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    names: Names,
    families: BTreeMap<MetricName, Arc<PassedFamily>>,
}

impl Passed {
    /// Nothing yet. The config's families have their names already.
    pub fn new<'d>(declared: impl Iterator<Item = &'d Declaration>, budget: Arc<Budget>) -> Self {
        let state = State { names: Names::new(declared), families: BTreeMap::new() };
        Self { budget, state: Mutex::new(state) }
    }

    /// Another config: families whose names it claims are gone, the others live on.
    pub fn declare<'d>(&self, declared: impl Iterator<Item = &'d Declaration>) {
        let mut state = self.lock();
        let State { names, families } = &mut *state;
        *names = Names::new(declared);
        families.retain(|_, family| {
            let family = family.family();
            names.take(family.name.as_str(), family.kind).is_ok()
        });
    }

    /// The family that a metric of this name and kind is part of; none: there is none yet, and the name is free.
    ///
    /// # Errors
    /// Whose the name is, when it can't be had.
    pub fn family(&self, name: &str, kind: Kind) -> Result<Option<Arc<PassedFamily>>, Taken> {
        let state = self.lock();
        match state.families.get(name) {
            Some(family) if family.family().kind == kind => Ok(Some(family.clone())),
            Some(_) => Err(Taken::Kind),
            None => state.names.check(name, kind).map(|()| None),
        }
    }

    /// The family, made if it is not there yet.
    ///
    /// # Errors
    /// Whose the name is, when it can't be had.
    pub fn create(&self, family: Family) -> Result<Arc<PassedFamily>, Taken> {
        if let Some(there) = self.family(family.name.as_str(), family.kind)? {
            return Ok(there);
        }
        let mut state = self.lock();
        state.names.take(family.name.as_str(), family.kind)?;
        let name = family.name.clone();
        let family = Arc::new(PassedFamily::new(family, self.budget.clone()));
        state.families.insert(name, family.clone());
        Ok(family)
    }

    /// Whether there is room for the first label set of a new family.
    pub fn has_room(&self, folds: bool) -> bool {
        self.budget.has(1 + usize::from(folds)) && self.budget.per_metric() > usize::from(folds)
    }

    /// What all senders together have and may have.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// The families there are now, by name.
    pub fn families(&self) -> Vec<Arc<PassedFamily>> {
        self.lock().families.values().cloned().collect()
    }

    /// How large each family is.
    pub fn counts(&self) -> impl Iterator<Item = FamilyCount> {
        self.families().into_iter().map(|family| FamilyCount {
            name: family.family().name.as_str().into(),
            series: family.count(),
            overflow: 0,
        })
    }

    /// Forgets what was idle for so long, and families of which nothing is left.
    pub fn expire(&self, now: Timestamp, idle: Duration) {
        for family in self.families() {
            family.expire(now.before(idle));
        }
        let mut state = self.lock();
        let State { names, families } = &mut *state;
        families.retain(|_, family| {
            let stays = family.count() > 0;
            if !stays {
                names.free(family.family().name.as_str(), family.family().kind);
            }
            stays
        });
    }

    /// Each change under the lock is whole before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

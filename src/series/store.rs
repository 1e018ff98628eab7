//! All families of one config.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::{Declaration, FamilySnapshot};

use super::budget::Budget;
use super::family::{FamilyStore, Writer};

/// The families, in the order of the rule set that feeds them.
#[derive(Debug)]
pub struct Store {
    families: Vec<Arc<FamilyStore>>,
    budget: Arc<Budget>,
}

/// How large a family is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyCount {
    /// Its name.
    pub name: String,
    /// Label sets now.
    pub series: usize,
    /// Changes folded to `other` so far.
    pub overflow: u64,
}

impl Store {
    /// A store for these declarations. Families of `before` whose declaration did not change keep their series.
    pub fn new(
        declarations: &[Arc<Declaration>],
        budget: Arc<Budget>,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Self {
        let kept = |declaration: &Declaration| {
            let mut families = before.iter().flat_map(|store| &store.families);
            families.find(|family| **family.declaration() == *declaration).cloned()
        };
        let family = |declaration: &Arc<Declaration>| {
            let fresh = || FamilyStore::new(declaration.clone(), budget.clone(), now);
            kept(declaration).unwrap_or_else(|| Arc::new(fresh()))
        };
        let families = declarations.iter().map(family).collect();
        Self { families, budget }
    }

    /// One family under its lock.
    pub fn write(&self, family: usize, now: Timestamp) -> Option<Writer<'_>> {
        self.families.get(family).map(|family| family.write(now))
    }

    /// Copies of all families, one lock at a time.
    pub fn snapshot(&self, now: Timestamp) -> impl Iterator<Item = FamilySnapshot> {
        self.families.iter().flat_map(move |family| family.snapshot(now))
    }

    /// How large each family is.
    pub fn counts(&self) -> impl Iterator<Item = FamilyCount> {
        self.families.iter().map(|family| {
            let (series, overflow) = family.count();
            FamilyCount { name: family.declaration().family.name.as_str().into(), series, overflow }
        })
    }

    /// Forgets what was idle for longer than its time.
    pub fn expire(&self, now: Timestamp, idle: Duration) {
        for family in &self.families {
            family.expire(now, idle);
        }
    }

    /// What all families share.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

//! All families of one config.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Declaration, Labels};
use crate::timestamp::Timestamp;

use super::budget::Budget;
use super::copies::Copies;
use super::family::{self, FamilyStore, KeyHasher, Writer};

/// The families, in the order of the rule set that feeds them.
#[derive(Debug)]
pub struct Store {
    families: Vec<Arc<FamilyStore>>,
    budget: Arc<Budget>,
    hasher: KeyHasher,
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
        // Families that are kept find their series by the hashes they have.
        let hasher = before.map_or_else(KeyHasher::default, |store| store.hasher.clone());
        let kept = |declaration: &Declaration| {
            let mut families = before.iter().flat_map(|store| &store.families);
            families.find(|family| **family.declaration() == *declaration).cloned()
        };
        let family = |declaration: &Arc<Declaration>| {
            let fresh =
                || FamilyStore::new(declaration.clone(), budget.clone(), hasher.clone(), now);
            kept(declaration).unwrap_or_else(|| Arc::new(fresh()))
        };
        let families = declarations.iter().map(family).collect();
        Self { families, budget, hasher }
    }

    /// The hash by which every family finds this key.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        family::hash(&self.hasher, key)
    }

    /// One family under its lock.
    pub fn write(&self, family: usize, now: Timestamp) -> Option<Writer<'_>> {
        self.families.get(family).map(|family| family.write(now))
    }

    /// The series of now, to be copied as the copies are asked for.
    pub fn copies(&self, exemplars: bool, now: Timestamp) -> Vec<Copies> {
        let copies = |family: &Arc<FamilyStore>| Copies::new(family.clone(), exemplars, now);
        self.families.iter().map(copies).collect()
    }

    /// The families, in their order.
    pub(super) fn families(&self) -> &[Arc<FamilyStore>] {
        &self.families
    }

    /// How large each family is.
    pub fn counts(&self) -> impl Iterator<Item = FamilyCount> {
        self.families.iter().map(|family| {
            let (series, overflow) = family.count();
            FamilyCount { name: family.declaration().family.name.as_str().into(), series, overflow }
        })
    }

    /// How large each family is, and its label sets, copied a few at a time as they are asked for.
    pub fn label_sets(&self) -> impl Iterator<Item = (FamilyCount, Vec<Arc<Labels>>)> {
        let sets = self.families.iter().map(|family| family.label_sets());
        self.counts().zip(sets)
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

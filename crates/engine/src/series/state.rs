//! What a family's lock guards: series found by their key, in groups that come and go together.

use std::sync::Arc;

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

use crate::cut::{Cut, Stamp, Stamped};
use crate::model::{Declaration, LabelName, Labels, key};
use crate::timestamp::Timestamp;

use super::admission::Values;
use super::cell::Cell;

#[derive(Debug, Default)]
pub(super) struct State {
    table: HashTable<u32>,
    series: Vec<Option<Series>>,
    free: Vec<u32>,
    /// When each group last changed; none: nobody there. Group 0 is declared whole and never goes.
    groups: Vec<Option<Timestamp>>,
    free_groups: Vec<u32>,
    pub(super) values: Values,
    pub(super) overflow: u64,
    /// Series made so far.
    births: u64,
    /// What is copied for a restart.
    pub(super) cut: Cut<KeptSeries>,
}

#[derive(Debug)]
pub(super) struct Series {
    hash: u64,
    /// The label values as `model::key` writes them: compared in one piece.
    key: Box<[u8]>,
    pub(super) labels: Arc<Labels>,
    pub(super) start: Timestamp,
    /// How many were made before it.
    pub(super) birth: u64,
    pub(super) group: u32,
    /// Since when it is young to scrapers, which see it at 0 first; 0: they saw it before this process began.
    pub(super) born: Timestamp,
    stamp: Stamp,
    pub(super) cell: Cell,
}

impl Stamped for Series {
    fn stamp(&mut self) -> &mut Stamp {
        &mut self.stamp
    }
}

/// A series as a restart finds it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptSeries {
    /// The label values as `model::key` writes them.
    pub(super) key: Box<[u8]>,
    /// Series of a group come and go together; 0: they never go.
    pub(super) group: u32,
    /// When the group last changed.
    pub(super) heard: Timestamp,
    pub(super) start: Timestamp,
    pub(super) cell: Cell,
}

impl KeptSeries {
    pub(super) fn of(series: &Series, groups: &[Option<Timestamp>]) -> Self {
        Self {
            key: series.key.clone(),
            group: series.group,
            heard: groups.get(series.group as usize).copied().flatten().unwrap_or_default(),
            start: series.start,
            cell: series.cell.clone(),
        }
    }
}

/// What a series holds that comes back.
pub(super) struct Revived {
    pub(super) start: Timestamp,
    pub(super) born: Timestamp,
    pub(super) cell: Cell,
}

impl Series {
    /// The label values as `model::key` writes them.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Since when it is young to scrapers; none: they saw it before this process began.
    pub(super) fn born(&self) -> Option<Timestamp> {
        self.born.is_known().then_some(self.born)
    }
}

impl State {
    /// Nobody there, and group 0.
    pub(super) fn new(labels: usize, now: Timestamp) -> Self {
        Self { groups: vec![Some(now)], values: Values::new(labels), ..Self::default() }
    }

    /// How many label sets there are.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Series made so far.
    pub(super) fn births(&self) -> u64 {
        self.births
    }

    /// Where the series lie, the empty places among them counted.
    pub(super) fn places(&self) -> usize {
        self.series.len()
    }

    pub(super) fn at(&self, at: u32) -> Option<&Series> {
        self.series.get(at as usize)?.as_ref()
    }

    /// Some of the series, by their places, and whether there are places beyond.
    pub(super) fn some(
        &self,
        from: usize,
        count: usize,
    ) -> (impl Iterator<Item = (u32, &Series)>, bool) {
        let places = (0_u32..).zip(&self.series).skip(from).take(count);
        let some = places.filter_map(|(at, series)| Some((at, series.as_ref()?)));
        (some, from + count < self.series.len())
    }

    /// Copies some of the series for the cut that has begun, by their places. Returns whether there are places beyond.
    pub(super) fn copy_cut(&mut self, from: usize, count: usize) -> bool {
        if from == 0 {
            self.cut.reserve(self.table.len());
        }
        for series in self.series.iter_mut().skip(from).take(count).flatten() {
            self.cut.copy(series, |series| KeptSeries::of(series, &self.groups));
        }
        from + count < self.series.len()
    }

    #[inline]
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let equal = |at: &u32| {
            self.at(*at).is_some_and(|series| series.hash == hash && *series.key == *key)
        };
        self.table.find(hash, equal).copied()
    }

    /// The series at this place, whose group changes now.
    #[inline]
    pub(super) fn touch(&mut self, at: u32, now: Timestamp) -> Option<&mut Series> {
        let series = self.series.get_mut(at as usize)?.as_mut()?;
        self.cut.copy(series, |series| KeptSeries::of(series, &self.groups));
        if let Some(last) = self.groups.get_mut(series.group as usize) {
            *last = Some(now);
        }
        Some(series)
    }

    /// Adds a series that is not there yet, at 0.
    pub(super) fn create(
        &mut self,
        declaration: &Declaration,
        (hash, key): (u64, &[u8]),
        group: u32,
        now: Timestamp,
    ) {
        let values = &mut self.values;
        let pairs = declaration.family.labels.iter().zip(key::values(key)).enumerate();
        let pairs = pairs.filter(|(_, (_, value))| !value.is_empty());
        let pairs = pairs.map(|(at, (name, value))| (name.clone(), values.intern(at, value)));
        let labels = Arc::new(pairs.collect::<Labels>());
        let cell = Cell::new(declaration);
        let (key, birth) = (key.into(), self.births);
        let (born, stamp) = (now, self.cut.stamp());
        let series = Series { hash, key, labels, start: now, birth, group, born, stamp, cell };
        self.births += 1;
        let at = self.free.pop().unwrap_or_else(|| {
            self.series.push(None);
            u32::try_from(self.series.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(slot) = self.series.get_mut(at as usize) {
            *slot = Some(series);
        }
        let hash_of = hash_of(&self.series);
        self.table.insert_unique(hash, at, hash_of);
    }

    /// Gives a series that is there what it held before.
    pub(super) fn revive(&mut self, (hash, key): (u64, &[u8]), revived: Revived) {
        let at = self.find(hash, key);
        let series = at.and_then(|at| self.series.get_mut(at as usize)).and_then(Option::as_mut);
        if let Some(series) = series {
            (series.start, series.born) = (revived.start, revived.born);
            series.cell = revived.cell;
        }
    }

    /// When each group last changed; none: there are no series of it.
    pub(super) fn groups(&self) -> &[Option<Timestamp>] {
        &self.groups
    }

    /// When a group last changed.
    pub(super) fn heard(&self, group: u32) -> Option<Timestamp> {
        self.groups.get(group as usize).copied().flatten()
    }

    pub(super) fn new_group(&mut self, now: Timestamp) -> u32 {
        let at = self.free_groups.pop().unwrap_or_else(|| {
            self.groups.push(None);
            u32::try_from(self.groups.len() - 1).unwrap_or(0)
        });
        if let Some(slot) = self.groups.get_mut(at as usize) {
            *slot = Some(now);
        }
        at
    }

    /// Whether a group may go: it did not change since.
    pub(super) fn is_idle(&self, group: u32, deadline: Timestamp) -> bool {
        group > 0 && self.heard(group).is_some_and(|last| last < deadline)
    }

    /// Whether any group may go.
    pub(super) fn has_idle(&self, deadline: Timestamp) -> bool {
        self.groups.iter().skip(1).flatten().any(|last| *last < deadline)
    }

    /// Forgets a group whose series these are.
    pub(super) fn forget(&mut self, group: u32, places: &[(u32, u32)], names: &[LabelName]) {
        for (_, at) in places {
            let slot = self.series.get_mut(*at as usize);
            let Some(mut series) = slot.and_then(Option::take) else { continue };
            self.cut.copy(&mut series, |series| KeptSeries::of(series, &self.groups));
            if let Ok(entry) = self.table.find_entry(series.hash, |one| one == at) {
                entry.remove();
            }
            self.free.push(*at);
            self.values.release(names, &series.labels);
        }
        if let Some(slot) = self.groups.get_mut(group as usize) {
            *slot = None;
            self.free_groups.push(group);
        }
    }

    /// Gives memory back that nobody uses.
    pub(super) fn shrink(&mut self) {
        while let Some(None) = self.series.last() {
            self.series.pop();
        }
        let places = self.series.len();
        self.free.retain(|at| (*at as usize) < places);
        self.series.shrink_to_fit();
        self.free.shrink_to_fit();
        while self.groups.len() > 1 && self.groups.last() == Some(&None) {
            self.groups.pop();
        }
        let groups = self.groups.len();
        self.free_groups.retain(|at| (*at as usize) < groups);
        self.groups.shrink_to_fit();
        self.free_groups.shrink_to_fit();
        self.values.shrink();
        let hash_of = hash_of(&self.series);
        self.table.shrink_to_fit(hash_of);
    }
}

fn hash_of(series: &[Option<Series>]) -> impl Fn(&u32) -> u64 {
    |at| series.get(*at as usize).and_then(Option::as_ref).map_or(0, |series| series.hash)
}

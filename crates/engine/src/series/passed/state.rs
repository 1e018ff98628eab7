//! What the lock of a sender's family guards: series found by all their labels, and whose they are.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::cut::{Cut, Stamp, Stamped};
use crate::model::{LabelName, Labels};
use crate::timestamp::Timestamp;

use super::super::cell::Cell;
use super::escaped::EscapedSets;

/// Where a series is. When the series has gone, its place is nobody's ever after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub(super) slot: u32,
    pub(super) life: u32,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) table: HashTable<u32>,
    pub(super) slots: Vec<Slot>,
    free: Vec<u32>,
    /// Series made so far.
    pub(super) births: u64,
    pub(super) owners: HashMap<u64, Sets, foldhash::fast::RandomState>,
    escaped: EscapedSets,
    /// Names and values, each text once.
    pub(super) texts: HashSet<Arc<str>, foldhash::fast::RandomState>,
    /// What is copied for a restart.
    pub(super) cut: Cut<SeriesCopy>,
}

/// The label sets of one owner.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sets {
    pub(super) own: usize,
    pub(super) overflow: Overflow,
}

/// The overflow set of an owner, which counts as one of its sets as soon as it is reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Overflow {
    #[default]
    None,
    Reserved,
    There,
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    /// How many series were here before.
    pub(super) life: u32,
    pub(super) series: Option<Series>,
}

#[derive(Debug)]
pub(super) struct Series {
    pub(super) hash: u64,
    pub(super) labels: Arc<Labels>,
    pub(super) start: Option<Timestamp>,
    pub(super) born: Option<Timestamp>,
    pub(super) last: Timestamp,
    /// How many were made before it.
    pub(super) birth: u64,
    pub(super) owner: u64,
    pub(super) is_overflow: bool,
    /// Streams that make a total rise; of a level its parts say so.
    pub(super) feeds: u32,
    pub(super) stamp: Stamp,
    pub(super) cell: Cell,
}

impl Stamped for Series {
    fn stamp(&mut self) -> &mut Stamp {
        &mut self.stamp
    }
}

/// What a series was when a cut began.
#[derive(Debug)]
pub(super) struct SeriesCopy {
    pub(super) labels: Arc<Labels>,
    pub(super) start: Option<Timestamp>,
    pub(super) born: Option<Timestamp>,
    pub(super) last: Timestamp,
    pub(super) is_overflow: bool,
    pub(super) feeds: u32,
    pub(super) cell: Cell,
}

impl SeriesCopy {
    fn of(series: &Series) -> Self {
        Self {
            labels: series.labels.clone(),
            start: series.start,
            born: series.born,
            last: series.last,
            is_overflow: series.is_overflow,
            feeds: series.feeds,
            cell: series.cell.clone(),
        }
    }
}

impl State {
    pub(super) fn sets(&self, owner: u64) -> Sets {
        self.owners.get(&owner).copied().unwrap_or_default()
    }

    pub(super) fn find<L: AsRef<str>>(&self, hash: u64, labels: &[(L, L)]) -> Option<Place> {
        let equal = |at: &u32| {
            let series = self.slots.get(*at as usize).and_then(|slot| slot.series.as_ref());
            series.is_some_and(|series| {
                let held = series.labels.0.iter().map(|(name, value)| (name.as_str(), &**value));
                let asked = labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
                series.hash == hash && held.eq(asked)
            })
        };
        let slot = *self.table.find(hash, equal)?;
        Some(Place { slot, life: self.slots.get(slot as usize)?.life })
    }

    /// Whether some scraper could not tell a series with these labels, which is not there, from one that is.
    pub(super) fn meets<L: AsRef<str>>(&mut self, labels: &[(L, L)]) -> bool {
        self.escaped.meets(labels, label_sets(&self.slots))
    }

    /// The series at a place, to look at or to change.
    pub(super) fn at(&mut self, place: Place) -> Option<&mut Series> {
        let slot = self.slots.get_mut(place.slot as usize)?;
        let series = slot.series.as_mut().filter(|_| slot.life == place.life)?;
        self.cut.copy(series, SeriesCopy::of);
        Some(series)
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.texts.get(text) {
            return held.clone();
        }
        let held: Arc<str> = text.into();
        self.texts.insert(held.clone());
        held
    }

    pub(super) fn labels<L: AsRef<str>>(&mut self, labels: &[(L, L)]) -> Arc<Labels> {
        let pairs = labels.iter().map(|(name, value)| {
            (LabelName::shared(self.text(name.as_ref())), self.text(value.as_ref()))
        });
        Arc::new(pairs.collect())
    }

    pub(super) fn insert(&mut self, mut series: Series) -> Place {
        series.stamp = self.cut.stamp();
        let hash = series.hash;
        self.escaped.insert(&series.labels, label_sets(&self.slots));
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut life = 0;
        if let Some(free) = self.slots.get_mut(slot as usize) {
            (life, free.series) = (free.life, Some(series));
        }
        let slots = &self.slots;
        let hash_of = |at: &u32| {
            let series = slots.get(*at as usize).and_then(|slot| slot.series.as_ref());
            series.map_or(0, |series| series.hash)
        };
        self.table.insert_unique(hash, slot, hash_of);
        Place { slot, life }
    }

    /// Copies some of the series for the cut that has begun, by their slots. Returns whether there are slots beyond.
    pub(super) fn copy_cut(&mut self, from: usize, count: usize) -> bool {
        if from == 0 {
            self.cut.reserve(self.table.len());
        }
        for slot in self.slots.iter_mut().skip(from).take(count) {
            slot.series.iter_mut().for_each(|series| self.cut.copy(series, SeriesCopy::of));
        }
        from + count < self.slots.len()
    }

    pub(super) fn remove(&mut self, at: u32) -> Option<Series> {
        let slot = self.slots.get_mut(at as usize)?;
        let mut series = slot.series.take()?;
        self.cut.copy(&mut series, SeriesCopy::of);
        slot.life = slot.life.wrapping_add(1);
        self.escaped.remove(&series.labels);
        if let Ok(entry) = self.table.find_entry(series.hash, |one| *one == at) {
            entry.remove();
        }
        self.free.push(at);
        Some(series)
    }
}

fn label_sets(slots: &[Slot]) -> impl Iterator<Item = &Labels> {
    slots.iter().filter_map(|slot| slot.series.as_ref()).map(|series| &*series.labels)
}

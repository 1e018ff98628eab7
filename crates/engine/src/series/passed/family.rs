//! One family that senders brought: label sets found by all their names and values.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::limits;
use crate::model::amount::{Amount, Shape};
use crate::model::{Family, FamilySnapshot, LabelName, Labels, Op, Row};
use crate::timestamp::Timestamp;

use super::super::budget::Budget;
use super::super::cell::{Cell, Done, Sample};
use super::super::guarded::Guarded;

/// Where a series is. When the series has gone, its place is nobody's ever after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    slot: u32,
    life: u32,
}

/// How a series begins.
#[derive(Clone, Copy, Debug)]
pub struct Birth<'a> {
    /// What it will hold; none: a level.
    pub amount: Option<&'a Amount>,
    /// Since when it counts, where that is known.
    pub start: Option<Timestamp>,
    /// When we began it; none: its sender did.
    pub born: Option<Timestamp>,
}

/// One family and its series.
#[derive(Debug)]
pub struct PassedFamily {
    family: Arc<Family>,
    budget: Arc<Budget>,
    hasher: foldhash::fast::RandomState,
    state: Guarded<State>,
}

#[derive(Debug, Default)]
struct State {
    table: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Series made so far.
    births: u64,
    /// Names and values, each text once.
    texts: HashSet<Arc<str>, foldhash::fast::RandomState>,
}

#[derive(Debug, Default)]
struct Slot {
    /// How many series were here before.
    life: u32,
    series: Option<Series>,
}

#[derive(Debug)]
pub(super) struct Series {
    hash: u64,
    pub(super) labels: Arc<Labels>,
    pub(super) start: Option<Timestamp>,
    born: Option<Timestamp>,
    pub(super) last: Timestamp,
    /// How many were made before it.
    birth: u64,
    pub(super) cell: Cell,
}

impl PassedFamily {
    /// A family without a series.
    pub fn new(family: Family, budget: Arc<Budget>) -> Self {
        Self {
            family: Arc::new(family),
            budget,
            hasher: foldhash::fast::RandomState::default(),
            state: Guarded::default(),
        }
    }

    /// Name, kind and the like.
    pub fn family(&self) -> &Arc<Family> {
        &self.family
    }

    /// How many series there are.
    pub fn count(&self) -> usize {
        self.state.change().table.len()
    }

    /// The series with exactly these labels, sorted by name.
    pub fn find<L: AsRef<str>>(&self, labels: &[(L, L)]) -> Option<Place> {
        let hash = self.hash(labels);
        let state = self.state.change();
        state.find(hash, labels)
    }

    /// Begins a series, or finds it there. The caller has reserved room for it, which is given back when it was there.
    pub fn create<L: AsRef<str>>(
        &self,
        labels: &[(L, L)],
        birth: Birth<'_>,
        now: Timestamp,
    ) -> Place {
        let hash = self.hash(labels);
        let mut state = self.state.change();
        if let Some(place) = state.find(hash, labels) {
            self.budget.give_back(1);
            return place;
        }
        let labels = state.labels(labels);
        let cell = birth.amount.map_or_else(Cell::level, Cell::of);
        let Birth { start, born, .. } = birth;
        let birth = state.births;
        state.births += 1;
        state.insert(Series { hash, labels, start, born, last: now, birth, cell })
    }

    /// Makes a series that was there before this process was, with what it held, since when, and when it last changed. Whatever
    /// limits there are now: it was within those of then.
    pub(super) fn revive<L: AsRef<str>>(
        &self,
        labels: &[(L, L)],
        (start, last): (Option<Timestamp>, Timestamp),
        cell: Cell,
    ) {
        let hash = self.hash(labels);
        let mut state = self.state.change();
        if state.find(hash, labels).is_none() {
            self.budget.take_reserved(1);
            let labels = state.labels(labels);
            let birth = state.births;
            state.births += 1;
            state.insert(Series { hash, labels, start, born: None, last, birth, cell });
        }
    }

    /// What is made of each series, under one lock.
    pub(super) fn map<T>(&self, make: impl Fn(&Series) -> T) -> Vec<T> {
        let state = self.state.look();
        state.slots.iter().filter_map(|slot| slot.series.as_ref()).map(make).collect()
    }

    /// Whether the series at this place can hold such an amount, or a level; none: there is none any more.
    pub fn takes(&self, place: Place, shape: Option<Shape>) -> Option<bool> {
        self.state.change().at(place).map(|series| series.cell.takes(shape))
    }

    /// Whether there is a series at this place.
    pub fn is_there(&self, place: Place) -> bool {
        self.state.change().at(place).is_some()
    }

    /// Keeps the series at this place from being idle; false: there is none.
    pub fn touch(&self, place: Place, now: Timestamp) -> bool {
        self.state.change().at(place).map(|series| series.last = now).is_some()
    }

    /// Applies an operation to the series at this place. Without one, or when it is of another shape: nothing, and false.
    pub fn apply(&self, place: Place, op: Op<'_>, sample: Sample, now: Timestamp) -> bool {
        let mut state = self.state.change();
        let Some(series) = state.at(place) else { return false };
        series.last = now;
        match series.cell.apply(op, &[], sample) {
            Done::Applied => true,
            Done::Mismatch => false,
            Done::Anew => {
                // What falls has a new start, the sender's if it told one.
                let later = Some(sample.time) > series.start;
                series.start = Some(if later { sample.time } else { now });
                true
            }
        }
    }

    /// Ends the series at this place.
    pub fn remove(&self, place: Place) {
        let mut state = self.state.change();
        if state.at(place).is_some() {
            state.remove(place.slot);
            self.budget.give_back(1);
        }
    }

    /// The series of now, copied a few at a time as they are asked for. So that no label set is shown twice, what begins later is
    /// left out.
    pub fn copies(
        self: &Arc<Self>,
        exemplars: bool,
    ) -> impl Iterator<Item = FamilySnapshot> + use<> {
        let (family, births) = (self.clone(), self.state.look().births);
        (0..).step_by(limits::SERIES_AT_ONCE).map_while(move |from| {
            let rows = family.copy(from, births, exemplars)?;
            Some(FamilySnapshot { family: family.family.clone(), rows })
        })
    }

    /// Copies some series out, of the first `births` ever made. None: there are no such places.
    fn copy(&self, from: usize, births: u64, exemplars: bool) -> Option<Vec<Row>> {
        let row = |series: &Series| Row {
            labels: series.labels.clone(),
            start: series.start,
            born: series.born,
            value: series.cell.row(exemplars),
        };
        let mut rows = Vec::with_capacity(limits::SERIES_AT_ONCE); // before the lock
        let state = self.state.look();
        let some = state.slots.get(from..).filter(|slots| !slots.is_empty())?;
        let held = some.iter().take(limits::SERIES_AT_ONCE).filter_map(|slot| slot.series.as_ref());
        rows.extend(held.filter(|series| series.birth < births).map(row));
        Some(rows)
    }

    /// Ends the series that nothing has touched since `deadline`.
    pub fn expire(&self, deadline: Timestamp) {
        let mut state = self.state.change();
        let old = |slot: &Slot| slot.series.as_ref().is_some_and(|series| series.last < deadline);
        let gone: Vec<u32> =
            (0_u32..).zip(&state.slots).filter(|(_, slot)| old(slot)).map(|(at, _)| at).collect();
        if gone.is_empty() {
            return;
        }
        gone.iter().for_each(|at| state.remove(*at));
        state.texts.retain(|text| Arc::strong_count(text) > 1);
        state.texts.shrink_to_fit();
        self.budget.give_back(gone.len());
    }

    fn hash<L: AsRef<str>>(&self, labels: &[(L, L)]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            hasher.write(text.as_ref().as_bytes());
            hasher.write_u8(0xff); // no UTF-8 text has it
        }
        hasher.finish()
    }
}

impl Drop for PassedFamily {
    fn drop(&mut self) {
        self.budget.give_back(self.count());
    }
}

impl State {
    fn find<L: AsRef<str>>(&self, hash: u64, labels: &[(L, L)]) -> Option<Place> {
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

    fn at(&mut self, place: Place) -> Option<&mut Series> {
        let slot = self.slots.get_mut(place.slot as usize)?;
        if slot.life == place.life { slot.series.as_mut() } else { None }
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(held) = self.texts.get(text) {
            return held.clone();
        }
        let held: Arc<str> = text.into();
        self.texts.insert(held.clone());
        held
    }

    fn labels<L: AsRef<str>>(&mut self, labels: &[(L, L)]) -> Arc<Labels> {
        let pairs = labels.iter().map(|(name, value)| {
            (LabelName::shared(self.text(name.as_ref())), self.text(value.as_ref()))
        });
        Arc::new(pairs.collect())
    }

    fn insert(&mut self, series: Series) -> Place {
        let hash = series.hash;
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

    fn remove(&mut self, at: u32) {
        let Some(slot) = self.slots.get_mut(at as usize) else { return };
        let Some(series) = slot.series.take() else { return };
        slot.life = slot.life.wrapping_add(1);
        if let Ok(entry) = self.table.find_entry(series.hash, |one| *one == at) {
            entry.remove();
        }
        self.free.push(at);
    }
}

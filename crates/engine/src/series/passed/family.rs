//! One family that senders brought: label sets found by all their names and values.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use crate::cut::Stamp;
use crate::limits;
use crate::model::amount::{Amount, Holds};
use crate::model::{Family, FamilySnapshot, Kind, Op, Row};
use crate::timestamp::Timestamp;

use super::super::budget::Budget;
use super::super::cell::{Cell, Done, Sample};
use super::super::guarded::Guarded;
use super::state::{Overflow, Place, Series, SeriesCopy, State};

/// How a series begins.
#[derive(Clone, Copy, Debug)]
pub struct Birth<'a> {
    /// What it will hold.
    pub first: First<'a>,
    /// Since when it counts, where that is known.
    pub start: Option<Timestamp>,
    /// When we began it; none: its sender did.
    pub born: Option<Timestamp>,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It was applied; a level may have been older than what is held.
    Applied,
    /// It was applied, and another stream that is still there had written the gauge.
    Conflict,
    /// There is no series, or one of another shape: nothing changed.
    None,
}

/// What a series will hold.
#[derive(Clone, Copy, Debug)]
pub enum First<'a> {
    /// A total, in the shape of this amount.
    Total(&'a Amount),
    /// A gauge, or an up-down sum whose parts add up.
    Level {
        /// Whether they do.
        adds: bool,
    },
}

/// Whose a series is, and what becomes of more of them than there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Label sets of one owner are counted together.
    pub id: u64,
    /// Whether what is too much folds into the owner's overflow set: a place for it is reserved with the first set.
    pub folds: bool,
}

/// Whether there is room for another label set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is.
    Free,
    /// Its owner has as many of this metric as it may.
    OwnerFull,
    /// All senders together have as many as they may.
    Full,
}

/// One family and its series.
#[derive(Debug)]
pub struct PassedFamily {
    family: Arc<Family>,
    budget: Arc<Budget>,
    hasher: foldhash::fast::RandomState,
    state: Guarded<State>,
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

    /// Whether its series are gauges or up-down sums.
    pub fn is_level(&self) -> bool {
        self.family.kind == Kind::Gauge
    }

    /// The parts of its levels: where they are, and the streams they are of.
    pub fn parts(&self) -> Vec<(Place, u64)> {
        let state = self.state.look();
        let slots = (0_u32..).zip(&state.slots);
        let parts = slots.filter_map(|(at, slot)| {
            let Cell::Levels(levels) = &slot.series.as_ref()?.cell else { return None };
            let place = Place { slot: at, life: slot.life };
            Some(levels.streams().map(move |stream| (place, stream)))
        });
        parts.flatten().collect()
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

    /// Whether some scraper could not tell a series with these labels, which is not there, from one that is.
    pub fn meets<L: AsRef<str>>(&self, labels: &[(L, L)]) -> bool {
        self.state.change().meets(labels)
    }

    /// Whether there is room for another label set of an owner.
    pub fn room(&self, owner: Owner) -> Room {
        let sets = self.state.change().sets(owner.id);
        let reserved = usize::from(owner.folds || sets.overflow != Overflow::None);
        let more = 1 + usize::from(owner.folds && sets.overflow == Overflow::None);
        match () {
            () if sets.own + 1 + reserved > self.budget.per_metric() => Room::OwnerFull,
            () if !self.budget.has(more) => Room::Full,
            () => Room::Free,
        }
    }

    /// Whether there is room for the overflow set of an owner.
    pub fn has_overflow_room(&self, owner: u64) -> bool {
        self.state.change().sets(owner).overflow != Overflow::None || self.budget.has(1)
    }

    /// Begins a series, or finds it there. The caller has looked for room.
    pub fn create<L: AsRef<str>>(
        &self,
        labels: &[(L, L)],
        (owner, is_overflow): (Owner, bool),
        birth: Birth<'_>,
        now: Timestamp,
    ) -> Place {
        let hash = self.hash(labels);
        let mut state = self.state.change();
        if let Some(place) = state.find(hash, labels) {
            return place;
        }
        let labels = state.labels(labels);
        let cell = match birth.first {
            First::Total(amount) => Cell::of(amount),
            First::Level { adds } => Cell::level(adds),
        };
        let Birth { start, born, .. } = birth;
        let (birth, owner) = (state.births, self.take(&mut state, owner, is_overflow));
        state.births += 1;
        let feeds = 0;
        state.insert(Series {
            hash,
            labels,
            start,
            born,
            last: now,
            birth,
            owner,
            is_overflow,
            feeds,
            stamp: Stamp::default(),
            cell,
        })
    }

    fn take(&self, state: &mut State, owner: Owner, is_overflow: bool) -> u64 {
        let sets = state.owners.entry(owner.id).or_default();
        if !is_overflow {
            sets.own += 1;
            self.budget.take_reserved(1);
        }
        if (owner.folds || is_overflow) && sets.overflow == Overflow::None {
            sets.overflow = Overflow::Reserved;
            self.budget.take_reserved(1);
        }
        if is_overflow {
            sets.overflow = Overflow::There;
        }
        owner.id
    }

    /// Makes a series that was there before this process was, with what it held, since when, when it was born for scrapers, when it
    /// last changed, and how many streams fed it. Whatever limits there are now: it was within those of then.
    pub(super) fn revive<L: AsRef<str>>(
        &self,
        labels: &[(L, L)],
        (owner, is_overflow): (Owner, bool),
        (start, born, last): (Option<Timestamp>, Option<Timestamp>, Timestamp),
        (feeds, cell): (u32, Cell),
    ) {
        let hash = self.hash(labels);
        let mut state = self.state.change();
        if state.find(hash, labels).is_none() {
            let labels = state.labels(labels);
            let (birth, owner) = (state.births, self.take(&mut state, owner, is_overflow));
            state.births += 1;
            state.insert(Series {
                hash,
                labels,
                start,
                born,
                last,
                birth,
                owner,
                is_overflow,
                feeds,
                stamp: Stamp::default(),
                cell,
            });
        }
    }

    /// A cut begins with the series as they are now.
    pub(super) fn begin_cut(&self) {
        self.state.change().cut.begin();
    }

    /// Copies the series of the cut that has begun, a few under each lock.
    pub(super) fn copy_cut(&self) -> Vec<SeriesCopy> {
        let mut from = 0;
        while self.state.look().copy_cut(from, limits::SERIES_AT_ONCE) {
            from += limits::SERIES_AT_ONCE;
        }
        self.state.look().cut.take()
    }

    /// Whether the series at this place can hold such points; none: there is none any more.
    pub fn takes(&self, place: Place, holds: Holds) -> Option<bool> {
        self.state.change().at(place).map(|series| series.cell.takes(holds))
    }

    /// Whether the histogram at this place has exactly these bounds; one of no bounds has any.
    pub fn has_bounds(&self, place: Place, bounds: &[f64]) -> bool {
        self.state.change().at(place).is_some_and(|series| series.cell.has_bounds(bounds))
    }

    /// Whether there is a series at this place.
    pub fn is_there(&self, place: Place) -> bool {
        self.state.change().at(place).is_some()
    }

    /// Keeps the series at this place from being idle; false: there is none.
    pub fn touch(&self, place: Place, now: Timestamp) -> bool {
        self.state.change().at(place).map(|series| series.last = now).is_some()
    }

    /// Applies an operation to the series at this place.
    pub fn apply(&self, place: Place, op: Op<'_>, sample: Sample, now: Timestamp) -> Effect {
        let mut state = self.state.change();
        let Some(series) = state.at(place) else { return Effect::None };
        series.last = now;
        match series.cell.apply(op, &[], sample) {
            Done::Applied => Effect::Applied,
            Done::Conflict => Effect::Conflict,
            Done::Mismatch => Effect::None,
            Done::Anew => {
                // What falls has a new start, the sender's if it told one.
                let later = Some(sample.time) > series.start;
                series.start = Some(if later { sample.time } else { now });
                Effect::Applied
            }
        }
    }

    /// One stream more, or fewer, makes the total at this place rise.
    pub fn feed(&self, place: Place, more: bool) {
        if let Some(series) = self.state.change().at(place) {
            series.feeds =
                if more { series.feeds.saturating_add(1) } else { series.feeds.saturating_sub(1) };
        }
    }

    /// What a stream shows ends: its part of a level, or its share of a total that others feed; with the last of them the series.
    pub fn end(&self, place: Place, stream: u64) {
        let mut state = self.state.change();
        let Some(series) = state.at(place) else { return };
        let stays = match &series.cell {
            Cell::Levels(_) => series.cell.end(stream),
            _ => {
                series.feeds = series.feeds.saturating_sub(1);
                series.feeds > 0
            }
        };
        if !stays {
            self.release(&mut state, place.slot);
        }
    }

    /// Ends the series at this place.
    pub fn remove(&self, place: Place) {
        let mut state = self.state.change();
        if state.at(place).is_some() {
            self.release(&mut state, place.slot);
        }
    }

    /// Ends a series, and gives back the room that it had.
    fn release(&self, state: &mut State, slot: u32) {
        let Some(series) = state.remove(slot) else { return };
        let Some(sets) = state.owners.get_mut(&series.owner) else { return };
        if series.is_overflow {
            sets.overflow = Overflow::Reserved;
        } else {
            sets.own = sets.own.saturating_sub(1);
            self.budget.give_back(1);
        }
        if sets.own == 0 && sets.overflow == Overflow::Reserved {
            self.budget.give_back(1);
        }
        if sets.own == 0 && sets.overflow != Overflow::There {
            state.owners.remove(&series.owner);
        }
    }

    /// Where the series are that nothing has touched since `deadline`, and when each was touched last.
    pub fn quiet(&self, deadline: Timestamp) -> Vec<(Timestamp, Place)> {
        let state = self.state.look();
        let slots = (0_u32..).zip(&state.slots);
        let quiet = slots.filter_map(|(at, slot)| {
            let series = slot.series.as_ref().filter(|series| series.last < deadline)?;
            Some((series.last, Place { slot: at, life: slot.life }))
        });
        quiet.collect()
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
        let gone = self.quiet(deadline);
        if gone.is_empty() {
            return;
        }
        let mut state = self.state.change();
        for (_, place) in gone {
            if state.at(place).is_some_and(|series| series.last < deadline) {
                self.release(&mut state, place.slot);
            }
        }
        state.texts.retain(|text| Arc::strong_count(text) > 1);
        state.texts.shrink_to_fit();
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
        let state = self.state.change();
        let sets = state.owners.values();
        let all = sets.map(|sets| sets.own + usize::from(sets.overflow != Overflow::None));
        self.budget.give_back(all.sum());
    }
}

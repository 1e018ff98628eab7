//! One family's series: found by their label values, changed in place, copied out for a scrape.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::limits;
use crate::model::{Declaration, Dimension, FamilySnapshot, Labels, Op, Row, key};
use crate::timestamp::Timestamp;

use super::admission::{fold_all, neighbours, overflow_sets};
use super::budget::Budget;
use super::cell::{Cell, Done, Sample};
use super::distinct::shown::Shown;
use super::guarded::Guarded;
use super::state::{Series, State};

/// Hashes keys, with a seed that nobody outside knows.
pub type KeyHasher = foldhash::fast::RandomState;

/// One change of one series of a family.
#[derive(Clone, Copy, Debug)]
pub struct Change<'s> {
    /// Which of the declaration's shapes made it.
    pub shape: usize,
    /// The label values, as [`crate::model::key`] writes them.
    pub key: &'s [u8],
    /// What [`super::Store::hash`] makes of the key.
    pub hash: u64,
    /// What to do.
    pub op: Op<'s>,
    /// The record behind it.
    pub sample: Sample,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The very label set was changed.
    Exact,
    /// A limit folded open-ended values to `other`; the total is exact.
    Folded,
    /// A gauge had no room, and a gauge is never folded: nothing changed.
    NoRoom,
    /// The series keeps its observations in another way than the sender: nothing changed.
    Mismatch,
}

/// One family and its series.
#[derive(Debug)]
pub struct FamilyStore {
    declaration: Arc<Declaration>,
    pub(super) budget: Arc<Budget>,
    /// Keys of the label sets that take what there is no room for, with their hashes. Room for them is taken from the start.
    overflow: Vec<(u64, Box<[u8]>)>,
    pub(super) hasher: KeyHasher,
    shown: Option<Shown>,
    /// Held while series are gone through in several steps: none goes then, so none comes twice.
    pub(super) still: Mutex<()>,
    pub(super) state: Guarded<State>,
}

/// A family under its lock.
pub struct Writer<'f> {
    family: &'f FamilyStore,
    state: MutexGuard<'f, State>,
    now: Timestamp,
}

/// The hash of a key.
#[inline]
pub fn hash(hasher: &KeyHasher, key: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(key);
    hasher.finish()
}

impl FamilyStore {
    /// A family whose declared label sets are all there, at 0. A gauge has no honest 0, so a gauge's are not.
    pub fn new(
        declaration: Arc<Declaration>,
        budget: Arc<Budget>,
        hasher: KeyHasher,
        now: Timestamp,
    ) -> Self {
        let state = Guarded::new(State::new(declaration.family.labels.len(), now));
        let still = Mutex::default();
        let shown = Shown::new(&declaration);
        let folds = if declaration.is_level() { Vec::new() } else { overflow_sets(&declaration) };
        let folds = folds.iter().map(|set| key::of(set));
        let overflow: Vec<_> = folds.map(|key| (hash(&hasher, &key), key.into())).collect();
        budget.take_reserved(overflow.len());
        let store = Self { declaration, budget, overflow, hasher, shown, still, state };
        let mut writer = store.write(now);
        for shape in &store.declaration.shapes {
            let first = shape.iter().map(Dimension::first).collect::<Vec<_>>();
            if !store.declaration.is_level() && !Declaration::is_open(shape) {
                writer.create(shape, &first, true);
            }
        }
        drop(writer);
        store
    }

    /// What the config promises about it.
    pub fn declaration(&self) -> &Arc<Declaration> {
        &self.declaration
    }

    /// Takes the lock for a batch of changes.
    pub fn write(&self, now: Timestamp) -> Writer<'_> {
        Writer { family: self, state: self.state.change(), now }
    }

    /// The hash by which it finds this key.
    pub fn hash(&self, key: &[u8]) -> u64 {
        hash(&self.hasher, key)
    }

    /// Whether a label set is one of those that take what there is no room for.
    pub(super) fn is_overflow(&self, key: &[u8]) -> bool {
        self.overflow.iter().any(|(_, one)| **one == *key)
    }

    /// Whether it is a count of different ones, shown by families of their own.
    pub(super) fn is_distinct(&self) -> bool {
        self.shown.is_some()
    }

    /// What a count of different ones is shown by, copied a few label sets at a time.
    pub(super) fn crowds(&self, now: Timestamp) -> Vec<FamilySnapshot> {
        let Some(shown) = &self.shown else { return Vec::new() };
        let _still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = shown.at(now);
        self.each(limits::SERIES_AT_ONCE, |_, _, series| {
            if let Cell::Distinct(crowd) = &series.cell {
                rows.add(&series.labels, (series.start, series.born()), crowd);
            }
        });
        rows.families()
    }

    /// Series made so far: what [`copy`](Self::copy) tells old from new by.
    pub(super) fn births(&self) -> u64 {
        self.state.look().births()
    }

    /// Copies out what is in these places, of the first `births` series ever made. None: there are no such places.
    pub(super) fn copy(
        &self,
        places: Range<usize>,
        births: u64,
        exemplars: bool,
    ) -> Option<Vec<Row>> {
        let row = |series: &Series| Row {
            labels: series.labels.clone(),
            start: Some(series.start),
            born: series.born(),
            value: series.cell.row(exemplars),
        };
        let mut rows = Vec::with_capacity(places.len()); // before the lock
        let state = self.state.look();
        if places.start >= state.places() {
            return None;
        }
        let (held, _) = state.some(places.start, places.len());
        let old = held.map(|(_, series)| series).filter(|series| series.birth < births);
        rows.extend(old.map(row));
        Some(rows)
    }

    /// How many label sets there are, and how many changes were folded so far.
    pub fn count(&self) -> (usize, u64) {
        let state = self.state.look();
        (state.len(), state.overflow)
    }

    /// Its label sets, copied a few under each lock.
    pub(super) fn label_sets(&self) -> Vec<Arc<Labels>> {
        let mut sets = Vec::with_capacity(self.count().0); // before the lock
        let _still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
        self.each(limits::SERIES_AT_ONCE, |_, _, series| sets.push(series.labels.clone()));
        sets
    }

    /// Forgets the groups that were idle for longer than their time, and all they held: each whole, one at a time.
    pub fn expire(&self, now: Timestamp, idle: Duration) {
        let deadline = now.before(self.declaration.idle.unwrap_or(idle));
        if !self.state.look().has_idle(deadline) {
            return;
        }
        let _still = self.still.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle: Vec<(u32, u32)> = Vec::new();
        self.each(limits::SERIES_AT_ONCE, |state, at, series| {
            if state.is_idle(series.group, deadline) {
                idle.push((series.group, at));
            }
        });
        idle.sort_unstable();
        for places in idle.chunk_by(|one, other| one.0 == other.0) {
            let Some((group, _)) = places.first() else { continue };
            let mut state = self.state.look();
            if state.is_idle(*group, deadline) {
                let own = places.iter().filter_map(|(_, at)| state.at(*at));
                let own = own.filter(|series| !self.is_overflow(series.key())).count();
                state.forget(*group, places, &self.declaration.family.labels);
                self.budget.give_back(own);
            }
        }
        self.state.look().shrink();
    }

    /// Goes through all series, a few under each lock. The caller sees to it that they stay where they are.
    pub(super) fn each(&self, at_once: usize, mut visit: impl FnMut(&State, u32, &Series)) {
        let mut from = 0;
        loop {
            let state = self.state.look();
            let (some, more) = state.some(from, at_once);
            some.for_each(|(at, series)| visit(&state, at, series));
            if !more {
                return;
            }
            from += at_once;
        }
    }
}

impl Drop for FamilyStore {
    fn drop(&mut self) {
        let state = self.state.look();
        let there = self.overflow.iter().filter(|(hash, key)| state.find(*hash, key).is_some());
        self.budget.give_back(state.len() - there.count() + self.overflow.len());
    }
}

impl Writer<'_> {
    /// Applies one change, to a new series when it must.
    #[inline]
    pub fn apply(&mut self, change: &Change<'_>) -> Applied {
        match self.change((change.hash, change.key), change) {
            Some(done) => applied(done, Applied::Exact),
            None => self.apply_new(change),
        }
    }

    /// Where a label set is, for as long as the family is locked; none: there is no such series.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.state.find(hash, key)
    }

    /// Changes the series at a place that [`find`](Self::find) told.
    #[inline]
    pub fn again(&mut self, place: u32, op: Op<'_>, sample: Sample) -> Applied {
        let done = self.change_at(place, op, sample);
        applied(done.unwrap_or(Done::Mismatch), Applied::Exact)
    }

    #[cold]
    fn apply_new(&mut self, change: &Change<'_>) -> Applied {
        let declaration = self.family.declaration.clone();
        let Some(shape) = declaration.shapes.get(change.shape) else { return Applied::NoRoom };
        let is_gauge = declaration.is_level();
        let asked: Vec<&str> = key::values(change.key).collect();
        let labels = self.state.values.fold_over_limit(shape, &asked);
        let is_folded = *labels != *asked;
        if is_folded && is_gauge {
            return Applied::NoRoom;
        }
        if is_folded && let Some(done) = self.change_labels(&labels, change) {
            return applied(done, self.folded());
        }
        if self.create(shape, &labels, false) {
            let done = self.change_labels(&labels, change).unwrap_or(Done::Mismatch);
            return applied(done, if is_folded { self.folded() } else { Applied::Exact });
        }
        if is_gauge {
            return Applied::NoRoom;
        }
        let other = fold_all(shape, &labels);
        let done = self.change_labels(&other, change).or_else(|| {
            self.create(shape, &other, true);
            self.change_labels(&other, change)
        });
        applied(done.unwrap_or(Done::Mismatch), self.folded())
    }

    fn folded(&mut self) -> Applied {
        self.state.overflow += 1;
        Applied::Folded
    }

    /// Makes a label set and its neighbours at 0. Without room for them all, and none reserved: nothing, and false.
    fn create(&mut self, shape: &[Dimension], labels: &[&str], reserved: bool) -> bool {
        let declaration = self.family.declaration.clone();
        let sets = match declaration.is_level() {
            true => vec![labels.to_vec()],
            false => neighbours(&declaration.shapes, shape, labels),
        };
        let keys = sets.iter().map(|set| key::of(set));
        let keys: Vec<_> = keys.map(|key| (hash(&self.family.hasher, &key), key)).collect();
        let held: Vec<_> = keys.iter().map(|(hash, key)| self.state.find(*hash, key)).collect();
        let missing = || keys.iter().zip(&held).filter(|(_, held)| held.is_none());
        let (family, budget) = (self.family, &self.family.budget);
        let own = missing().filter(|((_, key), _)| !family.is_overflow(key)).count();
        if reserved {
            budget.take_reserved(own);
        } else {
            let absent = family.overflow.iter().filter(|(hash, key)| {
                self.state.find(*hash, key).is_none() && !keys.iter().any(|(_, one)| **one == **key)
            });
            let present = self.state.len() + missing().count() - own + absent.count();
            if !budget.take(present, own) {
                return false;
            }
        }
        let neighbour = held.iter().flatten().next();
        let group = neighbour.and_then(|at| self.state.at(*at)).map(|series| series.group);
        let group = match group {
            Some(group) => group,
            None if Declaration::is_open(shape) => self.state.new_group(self.now),
            None => 0,
        };
        for ((hash, key), _) in keys.iter().zip(&held).filter(|(_, held)| held.is_none()) {
            self.state.create(&declaration, (*hash, key), group, self.now);
        }
        true
    }

    fn change_labels(&mut self, labels: &[&str], change: &Change<'_>) -> Option<Done> {
        let key = key::of(labels);
        self.change((hash(&self.family.hasher, &key), &key), change)
    }

    /// None: there is no such series.
    #[inline]
    fn change(&mut self, (hash, key): (u64, &[u8]), change: &Change<'_>) -> Option<Done> {
        let place = self.state.find(hash, key)?;
        self.change_at(place, change.op, change.sample)
    }

    #[inline]
    fn change_at(&mut self, place: u32, op: Op<'_>, sample: Sample) -> Option<Done> {
        let series = self.state.touch(place, self.now)?;
        let bounds = &self.family.declaration.family.bounds;
        let done = series.cell.apply(op, bounds, sample);
        if done == Done::Anew {
            (series.start, series.born) = (self.now, self.now);
        }
        Some(done)
    }
}

/// What an operation came to, when it would have come to `applied`.
#[inline]
fn applied(done: Done, applied: Applied) -> Applied {
    if done == Done::Mismatch { Applied::Mismatch } else { applied }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, Kind, LabelName, MetricName, RowValue};

    fn declared(values: &[&str]) -> Dimension {
        Dimension::Declared(values.iter().map(|value| Box::from(*value)).collect())
    }

    fn open(limit: Option<usize>) -> Dimension {
        Dimension::Open { limit, default: None }
    }

    fn store(kind: Kind, shape: Vec<Dimension>, per_metric: usize) -> FamilyStore {
        let names = ["a", "b", "c", "d"];
        let family = Family {
            name: MetricName::own("x_total"),
            help: String::new(),
            unit: String::new(),
            kind,
            labels: names.iter().take(shape.len()).map(|name| LabelName::own(name)).collect(),
            bounds: Vec::new(),
        };
        let declaration = Declaration {
            family: family.into(),
            shapes: vec![shape],
            idle: None,
            buckets: Default::default(),
            distinct: None,
        };
        let budget = Arc::new(Budget::new(1000, per_metric));
        FamilyStore::new(declaration.into(), budget, KeyHasher::default(), Timestamp(1))
    }

    fn add(store: &FamilyStore, labels: &[&str], now: u64) -> Applied {
        let op = match store.declaration.family.kind {
            Kind::Gauge => Op::Set(1.0),
            _ => Op::Add(1.0),
        };
        let time = Timestamp(now);
        let sample = Sample { time, arrival: time, ids: None };
        let key = key::of(labels);
        let change = Change { shape: 0, hash: hash(&store.hasher, &key), key: &key, op, sample };
        store.write(Timestamp(now)).apply(&change)
    }

    fn rows(store: &FamilyStore) -> Vec<Row> {
        store.copy(0..1000, u64::MAX, true).unwrap_or_default()
    }

    /// `a=1,b=2 7` for each series, sorted.
    fn shown(store: &FamilyStore) -> Vec<String> {
        let row = |row: &Row| {
            let pair = |(name, value): &(LabelName, Arc<str>)| format!("{}={value}", name.as_str());
            let labels: Vec<String> = row.labels.0.iter().map(pair).collect();
            match row.value {
                RowValue::Counter(value, _) | RowValue::Gauge(value) => {
                    format!("{} {value}", labels.join(","))
                }
                _ => String::new(),
            }
        };
        let mut rows: Vec<String> = rows(store).iter().map(row).collect();
        rows.sort();
        rows
    }

    #[test]
    fn declared_sets_are_there_from_boot_and_never_go() {
        let store = store(Kind::Counter, vec![declared(&["ok", "bad"]), declared(&["x"])], 10);
        assert_eq!(shown(&store), ["a=bad,b=x 0", "a=ok,b=x 0"]);
        store.expire(Timestamp(u64::MAX), Duration::from_secs(1));
        assert_eq!(store.count().0, 2);
    }

    #[test]
    fn the_first_sight_of_an_open_value_brings_its_declared_neighbours() {
        let store = store(Kind::Counter, vec![declared(&["ok", "bad"]), open(None)], 10);
        assert!(shown(&store).is_empty());
        assert_eq!(add(&store, &["ok", "t"], 2), Applied::Exact);
        assert_eq!(add(&store, &["other", "t"], 2), Applied::Exact);
        assert_eq!(add(&store, &["ok", ""], 2), Applied::Exact);
        let all = ["a=bad 0", "a=bad,b=t 0", "a=ok 1", "a=ok,b=t 1", "a=other,b=t 1"];
        assert_eq!(shown(&store), all);
    }

    #[test]
    fn past_a_label_limit_the_value_folds_and_the_total_is_exact() {
        let store = store(Kind::Counter, vec![declared(&["ok", "bad"]), open(Some(2))], 100);
        for (at, tool) in ["a", "b", "c", "d", "a"].into_iter().enumerate() {
            let applied = add(&store, &["ok", tool], 2);
            assert_eq!(applied == Applied::Folded, at == 2 || at == 3, "{tool}");
        }
        assert!(shown(&store).contains(&"a=ok,b=other 2".to_owned()), "{:?}", shown(&store));
        assert!(shown(&store).contains(&"a=ok,b=a 2".to_owned()));
        assert_eq!(store.count().1, 2);
    }

    #[test]
    fn past_the_budget_all_open_values_fold_together() {
        let store = store(Kind::Counter, vec![declared(&["ok", "bad"]), open(None), open(None)], 6);
        assert_eq!(store.budget.used(), 2, "the overflow sets are reserved");
        assert_eq!(add(&store, &["ok", "a", "1"], 2), Applied::Exact);
        assert_eq!(add(&store, &["ok", "b", ""], 2), Applied::Exact);
        for other in ["c", "d", "e"] {
            assert_eq!(add(&store, &["bad", other, "1"], 2), Applied::Folded);
        }
        assert_eq!(add(&store, &["ok", "a", "1"], 2), Applied::Exact);
        assert!(shown(&store).contains(&"a=bad,b=other,c=other 3".to_owned()));
        assert_eq!(store.count(), (6, 3), "a limit of 6 shows 6 sets");
        assert_eq!(store.budget.used(), 6);
    }

    #[test]
    fn a_gauge_is_never_folded() {
        let store = store(Kind::Gauge, vec![open(Some(1))], 10);
        assert_eq!(add(&store, &["a"], 2), Applied::Exact);
        assert_eq!(add(&store, &["b"], 2), Applied::NoRoom);
        assert_eq!(shown(&store), ["a=a 1"]);
    }

    #[test]
    fn an_idle_group_goes_whole_and_gives_everything_back() {
        let store = store(Kind::Counter, vec![declared(&["ok", "bad"]), open(Some(1))], 1000);
        let second = 1_000_000_000;
        add(&store, &["ok", "a"], second);
        add(&store, &["ok", "a"], 100 * second);
        store.expire(Timestamp(105 * second), Duration::from_secs(10));
        assert_eq!(store.count().0, 2, "one busy set keeps its group");
        store.expire(Timestamp(111 * second), Duration::from_secs(10));
        assert_eq!(store.count().0, 0);
        assert_eq!(add(&store, &["ok", "b"], 112 * second), Applied::Exact, "the value made room");
        let row = &rows(&store)[0];
        assert_eq!(row.start, Some(Timestamp(112 * second)), "a new life has a new start");
        assert!(store.budget.take(0, 996) && !store.budget.take(0, 1), "2 and the 2 reserved");
    }

    #[test]
    fn label_sets_are_compared_in_full() {
        let store = store(Kind::Counter, vec![open(None), open(None)], 100);
        for labels in [["x", ""], ["", "x"], ["x", "x"], ["", ""]] {
            add(&store, &labels, 2);
        }
        assert_eq!(shown(&store), [" 1", "a=x 1", "a=x,b=x 1", "b=x 1"]);
    }
}

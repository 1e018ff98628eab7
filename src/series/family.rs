//! One family's series: found by their label values, changed in place, copied out for a scrape.

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashTable;

use crate::clock::Timestamp;
use crate::model::{Declaration, Dimension, FamilySnapshot, LabelName, Labels, Op, Row};

use super::admission::{Values, fold_all, neighbours};
use super::budget::Budget;
use super::cell::{Cell, Done, Sample};
use super::distinct::shown::Shown;

/// One change of one series of a family.
#[derive(Clone, Copy, Debug)]
pub struct Change<'s> {
    /// Which of the declaration's shapes made it.
    pub shape: usize,
    /// A value for each label of the family; empty: the series lacks the label.
    pub labels: &'s [&'s str],
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
    budget: Arc<Budget>,
    hasher: foldhash::fast::RandomState,
    shown: Option<Shown>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    table: HashTable<u32>,
    series: Vec<Option<Series>>,
    free: Vec<u32>,
    /// When each group last changed; none: nobody there. Group 0 is declared whole and never goes.
    groups: Vec<Option<Timestamp>>,
    free_groups: Vec<u32>,
    pub(super) values: Values,
    overflow: u64,
}

#[derive(Debug)]
struct Series {
    hash: u64,
    /// A bit for each label of the family that this series has.
    present: u64,
    labels: Arc<Labels>,
    start: Timestamp,
    group: u32,
    cell: Cell,
}

/// A family under its lock.
pub struct Writer<'f> {
    family: &'f FamilyStore,
    state: MutexGuard<'f, State>,
    now: Timestamp,
}

impl FamilyStore {
    /// A family whose declared label sets are all there, at 0. A gauge has no honest 0, so a gauge's are not.
    pub fn new(declaration: Arc<Declaration>, budget: Arc<Budget>, now: Timestamp) -> Self {
        let store = Self {
            hasher: foldhash::fast::RandomState::default(),
            state: Mutex::default(),
            shown: Shown::new(&declaration),
            declaration,
            budget,
        };
        let mut writer = store.write(now);
        writer.state.groups.push(Some(now));
        writer.state.values = Values::new(store.declaration.family.labels.len());
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
        Writer { family: self, state: self.lock(), now }
    }

    /// Copies all series out: one family, or those that a count of different ones is shown by.
    pub fn snapshot(&self, now: Timestamp) -> Vec<FamilySnapshot> {
        let state = self.lock();
        if let Some(shown) = &self.shown {
            let member = |series| match series {
                &Series { ref labels, start, cell: Cell::Distinct(ref crowd), .. } => {
                    Some((labels, start, &**crowd))
                }
                _ => None,
            };
            return shown.families(state.series.iter().flatten().filter_map(member), now);
        }
        let row = |series: &Series| Row {
            labels: series.labels.clone(),
            start: Some(series.start),
            born: Some(series.start),
            value: series.cell.row(),
        };
        let rows = state.series.iter().flatten().map(row).collect();
        vec![FamilySnapshot { family: self.declaration.family.clone(), rows }]
    }

    /// How many label sets there are, and how many changes were folded so far.
    pub fn count(&self) -> (usize, u64) {
        let state = self.lock();
        (state.table.len(), state.overflow)
    }

    /// Forgets the groups that were idle for longer than their time, and all they held.
    pub fn expire(&self, now: Timestamp, idle: Duration) {
        let deadline = now.before(self.declaration.idle.unwrap_or(idle));
        let mut state = self.lock();
        let old = |last: &Option<Timestamp>| last.is_some_and(|last| last < deadline);
        let gone: Vec<bool> =
            state.groups.iter().enumerate().map(|(at, last)| at > 0 && old(last)).collect();
        if !gone.contains(&true) {
            return;
        }
        let before = state.table.len();
        state.forget(&gone, &self.declaration.family.labels);
        self.budget.give_back(before - state.table.len());
    }

    /// A poisoned lock means a panic in the middle of one change; the numbers are whole, each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, labels: &[&str]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for value in labels {
            hasher.write(value.as_bytes());
            hasher.write_u8(0xff); // no UTF-8 text has it
        }
        hasher.finish()
    }
}

impl Drop for FamilyStore {
    fn drop(&mut self) {
        self.budget.give_back(self.count().0);
    }
}

impl Writer<'_> {
    /// Applies one change, to a new series when it must.
    pub fn apply(&mut self, change: &Change<'_>) -> Applied {
        if let Some(done) = self.change(change.labels, change) {
            return applied(done, Applied::Exact);
        }
        let declaration = self.family.declaration.clone();
        let Some(shape) = declaration.shapes.get(change.shape) else { return Applied::NoRoom };
        let is_gauge = declaration.is_level();
        let labels = self.state.values.fold_over_limit(shape, change.labels).into_owned();
        let is_folded = labels != change.labels;
        if is_folded && is_gauge {
            return Applied::NoRoom;
        }
        if is_folded && let Some(done) = self.change(&labels, change) {
            return applied(done, self.folded());
        }
        if self.create(shape, &labels, false) {
            let done = self.change(&labels, change).unwrap_or(Done::Mismatch);
            return applied(done, if is_folded { self.folded() } else { Applied::Exact });
        }
        if is_gauge {
            return Applied::NoRoom;
        }
        let other = fold_all(shape, &labels);
        let done = self.change(&other, change).or_else(|| {
            self.create(shape, &other, true);
            self.change(&other, change)
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
        let held = |set: &Vec<&str>| self.state.find(self.family.hash(set), set);
        let present: Vec<Option<u32>> = sets.iter().map(held).collect();
        let missing = present.iter().filter(|at| at.is_none()).count();
        let budget = &self.family.budget;
        if reserved {
            budget.take_reserved(missing);
        } else if !budget.take(self.state.table.len(), missing) {
            return false;
        }
        let neighbour = present.iter().flatten().next();
        let group = neighbour.and_then(|at| self.state.at(*at)).map(|series| series.group);
        let now = self.now;
        let group = match group {
            Some(group) => group,
            None if Declaration::is_open(shape) => self.state.new_group(now),
            None => 0,
        };
        for (set, _) in sets.iter().zip(&present).filter(|(_, present)| present.is_none()) {
            self.create_one(set, group);
        }
        true
    }

    /// None: there is no such series.
    fn change(&mut self, labels: &[&str], change: &Change<'_>) -> Option<Done> {
        let hash = self.family.hash(labels);
        let state = &mut *self.state;
        let at = state.find(hash, labels)?;
        let series = state.series.get_mut(at as usize)?.as_mut()?;
        let bounds = &self.family.declaration.family.bounds;
        let done = series.cell.apply(change.op, bounds, change.sample);
        if done == Done::Anew {
            series.start = self.now;
        }
        if let Some(last) = state.groups.get_mut(series.group as usize) {
            *last = Some(self.now);
        }
        Some(done)
    }

    fn create_one(&mut self, labels: &[&str], group: u32) {
        let hash = self.family.hash(labels);
        let family = &self.family.declaration.family;
        let state = &mut *self.state;
        let mut pairs = Vec::with_capacity(labels.len());
        for (at, (name, value)) in family.labels.iter().zip(labels).enumerate() {
            if !value.is_empty() {
                pairs.push((name.clone(), state.values.intern(at, value)));
            }
        }
        let series = Series {
            hash,
            present: presence(labels),
            labels: Arc::new(Labels(pairs.into())),
            start: self.now,
            group,
            cell: Cell::new(&self.family.declaration),
        };
        state.insert(series);
    }
}

/// What an operation came to, when it would have come to `applied`.
fn applied(done: Done, applied: Applied) -> Applied {
    if done == Done::Mismatch { Applied::Mismatch } else { applied }
}

impl State {
    fn at(&self, at: u32) -> Option<&Series> {
        self.series.get(at as usize)?.as_ref()
    }

    fn find(&self, hash: u64, labels: &[&str]) -> Option<u32> {
        let present = presence(labels);
        let equal = |at: &u32| {
            self.at(*at).is_some_and(|series| {
                let values = labels.iter().filter(|value| !value.is_empty());
                series.hash == hash
                    && series.present == present
                    && values.zip(&series.labels.0).all(|(value, (_, held))| **value == **held)
            })
        };
        self.table.find(hash, equal).copied()
    }

    fn insert(&mut self, series: Series) {
        let hash = series.hash;
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

    fn new_group(&mut self, now: Timestamp) -> u32 {
        let at = self.free_groups.pop().unwrap_or_else(|| {
            self.groups.push(None);
            u32::try_from(self.groups.len() - 1).unwrap_or(0)
        });
        if let Some(slot) = self.groups.get_mut(at as usize) {
            *slot = Some(now);
        }
        at
    }

    fn forget(&mut self, gone: &[bool], names: &[LabelName]) {
        let is_gone = |series: &Series| gone.get(series.group as usize).copied().unwrap_or(false);
        for (at, slot) in (0_u32..).zip(&mut self.series) {
            let Some(series) = slot.take_if(|series| is_gone(series)) else { continue };
            if let Ok(entry) = self.table.find_entry(series.hash, |one| *one == at) {
                entry.remove();
            }
            self.free.push(at);
            self.values.release(names, &series.labels);
        }
        for (at, (last, gone)) in (0_u32..).zip(self.groups.iter_mut().zip(gone)) {
            if *gone {
                *last = None;
                self.free_groups.push(at);
            }
        }
        if self.table.is_empty() {
            (self.series, self.free) = (Vec::new(), Vec::new());
        }
        let hash_of = hash_of(&self.series);
        self.table.shrink_to_fit(hash_of);
    }
}

fn hash_of(series: &[Option<Series>]) -> impl Fn(&u32) -> u64 {
    |at| series.get(*at as usize).and_then(Option::as_ref).map_or(0, |series| series.hash)
}

/// A bit for each label that has a value; labels beyond 64 share the last bit, and equality still compares all values.
fn presence(labels: &[&str]) -> u64 {
    let bit = |(at, value): (usize, &&str)| u64::from(!value.is_empty()) << at.min(63);
    labels.iter().enumerate().map(bit).fold(0, |all, one| all | one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Family, Kind, MetricName, RowValue};

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
        FamilyStore::new(declaration.into(), budget, Timestamp(1))
    }

    fn add(store: &FamilyStore, labels: &[&str], now: u64) -> Applied {
        let op = match store.declaration.family.kind {
            Kind::Gauge => Op::Set(1.0),
            _ => Op::Add(1.0),
        };
        let sample = Sample { time: Timestamp(now), ids: None };
        let change = Change { shape: 0, labels, op, sample };
        store.write(Timestamp(now)).apply(&change)
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
        let mut rows: Vec<String> = store.snapshot(Timestamp(1))[0].rows.iter().map(row).collect();
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
        let store = store(Kind::Counter, vec![declared(&["ok", "bad"]), open(None), open(None)], 4);
        assert_eq!(add(&store, &["ok", "a", "1"], 2), Applied::Exact);
        assert_eq!(add(&store, &["ok", "b", ""], 2), Applied::Exact);
        for other in ["c", "d", "e"] {
            assert_eq!(add(&store, &["bad", other, "1"], 2), Applied::Folded);
        }
        assert_eq!(add(&store, &["ok", "a", "1"], 2), Applied::Exact);
        assert!(shown(&store).contains(&"a=bad,b=other,c=other 3".to_owned()));
        assert_eq!(store.count(), (6, 3), "the overflow sets are reserved");
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
        let row = &store.snapshot(Timestamp(1))[0].rows[0];
        assert_eq!(row.start, Some(Timestamp(112 * second)), "a new life has a new start");
        assert!(store.budget.take(0, 998) && !store.budget.take(0, 1));
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

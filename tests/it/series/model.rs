//! What the design says of label sets ("Semantics that must not surprise", P3), as plainly as it can be said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use engine::model::{Declaration, Dimension, Kind, Op};
use engine::series::Applied;
use engine::timestamp::Timestamp;

/// A value for each label; empty: missing.
pub type Set = Vec<String>;

/// All families.
pub struct Model {
    families: Vec<OneFamily>,
    /// Label sets of all metrics, and of one.
    pub limits: (usize, usize),
}

#[derive(Clone)]
struct OneFamily {
    declaration: Arc<Declaration>,
    series: BTreeMap<Set, One>,
    /// When the sets of an open combination last changed.
    changed: BTreeMap<Set, Timestamp>,
    overflow: u64,
}

#[derive(Clone, Copy)]
struct One {
    value: f64,
    count: f64,
    start: Timestamp,
    time: Timestamp,
}

impl Model {
    pub fn new(declarations: &[Arc<Declaration>], limits: (usize, usize), now: Timestamp) -> Self {
        let families = declarations.iter().map(|one| OneFamily::new(one, now)).collect();
        Self { families, limits }
    }

    /// A declaration that is as it was keeps its series, any other begins anew.
    pub fn reload(&mut self, declarations: &[Arc<Declaration>], now: Timestamp) {
        let before = std::mem::take(&mut self.families);
        let family = |declaration: &Arc<Declaration>| {
            let same = before.iter().find(|family| *family.declaration == **declaration);
            same.cloned().unwrap_or_else(|| OneFamily::new(declaration, now))
        };
        self.families = declarations.iter().map(family).collect();
    }

    pub fn shown(&self, family: usize) -> BTreeMap<Set, (f64, f64, Timestamp)> {
        let series = self.families[family].series.iter();
        series.map(|(set, one)| (set.clone(), (one.value, one.count, one.start))).collect()
    }

    pub fn counts(&self, family: usize) -> (usize, u64) {
        (self.families[family].series.len(), self.families[family].overflow)
    }

    /// Open combinations go when nothing in them changed for too long; declared ones never do.
    pub fn expire(&mut self, now: Timestamp, idle: Duration) {
        for family in &mut self.families {
            let deadline = now.before(family.declaration.idle.unwrap_or(idle));
            let old = family.changed.iter().filter(|(_, last)| **last < deadline);
            let old: Vec<Set> = old.map(|(open, _)| open.clone()).collect();
            if !family.is_open() {
                continue;
            }
            for open in old {
                let all = family.series.keys().cloned();
                let gone: Vec<Set> = all.filter(|set| family.group(set) == open).collect();
                for set in gone {
                    family.series.remove(&set);
                }
                family.changed.remove(&open);
            }
        }
    }

    pub fn apply(
        &mut self,
        family: usize,
        shape: usize,
        labels: &[&str],
        op: Op<'_>,
        (time, now): (Timestamp, Timestamp),
    ) -> Applied {
        let everything: usize = self.families.iter().map(OneFamily::room).sum();
        let (all, one) = self.limits;
        let family = &mut self.families[family];
        let shape = family.declaration.shapes[shape].clone();
        let is_gauge = family.declaration.family.kind == Kind::Gauge;
        let wanted: Set = labels.iter().map(|label| (*label).to_owned()).collect();
        let limited = if family.series.contains_key(&wanted) {
            wanted.clone()
        } else {
            family.limited(&shape, &wanted)
        };
        if is_gauge && limited != wanted {
            return Applied::NoRoom;
        }
        let mut set = limited;
        if !family.series.contains_key(&set) {
            let company = family.company(&set);
            let overflow = family.overflow_sets();
            let more = company.iter().filter(|one| !family.series.contains_key(*one));
            let more = more.filter(|one| !overflow.contains(*one)).count();
            if everything + more > all || family.room() + more > one {
                if is_gauge {
                    return Applied::NoRoom;
                }
                // All open-ended labels fold together; room for that is kept back.
                for (dimension, value) in shape.iter().zip(&mut set) {
                    if matches!(dimension, Dimension::Open { .. }) {
                        *value = "other".into();
                    }
                }
                family.overflow += 1;
                family.create(&set, now);
                family.change(&set, op, time, now);
                return Applied::Folded;
            }
            family.create(&set, now);
        }
        family.change(&set, op, time, now);
        if set == wanted {
            return Applied::Exact;
        }
        family.overflow += 1;
        Applied::Folded
    }
}

impl OneFamily {
    /// What is enumerated exists from boot.
    fn new(declaration: &Arc<Declaration>, now: Timestamp) -> Self {
        let (series, changed) = (BTreeMap::new(), BTreeMap::new());
        let mut family = Self { declaration: declaration.clone(), series, changed, overflow: 0 };
        if declaration.family.kind != Kind::Gauge && !family.is_open() {
            for shape in &declaration.shapes {
                for set in combinations(shape, &vec![String::new(); shape.len()]) {
                    family.insert(set, now);
                }
            }
        }
        family
    }

    fn is_open(&self) -> bool {
        Declaration::is_open(&self.declaration.shapes[0])
    }

    fn insert(&mut self, set: Set, now: Timestamp) {
        let one = One { value: 0.0, count: 0.0, start: now, time: Timestamp(0) };
        self.series.entry(set).or_insert(one);
    }

    /// What comes and goes together: the values of the open labels. Each gauge goes alone.
    fn group(&self, set: &Set) -> Set {
        if self.declaration.family.kind == Kind::Gauge {
            return set.clone();
        }
        let open = |(dimension, value): (&Dimension, &String)| match dimension {
            Dimension::Open { .. } => value.clone(),
            _ => String::new(),
        };
        self.declaration.shapes[0].iter().zip(set).map(open).collect()
    }

    /// The sets that come with this one, and itself.
    fn company(&self, set: &Set) -> BTreeSet<Set> {
        let mut company = BTreeSet::from([set.clone()]);
        if self.declaration.family.kind != Kind::Gauge {
            for shape in &self.declaration.shapes {
                company.extend(combinations(shape, set));
            }
        }
        company
    }

    /// The sets that take what there is no room for.
    fn overflow_sets(&self) -> BTreeSet<Set> {
        let mut all = BTreeSet::new();
        for shape in self.declaration.shapes.iter().filter(|shape| Declaration::is_open(shape)) {
            if self.declaration.family.kind != Kind::Gauge {
                let others = vec!["other".to_owned(); shape.len()];
                all.extend(combinations(shape, &others));
            }
        }
        all
    }

    /// Sets that are there or reserved.
    fn room(&self) -> usize {
        let overflow = self.overflow_sets();
        let own = self.series.keys().filter(|set| !overflow.contains(*set)).count();
        own + overflow.len()
    }

    /// A value past its label's limit is `other`. `other` and the default are free.
    fn limited(&self, shape: &[Dimension], set: &Set) -> Set {
        let mut limited = set.clone();
        for (at, dimension) in shape.iter().enumerate() {
            let Dimension::Open { limit: Some(limit), default } = dimension else { continue };
            let free = |value: &str| {
                value.is_empty() || value == "other" || Some(value) == default.as_deref()
            };
            let held: BTreeSet<&str> =
                self.series.keys().map(|set| &*set[at]).filter(|one| !free(one)).collect();
            if !free(&set[at]) && !held.contains(&*set[at]) && held.len() >= *limit {
                limited[at] = "other".into();
            }
        }
        limited
    }

    fn create(&mut self, set: &Set, now: Timestamp) {
        for one in self.company(set) {
            self.insert(one, now);
        }
    }

    fn change(&mut self, set: &Set, op: Op<'_>, time: Timestamp, now: Timestamp) {
        self.changed.insert(self.group(set), now);
        let one = self.series.get_mut(set).unwrap();
        match op {
            Op::Add(value) => one.value += value,
            Op::Set(value) if time >= one.time => (one.value, one.time) = (value, time),
            Op::Set(_) | Op::Part { .. } | Op::Merge(_) | Op::See { .. } => {}
            Op::Observe { value, weight } => {
                one.value += value * weight;
                one.count += weight;
            }
        }
    }
}

/// Every combination of declared values beside the open values of a set.
fn combinations(shape: &[Dimension], set: &Set) -> Vec<Set> {
    let mut sets: Vec<Set> = vec![Vec::new()];
    for (dimension, value) in shape.iter().zip(set) {
        let values: Vec<String> = match dimension {
            Dimension::Absent => vec![String::new()],
            Dimension::Open { .. } => vec![value.clone()],
            Dimension::Declared(values) => values.iter().map(|value| value.to_string()).collect(),
        };
        let longer = |set: &Set| {
            let set = set.clone();
            values.clone().into_iter().map(move |value| {
                let mut longer = set.clone();
                longer.push(value);
                longer
            })
        };
        sets = sets.iter().flat_map(longer).collect();
    }
    sets
}

//! A family's series, copied piece by piece: no lock is held for longer than a piece takes, and nobody has to have room for more.
//!
//! Between two pieces series may come and go, and a new one may take the place of an old one. So that no label set is shown
//! twice, a series born since the copying began waits for the next one.

use std::sync::Arc;

use crate::limits;
use crate::model::FamilySnapshot;
use crate::timestamp::Timestamp;

use super::family::FamilyStore;

/// The pieces of one family that are still to come.
#[derive(Debug)]
pub struct Copies {
    family: Arc<FamilyStore>,
    exemplars: bool,
    now: Timestamp,
    /// What a count of different ones is shown by, once it was asked for.
    crowds: Option<std::vec::IntoIter<FamilySnapshot>>,
    /// The first place not looked at.
    next: usize,
    /// How many series had ever been made when this began.
    births: u64,
}

impl Copies {
    pub(super) fn new(family: Arc<FamilyStore>, exemplars: bool, now: Timestamp) -> Self {
        Self { births: family.births(), family, exemplars, now, crowds: None, next: 0 }
    }
}

impl Iterator for Copies {
    type Item = FamilySnapshot;

    fn next(&mut self) -> Option<FamilySnapshot> {
        if self.family.is_distinct() {
            let crowds = || self.family.crowds(self.now).into_iter();
            return self.crowds.get_or_insert_with(crowds).next();
        }
        let family = &self.family.declaration().family;
        let places = (limits::SCRAPE_VALUES / (family.bounds.len() + 1)).max(1);
        let start = self.next;
        self.next += places;
        let rows = self.family.copy(start..self.next, self.births, self.exemplars)?;
        Some(FamilySnapshot { family: family.clone(), rows })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Declaration, Dimension, Family, Kind, LabelName, MetricName, Op, key};
    use crate::series::{Budget, Change, Sample};

    fn store() -> Arc<FamilyStore> {
        let family = Family {
            name: MetricName::own("x_total"),
            help: String::new(),
            unit: String::new(),
            kind: Kind::Counter,
            labels: vec![LabelName::own("a")],
            bounds: Vec::new(),
        };
        let shapes = vec![vec![Dimension::Open { limit: None, default: None }]];
        let (idle, buckets) = (None, Default::default());
        let declaration =
            Declaration { family: family.into(), shapes, idle, buckets, distinct: None };
        let budget = Budget::new(10_000, 10_000);
        let hasher = Default::default();
        Arc::new(FamilyStore::new(declaration.into(), budget.into(), hasher, Timestamp(1)))
    }

    fn add(store: &FamilyStore, value: &str, now: u64) {
        let time = Timestamp(now);
        let sample = Sample { time, arrival: time, ids: None };
        let key = key::of(&[value]);
        let (op, hash) = (Op::Add(1.0), store.hash(&key));
        store.write(time).apply(&Change { shape: 0, key: &key, hash, op, sample });
    }

    fn shown(pieces: impl IntoIterator<Item = FamilySnapshot>) -> Vec<String> {
        let rows = pieces.into_iter().flat_map(|piece| piece.rows);
        rows.map(|row| row.labels.0[0].1.to_string()).collect()
    }

    #[test]
    fn all_pieces_together_are_the_family() {
        let (store, count) = (store(), 2 * limits::SCRAPE_VALUES + 1);
        let names: Vec<String> = (0..count).map(|at| at.to_string()).collect();
        names.iter().for_each(|name| add(&store, name, 1));
        let pieces: Vec<_> = Copies::new(store.clone(), true, Timestamp(1)).collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces.iter().all(|piece| Arc::ptr_eq(&piece.family, &pieces[0].family)));
        assert_eq!(shown(pieces), names);
    }

    #[test]
    fn nothing_is_shown_twice_when_series_come_and_go_in_between() {
        let (store, first) = (store(), limits::SCRAPE_VALUES);
        (0..first + 2).for_each(|at| add(&store, &at.to_string(), 1 + at as u64));
        let mut copies = Copies::new(store.clone(), true, Timestamp(1));
        let mut seen = shown(copies.next());
        // The first half goes, comes again in the other order, and something new with it.
        store.expire(Timestamp(first as u64), Duration::ZERO);
        (0..first + 10).rev().for_each(|at| add(&store, &at.to_string(), 9_999));
        seen.extend(shown(copies));
        let all: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), all.len()), (first + 2, first + 2));
    }
}

use super::*;
use crate::limits;
use crate::model::amount::Amount;
use crate::model::{Addition, Op, RowValue};
use crate::series::Sample;

const SECOND: u64 = 1_000_000_000;

fn family(name: &str, kind: Kind) -> Family {
    Family {
        name: MetricName::foreign(name).unwrap(),
        help: String::new(),
        unit: String::new(),
        kind,
        labels: Vec::new(),
        bounds: Vec::new(),
    }
}

fn passed(series: usize) -> Passed {
    let declared = family("declared_seconds", Kind::Histogram);
    Passed::new([declared].iter(), Arc::new(Budget::new(series, 2)))
}

/// Adds 1 to a counter, as the arrow does.
fn add(passed: &Passed, name: &str, labels: &[(&str, &str)], now: u64) -> Option<Place> {
    let now = Timestamp(now * SECOND);
    let there = passed.family(name, Kind::Counter).unwrap();
    let place = there.as_ref().and_then(|family| family.find(labels));
    let amount = Amount::Number(1.0);
    if place.is_none() && !passed.reserve(there.as_deref()) {
        return None;
    }
    let family = passed.create(family(name, Kind::Counter)).unwrap();
    let birth = Birth { amount: Some(&amount), start: Some(now), born: None };
    let place = place.unwrap_or_else(|| family.create(labels, birth, now));
    let addition = Addition { amount, exemplars: Vec::new(), anew: false };
    let sample = Sample { time: now, arrival: now, ids: None };
    assert!(family.apply(place, Op::Merge(&addition), sample, now));
    Some(place)
}

fn shown(passed: &Passed) -> Vec<String> {
    let mut lines = Vec::new();
    for family in passed.families() {
        for row in family.copies(true).flat_map(|piece| piece.rows) {
            let pairs = row.labels.0.iter();
            let pairs: Vec<String> =
                pairs.map(|(name, value)| format!("{}={value}", name.as_str())).collect();
            let RowValue::Counter(value, _) = row.value else { panic!() };
            lines.push(format!("{}{{{}}} {value}", family.family().name.as_str(), pairs.join(",")));
        }
    }
    lines.sort();
    lines
}

#[test]
fn series_are_found_by_all_their_labels_and_counted() {
    let passed = passed(10);
    for labels in [&[("a", "x")][..], &[], &[("a", "x")], &[("b", "x")], &[]] {
        add(&passed, "n_total", labels, 1);
    }
    assert_eq!(shown(&passed), ["n_total{a=x} 2", "n_total{} 2"]);
    assert_eq!(passed.counts().next().map(|count| count.series), Some(2), "two is the limit");
    assert!(passed.family("n_total", Kind::Counter).unwrap().is_some());
}

#[test]
fn a_name_is_whose_it_was_first() {
    let passed = passed(10);
    add(&passed, "foo_total", &[], 1);
    let taken = |name, kind| passed.family(name, kind).err();
    assert_eq!(taken("foo_total", Kind::Gauge), Some(Taken::Sender));
    assert_eq!(taken("declared_seconds", Kind::Histogram), Some(Taken::Declared));
    assert_eq!(taken("declared_seconds_count", Kind::Gauge), Some(Taken::Declared));
    assert_eq!(taken("process_x", Kind::Gauge), Some(Taken::Declared));
    assert_eq!(taken("free", Kind::Summary), None);
    passed.create(family("free", Kind::Summary)).unwrap();
    assert_eq!(taken("free_sum", Kind::Counter), Some(Taken::Sender));
    assert_eq!(taken("free_bucket", Kind::Counter), None);
}

#[test]
fn what_is_idle_goes_with_all_it_held_and_its_place_is_nobodys() {
    let passed = passed(2);
    let old = add(&passed, "a_total", &[("x", "1")], 1).unwrap();
    add(&passed, "b_total", &[], 100);
    assert!(add(&passed, "c_total", &[], 100).is_none(), "the budget is used up");
    let a = passed.family("a_total", Kind::Counter).unwrap().unwrap();
    passed.expire(Timestamp(110 * SECOND), Duration::from_secs(60));
    assert_eq!(shown(&passed), ["b_total{} 1"]);
    assert_eq!(passed.family("a_total", Kind::Gauge), Ok(None), "the name is free again");
    assert!(add(&passed, "c_total", &[], 110).is_some(), "and so is the room");
    assert!(!a.is_there(old) && a.takes(old, None).is_none());
}

#[test]
fn nothing_is_shown_twice_when_series_come_and_go_between_two_pieces() {
    let count = 2 * limits::SERIES_AT_ONCE;
    let passed = Passed::new(std::iter::empty(), Arc::new(Budget::new(count, count)));
    let labels: Vec<String> = (0..count).map(|at| at.to_string()).collect();
    let places: Vec<Place> =
        labels.iter().filter_map(|at| add(&passed, "n_total", &[("at", at)], 1)).collect();
    let family = passed.family("n_total", Kind::Counter).unwrap().unwrap();
    let mut copies = family.copies(true);
    let first = copies.next().unwrap();
    assert_eq!(first.rows.len(), limits::SERIES_AT_ONCE);
    // One that was shown goes and comes again where one goes that was not.
    [0, count - 1].into_iter().for_each(|at| family.remove(places[at]));
    add(&passed, "n_total", &[("at", "0")], 2);
    let later: usize = copies.map(|piece| piece.rows.len()).sum();
    assert_eq!(later, limits::SERIES_AT_ONCE - 1, "its new life waits for the next scrape");
    assert_eq!(shown(&passed).len(), count - 1);
}

#[test]
fn another_config_takes_names_away_and_leaves_the_others() {
    let passed = passed(10);
    add(&passed, "a_total", &[], 1);
    add(&passed, "b_total", &[], 1);
    passed.declare([family("b_total", Kind::Counter)].iter());
    assert_eq!(shown(&passed), ["a_total{} 1"]);
    assert_eq!(passed.family("b_total", Kind::Counter).err(), Some(Taken::Declared));
    assert!(passed.family("declared_seconds_count", Kind::Gauge).is_ok());
}

impl PartialEq for PassedFamily {
    fn eq(&self, other: &Self) -> bool {
        self.family() == other.family()
    }
}

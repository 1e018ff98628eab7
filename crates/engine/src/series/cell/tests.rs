use std::sync::Arc;

use crate::limits;
use crate::model::amount::Histogram as Sent;
use crate::model::{Addition, Family, MetricName};

use super::*;

fn sample(seconds: u64) -> Sample {
    let time = Timestamp(seconds);
    Sample { time, arrival: time, ids: Some(([1; 16], [2; 8])) }
}

fn declared(buckets: BucketKind, bounds: &[f64]) -> Cell {
    let family = Family {
        name: MetricName::own("x"),
        help: String::new(),
        unit: String::new(),
        kind: Kind::Histogram,
        labels: Vec::new(),
        bounds: bounds.into(),
    };
    Cell::new(&Declaration {
        family: Arc::new(family),
        shapes: Vec::new(),
        idle: None,
        buckets,
        distinct: None,
    })
}

fn addition(counts: &[u64], bounds: &[f64]) -> Addition {
    let sent = Sent::new(counts.iter().sum(), Some(1.0), counts, bounds).unwrap();
    Addition { amount: Amount::Histogram(sent), exemplars: Vec::new(), anew: false }
}

/// Edges and counts of a classic histogram.
fn classic(cell: &Cell) -> (Vec<f64>, Vec<f64>) {
    let RowValue::Histogram(row) = cell.row(true) else { panic!("{:?}", cell.row(true)) };
    (row.bounds.as_deref().unwrap_or_default().into(), row.counts.into())
}

#[test]
fn a_bucket_holds_its_upper_edge() {
    let bounds = [0.01, 0.05];
    let mut cell = declared(BucketKind::Classic, &bounds);
    for value in [0.01, 0.05, 0.051] {
        cell.apply(Op::Observe { value, weight: 2.0 }, &bounds, sample(1));
    }
    let RowValue::Histogram(row) = cell.row(true) else { panic!() };
    assert_eq!((&*row.counts, row.bounds), (&[2.0, 2.0, 2.0][..], None));
    assert!((row.sum.total() - 0.222).abs() < 1e-12);
}

#[test]
fn the_newest_record_wins_a_gauge() {
    let mut cell = Cell::Gauge { value: 0.0, time: Timestamp::default() };
    for (value, time, expected) in [(5.0, 10, 5.0), (4.0, 9, 5.0), (3.0, 10, 3.0), (2.0, 11, 2.0)] {
        assert_eq!(cell.apply(Op::Set(value), &[], sample(time)), Done::Applied);
        let RowValue::Gauge(now) = cell.row(true) else { panic!() };
        assert_eq!(now, expected);
    }
}

/// The time of a record, its arrival, and the value that a gauge shows after each; every record has its own number as value.
#[test]
fn records_from_the_future_freeze_no_gauge() {
    const YEAR: u64 = 365 * 86_400;
    let at = |second: &u64| Timestamp(*second * 1_000_000_000);
    for records in [
        &[(10, 11, 0), (YEAR, 12, 1), (13, 14, 2), (15, 16, 3)][..],
        // Unknown times are arrivals.
        &[(10, 11, 0), (0, 12, 1), (11, 13, 1), (0, 14, 3)],
        // Of records from the future the later arrival is newer, and of equal ones.
        &[(YEAR, 12, 0), (2 * YEAR, 12, 1), (YEAR, 12, 2), (12, 12, 3)],
        // Two threads at once: the later record stays.
        &[(12, 12, 0), (10, 11, 0)],
        // Our own clock was a year ahead when the first one came.
        &[(YEAR, YEAR, 0), (11, 12, 1), (10, 12, 1), (12, 13, 3)],
    ] {
        let mut cell = Cell::Gauge { value: 0.0, time: Timestamp::default() };
        for (nth, (time, arrival, shown)) in records.iter().enumerate() {
            let (time, arrival) = (at(time), at(arrival));
            let sample = Sample { time, arrival, ids: None };
            cell.apply(Op::Set(nth as f64), &[], sample);
            let RowValue::Gauge(now) = cell.row(true) else { panic!() };
            assert_eq!(now, f64::from(*shown), "record {nth} of {records:?}");
        }
    }
}

#[test]
fn exemplars_show_no_time_far_ahead_of_their_arrival() {
    let mut cell = Cell::of(&Amount::Number(0.0));
    let arrival = Timestamp(1_000_000_000_000);
    for (time, shown) in [
        (0, arrival.0),
        (5, 5),
        (arrival.0 + 60_000_000_000, arrival.0 + 60_000_000_000),
        (arrival.0 + 60_000_000_001, arrival.0),
    ] {
        let ids = Some(([1; 16], [2; 8]));
        cell.apply(Op::Add(1.0), &[], Sample { time: Timestamp(time), arrival, ids });
        let RowValue::Counter(_, Some(exemplar)) = cell.row(true) else { panic!() };
        assert_eq!(exemplar.time, Timestamp(shown), "{time}");
    }
}

#[test]
fn no_counter_leaves_the_finite_numbers_and_a_sum_that_does_is_lost_alone() {
    let merge = |cell: &mut Cell, amount: Amount| {
        let addition = Addition { amount, exemplars: Vec::new(), anew: false };
        cell.apply(Op::Merge(&addition), &[], sample(1))
    };
    let histogram = |sum| Amount::Histogram(Sent::new(1, Some(sum), &[1, 0], &[1.0]).unwrap());
    let mut counter = Cell::of(&Amount::Number(0.0));
    assert_eq!(merge(&mut counter, Amount::Number(1e308)), Done::Applied);
    assert_eq!(merge(&mut counter, Amount::Number(1e308)), Done::Mismatch);
    let RowValue::Counter(total, _) = counter.row(true) else { panic!() };
    assert_eq!(total, 1e308);
    for sum in [1e308, -1e308] {
        let mut cell = Cell::of(&histogram(sum));
        assert_eq!(merge(&mut cell, histogram(sum)), Done::Applied);
        assert_eq!(merge(&mut cell, histogram(sum)), Done::Applied);
        let RowValue::Histogram(row) = cell.row(true) else { panic!() };
        assert_eq!((&*row.counts, row.sum.known()), (&[2.0, 0.0][..], None));
    }
}

#[test]
fn native_buckets_stand_beside_classic_ones_or_alone() {
    let bounds = [1.0, 5.0];
    for (kind, twin) in [(BucketKind::Both, true), (BucketKind::Native, false)] {
        let mut cell = declared(kind, if twin { &bounds } else { &[] });
        for nth in 0..20 {
            cell.apply(Op::Observe { value: 2.0, weight: 0.5 }, &bounds, sample(nth));
        }
        let RowValue::Native(row) = cell.row(true) else { panic!() };
        assert_eq!((row.count, row.sum.known(), row.positive.len()), (10.0, Some(20.0), 1));
        assert_eq!(row.exemplars.len(), limits::NATIVE_EXEMPLARS);
        assert_eq!(row.exemplars.last().map(|one| one.time), Some(Timestamp(19)));
        assert_eq!(
            row.classic.map(|row| row.counts.into_vec()),
            twin.then(|| vec![0.0, 10.0, 0.0])
        );
    }
}

#[test]
fn senders_with_different_edges_share_those_they_all_have() {
    let mut cell = declared(BucketKind::Sent, &[]);
    let mut merge = |counts: &[u64], bounds: &[f64]| {
        let done = cell.apply(Op::Merge(&addition(counts, bounds)), &[], sample(1));
        (done, classic(&cell))
    };
    let first = merge(&[1, 2, 4, 8], &[1.0, 2.0, 3.0]);
    assert_eq!(first, (Done::Applied, (vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 4.0, 8.0])));
    let finer = merge(&[1, 1, 1, 1, 1], &[1.0, 1.5, 2.0, 3.0]);
    assert_eq!(finer.1, (vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 5.0, 9.0]));
    let other = merge(&[1, 1, 1], &[2.0, 9.0]);
    assert_eq!(other.1, (vec![2.0], vec![7.0, 16.0]));
    let foreign = merge(&[3, 1], &[7.0]);
    assert_eq!(foreign.1, (vec![], vec![27.0]), "what is left is the count");
}

#[test]
fn edges_of_the_config_stay_and_a_sender_without_them_is_refused() {
    let bounds = [1.0, 5.0];
    let mut cell = declared(BucketKind::Classic, &bounds);
    let fits = addition(&[1, 1, 1, 1], &[1.0, 2.0, 5.0]);
    assert_eq!(cell.apply(Op::Merge(&fits), &bounds, sample(1)), Done::Applied);
    let lacks = addition(&[1, 1, 1], &[1.0, 2.0]);
    assert_eq!(cell.apply(Op::Merge(&lacks), &bounds, sample(1)), Done::Mismatch);
    assert_eq!(classic(&cell).1, [1.0, 2.0, 1.0]);
}

#[test]
fn changed_buckets_begin_anew_and_another_shape_is_refused() {
    let mut cell = declared(BucketKind::Sent, &[]);
    cell.apply(Op::Merge(&addition(&[5, 5], &[1.0])), &[], sample(1));
    let anew = Addition { anew: true, ..addition(&[1, 1], &[2.0]) };
    assert_eq!(cell.apply(Op::Merge(&anew), &[], sample(1)), Done::Anew);
    assert_eq!(classic(&cell), (vec![2.0], vec![1.0, 1.0]));
    let native = Addition { amount: Amount::Exponential(Exponential::empty()), ..anew };
    assert_eq!(cell.apply(Op::Merge(&native), &[], sample(1)), Done::Mismatch);
    assert_eq!(cell.apply(Op::Add(1.0), &[], sample(1)), Done::Mismatch);
    let mut fresh = declared(BucketKind::Sent, &[]);
    assert_eq!(fresh.apply(Op::Merge(&native), &[], sample(1)), Done::Applied);
    assert!(matches!(fresh, Cell::Native(_)));
}

use crate::limits;

use super::*;

fn native(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
    let (count, sum) = (counts.iter().sum(), Some(counts.len() as f64));
    let positive = (offset, counts);
    let sent = ExponentialIn { scale, count, sum, positive, ..ExponentialIn::default() };
    Exponential::new(&sent).unwrap()
}

#[test]
fn d23_a_histogram_that_contradicts_itself_is_invalid() {
    let new = |count, counts: &[u64], bounds: &[f64]| {
        Histogram::new(count, Some(1.0), counts, bounds).err()
    };
    let bad = Some(AmountError::Contradiction);
    assert_eq!(new(5, &[2, 3], &[1.0, 5.0]), bad, "one count is missing");
    assert_eq!(new(6, &[2, 3], &[1.0]), bad, "they don't add up");
    assert_eq!(new(1, &[u64::MAX, 2], &[1.0]), bad);
    assert_eq!(new(5, &[2, 2, 1], &[5.0, 1.0]), bad);
    assert_eq!(new(5, &[2, 2, 1], &[1.0, 1.0]), bad);
    assert_eq!(new(5, &[2, 3], &[f64::NAN]), bad);
    assert_eq!(new(5, &[2, 3], &[f64::INFINITY]), bad);
    assert_eq!(new(5, &[], &[1.0]), bad);
    let bounds: Vec<f64> = (0..=limits::BUCKETS).map(|nth| nth as f64).collect();
    assert_eq!(new(0, &vec![0; bounds.len() + 1], &bounds), bad);
    assert_eq!(Histogram::new(1, Some(f64::NAN), &[1], &[]).err(), bad);
    assert_eq!(Histogram::new(7, None, &[], &[]).unwrap().counts(), [7]);
}

#[test]
fn t17_an_exponential_histogram_has_native_indexes() {
    let one = native(0, 3, &[10, 0, 0, 20, 5, 2]);
    assert_eq!(
        one.positive(),
        &Buckets { offset: 4, counts: vec![10.0, 0.0, 0.0, 20.0, 5.0, 2.0] }
    );
    assert_eq!((one.scale(), one.count(), one.zero()), (0, 37.0, (0.0, 1e-128)));
    let trimmed = native(0, -3, &[0, 0, 7, 0]);
    assert_eq!(trimmed.positive(), &Buckets { offset: 0, counts: vec![7.0] });
}

#[test]
fn t18_a_finer_scale_than_8_is_made_coarser_and_a_coarser_than_minus_4_refused() {
    // At scale 9 OTLP's buckets 2 and 3 are 1 at scale 8; -1 is half of -1.
    let fine = native(9, -1, &[1, 2, 4, 8, 16]);
    assert_eq!(fine.scale(), 8);
    assert_eq!(fine.positive(), &Buckets { offset: 0, counts: vec![1.0, 6.0, 24.0] });
    assert_eq!(native(i32::MAX, -1, &[1, 2]).positive().counts, [1.0, 2.0]);
    let coarse = |scale| {
        Exponential::new(&ExponentialIn { scale, sum: Some(0.0), ..ExponentialIn::default() })
    };
    assert_eq!(coarse(-5).err(), Some(AmountError::Scale));
    assert_eq!(coarse(-4).unwrap().scale(), -4);
}

#[test]
fn t19_an_exponential_histogram_that_contradicts_itself_is_invalid() {
    let good = ExponentialIn {
        count: 3,
        sum: Some(1.0),
        zero_count: 1,
        positive: (0, &[2]),
        ..ExponentialIn::default()
    };
    assert!(Exponential::new(&good).is_ok());
    for bad in [
        ExponentialIn { count: 4, ..good },
        ExponentialIn { sum: Some(f64::INFINITY), ..good },
        ExponentialIn { zero_threshold: -1.0, ..good },
        ExponentialIn { zero_threshold: f64::NAN, ..good },
        ExponentialIn { positive: (i32::MAX, &[2]), ..good },
        ExponentialIn { positive: (i32::MIN, &[2]), ..good },
        ExponentialIn { scale: -4, positive: (65, &[2]), ..good },
        ExponentialIn { negative: (0, &[u64::MAX]), ..good },
    ] {
        assert_eq!(Exponential::new(&bad).err(), Some(AmountError::Contradiction), "{bad:?}");
    }
}

#[test]
fn t21_native_histograms_merge_and_stay_short() {
    let mut all = native(3, 0, &[1, 2]);
    all.merge(&native(2, 0, &[4]));
    assert_eq!((all.scale(), all.count()), (2, 7.0));
    assert_eq!(all.positive(), &Buckets { offset: 1, counts: vec![7.0] });
    all.merge(&native(8, 200_000, &[1]));
    all.merge(&native(8, -200_000, &[1]));
    assert!(all.positive().counts.len() <= limits::NATIVE_BUCKETS && all.scale() >= -4);
    assert_eq!((all.count(), all.positive().counts.iter().sum::<f64>()), (9.0, 9.0));
    // 1 lies in the bucket up to 1, which a threshold of 0.75 reaches into.
    let sent = ExponentialIn { sum: Some(0.0), zero_threshold: 0.75, ..ExponentialIn::default() };
    let mut zero = native(0, -2, &[1, 2, 4]);
    zero.merge(&Exponential::new(&sent).unwrap());
    assert_eq!(zero.zero(), (3.0, 1.0));
    assert_eq!(zero.positive(), &Buckets { offset: 1, counts: vec![4.0] });
}

#[test]
fn what_is_observed_makes_the_scale_as_coarse_as_it_must_be() {
    let mut one = Exponential::empty();
    for value in [0.5, 2.0, 2.0, 12.8, -3.0, 0.0] {
        one.observe(value, 0.5);
    }
    assert_eq!((one.count(), one.sum().known(), one.zero().0), (3.0, Some(7.15), 0.5));
    assert!(one.positive().counts.len() <= limits::NATIVE_BUCKETS && one.scale() > 3);
    one.observe(1e300, 1.0);
    one.observe(1e-100, 1.0);
    assert!(one.positive().counts.len() <= limits::NATIVE_BUCKETS, "{}", one.scale());
    assert_eq!(one.positive().counts.iter().sum::<f64>(), 4.0);
}

#[test]
fn a_summary_that_contradicts_itself_is_none() {
    let new = |sum, ranks: &[(f64, f64)]| Summary::new(1, sum, ranks.into()).err();
    let bad = Some(AmountError::Contradiction);
    assert_eq!(new(1.0, &[(0.5, f64::NAN), (0.9, 2.0)]), None);
    assert_eq!(new(f64::NAN, &[]), bad);
    assert_eq!(new(1.0, &[(0.9, 1.0), (0.5, 1.0)]), bad);
    assert_eq!(new(1.0, &[(0.5, 1.0), (0.5, 1.0)]), bad);
    assert_eq!(new(1.0, &[(1.5, 1.0)]), bad);
}

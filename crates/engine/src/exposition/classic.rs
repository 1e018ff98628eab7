//! A native histogram in classic buckets, for formats that have no others.
//!
//! Its edges are the upper edges of the populated buckets. Too many are made fewer by the native way, a coarser
//! schema, so that the edges of one scrape are those of the next or among them.

use crate::limits;
use crate::model::{Exemplar, HistogramRow, NativeRow};

/// A row with edges of its own.
pub(super) fn histogram(native: &NativeRow) -> HistogramRow {
    let room = limits::BUCKETS.saturating_sub(1); // one for zero
    let coarser = (0..i32::BITS).find(|by| populated(native, *by) <= room).unwrap_or_default();
    let (mut bounds, mut counts) = (Vec::new(), Vec::new());
    let (mut held, mut above) = (0.0, 0.0);
    for (edge, count) in edges(native, coarser) {
        held += count;
        match bounds.last() {
            _ if !edge.is_finite() => above += count,
            Some(last) if *last >= edge => {
                if let Some(before) = counts.last_mut() {
                    *before += count;
                }
            }
            _ => {
                bounds.push(edge);
                counts.push(count);
            }
        }
    }
    counts.push(above + (native.count - held).max(0.0)); // fractions may not add up to the last bit
    let mut exemplars = vec![None; counts.len()];
    for exemplar in &native.exemplars {
        let at = bounds.partition_point(|bound| *bound < exemplar.value);
        if let Some(slot) = exemplars.get_mut(at)
            && slot.is_none_or(|now: Exemplar| now.time <= exemplar.time)
        {
            *slot = Some(*exemplar);
        }
    }
    let (counts, exemplars) = (counts.into(), exemplars.into());
    HistogramRow { bounds: Some(bounds.into()), counts, sum: native.sum, exemplars }
}

/// The populated buckets from the lowest to the highest: upper edge and observations.
fn edges(native: &NativeRow, coarser: u32) -> impl Iterator<Item = (f64, f64)> {
    let schema = native.schema.saturating_sub_unsigned(coarser);
    let index = move |index: i32| merged(index, coarser);
    let below = native.negative.iter().rev();
    let below = below.map(move |(at, count)| (-edge(schema, index(*at) - 1), *count));
    let zero = (native.zero_count > 0.0).then_some((native.zero_threshold, native.zero_count));
    let above = native.positive.iter();
    let above = above.map(move |(at, count)| (edge(schema, index(*at)), *count));
    below.chain(zero).chain(above).filter(|(_, count)| *count > 0.0)
}

/// How many buckets there are when schemas are this much coarser.
fn populated(native: &NativeRow, coarser: u32) -> usize {
    let side = |buckets: &[(i32, f64)]| {
        let mut indexes: Vec<i32> = buckets.iter().map(|(at, _)| merged(*at, coarser)).collect();
        indexes.dedup();
        indexes.len()
    };
    side(&native.positive) + side(&native.negative)
}

/// Where a bucket's observations are when `2^coarser` neighbours are one.
fn merged(index: i32, coarser: u32) -> i32 {
    ((index - 1) >> coarser) + 1
}

/// The upper edge of a bucket: `2^(index / 2^schema)`, whole powers exactly.
fn edge(schema: i32, index: i32) -> f64 {
    if schema <= 0 {
        let power = i64::from(index) << schema.unsigned_abs().min(31);
        return (power as f64).exp2();
    }
    let parts = 1_i32 << schema.min(30);
    let part = f64::from(index.rem_euclid(parts)) / f64::from(parts);
    part.exp2() * f64::from(index.div_euclid(parts)).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

    #[test]
    fn edges_are_powers() {
        for (schema, index, expected) in [
            (0, 0, 1.0),
            (0, 4, 16.0),
            (0, -1, 0.5),
            (-4, 1, 65536.0),
            (3, 8, 2.0),
            (3, -12, 0.353_553_390_593_273_8),
            (8, 262_144, f64::INFINITY),
            (8, -274_944, 5e-324),
        ] {
            assert_eq!(edge(schema, index), expected, "{schema} {index}");
        }
    }

    #[test]
    fn buckets_rise_from_below_zero_to_above() {
        let exemplar = |value, time| Exemplar {
            trace_id: [1; 16],
            span_id: [0; 8],
            value,
            time: Timestamp(time),
        };
        let native = NativeRow {
            zero_threshold: 0.25,
            zero_count: 3.0,
            positive: [(0, 1.0), (4, 2.0)].into(),
            negative: [(1, 4.0), (3, 5.0)].into(),
            count: 16.0,
            sum: 1.5.into(),
            exemplars: [exemplar(9.0, 2), exemplar(10.0, 1), exemplar(20.0, 1)].into(),
            ..NativeRow::default()
        };
        let held = histogram(&native);
        let bounds = held.bounds.as_deref().unwrap_or_default();
        assert_eq!(bounds, [-4.0, -1.0, 0.25, 1.0, 16.0]);
        assert_eq!(*held.counts, [5.0, 4.0, 3.0, 1.0, 2.0, 1.0]);
        let shown: Vec<_> = held.exemplars.iter().map(|one| one.map(|one| one.value)).collect();
        assert_eq!(shown, [None, None, None, None, Some(9.0), Some(20.0)]);
    }

    #[test]
    fn nothing_seen_is_one_empty_bucket() {
        let held = histogram(&NativeRow::default());
        let bounds = held.bounds.as_deref().unwrap_or_default();
        assert!(bounds.is_empty());
        assert_eq!(*held.counts, [0.0]);
    }

    #[test]
    fn too_many_buckets_become_coarser_and_lose_nothing() {
        let buckets = |count: i32| (-count..count).map(|at| (at, 1.0)).collect();
        let native = NativeRow {
            schema: 8,
            positive: buckets(1000),
            negative: buckets(1000),
            count: 4000.0,
            ..NativeRow::default()
        };
        let held = histogram(&native);
        let bounds = held.bounds.as_deref().unwrap_or_default();
        assert!(bounds.is_sorted_by(|low, high| low < high));
        assert!((250..=limits::BUCKETS).contains(&bounds.len()), "{}", bounds.len());
        assert_eq!(held.counts.iter().sum::<f64>(), 4000.0);
        assert_eq!(bounds.last(), Some(&edge(5, 125)));
    }
}

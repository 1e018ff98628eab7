//! The `Histogram` message: classic buckets, native ones, or both.
//!
//! A row is whole or fractional, never a mixture: readers decide by one field how to take the others.

use crate::model::{Family, HistogramRow, NativeRow};
use crate::timestamp::Timestamp;

use super::super::number::is_whole;
use super::{exemplar, fields, moment};

/// Field numbers of one half of the native buckets: spans, deltas of whole counts, fractional counts.
const NEGATIVE: [u32; 3] = [9, 10, 11];
const POSITIVE: [u32; 3] = [12, 13, 14];

/// Appends the fields of a classic histogram.
pub(super) fn classic(
    held: &HistogramRow,
    family: &Family,
    start: Option<Timestamp>,
    out: &mut Vec<u8>,
) {
    let is_whole = held.counts.iter().copied().all(is_whole);
    let total = held.counts.iter().sum();
    if is_whole {
        fields::whole(out, 1, total as u64);
    }
    fields::double(out, 2, held.sum.total());
    buckets(held, family, is_whole, out);
    if !is_whole {
        fields::double(out, 4, total);
    }
    moment(15, start, out);
}

/// Appends the fields of a native histogram, and of its classic twin.
pub(super) fn native(
    held: &NativeRow,
    family: &Family,
    start: Option<Timestamp>,
    out: &mut Vec<u8>,
) {
    let is_whole = all_counts(held).all(is_whole);
    if is_whole {
        fields::whole(out, 1, held.count as u64);
    }
    fields::double(out, 2, held.sum.total());
    if let Some(twin) = &held.classic {
        buckets(twin, family, is_whole, out);
    }
    if !is_whole {
        fields::double(out, 4, held.count);
    }
    fields::signed(out, 5, held.schema.into());
    fields::double(out, 6, held.zero_threshold);
    if is_whole {
        fields::whole(out, 7, held.zero_count as u64);
    } else {
        fields::double(out, 8, held.zero_count);
    }
    side(&held.negative, NEGATIVE, is_whole, out);
    side(&held.positive, POSITIVE, is_whole, out);
    if held.negative.is_empty() && held.positive.is_empty() {
        // A span of nothing: without it an empty native histogram looks like a classic one.
        let [spans, ..] = POSITIVE;
        let span = fields::open(out, spans);
        fields::close(out, span);
    }
    moment(15, start, out);
    // Here, other than at a bucket, an exemplar must have a time.
    for one in held.exemplars.iter().filter(|one| one.time != Timestamp(0)) {
        exemplar(16, Some(one), out);
    }
}

fn all_counts(held: &NativeRow) -> impl Iterator<Item = f64> {
    let sides = held.positive.iter().chain(&held.negative).map(|(_, count)| *count);
    let twin = held.classic.iter().flat_map(|twin| twin.counts.iter().copied());
    sides.chain(twin).chain([held.zero_count, held.count])
}

fn buckets(held: &HistogramRow, family: &Family, is_whole: bool, out: &mut Vec<u8>) {
    let edges = held.edges(family).iter().copied().chain([f64::INFINITY]);
    let mut total = 0.0;
    for (at, (edge, count)) in edges.zip(&held.counts).enumerate() {
        total += count;
        let bucket = fields::open(out, 3);
        if is_whole {
            fields::whole(out, 1, total as u64);
        }
        fields::double(out, 2, edge);
        exemplar(3, held.exemplars.get(at).and_then(Option::as_ref), out);
        if !is_whole {
            fields::double(out, 4, total);
        }
        fields::close(out, bucket);
    }
}

fn side(buckets: &[(i32, f64)], numbers: [u32; 3], is_whole: bool, out: &mut Vec<u8>) {
    let [spans, deltas, counts] = numbers;
    if buckets.is_empty() {
        return;
    }
    let mut next = 0;
    for run in buckets.chunk_by(|(low, _), (high, _)| low.checked_add(1) == Some(*high)) {
        let first = run.first().map_or(next, |(index, _)| i64::from(*index));
        let span = fields::open(out, spans);
        fields::signed(out, 1, first - next);
        fields::whole(out, 2, run.len() as u64);
        fields::close(out, span);
        next = first + run.len() as i64;
    }
    let list = fields::open(out, if is_whole { deltas } else { counts });
    let mut before = 0;
    for (_, count) in buckets {
        if is_whole {
            fields::signed_item(out, *count as i64 - before);
            before = *count as i64;
        } else {
            out.extend_from_slice(&count.to_le_bytes());
        }
    }
    fields::close(out, list);
}

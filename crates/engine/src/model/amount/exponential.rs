//! Exponential histograms as Prometheus' native ones, valid by construction and bounded. Counts may be fractions, because a
//! sampled record stands for many.
//!
//! A native bucket `i` at scale `s` holds what is above `base^(i-1)` and at most `base^i`, `base = 2^(2^-s)`: one more than
//! OTLP's index of the same bucket. Halving the scale merges neighbours in pairs, without loss of a count.

use std::hash::Hasher;

use crate::limits;
use serde::{Deserialize, Serialize};

use super::histogram::sum_of;
use super::index::{FINEST, coarse, index};
use super::{AmountError, Sum};

/// Scales that Prometheus knows.
const SCALES: (i32, i32) = (-4, FINEST);
/// What counts as zero when the sender says nothing (Prometheus and OpenMetrics Compatibility, "Exponential Histograms").
const ZERO: f64 = 1e-128;
/// Exponents of two that a double can have.
const EXPONENTS: std::ops::RangeInclusive<i64> = -1075..=1024;

/// An `ExponentialHistogramDataPoint` (metrics.proto) as sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExponentialIn<'a> {
    /// Each bucket's upper edge is `2^(2^-scale)` times its lower.
    pub scale: i32,
    /// All observations.
    pub count: u64,
    /// Sum of the observations, if the sender keeps one.
    pub sum: Option<f64>,
    /// Observations within the threshold.
    pub zero_count: u64,
    /// 0: not told.
    pub zero_threshold: f64,
    /// OTLP's index of the first bucket above zero, and the buckets' counts.
    pub positive: (i32, &'a [u64]),
    /// The same below zero.
    pub negative: (i32, &'a [u64]),
}

/// One side of a native histogram.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Buckets {
    /// Native index of the first count.
    pub offset: i32,
    /// Counts of neighbouring buckets; neither the first nor the last is 0.
    pub counts: Vec<f64>,
}

/// Observations in buckets of growing width, at a scale Prometheus knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exponential {
    scale: i32,
    count: f64,
    sum: Sum,
    zero_count: f64,
    zero_threshold: f64,
    positive: Buckets,
    negative: Buckets,
}

impl Exponential {
    /// Of a point. A finer scale than 8 is made coarser. Counts have to add up, indexes to be those of doubles, and the
    /// sum to be finite if there is one. Of no observations it is 0.
    ///
    /// # Errors
    /// [`AmountError::Scale`] for one below -4, a [`AmountError::Contradiction`] for the others.
    pub fn new(sent: &ExponentialIn<'_>) -> Result<Self, AmountError> {
        if sent.scale < SCALES.0 {
            return Err(AmountError::Scale);
        }
        let all = sent.positive.1.iter().chain(sent.negative.1).chain([&sent.zero_count]);
        let total = all.copied().try_fold(0_u64, u64::checked_add);
        let threshold = sent.zero_threshold;
        let is_sound = threshold.is_finite() && threshold >= 0.0;
        if total != Some(sent.count) || !is_sound || !sent.sum.is_none_or(f64::is_finite) {
            return Err(AmountError::Contradiction);
        }
        let (positive, negative) = (Side::of(sent.positive), Side::of(sent.negative));
        if !positive.is_real(sent.scale) || !negative.is_real(sent.scale) {
            return Err(AmountError::Contradiction);
        }
        let steps = (sent.scale - SCALES.1).max(0).unsigned_abs();
        let steps = positive.steps(steps).max(negative.steps(steps));
        Ok(Self {
            scale: sent.scale.saturating_sub_unsigned(steps),
            count: sent.count as f64,
            sum: sum_of(sent.count, sent.sum),
            zero_count: sent.zero_count as f64,
            zero_threshold: threshold.max(ZERO),
            positive: positive.coarser(steps),
            negative: negative.coarser(steps),
        })
    }

    /// Nothing, at the finest scale: what is observed makes it coarser.
    pub fn empty() -> Self {
        Self {
            scale: SCALES.1,
            count: 0.0,
            sum: Sum::default(),
            zero_count: 0.0,
            zero_threshold: ZERO,
            positive: Buckets::default(),
            negative: Buckets::default(),
        }
    }

    /// All that it says, for a fingerprint.
    pub(super) fn write(&self, hasher: &mut impl Hasher) {
        hasher.write_i32(self.scale);
        let sum = self.sum.known().unwrap_or(f64::NAN);
        for number in [self.count, sum, self.zero_count, self.zero_threshold] {
            hasher.write_u64(number.to_bits());
        }
        for (index, count) in self.positive.iter().chain(self.negative.iter()) {
            hasher.write_i64(index);
            hasher.write_u64(count.to_bits());
        }
    }

    /// Counts one finite observation `weight` times.
    pub fn observe(&mut self, value: f64, weight: f64) {
        self.count += weight;
        self.sum.add(Some(value * weight));
        if value.abs() <= self.zero_threshold {
            self.zero_count += weight;
            return;
        }
        loop {
            let index = index(value.abs(), self.scale);
            let side = if value < 0.0 { &mut self.negative } else { &mut self.positive };
            if side.count(index, weight) || self.scale == SCALES.0 {
                return;
            }
            self.coarsen(self.scale - 1);
        }
    }

    /// From -4 to 8; Prometheus calls it schema.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// All observations.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// Sum of the observations.
    pub fn sum(&self) -> Sum {
        self.sum
    }

    /// Observations within the threshold, and the threshold.
    pub fn zero(&self) -> (f64, f64) {
        (self.zero_count, self.zero_threshold)
    }

    /// Above zero.
    pub fn positive(&self) -> &Buckets {
        &self.positive
    }

    /// Below zero, by distance from it.
    pub fn negative(&self) -> &Buckets {
        &self.negative
    }

    /// Adds another one. The result is as coarse as the coarser, or coarser still where it would be too long.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        align(self, &mut other);
        let both = |one: &Buckets, two: &Buckets| Side::over(one, two);
        let (positive, negative) =
            (both(&self.positive, &other.positive), both(&self.negative, &other.negative));
        let steps = positive.steps(0).max(negative.steps(0));
        self.positive = positive.coarser(steps);
        self.negative = negative.coarser(steps);
        self.scale = self.scale.saturating_sub_unsigned(steps);
        self.count += other.count;
        self.zero_count += other.zero_count;
        self.sum.add(other.sum.known());
        if !other.negative.counts.is_empty() {
            self.sum.note_negative();
        }
    }

    /// The difference to an earlier one; none when a count fell.
    pub(super) fn minus(&self, earlier: &Self) -> Option<Self> {
        let (mut now, mut then) = (self.clone(), earlier.clone());
        align(&mut now, &mut then);
        Some(Self {
            count: less(now.count, then.count)?,
            sum: now.sum.since(then.sum),
            zero_count: less(now.zero_count, then.zero_count)?,
            positive: now.positive.minus(&then.positive)?,
            negative: now.negative.minus(&then.negative)?,
            ..now
        })
    }

    pub(super) fn emptied(&self) -> Self {
        Self {
            count: 0.0,
            sum: self.sum.emptied(),
            zero_count: 0.0,
            positive: Buckets::default(),
            negative: Buckets::default(),
            ..*self
        }
    }

    fn coarsen(&mut self, scale: i32) {
        let steps = (self.scale - scale).max(0).unsigned_abs();
        self.positive = Side::over(&self.positive, &Buckets::default()).coarser(steps);
        self.negative = Side::over(&self.negative, &Buckets::default()).coarser(steps);
        self.scale = self.scale.min(scale);
    }

    /// Counts as zero what lies in buckets that the threshold reaches into, and lets it reach to their ends.
    fn widen_zero(&mut self, threshold: f64) {
        self.zero_threshold = self.zero_threshold.max(threshold);
        loop {
            let before = self.zero_threshold;
            for side in [&mut self.positive, &mut self.negative] {
                let (taken, edge) = side.take_below(self.zero_threshold, self.scale);
                self.zero_count += taken;
                self.zero_threshold = self.zero_threshold.max(edge);
            }
            if self.zero_threshold == before {
                return;
            }
        }
    }
}

/// Brings two histograms to one scale and one idea of zero.
fn align(one: &mut Exponential, other: &mut Exponential) {
    let scale = one.scale.min(other.scale);
    one.coarsen(scale);
    other.coarsen(scale);
    // Ends, because a threshold only rises, and only to edges of buckets that are then gone.
    while one.zero_threshold != other.zero_threshold {
        let threshold = one.zero_threshold.max(other.zero_threshold);
        one.widen_zero(threshold);
        other.widen_zero(threshold);
    }
}

impl Buckets {
    /// Native indexes and counts.
    pub fn iter(&self) -> impl Iterator<Item = (i64, f64)> {
        (i64::from(self.offset)..).zip(self.counts.iter().copied())
    }

    /// Counts in one bucket; false when that would make it too long.
    fn count(&mut self, index: i64, weight: f64) -> bool {
        let offset = if self.counts.is_empty() { index } else { i64::from(self.offset) };
        let end = offset + self.counts.len() as i64;
        if index.max(end - 1) - index.min(offset) >= LONGEST {
            return false;
        }
        let front = usize::try_from(offset - index).unwrap_or_default();
        self.counts.splice(..0, std::iter::repeat_n(0.0, front));
        let offset = offset.min(index);
        let at = usize::try_from(index - offset).unwrap_or_default();
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0.0);
        }
        if let Some(slot) = self.counts.get_mut(at) {
            *slot += weight;
        }
        self.offset = i32::try_from(offset).unwrap_or_default();
        true
    }

    fn minus(&self, earlier: &Self) -> Option<Self> {
        let mut left = self.clone();
        for (index, count) in earlier.iter().filter(|(_, count)| *count > 0.0) {
            let at = usize::try_from(index - i64::from(self.offset)).ok()?;
            let now = left.counts.get_mut(at)?;
            *now = less(*now, count)?;
        }
        Some(Side::over(&left, &Self::default()).coarser(0))
    }

    /// Removes the buckets whose lower edge is below the threshold; their count and the last one's upper edge.
    fn take_below(&mut self, threshold: f64, scale: i32) -> (f64, f64) {
        let edge = |index: i64| (index as f64 * f64::from(-scale).exp2()).exp2();
        let below = self.iter().take_while(|(index, _)| edge(index - 1) < threshold);
        let (mut taken, mut reach) = (0.0, 0.0);
        for (index, count) in below.filter(|(_, count)| *count > 0.0) {
            (taken, reach) = (taken + count, edge(index));
        }
        let rest = self.iter().filter(|(index, _)| edge(index - 1) >= threshold).collect();
        *self = Side(rest).coarser(0);
        (taken, reach)
    }
}

/// Native indexes and counts of one side: rising indexes, though one may come twice; no count is 0.
struct Side(Vec<(i64, f64)>);

impl Side {
    fn of((offset, counts): (i32, &[u64])) -> Self {
        let indexes = i64::from(offset) + 1..;
        let counts = counts.iter().map(|count| *count as f64);
        Self(indexes.zip(counts).filter(|(_, count)| *count > 0.0).collect())
    }

    fn over(one: &Buckets, other: &Buckets) -> Self {
        let mut all: Vec<_> =
            one.iter().chain(other.iter()).filter(|(_, count)| *count > 0.0).collect();
        all.sort_unstable_by_key(|(index, _)| *index);
        Self(all)
    }

    fn ends(&self) -> Option<(i64, i64)> {
        Some((self.0.first()?.0, self.0.last()?.0))
    }

    /// Whether doubles can be in all of its buckets.
    fn is_real(&self, scale: i32) -> bool {
        let exponent = |index: i64| match scale {
            0.. => coarse(index, scale.unsigned_abs()) - 1,
            _ => (index - 1) << scale.unsigned_abs(),
        };
        let real = |index| EXPONENTS.contains(&exponent(index));
        self.ends().is_none_or(|(first, last)| real(first) && real(last))
    }

    /// How often to halve the scale, at least, until it is short enough.
    fn steps(&self, least: u32) -> u32 {
        let Some((first, last)) = self.ends() else { return least };
        let long = |steps: &u32| coarse(last, *steps) - coarse(first, *steps) >= LONGEST;
        least + (least..).take_while(long).fold(0, |more, _| more + 1)
    }

    fn coarser(&self, steps: u32) -> Buckets {
        let Some((first, last)) = self.ends() else { return Buckets::default() };
        let first = coarse(first, steps);
        let length = usize::try_from(coarse(last, steps) - first + 1).unwrap_or_default();
        let mut counts = vec![0.0; length];
        for (index, count) in &self.0 {
            let at = usize::try_from(coarse(*index, steps) - first).ok();
            if let Some(slot) = at.and_then(|at| counts.get_mut(at)) {
                *slot += count;
            }
        }
        Buckets { offset: i32::try_from(first).unwrap_or_default(), counts }
    }
}

/// Distance of the last bucket from the first that is too far.
const LONGEST: i64 = limits::NATIVE_BUCKETS as i64;

/// `now - then`; none when it fell.
fn less(now: f64, then: f64) -> Option<f64> {
    (now >= then).then_some(now - then)
}

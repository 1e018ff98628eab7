//! Histograms with explicit bounds, valid by construction.

use serde::{Deserialize, Serialize};
use std::hash::Hasher;
use std::sync::Arc;

use crate::limits;

use super::{AmountError, Relation, Sum};

/// Observations in buckets with edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    bounds: Arc<[f64]>,
    counts: Box<[u64]>,
    sum: Sum,
}

impl Histogram {
    /// A `HistogramDataPoint` (metrics.proto). Bounds have to rise and be finite, counts to be one more than bounds (or none
    /// of either) and to add up to `count`, the sum to be finite if there is one. Of no observations it is 0.
    ///
    /// # Errors
    /// A [`AmountError::Contradiction`] when they don't.
    pub fn new(
        count: u64,
        sum: Option<f64>,
        counts: &[u64],
        bounds: &[f64],
    ) -> Result<Self, AmountError> {
        let whole = [count];
        let counts = if counts.is_empty() && bounds.is_empty() { &whole } else { counts };
        let rising = bounds.iter().zip(bounds.iter().skip(1)).all(|(low, high)| low < high);
        let finite = bounds.iter().all(|bound| bound.is_finite());
        let fits = counts.len() == bounds.len() + 1 && bounds.len() <= limits::BUCKETS;
        if rising && finite && fits && adds_up(count, sum, counts) {
            Ok(Self { bounds: bounds.into(), counts: counts.into(), sum: sum_of(count, sum) })
        } else {
            Err(AmountError::Contradiction)
        }
    }

    /// The same as [`new`](Self::new) with these edges, in this one's memory.
    ///
    /// # Errors
    /// Likewise.
    pub fn renewed(
        mut self,
        count: u64,
        sum: Option<f64>,
        counts: &[u64],
    ) -> Result<Self, AmountError> {
        let whole = [count];
        let counts = if counts.is_empty() && self.bounds.is_empty() { &whole } else { counts };
        if counts.len() != self.counts.len() || !adds_up(count, sum, counts) {
            return Err(AmountError::Contradiction);
        }
        self.counts.copy_from_slice(counts);
        self.sum = sum_of(count, sum);
        Ok(self)
    }

    /// Upper edges, rising, without `+Inf`.
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// Observations in each bucket alone; the last is above all bounds.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Sum of the observations.
    pub fn sum(&self) -> Sum {
        self.sum
    }

    /// Whether some observations are certainly below 0.
    pub fn has_negative(&self) -> bool {
        let buckets = self.bounds.iter().zip(&self.counts);
        buckets.take_while(|(upper, _)| **upper < 0.0).any(|(_, count)| *count > 0)
    }

    /// The difference to an earlier one with the same bounds, in the memory of that one; none when a count fell.
    pub(super) fn minus(&self, mut earlier: Self) -> Option<Self> {
        for (then, now) in earlier.counts.iter_mut().zip(&self.counts) {
            *then = now.checked_sub(*then)?;
        }
        earlier.sum = self.sum.since(earlier.sum);
        Some(earlier)
    }

    /// How it compares with an earlier one.
    pub(super) fn relation(&self, earlier: &Self) -> Relation {
        if self.bounds != earlier.bounds {
            return Relation::Reshaped;
        }
        let pairs = || self.counts.iter().zip(&earlier.counts);
        match () {
            () if pairs().any(|(now, then)| now < then) => Relation::Fell,
            () if pairs().any(|(now, then)| now > then) => Relation::Rose,
            () => Relation::Same,
        }
    }

    /// All that it says, for a fingerprint.
    pub(super) fn write(&self, hasher: &mut impl Hasher) {
        self.bounds.iter().for_each(|bound| hasher.write_u64(bound.to_bits()));
        self.counts.iter().for_each(|count| hasher.write_u64(*count));
        hasher.write_u64(self.sum.known().map_or(u64::MAX, f64::to_bits));
    }

    /// The same edges with nothing in them.
    pub fn emptied(&self) -> Self {
        let counts = vec![0; self.counts.len()].into();
        Self { bounds: Arc::clone(&self.bounds), counts, sum: self.sum.emptied() }
    }

    /// The same edges, shared.
    pub fn shape(&self) -> Arc<[f64]> {
        Arc::clone(&self.bounds)
    }
}

/// Drops a last bound of `+Inf`, which some libraries write: what is above all others is in the last bucket anyway.
pub fn without_infinity(counts: &mut Vec<u64>, bounds: &mut Vec<f64>) {
    if bounds.last() == Some(&f64::INFINITY) && counts.len() == bounds.len() + 1 {
        bounds.pop();
        let above = counts.pop().unwrap_or_default();
        if let Some(last) = counts.last_mut() {
            *last = last.saturating_add(above); // of too many the total is no count either
        }
    }
}

/// The sum of a point. One of nothing has nothing to add up.
pub(super) fn sum_of(count: u64, sum: Option<f64>) -> Sum {
    Sum::of(sum.or((count == 0).then_some(0.0)))
}

fn adds_up(count: u64, sum: Option<f64>, counts: &[u64]) -> bool {
    let total = counts.iter().try_fold(0_u64, |total, count| total.checked_add(*count));
    total == Some(count) && sum.is_none_or(f64::is_finite)
}

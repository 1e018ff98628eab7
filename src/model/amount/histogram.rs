//! Histograms with explicit bounds, valid by construction.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::limits;

use super::AmountError;

/// Observations in buckets with edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    bounds: Arc<[f64]>,
    counts: Box<[u64]>,
    sum: Option<f64>,
}

impl Histogram {
    /// A `HistogramDataPoint` (metrics.proto). Bounds have to rise and be finite, counts to be one more than bounds (or none
    /// of either) and to add up to `count`, the sum to be finite.
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
        let total = counts.iter().try_fold(0_u64, |total, count| total.checked_add(*count));
        let rising = bounds.iter().zip(bounds.iter().skip(1)).all(|(low, high)| low < high);
        let finite = bounds.iter().chain(&sum).all(|number| number.is_finite());
        let fits = counts.len() == bounds.len() + 1 && bounds.len() <= limits::BUCKETS;
        if total == Some(count) && rising && finite && fits {
            Ok(Self { bounds: bounds.into(), counts: counts.into(), sum })
        } else {
            Err(AmountError::Contradiction)
        }
    }

    /// Upper edges, rising, without `+Inf`.
    pub fn bounds(&self) -> &[f64] {
        &self.bounds
    }

    /// Observations in each bucket alone; the last is above all bounds.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Sum of the observations, if the sender keeps one.
    pub fn sum(&self) -> Option<f64> {
        self.sum
    }

    /// The difference to an earlier one with the same bounds; none when a count fell.
    pub(super) fn minus(&self, earlier: &Self) -> Option<Self> {
        let pairs = self.counts.iter().zip(&earlier.counts);
        Some(Self {
            bounds: Arc::clone(&self.bounds),
            counts: pairs.map(|(now, then)| now.checked_sub(*then)).collect::<Option<_>>()?,
            sum: self.sum.zip(earlier.sum).map(|(now, then)| now - then),
        })
    }

    /// The same edges with nothing in them.
    pub fn emptied(&self) -> Self {
        let counts = vec![0; self.counts.len()].into();
        Self { bounds: Arc::clone(&self.bounds), counts, sum: self.sum.map(|_| 0.0) }
    }

    /// The same edges, shared.
    pub fn shape(&self) -> Arc<[f64]> {
        Arc::clone(&self.bounds)
    }
}

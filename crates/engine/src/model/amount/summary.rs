//! Summaries: how many, how much, and the quantiles their sender worked out.

use super::{AmountError, Sum};
use serde::{Deserialize, Serialize};

/// A `SummaryDataPoint` (metrics.proto). Count and sum add up; quantiles are only ever the latest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    count: u64,
    sum: Sum,
    quantiles: Box<[(f64, f64)]>,
}

impl Summary {
    /// Of a point.
    ///
    /// # Errors
    /// When the sum is not finite, or the ranks do not rise from 0 to 1.
    pub fn new(count: u64, sum: f64, quantiles: Box<[(f64, f64)]>) -> Result<Self, AmountError> {
        let within = quantiles.iter().all(|(rank, _)| (0.0..=1.0).contains(rank));
        let rising = quantiles.is_sorted_by(|low, high| low.0 < high.0);
        if within && rising && sum.is_finite() {
            Ok(Self { count, sum: sum.into(), quantiles })
        } else {
            Err(AmountError::Contradiction)
        }
    }

    /// Observations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub fn sum(&self) -> Sum {
        self.sum
    }

    /// Ranks, 0 to 1 and rising, and the values there; any value, not a number included.
    pub fn quantiles(&self) -> &[(f64, f64)] {
        &self.quantiles
    }

    /// Adds a later part, whose quantiles replace these.
    pub fn merge(&mut self, later: &Self) {
        self.count = self.count.saturating_add(later.count);
        self.sum.add(later.sum.known());
        self.quantiles.clone_from(&later.quantiles);
    }

    /// The difference to an earlier one, with the quantiles of now; none when the count fell.
    pub(super) fn minus(&self, earlier: &Self) -> Option<Self> {
        let count = self.count.checked_sub(earlier.count)?;
        Some(Self { count, sum: self.sum.since(earlier.sum), quantiles: self.quantiles.clone() })
    }

    pub(super) fn emptied(&self) -> Self {
        Self { count: 0, sum: self.sum.emptied(), quantiles: self.quantiles.clone() }
    }
}

//! A sum of observations, which senders may leave out and formats may forbid.
//!
//! SDKs leave the sum out where observations may be negative: as a counter it would fall. Once a point without a sum has joined a
//! series, its sum is of some observations only, and a mean made of it would be wrong. So it is not shown any more. A format that
//! can't leave it out shows what it was before.

use serde::{Deserialize, Serialize};

/// The sum of a point or of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// Finite. What was added before the first point without a sum.
    total: f64,
    /// Whether every point had one.
    is_known: bool,
    /// Whether it was ever below 0, or may have fallen.
    was_negative: bool,
}

impl Default for Sum {
    /// Of no observations.
    fn default() -> Self {
        Self { total: 0.0, is_known: true, was_negative: false }
    }
}

impl From<f64> for Sum {
    /// A sum that is not finite counts as missing.
    fn from(total: f64) -> Self {
        Self::of(Some(total))
    }
}

impl Sum {
    /// The sum of a point, which may lack one.
    pub fn of(sum: Option<f64>) -> Self {
        let mut all = Self::default();
        all.add(sum);
        all
    }

    /// Adds the sum of more observations, if they have one. A sum too large for a double is lost like a missing one.
    pub fn add(&mut self, more: Option<f64>) {
        let next = more.map(|more| self.total + more).filter(|next| next.is_finite());
        self.is_known &= next.is_some();
        if let Some(next) = next.filter(|_| self.is_known) {
            self.total = next;
            self.was_negative |= next < 0.0;
        }
    }

    /// Some of the observations are below 0, so that it may fall.
    pub fn note_negative(&mut self) {
        self.was_negative = true;
    }

    /// The difference to an earlier one.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self::of(self.known().zip(earlier.known()).map(|(now, then)| now - then))
    }

    /// Nothing of it, and whether it can be shown as before.
    pub fn emptied(self) -> Self {
        Self { total: 0.0, ..self }
    }

    /// The sum, where it is of all observations.
    pub fn known(self) -> Option<f64> {
        self.is_known.then_some(self.total)
    }

    /// The sum where it can be taken for a counter: known, never below 0, and of no observations that are known to be.
    pub fn counter(self) -> Option<f64> {
        self.known().filter(|_| !self.was_negative)
    }

    /// The sum for a format that can't leave it out; it stays as it was when the first point without one joined.
    pub fn total(self) -> f64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parts: &[Option<f64>]) -> (Option<f64>, Option<f64>, f64) {
        let mut sum = Sum::default();
        parts.iter().for_each(|part| sum.add(*part));
        (sum.known(), sum.counter(), sum.total())
    }

    #[test]
    fn a_missing_sum_removes_the_sum_for_good() {
        assert_eq!(shown(&[]), (Some(0.0), Some(0.0), 0.0));
        assert_eq!(shown(&[Some(1.5), Some(2.0)]), (Some(3.5), Some(3.5), 3.5));
        assert_eq!(shown(&[None, Some(2.0)]), (None, None, 0.0));
        assert_eq!(shown(&[Some(1.5), None, Some(2.0)]), (None, None, 1.5));
    }

    #[test]
    fn a_negative_sum_is_never_a_counter_again() {
        assert_eq!(shown(&[Some(5.0), Some(-3.0)]), (Some(2.0), Some(2.0), 2.0));
        assert_eq!(shown(&[Some(-3.0), Some(5.0)]), (Some(2.0), None, 2.0));
        assert_eq!(shown(&[Some(-0.0)]), (Some(0.0), Some(0.0), 0.0));
    }

    #[test]
    fn stays_finite() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(shown(&[Some(1.0), Some(odd), Some(1.0)]), (None, None, 1.0));
        }
        assert_eq!(shown(&[Some(f64::MAX), Some(f64::MAX)]), (None, None, f64::MAX));
        let wide = Sum::from(f64::MAX).since(Sum::from(-f64::MAX));
        assert_eq!(wide.known(), None);
    }
}

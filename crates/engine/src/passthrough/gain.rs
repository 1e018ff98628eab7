//! What the series of a point gain by it, for people.

use crate::model::amount::Amount;
use crate::streams::Folded;

/// What its series gain by a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Gain {
    /// Nothing: it was not taken, or says only that it pauses.
    #[default]
    Nothing,
    /// A counter rises.
    Number(f64),
    /// A histogram or summary rises by so many observations, and by their sum.
    Observations(f64, Option<f64>),
    /// A histogram begins anew with so many.
    Anew(f64, Option<f64>),
    /// A level.
    Level(f64),
    /// What the stream shows has ended.
    End,
}

impl Gain {
    pub(super) fn of(folded: &Folded) -> Self {
        let total = |counts: &[u64]| counts.iter().map(|count| *count as f64).sum();
        match folded {
            Folded::Add(Amount::Number(number)) | Folded::Join(Amount::Number(number)) => {
                Self::Number(*number)
            }
            Folded::Add(Amount::Histogram(one)) | Folded::Join(Amount::Histogram(one)) => {
                Self::Observations(total(one.counts()), one.sum().known())
            }
            Folded::Add(Amount::Exponential(one)) | Folded::Join(Amount::Exponential(one)) => {
                Self::Observations(one.count(), one.sum().known())
            }
            Folded::Add(Amount::Summary(one)) | Folded::Join(Amount::Summary(one)) => {
                Self::Observations(one.count() as f64, one.sum().known())
            }
            Folded::Reshape(one) => Self::Anew(total(one.counts()), one.sum().known()),
            Folded::Level { value, .. } => Self::Level(*value),
            Folded::End => Self::End,
            Folded::Nothing | Folded::Rejected(_) => Self::Nothing,
        }
    }
}

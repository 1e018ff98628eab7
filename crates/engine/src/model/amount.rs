//! What a sender's series holds and what it may rise by: a number, a histogram or a summary, always as a whole and valid by
//! construction.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};

mod exponential;
mod histogram;
mod index;
mod sum;
mod summary;

pub use exponential::{Buckets, Exponential, ExponentialIn};
pub use histogram::{Histogram, without_infinity};
pub use sum::Sum;
pub use summary::Summary;

/// Why a point's numbers are no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// An exponential histogram coarser than scale -4.
    #[error("the scale is below -4")]
    Scale,
    /// It contradicts itself.
    #[error("the numbers contradict each other")]
    Contradiction,
}

/// A stream's total, or a part of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Amount {
    /// Of a counter; finite and not negative.
    Number(f64),
    /// Of a classic histogram.
    Histogram(Histogram),
    /// Of a native histogram.
    Exponential(Exponential),
    /// Of a summary.
    Summary(Summary),
}

/// The kind of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shape {
    /// Of a counter.
    Number,
    /// Of a classic histogram.
    Histogram,
    /// Of a native histogram.
    Exponential,
    /// Of a summary.
    Summary,
}

impl Shape {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Number, Self::Histogram, Self::Exponential, Self::Summary];
}

/// What a sender's own series holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The newest of what its streams say.
    Newest,
    /// The sum of what its streams say.
    Sum,
    /// A total that only rises.
    Total(Shape),
}

/// How a total compares with an earlier one of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Nothing was counted in between.
    Same,
    /// Nothing fell and something rose.
    Rose,
    /// Some of it fell.
    Fell,
    /// Its bounds are others.
    Reshaped,
}

/// What came between a total and an earlier one of its stream.
pub enum Change {
    /// It rose by this, or by nothing.
    Rise(Amount),
    /// Some of it fell: the sender counts anew.
    Fell,
    /// Its bounds are others.
    Reshaped,
}

impl Amount {
    /// What came since `earlier`, in the memory of that one.
    pub fn since(&self, earlier: Self) -> Change {
        let rise = match (self, earlier) {
            (Self::Number(now), Self::Number(then)) if *now >= then => {
                Some(Self::Number(now - then))
            }
            (Self::Histogram(now), Self::Histogram(then)) => {
                if now.bounds() != then.bounds() {
                    return Change::Reshaped;
                }
                now.minus(then).map(Self::Histogram)
            }
            (Self::Exponential(now), Self::Exponential(then)) => {
                now.minus(&then).map(Self::Exponential)
            }
            (Self::Summary(now), Self::Summary(then)) => now.minus(&then).map(Self::Summary),
            _ => None,
        };
        rise.map_or(Change::Fell, Change::Rise)
    }

    /// How it compares with an earlier one.
    pub fn relation(&self, earlier: &Self) -> Relation {
        let (now, then) = match (self, earlier) {
            (Self::Number(now), Self::Number(then)) if now < then => return Relation::Fell,
            (Self::Number(now), Self::Number(then)) => (*now, *then),
            (Self::Histogram(now), Self::Histogram(then)) => return now.relation(then),
            (Self::Exponential(now), Self::Exponential(then)) if now.minus(then).is_none() => {
                return Relation::Fell;
            }
            (Self::Exponential(now), Self::Exponential(then)) => (now.count(), then.count()),
            (Self::Summary(now), Self::Summary(then)) if now.count() < then.count() => {
                return Relation::Fell;
            }
            (Self::Summary(now), Self::Summary(then)) => (now.count() as f64, then.count() as f64),
            _ => return Relation::Fell,
        };
        if now == then { Relation::Same } else { Relation::Rose }
    }

    /// Whether it is a histogram with other bounds than another one.
    pub fn is_reshaped(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Histogram(one), Self::Histogram(other)) => one.bounds() != other.bounds(),
            _ => false,
        }
    }

    /// All that it says, for a fingerprint.
    pub fn write(&self, hasher: &mut impl Hasher) {
        hasher.write_u8(self.shape() as u8);
        match self {
            Self::Number(value) => hasher.write_u64(value.to_bits()),
            Self::Histogram(histogram) => histogram.write(hasher),
            Self::Exponential(histogram) => histogram.write(hasher),
            Self::Summary(summary) => {
                hasher.write_u64(summary.count());
                hasher.write_u64(summary.sum().total().to_bits());
            }
        }
    }

    /// Of which kind it is.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Number(_) => Shape::Number,
            Self::Histogram(_) => Shape::Histogram,
            Self::Exponential(_) => Shape::Exponential,
            Self::Summary(_) => Shape::Summary,
        }
    }

    /// The same shape with nothing in it.
    pub fn emptied(&self) -> Self {
        match self {
            Self::Number(_) => Self::Number(0.0),
            Self::Histogram(histogram) => Self::Histogram(histogram.emptied()),
            Self::Exponential(histogram) => Self::Exponential(histogram.emptied()),
            Self::Summary(summary) => Self::Summary(summary.emptied()),
        }
    }
}

#[cfg(test)]
mod tests;

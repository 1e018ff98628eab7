//! What may be added: a number or a histogram, always as a whole.

use super::{Exponential, Histogram};

/// A number or a histogram: a stream's total, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    /// Of a counter; finite and not negative.
    Number(f64),
    /// Of a classic histogram.
    Histogram(Histogram),
    /// Of a native histogram.
    Exponential(Exponential),
}

/// How a total compares with an earlier one of its stream.
pub enum Change {
    /// It rose by this, or by nothing.
    Rise(Amount),
    /// Some of it fell: the sender counts anew.
    Fell,
    /// Its bounds are others.
    Reshaped,
}

impl Amount {
    /// What came since `earlier`.
    pub fn since(&self, earlier: &Self) -> Change {
        let rise = match (self, earlier) {
            (Self::Number(now), Self::Number(then)) if now >= then => {
                Some(Self::Number(now - then))
            }
            (Self::Histogram(now), Self::Histogram(then)) => {
                if now.bounds() != then.bounds() {
                    return Change::Reshaped;
                }
                now.minus(then).map(Self::Histogram)
            }
            (Self::Exponential(now), Self::Exponential(then)) => {
                now.minus(then).map(Self::Exponential)
            }
            _ => None,
        };
        rise.map_or(Change::Fell, Change::Rise)
    }

    /// The same shape with nothing in it.
    pub fn emptied(&self) -> Self {
        match self {
            Self::Number(_) => Self::Number(0.0),
            Self::Histogram(histogram) => Self::Histogram(histogram.emptied()),
            Self::Exponential(histogram) => Self::Exponential(histogram.emptied()),
        }
    }
}

//! How many different ones came, in windows that slide.
//!
//! While there are few it is exact: each one's last visit, to the quarter of an hour. Past [`limits::DISTINCT_EXACT`] it is
//! a sketch that answers for any window. Beside it, registers that Prometheus can merge over replicas and time.

mod estimate;
mod exact;
mod registers;
pub(super) mod shown;
mod sliding;

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::limits;
use crate::model::Pseudonym;
use crate::timestamp::Timestamp;

pub use registers::Registers;

use exact::Exact;
use sliding::Sliding;

/// Time to the quarter of an hour, since the epoch: every time zone's midnight is one's beginning.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Quarter(pub u32);

impl Quarter {
    const NANOS: u64 = 15 * 60 * 1_000_000_000;

    /// The quarter that holds a moment.
    pub fn of(time: Timestamp) -> Self {
        Self(u32::try_from(time.0 / Self::NANOS).unwrap_or(u32::MAX))
    }

    /// The first quarter of a window that ends with this one.
    pub fn back(self, window: Duration) -> Self {
        let quarters = window.as_nanos() / u128::from(Self::NANOS);
        Self(self.0.saturating_sub(u32::try_from(quarters).unwrap_or(u32::MAX)))
    }
}

/// Different ones, by when each was last there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distinct {
    seen: Seen,
    /// How far back anybody asks.
    longest: Duration,
    /// How many were there for the first time as far as memory reaches.
    fresh: f64,
}

/// Different ones, and registers for whoever merges them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Crowd {
    pub(super) seen: Distinct,
    pub(super) registers: Option<Registers>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Seen {
    Exact(Exact),
    Sketch(Sliding),
}

impl Distinct {
    /// Nobody yet. Who was away for `longest` is forgotten.
    pub fn new(longest: Duration) -> Self {
        Self { seen: Seen::Exact(Exact::default()), longest, fresh: 0.0 }
    }

    /// Somebody was there at `time`, or now when that is unknown or still to come.
    pub fn see(&mut self, who: Pseudonym, time: Timestamp, now: Timestamp) {
        let (at, today) = (Quarter::of(time.ordered(now)), Quarter::of(now));
        let oldest = today.back(self.longest);
        if at < oldest {
            return;
        }
        match &mut self.seen {
            Seen::Exact(exact) => {
                exact.forget(oldest);
                self.fresh += f64::from(u8::from(exact.see(who, at)));
                if exact.len() > limits::DISTINCT_EXACT {
                    self.seen = Seen::Sketch(exact.iter().collect());
                }
            }
            Seen::Sketch(sketch) => self.fresh += sketch.see(who, at, oldest),
        }
    }

    /// Remembers for so long from now on; what is forgotten already does not come back by it.
    pub fn reach(&mut self, longest: Duration) {
        self.longest = longest;
    }

    /// Counts first visits from 0 again. Who was there is remembered all the same.
    pub fn count_anew(&mut self) {
        self.fresh = 0.0;
    }

    /// How many were there since a quarter began. Exact while few, else within 2 % mostly.
    pub fn count(&self, since: Quarter) -> f64 {
        match &self.seen {
            Seen::Exact(exact) => exact.count(since) as f64,
            Seen::Sketch(sketch) => sketch.count(since),
        }
    }

    /// How many first visits there were so far; an estimate once it is a sketch.
    pub fn fresh(&self) -> f64 {
        self.fresh
    }
}

#[cfg(test)]
mod tests;

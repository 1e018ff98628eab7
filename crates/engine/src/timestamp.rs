//! Times as values: the engine is given the time and never reads a clock.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::limits;

/// Nanoseconds since the Unix epoch, as OTLP carries them. 0 means "unknown", as it does there.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub u64);

/// Why two times make no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElapsedError {
    /// One of them is 0.
    #[error("its start or its end is unknown")]
    Unknown,
    /// They are more than [`limits::DURATION`] apart.
    #[error("it is longer than 7 days")]
    TooLong,
}

impl Timestamp {
    /// After all others.
    pub const MAX: Self = Self(u64::MAX);

    /// Whether it is 0.
    #[inline]
    pub fn is_unknown(self) -> bool {
        self.0 == 0
    }

    /// The time by which a record is ordered, expires and is late: its own, and its arrival where that is earlier or its own is
    /// unknown. A sender's clock that is ahead so never outranks what comes after it.
    #[inline]
    pub fn ordered(self, arrival: Self) -> Self {
        if self.is_unknown() { arrival } else { self.min(arrival) }
    }

    /// The time that is shown of a record: its own, and its arrival where its own is unknown or ahead of it by more than
    /// [`limits::CLOCK_AHEAD`].
    #[inline]
    pub fn shown(self, arrival: Self) -> Self {
        const AHEAD: u64 = limits::CLOCK_AHEAD.as_nanos() as u64;
        let is_ahead = self.0 > arrival.0.saturating_add(AHEAD);
        if self.is_unknown() || is_ahead { arrival } else { self }
    }

    /// Whether our clock was set back since this moment, which was not in the future when it was noted.
    #[inline]
    pub fn is_before_a_step(self, now: Self) -> bool {
        const STEP: u64 = limits::CLOCK_STEP.as_nanos() as u64;
        self.0 > now.0.saturating_add(STEP)
    }

    /// Seconds from `start` to this; 0 when this is the earlier one.
    ///
    /// # Errors
    /// One of the two is unknown, or they are more than [`limits::DURATION`] apart.
    #[inline]
    pub fn seconds_since(self, start: Self) -> Result<f64, ElapsedError> {
        const LONGEST: u64 = limits::DURATION.as_nanos() as u64;
        let nanoseconds = self.0.saturating_sub(start.0);
        if self.is_unknown() || start.is_unknown() {
            Err(ElapsedError::Unknown)
        } else if nanoseconds > LONGEST {
            Err(ElapsedError::TooLong)
        } else {
            Ok(nanoseconds as f64 / 1e9)
        }
    }

    /// Seconds since the epoch, for expositions.
    pub fn seconds(self) -> f64 {
        // Split, so that today's times keep their nanoseconds as far as a double can.
        (self.0 / 1_000_000_000) as f64 + (self.0 % 1_000_000_000) as f64 / 1e9
    }

    /// The time that lies `earlier` before this one, or the epoch.
    pub fn before(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(earlier.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Whether it is a time at all: 0 is OTLP's word for an unknown one.
    pub fn is_known(self) -> bool {
        self.0 != 0
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// As UTC reads it.
    pub fn utc(self) -> DateTime {
        let time = jiff::Timestamp::from_nanosecond(self.0.into()).unwrap_or_default();
        Offset::UTC.to_datetime(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_subtract_without_going_below_zero() {
        let (early, late) = (Timestamp(1), Timestamp(2_500_000_000));
        assert_eq!(late.since(early), Duration::from_nanos(2_499_999_999));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early.before(Duration::from_secs(1)), Timestamp(0));
        assert_eq!(late.seconds(), 2.5);
    }
    #[test]
    fn unknown_times_make_no_duration() {
        let (start, end) = (Timestamp(1_000), Timestamp(2_500_001_000));
        assert_eq!(end.seconds_since(start), Ok(2.5));
        assert_eq!(start.seconds_since(end), Ok(0.0), "clocks moved");
        for (start, end) in [(0, 5), (5, 0), (0, 0)] {
            let elapsed = Timestamp(end).seconds_since(Timestamp(start));
            assert_eq!(elapsed, Err(ElapsedError::Unknown), "{start} to {end}");
        }
        let longest = Timestamp(start.0 + 604_800_000_000_000);
        assert_eq!(longest.seconds_since(start), Ok(604_800.0));
        let longer = Timestamp(longest.0 + 1);
        assert_eq!(longer.seconds_since(start), Err(ElapsedError::TooLong));
    }

    #[test]
    fn records_are_ordered_by_the_earlier_of_time_and_arrival() {
        let arrival = Timestamp(100_000_000_000);
        for (time, ordered, shown) in [
            (0, arrival.0, arrival.0),
            (1, 1, 1),
            (arrival.0, arrival.0, arrival.0),
            (160_000_000_000, arrival.0, 160_000_000_000),
            (160_000_000_001, arrival.0, arrival.0),
            (u64::MAX, arrival.0, arrival.0),
        ] {
            assert_eq!(Timestamp(time).ordered(arrival), Timestamp(ordered), "{time}");
            assert_eq!(Timestamp(time).shown(arrival), Timestamp(shown), "{time}");
        }
        assert_eq!(Timestamp(9).shown(Timestamp(u64::MAX)), Timestamp(9));
        let noted = Timestamp(105_000_000_000);
        assert!(!noted.is_before_a_step(arrival), "another thread's arrival");
        assert!(Timestamp(noted.0 + 1).is_before_a_step(arrival));
    }
}

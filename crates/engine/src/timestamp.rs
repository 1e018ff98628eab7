//! Times as values: the engine is given the time and never reads a clock.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Nanoseconds since the Unix epoch, as OTLP carries them. 0 means "unknown", as it does there.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub u64);

impl Timestamp {
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
}

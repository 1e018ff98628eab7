//! A place's clock: when its days begin. It never asks what time it is.

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use crate::timestamp::Timestamp;

/// A time zone with its history of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// A zone of the IANA time zone database.
    pub fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// Its name in that database.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// When the day began that a moment belongs to: mostly at midnight, and later where clocks are put forward then.
    pub fn midnight(&self, time: Timestamp) -> Timestamp {
        let nanoseconds = i128::from(time.0);
        let moment = jiff::Timestamp::from_nanosecond(nanoseconds).unwrap_or_default();
        let begin = moment.to_zoned_datetime(self.0.clone()).start_of_day();
        let begin = begin.map_or(nanoseconds, |begin| begin.timestamp().as_nanosecond());
        Timestamp(u64::try_from(begin).unwrap_or_default())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second in which the day began that holds a moment.
    fn midnight(zone: &str, moment: &str) -> String {
        let zone = Zone::new(TimeZone::get(zone).unwrap());
        let moment: jiff::Timestamp = moment.parse().unwrap();
        let begin = zone.midnight(Timestamp(moment.as_nanosecond().try_into().unwrap()));
        jiff::Timestamp::from_nanosecond(begin.0.into()).unwrap().to_string()
    }

    #[test]
    fn a_day_begins_at_its_own_midnight() {
        assert_eq!(midnight("UTC", "2026-03-01T23:59:59.9Z"), "2026-03-01T00:00:00Z");
        assert_eq!(midnight("Europe/Berlin", "2026-03-01T22:59:59Z"), "2026-02-28T23:00:00Z");
        assert_eq!(midnight("Europe/Berlin", "2026-03-01T23:00:00Z"), "2026-03-01T23:00:00Z");
        assert_eq!(midnight("Asia/Kathmandu", "2026-03-01T18:15:00Z"), "2026-03-01T18:15:00Z");
    }

    #[test]
    fn days_of_23_and_25_hours_begin_once() {
        assert_eq!(midnight("Europe/Berlin", "2026-03-29T21:00:00Z"), "2026-03-28T23:00:00Z");
        assert_eq!(midnight("Europe/Berlin", "2026-10-25T22:30:00Z"), "2026-10-24T22:00:00Z");
        let skipped = "an hour that began at midnight is not there";
        assert_eq!(
            midnight("Africa/Cairo", "2026-04-24T12:00:00Z"),
            "2026-04-23T22:00:00Z",
            "{skipped}"
        );
    }

    #[test]
    fn no_moment_is_out_of_its_reach() {
        let zone = Zone::new(TimeZone::get("America/Los_Angeles").unwrap());
        assert_eq!(zone.midnight(Timestamp(0)), Timestamp(0), "that day began before 1970");
        assert!(zone.midnight(Timestamp(u64::MAX)) < Timestamp(u64::MAX));
    }
}

//! The only source of time of a service. The engine is given times as values; `clippy.toml` bans the other doors.

use std::time::{Instant, SystemTime};

use engine::timestamp::Timestamp;

/// The wall clock.
#[allow(clippy::disallowed_methods)] // this is the door
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The monotonic clock, for deadlines and durations.
#[allow(clippy::disallowed_methods)] // this is the door
pub fn monotonic() -> Instant {
    Instant::now()
}

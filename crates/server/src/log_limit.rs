//! A rate limit for log lines of one kind: a peer that floods a port must not flood the log.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use engine::limits;

use crate::clock;

/// Admits one line per [`limits::LOG_INTERVAL`] and counts those it suppresses.
#[derive(Debug, Default)]
pub struct LogLimit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    suppressed: u64,
}

impl LogLimit {
    /// How many lines were suppressed since the last one that was admitted; none: this one is suppressed, too.
    pub fn admit(&self) -> Option<u64> {
        self.admit_at(clock::monotonic())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |last: Instant| now.saturating_duration_since(last) < limits::LOG_INTERVAL;
        if state.last.is_some_and(recent) {
            state.suppressed = state.suppressed.saturating_add(1);
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admits_one_line_an_interval_with_the_count_of_suppressed_ones() {
        let limit = LogLimit::default();
        let start = clock::monotonic();
        assert_eq!(limit.admit_at(start), Some(0));
        for _ in 0..1000 {
            assert_eq!(limit.admit_at(start + limits::LOG_INTERVAL / 2), None);
        }
        assert_eq!(limit.admit_at(start + limits::LOG_INTERVAL), Some(1000));
        assert_eq!(limit.admit_at(start + limits::LOG_INTERVAL), None);
        assert_eq!(limit.admit_at(start + 3 * limits::LOG_INTERVAL), Some(1));
    }
}

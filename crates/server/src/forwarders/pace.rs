//! When to try again: exponential backoff with jitter, and never before the target asked us to.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use engine::limits;

/// How one target is doing, and what that means for the next attempt.
#[derive(Debug)]
pub(super) struct Pace {
    backoff: (Duration, Duration),
    failures: u32,
    not_before: Option<Instant>,
}

impl Pace {
    /// The first wait, and the longest.
    pub(super) fn new(backoff: (Duration, Duration)) -> Self {
        Self { backoff, failures: 0, not_before: None }
    }

    /// Whether the last attempt failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// When the next attempt may begin; none: at once.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// The wait is over.
    pub(super) fn waited(&mut self) {
        self.not_before = None;
    }

    /// It works. What another request was told about waiting still holds.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// An attempt failed at `now`; `asked` is how long the target wants to be left alone.
    pub(super) fn failed(&mut self, asked: Option<Duration>, now: Instant) {
        let (first, most) = self.backoff;
        let doubled = 2_u32.saturating_pow(self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let backoff = first.saturating_mul(doubled).min(most);
        // Half of it at least, so that it still grows, and the rest by lot, so that many senders do not come together.
        let wait = match asked.map(|asked| asked.min(limits::FORWARD_RETRY_AFTER)) {
            Some(asked) => asked.mul_f64(1.0 + lot() / 10.0).max(first.mul_f64(lot())),
            None => backoff.mul_f64(0.5 + lot() / 2.0),
        };
        let until = now + wait;
        // Others that were under way may have been told to wait for longer.
        self.not_before = Some(self.not_before.map_or(until, |other| other.max(until)));
    }
}

/// A number from 0 to 1. It decides nothing that needs more than to differ.
fn lot() -> f64 {
    (RandomState::new().build_hasher().finish() % 1000) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn wait(pace: &mut Pace, asked: Option<Duration>) -> Duration {
        let now = clock::monotonic();
        pace.waited();
        pace.failed(asked, now);
        pace.not_before().unwrap() - now
    }

    #[test]
    fn waits_grow_differ_and_end_growing() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new((second, 30 * second));
        for power in [1, 2, 4, 8, 16, 30, 30, 30] {
            let wait = wait(&mut pace, None);
            assert!(wait >= power * second / 2 && wait <= power * second, "{power}: {wait:?}");
        }
        pace.succeeded();
        assert!(!pace.is_failing() && pace.not_before().is_some());
        assert!(wait(&mut pace, None) <= second);
        let waits: Vec<_> = (0..20).map(|_| wait(&mut pace, None)).collect();
        assert!(waits.windows(2).any(|pair| pair[0] != pair[1]), "{waits:?}");
    }

    #[test]
    fn what_the_target_asks_for_is_the_least_and_has_an_end() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new((second, 30 * second));
        let asked = wait(&mut pace, Some(7 * second));
        assert!(asked >= 7 * second && asked < 8 * second, "{asked:?}");
        let asked = wait(&mut pace, Some(Duration::MAX));
        assert!(asked >= limits::FORWARD_RETRY_AFTER && asked < 2 * limits::FORWARD_RETRY_AFTER);
        let now = clock::monotonic();
        pace.waited();
        pace.failed(Some(9 * second), now);
        pace.failed(None, now);
        assert!(pace.not_before().unwrap() - now >= 9 * second, "the longer of two holds");
    }
}

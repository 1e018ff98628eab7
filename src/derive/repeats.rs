//! Whether something came before: keyed 64-bit fingerprints in two generations.
//!
//! The young generation takes what comes; when it is full or old it becomes the elder, and the elder is forgotten. So a
//! fingerprint is remembered for at least one window, unless more than the bound came within it.

use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use hashbrown::HashSet;

use crate::clock::Timestamp;

/// A keyed hash of what makes a thing the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(u64);

/// The memory of what came.
pub struct Repeats {
    window: Duration,
    entries: usize,
    since: Timestamp,
    young: HashSet<Fingerprint, foldhash::fast::RandomState>,
    elder: HashSet<Fingerprint, foldhash::fast::RandomState>,
}

impl Repeats {
    /// Remembers each fingerprint for `window`, up to `entries` in a generation; 0 entries: nothing ever repeats.
    pub fn new(window: Duration, entries: usize) -> Self {
        Self {
            window,
            entries,
            since: Timestamp::default(),
            young: HashSet::default(),
            elder: HashSet::default(),
        }
    }

    /// Whether it came before. It has now.
    pub fn repeated(&mut self, fingerprint: Fingerprint, now: Timestamp) -> bool {
        if self.entries == 0 {
            return false;
        }
        if self.young.len() >= self.entries || now.since(self.since) >= self.window {
            std::mem::swap(&mut self.young, &mut self.elder);
            self.young.clear();
            self.since = now;
        }
        self.elder.contains(&fingerprint) || !self.young.insert(fingerprint)
    }

    /// Moves to other bounds and keeps what is remembered.
    pub fn rebound(&mut self, window: Duration, entries: usize) {
        (self.window, self.entries) = (window, entries);
    }
}

impl Fingerprint {
    /// Of a span, by its ids. None for ids that identify nothing: empty or all zero.
    pub fn of_span<S: BuildHasher>(keys: &S, trace_id: &[u8], span_id: &[u8]) -> Option<Self> {
        let blank = |id: &[u8]| id.iter().all(|byte| *byte == 0);
        (!blank(trace_id) && !blank(span_id)).then(|| Self::of(keys, &[trace_id, span_id]))
    }

    /// Of several texts in order; `["ab", "c"]` is not `["a", "bc"]`.
    pub fn of<S: BuildHasher>(keys: &S, parts: &[&[u8]]) -> Self {
        let mut hasher = keys.build_hasher();
        for part in parts {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        Self(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1_000_000_000)
    }

    #[test]
    fn what_came_is_known_for_a_window() {
        let mut repeats = Repeats::new(MINUTE, 100);
        assert!(!repeats.repeated(Fingerprint(1), at(1000)));
        assert!(repeats.repeated(Fingerprint(1), at(1001)));
        assert!(repeats.repeated(Fingerprint(1), at(1059)));
        assert!(repeats.repeated(Fingerprint(1), at(1061)), "the elder generation still knows");
        assert!(!repeats.repeated(Fingerprint(1), at(1200)), "and then it is gone");
    }

    #[test]
    fn memory_is_bounded_by_two_generations() {
        let mut repeats = Repeats::new(MINUTE, 10);
        for one in 0..1000 {
            assert!(!repeats.repeated(Fingerprint(one), at(5000)));
            assert!(repeats.young.len() + repeats.elder.len() <= 20);
        }
        assert!(repeats.repeated(Fingerprint(999), at(5000)));
        assert!(!Repeats::new(MINUTE, 0).repeated(Fingerprint(1), at(1)));
    }

    #[test]
    fn blank_ids_identify_nothing() {
        let keys = foldhash::fast::RandomState::default();
        assert_eq!(Fingerprint::of_span(&keys, &[0; 16], &[1; 8]), None);
        assert_eq!(Fingerprint::of_span(&keys, &[1; 16], &[]), None);
        let one = Fingerprint::of_span(&keys, &[1; 16], &[1; 8]);
        assert!(one.is_some() && one == Fingerprint::of_span(&keys, &[1; 16], &[1; 8]));
        assert_ne!(one, Fingerprint::of_span(&keys, &[1; 16], &[2; 8]));
        assert_ne!(Fingerprint::of(&keys, &[b"ab", b"c"]), Fingerprint::of(&keys, &[b"a", b"bc"]));
    }
}

//! Whether something came before: keyed 64-bit fingerprints in two generations.
//!
//! The young generation takes what comes; when it is full or old it becomes the elder, and the elder is forgotten. So a
//! fingerprint is remembered for at least one window, unless more than the bound came within it.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::limits::DEDUPE_PARTS;
use crate::timestamp::Timestamp;

/// What fingerprints are made with: unknown to senders, so that none can make two things the same. Fingerprints that are kept
/// mean something only together with their keys.
#[derive(Debug)]
pub struct Keys {
    seeds: (u64, u64),
    shared: SharedSeed,
}

impl Keys {
    /// Those of these seeds.
    pub fn new(seeds: (u64, u64)) -> Self {
        Self { seeds, shared: SharedSeed::from_u64(seeds.1) }
    }

    /// What [`Keys::new`] makes the same keys of.
    pub fn seeds(&self) -> (u64, u64) {
        self.seeds
    }

    /// A hash to begin.
    #[inline]
    pub fn hasher(&self) -> FoldHasher<'_> {
        FoldHasher::with_seed(self.seeds.0, &self.shared)
    }
}

impl Default for Keys {
    /// New ones. The standard library's are seeded by the operating system.
    fn default() -> Self {
        let random = || RandomState::new().build_hasher().finish();
        Self::new((random(), random()))
    }
}

/// A keyed hash of what makes a thing the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fingerprint(u64);

/// The memory of what came.
pub struct Repeats {
    window: Duration,
    entries: usize,
    since: Timestamp,
    elder_since: Timestamp,
    young: Generation,
    elder: Generation,
    /// What is copied for a restart; none: nothing is.
    cut: Option<Box<CutRepeats>>,
}

/// What was remembered when a cut began, as far as it was copied.
#[derive(Debug, Default)]
struct CutRepeats {
    copies: KeptRepeats,
    /// The first part that was not copied.
    part: usize,
    /// What came since, and may be among the copies.
    since: Vec<u64>,
}

/// What was remembered, as it is kept over a restart: it needs its [`Keys`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct KeptRepeats {
    since: Timestamp,
    elder_since: Timestamp,
    young: Vec<u64>,
    elder: Vec<u64>,
}

/// Fingerprints in parts by some of their bits. A part that grows is small, so nobody waits long for it.
struct Generation {
    parts: [HashTable<u64>; DEDUPE_PARTS],
    len: usize,
}

impl Repeats {
    /// Remembers each fingerprint for `window`, up to `entries` in a generation; 0 entries: nothing ever repeats.
    pub fn new(window: Duration, entries: usize) -> Self {
        let (young, elder) = (Generation::new(), Generation::new());
        let (since, elder_since) = Default::default();
        Self { window, entries, since, elder_since, young, elder, cut: None }
    }

    /// Whether it came before. It has now.
    #[inline]
    pub fn repeated(&mut self, fingerprint: Fingerprint, now: Timestamp) -> bool {
        if self.entries == 0 {
            return false;
        }
        if self.young.len >= self.entries || now.since(self.since) >= self.window {
            while self.copy_cut() {}
            std::mem::swap(&mut self.young, &mut self.elder);
            self.young.clear();
            (self.elder_since, self.since) = (self.since, now);
        }
        if self.elder.contains(fingerprint) || !self.young.insert(fingerprint) {
            return true;
        }
        // Past a whole generation the rest stays among the copies: a resend of it after a restart is dropped.
        if let Some(cut) = self.cut.as_mut().filter(|cut| cut.since.len() < self.entries) {
            cut.since.push(fingerprint.0);
        }
        false
    }

    /// For how long back everything that came is remembered.
    pub fn horizon(&self, now: Timestamp) -> Duration {
        let since = if self.elder.len > 0 { self.elder_since } else { self.since };
        if since.is_known() { now.since(since) } else { Duration::ZERO }
    }

    /// A cut begins with what is remembered now. [`copy_cut`](Self::copy_cut) copies it, and [`keep`](Self::keep) returns the copies.
    pub fn begin_cut(&mut self) {
        let (since, elder_since) = (self.since, self.elder_since);
        let copies = KeptRepeats { since, elder_since, ..KeptRepeats::default() };
        self.cut = Some(Box::new(CutRepeats { copies, ..CutRepeats::default() }));
    }

    /// Copies another part for the cut that has begun; false: there is none.
    pub fn copy_cut(&mut self) -> bool {
        let Some(cut) = &mut self.cut else { return false };
        let (young, elder) = (self.young.parts.get(cut.part), self.elder.parts.get(cut.part));
        cut.copies.young.extend(young.into_iter().flatten());
        cut.copies.elder.extend(elder.into_iter().flatten());
        cut.part += 1;
        cut.part <= DEDUPE_PARTS
    }

    /// What was remembered when the cut began, to be kept.
    pub fn keep(&mut self) -> KeptRepeats {
        while self.copy_cut() {}
        let CutRepeats { mut copies, since, .. } = *self.cut.take().unwrap_or_default();
        let since: HashSet<u64> = since.into_iter().collect();
        copies.young.retain(|print| !since.contains(print));
        copies
    }

    /// Remembers what was kept, as far as there is room.
    pub fn restore(&mut self, kept: KeptRepeats) {
        self.since = self.since.max(kept.since);
        self.elder_since = self.elder_since.max(kept.elder_since);
        for (one, kept) in [(&mut self.young, kept.young), (&mut self.elder, kept.elder)] {
            for print in kept.into_iter().take(self.entries) {
                one.insert(Fingerprint(print));
            }
        }
    }

    /// Moves to other bounds and keeps what is remembered.
    pub fn rebound(&mut self, window: Duration, entries: usize) {
        (self.window, self.entries) = (window, entries);
    }
}

// A fingerprint is a hash already: it is its own place.
impl Generation {
    fn new() -> Self {
        Self { parts: std::array::from_fn(|_| HashTable::new()), len: 0 }
    }

    fn contains(&self, Fingerprint(print): Fingerprint) -> bool {
        self.len > 0
            && self
                .parts
                .get(part(print))
                .is_some_and(|part| part.find(print, |one| *one == print).is_some())
    }

    /// Whether it is new.
    #[inline]
    fn insert(&mut self, Fingerprint(print): Fingerprint) -> bool {
        let Some(part) = self.parts.get_mut(part(print)) else { return false };
        match part.entry(print, |one| *one == print, |one| *one) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(print);
                self.len += 1;
                true
            }
        }
    }

    fn clear(&mut self) {
        self.parts.iter_mut().for_each(HashTable::clear);
        self.len = 0;
    }
}

/// By bits that a table of this size uses neither for the place nor for the tag.
fn part(print: u64) -> usize {
    usize::from((print >> 40) as u16) % DEDUPE_PARTS
}

impl Fingerprint {
    /// Of a span, by its ids. None for ids that identify nothing: empty or all zero.
    #[inline]
    pub fn of_span(keys: &Keys, trace_id: &[u8], span_id: &[u8]) -> Option<Self> {
        match (trace_id.try_into(), span_id.try_into()) {
            (Ok(trace_id), Ok(span_id)) => {
                let (trace_id, span_id) =
                    (u128::from_ne_bytes(trace_id), u64::from_ne_bytes(span_id));
                (trace_id != 0 && span_id != 0).then(|| {
                    let mut hasher = keys.hasher();
                    hasher.write_u128(trace_id);
                    hasher.write_u64(span_id);
                    Self(hasher.finish())
                })
            }
            _ => {
                let blank = |id: &[u8]| id.iter().all(|byte| *byte == 0);
                let whole = !blank(trace_id) && !blank(span_id);
                whole.then(|| Self::of(keys, &[trace_id, span_id]))
            }
        }
    }

    /// The hash itself, for who keeps it in a form of its own.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// One that was kept by its [`bits`](Self::bits).
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Of several texts in order; `["ab", "c"]` is not `["a", "bc"]`.
    pub fn of(keys: &Keys, parts: &[&[u8]]) -> Self {
        let mut hasher = keys.hasher();
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
            assert!(repeats.young.len + repeats.elder.len <= 20);
        }
        assert!(repeats.repeated(Fingerprint(999), at(5000)));
        assert!(!Repeats::new(MINUTE, 0).repeated(Fingerprint(1), at(1)));
    }

    #[test]
    fn what_is_kept_is_known_after_a_restart() {
        let mut before = Repeats::new(MINUTE, 100);
        assert!(!before.repeated(Fingerprint(1), at(1000)));
        assert!(!before.repeated(Fingerprint(2), at(1061)));
        let mut after = Repeats::new(MINUTE, 100);
        before.begin_cut();
        let kept = before.keep();
        after.restore(kept);
        assert!(
            after.repeated(Fingerprint(1), at(1062)) && after.repeated(Fingerprint(2), at(1062))
        );
        assert!(!after.repeated(Fingerprint(1), at(1300)), "and is forgotten in its time");
        let mut small = Repeats::new(MINUTE, 0);
        before.begin_cut();
        small.restore(before.keep());
        assert!(!small.repeated(Fingerprint(1), at(1062)));
    }

    #[test]
    fn keeps_what_was_there_when_the_cut_began() {
        let (hour, many) = (Duration::from_secs(3600), 1000);
        for rotates in [false, true] {
            let mut repeats = Repeats::new(hour, many);
            let print = |one: usize| Fingerprint((one as u64) << 40);
            for one in 0..500 {
                assert!(!repeats.repeated(print(one), at(5000)));
            }
            repeats.begin_cut();
            let more = if rotates { 500..2000 } else { 500..700 };
            for one in more {
                assert!(!repeats.repeated(print(one), at(5001)));
                repeats.copy_cut();
            }
            let kept = repeats.keep();
            let mut all: Vec<u64> = kept.young.into_iter().chain(kept.elder).collect();
            all.sort_unstable();
            assert_eq!(all, (0..500).map(|one| print(one).0).collect::<Vec<_>>(), "{rotates}");
            assert_eq!(repeats.keep().young.len(), 0, "the cut is over");
        }
    }

    /// Kept fingerprints are compared with new ones: when these change, so must the version of a snapshot.
    #[test]
    fn the_same_seeds_make_the_same_fingerprints() {
        let keys = Keys::new((1, 2));
        assert_eq!(keys.seeds(), (1, 2));
        assert_eq!(
            Fingerprint::of_span(&keys, &[1; 16], &[2; 8]),
            Some(Fingerprint(2_399_258_960_271_426_473))
        );
        let long: &[u8] = b"longer than sixteen bytes";
        assert_eq!(Fingerprint::of(&keys, &[b"a", long]), Fingerprint(10_572_907_226_974_307_728));
        assert_ne!(Keys::default().seeds(), Keys::default().seeds());
    }

    #[test]
    fn blank_ids_identify_nothing() {
        let keys = Keys::default();
        assert_eq!(Fingerprint::of_span(&keys, &[0; 16], &[1; 8]), None);
        assert_eq!(Fingerprint::of_span(&keys, &[1; 16], &[]), None);
        let one = Fingerprint::of_span(&keys, &[1; 16], &[1; 8]);
        assert!(one.is_some() && one == Fingerprint::of_span(&keys, &[1; 16], &[1; 8]));
        assert_ne!(one, Fingerprint::of_span(&keys, &[1; 16], &[2; 8]));
        assert_ne!(Fingerprint::of(&keys, &[b"ab", b"c"]), Fingerprint::of(&keys, &[b"a", b"bc"]));
    }
}

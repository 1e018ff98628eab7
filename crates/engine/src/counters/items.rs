//! The books of every item: what one request brought is posted at once and read at once, so no
//! scrape sees half of it.

use std::sync::{Mutex, MutexGuard};

use crate::timestamp::Timestamp;
use crate::view::Signal;

use super::words::Rejection;

/// What became of items: `received` is `accepted` and all of `rejected` together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemCounts {
    /// Spans, log records or data points of taken requests.
    pub received: u64,
    /// Those that were used, or that no rule asked for.
    pub accepted: u64,
    /// Those of the accepted that no rule asked for.
    pub unmatched: u64,
    /// Those that were not used, by [`Rejection::index`].
    pub rejected: [u64; Rejection::COUNT],
}

/// The counts of all requests so far.
#[derive(Debug, Default)]
pub struct Books(Mutex<[Page; Signal::ALL.len()]>);

/// One signal's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Page {
    /// So far.
    pub counts: ItemCounts,
    /// When a request was last taken.
    pub last: Timestamp,
}

impl ItemCounts {
    /// Whether every item was accepted or rejected exactly once.
    pub fn balanced(&self) -> bool {
        self.received
            == self.rejected.iter().fold(self.accepted, |sum, one| sum.saturating_add(*one))
    }

    /// Enters one that was not used.
    pub fn reject(&mut self, reason: Rejection) {
        if let Some(count) = self.rejected.get_mut(reason.index()) {
            *count += 1;
        }
    }

    /// Adds those of another part of the same request, or of another one.
    pub(crate) fn add(&mut self, other: &Self) {
        let add = |sum: &mut u64, one: u64| *sum = sum.saturating_add(one);
        add(&mut self.received, other.received);
        add(&mut self.accepted, other.accepted);
        add(&mut self.unmatched, other.unmatched);
        self.rejected.iter_mut().zip(other.rejected).for_each(|(sum, one)| add(sum, one));
    }
}

impl Books {
    /// Enters one taken request, whole.
    pub fn post(&self, signal: Signal, counts: &ItemCounts, now: Timestamp) {
        debug_assert!(counts.balanced(), "{counts:?}");
        if let Some(page) = self.lock().get_mut(signal.index()) {
            page.counts.add(counts);
            page.last = page.last.max(now);
        }
    }

    /// What was entered for a signal so far.
    pub fn read(&self, signal: Signal) -> ItemCounts {
        self.lock().get(signal.index()).map(|page| page.counts).unwrap_or_default()
    }

    /// All pages at one moment, by [`Signal::index`].
    pub fn pages(&self) -> [Page; Signal::ALL.len()] {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, [Page; Signal::ALL.len()]> {
        super::lock(&self.0)
    }
}

//! How many label sets there may be, shared by all families and by the stores before and after a reload.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The label sets there are and may be.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    series: AtomicUsize,
    per_metric: AtomicUsize,
}

impl Budget {
    /// Nothing used.
    pub fn new(series: usize, per_metric: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            series: AtomicUsize::new(series),
            per_metric: AtomicUsize::new(per_metric),
        }
    }

    /// Moves the limits; what is there stays.
    pub fn rebound(&self, series: usize, per_metric: usize) {
        self.series.store(series, Relaxed);
        self.per_metric.store(per_metric, Relaxed);
    }

    /// Label sets all metrics may have together.
    pub fn limit(&self) -> usize {
        self.series.load(Relaxed)
    }

    /// Label sets one metric may have.
    pub fn per_metric(&self) -> usize {
        self.per_metric.load(Relaxed)
    }

    /// Whether there is room for so many label sets more.
    pub(super) fn has(&self, more: usize) -> bool {
        self.used().saturating_add(more) <= self.limit()
    }

    /// Label sets there are, those that are reserved among them.
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// Takes room for `more` label sets beside the `present` ones of one metric, or none at all.
    pub(super) fn take(&self, present: usize, more: usize) -> bool {
        if present.saturating_add(more) > self.per_metric.load(Relaxed) {
            return false;
        }
        let limit = self.limit();
        let grown = |used: usize| used.checked_add(more).filter(|sum| *sum <= limit);
        self.used.fetch_update(Relaxed, Relaxed, grown).is_ok()
    }

    /// Takes room that was reserved: for declared sets and for overflow.
    pub(super) fn take_reserved(&self, more: usize) {
        self.used.fetch_add(more, Relaxed);
    }

    pub(super) fn give_back(&self, fewer: usize) {
        self.used.fetch_sub(fewer, Relaxed);
    }
}

//! What became of requests, items and updates: plain counts of closed sets, which the server's self-metrics show.
//!
//! This room knows no metric names and no exposition; it adds up, and a reader takes a consistent copy.

mod items;
mod words;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::rules::SkipReason;

pub use items::{Books, ItemCounts, Page};
pub use words::{Protocol, Refusal, Rejection};

/// Counts of one metric's skips: none for a reason that it cannot have.
pub type SkipCounts = [Option<u64>; SkipReason::ALL.len()];

/// Sampling weights that were over the highest one accepted of some records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IgnoredWeights {
    /// Records that counted as 1 instead.
    pub count: u64,
    /// The largest of them.
    pub largest: f64,
    /// The highest weight that is accepted, when the last of them came.
    pub most: f64,
}

impl IgnoredWeights {
    /// The same and later ones.
    pub fn add(&mut self, later: Self) {
        self.count = self.count.saturating_add(later.count);
        (self.largest, self.most) = (self.largest.max(later.largest), later.most);
    }
}

/// A point of a sender that is rejected as `stream_limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPoint {
    /// The metric's name as sent, at most [`LOG_NAME`](crate::limits::LOG_NAME) characters.
    pub metric: String,
    /// The sender; empty: unknown.
    pub job: Arc<str>,
    /// The instance of the sender; empty: unknown, or not told apart.
    pub instance: Arc<str>,
    /// The limit that was reached.
    pub bound: StreamBound,
}

/// Limits of sender streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamBound {
    /// Living start times of one stream: [`STREAM_LIVES`](crate::limits::STREAM_LIVES).
    Starts,
    /// Streams of all senders: [`SENDER_STREAMS`](crate::limits::SENDER_STREAMS).
    Streams,
}

/// All counts of a pipeline.
#[derive(Debug, Default)]
pub struct Counters {
    books: Books,
    refused: Mutex<[[u64; Refusal::COUNT]; Protocol::COUNT]>,
    skips: Mutex<BTreeMap<String, SkipCounts>>,
    repeated: Mutex<BTreeMap<String, u64>>,
    ignored_weights: Mutex<BTreeMap<Option<String>, IgnoredWeights>>,
    series_limit: AtomicUsize,
    refused_points: Mutex<(u64, Option<RefusedPoint>)>,
    joined: AtomicU64,
    conflicts: AtomicU64,
}

impl Counters {
    /// Where the items of requests are counted.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Names what may be counted of a config's metrics and records, so that it exists at 0.
    pub fn declare<'a>(
        &self,
        skips: impl IntoIterator<Item = (&'a str, SkipReason)>,
        records: impl IntoIterator<Item = &'a str>,
    ) {
        skips.into_iter().for_each(|(metric, reason)| self.skipped(metric, reason, 0));
        records.into_iter().for_each(|record| self.repeated(record, 0));
    }

    /// A request was refused whole.
    pub fn refused(&self, protocol: Protocol, reason: Refusal) {
        let mut refused = lock(&self.refused);
        let count = refused.get_mut(protocol.index());
        if let Some(count) = count.and_then(|reasons| reasons.get_mut(reason.index())) {
            *count = count.saturating_add(1);
        }
    }

    /// A rule could not use `times` records that it took.
    pub fn skipped(&self, metric: &str, reason: SkipReason, times: u64) {
        let mut skips = lock(&self.skips);
        if !skips.contains_key(metric) {
            skips.insert(metric.to_owned(), SkipCounts::default());
        }
        let counts = skips.get_mut(metric);
        if let Some(count) = counts.and_then(|counts| counts.get_mut(reason as usize)) {
            *count = Some(count.unwrap_or_default().saturating_add(times));
        }
    }

    /// Sampling weights were ignored, for the config's record `class`, or for `sampling.most` when there is none.
    pub fn ignore_weights(&self, class: Option<&str>, weights: IgnoredWeights) {
        let mut all = lock(&self.ignored_weights);
        all.entry(class.map(str::to_owned)).and_modify(|one| one.add(weights)).or_insert(weights);
    }

    /// A point was rejected as `stream_limit`.
    pub fn refuse_point(&self, point: RefusedPoint) {
        let (count, latest) = &mut *lock(&self.refused_points);
        *count = count.saturating_add(1);
        *latest = Some(point);
    }

    /// `times` records of that name had come before.
    pub fn repeated(&self, record: &str, times: u64) {
        let mut repeated = lock(&self.repeated);
        match repeated.get_mut(record) {
            Some(count) => *count = count.saturating_add(times),
            None => drop(repeated.insert(record.to_owned(), times)),
        }
    }

    /// A stream of which more was counted than is remembered joined without adding.
    pub fn stream_joined(&self) {
        self.joined.fetch_add(1, Ordering::Relaxed);
    }

    /// Several processes that are there write one gauge.
    pub fn writer_conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    /// Streams that joined, and points of gauges that several processes write.
    pub fn joined_and_conflicts(&self) -> (u64, u64) {
        (self.joined.load(Ordering::Relaxed), self.conflicts.load(Ordering::Relaxed))
    }

    /// How many label sets all metrics together may have.
    pub fn limit_series(&self, limit: usize) {
        self.series_limit.store(limit, Ordering::Relaxed);
    }

    /// Requests refused whole, by protocol and reason.
    pub fn refusals(&self) -> [[u64; Refusal::COUNT]; Protocol::COUNT] {
        *lock(&self.refused)
    }

    /// What rules could not use, by metric and reason.
    pub fn skips(&self) -> BTreeMap<String, SkipCounts> {
        lock(&self.skips).clone()
    }

    /// Sampling weights that were ignored, by the config's record whose highest weight they were over; none: `sampling.most`.
    pub fn ignored_weights(&self) -> BTreeMap<Option<String>, IgnoredWeights> {
        lock(&self.ignored_weights).clone()
    }

    /// How many points were rejected as `stream_limit`, and the latest of them.
    pub fn refused_points(&self) -> (u64, Option<RefusedPoint>) {
        lock(&self.refused_points).clone()
    }

    /// Records that had come before, by their name in the config.
    pub fn repeats(&self) -> BTreeMap<String, u64> {
        lock(&self.repeated).clone()
    }

    /// Label sets that all metrics together may have.
    pub fn series_limit(&self) -> usize {
        self.series_limit.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Adding up can't panic half-way, so a poisoned lock still guards whole entries.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

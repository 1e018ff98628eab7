//! Counters with labels and buckets, as plain and as slow as possible: they are the measure of something fast.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde::{Serialize, ser};

/// Edges of the duration buckets, seconds: both time limits of the bot are exact edges.
pub const EDGES: [f64; 16] =
    [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0];

/// Counts by label values.
#[derive(Clone, Debug)]
pub struct Counts<const N: usize> {
    names: [&'static str; N],
    rows: BTreeMap<[&'static str; N], u64>,
}

impl<const N: usize> Counts<N> {
    /// No counts yet, by these labels.
    pub const fn of(names: [&'static str; N]) -> Self {
        Self { names, rows: BTreeMap::new() }
    }

    /// One more.
    pub fn add(&mut self, labels: [&'static str; N]) {
        self.add_many(labels, 1);
    }

    /// So many more.
    pub fn add_many(&mut self, labels: [&'static str; N], count: u64) {
        *self.rows.entry(labels).or_default() += count;
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.rows.values().sum()
    }

    /// The counts whose labels are as `fits` wants them.
    pub fn sum_where(&self, fits: impl Fn(&[&'static str; N]) -> bool) -> u64 {
        self.rows.iter().filter(|(labels, _)| fits(labels)).map(|(_, count)| count).sum()
    }
}

impl Counts<1> {
    /// One more, if there is something to count.
    pub fn add_some(&mut self, label: Option<&'static str>) {
        if let Some(label) = label {
            self.add([label]);
        }
    }
}

impl<const N: usize> Serialize for Counts<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for (labels, count) in &self.rows {
            rows.serialize_element(&Row { names: &self.names, labels, count: *count })?;
        }
        rows.end()
    }
}

struct Row<'a> {
    names: &'a [&'static str],
    labels: &'a [&'static str],
    count: u64,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(self.names.len() + 1))?;
        for (name, label) in self.names.iter().zip(self.labels) {
            row.serialize_entry(name, label)?;
        }
        row.serialize_entry("count", &self.count)?;
        row.end()
    }
}

/// Histograms of durations by outcome.
#[derive(Clone, Debug, Default)]
pub struct Durations(BTreeMap<&'static str, Histogram>);

#[derive(Clone, Debug, Default)]
struct Histogram {
    count: u64,
    nanos: u64,
    /// Not cumulative.
    buckets: [u64; EDGES.len()],
}

impl Durations {
    /// One more. Kept in whole nanoseconds, as the span will say.
    pub fn observe(&mut self, outcome: &'static str, seconds: f64) {
        let nanos = (seconds * 1e9) as u64;
        let histogram = self.0.entry(outcome).or_default();
        histogram.count += 1;
        histogram.nanos += nanos;
        let fits = |edge: &f64| nanos <= (edge * 1e9) as u64;
        if let Some(bucket) =
            EDGES.iter().position(fits).and_then(|at| histogram.buckets.get_mut(at))
        {
            *bucket += 1;
        }
    }

    /// All observations.
    pub fn count(&self) -> u64 {
        self.0.values().map(|histogram| histogram.count).sum()
    }
}

impl Serialize for Durations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        for (outcome, histogram) in &self.0 {
            let mut below = 0;
            let mut buckets: Vec<serde_json::Value> = EDGES
                .iter()
                .zip(histogram.buckets)
                .map(|(edge, count)| {
                    below += count;
                    serde_json::json!({"le": format!("{edge:?}"), "count": below})
                })
                .collect();
            buckets.push(serde_json::json!({"le": "+Inf", "count": histogram.count}));
            rows.serialize_element(&serde_json::json!({
                "outcome": outcome,
                "count": histogram.count,
                "sum_seconds": histogram.nanos as f64 / 1e9,
                "buckets": buckets,
            }))?;
        }
        rows.end()
    }
}

/// What became of spans or log records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Sent {
    pub made: u64,
    pub exported: u64,
    pub failed: u64,
}

impl Sent {
    /// Still on the way.
    pub const fn pending(&self) -> u64 {
        self.made.saturating_sub(self.exported + self.failed)
    }
}

/// A set is told by its size: people are nobody's business.
pub(super) fn size<S: Serializer>(set: &BTreeSet<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    let size = u64::try_from(set.len()).map_err(ser::Error::custom)?;
    serializer.serialize_u64(size)
}

//! A metric family: what its name promises.

use serde::{Deserialize, Serialize};

use super::{LabelName, MetricName};

/// What kind of number a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Only rises while its series lives.
    Counter,
    /// Goes where it likes.
    Gauge,
    /// Counts observations in buckets: with fixed upper edges, native ones, or both.
    Histogram,
    /// Ranks that a sender worked out, with their sum and count.
    Summary,
    /// A number whose sender did not say what it is.
    Unknown,
    /// Always 1: the labels are what it says. A gauge in every format but OpenMetrics.
    Info,
}

/// One metric family. Two families that are equal may share their series over a reload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Family {
    /// The name as written in the config, `_total` of counters included.
    pub name: MetricName,
    /// One line for people, without a line feed.
    pub help: String,
    /// OpenMetrics unit, a suffix of the name (before `_total`); empty: none.
    pub unit: String,
    /// What kind of number.
    pub kind: Kind,
    /// Every label a series may have, in the order they are shown. A series lacks those whose value is empty.
    pub labels: Vec<LabelName>,
    /// Upper edges of a histogram, rising, without `+Inf`. Empty for other kinds.
    pub bounds: Vec<f64>,
}

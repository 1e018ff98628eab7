//! Metrics and their data points as a request holds them. What repeats in a point stays as it came until somebody looks.
//!
//! Nothing here is judged: counts that don't add up, bounds out of order and infinite sums are told as they were sent.

use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::Value;

/// One metric (metrics.proto, `Metric`), told before its points. One without any data is not told.
#[derive(Clone, Copy, Debug)]
pub struct Metric<'a> {
    /// UTF-8 by contract, unchecked.
    pub name: &'a [u8],
    /// For people; may be empty.
    pub description: &'a [u8],
    /// UCUM by contract, unchecked; may be empty.
    pub unit: &'a [u8],
    /// Its kind, and what all its points have in common.
    pub data: Data,
}

/// The five kinds of metrics (metrics.proto, `Metric.data`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Values at a moment.
    Gauge,
    /// Sums over time.
    Sum {
        /// What the sums count from.
        temporality: Temporality,
        /// Whether they never fall.
        monotonic: bool,
    },
    /// Histograms with bounds of the sender's choice.
    Histogram {
        /// What the counts count from.
        temporality: Temporality,
    },
    /// Histograms with bounds at powers of a base.
    Exponential {
        /// What the counts count from.
        temporality: Temporality,
    },
    /// Quantiles that were computed by the sender.
    Summary,
}

/// `AggregationTemporality` (metrics.proto).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Temporality {
    /// Not told, or a number nobody knows: the points mean nothing.
    #[default]
    Unspecified,
    /// Since the last point of the same stream.
    Delta,
    /// Since the start time.
    Cumulative,
}

/// One data point, without its attributes: those were told before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Point<'a> {
    /// What it counts from, or 0.
    pub start: Timestamp,
    /// When it was measured.
    pub time: Timestamp,
    /// Bits of `DataPointFlags`.
    pub flags: u32,
    /// What was measured.
    pub value: PointValue<'a>,
    /// Single measurements behind the value.
    pub exemplars: Exemplars<'a>,
}

impl Point<'_> {
    /// The flag of a point that says only that the stream has ended (`DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`).
    pub const NO_RECORDED_VALUE: u32 = 1;
}

/// What a point holds: a number for gauges and sums, else what the metric's kind says.
#[derive(Clone, Copy, Debug, Default)]
pub enum PointValue<'a> {
    /// No number was sent.
    #[default]
    None,
    /// A whole number.
    Int(i64),
    /// A double.
    Double(f64),
    /// Of a metric that is [`Data::Histogram`].
    Histogram(Histogram<'a>),
    /// Of a metric that is [`Data::Exponential`].
    Exponential(Exponential<'a>),
    /// Of a metric that is [`Data::Summary`].
    Summary(Summary<'a>),
}

/// `HistogramDataPoint` (metrics.proto).
#[derive(Clone, Copy, Debug, Default)]
pub struct Histogram<'a> {
    /// Measurements.
    pub count: u64,
    /// Their sum; none when they may be negative.
    pub sum: Option<f64>,
    /// Measurements in each bucket, not cumulative: one more than there are bounds, or none at all.
    pub counts: Packed<'a, u64>,
    /// Upper bounds of all buckets but the last, each inclusive.
    pub bounds: Packed<'a, f64>,
}

/// `ExponentialHistogramDataPoint` (metrics.proto).
#[derive(Clone, Copy, Debug, Default)]
pub struct Exponential<'a> {
    /// Measurements.
    pub count: u64,
    /// Their sum; none when they may be negative.
    pub sum: Option<f64>,
    /// The base is 2 to the power of 2 to the power of minus this.
    pub scale: i32,
    /// Measurements not farther from 0 than `zero_threshold`.
    pub zero_count: u64,
    /// Half the width of the zero bucket.
    pub zero_threshold: f64,
    /// Buckets above 0.
    pub positive: Buckets<'a>,
    /// Buckets below 0, from it downwards.
    pub negative: Buckets<'a>,
}

/// `ExponentialHistogramDataPoint.Buckets` (metrics.proto): the bucket at index i ends, inclusive, at base to the power of i + 1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buckets<'a> {
    /// Index of the first bucket.
    pub offset: i32,
    /// Measurements in each bucket, not cumulative.
    pub counts: Packed<'a, u64>,
}

/// `SummaryDataPoint` (metrics.proto).
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary<'a> {
    /// Measurements.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The quantiles the sender chose.
    pub quantiles: Packed<'a, Quantile>,
}

/// `SummaryDataPoint.ValueAtQuantile` (metrics.proto).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantile {
    /// From 0 to 1.
    pub quantile: f64,
    /// What this part of the measurements did not exceed.
    pub value: f64,
}

/// One measurement behind a point (metrics.proto, `Exemplar`), without the attributes that were filtered off.
#[derive(Clone, Copy, Debug, Default)]
pub struct PointExemplar<'a> {
    /// 16 bytes, or whatever was sent.
    pub trace_id: &'a [u8],
    /// 8 bytes, or whatever was sent.
    pub span_id: &'a [u8],
    /// When it was measured.
    pub time: Timestamp,
    /// Int, Double, or Empty when no number was sent.
    pub value: Value<'a>,
}

/// A repeated field of a point, left as it came: `view` knows no encoding, so whoever made it brings the reader.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a, T> {
    /// The undecoded bytes; their framing was checked.
    pub bytes: &'a [u8],
    /// Reads the next one.
    pub read: fn(&mut Unread<'_>) -> Option<T>,
}

/// What a reader of [`Packed`] has not read yet. It begins with the bytes in `outer` and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread<'a> {
    /// Of the point.
    pub outer: &'a [u8],
    /// Of a message in it.
    pub inner: &'a [u8],
    /// Of a run of numbers in that.
    pub run: &'a [u8],
}

impl<T> Default for Packed<'_, T> {
    fn default() -> Self {
        Self { bytes: b"", read: |_| None }
    }
}

impl<'a, T> Packed<'a, T> {
    /// All of them in order, read one by one.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (mut unread, read) = (Unread { outer: self.bytes, ..Unread::default() }, self.read);
        std::iter::from_fn(move || read(&mut unread))
    }
}

/// The exemplars of a point, left as they came: see [`Packed`].
#[derive(Clone, Copy, Debug)]
pub struct Exemplars<'a> {
    /// The undecoded bytes; their framing was checked.
    pub bytes: &'a [u8],
    /// Reads the next one and leaves the bytes after it.
    pub read: for<'b> fn(&mut &'b [u8]) -> Option<PointExemplar<'b>>,
}

impl Default for Exemplars<'_> {
    fn default() -> Self {
        Self { bytes: b"", read: |_| None }
    }
}

impl<'a> Exemplars<'a> {
    /// All of them in order, read one by one.
    pub fn iter(&self) -> impl Iterator<Item = PointExemplar<'a>> + use<'a> {
        let (mut bytes, read) = (self.bytes, self.read);
        std::iter::from_fn(move || read(&mut bytes))
    }
}

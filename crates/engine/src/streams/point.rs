//! A data point as streams take it, and what becomes of it.

use std::time::Duration;

use crate::model::amount::{Amount, AmountError, Exponential, Histogram, Holds, Shape, Summary};
use crate::timestamp::Timestamp;
use crate::view::Temporality;

/// What a point says.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A gauge.
    Gauge(f64),
    /// A sum and whether it only rises.
    Sum {
        /// The sum, or its change.
        value: f64,
        /// False: an up-down sum, shown as a gauge.
        monotonic: bool,
    },
    /// Observations in buckets with bounds.
    Histogram(Histogram),
    /// Observations in buckets of growing width.
    Exponential(Exponential),
    /// Quantiles; always totals.
    Summary(Summary),
}

impl Measured {
    /// What a series of it holds.
    pub fn holds(&self) -> Holds {
        match self {
            Self::Gauge(_) => Holds::Newest,
            Self::Sum { monotonic: false, .. } => Holds::Sum,
            Self::Sum { .. } => Holds::Total(Shape::Number),
            Self::Histogram(_) => Holds::Total(Shape::Histogram),
            Self::Exponential(_) => Holds::Total(Shape::Exponential),
            Self::Summary(_) => Holds::Total(Shape::Summary),
        }
    }

    /// Bounds of a histogram.
    pub fn bounds(&self) -> Option<&[f64]> {
        match self {
            Self::Histogram(histogram) => Some(histogram.bounds()),
            _ => None,
        }
    }

    /// As an amount; none: it is a level.
    pub(super) fn amount(self) -> Option<Amount> {
        match self {
            Self::Gauge(_) | Self::Sum { monotonic: false, .. } => None,
            Self::Sum { value, .. } => Some(Amount::Number(value)),
            Self::Histogram(histogram) => Some(Amount::Histogram(histogram)),
            Self::Exponential(histogram) => Some(Amount::Exponential(histogram)),
            Self::Summary(summary) => Some(Amount::Summary(summary)),
        }
    }
}

/// One data point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointIn {
    /// Since when it counts; 0: unknown.
    pub start: Timestamp,
    /// Until when; 0: unknown.
    pub time: Timestamp,
    /// When its process began, as far as other points of the request tell; 0: unknown. Tells writers of a gauge apart.
    pub life: Timestamp,
    /// Ignored for gauges and summaries.
    pub temporality: Temporality,
    /// False: the flag `NO_RECORDED_VALUE` is set, and the value means nothing.
    pub recorded: bool,
    /// What it says.
    pub measured: Measured,
}

impl PointIn {
    /// Whether it can be taken at all.
    pub(super) fn check(&self) -> Result<(), Reject> {
        match &self.measured {
            Measured::Gauge(_) | Measured::Summary(_) => Ok(()),
            _ if self.temporality == Temporality::Unspecified => Err(Reject::Temporality),
            _ if !self.recorded => Ok(()),
            Measured::Sum { monotonic: true, value } if !(value.is_finite() && *value >= 0.0) => {
                Err(Reject::Invalid)
            }
            Measured::Sum { monotonic: false, value }
                if self.temporality == Temporality::Delta && !value.is_finite() =>
            {
                Err(Reject::Invalid)
            }
            _ => Ok(()),
        }
    }

    /// Its times, with its place in the order of its stream.
    pub(super) fn when(&self, now: Timestamp) -> When {
        let order = if self.time.is_known() { self.time.min(now) } else { now };
        When { start: self.start, time: self.time, order }
    }
}

/// When a point counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    /// As sent; 0: unknown.
    pub(super) start: Timestamp,
    /// As sent; 0: unknown.
    pub(super) time: Timestamp,
    /// The smaller of its time and its arrival.
    pub(super) order: Timestamp,
}

/// What a fold has to know beyond the point.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// When the point arrived.
    pub now: Timestamp,
    /// When this process began to count.
    pub began: Timestamp,
    /// Whether a scraper has already seen series of this target.
    pub scraped: bool,
    /// After how long without a word its writer, or one of its starts, is silent.
    pub silence: Duration,
}

/// What to do with the exported series.
#[derive(Clone, Debug, PartialEq)]
pub enum Folded {
    /// It rises by this; it may be nothing, and the series exists then all the same.
    Add(Amount),
    /// The same, of a stream of which more was counted than is remembered: it joins with an empty amount.
    Join(Amount),
    /// The stream's bounds changed: the series takes this histogram's bounds, and begins anew with what it holds.
    Reshape(Histogram),
    /// The stream's part of a gauge or an up-down sum is this.
    Level {
        /// The part.
        value: f64,
        /// The smaller of the point's time and its arrival.
        time: Timestamp,
        /// Whether several processes write this gauge under one identity.
        conflict: bool,
    },
    /// What the stream shows ends.
    End,
    /// Taken, and nothing changes.
    Nothing,
    /// Not taken.
    Rejected(Reject),
}

/// Why a point is not taken; the words of `oscar_metrics_rejected_items_total{reason}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// Counted before.
    #[error("duplicate")]
    Duplicate,
    /// Lower than what its stream has said of a later time.
    #[error("late")]
    Late,
    /// A sum or histogram that says neither delta nor cumulative.
    #[error("temporality")]
    Temporality,
    /// An exponential histogram coarser than scale -4.
    #[error("scale")]
    Scale,
    /// It contradicts itself.
    #[error("invalid")]
    Invalid,
    /// One stream more than there may be of all senders.
    #[error("stream_limit")]
    StreamLimit,
    /// One living start of a stream more than there may be.
    #[error("stream_limit")]
    StartLimit,
}

impl From<AmountError> for Reject {
    fn from(error: AmountError) -> Self {
        match error {
            AmountError::Scale => Self::Scale,
            AmountError::Contradiction => Self::Invalid,
        }
    }
}

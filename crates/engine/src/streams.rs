//! Sender streams folded into exported series: what each data point adds to the series it belongs to.
//!
//! Many streams may feed one series, so a series holds a sum of increments and never a sender's own total. A cumulative
//! stream gives the difference to what it said before, a delta stream what lies in an interval not counted yet. Sources:
//! OpenTelemetry specification, "Metrics Data Model" (resets and gaps) and "Prometheus and OpenMetrics Compatibility".
//! This room knows no names, no labels and no store; the caller says which stream a point belongs to.

mod cumulative;
mod delta;

use serde::{Deserialize, Serialize};
use std::time::Duration;

use hashbrown::HashMap;

use crate::model::amount::{Amount, AmountError, Exponential, Histogram, Shape, Summary};
use crate::timestamp::Timestamp;
use crate::view::Temporality;

use crate::dedupe::Fingerprint;

use cumulative::Cumulative;
use delta::Delta;

/// What a point says.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A level.
    Gauge(f64),
    /// A sum and whether it only rises.
    Sum {
        /// The sum, or its change.
        value: f64,
        /// False: it is shown as a gauge.
        monotonic: bool,
    },
    /// Observations in buckets with edges.
    Histogram(Histogram),
    /// Observations in buckets of growing width.
    Exponential(Exponential),
    /// Quantiles; always totals.
    Summary(Summary),
}

impl Measured {
    /// What it is an amount of; none: a level.
    pub fn shape(&self) -> Option<Shape> {
        match self {
            Self::Gauge(_) | Self::Sum { monotonic: false, .. } => None,
            Self::Sum { .. } => Some(Shape::Number),
            Self::Histogram(_) => Some(Shape::Histogram),
            Self::Exponential(_) => Some(Shape::Exponential),
            Self::Summary(_) => Some(Shape::Summary),
        }
    }
}

/// One data point.
#[derive(Clone, Debug, PartialEq)]
pub struct PointIn {
    /// Since when it counts; 0: not told.
    pub start: Timestamp,
    /// Until when; 0: not told.
    pub time: Timestamp,
    /// Ignored for gauges and summaries.
    pub temporality: Temporality,
    /// False: the flag `NO_RECORDED_VALUE` is set, and the value means nothing.
    pub recorded: bool,
    /// What it says.
    pub measured: Measured,
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
}

/// What to do with the exported series.
#[derive(Clone, Debug, PartialEq)]
pub enum Folded {
    /// It rises by this; it may be nothing, and the series exists then all the same.
    Add(Amount),
    /// The stream's bounds changed: the series takes this histogram's bounds, and begins anew with what it holds.
    Reshape(Histogram),
    /// It becomes this, unless a later point said otherwise.
    Set {
        /// The level.
        value: f64,
        /// The point's time, or else its arrival.
        time: Timestamp,
    },
    /// The gauge is gone.
    Remove,
    /// Taken, and nothing changes: the stream of a counter or histogram paused.
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
    /// Older than what its stream has said, and no longer told apart from what was counted.
    #[error("late")]
    Late,
    /// A sum or histogram that says neither delta nor cumulative.
    #[error("temporality")]
    Temporality,
    /// A change of something that may fall: without its start there is no level to show.
    #[error("delta_nonmonotonic")]
    DeltaNonmonotonic,
    /// An exponential histogram coarser than scale -4.
    #[error("scale")]
    Scale,
    /// It contradicts itself, or overlaps partly with what was counted.
    #[error("invalid")]
    Invalid,
    /// One stream more than there may be.
    #[error("stream_limit")]
    StreamLimit,
}

impl From<AmountError> for Reject {
    fn from(error: AmountError) -> Self {
        match error {
            AmountError::Scale => Self::Scale,
            AmountError::Contradiction => Self::Invalid,
        }
    }
}

/// When a point counts; times as sent, 0: not told.
#[derive(Clone, Copy, Debug)]
struct Interval {
    start: Timestamp,
    time: Timestamp,
}

impl Timestamp {
    /// OTLP's 0 means that nobody said.
    fn told(self) -> bool {
        self != Self::default()
    }
}

/// One sender stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stream {
    /// Its points are totals.
    Cumulative(Cumulative),
    /// Its points are changes.
    Delta(Delta),
}

impl Stream {
    /// A stream not seen before and its first point. Gauges have no streams.
    fn begin(
        when: Interval,
        temporality: Temporality,
        first: Amount,
        context: Context,
    ) -> (Self, Folded) {
        if temporality == Temporality::Delta {
            let mut stream = Delta::default();
            let folded = stream.fold(when, first);
            (Self::Delta(stream), folded)
        } else {
            let (stream, folded) = Cumulative::begin(when, first, context);
            (Self::Cumulative(stream), folded)
        }
    }

    /// Its next point.
    fn fold(&mut self, when: Interval, amount: Amount, context: Context) -> Folded {
        match self {
            Self::Cumulative(stream) => stream.fold(when, amount, context),
            Self::Delta(stream) => stream.fold(when, amount),
        }
    }
}

/// A stream's shape is part of what it is (Metrics Data Model): a sender that changes it begins another stream.
type Key = (Fingerprint, Temporality, Shape);

/// Streams as they are kept over a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeptStreams(Vec<(Key, (Timestamp, Stream))>);

/// The streams known, by what the caller says identifies them: resource, scope, metric name and attributes.
#[derive(Debug)]
pub struct Streams {
    limit: usize,
    idle: Duration,
    swept: Timestamp,
    streams: HashMap<Key, (Timestamp, Stream), foldhash::fast::RandomState>,
}

impl Streams {
    /// Up to `limit` streams, each forgotten when nothing came for `idle`.
    pub fn new(limit: usize, idle: Duration) -> Self {
        Self { limit, idle, swept: Timestamp::default(), streams: HashMap::default() }
    }

    /// Takes a point of the stream `identity`. A rejected one changes nothing but when the stream was last heard of.
    pub fn fold(&mut self, identity: Fingerprint, point: PointIn, context: Context) -> Folded {
        let when = Interval { start: point.start, time: point.time };
        match increment(point, context) {
            Ok(Increment { temporality, amount }) => {
                if when.time.told() && when.time < when.start {
                    return Folded::Rejected(Reject::Invalid);
                }
                let key = (identity, temporality, amount.shape());
                self.counted(key, when, amount, context)
            }
            Err(folded) => folded,
        }
    }

    fn counted(&mut self, key: Key, when: Interval, amount: Amount, context: Context) -> Folded {
        if let Some((arrived, stream)) = self.streams.get_mut(&key) {
            *arrived = context.now;
            return stream.fold(when, amount, context);
        }
        // A full house looks for empty rooms now and then, not at every knock.
        if self.streams.len() >= self.limit && context.now.since(self.swept) >= self.idle / 16 {
            self.expire(context.now);
        }
        if self.streams.len() >= self.limit {
            return Folded::Rejected(Reject::StreamLimit);
        }
        let (stream, folded) = Stream::begin(when, key.1, amount, context);
        self.streams.insert(key, (context.now, stream));
        folded
    }

    /// Forgets the streams that were idle too long; a caller's timer may call it.
    pub fn expire(&mut self, now: Timestamp) {
        self.swept = now;
        self.streams.retain(|_, (arrived, _)| now.since(*arrived) < self.idle);
    }

    /// Whether anything is known of a stream, in whatever shape.
    pub fn knows(&self, identity: Fingerprint) -> bool {
        let kinds = [Temporality::Cumulative, Temporality::Delta];
        kinds.into_iter().any(|kind| {
            Shape::ALL.into_iter().any(|shape| self.streams.contains_key(&(identity, kind, shape)))
        })
    }

    /// All that is known, to be kept.
    pub fn keep(&self) -> KeptStreams {
        KeptStreams(self.streams.iter().map(|(key, stream)| (*key, stream.clone())).collect())
    }

    /// Takes up what was kept, as far as there is room.
    pub fn restore(&mut self, kept: KeptStreams) {
        let room = self.limit.saturating_sub(self.streams.len());
        self.streams.extend(kept.0.into_iter().take(room));
    }

    /// How many streams are known.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }
}

/// A part of a counter or histogram.
struct Increment {
    temporality: Temporality,
    amount: Amount,
}

/// What belongs to a stream, or what to do with a point that doesn't.
fn increment(mut point: PointIn, context: Context) -> Result<Increment, Folded> {
    let level = |value| match (point.recorded, point.time.told()) {
        (false, _) => Folded::Remove,
        (true, true) => Folded::Set { value, time: point.time },
        (true, false) => Folded::Set { value, time: context.now },
    };
    let amount = match (point.measured, point.temporality) {
        (Measured::Gauge(value), _) => return Err(level(value)),
        (Measured::Summary(summary), _) => {
            point.temporality = Temporality::Cumulative;
            Amount::Summary(summary)
        }
        (_, Temporality::Unspecified) => return Err(Folded::Rejected(Reject::Temporality)),
        (Measured::Sum { monotonic: false, value }, temporality) => {
            let rejected = Folded::Rejected(Reject::DeltaNonmonotonic);
            return Err(if temporality == Temporality::Delta { rejected } else { level(value) });
        }
        (Measured::Sum { value, .. }, _) => Amount::Number(value),
        (Measured::Histogram(histogram), _) => Amount::Histogram(histogram),
        (Measured::Exponential(histogram), _) => Amount::Exponential(histogram),
    };
    match amount {
        // What was counted stays counted, and the stream goes on from there if it comes back.
        _ if !point.recorded => Err(Folded::Nothing),
        Amount::Number(value) if !(value.is_finite() && value >= 0.0) => {
            Err(Folded::Rejected(Reject::Invalid))
        }
        amount => Ok(Increment { temporality: point.temporality, amount }),
    }
}

#[cfg(test)]
mod tests;

//! What a data point says, read out of its lazy view.

use crate::limits;
use crate::model::amount::{
    Amount, AmountError, Exponential, ExponentialIn, Histogram, Summary, without_infinity,
};
use crate::model::{Addition, Exemplar, Kind};
use crate::streams::{Measured, PointIn, Reject};
use crate::timestamp::Timestamp;
use crate::view::{self, Data, Metric, Point, PointValue, Temporality, Value};

/// What kind of family a metric's points make.
pub(crate) fn kind(data: Data) -> Kind {
    match data {
        Data::Gauge | Data::Sum { monotonic: false, .. } => Kind::Gauge,
        Data::Sum { monotonic: true, .. } => Kind::Counter,
        Data::Histogram { .. } | Data::Exponential { .. } => Kind::Histogram,
        Data::Summary => Kind::Summary,
    }
}

/// Memory of points that were counted, for the next ones.
#[derive(Default)]
pub(crate) struct Spares {
    counts: Vec<u64>,
    bounds: Vec<f64>,
    /// Each for points with the same edges.
    histograms: Vec<Histogram>,
    exemplars: Vec<Exemplar>,
}

impl Spares {
    /// Leaves what was added to the next points.
    pub(crate) fn keep(&mut self, used: Addition) {
        self.exemplars = used.exemplars;
        if let Amount::Histogram(histogram) = used.amount {
            if self.histograms.len() >= limits::SPARE_HISTOGRAMS {
                self.histograms.swap_remove(0);
            }
            self.histograms.push(histogram);
        }
    }

    fn histogram(&mut self, sent: &view::Histogram<'_>) -> Result<Histogram, AmountError> {
        let Self { counts, bounds, histograms, .. } = self;
        counts.clear();
        // One more than there may be, with a bound of infinity, is enough to be rejected for.
        counts.extend(sent.counts.iter().take(limits::BUCKETS + 3));
        bounds.clear();
        bounds.extend(sent.bounds.iter().take(limits::BUCKETS + 2));
        without_infinity(counts, bounds);
        match histograms.iter().position(|one| *one.bounds() == **bounds) {
            Some(at) => histograms.swap_remove(at).renewed(sent.count, sent.sum, counts),
            None => Histogram::new(sent.count, sent.sum, counts, bounds),
        }
    }

    /// The single measurements behind a point that have a trace.
    pub(crate) fn exemplars(&mut self, point: &Point<'_>) -> Vec<Exemplar> {
        let mut exemplars = std::mem::take(&mut self.exemplars);
        exemplars.clear();
        exemplars.extend(point.exemplars.iter().take(limits::SENT_EXEMPLARS).filter_map(exemplar));
        exemplars
    }
}

/// A point as streams take it.
pub(crate) fn point(
    metric: &Metric<'_>,
    point: &Point<'_>,
    life: Timestamp,
    spares: &mut Spares,
) -> Result<PointIn, Reject> {
    let temporality = match metric.data {
        Data::Gauge | Data::Summary => Temporality::Unspecified,
        Data::Sum { temporality, .. }
        | Data::Histogram { temporality }
        | Data::Exponential { temporality } => temporality,
    };
    let recorded = point.flags & Point::NO_RECORDED_VALUE == 0;
    let measured = match recorded {
        true => measured(metric.data, point, spares)?,
        false => nothing(metric.data)?,
    };
    let (start, time) = (point.start, point.time);
    Ok(PointIn { start, time, life, temporality, recorded, measured })
}

/// What a point without a recorded value holds: its numbers are ignored, whatever they are.
fn nothing(data: Data) -> Result<Measured, Reject> {
    Ok(match data {
        Data::Gauge => Measured::Gauge(0.0),
        Data::Sum { monotonic, .. } => Measured::Sum { value: 0.0, monotonic },
        Data::Histogram { .. } => Measured::Histogram(Histogram::new(0, None, &[], &[])?),
        Data::Exponential { .. } => Measured::Exponential(Exponential::empty()),
        Data::Summary => Measured::Summary(Summary::default()),
    })
}

fn measured(data: Data, point: &Point<'_>, spares: &mut Spares) -> Result<Measured, Reject> {
    let number = || match point.value {
        PointValue::Int(value) => Ok(value as f64),
        PointValue::Double(value) => Ok(value),
        _ => Err(Reject::Invalid),
    };
    Ok(match (data, point.value) {
        (Data::Gauge, _) => Measured::Gauge(number()?),
        (Data::Sum { monotonic, .. }, _) => Measured::Sum { value: number()?, monotonic },
        (_, PointValue::Histogram(sent)) => Measured::Histogram(spares.histogram(&sent)?),
        (_, PointValue::Exponential(sent)) => {
            let above = few(sent.positive.counts.iter())?;
            let below = few(sent.negative.counts.iter())?;
            let sent = ExponentialIn {
                scale: sent.scale,
                count: sent.count,
                sum: sent.sum,
                zero_count: sent.zero_count,
                zero_threshold: sent.zero_threshold,
                positive: (sent.positive.offset, &above),
                negative: (sent.negative.offset, &below),
            };
            Measured::Exponential(Exponential::new(&sent)?)
        }
        (_, PointValue::Summary(sent)) => {
            let quantiles = few(sent.quantiles.iter().map(|one| (one.quantile, one.value)))?;
            Measured::Summary(Summary::new(sent.count, sent.sum, quantiles.into())?)
        }
        _ => return Err(Reject::Invalid),
    })
}

/// What a point has a list of, unless there are more than [`limits::SENT_BUCKETS`].
fn few<T>(all: impl Iterator<Item = T>) -> Result<Vec<T>, Reject> {
    let few: Vec<T> = all.take(limits::SENT_BUCKETS + 1).collect();
    if few.len() > limits::SENT_BUCKETS { Err(Reject::Invalid) } else { Ok(few) }
}

fn exemplar(one: view::PointExemplar<'_>) -> Option<Exemplar> {
    let trace_id: [u8; 16] = one.trace_id.try_into().ok()?;
    let value = match one.value {
        Value::Int(value) => value as f64,
        Value::Double(value) => value,
        _ => return None,
    };
    let span_id = one.span_id.try_into().unwrap_or_default();
    let whole = trace_id != [0; 16] && !value.is_nan();
    whole.then_some(Exemplar { trace_id, span_id, value, time: one.time })
}

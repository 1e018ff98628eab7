//! What a data point says, read out of its lazy view.

use crate::derive::streams::{Measured, PointIn, Reject};
use crate::model::amount::{Exponential, ExponentialIn, Histogram, Summary};
use crate::model::{Exemplar, Kind};
use crate::view::{Data, Metric, Point, PointValue, Temporality, Value};

/// What kind of family a metric's points make.
pub(super) fn kind(data: Data) -> Kind {
    match data {
        Data::Gauge | Data::Sum { monotonic: false, .. } => Kind::Gauge,
        Data::Sum { monotonic: true, .. } => Kind::Counter,
        Data::Histogram { .. } | Data::Exponential { .. } => Kind::Histogram,
        Data::Summary => Kind::Summary,
    }
}

/// A point as streams take it.
pub(super) fn point(metric: &Metric<'_>, point: &Point<'_>) -> Result<PointIn, Reject> {
    let temporality = match metric.data {
        Data::Gauge | Data::Summary => Temporality::Unspecified,
        Data::Sum { temporality, .. }
        | Data::Histogram { temporality }
        | Data::Exponential { temporality } => temporality,
    };
    let recorded = point.flags & Point::NO_RECORDED_VALUE == 0;
    let measured = measured(metric.data, point, recorded)?;
    Ok(PointIn { start: point.start, time: point.time, temporality, recorded, measured })
}

fn measured(data: Data, point: &Point<'_>, recorded: bool) -> Result<Measured, Reject> {
    let number = || match point.value {
        PointValue::Int(value) => Ok(value as f64),
        PointValue::Double(value) => Ok(value),
        // Without a recorded value there need not be a number.
        _ if !recorded => Ok(0.0),
        _ => Err(Reject::Invalid),
    };
    Ok(match (data, point.value) {
        (Data::Gauge, _) => Measured::Gauge(number()?),
        (Data::Sum { monotonic, .. }, _) => Measured::Sum { value: number()?, monotonic },
        (_, PointValue::Histogram(sent)) => {
            let (counts, bounds): (Vec<u64>, Vec<f64>) =
                (sent.counts.iter().collect(), sent.bounds.iter().collect());
            Measured::Histogram(Histogram::new(sent.count, sent.sum, &counts, &bounds)?)
        }
        (_, PointValue::Exponential(sent)) => {
            let (above, below): (Vec<u64>, Vec<u64>) =
                (sent.positive.counts.iter().collect(), sent.negative.counts.iter().collect());
            let sent = ExponentialIn {
                scale: sent.scale,
                count: sent.count,
                // A point of nothing has nothing to add up.
                sum: sent.sum.or((sent.count == 0).then_some(0.0)),
                zero_count: sent.zero_count,
                zero_threshold: sent.zero_threshold,
                positive: (sent.positive.offset, &above),
                negative: (sent.negative.offset, &below),
            };
            Measured::Exponential(Exponential::new(&sent)?)
        }
        (_, PointValue::Summary(sent)) => {
            let quantiles = sent.quantiles.iter().map(|one| (one.quantile, one.value)).collect();
            Measured::Summary(Summary::new(sent.count, sent.sum, quantiles)?)
        }
        _ => return Err(Reject::Invalid),
    })
}

/// The single measurements behind a point that have a trace.
pub(super) fn exemplars(point: &Point<'_>) -> Vec<Exemplar> {
    let exemplar = |one: crate::view::PointExemplar<'_>| {
        let trace_id: [u8; 16] = one.trace_id.try_into().ok()?;
        let value = match one.value {
            Value::Int(value) => value as f64,
            Value::Double(value) => value,
            _ => return None,
        };
        let span_id = one.span_id.try_into().unwrap_or_default();
        let whole = trace_id != [0; 16] && !value.is_nan();
        whole.then_some(Exemplar { trace_id, span_id, value, time: one.time })
    };
    point.exemplars.iter().filter_map(exemplar).collect()
}

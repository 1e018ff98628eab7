//! What one series holds.

use crate::clock::Timestamp;
use crate::model::{Exemplar, Family, HistogramRow, Kind, Op, RowValue};

/// The record behind a change: when it was, and its ids where it has some.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The record's time.
    pub time: Timestamp,
    /// W3C trace id and span id; none: no exemplar.
    pub ids: Option<([u8; 16], [u8; 8])>,
}

#[derive(Debug)]
pub(super) enum Cell {
    Counter {
        total: f64,
        exemplar: Option<Box<Exemplar>>,
    },
    /// The newest record's value and time.
    Gauge {
        value: f64,
        time: Timestamp,
    },
    Histogram(Box<Histogram>),
}

#[derive(Debug)]
pub(super) struct Histogram {
    counts: Box<[f64]>,
    sum: f64,
    /// Empty until the first one.
    exemplars: Box<[Option<Exemplar>]>,
}

impl Cell {
    pub(super) fn new(family: &Family) -> Self {
        match family.kind {
            Kind::Counter => Self::Counter { total: 0.0, exemplar: None },
            // No rule makes the last three: a cell of theirs only has to be there.
            Kind::Gauge | Kind::Summary | Kind::Unknown | Kind::Info => {
                Self::Gauge { value: 0.0, time: Timestamp::default() }
            }
            Kind::Histogram => Self::Histogram(Box::new(Histogram {
                counts: vec![0.0; family.bounds.len() + 1].into(),
                sum: 0.0,
                exemplars: Box::default(),
            })),
        }
    }

    /// Applies an operation of the family's kind; another kind's does nothing (rules and families are made together).
    pub(super) fn apply(&mut self, op: Op, bounds: &[f64], sample: Sample) {
        let exemplar = |value| {
            let (trace_id, span_id) = sample.ids?;
            Some(Exemplar { trace_id, span_id, value, time: sample.time })
        };
        match (self, op) {
            (Self::Counter { total, exemplar: last }, Op::Add(value)) => {
                *total += value;
                if let Some(new) = exemplar(value) {
                    match last {
                        Some(last) => **last = new,
                        None => *last = Some(Box::new(new)),
                    }
                }
            }
            (Self::Gauge { value, time }, Op::Set(new)) if sample.time >= *time => {
                (*value, *time) = (new, sample.time);
            }
            (Self::Histogram(histogram), Op::Observe { value, weight }) => {
                // A bucket's upper edge belongs to it.
                let at = bounds.partition_point(|bound| *bound < value);
                histogram.observe(at, value, weight, exemplar(value));
            }
            _ => {}
        }
    }

    /// A copy. Exemplars are the most of it, and not every format has them.
    pub(super) fn row(&self, exemplars: bool) -> RowValue {
        match self {
            Self::Counter { total, exemplar } => {
                RowValue::Counter(*total, exemplar.as_deref().filter(|_| exemplars).copied())
            }
            Self::Gauge { value, .. } => RowValue::Gauge(*value),
            Self::Histogram(histogram) => RowValue::Histogram(HistogramRow {
                counts: histogram.counts.clone(),
                sum: histogram.sum,
                exemplars: match exemplars {
                    true => histogram.exemplars.clone(),
                    false => Box::default(),
                },
            }),
        }
    }
}

impl Histogram {
    fn observe(&mut self, at: usize, value: f64, weight: f64, exemplar: Option<Exemplar>) {
        if let Some(count) = self.counts.get_mut(at) {
            *count += weight;
        }
        self.sum += value * weight;
        if exemplar.is_some() {
            if self.exemplars.is_empty() {
                self.exemplars = vec![None; self.counts.len()].into();
            }
            if let Some(slot) = self.exemplars.get_mut(at) {
                *slot = exemplar;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: u64) -> Sample {
        Sample { time: Timestamp(seconds), ids: None }
    }

    #[test]
    fn a_bucket_holds_its_upper_edge() {
        let mut histogram =
            Histogram { counts: vec![0.0; 3].into(), sum: 0.0, exemplars: Box::default() };
        let bounds = [0.01, 0.05];
        let mut cell = Cell::Histogram(Box::new(Histogram { ..histogram }));
        for value in [0.01, 0.05, 0.051] {
            cell.apply(Op::Observe { value, weight: 2.0 }, &bounds, sample(1));
        }
        let RowValue::Histogram(row) = cell.row(true) else { panic!() };
        assert_eq!(&*row.counts, [2.0, 2.0, 2.0]);
        assert!((row.sum - 0.222).abs() < 1e-12);
        histogram = Histogram { counts: Box::default(), sum: 0.0, exemplars: Box::default() };
        histogram.observe(7, 1.0, 1.0, None);
        assert_eq!(histogram.sum, 1.0, "an edge out of range is no panic");
    }

    #[test]
    fn the_newest_record_wins_a_gauge() {
        let mut cell = Cell::Gauge { value: 0.0, time: Timestamp(0) };
        for (value, time, expected) in
            [(5.0, 10, 5.0), (4.0, 9, 5.0), (3.0, 10, 3.0), (2.0, 11, 2.0)]
        {
            cell.apply(Op::Set(value), &[], sample(time));
            let RowValue::Gauge(now) = cell.row(true) else { panic!() };
            assert_eq!(now, expected);
        }
    }
}

//! What one series holds.

mod histogram;
mod levels;

use crate::model::amount::{Amount, Exponential, Holds, Shape, Summary};
use crate::model::{BucketKind, Declaration, Exemplar, Kind, NativeRow, Op, RowValue, SummaryRow};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::distinct::{Crowd, Distinct, Registers};

pub(super) use histogram::Histogram;
pub(super) use levels::Levels;

/// The record behind a change: when it was, when it arrived, and its ids where it has some.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The record's time, or 0.
    pub time: Timestamp,
    /// When it arrived.
    pub arrival: Timestamp,
    /// W3C trace id and span id; none: no exemplar.
    pub ids: Option<([u8; 16], [u8; 8])>,
}

impl Sample {
    /// No record, at a time.
    pub fn at(time: Timestamp) -> Self {
        Self { time, arrival: time, ids: None }
    }
}

/// What became of an operation on a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// It was applied; a level may have been older than what is held.
    Applied,
    /// It was applied, and another stream that is still there had written the gauge.
    Conflict,
    /// The series began anew with it.
    Anew,
    /// It is of another shape, or would make a counter infinite, and nothing changed.
    Mismatch,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Cell {
    Counter {
        total: f64,
        exemplar: Option<Box<Exemplar>>,
    },
    /// The newest record's value, and the time that records are ordered by.
    Gauge {
        value: f64,
        time: Timestamp,
    },
    /// A sender's own, by its streams.
    Levels(Box<Levels>),
    Histogram(Box<Histogram>),
    Native(Box<Native>),
    Summary(Box<Summary>),
    Distinct(Box<Crowd>),
}

/// Native buckets, perhaps beside classic ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Native {
    held: Exponential,
    /// The latest, at most [`crate::limits::NATIVE_EXEMPLARS`].
    exemplars: Vec<Exemplar>,
    classic: Option<Histogram>,
}

impl Cell {
    /// As the config declares it.
    pub(super) fn new(declaration: &Declaration) -> Self {
        let (family, edges) = (&declaration.family, declaration.family.bounds.len());
        if let Some(plan) = &declaration.distinct {
            let registers = (plan.registers > 0).then(|| Registers::new(plan.registers));
            return Self::Distinct(Box::new(Crowd {
                seen: Distinct::new(plan.longest()),
                registers,
            }));
        }
        match (family.kind, declaration.buckets) {
            (Kind::Counter, _) => Self::Counter { total: 0.0, exemplar: None },
            // No rule makes the last two: a cell of theirs only has to be there.
            (Kind::Gauge | Kind::Unknown | Kind::Info, _) => {
                Self::Gauge { value: 0.0, time: Timestamp::default() }
            }
            (Kind::Histogram, BucketKind::Classic | BucketKind::Sent) => {
                Self::Histogram(Box::new(Histogram::new(edges)))
            }
            (Kind::Histogram, BucketKind::Native) => Self::native(Exponential::empty(), None),
            (Kind::Histogram, BucketKind::Both) => {
                Self::native(Exponential::empty(), Some(Histogram::new(edges)))
            }
            (Kind::Summary, _) => Self::Summary(Box::default()),
        }
    }

    /// Of a sender's own series, before its first amount.
    pub(super) fn of(amount: &Amount) -> Self {
        match amount {
            Amount::Number(_) => Self::Counter { total: 0.0, exemplar: None },
            Amount::Histogram(sent) => Self::Histogram(Box::new(Histogram::shaped(sent))),
            Amount::Exponential(_) => Self::native(Exponential::empty(), None),
            Amount::Summary(_) => Self::Summary(Box::default()),
        }
    }

    /// Of a sender's own gauge, or of an up-down sum whose parts add up.
    pub(super) fn level(adds: bool) -> Self {
        Self::Levels(Box::new(Levels::new(adds)))
    }

    fn native(held: Exponential, classic: Option<Histogram>) -> Self {
        Self::Native(Box::new(Native { held, exemplars: Vec::new(), classic }))
    }

    /// Whether it holds what another one does, in buckets or registers of the same number: then it may take its place.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Histogram(one), Self::Histogram(other)) => one.is_like(other),
            (Self::Native(one), Self::Native(other)) => match (&one.classic, &other.classic) {
                (Some(one), Some(other)) => one.is_like(other),
                (one, other) => one.is_none() && other.is_none(),
            },
            (Self::Distinct(one), Self::Distinct(other)) => {
                one.registers.as_ref().map(Registers::number)
                    == other.registers.as_ref().map(Registers::number)
            }
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        }
    }

    /// Whether it holds native buckets and no others.
    pub(super) fn is_native_alone(&self) -> bool {
        matches!(self, Self::Native(native) if native.classic.is_none())
    }

    /// Whether a sender's own series can hold what its points say.
    pub(super) fn takes(&self, holds: Holds) -> bool {
        match self {
            Self::Levels(levels) if levels.adds() => holds == Holds::Sum,
            Self::Levels(_) => holds == Holds::Newest,
            Self::Counter { .. } => holds == Holds::Total(Shape::Number),
            Self::Histogram(_) => holds == Holds::Total(Shape::Histogram),
            Self::Native(_) => holds == Holds::Total(Shape::Exponential),
            Self::Summary(_) => holds == Holds::Total(Shape::Summary),
            Self::Gauge { .. } | Self::Distinct(_) => false,
        }
    }

    /// Whether it is a histogram with exactly these bounds.
    pub(super) fn has_bounds(&self, bounds: &[f64]) -> bool {
        matches!(self, Self::Histogram(held) if held.has_bounds(bounds))
    }

    /// A stream of a level says nothing any more; whether anything is left to show.
    pub(super) fn end(&mut self, stream: u64) -> bool {
        match self {
            Self::Levels(levels) => levels.end(stream),
            _ => true,
        }
    }

    /// Applies an operation; `bounds` are the family's edges.
    pub(super) fn apply(&mut self, op: Op<'_>, bounds: &[f64], sample: Sample) -> Done {
        let exemplar = |value| {
            let (trace_id, span_id) = sample.ids?;
            Some(Exemplar { trace_id, span_id, value, time: sample.time.shown(sample.arrival) })
        };
        match (self, op) {
            (Self::Counter { total, exemplar: last }, Op::Add(value)) => {
                *total += value;
                if let Some(new) = exemplar(value) {
                    keep(last, new);
                }
            }
            (Self::Gauge { value, time }, Op::Set(new)) => {
                let own = sample.time.ordered(sample.arrival);
                if own >= *time || time.is_before_a_step(sample.arrival) {
                    (*value, *time) = (new, own);
                }
            }
            (Self::Levels(levels), Op::Part { stream, value }) => {
                if levels.set(stream, value, sample.time) {
                    return Done::Conflict;
                }
            }
            (Self::Histogram(held), Op::Observe { value, weight }) => {
                held.observe(value, weight, bounds, exemplar(value));
            }
            (Self::Native(native), Op::Observe { value, weight }) => {
                native.held.observe(value, weight);
                let new = exemplar(value);
                if let Some(classic) = &mut native.classic {
                    classic.observe(value, weight, bounds, new);
                }
                new.into_iter().for_each(|new| native.remember(new));
            }
            (Self::Distinct(crowd), Op::See { who, now }) => {
                crowd.seen.see(who, sample.time, now);
                if let Some(registers) = &mut crowd.registers {
                    registers.see(who, now);
                }
            }
            (cell, Op::Merge(addition)) => return cell.merge(addition, bounds),
            _ => return Done::Mismatch,
        }
        Done::Applied
    }

    fn merge(&mut self, addition: &crate::model::Addition, bounds: &[f64]) -> Done {
        if let (Self::Histogram(held), Amount::Exponential(_)) = (&*self, &addition.amount)
            && held.is_untouched()
            && bounds.is_empty()
        {
            *self = Self::of(&addition.amount);
        }
        match (self, &addition.amount) {
            // The sum of a histogram or summary that grows too large is lost alone.
            (Self::Counter { total, .. }, Amount::Number(value))
                if (*total + value).is_infinite() =>
            {
                return Done::Mismatch;
            }
            (Self::Counter { total, exemplar }, Amount::Number(value)) => {
                *total += value;
                let latest = addition.exemplars.iter().max_by_key(|one| one.time);
                latest.into_iter().for_each(|latest| keep(exemplar, *latest));
            }
            (Self::Histogram(held), Amount::Histogram(sent)) => {
                let begins = addition.anew && bounds.is_empty();
                if begins {
                    **held = Histogram::shaped(sent);
                }
                if !held.merge(sent, bounds, &addition.exemplars) {
                    return Done::Mismatch;
                }
                return if begins { Done::Anew } else { Done::Applied };
            }
            (Self::Native(native), Amount::Exponential(sent)) if native.classic.is_none() => {
                native.held.merge(sent);
                addition.exemplars.iter().for_each(|new| native.remember(*new));
            }
            (Self::Summary(held), Amount::Summary(sent)) => held.merge(sent),
            _ => return Done::Mismatch,
        }
        Done::Applied
    }

    /// A copy. Exemplars are the most of it, and not every format has them.
    pub(super) fn row(&self, exemplars: bool) -> RowValue {
        match self {
            Self::Counter { total, exemplar } => {
                RowValue::Counter(*total, exemplar.as_deref().filter(|_| exemplars).copied())
            }
            Self::Gauge { value, .. } => RowValue::Gauge(*value),
            Self::Levels(levels) => RowValue::Gauge(levels.value()),
            Self::Histogram(histogram) => RowValue::Histogram(histogram.row(exemplars)),
            Self::Native(native) => RowValue::Native(Box::new(native.row(exemplars))),
            // What a crowd shows depends on the time: `distinct::shown` tells it.
            Self::Distinct(crowd) => RowValue::Gauge(crowd.seen.fresh()),
            Self::Summary(summary) => RowValue::Summary(SummaryRow {
                quantiles: summary.quantiles().into(),
                sum: summary.sum(),
                count: summary.count(),
            }),
        }
    }
}

/// The latest one stays.
fn keep(last: &mut Option<Box<Exemplar>>, new: Exemplar) {
    match last {
        Some(last) => **last = new,
        None => *last = Some(Box::new(new)),
    }
}

impl Native {
    fn remember(&mut self, new: Exemplar) {
        if self.exemplars.len() >= crate::limits::NATIVE_EXEMPLARS {
            self.exemplars.remove(0);
        }
        self.exemplars.push(new);
    }

    fn row(&self, exemplars: bool) -> NativeRow {
        let side = |buckets: &crate::model::amount::Buckets| {
            let some = buckets.iter().filter(|(_, count)| *count > 0.0);
            some.filter_map(|(at, count)| Some((i32::try_from(at).ok()?, count))).collect()
        };
        let (zero_count, zero_threshold) = self.held.zero();
        NativeRow {
            schema: self.held.scale(),
            zero_threshold,
            zero_count,
            positive: side(self.held.positive()),
            negative: side(self.held.negative()),
            count: self.held.count(),
            sum: self.held.sum(),
            exemplars: if exemplars { self.exemplars.as_slice().into() } else { Box::default() },
            classic: self.classic.as_ref().map(|classic| classic.row(exemplars)),
        }
    }
}

#[cfg(test)]
mod tests;

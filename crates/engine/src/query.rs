//! Queries: what boards, alerts, reports and the page read from the metrics, independent of the language that evaluates them.
//!
//! A query has one [`Measure`] and modifiers. Names are those of the configuration and were checked against it; times are seconds,
//! sizes bytes, shares 0 to 1. PromQL is written by the crate `content`.

use std::time::Duration;

use crate::rules::definition::Test;

/// One number, or one number for each value of a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is measured.
    pub measure: Measure,
    /// Which series count: all conditions hold.
    pub conditions: Vec<Condition>,
    /// The label that splits the result.
    pub by: Option<String>,
    /// How many values of `by` are shown; none: what the panel's kind has room for.
    pub top: Option<usize>,
    /// The denominator.
    pub of: Option<Box<Query>>,
    /// What is subtracted; the difference is never below 0.
    pub minus: Option<Box<Query>>,
    /// Below this count (of `of`, else of the query itself) there is no result.
    pub min: Option<u32>,
    /// The time it covers; empty: what the place of the query implies. More than one only in alerts.
    pub over: Vec<Over>,
    /// Whether the result is divided by the seconds it covers.
    pub per_second: bool,
    /// Earlier values that the result is compared with.
    pub compare: Vec<Compare>,
    /// A constant factor.
    pub scale: Option<Scale>,
}

/// What a query measures of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// Events: the increase of a counter, or of a histogram's count.
    Count(String),
    /// Amount: the increase of a counter in its unit, or of a histogram's sum.
    Sum(String),
    /// Quantiles of a histogram, each between 0 and 1; at least one.
    Quantile(String, Vec<f64>),
    /// Observations of a histogram that do not exceed one of its bucket bounds.
    Under(String, f64),
    /// The value of a gauge.
    Level(String, Aggregate),
    /// Distinct values in a window of a distinct metric.
    Distinct(String, Window),
    /// New ids of a distinct metric: the increase of its `_new_total`.
    FirstVisits(String),
    /// PromQL with the placeholders `$window`, `$step`, `$by` and `$where`.
    PromQl(String),
}

/// How gauges of several series become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are PromQL's own words
pub enum Aggregate {
    Max,
    Min,
    Sum,
    Avg,
}

/// The window of a distinct metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// The one of this name, such as `28d`.
    Named(String),
    /// The longest that fits into the period of a report.
    Fit,
}

/// A condition on a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The label.
    pub label: String,
    /// What its value must be: [`Test::AnyOf`], or that under [`Test::Not`].
    pub test: Test,
}

/// The time that a query covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// All that a board or report shows.
    Range,
    /// One step of a chart.
    Step,
    /// This long before each moment.
    Last(Duration),
}

/// An earlier value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Of the period just before, as long.
    Previous,
    /// Of the same length, this long ago.
    Ago(Duration),
    /// What the same hour of this many weeks usually has.
    UsualWeeks(u32),
    /// The median at the same time of this many days.
    UsualDays(u32),
}

/// A constant factor as a fraction, so that `30/7` stays exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The numerator.
    pub times: f64,
    /// The denominator; never 0.
    pub divided_by: f64,
}

impl Query {
    /// A measure without modifiers.
    pub fn new(measure: Measure) -> Self {
        Self {
            measure,
            conditions: Vec::new(),
            by: None,
            top: None,
            of: None,
            minus: None,
            min: None,
            over: Vec::new(),
            per_second: false,
            compare: Vec::new(),
            scale: None,
        }
    }

    /// The metric it measures; none of PromQL.
    pub fn metric(&self) -> Option<&str> {
        match &self.measure {
            Measure::Count(name)
            | Measure::Sum(name)
            | Measure::Quantile(name, _)
            | Measure::Under(name, _)
            | Measure::Level(name, _)
            | Measure::Distinct(name, _)
            | Measure::FirstVisits(name) => Some(name),
            Measure::PromQl(_) => None,
        }
    }

    /// The length of its first fixed window, if it has one.
    pub fn last(&self) -> Option<Duration> {
        self.over.iter().find_map(|over| match over {
            Over::Last(length) => Some(*length),
            Over::Range | Over::Step => None,
        })
    }

    /// The same series without the modifiers that only place it: two queries that agree in this differ in time alone.
    pub fn core(&self) -> Self {
        Self { over: Vec::new(), compare: Vec::new(), by: None, top: None, ..self.clone() }
    }
}

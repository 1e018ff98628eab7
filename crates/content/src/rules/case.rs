//! A case of a unit test: series over time, a moment, and the alerts that fire then.
//!
//! Values are in promtool's notation ("Unit Testing for Rules" of the Prometheus documentation): `0x10` is 0 and ten times 0
//! again, `0+2x10` rises by 2 ten times, `_x5` is five times nothing.

use crate::promql::Selector;

/// Labels and the value of an alert that fires.
#[derive(Clone, Debug, PartialEq)]
pub struct Firing {
    /// Labels that the expression yields.
    pub labels: Vec<(String, String)>,
    /// Its value.
    pub value: f64,
}

/// A case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What it shows.
    pub what: String,
    /// Between two values: `15s`, `30s`, `1m`, `5m` or `15m`.
    pub interval: String,
    /// Series and their values.
    pub series: Vec<(String, String)>,
    /// When it is looked at.
    pub at: String,
    /// What fires then; nothing: it stays silent.
    pub fires: Vec<Firing>,
    /// Only alerts with this label are looked at: the same series make others fire too.
    pub only: Option<(String, String)>,
}

impl Case {
    /// A case in which nothing fires, yet.
    pub fn new(
        what: impl Into<String>,
        interval: impl Into<String>,
        at: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            interval: interval.into(),
            series: Vec::new(),
            at: at.into(),
            fires: Vec::new(),
            only: None,
        }
    }

    /// How far evaluations are apart: not much further than values, and not less than a minute.
    pub fn pace(&self) -> &'static str {
        match &*self.interval {
            "15m" => "30m",
            "5m" => "5m",
            _ => "1m",
        }
    }

    /// A series, and its values.
    pub fn series(mut self, of: &Selector, values: impl Into<String>) -> Self {
        self.series.push((of.to_string(), values.into()));
        self
    }

    /// With only these alerts looked at.
    pub fn only(mut self, label: &str, value: &str) -> Self {
        self.only = Some((label.to_owned(), value.to_owned()));
        self
    }

    /// What fires.
    pub fn fires<'l>(
        mut self,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: f64,
    ) -> Self {
        let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.fires.push(Firing { labels: labels.collect(), value });
        self
    }
}

//! Series of the config as boards ask for them: a metric or label that the config lacks gives none, and its panel vanishes.

use crate::observations;
use crate::promql::{Selector, grouped, quoted, sum};
use engine::rules::definition::{MetricKind, Native};

use super::super::{Catalogue, Entry, recorded};

/// Fewer events than this over a board's whole range make no ratio and no quantile.
pub const ENOUGH: u32 = 20;
/// Fewer events than this in one step of time make no point of a line.
pub const ENOUGH_A_STEP: u32 = 5;

/// A board's view of the catalogue: what is filtered by its variables.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'c> {
    /// The config.
    pub catalogue: &'c Catalogue<'c>,
    /// Labels that the board has a variable for, besides the common ones.
    pub filters: &'static [&'static str],
}

/// Some series of a metric.
#[derive(Clone, Debug)]
pub struct Series<'c> {
    /// The metric.
    pub entry: &'c Entry<'c>,
    scope: Scope<'c>,
    selector: Selector,
}

/// Over which time something is added up.
#[derive(Clone, Copy, Debug)]
pub enum Over {
    /// All that the board shows.
    Range,
    /// As much time, just before that.
    Before,
    /// One step: a bar, a point.
    Step,
    /// All that the board shows, asked at each step: the same for all of them.
    Whole,
}

impl Over {
    fn text(self) -> &'static str {
        match self {
            Self::Range => "[$__range]",
            Self::Before => "[$__range] offset $__range",
            Self::Step => "[$__interval]",
            Self::Whole => "[$__range] @ end()",
        }
    }
}

impl<'c> Scope<'c> {
    /// All series of a metric that the board's variables leave.
    pub fn series(self, name: &str) -> Option<Series<'c>> {
        self.catalogue.find(name).map(|entry| self.of(entry))
    }

    /// The same of an entry.
    pub fn of(self, entry: &'c Entry<'c>) -> Series<'c> {
        let mut selector = Selector::new(entry.name()).matching("job=~\"$job\"");
        for label in &entry.labels {
            if self.catalogue.is_common(label.name) || self.filters.contains(&label.name) {
                selector = selector.matching(chosen(label.name));
            }
        }
        Series { entry, scope: self, selector }
    }

    /// A recorded series, which has the common labels only.
    pub fn recorded(self, name: impl Into<String>) -> Selector {
        let all = Selector::new(name).matching("job=~\"$job\"");
        self.catalogue.common.iter().fold(all, |all, label| all.matching(chosen(label)))
    }

    /// A cheap series that has a label: where a variable looks for its values.
    pub fn lookup(self, label: &str) -> Option<String> {
        let rank = |entry: &Entry<'_>| match (entry.kind(), &*entry.shown.role) {
            ("counter", "usage") => 0,
            ("counter", _) => 1,
            ("gauge" | "distinct", _) => 2,
            _ => 3,
        };
        let with = self.catalogue.metrics.iter().filter(|entry| entry.label(label).is_some());
        let entry = with.min_by_key(|entry| rank(entry))?;
        let histogram = matches!(
            entry.metric.kind,
            MetricKind::Histogram { native: Native::No | Native::Both, .. }
        );
        Some(if histogram { observations::name(entry) } else { entry.name().to_owned() })
    }
}

fn chosen(label: &str) -> String {
    format!("{label}=~\"${label}\"")
}

impl<'c> Series<'c> {
    /// Those whose label is one of these values; none when it can never be.
    pub fn only(mut self, label: &str, values: &[&str]) -> Option<Self> {
        let values: Vec<&str> =
            values.iter().copied().filter(|value| self.entry.may_be(label, value)).collect();
        if values.is_empty() {
            return None;
        }
        self.selector = self.selector.any_of(label, &values);
        Some(self)
    }

    /// Those whose label is none of these values; all of them when it never can be.
    pub fn except(mut self, label: &str, values: &[&str]) -> Self {
        let values: Vec<&str> =
            values.iter().copied().filter(|value| self.entry.may_be(label, value)).collect();
        if !values.is_empty() {
            self.selector = self.selector.none_of(label, &values);
        }
        self
    }

    /// The same, but never narrowed by a choice to which the other is deaf: a part that has no tiers is no share of one tier.
    pub fn no_narrower_than(mut self, other: &Self) -> Self {
        for label in self.scope.filters.iter().filter(|label| !other.has(label)) {
            self.selector = self.selector.without(&chosen(label));
        }
        self
    }

    /// The metric's label of this name, if it has one.
    pub fn has(&self, label: &str) -> bool {
        self.entry.label(label).is_some()
    }

    /// Whether a label is one that all metrics have.
    pub fn is_common(&self, label: &str) -> bool {
        self.scope.catalogue.is_common(label)
    }

    /// How many events: a counter's growth, a histogram's observations.
    pub fn events(&self, by: &[&str], over: Over) -> String {
        match self.native() {
            None => sum(by, self.increase("", over)),
            Some(false) => {
                let count = observations::of(&self.selector, self.entry);
                sum(by, format!("increase({count}{})", over.text()))
            }
            Some(true) => format!("histogram_count({})", sum(by, self.increase("", over))),
        }
    }

    /// How much: a counter's growth, the sum of a histogram's observations.
    pub fn amount(&self, by: &[&str], over: Over) -> String {
        match self.native() {
            None => sum(by, self.increase("", over)),
            Some(false) => sum(by, self.increase("_sum", over)),
            Some(true) => format!("histogram_sum({})", sum(by, self.increase("", over))),
        }
    }

    /// What this share of a histogram's observations does not exceed.
    pub fn quantile(&self, share: f64, by: &[&str], over: Over) -> String {
        let native = self.native() == Some(true);
        let by: Vec<&str> = if native { by.to_vec() } else { [&["le"], by].concat() };
        let suffix = if native { "" } else { "_bucket" };
        format!("histogram_quantile({share}, {})", sum(&by, self.increase(suffix, over)))
    }

    /// The observations by size, for a heatmap.
    pub fn sizes(&self, over: Over) -> String {
        match self.native() {
            Some(true) => sum(&[], self.increase("", over)),
            _ => sum(&["le"], self.increase("_bucket", over)),
        }
    }

    /// Observations that don't exceed an edge. None when it is no edge.
    pub fn under(&self, edge: f64, by: &[&str], over: Over) -> Option<String> {
        match &self.entry.metric.kind {
            MetricKind::Histogram { native: Native::Only, .. } => {
                let all = sum(by, self.increase("", over));
                Some(format!("histogram_fraction(0, {edge}, {all}) * histogram_count({all})"))
            }
            MetricKind::Histogram { bounds, .. } if bounds.contains(&edge) => {
                let bucket = self.selector.of(format!("{}_bucket", self.entry.name()));
                let bucket = bucket.is("le", &format!("{edge:?}"));
                Some(sum(by, format!("increase({bucket}{})", over.text())))
            }
            _ => None,
        }
    }

    /// A gauge's level.
    pub fn level(&self, operator: &str, by: &[&str]) -> String {
        grouped(operator, by, &self.selector)
    }

    /// Different ones in the window before now, and as many as a window ago with `before` (a day ago, when it is today): merged over replicas where rules do
    /// that, else the largest count that one replica has.
    pub fn distinct(&self, window: &str, before: bool) -> Option<String> {
        self.distinct_by(window, before, &[])
    }

    /// The same by labels.
    pub fn distinct_by(&self, window: &str, before: bool, by: &[&str]) -> Option<String> {
        let MetricKind::Distinct { windows, registers, .. } = &self.entry.metric.kind else {
            return None;
        };
        let known = windows.iter().find(|known| &*known.name == window)?;
        let slides = known.length().is_some();
        let offset = if slides { window } else { "1d" };
        let offset = if before { format!(" offset {offset}") } else { String::new() };
        let level = recorded::by(self.scope.catalogue);
        let apart: Vec<&str> = level.iter().chain(by).copied().collect();
        let gauge = self.selector.clone().matching(format!("window={}", quoted(window)));
        let seen = grouped("max", &apart, format!("{gauge}{offset}"));
        // What ends at midnight is not recorded: PromQL has no such window.
        if *registers == 0 || !by.is_empty() || !slides {
            return Some(sum(by, seen));
        }
        let name = recorded::distinct(self.scope.catalogue, self.entry.name(), window);
        let merged = self.scope.recorded(name);
        Some(sum(by, format!("{merged}{offset} or {seen}")))
    }

    /// Whether rules merge a distinct metric over replicas.
    pub fn merges(&self) -> bool {
        matches!(self.entry.metric.kind, MetricKind::Distinct { registers, .. } if registers > 0)
    }

    /// First visits of a distinct metric.
    pub fn first_visits(&self, over: Over) -> Option<String> {
        matches!(self.entry.metric.kind, MetricKind::Distinct { .. })
            .then(|| sum(&[], self.increase("_new_total", over)))
    }

    /// Whether a histogram has native buckets only; none: it is no histogram.
    fn native(&self) -> Option<bool> {
        match self.entry.metric.kind {
            MetricKind::Histogram { native, .. } => Some(native == Native::Only),
            _ => None,
        }
    }

    fn increase(&self, suffix: &str, over: Over) -> String {
        let selector = self.selector.of(format!("{}{suffix}", self.entry.name()));
        format!("increase({selector}{})", over.text())
    }
}

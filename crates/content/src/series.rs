//! Series of a metric as boards, rules and reports ask for them, and the expressions that are made of them.

use std::fmt;

use config::catalogue::{Catalogue, Entry};
use engine::exposition::edge;
use engine::query::{Aggregate, Condition};
use engine::rules::definition::{MetricKind, Native, Test};
use engine::rules::pattern::Pattern;

use crate::observations;
use crate::promql::{Selector, alternatives, grouped, quoted, sum};
use crate::recorded;

/// A configuration, and where expressions on its metrics stand.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'c> {
    /// The configuration.
    pub catalogue: &'c Catalogue<'c>,
    /// Where expressions stand.
    pub place: Place<'c>,
}

/// Where an expression stands, which decides how series are narrowed and what sums keep.
#[derive(Clone, Copy, Debug)]
pub enum Place<'c> {
    /// On a board that can be filtered by these labels, besides the common ones.
    Board(&'c [String]),
    /// In a rule, by the common labels.
    Rules,
    /// In a report, narrowed by these matchers.
    Report(&'c [String]),
}

/// Some series of a metric.
#[derive(Clone, Debug)]
pub struct Series<'c> {
    /// The metric; none of the sidecar's own, which no configuration declares.
    pub entry: Option<&'c Entry<'c>>,
    scope: Scope<'c>,
    name: String,
    selector: Selector,
}

/// Over which time something is added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// All that the board shows.
    Range,
    /// As much time, just before that.
    Before,
    /// One step: a bar, a point.
    Step,
    /// All that the board shows, evaluated at each step: the same for all of them.
    Whole,
    /// A window such as `7d`.
    Last(String),
    /// A window such as `7d` that ended so long ago.
    Earlier(String, String),
}

impl fmt::Display for Over {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range => out.write_str("[$__range]"),
            Self::Before => out.write_str("[$__range] offset $__range"),
            Self::Step => out.write_str("[$__interval]"),
            Self::Whole => out.write_str("[$__range] @ end()"),
            Self::Last(window) => write!(out, "[{window}]"),
            Self::Earlier(window, offset) => write!(out, "[{window}] offset {offset}"),
        }
    }
}

impl<'c> Scope<'c> {
    /// The labels that a board can be filtered by, besides the common ones.
    pub fn filters(self) -> &'c [String] {
        match self.place {
            Place::Board(filters) => filters,
            Place::Rules | Place::Report(_) => &[],
        }
    }

    /// All series of a metric that the place leaves.
    pub fn series(self, name: &str) -> Series<'c> {
        match self.catalogue.find(name) {
            Some(entry) => self.of(entry),
            None => {
                let mut selector = self.narrowed(Selector::new(name));
                if self.filters().iter().any(|label| label == "instance") {
                    selector = selector.matching(chosen("instance"));
                }
                Series { entry: None, scope: self, name: name.to_owned(), selector }
            }
        }
    }

    /// The same of an entry.
    pub fn of(self, entry: &'c Entry<'c>) -> Series<'c> {
        let mut selector = self.narrowed(Selector::new(entry.name()));
        if let Place::Board(filters) = self.place {
            for label in &entry.labels {
                if self.catalogue.is_common(label.name)
                    || filters.iter().any(|one| one == label.name)
                {
                    selector = selector.matching(chosen(label.name));
                }
            }
        }
        Series { entry: Some(entry), scope: self, name: entry.name().to_owned(), selector }
    }

    /// A recorded series, which has the common labels only.
    pub fn recorded(self, name: impl Into<String>) -> Selector {
        let all = self.narrowed(Selector::new(name));
        match self.place {
            Place::Board(_) => {
                self.catalogue.common.iter().fold(all, |all, label| all.matching(chosen(label)))
            }
            Place::Rules | Place::Report(_) => all,
        }
    }

    /// With the matchers that any series of the place has.
    fn narrowed(self, all: Selector) -> Selector {
        match self.place {
            Place::Board(_) => all.matching("job=~\"$job\""),
            Place::Rules => all,
            Place::Report(matchers) => {
                matchers.iter().fold(all, |all, one| all.matching(one.clone()))
            }
        }
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

    /// The labels that sums of a metric keep, and one more.
    pub fn keep<'l>(self, entry: Option<&Entry<'_>>, by: Option<&'l str>) -> Vec<&'l str>
    where
        'c: 'l,
    {
        let (own, common) = (entry.is_none(), recorded::by(self.catalogue));
        let mut keep = match (self.place, own) {
            (Place::Board(_) | Place::Report(_), _) => Vec::new(),
            (Place::Rules, false) => common,
            // One job, wherever its instances run.
            (Place::Rules, true) if by == Some("job") => {
                common.into_iter().filter(|label| matches!(*label, "job" | "environment")).collect()
            }
            (Place::Rules, true) => vec!["job", "instance"],
        };
        keep.extend(by.filter(|by| !keep.contains(by)));
        keep
    }
}

fn chosen(label: &str) -> String {
    format!("{label}=~\"${label}\"")
}

impl<'c> Series<'c> {
    /// Those for which a condition holds.
    pub fn with(mut self, condition: &Condition) -> Self {
        let (test, negated) = match &condition.test {
            Test::Not(inner) => (&**inner, true),
            test => (test, false),
        };
        let Test::AnyOf(patterns) = test else { return self };
        let exact: Option<Vec<&str>> = patterns
            .iter()
            .map(|pattern| match pattern {
                Pattern::Exact(text) => Some(&**text),
                Pattern::Glob(_) | Pattern::Regex(_) => None,
            })
            .collect();
        let label = &condition.label;
        self.selector = match (exact, negated) {
            (Some(values), false) => self.selector.any_of(label, &values),
            (Some(values), true) => self.selector.none_of(label, &values),
            (None, _) => {
                let any = patterns.iter().map(expression).collect::<Vec<_>>().join("|");
                let operator = if negated { "!~" } else { "=~" };
                self.selector.matching(format!("{label}{operator}{}", quoted(&any)))
            }
        };
        self
    }

    /// The same, but never narrowed by a choice to which another metric is deaf: a part that has no tiers is no share of one tier.
    pub fn no_narrower_than(mut self, other: Option<&Entry<'_>>) -> Self {
        let Some(other) = other else { return self };
        for label in self.scope.filters().iter().filter(|label| other.label(label).is_none()) {
            self.selector = self.selector.without(&chosen(label));
        }
        self
    }

    /// Its selector.
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// How many events: a counter's growth, a histogram's observations.
    pub fn events(&self, by: &[&str], over: &Over) -> String {
        match (self.native(), self.entry) {
            (Some(false), Some(entry)) => {
                let count = observations::of(&self.selector, entry);
                sum(by, format!("increase({count}{over})"))
            }
            (Some(true), _) => format!("histogram_count({})", sum(by, self.increase("", over))),
            _ => sum(by, self.increase("", over)),
        }
    }

    /// How much: a counter's growth, the sum of a histogram's observations.
    pub fn amount(&self, by: &[&str], over: &Over) -> String {
        match self.native() {
            None => sum(by, self.increase("", over)),
            Some(false) => sum(by, self.increase("_sum", over)),
            Some(true) => format!("histogram_sum({})", sum(by, self.increase("", over))),
        }
    }

    /// How much in each second.
    pub fn rate(&self, by: &[&str], window: &str) -> String {
        match self.native() {
            None => sum(by, self.selector.rate(window)),
            Some(false) => sum(by, self.selector.of(format!("{}_sum", self.name)).rate(window)),
            Some(true) => format!("histogram_sum({})", sum(by, self.selector.rate(window))),
        }
    }

    /// What this share of a histogram's observations does not exceed.
    pub fn quantile(&self, share: f64, by: &[&str], over: &Over) -> String {
        let native = self.native() == Some(true);
        let by: Vec<&str> = if native { by.to_vec() } else { [&["le"], by].concat() };
        let suffix = if native { "" } else { "_bucket" };
        format!("histogram_quantile({share}, {})", sum(&by, self.increase(suffix, over)))
    }

    /// The observations by size, for a heatmap.
    pub fn sizes(&self, over: &Over) -> String {
        match self.native() {
            Some(true) => sum(&[], self.increase("", over)),
            _ => sum(&["le"], self.increase("_bucket", over)),
        }
    }

    /// Observations that don't exceed a bucket bound.
    pub fn under(&self, bound: f64, by: &[&str], over: &Over) -> String {
        if self.native() == Some(true) {
            let all = sum(by, self.increase("", over));
            return format!("histogram_fraction(0, {bound}, {all}) * histogram_count({all})");
        }
        let bucket = self.selector.of(format!("{}_bucket", self.name)).is("le", &edge(bound));
        sum(by, format!("increase({bucket}{over})"))
    }

    /// A gauge's value: now, that of an earlier period's end, or what it was over a window.
    pub fn level(&self, aggregate: Aggregate, by: &[&str], over: &Over) -> String {
        let (operator, over_time) = match aggregate {
            Aggregate::Max => ("max", "max_over_time"),
            Aggregate::Min => ("min", "min_over_time"),
            Aggregate::Sum => ("sum", "avg_over_time"),
            Aggregate::Avg => ("avg", "avg_over_time"),
        };
        let selector = &self.selector;
        let series = match over {
            Over::Range | Over::Step | Over::Whole => selector.to_string(),
            Over::Before => format!("{selector} offset $__range"),
            Over::Last(_) | Over::Earlier(..) => format!("{over_time}({selector}{over})"),
        };
        grouped(operator, by, series)
    }

    /// Different ones in the window before now, and as many as a window ago with `before` (a day ago, when it is today): merged
    /// over replicas where rules do that, else the largest count that one replica has.
    pub fn distinct(&self, window: &str, before: bool, by: &[&str]) -> Option<String> {
        let MetricKind::Distinct { windows, registers, .. } = &self.entry?.metric.kind else {
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
        let name = recorded::distinct(self.scope.catalogue, &self.name, window);
        let merged = self.scope.recorded(name);
        Some(sum(by, format!("{merged}{offset} or {seen}")))
    }

    /// Whether rules merge a distinct metric over replicas.
    pub fn merges(&self) -> bool {
        let kind = self.entry.map(|entry| &entry.metric.kind);
        matches!(kind, Some(MetricKind::Distinct { registers, .. }) if *registers > 0)
    }

    /// First visits of a distinct metric.
    pub fn first_visits(&self, by: &[&str], over: &Over) -> String {
        sum(by, self.increase("_new_total", over))
    }

    /// Whether a histogram has native buckets only; none: it is no histogram.
    fn native(&self) -> Option<bool> {
        match self.entry?.metric.kind {
            MetricKind::Histogram { native, .. } => Some(native == Native::Only),
            _ => None,
        }
    }

    fn increase(&self, suffix: &str, over: &Over) -> String {
        let selector = self.selector.of(format!("{}{suffix}", self.name));
        format!("increase({selector}{over})")
    }
}

/// A pattern as a regular expression over the whole value.
fn expression(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(text) => alternatives(&[text]),
        Pattern::Glob(pieces) => {
            pieces.iter().map(|piece| alternatives(&[piece])).collect::<Vec<_>>().join(".*")
        }
        Pattern::Regex(regex) => regex.as_written().to_owned(),
    }
}

//! Queries of a configuration as PromQL.

use engine::query::{Condition, Measure, Query, Window};
use engine::rules::definition::Test;
use engine::rules::pattern::Pattern;

use config::catalogue::Entry;

use crate::promql::{self, span};
use crate::series::{Over, Scope, Series};

/// A query where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Expression<'c> {
    /// Where it stands.
    pub scope: Scope<'c>,
    /// What is measured.
    pub query: &'c Query,
    /// The metric whose missing filters it leaves out too.
    beside: Option<&'c Entry<'c>>,
}

impl<'c> Expression<'c> {
    /// Of a query.
    pub fn new(scope: Scope<'c>, query: &'c Query) -> Self {
        Self { scope, query, beside: None }
    }

    /// The same, never narrowed by a filter that the other one's metric lacks.
    pub fn beside(self, other: Self) -> Self {
        Self { beside: other.entry(), ..self }
    }

    /// Its metric; none of the sidecar's own and of PromQL.
    pub fn entry(self) -> Option<&'c Entry<'c>> {
        self.scope.catalogue.find(self.query.metric()?)
    }

    /// Its series.
    pub fn series(self) -> Series<'c> {
        let all = self.scope.series(self.query.metric().unwrap_or_default());
        let all = all.no_narrower_than(self.beside);
        self.query.conditions.iter().fold(all, Series::with)
    }

    /// The denominator.
    pub fn whole(self) -> Option<Self> {
        self.query.of.as_deref().map(|of| Self::new(self.scope, of).beside(self))
    }

    /// Its own time, else this one.
    pub fn over(self, without: Over) -> Over {
        self.query.last().map_or(without, |length| Over::Last(span(length)))
    }

    /// How many events its value rests on: those of the denominator, else its own.
    pub fn events(self, by: &[&str], over: &Over) -> String {
        match self.whole() {
            Some(whole) => whole.measure(by, over),
            None => self.series().events(by, over),
        }
    }

    /// Its value, constant factor included.
    pub fn value(self, by: &[&str], over: &Over) -> String {
        let value = self.unscaled(by, over);
        // `and` is looser than a factor.
        let gated =
            self.query.of.is_none() && self.query.min.is_some() && self.query.scale.is_some();
        let value = if gated { format!("({value})") } else { value };
        let value = match (self.query.per_second, over) {
            (true, Over::Step) if self.entry().is_some() => {
                format!("{value} / $__interval_ms * 1000")
            }
            _ => value,
        };
        match self.query.scale {
            Some(scale) => format!("{value}{}", factor(scale.times, scale.divided_by)),
            None => value,
        }
    }

    /// Its value without the constant factor, which a change of it does not have.
    pub fn unscaled(self, by: &[&str], over: &Over) -> String {
        let own = self.measure(by, over);
        let Some(whole) = self.whole() else {
            let value = self.less(own, by, over);
            return match (&self.query.measure, self.query.min) {
                (Measure::Quantile(..), Some(min)) => {
                    format!(
                        "{value} and on ({}) ({} >= {min})",
                        by.join(", "),
                        self.events(by, over)
                    )
                }
                _ => value,
            };
        };
        let all = whole.measure(by, over);
        // All but a part of all: simpler than a difference, and it can't be below 0 either.
        if let Some(minus) = &self.query.minus
            && all == own
        {
            let part = Self::new(self.scope, minus).beside(self).measure(by, over);
            return format!("(1 - {})", self.share(&part, &all));
        }
        let own = self.less(own, by, over);
        self.share(&self.or_none(own, whole, &all), &all)
    }

    /// Its value without the denominator, constant factor included: for a report, which divides by itself.
    pub fn numerator(self, by: &[&str], over: &Over) -> String {
        let own = self.less(self.measure(by, over), by, over);
        match self.query.scale {
            Some(scale) => format!("{own}{}", factor(scale.times, scale.divided_by)),
            None => own,
        }
    }

    /// Less what is subtracted.
    fn less(self, own: String, by: &[&str], over: &Over) -> String {
        match &self.query.minus {
            Some(minus) => {
                let minus = Self::new(self.scope, minus).beside(self).measure(by, over);
                format!("clamp_min({own} - {minus}, 0)")
            }
            None => own,
        }
    }

    fn share(self, part: &str, whole: &str) -> String {
        let gauge = |query: &Query| matches!(query.measure, Measure::Level(..));
        match self.query.min {
            Some(min) => promql::share(part, whole, min),
            None if gauge(self.query) => format!("{part} / {whole}"),
            None => format!("{part} / ({whole} > 0)"),
        }
    }

    /// Its events, or 0 where only those of the other are: what never happened may have no series.
    pub fn or_none(self, own: String, other: Self, all: &str) -> String {
        match self.may_be_missing(other) {
            true => format!("({own} or 0 * {all})"),
            false => own,
        }
    }

    /// Whether it may have no series where the other has: a condition of its own on an open label waits for the first event.
    fn may_be_missing(self, other: Self) -> bool {
        let Some(entry) = self.entry().filter(|_| self.query.metric() == other.query.metric())
        else {
            return false;
        };
        let own = |condition: &&Condition| !other.query.conditions.contains(condition);
        self.query.conditions.iter().filter(own).any(|condition| {
            entry.label(&condition.label).is_some_and(|label| label.values.is_none())
        })
    }

    /// What it measures, without modifiers other than conditions.
    pub fn measure(self, by: &[&str], over: &Over) -> String {
        let series = self.series();
        match &self.query.measure {
            Measure::Count(_) | Measure::Sum(_) if self.query.per_second => match over {
                Over::Last(window) => series.rate(by, window),
                Over::Step if series.entry.is_none() => series.rate(by, "$__rate_interval"),
                _ => series.amount(by, over),
            },
            Measure::Count(_) => series.events(by, over),
            Measure::Sum(_) => series.amount(by, over),
            Measure::Quantile(_, ranks) => {
                series.quantile(ranks.first().copied().unwrap_or_default(), by, over)
            }
            Measure::Under(_, bound) => series.under(*bound, by, over),
            Measure::Level(_, aggregate) => series.level(*aggregate, by, over),
            Measure::Distinct(_, Window::Named(window)) => {
                let before = matches!(over, Over::Before | Over::Earlier(..));
                series.distinct(window, before, by).unwrap_or_default()
            }
            Measure::Distinct(_, Window::Fit) => String::new(),
            Measure::FirstVisits(_) => series.first_visits(by, over),
            Measure::PromQl(text) => self.filled(text, over),
        }
    }

    /// PromQL with its placeholders filled in.
    fn filled(self, text: &str, over: &Over) -> String {
        let by = self.scope.keep(None, self.query.by.as_deref()).join(", ");
        let window = match over {
            Over::Last(window) => window,
            _ => "$__range",
        };
        let mut place = self.scope.series("").selector().to_string();
        place.retain(|character| !matches!(character, '{' | '}'));
        let text = text.replace("$window", window).replace("$step", "$__rate_interval");
        text.replace("$by", &by).replace("$where", &place)
    }

    /// The labels it is split by in its place.
    pub fn by(self) -> Vec<&'c str> {
        self.scope.keep(self.entry(), self.query.by.as_deref())
    }

    /// A condition of it on a label, as a value that a series in a test can have.
    pub fn example(self, label: &str) -> Option<String> {
        let entry = self.entry()?;
        let condition = self.query.conditions.iter().find(|one| one.label == label)?;
        let fits = |value: &str| match &condition.test {
            Test::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.fits(value)),
            Test::Not(inner) => match &**inner {
                Test::AnyOf(patterns) => !patterns.iter().any(|pattern| pattern.fits(value)),
                _ => false,
            },
            _ => false,
        };
        if let Test::AnyOf(patterns) = &condition.test {
            let exact = patterns.iter().find_map(|pattern| match pattern {
                Pattern::Exact(text) => Some(text.to_string()),
                Pattern::Glob(pieces) => Some(pieces.concat()),
                Pattern::Regex(_) => None,
            });
            if exact.is_some() {
                return exact;
            }
        }
        let values = entry.label(label)?.values.clone().unwrap_or_else(|| vec!["some", "other"]);
        values.into_iter().find(|value| fits(value)).map(str::to_owned)
    }
}

/// A constant factor: ` / 7 * 30`.
pub fn factor(times: f64, divided_by: f64) -> String {
    let part = |operator: &str, number: f64| match number {
        1.0 => String::new(),
        number => format!(" {operator} {number}"),
    };
    format!("{}{}", part("/", divided_by), part("*", times))
}

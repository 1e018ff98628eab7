//! When an alert fires: its query and its bounds as one expression.

use std::time::Duration;

use config::content::{Alert, Limit};
use engine::query::{Compare, Measure};

use crate::expression::{Expression, factor};
use crate::promql::{span, weeks};
use crate::recorded;
use crate::series::Over;

use super::scope::{Scope, median, number};

/// A day, at the same time of which the usual value is looked up.
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
/// How many days of history an alert on what is usual needs.
const HISTORY: &str = "3d";

/// A query over a window, with the alert's labels.
struct Watched<'s, 'c> {
    scope: &'s Scope<'c>,
    expression: Expression<'c>,
    by: Vec<&'c str>,
    window: Duration,
}

/// The condition of an alert.
pub fn of(scope: &Scope<'_>, expression: Expression<'_>, alert: &Alert) -> String {
    let windows: Vec<Duration> = alert
        .query
        .over
        .iter()
        .filter_map(|over| match over {
            engine::query::Over::Last(length) => Some(*length),
            _ => None,
        })
        .collect();
    let over = |window: &Duration| {
        let by = expression.by();
        all(&Watched { scope, expression, by, window: *window }, alert)
    };
    match &*windows {
        [] => over(&Duration::ZERO),
        [one] => over(one),
        many => {
            many.iter().map(|one| format!("({})", over(one))).collect::<Vec<_>>().join("\nor\n")
        }
    }
}

/// All bounds over one window.
fn all(watched: &Watched<'_, '_>, alert: &Alert) -> String {
    let value = watched.value();
    let mut lines: Vec<String> =
        alert.limits.iter().map(|limit| watched.limit(&value, *limit)).collect();
    if let Some(least) = alert.at_least {
        let count = watched.count();
        lines.push(if least == 1.0 {
            format!("{count} > 0")
        } else {
            format!("{count} >= {}", number(least))
        });
    }
    if lines.is_empty() {
        lines.push(value.clone());
    }
    if let Some(least) = alert.usual_at_least {
        let usual = watched.usual(&alert.query.compare);
        lines.push(format!("{usual} >= {least}"));
    }
    lines.extend(watched.history(alert));
    lines.iter().skip(1).fold(lines.first().cloned().unwrap_or_default(), |text, line| {
        match (line.contains('\n'), alert.query.over.len() > 1) {
            (true, false) if line.starts_with("quantile") => {
                format!("{text}\nand\n  {}", line.replace('\n', "\n  "))
            }
            (_, true) => format!("{text} and {line}"),
            _ => format!("{text}\nand {line}"),
        }
    })
}

impl<'c> Watched<'_, 'c> {
    /// Its window; a gauge may have none.
    fn last(&self) -> Over {
        if self.window.is_zero() { Over::Step } else { Over::Last(span(self.window)) }
    }

    fn recorded(&self) -> Option<String> {
        recorded::of_query(self.scope.catalogue, self.expression.query, self.window)
    }

    /// The value now: from a recorded series where there is one.
    fn value(&self) -> String {
        let query = self.expression.query;
        let over = self.last();
        let value = match self.recorded() {
            Some(name) => name,
            None => self.raw(&over),
        };
        match query.scale {
            Some(scale) => format!("{value}{}", factor(scale.times, scale.divided_by)),
            None => value,
        }
    }

    fn raw(&self, over: &Over) -> String {
        let query = self.expression.query;
        let own = self.expression.measure(&self.by, over);
        // A comparison with a number above 0 needs no clamp.
        let own = match &query.minus {
            Some(minus) => {
                let minus = Expression::new(self.expression.scope, minus);
                let less = format!("{own}\n- {}", minus.measure(&self.by, over));
                let divided = query.of.is_some() || query.scale.is_some();
                if divided { format!("({less})") } else { less }
            }
            None => own,
        };
        match (self.expression.whole(), query.min) {
            (Some(whole), None) => format!("{own}\n/ {}", whole.measure(&self.by, over)),
            (Some(whole), Some(min)) => {
                format!("{own}\n/ ({} >= {min})", whole.measure(&self.by, over))
            }
            (None, Some(min)) if matches!(query.measure, Measure::Quantile(..)) => {
                let by = self.by.join(", ");
                format!(
                    "({own}\nand on ({by}) {} >= {min})",
                    self.expression.events(&self.by, over)
                )
            }
            (None, _) => own,
        }
    }

    /// The value so long ago.
    fn earlier(&self, offset: &str) -> String {
        match self.recorded() {
            Some(name) => format!("{name} offset {offset}"),
            // It is multiplied, and has less tight operators of its own.
            None => format!("({})", self.raw(&Over::Earlier(span(self.window), offset.to_owned()))),
        }
    }

    /// The number of events, of the numerator of a share.
    fn count(&self) -> String {
        match self.expression.query.of {
            Some(_) => self.expression.measure(&self.by, &self.last()),
            None => self.value(),
        }
    }

    fn limit(&self, value: &str, limit: Limit) -> String {
        let catalogue = self.scope.catalogue;
        let metric = self.expression.query.metric().unwrap_or_default();
        match limit {
            Limit::Above(above) => format!("{value} > {}", number(above)),
            Limit::Below(below) if below == 1.0 && self.is_count() => format!("{value} == 0"),
            Limit::Below(below) => format!("{value} < {}", number(below)),
            Limit::AboveTimes(times, compare) => {
                format!("{value} > {} * {}", number(times), self.compared(compare))
            }
            Limit::BelowTimes(times, compare) => {
                format!("{value} < {} * {}", number(times), self.compared(compare))
            }
            Limit::AboveUsual => {
                format!("{value} > {}", recorded::expected_upper(catalogue, metric))
            }
            Limit::BelowUsual => {
                format!("{value} < {}", recorded::expected_lower(catalogue, metric))
            }
            Limit::ChangedBy(share) => {
                let change = recorded::change(catalogue, metric, &span(self.window));
                let share = number(share);
                format!("{change} > {share} or {change} < -{share}")
            }
        }
    }

    fn is_count(&self) -> bool {
        let query = self.expression.query;
        query.of.is_none() && matches!(query.measure, Measure::Count(_) | Measure::Under(..))
    }

    fn compared(&self, compare: Compare) -> String {
        match compare {
            Compare::Previous => self.earlier(&weeks(self.window)),
            Compare::Ago(length) => self.earlier(&weeks(length)),
            Compare::UsualWeeks(count) => self.median(count, WEEK),
            Compare::UsualDays(count) => self.median(count, DAY),
        }
    }

    /// The number of events that is usual.
    fn usual(&self, compare: &[Compare]) -> String {
        let weeks = |compare: &Compare| match compare {
            Compare::UsualWeeks(count) => Some(*count),
            _ => None,
        };
        let query = self.expression.query;
        let name = self.scope.catalogue.content.recorded.iter().find(|one| {
            one.usual && one.query.core() == query.core() && self.window == recorded::HOUR
        });
        match (name, compare.iter().find_map(weeks)) {
            (Some(_), _) => {
                recorded::expected(self.scope.catalogue, query.metric().unwrap_or_default())
            }
            (None, Some(count)) => self.median(count, WEEK),
            (None, None) => self.median(7, DAY),
        }
    }

    /// The median of so many earlier values, each so long before the next.
    fn median(&self, count: u32, step: Duration) -> String {
        let offsets: Vec<String> = (1..=count)
            .map(|at| if step == WEEK { format!("{at}w") } else { format!("{at}d") })
            .collect();
        let offsets: Vec<&str> = offsets.iter().map(String::as_str).collect();
        median(&self.by, &offsets, |offset| match self.recorded() {
            Some(name) => format!("{name} offset {offset}"),
            None => self.raw(&Over::Earlier(span(self.window), offset.to_owned())),
        })
    }

    /// That there is enough history to compare with.
    fn history(&self, alert: &Alert) -> Option<String> {
        alert.limits.iter().find_map(|limit| match limit {
            Limit::AboveTimes(_, Compare::UsualDays(_))
            | Limit::BelowTimes(_, Compare::UsualDays(_)) => {
                Some(format!("{} > 0", self.earlier(HISTORY)))
            }
            Limit::AboveTimes(_, Compare::Previous | Compare::Ago(_))
            | Limit::BelowTimes(_, Compare::Previous | Compare::Ago(_)) => {
                let whole = self.expression.query.of.as_deref().unwrap_or(self.expression.query);
                let hour = recorded::of_query(self.scope.catalogue, whole, recorded::HOUR)?;
                let since = (2 * self.window).checked_sub(DAY)?;
                Some(format!("last_over_time({hour}[1d] offset {})", span(since)))
            }
            _ => None,
        })
    }
}

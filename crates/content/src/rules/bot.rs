//! What a bot suffers and does: too many of something in a short time, or too large a share. The first are OSCAR's own alarms.
//!
//! Every alert looks its metrics, labels and values up in the config and is left out when they are not there.

use crate::promql::Selector;

use super::alert::{Alert, Board, Kind, Severity, Shown};
use super::scope::Scope;

mod counts;
mod shares;
mod sizes;
mod texts;

/// The alerts.
pub fn alerts(scope: &Scope<'_>) -> Vec<Alert> {
    let counts = counts::ALL.iter().filter_map(|one| counts::alert(scope, one));
    let shares = shares::ALL.iter().filter_map(|one| shares::alert(scope, one));
    counts.chain(sizes::alerts(scope)).chain(shares).collect()
}

/// A condition on a label.
#[derive(Clone, Copy, Debug)]
enum On {
    /// It is one of these.
    Is(&'static str, &'static [&'static str]),
    /// It is none of these; the last one is what it is in tests.
    Not(&'static str, &'static [&'static str], &'static str),
    /// It fits a regular expression; then what it is in tests.
    Like(&'static str, &'static str, &'static str),
}

/// Series of a metric: a sum of what they grew by is asked for.
#[derive(Clone, Copy, Debug)]
struct Part {
    metric: &'static str,
    on: &'static [On],
}

impl Part {
    /// The selector of rules; none when the config lacks the metric, a label or all the values.
    fn selector(&self, scope: &Scope<'_>) -> Option<Selector> {
        let entry = scope.find(self.metric, &[])?;
        self.on.iter().try_fold(Selector::new(self.metric), |selector, on| match *on {
            On::Is(label, values) => {
                let known = values.iter().filter(|value| entry.may_be(label, value));
                let known: Vec<&str> = known.copied().collect();
                (!known.is_empty()).then(|| selector.any_of(label, &known))
            }
            On::Not(label, values, _) => {
                entry.label(label)?;
                Some(selector.none_of(label, values))
            }
            On::Like(label, expression, _) => {
                entry.label(label)?;
                Some(selector.matching(format!("{label}=~\"{expression}\"")))
            }
        })
    }

    /// A series of it in tests, and the label that is told apart.
    fn example(&self, scope: &Scope<'_>, by: Told) -> Selector {
        let labels = self.on.iter().filter_map(|on| match *on {
            On::Is(label, values) => Some((label, *values.first()?)),
            On::Not(label, _, value) | On::Like(label, _, value) => Some((label, value)),
        });
        let labels = labels.filter(|(label, _)| by.is_none_or(|(told, _)| told != *label));
        labels
            .chain(by)
            .fold(scope.series(self.metric), |series, (label, value)| series.is(label, value))
    }
}

/// A label that is told apart, and its value in tests.
type Told = Option<(&'static str, &'static str)>;

/// The label told apart, when the metric has it and it is not kept anyway.
fn told(scope: &Scope<'_>, metric: &str, by: Told) -> Told {
    by.filter(|(label, _)| {
        scope.find(metric, &[(label, "")]).is_some() && !scope.by.contains(label)
    })
}

/// What the alerts of this room have in common.
fn alert(name: &'static str, severity: Severity, expr: String) -> Alert {
    Alert {
        name,
        kind: Kind::Health,
        severity,
        expr,
        hold: "",
        keep: "10m",
        shown: Shown::Count,
        summary: String::new(),
        description: String::new(),
        board: Board::RELIABILITY,
        runbook: texts::of(name),
        cases: Vec::new(),
    }
}

//! What an objective counts, as expressions over a window, and as series for the tests.

use crate::Entry;
use crate::observations;
use crate::promql::Selector;
use config::{Indicator, Match, Objective, Selection};
use engine::exposition::edge;
use engine::rules::definition::{MetricKind, Native};

use super::case::Case;
use super::matching;
use super::scope::{Scope, number};

/// What happened in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// All that counts.
    pub all: String,
    /// What was bad; 0 when nothing was, and not nothing.
    pub bad: String,
}

/// What an objective counts in a window; none when its metric is gone.
pub fn events(scope: &Scope<'_>, objective: &Objective, window: &str) -> Option<Events> {
    let entry = |index: usize| scope.catalogue.metrics.get(index);
    match &objective.indicator {
        Indicator::Bad { metric, bad, ignore } => {
            let metric = scope.selector(entry(*metric)?.name());
            let all = counted(scope, &metric, ignore, window);
            let worse = matching::all(metric, bad);
            let bad = counted(scope, &worse, ignore, window);
            Some(Events { bad: or_none(&bad, &all), all })
        }
        Indicator::Under { metric, under, ignore } => {
            under_edge(scope, entry(*metric)?, *under, ignore, window)
        }
        Indicator::Ratio { good, total } => {
            let one = |selection: &Selection| {
                let metric = scope.selector(entry(selection.metric)?.name());
                Some(scope.sum(matching::all(metric, &selection.matches).increase(window)))
            };
            let (good, all) = (one(good)?, one(total)?);
            Some(Events { bad: less(&all, &or_none(&good, &all)), all })
        }
    }
}

fn under_edge(
    scope: &Scope<'_>,
    entry: &Entry<'_>,
    under: f64,
    ignore: &[Match],
    window: &str,
) -> Option<Events> {
    let MetricKind::Histogram { native, .. } = &entry.metric.kind else { return None };
    let name = entry.name();
    if *native == Native::Only {
        let rate = counted(scope, &scope.selector(name), ignore, window);
        let all = format!("histogram_count({rate})");
        let good = format!("histogram_fraction(0, {}, {rate}) * {all}", number(under));
        return Some(Events { bad: less(&all, &format!("({good})")), all });
    }
    let all = counted(scope, &observations::of(&scope.selector(name), entry), ignore, window);
    let bucket = scope.selector(format!("{name}_bucket")).is("le", &edge(under));
    let good = counted(scope, &bucket, ignore, window);
    Some(Events { bad: less(&all, &or_none(&good, &all)), all })
}

/// What a counter grew by, without what doesn't count.
fn counted(scope: &Scope<'_>, metric: &Selector, ignore: &[Match], window: &str) -> String {
    match ignore {
        [] => scope.sum(metric.increase(window)),
        [one] => scope.sum(matching::not(metric.clone(), one).increase(window)),
        // All conditions hold at once for what doesn't count: no matchers say the opposite of that.
        all => {
            let every = scope.sum(metric.increase(window));
            let ignored = scope.sum(matching::all(metric.clone(), all).increase(window));
            less(&every, &or_none(&ignored, &every))
        }
    }
}

/// An expression, or 0 where only the other one is: what never happened may have no series.
fn or_none(expression: &str, present: &str) -> String {
    format!("({expression} or 0 * {present})")
}

fn less(one: &str, other: &str) -> String {
    format!("clamp_min({one} - {other}, 0)")
}

/// Adds series to a case: events that are bad with these values, and good ones with those. None when no series would fit the
/// objective's conditions, or none can be written.
pub fn example(
    scope: &Scope<'_>,
    objective: &Objective,
    case: Case,
    (bad_values, good_values): (&str, &str),
) -> Option<Case> {
    const NOTHING: &str = "0x2000";
    let entry = |index: usize| scope.catalogue.metrics.get(index);
    match &objective.indicator {
        Indicator::Bad { metric, bad, ignore } => {
            let entry = entry(*metric)?;
            let worse = labelled(scope, entry, "", bad, &[ignore])?;
            let good = labelled(scope, entry, "", &[], &[ignore, bad])?;
            Some(case.series(&worse, bad_values).series(&good, good_values))
        }
        Indicator::Under { metric, under, ignore } => {
            let entry = entry(*metric)?;
            let MetricKind::Histogram { native, .. } = &entry.metric.kind else { return None };
            if *native == Native::Only {
                return None;
            }
            let count = observations::of(&labelled(scope, entry, "", &[], &[ignore])?, entry);
            let bucket = labelled(scope, entry, "_bucket", &[], &[ignore])?.is("le", &edge(*under));
            let [slow, quick] = ["a", "b"].map(|instance| {
                (count.clone().is("instance", instance), bucket.clone().is("instance", instance))
            });
            let case = case.series(&slow.0, bad_values).series(&slow.1, NOTHING);
            Some(case.series(&quick.0, good_values).series(&quick.1, good_values))
        }
        Indicator::Ratio { good, total } => {
            let part = labelled(scope, entry(good.metric)?, "", &good.matches, &[])?;
            let whole = labelled(scope, entry(total.metric)?, "", &total.matches, &[&good.matches])
                .or_else(|| labelled(scope, entry(total.metric)?, "", &total.matches, &[]))?;
            let case = case.series(&whole.is("instance", "a"), bad_values);
            let both = part.to_string()
                != labelled(scope, entry(total.metric)?, "", &total.matches, &[])?.to_string();
            let case = case.series(&part.is("instance", "b"), good_values);
            if good.metric == total.metric || !both {
                return Some(case);
            }
            let whole = labelled(scope, entry(total.metric)?, "", &total.matches, &[])?;
            Some(case.series(&whole.is("instance", "b"), good_values))
        }
    }
}

/// Whether another objective reads a metric of this one: series that make one fire may then make the other fire too.
pub fn is_shared(scope: &Scope<'_>, objective: &Objective) -> bool {
    let metrics = |one: &Objective| match &one.indicator {
        Indicator::Bad { metric, .. } | Indicator::Under { metric, .. } => [*metric; 2],
        Indicator::Ratio { good, total } => [good.metric, total.metric],
    };
    let own = metrics(objective);
    let others = scope.catalogue.objectives.iter().filter(|other| other.name != objective.name);
    others.flat_map(metrics).any(|metric| own.contains(&metric))
}

/// A series of a metric for which all of `wanted` holds and nothing of `unwanted`.
fn labelled(
    scope: &Scope<'_>,
    entry: &Entry<'_>,
    suffix: &str,
    wanted: &[Match],
    unwanted: &[&[Match]],
) -> Option<Selector> {
    let labels = matching::example(entry, wanted, unwanted)?;
    let series = scope.series(&format!("{}{suffix}", entry.name()));
    Some(labels.iter().fold(series, |series, (name, value)| series.is(name, value)))
}

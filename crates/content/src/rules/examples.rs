//! Unit tests of alerts on counts and shares, made from the alerts themselves.

use std::time::Duration;

use config::content::{Alert, Limit};
use engine::query::{Measure, Query};
use engine::rules::definition::Test;

use crate::expression::Expression;
use crate::promql::Selector;

use super::case::Case;
use super::scope::Scope;

/// How a window is shown in tests.
struct Window {
    seconds: u64,
    /// Between two values.
    interval: &'static str,
    /// Values in a window.
    steps: f64,
    /// When it is looked at, and the value before which something happens once so that it is in the window then.
    at: &'static str,
    before: u32,
}

const WINDOWS: [Window; 6] = [
    Window { seconds: 300, interval: "15s", steps: 20.0, at: "20m", before: 70 },
    Window { seconds: 900, interval: "15s", steps: 60.0, at: "40m", before: 130 },
    Window { seconds: 1_800, interval: "30s", steps: 60.0, at: "75m", before: 120 },
    Window { seconds: 3_600, interval: "1m", steps: 60.0, at: "150m", before: 120 },
    Window { seconds: 21_600, interval: "5m", steps: 72.0, at: "750m", before: 120 },
    Window { seconds: 86_400, interval: "15m", steps: 96.0, at: "36h", before: 100 },
];

/// The tests of an alert; none where its query is neither a count nor a share of counts over a usual window.
pub fn cases(scope: &Scope<'_>, alert: &Alert) -> Vec<Case> {
    let query = &alert.query;
    let counts = |query: &Query| {
        matches!(query.measure, Measure::Count(_)) && query.minus.is_none() && query.scale.is_none()
    };
    let length = query.last().unwrap_or(Duration::ZERO).as_secs();
    let Some(window) = WINDOWS.iter().find(|window| window.seconds == length) else {
        return Vec::new();
    };
    match (query.of.as_deref(), &*alert.limits, alert.at_least) {
        (None, [], Some(least)) if counts(query) => count(scope, alert, window, least),
        (Some(of), [Limit::Above(limit)], floor) if counts(query) && counts(of) => {
            share(scope, alert, window, (*limit, floor.unwrap_or(1.0)))
        }
        _ => Vec::new(),
    }
}

/// The label that an alert is split by, and its value in tests.
fn split<'a>(expression: Expression<'a>, alert: &'a Alert) -> Option<(&'a str, String)> {
    let by = alert
        .query
        .by
        .as_deref()
        .filter(|by| !expression.scope.keep(expression.entry(), None).contains(by))?;
    let value = alert.examples.get(by).cloned().or_else(|| expression.example(by));
    Some((by, value.unwrap_or_else(|| "some".to_owned())))
}

/// A series that fits a query.
fn example(scope: &Scope<'_>, expression: Expression<'_>, alert: &Alert) -> Selector {
    let by = split(Expression::new(expression.scope, &alert.query), alert);
    let own = scope.test_labels(expression.entry().is_none());
    let series = Selector::new(expression.query.metric().unwrap_or_default());
    let series = own.iter().fold(series, |series, (label, value)| series.is(label, value));
    let conditions = expression.query.conditions.iter();
    let conditions =
        conditions.filter(|one| by.as_ref().is_none_or(|(label, _)| *label != one.label));
    let series = conditions.fold(series, |series, one| {
        let said = alert.examples.get(&one.label).filter(|value| fits(&one.test, value)).cloned();
        let value = said.or_else(|| expression.example(&one.label));
        series.is(&one.label, &value.unwrap_or_else(|| "some".to_owned()))
    });
    by.iter().fold(series, |series, (label, value)| series.is(label, value))
}

/// It goes on; fewer than the threshold; a counter that is born with many and that a restart resets.
fn count(scope: &Scope<'_>, alert: &Alert, window: &Window, threshold: f64) -> Vec<Case> {
    let Window { interval, steps, at, before, .. } = window;
    let expression = Expression::new(scope.place(), &alert.query);
    let series = example(scope, expression, alert);
    let labels = labels(scope, expression, alert);
    let step = (threshold / steps).ceil().max(1.0);
    // Prometheus 3 reads one value less of a window and makes up for it: a single step then counts a little more.
    let few = ((threshold * 0.9).ceil() - 1.0).max(0.0);
    let many = threshold * 10.0;
    let case = |what: &str, values: String| Case::new(what, *interval, *at).series(&series, values);
    vec![
        case("it goes on", format!("0+{step}x200")).fires(pairs(&labels), step * steps),
        case("fewer than the threshold, at once", format!("0x{before} {few}x200")),
        case(
            "a counter that is born with many, and that a restart resets",
            format!("_x{before} {many}x5 0x200"),
        ),
    ]
}

/// It goes on; too few; many, and a small share; nothing at all, which is 0 of 0.
fn share(
    scope: &Scope<'_>,
    alert: &Alert,
    window: &Window,
    (threshold, floor): (f64, f64),
) -> Vec<Case> {
    let Window { interval, at, before, .. } = window;
    let expression = Expression::new(scope.place(), &alert.query);
    let Some(whole) = expression.whole() else { return Vec::new() };
    let part = example(scope, expression, alert);
    let inside = rest(scope, expression, whole, alert);
    let is_inside = inside.is_some();
    let rest = inside.unwrap_or_else(|| example(scope, whole, alert));
    let labels = labels(scope, expression, alert);
    let case = |what: &str, part_values: String, rest_values: &str| {
        Case::new(what, *interval, *at).series(&part, part_values).series(&rest, rest_values)
    };
    // A part within the whole is all of it, one beside it twice as much as it may be.
    let step = (2.0 * threshold).ceil().max(1.0);
    let (others, value) = if is_inside { ("0x400", 1.0) } else { ("0+1x400", step) };
    let few = ((floor * 0.9).ceil() - 1.0).max(1.0);
    let many = (2.0 / threshold).ceil().max(1.0);
    let under = (threshold / 2.0).floor().max(1.0);
    vec![
        case("it goes on", format!("0+{step}x400"), others).fires(pairs(&labels), value),
        case("too few to speak of a share", format!("0x{before} {few}x400"), "0x400"),
        case("many, and a small share", format!("0+{under}x400"), &format!("0+{many}x400")),
        case("nothing happens at all", "7x400".to_owned(), "9x400"),
    ]
}

/// A series that is in the whole and not in the part; none when the part is not in the whole.
fn rest(
    scope: &Scope<'_>,
    part: Expression<'_>,
    whole: Expression<'_>,
    alert: &Alert,
) -> Option<Selector> {
    if part.query.metric() != whole.query.metric() {
        return None;
    }
    let entry = part.entry()?;
    let whole_fits = |label: &str, value: &str| {
        let of_label = whole.query.conditions.iter().filter(|one| one.label == label);
        of_label.map(|one| &one.test).all(|test| fits(test, value))
    };
    let differs = part.query.conditions.iter().find_map(|one| {
        let inside =
            alert.examples.get(&one.label).cloned().or_else(|| part.example(&one.label))?;
        if !whole_fits(&one.label, &inside) {
            return None;
        }
        let declared = entry.label(&one.label)?.values.clone();
        let candidates =
            declared.unwrap_or_else(|| [excluded(&one.test), vec!["ok", "some"]].concat());
        let value = candidates
            .into_iter()
            .find(|value| !fits(&one.test, value) && whole_fits(&one.label, value))?;
        Some((one.label.clone(), value.to_owned()))
    });
    let (label, value) = differs?;
    let own = scope.test_labels(false);
    let series = own
        .iter()
        .fold(Selector::new(entry.name()), |series, (label, value)| series.is(label, value));
    let series = series.is(&label, &value);
    let by = split(part, alert);
    Some(by.iter().fold(series, |series, (label, value)| series.is(label, value)))
}

/// Values that a condition names as those it does not want.
fn excluded(test: &Test) -> Vec<&str> {
    use engine::rules::pattern::Pattern;
    let Test::Not(inner) = test else { return Vec::new() };
    let Test::AnyOf(patterns) = &**inner else { return Vec::new() };
    let exact = patterns.iter().filter_map(|pattern| match pattern {
        Pattern::Exact(text) => Some(&**text),
        Pattern::Glob(_) | Pattern::Regex(_) => None,
    });
    exact.collect()
}

fn fits(test: &Test, value: &str) -> bool {
    match test {
        Test::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.fits(value)),
        Test::Not(inner) => !fits(inner, value),
        _ => false,
    }
}

/// The labels with which an alert fires in tests.
fn labels(scope: &Scope<'_>, expression: Expression<'_>, alert: &Alert) -> Vec<(String, String)> {
    let known = expression.by();
    let usual = scope.test_labels(expression.entry().is_none());
    let usual = usual.into_iter().filter(|(label, _)| known.contains(&&**label));
    let by = split(expression, alert).map(|(label, value)| (label.to_owned(), value));
    usual.chain(by).collect()
}

fn pairs(labels: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|(label, value)| (&**label, &**value))
}

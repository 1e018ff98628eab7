//! Alerts that packs and configurations declare.

use std::time::Duration;

use config::content::{self, AlertGroup, AlertTest, Limit, Unit};
use engine::query::{Measure, Query};

use crate::expression::Expression;
use crate::promql::{Selector, quoted, span};

use super::alert::{Alert, Kind, Severity, Shown};
use super::case::Case;
use super::scope::{Scope, number};
use super::{condition, examples};

/// Above this a ratio is a factor and no share.
const FACTOR: f64 = 2.0;

/// The alerts of a rule file.
pub fn alerts(scope: &Scope<'_>, group: AlertGroup) -> Vec<Alert> {
    let all = scope.catalogue.content.alerts.iter();
    all.filter(|alert| alert.group == group).map(|alert| declared(scope, alert)).collect()
}

fn declared(scope: &Scope<'_>, alert: &content::Alert) -> Alert {
    let expression = Expression::new(scope.place(), &alert.query);
    let text = |text: &str| filled(scope, &alert.query, text);
    let time = |time: Option<Duration>| time.map(span).unwrap_or_default();
    let cases = match &*alert.tests {
        [] => examples::cases(scope, alert),
        tests => tests.iter().map(|test| case(scope, expression, alert, test)).collect(),
    };
    Alert {
        name: alert.name.clone(),
        kind: if alert.group == AlertGroup::Trends { Kind::Trend } else { Kind::Health },
        severity: match alert.severity {
            content::Severity::Critical => Severity::Critical,
            content::Severity::Warning => Severity::Warning,
            content::Severity::Info => Severity::Info,
        },
        expr: condition::of(scope, expression, alert),
        hold: time(alert.hold),
        keep: time(alert.keep),
        shown: shown(expression, alert),
        summary: text(&alert.summary),
        description: text(&alert.description),
        board: format!("oscar-{}", alert.see),
        runbook: text(&alert.runbook),
        cases,
    }
}

/// How its value is shown.
fn shown(expression: Expression<'_>, alert: &content::Alert) -> Shown {
    match alert.unit {
        Some(Unit::Share) => return Shown::Share,
        Some(Unit::Usd | Unit::SmallUsd) => return Shown::Usd,
        Some(Unit::Times) => return Shown::Times,
        Some(_) => return Shown::Count,
        None => {}
    }
    let usd = expression.entry().is_some_and(|entry| entry.shown.unit == "usd");
    let factor = |limit: &Limit| matches!(limit, Limit::Above(above) if *above > FACTOR);
    match (&alert.query.measure, alert.query.of.is_some()) {
        (Measure::Sum(_), _) if usd => Shown::Usd,
        _ if alert.limits.iter().any(|limit| matches!(limit, Limit::ChangedBy(_))) => Shown::Share,
        (_, true) if alert.limits.iter().any(factor) => Shown::Times,
        (_, true) => Shown::Share,
        _ => Shown::Count,
    }
}

/// A text with what is the same for every alert of a configuration.
fn filled(scope: &Scope<'_>, query: &Query, text: &str) -> String {
    let alerting = scope.catalogue.alerting;
    let setting = |value: Option<f64>| value.map(number).unwrap_or_default();
    let slots = alerting.slots.map(|slots| slots as f64);
    text.replace("{whom}", &scope.whom())
        .replace("{window}", &query.last().map(words).unwrap_or_default())
        .replace("{slots}", &setting(slots))
        .replace("{cost_per_day}", &setting(alerting.cost_per_day))
}

/// A time in words.
fn words(time: Duration) -> String {
    const MINUTE: u64 = 60;
    match time.as_secs() {
        900 => "a quarter of an hour".to_owned(),
        3_600 => "an hour".to_owned(),
        86_400 => "a day".to_owned(),
        seconds if seconds.is_multiple_of(24 * 3_600) => format!("{} days", seconds / 86_400),
        seconds if seconds.is_multiple_of(3_600) => format!("{} hours", seconds / 3_600),
        seconds => format!("{} minutes", seconds / MINUTE),
    }
}

/// A declared test.
fn case(
    scope: &Scope<'_>,
    expression: Expression<'_>,
    alert: &content::Alert,
    test: &AlertTest,
) -> Case {
    let mut case = Case::new(&test.about, &test.every, &test.at);
    for (series, values) in &test.series {
        case.series.push((completed(scope, series), values.clone()));
    }
    let Some((labels, value)) = &test.fires else { return case };
    let mut all: Vec<(String, String)> = Vec::new();
    if expression.query.metric().is_some() {
        let known = expression.by();
        let usual = scope.test_labels(expression.entry().is_none());
        all.extend(usual.into_iter().filter(|(label, _)| known.contains(&&**label)));
    }
    let by = expression
        .query
        .by
        .as_ref()
        .and_then(|by| Some((by.clone(), alert.examples.get(by)?.clone())));
    for (label, value) in by.iter().chain(labels) {
        all.retain(|(known, _)| known != label);
        all.push((label.clone(), value.clone()));
    }
    let labels: Vec<(&str, &str)> = all.iter().map(|(label, value)| (&**label, &**value)).collect();
    case.fires(labels, *value)
}

/// A series of a test, with the labels that every series has in front of its own.
fn completed(scope: &Scope<'_>, series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let headline = || scope.catalogue.headline().map_or(name, |entry| entry.name());
    let metric = if name == "headline" { headline() } else { name };
    let own = ["_sum", "_count", "_bucket"].iter().filter_map(|suffix| metric.strip_suffix(suffix));
    let configured =
        std::iter::once(metric).chain(own).any(|name| scope.catalogue.find(name).is_some());
    let said = pairs(labels.trim_end_matches('}'));
    let usual = scope.test_labels(!configured);
    let usual = usual.iter().filter(|(label, _)| said.iter().all(|(known, _)| known != label));
    let all = usual.map(|(label, value)| (&**label, &**value)).chain(said.iter().copied());
    all.fold(Selector::new(metric), |selector, (label, value)| {
        selector.matching(format!("{label}={}", quoted(value)))
    })
    .to_string()
}

/// `a="x", b="y"` as pairs.
fn pairs(text: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((label, after)) = rest.split_once("=\"") {
        let Some((value, behind)) = after.split_once('"') else { break };
        all.push((label.trim_matches([',', ' ']), value));
        rest = behind;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_labels_and_times() {
        assert_eq!(pairs(r#"a="x", b="y,z""#), [("a", "x"), ("b", "y,z")]);
        assert_eq!(pairs(""), []);
        let words =
            [300, 900, 3_600, 21_600, 604_800].map(|seconds| words(Duration::from_secs(seconds)));
        assert_eq!(words, ["5 minutes", "a quarter of an hour", "an hour", "6 hours", "7 days"]);
    }
}

//! Recorded series that alerts and boards share: what the bot did by window, what it is expected to do, what it costs.

use std::time::Duration;

use config::content::{self, Limit, Recorded};
use engine::query::Query;

use crate::expression::Expression;
use crate::promql::{span, weeks};
use crate::recorded;
use crate::series::Over;

use super::group::{Group, Record};
use super::scope::{Scope, median};

const HOUR: &str = "1h";

/// All groups, in the order in which they need each other.
pub fn groups(scope: &Scope<'_>) -> Vec<Group> {
    let group = |name, about, interval, records| Group { name, about, interval, records };
    let mut groups = vec![
        group(
            "oscar-metrics-hours",
            "What happened in the last hour, and is going on now.",
            "1m",
            hours(scope),
        ),
        group(
            "oscar-metrics-expected",
            "What an hour is expected to bring: the median of the same hour of three weeks, and how far off is no surprise (three standard deviations of a Poisson process).",
            "5m",
            expected(scope),
        ),
        group("oscar-metrics-days", "Days and weeks, made of hours.", "5m", days(scope)),
    ];
    groups.retain(|group| !group.records.is_empty());
    groups
}

fn queries<'c>(
    scope: &Scope<'c>,
    plain: bool,
) -> impl Iterator<Item = (&'c Recorded, Expression<'c>)> {
    let place = scope.place();
    let all = scope.catalogue.content.recorded.iter();
    let all = all.filter(move |one| recorded::is_plain(&one.query) == plain);
    all.map(move |one| (one, Expression::new(place, &one.query)))
}

fn hours(scope: &Scope<'_>) -> Vec<Record> {
    let catalogue = scope.catalogue;
    let hour = |(one, expression): (&Recorded, Expression<'_>)| {
        let sum = expression.measure(&expression.by(), &Over::Last(HOUR.to_owned()));
        Record::new(recorded::name_of(catalogue, one, HOUR), sum)
    };
    let mut records: Vec<Record> = queries(scope, true).map(hour).collect();
    for (one, expression) in queries(scope, false).filter(|(one, _)| one.query.of.is_none()) {
        records.extend(one.windows.iter().map(|window| {
            let window = span(*window);
            let mean = expression.measure(&expression.by(), &Over::Last(window.clone()));
            Record::new(recorded::name_of(catalogue, one, &window), mean)
        }));
    }
    records
}

fn expected(scope: &Scope<'_>) -> Vec<Record> {
    let usual = queries(scope, true).filter(|(one, _)| one.usual);
    usual.flat_map(|(one, expression)| expected_of(scope, one, expression)).collect()
}

fn expected_of(scope: &Scope<'_>, one: &Recorded, expression: Expression<'_>) -> [Record; 3] {
    let catalogue = scope.catalogue;
    let name = one.name.as_deref().or(one.query.metric()).unwrap_or_default();
    let expected = recorded::expected(catalogue, name);
    // Of raw counters, so that a Prometheus that has them knows what to expect at once.
    let usual = median(&scope.by, &["1w", "2w", "3w"], |offset| {
        let over = Over::Earlier(HOUR.to_owned(), offset.to_owned());
        expression.measure(&expression.by(), &over)
    });
    [
        Record::new(expected.clone(), usual),
        Record::new(
            recorded::expected_upper(catalogue, name),
            format!("{expected} + 3 * sqrt(clamp_min({expected}, 1)) + 1"),
        ),
        Record::new(
            recorded::expected_lower(catalogue, name),
            format!("clamp_min({expected} - 3 * sqrt({expected}), 0)"),
        ),
    ]
}

fn days(scope: &Scope<'_>) -> Vec<Record> {
    let catalogue = scope.catalogue;
    let mut records = Vec::new();
    for (one, _) in queries(scope, true) {
        let hour = recorded::name_of(catalogue, one, HOUR);
        records.extend(one.windows.iter().map(|window| {
            let window = span(*window);
            let sum = format!("sum_over_time({hour}[{window}:{HOUR}])");
            Record::new(recorded::name_of(catalogue, one, &window), sum)
        }));
    }
    records.extend(catalogue.content.alerts.iter().filter_map(|alert| change(scope, alert)));
    for (one, expression) in queries(scope, false).filter(|(one, _)| one.query.of.is_some()) {
        let ratio = |window: &Duration| {
            Record::new(
                recorded::name_of(catalogue, one, &span(*window)),
                ratio(expression, *window),
            )
        };
        records.extend(one.windows.iter().map(ratio));
    }
    records
}

/// By how much of itself a count changed against the window before, for an alert on that.
fn change(scope: &Scope<'_>, alert: &content::Alert) -> Option<Record> {
    let catalogue = scope.catalogue;
    alert.limits.iter().find(|limit| matches!(limit, Limit::ChangedBy(_)))?;
    let window = alert.query.last()?;
    let now = recorded::of_query(catalogue, &alert.query, window)?;
    // A period that began with the bot is none to compare with.
    let hour = recorded::of_query(catalogue, &alert.query, recorded::HOUR)?;
    let least = alert.query.min.unwrap_or(1);
    let since = span((2 * window).checked_sub(Duration::from_secs(86_400))?);
    let text = format!(
        "{now}\n/ ({now} offset {before} >= {least}) - 1\nand last_over_time({hour}[1d] offset {since})",
        before = weeks(window),
    );
    Some(Record::new(recorded::change(catalogue, alert.query.metric()?, &span(window)), text))
}

/// A ratio of counts that are there together, never a mean of means.
fn ratio(expression: Expression<'_>, window: Duration) -> String {
    let catalogue = expression.scope.catalogue;
    let part = Query { of: None, min: None, ..expression.query.clone() };
    let whole = expression.query.of.as_deref();
    let least = expression.query.min.unwrap_or(1);
    let known = recorded::of_query(catalogue, &part, window)
        .zip(whole.and_then(|whole| recorded::of_query(catalogue, whole, window)));
    if let Some((part, whole)) = known {
        return format!("{part} / ({whole} >= {least})");
    }
    let (by, over) = (expression.by(), Over::Last(span(window)));
    let whole = expression.whole().map(|whole| whole.measure(&by, &over)).unwrap_or_default();
    format!("{}\n/ ({whole} >= {least})", expression.measure(&by, &over))
}

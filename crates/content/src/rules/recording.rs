//! Recorded series that alerts and boards share: what the bot did by window, what it is expected to do, what it costs.

use crate::promql::Selector;
use crate::recorded;
use engine::rules::definition::MetricKind;

use super::group::{Group, Record};
use super::scope::{Scope, median};

/// The least number of answers or conversations that a cost is divided by.
const ENOUGH: u32 = 20;
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

/// Counts of an hour that days are made of: the name by window, and the selector.
struct Tally<'s> {
    name: Box<dyn Fn(&str) -> String + 's>,
    of: Selector,
    windows: &'static [&'static str],
}

fn tallies<'s>(scope: &'s Scope<'_>) -> Vec<Tally<'s>> {
    let catalogue = scope.catalogue;
    let mut all = Vec::new();
    if let Some(headline) = scope.headline() {
        let name = move |window: &str| recorded::increase(catalogue, headline.name(), window);
        let of = Selector::new(headline.name());
        all.push(Tally { name: Box::new(name), of, windows: &["1d", "7d", "28d"] });
    }
    if let Some(cost) = scope.find("bot_cost_usd_total", &[]) {
        let name = move |window: &str| recorded::increase(catalogue, cost.name(), window);
        let of = Selector::new(cost.name());
        all.push(Tally { name: Box::new(name), of, windows: &["1d", "7d", "28d"] });
    }
    if let Some(answers) = answers(scope) {
        let name = move |window: &str| recorded::answers(catalogue, window);
        all.push(Tally { name: Box::new(name), of: answers, windows: &["1d", "7d", "28d"] });
    }
    if let Some(resolved) = resolved(scope) {
        let name = move |window: &str| recorded::resolved(catalogue, window);
        all.push(Tally { name: Box::new(name), of: resolved, windows: &["7d", "28d"] });
    }
    if let Some((both, down)) = thumbs(scope) {
        let name = move |window: &str| recorded::thumbs(catalogue, window);
        all.push(Tally { name: Box::new(name), of: both, windows: &["7d", "28d"] });
        let name = move |window: &str| recorded::thumbs_down(catalogue, window);
        all.push(Tally { name: Box::new(name), of: down, windows: &["7d", "28d"] });
    }
    all
}

fn answers(scope: &Scope<'_>) -> Option<Selector> {
    let entry = scope.find("bot_interactions_total", &[("outcome", "answered")])?;
    Some(Selector::new(entry.name()).is("outcome", "answered"))
}

fn resolved(scope: &Scope<'_>) -> Option<Selector> {
    let entry = scope.find("bot_sessions_total", &[("resolution", "")])?;
    let good =
        ["confirmed", "implied"].into_iter().filter(|value| entry.may_be("resolution", value));
    let good: Vec<&str> = good.collect();
    (!good.is_empty()).then(|| Selector::new(entry.name()).any_of("resolution", &good))
}

/// Thumbs up and down, and those down.
fn thumbs(scope: &Scope<'_>) -> Option<(Selector, Selector)> {
    let entry = scope.find("bot_feedback_total", &[("label", "up"), ("label", "down")])?;
    let both = Selector::new(entry.name()).any_of("label", &["up", "down"]);
    Some((both, Selector::new(entry.name()).is("label", "down")))
}

fn hours(scope: &Scope<'_>) -> Vec<Record> {
    let hour =
        |tally: &Tally<'_>| Record::new((tally.name)(HOUR), scope.sum(tally.of.increase(HOUR)));
    let mut records: Vec<Record> = tallies(scope).iter().map(hour).collect();
    let duration = scope.find(recorded::DURATION, &[]);
    if duration.is_some_and(|entry| matches!(entry.metric.kind, MetricKind::Histogram { .. })) {
        let sum = Selector::new(format!("{}_sum", recorded::DURATION));
        let name = recorded::in_flight(scope.catalogue, "10m");
        records.push(Record::new(name, scope.sum(sum.rate("10m"))));
    }
    records
}

fn expected(scope: &Scope<'_>) -> Vec<Record> {
    let Some(headline) = scope.headline() else { return Vec::new() };
    let (catalogue, name) = (scope.catalogue, headline.name());
    let expected = recorded::expected(catalogue, name);
    // Of raw counters, so that a Prometheus that has them knows what to expect at once.
    let usual = median(&scope.by, &["1w", "2w", "3w"], |offset| {
        scope.sum(format!("increase({name}[{HOUR}] offset {offset})"))
    });
    vec![
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
    for tally in tallies(scope) {
        let hour = (tally.name)(HOUR);
        records.extend(tally.windows.iter().map(|window| {
            let sum = format!("sum_over_time({hour}[{window}:{HOUR}])");
            Record::new((tally.name)(window), sum)
        }));
    }
    if let Some(headline) = scope.headline() {
        let week = recorded::increase(catalogue, headline.name(), "7d");
        // A week that began with the bot is no week to compare with.
        let hour = recorded::increase(catalogue, headline.name(), HOUR);
        let change = format!(
            "{week}\n/ ({week} offset 1w >= 50) - 1\nand last_over_time({hour}[1d] offset 13d)"
        );
        records.push(Record::new(recorded::change(catalogue, headline.name(), "7d"), change));
    }
    if let Some(cost) = scope.find("bot_cost_usd_total", &[]) {
        records.extend(costs(scope, cost.name()));
    }
    if thumbs(scope).is_some() {
        let down = recorded::thumbs_down(catalogue, "7d");
        let share = format!("{down} / ({} >= {ENOUGH})", recorded::thumbs(catalogue, "7d"));
        records.push(Record::new(recorded::thumbs_down_share(catalogue, "7d"), share));
    }
    records
}

/// What an answer and a conversation cost: of counts that are there together, never a mean of means.
fn costs(scope: &Scope<'_>, cost: &str) -> Vec<Record> {
    let catalogue = scope.catalogue;
    let mut records = Vec::new();
    if let Some(answers) = answers(scope) {
        let now = format!(
            "{}\n/ ({} >= {ENOUGH})",
            scope.sum(Selector::new(cost).increase("6h")),
            scope.sum(answers.increase("6h"))
        );
        records.push(Record::new(recorded::cost_per_answer(catalogue, "6h"), now));
        records.extend(["1d", "7d", "28d"].map(|window| {
            let cost = recorded::increase(catalogue, cost, window);
            let each = format!("{cost} / ({} >= {ENOUGH})", recorded::answers(catalogue, window));
            Record::new(recorded::cost_per_answer(catalogue, window), each)
        }));
    }
    if resolved(scope).is_some() {
        records.extend(["7d", "28d"].map(|window| {
            let cost = recorded::increase(catalogue, cost, window);
            let each = format!("{cost} / ({} >= {ENOUGH})", recorded::resolved(catalogue, window));
            Record::new(recorded::cost_per_resolved(catalogue, window), each)
        }));
    }
    records
}

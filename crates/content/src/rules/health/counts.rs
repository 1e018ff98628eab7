//! Too many of something that the sidecar counts: items, requests, series and records that were not taken as they came.

use super::super::alert::{Alert, Runbook, Severity};
use super::super::case::Case;
use super::super::scope::{Scope, number};
use super::{OWN, alert, own};
use crate::promql::{Selector, sum};

/// One alert for each.
pub(super) fn alerts(scope: &Scope<'_>) -> impl Iterator<Item = Alert> {
    COUNTS.iter().map(|one| counted(scope, one))
}

/// Too many of something in an hour.
struct Count {
    name: &'static str,
    severity: Severity,
    metric: &'static str,
    /// A matcher, and labels that are told apart with values for the tests.
    matching: &'static str,
    labels: &'static [(&'static str, &'static str)],
    /// At least so many; none: the config may say.
    floor: Option<f64>,
    summary: &'static str,
    description: &'static str,
    meaning: &'static str,
    look: [&'static str; 3],
    silence: &'static str,
}

const COUNTS: [Count; 6] = [
    Count {
        name: "OscarMetricsItemsRejected",
        severity: Severity::Warning,
        metric: "oscar_metrics_rejected_items_total",
        matching: "reason!=\"duplicate\"",
        labels: &[("signal", "metrics"), ("reason", "name")],
        floor: None,
        summary: "The sidecar {instance} of {job} turns away {signal}: {reason}.",
        description: "{value} items in an hour were not used. They are missing in every number made of them.",
        meaning: "Requests were taken, and some of their items can't be used. `reason` says why: late, name, type_conflict, temporality, \
                  delta_nonmonotonic, scale, invalid, series_limit, stream_limit, loop. Repeated items are no fault and not counted here.",
        look: [
            "The sidecar's log: the first of each reason is told with its name.",
            "`series_limit`, `stream_limit`: which metric grew, `topk(5, oscar_metrics_series)`? `loop`: two instances forward to each other; the log line `forward_loop` has the peer.",
            "`name`, `type_conflict`: a metric of the bot that is called like one of the config, or is sent with two types.",
        ],
        silence: "the sender is known and harmless; better, leave its metrics out with `datapoints.pass`.",
    },
    Count {
        name: "OscarMetricsRequestsRefused",
        severity: Severity::Warning,
        metric: "oscar_metrics_refused_requests_total",
        matching: "",
        labels: &[("protocol", "grpc"), ("reason", "overload")],
        floor: None,
        summary: "The sidecar {instance} of {job} refuses requests over {protocol}: {reason}.",
        description: "{value} whole requests were refused in an hour. Senders come again only after an overload.",
        meaning: "Whole requests were refused: too_large, malformed, encoding, media_type, overload, timeout or auth. What was in them is \
                  lost, unless the sender comes again, as it does after `overload`.",
        look: [
            "`overload`: `process_resident_memory_bytes` and CPU of the sidecar, and who sends so much (`rate(oscar_metrics_received_items_total[5m])`).",
            "`too_large`: the sender's batch size against `server.otlp.max_request`.",
            "`malformed`, `encoding`, `media_type`: the log line `request_refused` has the peer, the reason and the position. `media_type` is \
             also a sender at the wrong port; else a new or updated sender, or a proxy that changes bodies.",
        ],
        silence: "a known sender is being repaired.",
    },
    Count {
        name: "OscarMetricsSeriesOverflow",
        severity: Severity::Warning,
        metric: "oscar_metrics_series_overflow_total",
        matching: "",
        labels: &[("metric", "bot_tool_calls_total")],
        floor: Some(1.0),
        summary: "{metric} of {job} has more label sets than it may: new ones are counted as `other`.",
        description: "{value} times in an hour something was counted under `other`. Totals are exact; details of new values are not there.",
        meaning: "A metric reached `limits.series_per_metric` or all of them `limits.series`. Open-ended labels of new label sets became \
                  `other`, so sums stay right and nothing is lost but detail.",
        look: [
            "Which label grew: `count by (LABEL) (METRIC)` for each open label of the metric.",
            "What changed in the bot: an id in a tool name, a feature called after a user, a new model name with every call.",
            "A `map` for that label in the config that takes the id away, or a `limit`.",
        ],
        silence: "the cause is found and the new config is on its way.",
    },
    Count {
        name: "OscarMetricsForwardDrops",
        severity: Severity::Warning,
        metric: "oscar_metrics_forward_dropped_requests_total",
        matching: "reason!=\"shutdown\"",
        labels: &[("target", "tempo:4317"), ("reason", "queue_full")],
        floor: Some(1.0),
        summary: "Traces of {job} do not reach {target}: {reason}.",
        description: "{value} requests were dropped in an hour on the way to {target}. Numbers are not touched: only traces are missing.",
        meaning: "The bot's own telemetry could not be passed on: the target was away longer than the queue lasts (`queue_full`), refused \
                  it (`rejected`), or never managed (`gave_up`). Series do not depend on it.",
        look: [
            "The target: is it up, does it take OTLP there, does it want a token?",
            "`oscar_metrics_forward_queue_bytes` and `rate(oscar_metrics_forward_retries_total[5m])`: since when?",
            "The sidecar's log, which has the target's own words.",
        ],
        silence: "the target is being worked on.",
    },
    Count {
        name: "OscarMetricsSamplesDropped",
        severity: Severity::Warning,
        metric: "oscar_metrics_quarantined_rows_total",
        matching: "",
        labels: &[],
        floor: Some(1.0),
        summary: "The sidecar {instance} of {job} drops samples from its scrapes.",
        description: "{value} samples were dropped in an hour, each counted once per scrape. They are missing in Prometheus.",
        meaning: "Some samples cannot be represented in the format that Prometheus requests, so they are missing. Clashing names and label                   sets are rejected on arrival, so this is always a bug in oscar-metrics.",
        look: [
            "The sidecar's log, event `samples_dropped`: the metric family and the reason.",
            "Is there a newer release? Otherwise please report the log line as a bug.",
            "If a metric of the bot is affected, leave it out with `datapoints.pass` until the fix.",
        ],
        silence: "the bug is reported and the missing metric is not needed.",
    },
    Count {
        name: "OscarMetricsRecordsSkipped",
        severity: Severity::Info,
        metric: "oscar_metrics_rule_skips_total",
        matching: "",
        labels: &[("metric", "bot_cost_usd_total"), ("reason", "no_row")],
        floor: None,
        summary: "{metric} of {job} leaves out records: {reason}.",
        description: "{value} records in an hour could not be counted in it. With no_row in a cost, a model has no price and the cost is too low.",
        meaning: "A rule took a record and could not use its value: not_a_number, no_row (a table has no such row, as for a model without \
                  a price), negative, gauge_limit, no_time (a duration whose start or end is unknown), too_long (over 7 days), too_large \
                  (an increment over 1e12). With weight the record counts once: its sampling weight is over `most`.",
        look: [
            "`no_row`: which model is new, `sum by (model) (increase(bot_model_calls_total[1d]))`, and the price tables of the config.",
            "`weight`: whether the bot samples; then add `sampling: {most: 100}` (1 in 100 kept) to the config. If it does not, a caller \
             sent the weight in the header `tracestate`, and nothing is to do.",
            "Others: what the bot sends, with `oscar-metrics explain --otlp FILE`; `gauge_limit`: the labels of that gauge.",
        ],
        silence: "the value does not matter to anybody; better, remove the metric.",
    },
];

/// The alert of one of them.
fn counted(scope: &Scope<'_>, one: &Count) -> Alert {
    let floor = one.floor.unwrap_or_else(|| scope.catalogue.alerts.threshold(one.name));
    let metric = Selector::new(one.metric);
    let metric = if one.matching.is_empty() { metric } else { metric.matching(one.matching) };
    let keep = ["job", "instance"].into_iter().chain(one.labels.iter().map(|(name, _)| *name));
    let keep: Vec<&str> = keep.collect();
    let comparison = if floor > 1.0 { format!(">= {}", number(floor)) } else { "> 0".to_owned() };
    let expr = format!("{} {comparison}", sum(&keep, metric.increase("1h")));
    let series =
        one.labels.iter().fold(own(one.metric), |series, (name, value)| series.is(name, value));
    let labels = OWN.iter().chain(one.labels).copied();
    let step = floor.max(1.0).ceil();
    let mut cases = vec![
        Case::new("it goes on", "1m", "90m")
            .series(&series, format!("0+{step}x100"))
            .fires(labels, 60.0 * step),
        Case::new("it is born with many, and a restart resets it", "1m", "90m")
            .series(&series, format!("_x40 {0}x30 0x60", 100.0 * step)),
    ];
    if floor > 2.0 {
        let few = (floor * 0.9).ceil() - 1.0;
        let case = Case::new("fewer than the threshold", "1m", "90m");
        cases.push(case.series(&series, format!("0x50 {few}x100")));
    }
    Alert {
        hold: "5m",
        keep: "10m",
        summary: one.summary.to_owned(),
        description: one.description.to_owned(),
        runbook: Runbook::new(one.meaning, one.look, one.silence),
        cases,
        ..alert(one.name, one.severity, expr)
    }
}

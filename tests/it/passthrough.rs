//! The contract of passed-through points, seen from outside: who is silent, what ends, what is remembered, and whose limits hold.

mod model;

use std::collections::BTreeMap;

use engine::counters::Rejection;
use engine::limits;
use engine::model::RowValue;
use engine::pipeline::{Outcome, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::{Value, json};
use testkit::json::{self, texts as attributes};
use testkit::{SECOND, labels};

use crate::state::place::{Place, within};
use crate::support::{JSON, post};

const BEGAN: u64 = 1_795_608_000;

struct Arrow(Pipeline);

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * SECOND)
}

impl Arrow {
    fn new(text: &str) -> Self {
        Self(testkit::pipeline(text, at(BEGAN)))
    }

    /// Sends metrics of one resource, so many seconds after the beginning.
    fn send(&self, resource: &[(&str, &str)], metrics: Value, after: u64) -> Outcome {
        let request = json::metrics(metrics.as_array().unwrap());
        let request = json::of_resource(request, attributes(resource));
        let now = at(BEGAN + after);
        self.0.tick(now);
        let outcome = json::ingest(&self.0, Signal::Metrics, &request, now);
        assert!(self.0.counters().books().read(Signal::Metrics).balanced());
        outcome
    }

    /// All series, those of `target_info` left out.
    fn shown(&self, after: u64) -> BTreeMap<String, f64> {
        self.0.tick(at(BEGAN + after));
        let mut shown = BTreeMap::new();
        for family in self.0.gather(at(BEGAN + after), true, |_| {}) {
            let name = family.family.name.as_str();
            for row in family.rows.iter().filter(|_| name != "target_info") {
                let value = match &row.value {
                    RowValue::Counter(value, _) | RowValue::Gauge(value) => *value,
                    RowValue::Histogram(row) => row.counts.iter().sum(),
                    other => panic!("{other:?}"),
                };
                let series = format!("{name}{{{}}}", labels(&row.labels));
                let before = shown.insert(series, value);
                assert_eq!(before, None, "a series twice");
            }
        }
        shown
    }

    fn sum(&self, name: &str, after: u64) -> f64 {
        let shown = self.shown(after);
        shown.iter().filter(|(one, _)| one.starts_with(name)).map(|(_, value)| value).sum()
    }

    fn count(&self, name: &str, after: u64) -> usize {
        self.shown(after).keys().filter(|one| one.starts_with(name)).count()
    }

    fn has_info(&self, after: u64) -> bool {
        self.0.tick(at(BEGAN + after));
        let mut families = self.0.gather(at(BEGAN + after), true, |_| {});
        families.any(|one| one.family.name.as_str() == "target_info" && !one.rows.is_empty())
    }

    fn rejected(&self, reason: Rejection) -> u64 {
        self.0.counters().books().read(Signal::Metrics).rejected[reason.index()]
    }
}

/// A point that began and was taken so many seconds after the beginning.
fn point(own: &[(&str, &str)], (start, time): (i64, i64), value: f64) -> Value {
    let nanos = |after: i64| (BEGAN as i64 + after) as u64 * SECOND;
    json::point((nanos(start), nanos(time)), value, attributes(own))
}

fn gauge(name: &str, points: &[Value]) -> Value {
    json!([{"name": name, "gauge": {"dataPoints": points}}])
}

/// Temporality 1 is delta, 2 cumulative.
fn sum(name: &str, (temporality, monotonic): (u8, bool), points: &[Value]) -> Value {
    json!([{"name": name, "sum": {"aggregationTemporality": temporality, "isMonotonic": monotonic, "dataPoints": points}}])
}

const A: &[(&str, &str)] = &[("service.name", "bot"), ("service.instance.id", "a")];
const B: &[(&str, &str)] = &[("service.name", "bot"), ("service.instance.id", "b")];
const FOLDED: &str = "datapoints: {instance_label: false}";

#[test]
fn a_silent_writers_gauges_end_and_its_counters_stay() {
    let arrow = Arrow::new("{}");
    arrow.send(A, gauge("depth", &[point(&[], (0, 10), 7.0)]), 10);
    arrow.send(A, sum("up", (2, false), &[point(&[], (0, 10), 2.0)]), 10);
    arrow.send(A, sum("c", (2, true), &[point(&[], (0, 10), 5.0)]), 10);
    arrow.send(B, gauge("depth", &[point(&[], (0, 10), 3.0)]), 10);
    assert_eq!(arrow.sum("depth", 300), 10.0);
    for time in (60..=300).step_by(60) {
        arrow.send(B, gauge("depth", &[point(&[], (0, time), 3.0)]), time as u64);
    }
    let shown = arrow.shown(340);
    let expected = [("c_total{instance=a,job=bot}", 5.0), ("depth{instance=b,job=bot}", 3.0)];
    assert_eq!(shown, expected.map(|(name, value)| (name.to_owned(), value)).into());
    assert!(arrow.has_info(600) && !arrow.has_info(620));
    arrow.send(A, gauge("depth", &[point(&[], (0, 800), 4.0)]), 800);
    assert_eq!(arrow.sum("depth{instance=a", 800), 4.0);
    assert!(arrow.has_info(800));
}

#[test]
fn stale_can_be_another_time_or_off() {
    for (stale, shown) in [("1m", 0), ("off", 1)] {
        let arrow = Arrow::new(&format!("datapoints: {{stale: {stale}}}"));
        arrow.send(A, gauge("depth", &[point(&[], (0, 10), 7.0)]), 10);
        assert_eq!(arrow.count("depth", 100), shown, "{stale}");
    }
}

#[test]
fn a_folded_up_down_sum_loses_only_the_silent_writers_part() {
    let arrow = Arrow::new(FOLDED);
    let send = |who, time: i64, value| {
        let points = [point(&[], (-100, time), value)];
        arrow.send(who, sum("open", (2, false), &points), time as u64)
    };
    send(A, 10, 2.0);
    send(B, 10, 5.0);
    assert_eq!(arrow.sum("open", 11), 7.0);
    (70..=250).step_by(60).for_each(|time| drop(send(B, time, 6.0)));
    assert_eq!(arrow.sum("open", 251), 8.0);
    assert_eq!(arrow.sum("open", 400), 6.0, "one of them is silent");
    assert_eq!(arrow.count("open", 600), 0, "and then both are");
    send(A, 910, 1.0);
    assert_eq!(arrow.sum("open", 911), 1.0);
}

#[test]
fn two_processes_of_one_identity_add_up_and_a_restart_takes_its_predecessors_place() {
    let arrow = Arrow::new("{}");
    let send = |start, time: i64, value| {
        let points = [point(&[], (start, time), value)];
        arrow.send(A, sum("open", (2, false), &points), time as u64);
        arrow.sum("open", time as u64)
    };
    assert_eq!(send(-50, 10, 2.0), 2.0);
    assert_eq!(send(-40, 11, 5.0), 7.0);
    assert_eq!(send(60, 70, 1.0), 1.0, "it began after both had spoken last");
    assert_eq!(send(-40, 71, 5.0), 6.0, "one of them lives after all");
    for time in (100..500).step_by(60) {
        send(60, time, 3.0);
    }
    assert_eq!(arrow.sum("open", 520), 3.0, "the other process is silent");
}

#[test]
fn delta_up_down_sums_add_and_go_on_from_their_level_after_a_silence() {
    let arrow = Arrow::new("{}");
    let send = |start, time: i64, value| {
        let points = [point(&[], (start, time), value)];
        arrow.send(A, sum("open", (1, false), &points), time as u64)
    };
    send(0, 10, 3.0);
    send(10, 20, 2.0);
    send(10, 20, 2.0);
    assert_eq!(arrow.sum("open", 21), 5.0, "a resend is none");
    assert_eq!(arrow.count("open", 900), 0, "silent");
    send(890, 900, -1.0);
    assert_eq!(arrow.sum("open", 901), 4.0);
}

#[test]
fn a_writer_that_returns_adds_only_what_is_new() {
    let arrow = Arrow::new("{datapoints: {instance_label: false}, limits: {idle: 1h}}");
    let send = |who, start, time: i64, value| {
        arrow.send(who, sum("c", (2, true), &[point(&[], (start, time), value)]), time as u64)
    };
    send(A, -100, 10, 10.0);
    send(B, -100, 10, 20.0);
    for time in (100..3_000).step_by(60) {
        send(B, -100, time, 20.0);
    }
    send(A, -100, 3_000, 12.0);
    assert_eq!(arrow.sum("c_total", 3_001), 32.0, "silent for longer than `stale`");
    for time in (3_100..9_000).step_by(60) {
        send(B, -100, time, 20.0);
    }
    send(A, -100, 9_000, 15.0);
    assert_eq!(arrow.sum("c_total", 9_001), 32.0, "its memory idled out: it joins");
    assert_eq!(arrow.0.counters().joined_and_conflicts().0, 1);
    send(A, -100, 9_060, 18.0);
    send(A, 9_070, 9_080, 4.0);
    assert_eq!(arrow.sum("c_total", 9_081), 39.0);
}

#[test]
fn forty_five_restarts_and_ten_rollouts_refuse_nobody() {
    let arrow = Arrow::new("{}");
    let labels: Vec<String> = (0..50).map(|nth| nth.to_string()).collect();
    let start = |instance: &str, time: i64| {
        let resource = [("service.name", "bot"), ("service.instance.id", instance)];
        for name in ["c", "g"] {
            let points: Vec<Value> =
                labels.iter().map(|k| point(&[("k", k)], (time - 1, time), 1.0)).collect();
            let metrics = match name {
                "c" => sum(name, (2, true), &points),
                _ => gauge(name, &points),
            };
            assert_eq!(
                arrow.send(&resource, metrics, time as u64).rejected,
                0,
                "{instance} {name}"
            );
        }
    };
    (0..45).for_each(|nth| start(&format!("restart-{nth}"), nth));
    assert_eq!((arrow.count("c_total", 50), arrow.sum("g", 50)), (2_250, 2_250.0));
    for rollout in 0..10 {
        (0..20).for_each(|pod| start(&format!("pod-{rollout}-{pod}"), 100 + rollout * 60));
    }
    assert_eq!(arrow.rejected(Rejection::SeriesLimit), 0);
}

#[test]
fn past_a_writers_limit_counters_fold_exactly_and_gauges_are_refused() {
    let arrow = Arrow::new("limits: {series_per_metric: 10}");
    let keys: Vec<String> = (0..25).map(|nth| format!("k{nth}")).collect();
    let points = |time: i64, value: f64| -> Vec<Value> {
        keys.iter().map(|k| point(&[("k", k)], (0, time), value)).collect()
    };
    for (time, value) in [(10, 1.0), (20, 3.0)] {
        let c = sum("c", (2, true), &points(time, value));
        assert_eq!(arrow.send(A, c, time as u64).rejected, 0);
        assert_eq!(
            arrow.send(B, sum("c", (2, true), &points(time, value)), time as u64).rejected,
            0
        );
        assert_eq!(arrow.send(A, gauge("g", &points(time, value)), time as u64).rejected, 15);
        assert_eq!(arrow.count("c_total{instance=a", time as u64), 10);
        assert_eq!(arrow.sum("c_total{instance=b", time as u64), 25.0 * value);
    }
    let overflow = "c_total{instance=a,job=bot,otel_metric_overflow=true}";
    assert_eq!(arrow.shown(21).get(overflow), Some(&48.0), "16 of 25");
    let own = json!([{"key": "otel.metric.overflow", "value": {"boolValue": true}}]);
    let mut sent = point(&[], (0, 30), 100.0);
    sent["attributes"] = own;
    arrow.send(A, sum("c", (2, true), &[sent]), 30);
    assert_eq!(arrow.shown(31).get(overflow), Some(&148.0), "an SDK's own adds to it");
}

#[test]
fn when_all_senders_have_too_many_the_silent_go_first() {
    let arrow = Arrow::new("limits: {senders_series: 40}");
    let points = |from: usize, count: usize, time: i64| -> Vec<Value> {
        let one = |nth: usize| point(&[("k", &nth.to_string())], (0, time), 1.0);
        (from..from + count).map(one).collect()
    };
    arrow.send(A, sum("c", (2, true), &points(0, 20, 10)), 10);
    arrow.send(B, sum("c", (2, true), &points(0, 15, 10)), 10);
    assert_eq!(arrow.count("c_total", 11), 35);
    // Both live: what is too much folds, a new name and a gauge are refused.
    assert_eq!(arrow.send(B, sum("c", (2, true), &points(15, 10, 20)), 20).rejected, 0);
    assert_eq!(arrow.sum("c_total{instance=b", 21), 25.0);
    assert!(arrow.count("c_total", 21) <= 40);
    assert_eq!(arrow.send(B, gauge("new", &points(0, 1, 30)), 30).rejected, 1);
    assert_eq!(arrow.rejected(Rejection::SeriesLimit), 1);
    // The other one is silent: its sets make room, and the living one keeps all of its.
    arrow.send(B, sum("c", (2, true), &points(0, 15, 290)), 290);
    assert_eq!(arrow.send(B, gauge("new", &points(0, 10, 400)), 400).rejected, 0);
    assert_eq!(arrow.sum("c_total{instance=b", 401), 25.0);
    assert!(arrow.count("c_total{instance=a", 401) < 20);
    assert!(arrow.shown(401).len() <= 40);
}

#[test]
fn sixty_four_interleaved_writers_are_exact_and_one_more_is_refused() {
    for (temporality, writers) in [(2, 12), (2, 16), (2, 64), (1, 64)] {
        let arrow = Arrow::new("{}");
        for round in 1..=5_i64 {
            for writer in 0..writers {
                let start = if temporality == 1 { round * 10 - 10 } else { -100 + writer };
                let value =
                    if temporality == 1 { 10.0 + writer as f64 } else { round as f64 * 10.0 };
                let points = [point(&[], (start, round * 10), value)];
                let sent = arrow.send(A, sum("c", (temporality, true), &points), round as u64 * 10);
                assert_eq!(sent.rejected, 0);
            }
        }
        let extra = if temporality == 1 { (0..writers).sum::<i64>() * 5 } else { 0 };
        assert_eq!(
            arrow.sum("c_total", 60),
            (writers * 50 + extra) as f64,
            "{temporality} {writers}"
        );
        let points = [point(&[], (30, 55), 1.0)];
        let more = arrow.send(A, sum("c", (temporality, true), &points), 55);
        let refused = u64::from(temporality == 2 && writers == 64);
        assert_eq!(more.rejected, refused);
    }
}

#[test]
fn a_gauge_of_two_writers_shows_the_newest_and_is_a_conflict() {
    let arrow = Arrow::new(FOLDED);
    let send = |who, time: i64, value| {
        arrow.send(who, gauge("depth", &[point(&[], (0, time), value)]), time as u64);
        arrow.sum("depth", time as u64)
    };
    assert_eq!([send(A, 10, 1.0), send(B, 11, 2.0), send(A, 12, 3.0)], [1.0, 2.0, 3.0]);
    assert_eq!(arrow.0.counters().joined_and_conflicts().1, 2);
    let end = json!([{"timeUnixNano": ((BEGAN + 13) * SECOND).to_string(), "flags": 1}]);
    arrow.send(A, json!([{"name": "depth", "gauge": {"dataPoints": end}}]), 13);
    assert_eq!(arrow.sum("depth", 14), 2.0, "what the other one said last");
}

#[test]
fn clocks_that_are_wrong_freeze_nothing() {
    let arrow = Arrow::new("{}");
    let year = 365 * 86_400;
    let send = |time: i64, now, value| {
        let gauge = arrow.send(A, gauge("depth", &[point(&[], (0, time), value)]), now);
        let total = arrow.send(A, sum("c", (2, true), &[point(&[], (-60, time), value)]), now);
        (gauge.rejected + total.rejected, arrow.sum("depth", now), arrow.sum("c_total", now))
    };
    assert_eq!(send(10, 10, 1.0), (0, 1.0, 1.0));
    assert_eq!(send(year, 11, 2.0), (0, 2.0, 2.0));
    assert_eq!(send(12, 12, 3.0), (0, 3.0, 3.0));
    assert_eq!(send(-3_600, 13, 4.0), (0, 3.0, 4.0), "put back by an hour: a total is news");
}

#[test]
fn cut_values_tell_what_begins_the_same_apart_and_are_the_same_everywhere() {
    let long = |end: &str| format!("{}{end}", "é".repeat(200));
    let shown = || {
        let arrow = Arrow::new("{}");
        let points = ["x", "y"].map(|end| point(&[("k", &long(end))], (0, 10), 1.0));
        arrow.send(A, gauge("g", &points), 10);
        arrow.shown(10).into_keys().collect::<Vec<_>>()
    };
    let names = shown();
    assert_eq!((names.len(), &names), (2, &shown()));
    let value = names[0].split("k=").nth(1).unwrap().trim_end_matches('}');
    assert!(value.len() <= 256 && value.as_bytes()[value.len() - 9] == b'~', "{value}");
}

#[test]
fn logs_metric_and_sender_of_the_first_writer_past_the_limit_of_starts() {
    let place = Place::new("{}");
    let process = place.start();
    let second = at(BEGAN).0;
    for start in 1..=limits::STREAM_LIVES as u64 + 1 {
        let point = json::point((second + start, second + SECOND), 1.0, attributes(&[]));
        let request = json::metrics(&[json::sum("jobs.done", 2, &[point])]);
        let sender = attributes(&[("service.name", "bot"), ("service.instance.id", "pod-1")]);
        let body = json::of_resource(request, sender).to_string();
        assert_eq!(post(process.http, "/v1/metrics", JSON, body.as_bytes()).status, 200);
    }
    within(|| !process.events("stream_limit").is_empty());
    let line = &process.events("stream_limit")[0];
    let fields = ["metric", "job", "instance"].map(|field| line[field].as_str().unwrap());
    assert_eq!(fields, ["jobs.done", "bot", "pod-1"]);
    assert_eq!(line["rejected"], 1);
    assert!(line["help"].as_str().unwrap().contains("service.instance.id"), "{line}");
}

//! Data points through the whole arrow: what a sender says, what a scrape then shows, and what is rejected.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use engine::model::{FamilySnapshot, RowValue};
use engine::pipeline::{Outcome, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::{Value, json};
use testkit::json::{self, texts as attributes};
use testkit::{SECOND, key, labels, pipeline, settings};

/// When the process began, in seconds.
const BEGAN: u64 = 1_000_000;

struct Arrow(Pipeline);

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * SECOND)
}

impl Arrow {
    fn new(config: &str) -> Self {
        Self(pipeline(config, at(BEGAN)))
    }

    /// Sends metrics of one resource.
    fn send(&self, resource: &[(&str, &str)], metrics: Value, now: u64) -> Outcome {
        let scope = json!({"scope": {"name": "lib", "version": "1"}, "metrics": metrics});
        let resource = json!({"attributes": attributes(resource)});
        let body = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [scope]}]});
        let outcome = json::ingest(&self.0, Signal::Metrics, &body, at(now));
        assert!(self.0.counters().books().read(Signal::Metrics).balanced());
        outcome
    }

    fn gather(&self, now: u64) -> Vec<FamilySnapshot> {
        self.0.tick(at(now));
        self.0.gather(at(now), true, |_| {}).collect()
    }

    /// `name{a=x}` and value of all series that are not the exporter's own.
    fn shown(&self, now: u64) -> BTreeMap<String, String> {
        let mut shown = BTreeMap::new();
        for family in self.gather(now) {
            let name = family.family.name.as_str();
            if name.starts_with("oscar_metrics_") || name.starts_with("process_") {
                continue;
            }
            for row in &family.rows {
                let series = format!("{name}{{{}}}", labels(&row.labels));
                let before = shown.insert(series, value(&row.value));
                assert_eq!(before, None, "a series twice");
            }
        }
        shown
    }

    fn series(&self, series: &str, now: u64) -> Option<String> {
        self.shown(now).get(series).cloned()
    }
}

fn value(value: &RowValue) -> String {
    match value {
        RowValue::Counter(value, _) | RowValue::Gauge(value) => value.to_string(),
        RowValue::Histogram(row) => format!("{:?} sum {}", row.counts, row.sum.total()),
        RowValue::Native(row) => {
            format!("{}: {:?} sum {}", row.schema, row.positive, row.sum.total())
        }
        RowValue::Summary(row) => format!("{:?} {} {}", row.quantiles, row.sum.total(), row.count),
    }
}

fn point(own: &[(&str, &str)], (start, time): (u64, u64), value: f64) -> Value {
    json::point((start * SECOND, time * SECOND), value, attributes(own))
}

/// A monotonic sum; temporality 1 is delta, 2 cumulative.
fn sum(name: &str, temporality: u8, points: Value) -> Value {
    json!([{"name": name, "sum": {"aggregationTemporality": temporality, "isMonotonic": true, "dataPoints": points}}])
}

fn gauge(name: &str, points: Value) -> Value {
    json!([{"name": name, "gauge": {"dataPoints": points}}])
}

const BOT: &[(&str, &str)] = &[("service.name", "bot"), ("service.instance.id", "i1")];

#[test]
fn a_restarted_writer_and_its_neighbour_make_one_series_that_never_falls() {
    let arrow = Arrow::new("datapoints: {instance_label: false}");
    let other = [("service.name", "bot"), ("service.instance.id", "i2"), ("pid", "7")];
    let send = |who: &[(&str, &str)], start, time, value| {
        arrow.send(who, sum("c", 2, json!([point(&[], (start, time), value)])), time)
    };
    send(BOT, BEGAN + 10, BEGAN + 20, 10.0);
    send(&other, BEGAN + 15, BEGAN + 20, 20.0);
    assert_eq!(arrow.series("c_total{job=bot}", BEGAN + 21).as_deref(), Some("30"));
    send(BOT, BEGAN + 22, BEGAN + 30, 4.0);
    send(&other, BEGAN + 15, BEGAN + 30, 20.0);
    assert_eq!(arrow.series("c_total{job=bot}", BEGAN + 31).as_deref(), Some("34"));
    let info = arrow.shown(BEGAN + 31);
    assert!(info.contains_key("target_info{job=bot}"), "what only one says is left out: {info:?}");
}

#[test]
fn a_series_a_sender_began_keeps_its_start_and_one_we_began_is_born_now() {
    let arrow = Arrow::new("{}");
    arrow.send(BOT, sum("whole", 2, json!([point(&[], (BEGAN - 50, BEGAN + 1), 7.0)])), BEGAN + 2);
    arrow.send(BOT, sum("change", 1, json!([point(&[], (BEGAN, BEGAN + 1), 7.0)])), BEGAN + 2);
    let times = |name: &str| {
        let families = arrow.gather(BEGAN + 3);
        let family = families.iter().find(|one| one.family.name.as_str() == name).unwrap();
        (family.rows[0].start, family.rows[0].born)
    };
    assert_eq!(times("whole_total"), (Some(at(BEGAN - 50)), None));
    assert_eq!(times("change_total"), (Some(at(BEGAN)), Some(at(BEGAN + 2))));
}

#[test]
fn an_old_stream_of_a_target_that_was_scraped_joins_from_its_first_point() {
    let arrow = Arrow::new("{}");
    let old = |name: &str, now, value| {
        arrow.send(BOT, sum(name, 2, json!([point(&[], (BEGAN - 50, now), value)])), now)
    };
    old("early", BEGAN + 1, 7.0);
    arrow.0.scraped().store(at(BEGAN + 5).0, Ordering::Relaxed);
    old("late", BEGAN + 6, 100.0);
    old("late", BEGAN + 7, 103.0);
    let shown = arrow.shown(BEGAN + 8);
    assert_eq!(shown["early_total{instance=i1,job=bot}"], "7");
    assert_eq!(shown["late_total{instance=i1,job=bot}"], "3");
}

#[test]
fn private_and_personal_keys_leave_and_their_points_fold() {
    let config = r#"
privacy: {drop: ["secret.*"]}
attributes: {user: {any_of: [user.id], hash: true}}
"#;
    let arrow = Arrow::new(config);
    let points = json!([
        point(&[("user.id", "ada"), ("k", "v")], (BEGAN, BEGAN + 1), 1.0),
        point(&[("user.id", "bob"), ("k", "v"), ("secret.x", "s3")], (BEGAN, BEGAN + 1), 2.0),
    ]);
    let who = [("service.name", "bot"), ("secret.y", "s3"), ("user.id", "ada"), ("os", "linux")];
    arrow.send(&who, sum("c", 2, points), BEGAN + 1);
    let shown = arrow.shown(BEGAN + 2);
    assert_eq!(shown["c_total{job=bot,k=v}"], "3");
    assert!(shown.contains_key("target_info{job=bot,os=linux}"), "{shown:?}");
    let all = format!("{shown:?}");
    assert!(!all.contains("ada") && !all.contains("bob") && !all.contains("s3"), "{all}");
}

#[test]
fn a_point_that_calls_itself_job_gives_way_to_its_target() {
    let arrow = Arrow::new("datapoints: {scope_labels: true}");
    let own = [("job", "mine"), ("x", "1")];
    arrow.send(BOT, gauge("g", json!([point(&own, (0, BEGAN), 5.0)])), BEGAN);
    let series =
        "g{exported_job=mine,instance=i1,job=bot,otel_scope_name=lib,otel_scope_version=1,x=1}";
    assert_eq!(arrow.series(series, BEGAN + 1).as_deref(), Some("5"), "{:?}", arrow.shown(BEGAN));
}

#[test]
fn no_recorded_value_ends_a_series_and_its_stream_goes_on() {
    let arrow = Arrow::new("{}");
    let silent = |time: u64| json!([{"timeUnixNano": (time * SECOND).to_string(), "flags": 1}]);
    arrow.send(BOT, gauge("g", json!([point(&[], (0, BEGAN), 5.0)])), BEGAN);
    arrow.send(BOT, sum("c", 2, json!([point(&[], (BEGAN, BEGAN + 1), 5.0)])), BEGAN + 1);
    assert_eq!(arrow.shown(BEGAN + 1).len(), 3);
    arrow.send(BOT, gauge("g", silent(BEGAN + 2)), BEGAN + 2);
    arrow.send(BOT, sum("c", 2, silent(BEGAN + 2)), BEGAN + 2);
    let shown = arrow.shown(BEGAN + 3);
    assert_eq!(shown.keys().collect::<Vec<_>>(), ["target_info{instance=i1,job=bot}"]);
    arrow.send(BOT, sum("c", 2, json!([point(&[], (BEGAN, BEGAN + 4), 7.0)])), BEGAN + 4);
    let counter = arrow.series("c_total{instance=i1,job=bot}", BEGAN + 4);
    assert_eq!(counter.as_deref(), Some("2"), "the same start adds only what is new");
    arrow.send(BOT, gauge("g", json!([point(&[], (0, BEGAN + 4), 6.0)])), BEGAN + 4);
    assert_eq!(arrow.series("g{instance=i1,job=bot}", BEGAN + 5).as_deref(), Some("6"));
}

#[test]
fn a_rejected_point_is_told_and_makes_nothing() {
    let arrow = Arrow::new("limits: {series_per_metric: 2}");
    let g = |name: &str| gauge(name, json!([point(&[], (0, BEGAN), 1.0)]));
    let told = |outcome: Outcome| (outcome.rejected, outcome.message);
    for (metrics, reason) in [
        (g("@@"), "name"),
        (g("process_threads"), "name"),
        (g("up"), "name"),
        (gauge("g", json!([point(&[("__x__", "1")], (0, BEGAN), 1.0)])), "name"),
        (gauge("g", json!([{"timeUnixNano": "5"}])), "invalid"),
        (sum("c", 2, json!([point(&[], (BEGAN, BEGAN + 1), -1.0)])), "invalid"),
        (sum("c", 0, json!([point(&[], (BEGAN, BEGAN + 1), 1.0)])), "temporality"),
    ] {
        assert_eq!(told(arrow.send(BOT, metrics, BEGAN + 2)), (1, format!("rejected: 1 {reason}")));
    }
    assert_eq!(arrow.shown(BEGAN + 3), BTreeMap::new());
    let three = json!(["a", "b", "c"].map(|k| point(&[("k", k)], (0, BEGAN), 1.0)));
    assert_eq!(
        told(arrow.send(BOT, gauge("g", three), BEGAN)),
        (1, "rejected: 1 series_limit".into())
    );
    arrow.send(BOT, sum("x", 2, json!([point(&[], (BEGAN, BEGAN + 1), 1.0)])), BEGAN + 2);
    assert_eq!(told(arrow.send(BOT, g("x_total"), BEGAN + 2)).1, "rejected: 1 type_conflict");
}

#[test]
fn rules_relabel_points_and_keep_their_amounts() {
    let config = r#"
datapoints: {pass: []}
metrics:
  replies_total: {help: R., type: counter, from: datapoint, where: {name: bot.replies}, labels: {result: {from: point.result, values: [ok, bad]}}}
  latency_seconds: {help: L., type: histogram, from: datapoint, where: {name: bot.latency}, labels: {}}
  coarse_seconds: {help: L., type: histogram, from: datapoint, where: {name: bot.latency}, buckets: [5s]}
  wrong: {help: W., type: gauge, from: datapoint, where: {name: "bot.*"}}
"#;
    let arrow = Arrow::new(config);
    let points = json!(
        ["a", "b"].map(|pod| { point(&[("pod", pod), ("result", "ok")], (BEGAN, BEGAN + 1), 4.0) })
    );
    assert_eq!(arrow.send(BOT, sum("bot.replies", 2, points), BEGAN + 2).rejected, 0);
    let histogram = |counts: [u64; 3], time: u64| {
        let point = json!({"startTimeUnixNano": (BEGAN * SECOND).to_string(), "timeUnixNano": (time * SECOND).to_string(),
            "count": counts.iter().sum::<u64>(), "sum": 9.0, "bucketCounts": counts, "explicitBounds": [1.0, 5.0]});
        json!([json::histogram("bot.latency", 2, &[point])])
    };
    arrow.send(BOT, histogram([1, 2, 3], BEGAN + 2), BEGAN + 2);
    arrow.send(BOT, histogram([1, 4, 3], BEGAN + 3), BEGAN + 3);
    let shown = arrow.shown(BEGAN + 4);
    assert_eq!(shown["replies_total{result=ok}"], "8");
    assert_eq!(shown["replies_total{result=bad}"], "0");
    assert_eq!(shown["latency_seconds{}"], "[1.0, 4.0, 3.0] sum 9");
    assert_eq!(shown["coarse_seconds{}"], "[5.0, 3.0] sum 9");
    assert_eq!(shown.len(), 4);
    let fits_nobody =
        histogram([1, 1, 1], BEGAN + 5).to_string().replace("bot.latency", "bot.other");
    let outcome = arrow.send(BOT, serde_json::from_str(&fits_nobody).unwrap(), BEGAN + 5);
    assert_eq!(outcome.message, "rejected: 1 type_conflict");
}

#[test]
fn senders_buckets_that_change_begin_anew_and_those_that_differ_share() {
    let arrow = Arrow::new("datapoints: {instance_label: false}");
    let send = |instance: &str, time: u64, counts: &[u64], bounds: &[f64]| {
        let point = json!({"startTimeUnixNano": ((BEGAN + 1) * SECOND).to_string(), "timeUnixNano": (time * SECOND).to_string(),
            "count": counts.iter().sum::<u64>(), "sum": 1.0, "bucketCounts": counts, "explicitBounds": bounds});
        let metric = json!([json::histogram("h", 2, &[point])]);
        arrow.send(&[("service.name", "bot"), ("service.instance.id", instance)], metric, time)
    };
    let row = |now| {
        let families = arrow.gather(now);
        let family = families.iter().find(|one| one.family.name.as_str() == "h").unwrap();
        (family.rows[0].start, value(&family.rows[0].value))
    };
    send("a", BEGAN + 2, &[1, 2], &[1.0]);
    assert_eq!(row(BEGAN + 2), (Some(at(BEGAN + 1)), "[1.0, 2.0] sum 1".into()));
    send("b", BEGAN + 3, &[1, 1, 1], &[0.5, 1.0]);
    assert_eq!(row(BEGAN + 3).1, "[3.0, 3.0] sum 2");
    send("a", BEGAN + 4, &[1, 0, 1], &[2.0, 3.0]);
    assert_eq!(
        row(BEGAN + 4),
        (Some(at(BEGAN + 4)), "[1.0, 0.0, 1.0] sum 1".into()),
        "a new start"
    );
}

#[test]
fn what_is_idle_goes_and_comes_back_with_a_new_start() {
    let arrow = Arrow::new("limits: {idle: 10m}");
    let send = |time, value| {
        arrow.send(BOT, sum("c", 2, json!([point(&[], (BEGAN - 5, time), value)])), time)
    };
    send(BEGAN + 1, 5.0);
    assert_eq!(arrow.shown(BEGAN + 100).len(), 2);
    assert_eq!(arrow.shown(BEGAN + 700), BTreeMap::new());
    send(BEGAN + 800, 9.0);
    let families = arrow.gather(BEGAN + 801);
    let family = families.iter().find(|one| one.family.name.as_str() == "c_total").unwrap();
    assert_eq!(value(&family.rows[0].value), "0", "5 of it were counted: it joins");
    assert_eq!(arrow.0.counters().joined_and_conflicts(), (1, 0));
    send(BEGAN + 900, 12.0);
    assert_eq!(arrow.series("c_total{instance=i1,job=bot}", BEGAN + 901).as_deref(), Some("3"));
}

#[test]
fn a_reload_keeps_senders_series_unless_it_changes_what_they_are() {
    let arrow = Arrow::new("{}");
    let send = |time: u64, value| {
        arrow.send(BOT, sum("c", 2, json!([point(&[], (BEGAN, time), value)])), time)
    };
    send(BEGAN + 1, 5.0);
    let reload = |config: &str, now| arrow.0.reload(settings(config).plan(&key()), at(now));
    reload("metrics: {other_total: {help: O., type: counter, from: span}}", BEGAN + 2);
    send(BEGAN + 3, 6.0);
    assert_eq!(arrow.series("c_total{instance=i1,job=bot}", BEGAN + 4).as_deref(), Some("6"));
    reload("datapoints: {instance_label: false}", BEGAN + 5);
    send(BEGAN + 6, 8.0);
    assert_eq!(arrow.series("c_total{job=bot}", BEGAN + 7).as_deref(), Some("2"));
    reload("metrics: {c_total: {help: C., type: counter, from: span}}", BEGAN + 8);
    assert_eq!(send(BEGAN + 9, 9.0).message, "rejected: 1 name");
    assert_eq!(arrow.series("c_total{}", BEGAN + 10).as_deref(), Some("0"), "the config's own");
}

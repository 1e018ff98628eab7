//! Sums of senders' histograms and summaries: shown where they are of all observations and the format can have them.

use std::sync::Arc;

use config::{self, Source};
use engine::counters::Protocol;
use engine::exposition::{Format, Options, Syntax, write};
use engine::model::FamilySnapshot;
use engine::pipeline::{Encoding, Outcome, Pipeline};
use engine::snapshot;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::{Value, json};

use crate::support::key;

const SECOND: u64 = 1_000_000_000;
/// When the process began, in seconds.
const BEGAN: u64 = 1_000_000;
const CUMULATIVE: u8 = 2;
const DELTA: u8 = 1;

struct Sender {
    pipeline: Pipeline,
    temporality: u8,
    now: u64,
}

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * SECOND)
}

fn pipeline() -> Pipeline {
    let text = "datapoints: {instance_label: false}".to_owned();
    let source = Source { name: "config.yaml".into(), text };
    let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let settings = config::load(Some(source), &|_| None, &nothing).settings.unwrap();
    Pipeline::new(settings.plan(&key()), Arc::default(), at(BEGAN))
}

impl Sender {
    fn new(temporality: u8) -> Self {
        Self { pipeline: pipeline(), temporality, now: BEGAN + 1 }
    }

    /// One point of `h`, a second after the last one.
    fn send(&mut self, instance: &str, kind: &str, mut point: Value) -> Outcome {
        let nanos = |seconds: u64| json!((seconds * SECOND).to_string());
        let start = if self.temporality == DELTA { self.now } else { BEGAN };
        self.now += 1;
        point["startTimeUnixNano"] = nanos(start);
        point["timeUnixNano"] = nanos(self.now);
        let mut data = json!({"dataPoints": [point]});
        if kind != "summary" {
            data["aggregationTemporality"] = self.temporality.into();
        }
        let id = json!({"key": "service.instance.id", "value": {"stringValue": instance}});
        let metric = json!({"name": "h", kind: data});
        let body = json!({"resourceMetrics": [{"resource": {"attributes": [id]}, "scopeMetrics": [{"metrics": [metric]}]}]});
        let (http, json) = (Protocol::Http, Encoding::Json);
        let body = body.to_string();
        self.pipeline.ingest(http, Signal::Metrics, json, body.as_bytes(), at(self.now)).unwrap()
    }

    /// What a format shows of `h` beside its buckets and quantiles.
    fn sums(&self, syntax: Syntax) -> String {
        self.sums_with(syntax, |_| {})
    }

    fn sums_with(&self, syntax: Syntax, show: fn(&mut FamilySnapshot)) -> String {
        let families: Vec<_> = self.pipeline.gather(at(self.now), true, show).collect();
        let format = Format { syntax, escaping: None };
        let mut out = Vec::new();
        let written = write(&families, format, Options::default(), &mut out);
        assert_eq!(written.quarantined, 0);
        let text = String::from_utf8(out).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("h_"));
        let lines = lines.filter(|line| line.starts_with("sum") || line.starts_with("count"));
        lines.collect::<Vec<_>>().join(" ")
    }

    fn shown(&self) -> [String; 2] {
        [Syntax::Text0_0_4, Syntax::OpenMetrics1_0_0].map(|syntax| self.sums(syntax))
    }
}

/// As many observations below 1 as above.
fn histogram(each: u64, sum: Option<f64>) -> Value {
    let mut point =
        json!({"count": 2 * each, "bucketCounts": [each, each], "explicitBounds": [1.0]});
    sum.into_iter().for_each(|sum| point["sum"] = sum.into());
    point
}

fn exponential(positive: u64, negative: u64, sum: Option<f64>) -> Value {
    let buckets = |count: u64| json!({"offset": 0, "bucketCounts": [count]});
    let mut point =
        json!({"count": positive + negative, "scale": 0, "positive": buckets(positive)});
    if negative > 0 {
        point["negative"] = buckets(negative);
    }
    sum.into_iter().for_each(|sum| point["sum"] = sum.into());
    point
}

#[test]
fn a_point_without_a_sum_takes_it_from_the_series_for_good() {
    for temporality in [CUMULATIVE, DELTA] {
        let mut sender = Sender::new(temporality);
        sender.send("a", "histogram", histogram(1, Some(2.0)));
        assert_eq!(sender.shown(), ["sum 2 count 2", "sum 2 count 2"]);
        sender.send("b", "histogram", histogram(1, None));
        assert_eq!(sender.shown(), ["count 4", ""]);
        sender.send("c", "histogram", histogram(1, Some(7.0)));
        assert_eq!(sender.shown(), ["count 6", ""]);
        let mut after = pipeline();
        let kept = sender.pipeline.keep_last(at(sender.now));
        let kept = snapshot::decode(&snapshot::encode(&kept).unwrap()).unwrap();
        after.restore(kept, Some(Timestamp::MAX), at(sender.now));
        sender.pipeline = after;
        assert_eq!(sender.shown(), ["count 6", ""], "after a restart");
    }
}

#[test]
fn a_series_that_is_held_at_zero_has_the_same_lines() {
    for kind in ["histogram", "exponentialHistogram"] {
        let mut sender = Sender::new(DELTA);
        let point = if kind == "histogram" { histogram(1, None) } else { exponential(2, 0, None) };
        sender.send("a", kind, point);
        let zero = |piece: &mut FamilySnapshot| {
            piece.rows.iter_mut().for_each(|row| _ = row.value.reset());
        };
        let held = [Syntax::Text0_0_4, Syntax::OpenMetrics1_0_0]
            .map(|syntax| sender.sums_with(syntax, zero));
        assert_eq!(held, ["count 0", ""], "{kind}");
    }
}

#[test]
fn an_exponential_histogram_needs_no_sum() {
    let mut sender = Sender::new(CUMULATIVE);
    assert_eq!(sender.send("a", "exponentialHistogram", exponential(3, 0, None)).rejected, 0);
    assert_eq!(sender.shown(), ["count 3", ""]);
    let mut sender = Sender::new(DELTA);
    sender.send("a", "exponentialHistogram", exponential(0, 0, None));
    sender.send("a", "exponentialHistogram", exponential(3, 0, Some(4.5)));
    assert_eq!(sender.shown(), ["sum 4.5 count 3", "sum 4.5 count 3"], "nothing has a sum of 0");
}

#[test]
fn openmetrics_has_no_sum_of_negative_observations() {
    let mut sender = Sender::new(DELTA);
    sender.send("a", "histogram", histogram(1, Some(-3.0)));
    sender.send("a", "histogram", histogram(1, Some(9.0)));
    assert_eq!(sender.shown(), ["sum 6 count 4", ""], "it was below 0 once");
    let mut sender = Sender::new(DELTA);
    sender.send("a", "exponentialHistogram", exponential(3, 1, Some(4.5)));
    assert_eq!(sender.shown(), ["sum 4.5 count 4", ""]);
    let mut sender = Sender::new(DELTA);
    let bounds = |bounds: Value, counts: Value| json!({"count": 3, "sum": 5.0, "bucketCounts": counts, "explicitBounds": bounds});
    sender.send("a", "histogram", bounds(json!([-1.0, 1.0]), json!([1, 1, 1])));
    sender.send("b", "histogram", bounds(json!([1.0]), json!([2, 1])));
    assert_eq!(sender.shown(), ["sum 10 count 6", ""], "bounds that senders do not share are gone");
    let mut sender = Sender::new(CUMULATIVE);
    let quantiles = json!([{"quantile": 0.5, "value": -1.0}]);
    sender.send("a", "summary", json!({"count": 3, "sum": -2.0, "quantileValues": quantiles}));
    assert_eq!(sender.shown(), ["sum -2 count 3", "count 3"]);
}

#[test]
fn no_sum_is_ever_infinite_or_no_number() {
    let mut sender = Sender::new(DELTA);
    for sum in [f64::MAX, f64::MAX, -f64::MAX, -f64::MAX, -f64::MAX] {
        sender.send("a", "histogram", histogram(1, Some(sum)));
    }
    assert_eq!(sender.shown(), ["count 10", ""]);
    let mut sender = Sender::new(CUMULATIVE);
    for (count, sum) in [(1, -f64::MAX), (2, f64::MAX), (3, -f64::MAX)] {
        sender.send("a", "histogram", histogram(count, Some(sum)));
        assert!(!sender.shown()[0].contains("NaN"));
    }
}

#[test]
fn an_infinite_bound_is_folded_into_the_last_bucket() {
    let mut sender = Sender::new(CUMULATIVE);
    let point = |bounds: Value, counts: Value| json!({"count": 6, "sum": 5.0, "bucketCounts": counts, "explicitBounds": bounds});
    let outcome = sender.send("a", "histogram", point(json!([1.0, "Infinity"]), json!([1, 5, 0])));
    assert_eq!(outcome.rejected, 0);
    assert_eq!(sender.shown()[0], "sum 5 count 6");
    let outcome = sender.send("b", "histogram", point(json!(["Infinity"]), json!([6, 0])));
    assert_eq!(outcome.rejected, 0);
    for (bounds, counts) in [
        (json!(["-Infinity", 1.0]), json!([0, 5, 1])),
        (json!(["Infinity", "Infinity"]), json!([5, 1, 0])),
        (json!([1.0, "Infinity"]), json!([5, 1])),
        (json!(["NaN"]), json!([5, 1])),
    ] {
        let outcome = sender.send("c", "histogram", point(bounds, counts));
        assert_eq!(outcome.message, "rejected: 1 invalid");
    }
}

#[test]
fn more_than_512_bounds_are_invalid() {
    for (count, rejected) in [(512, 0), (513, 1)] {
        let bounds: Vec<f64> = (0..count).map(f64::from).collect();
        let counts = vec![0; bounds.len() + 1];
        let point =
            json!({"count": 0, "sum": 0.0, "bucketCounts": counts, "explicitBounds": bounds});
        let outcome = Sender::new(CUMULATIVE).send("a", "histogram", point);
        assert_eq!(outcome.rejected, rejected, "{count}");
    }
}

#[test]
fn a_point_without_a_recorded_value_may_have_any_sum() {
    let mut sender = Sender::new(CUMULATIVE);
    sender.send("a", "histogram", histogram(1, Some(2.0)));
    let mut marker = histogram(0, None);
    marker["sum"] = "NaN".into();
    marker["flags"] = 1.into();
    assert_eq!(sender.send("a", "histogram", marker).rejected, 0);
    assert_eq!(sender.shown(), ["", ""], "it ends the series");
}

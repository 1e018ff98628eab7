//! What is kept while requests go on is one consistent cut: nothing in it is half a request, and what came later can be sent again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use engine::model::RowValue;
use engine::pipeline::Pipeline;
use engine::snapshot;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::Value;
use testkit::json::{self, point, sum, texts};
use testkit::{NOW, SECOND, pipeline};

const CONFIG: &str = r#"
limits: {series_per_metric: 6000}
metrics:
  spans_total: {help: Spans., type: counter, from: span, labels: {tool: {from: tool, limit: 5000}}}
  span_seconds: {help: Spans., type: histogram, from: span, value: duration, buckets: [1s, 20s]}
  points_total: {help: Points., type: counter, from: datapoint, where: {name: c}}
"#;
const SENDERS: u64 = 2;
/// Requests of each signal and sender: some seconds in a debug build.
const REQUESTS: u64 = 1_500;
const CUTS: usize = 8;
/// Tools of one span each that were there before: to copy them takes longer than a request.
const TOOLS: u64 = 4_000;

/// One request of one span for each tool.
fn tools() -> Value {
    let span = |tool: u64| {
        let name = format!("old-{tool}");
        json::span("x", (1 << 40, tool), (NOW.0 - 2 * SECOND, NOW.0), texts(&[("tool", &name)]))
    };
    json::traces(&(1..=TOOLS).map(span).collect::<Vec<_>>())
}

/// One request of two spans, of an old tool and of one that changes.
fn spans(sender: u64, number: u64) -> Value {
    let id = number * SENDERS + sender + 1;
    let tools = [texts(&[("tool", "a")]), texts(&[("tool", &format!("t{}", number % 40))])];
    let spans = tools
        .into_iter()
        .zip(1..)
        .map(|(tool, span)| json::span("x", (id, span), (NOW.0 - 2 * SECOND, NOW.0), tool));
    json::traces(&spans.collect::<Vec<_>>())
}

/// One request of two totals, one of which has a new series now and then, and a window that adds 1.
fn points(sender: u64, number: u64) -> Value {
    let began = NOW.0 - 60 * SECOND;
    let time = NOW.0 + number * 1_000_000;
    let labels = texts(&[("part", &(number / 50).to_string())]);
    let total = point((began, time), number as f64 + 1.0, texts(&[]));
    let other = point((began + number / 50, time), (number % 50) as f64 + 1.0, labels);
    let window = point((time - 1_000_000, time), 1.0, texts(&[]));
    let metrics = [sum("c", 2, &[total]), sum("e", 2, &[other]), sum("d", 1, &[window])];
    let writer = texts(&[("service.name", "bot"), ("service.instance.id", &sender.to_string())]);
    json::of_resource(json::metrics(&metrics), writer)
}

fn send(pipeline: &Pipeline, sender: u64, number: u64) {
    let now = Timestamp(NOW.0 + number * 1_000_000);
    json::ingest(pipeline, Signal::Traces, &spans(sender, number), now);
    json::ingest(pipeline, Signal::Metrics, &points(sender, number), now);
}

/// The sums of all families: of counters their totals, of histograms their observations.
fn sums(pipeline: &Pipeline) -> [(String, f64); 6] {
    let names = ["spans_total", "span_seconds", "points_total", "c_total", "e_total", "d_total"];
    names.map(|name| {
        let pieces = pipeline.gather(NOW, false, |_| {});
        let rows = pieces.filter(|piece| piece.family.name.as_str() == name);
        let values = rows.flat_map(|piece| piece.rows).map(|row| match row.value {
            RowValue::Counter(total, _) => total,
            RowValue::Histogram(held) => held.counts.iter().sum(),
            other => panic!("{other:?}"),
        });
        (name.to_owned(), values.sum())
    })
}

/// How many windows of a sender were counted.
fn counted(pipeline: &Pipeline, sender: u64) -> u64 {
    let pieces = pipeline.gather(NOW, false, |_| {});
    let rows = pieces.filter(|piece| piece.family.name.as_str() == "d_total");
    let instance = sender.to_string();
    let mut rows = rows.flat_map(|piece| piece.rows);
    let row = rows.find(|row| row.labels.0.iter().any(|(_, value)| **value == instance));
    match row.map(|row| row.value) {
        Some(RowValue::Counter(total, _)) => total as u64,
        _ => 0,
    }
}

fn restored(bytes: &[u8]) -> Pipeline {
    let mut after = pipeline(CONFIG, NOW);
    assert!(after.restore(snapshot::decode(bytes).unwrap(), Some(Timestamp::MAX), NOW).counted);
    after
}

#[test]
fn a_cut_holds_whole_requests_and_misses_nothing_that_is_sent_again() {
    let before = pipeline(CONFIG, NOW);
    json::ingest(&before, Signal::Traces, &tools(), NOW);
    let sent = [const { AtomicU64::new(0) }; SENDERS as usize];
    let mut cuts = Vec::new();
    thread::scope(|scope| {
        for (sender, sent) in (0..).zip(&sent) {
            let before = &before;
            scope.spawn(move || {
                for number in 0..REQUESTS {
                    send(before, sender, number);
                    sent.store(number + 1, Ordering::Release);
                }
            });
        }
        while cuts.len() < CUTS && sent.iter().any(|sent| sent.load(Ordering::Acquire) < REQUESTS) {
            let least: u64 = sent.iter().map(|sent| sent.load(Ordering::Acquire)).sum();
            cuts.push((least, snapshot::encode(&before.keep(NOW)).unwrap()));
            thread::sleep(std::time::Duration::from_millis(50));
        }
    });
    let truth = sums(&before);
    let all = (SENDERS * REQUESTS) as f64;
    let spans_of_all = 2.0 * all + TOOLS as f64;
    let sums_of_all = [spans_of_all, spans_of_all, all, all, all, all];
    assert_eq!(truth.clone().map(|(_, sum)| sum), sums_of_all);
    assert!(cuts.len() > 2, "{} cuts", cuts.len());
    for (least, bytes) in cuts {
        let after = restored(&bytes);
        let [total, seconds, from_points, c, e, d] = sums(&after).map(|(_, sum)| sum);
        assert_eq!((total, from_points, e, d), (seconds, c, c, c), "no request is in it by half");
        assert_eq!(total % 2.0, 0.0);
        assert!(total >= 2.0 * least as f64 && c >= least as f64, "{total}, {c}, {least}");
        for sender in 0..SENDERS {
            // Of windows only the latest are known again.
            let known = counted(&after, sender).saturating_sub(20);
            let now = |number| Timestamp(NOW.0 + number * 1_000_000);
            for number in 0..REQUESTS {
                json::ingest(&after, Signal::Traces, &spans(sender, number), now(number));
            }
            for number in known..REQUESTS {
                json::ingest(&after, Signal::Metrics, &points(sender, number), now(number));
            }
        }
        assert_eq!(
            sums(&after),
            truth,
            "what came later is sent again, and no more than that counts"
        );
    }
}

//! What the engine allocates for spans and log records whose series are there, and what a label set holds.
//!
//! A bench of its own: counting allocations costs time, which would be unfair to who allocates.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)] // a bench may fail loudly

#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use allocation_counter::{AllocationInfo, measure};
use engine::limits::DEDUPE_ENTRIES;
use engine::model::{Declaration, Dimension, Family, Kind, LabelName, MetricName, Op, key};
use engine::series::{Budget, Change, Sample, Store};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use server::clock;
use simulator::load::Profile;
use support::{batches, ingest, pipeline, row};
use testkit::protobuf;

fn main() {
    let spans = |profile, config| format!("{:.3}", spans(profile, config));
    row("allocations a span, `peer`", 0, 0, spans(Profile::Peer, "use: [span_metrics]"));
    row("allocations a span, `oscar`", 0, 0, spans(Profile::Oscar, "use: [oscar]"));
    row("allocations a log record", 0, 0, format!("{:.3}", logs()));
    for sets in [1_000, 10_000, 100_000] {
        for (kind, bounds) in [(Kind::Counter, 0), (Kind::Histogram, 16)] {
            let (held, left) = label_sets(kind, bounds, sets);
            let name = if bounds == 0 { "counter" } else { "16-bucket histogram" };
            let reached = format!("{held} B, {left} B after expiry");
            row(format!("bytes a label set, {name}, {sets} sets"), "-", "-", reached);
        }
    }
}

/// Allocations a span once the memory of duplicates has its size: both generations were full once.
fn spans(profile: Profile, config: &str) -> f64 {
    let pipeline = pipeline(config);
    let mut batches = batches(profile);
    let now = clock::now();
    for _ in 0..2 * DEDUPE_ENTRIES / 512 + 2 * batches.round() {
        ingest(&pipeline, batches.next(now).0, now);
    }
    let (mut count, mut spans) = (0, 0);
    for _ in 0..4 * batches.round() {
        let (body, held) = batches.next(now);
        count += measure(|| ingest(&pipeline, body, now)).count_total;
        spans += held;
    }
    count as f64 / spans as f64
}

fn logs() -> f64 {
    let pipeline = pipeline("use: [oscar]");
    let record = |n: u64| LogRecord {
        event_name: "bot.action".into(),
        time_unix_nano: clock::now().0 + n,
        ..LogRecord::default()
    };
    let body = protobuf::logs((0..512).map(record).collect());
    let now = clock::now();
    let take = || {
        protobuf::ingest(&pipeline, Signal::Logs, &body, now);
    };
    take();
    take();
    assert_eq!(pipeline.counters().books().read(Signal::Logs).unmatched, 0);
    measure(take).count_total as f64 / 512.0
}

/// Bytes held for each of so many label sets, and bytes that are left when all have expired.
fn label_sets(kind: Kind, bounds: usize, sets: usize) -> (u64, i64) {
    let family = Family {
        name: MetricName::own("bench"),
        help: String::new(),
        unit: String::new(),
        kind,
        labels: ["feature", "outcome"].map(LabelName::own).into(),
        bounds: (0..bounds).map(|at| at as f64).collect(),
    };
    let open = Dimension::Open { limit: None, default: None };
    let shapes = vec![vec![open.clone(), open]];
    let declaration = Arc::new(Declaration {
        family: family.into(),
        shapes,
        idle: None,
        buckets: Default::default(),
        distinct: None,
    });
    let budget = Arc::new(Budget::new(usize::MAX, usize::MAX));
    let store = Store::new(&[declaration], budget, None, Timestamp(1));
    let held = measure(|| fill(&store, kind, sets));
    let left = measure(|| store.expire(Timestamp(u64::MAX), Duration::from_secs(1)));
    assert_eq!(store.counts().next().unwrap().series, 0);
    let AllocationInfo { bytes_current, .. } = held;
    (bytes_current as u64 / sets as u64, bytes_current + left.bytes_current)
}

fn fill(store: &Store, kind: Kind, sets: usize) {
    let mut writer = store.write(0, Timestamp(2)).unwrap();
    for at in 0..sets {
        let key = key::of(&[format!("feature-{at}"), "answered".to_owned()]);
        let op = match kind {
            Kind::Counter => Op::Add(1.0),
            _ => Op::Observe { value: 3.0, weight: 1.0 },
        };
        let sample =
            Sample { time: Timestamp(2), arrival: Timestamp(2), ids: Some(([1; 16], [1; 8])) };
        writer.apply(&Change { shape: 0, key: &key, hash: store.hash(&key), op, sample });
    }
}

//! A span or data point whose series are there allocates nothing, whatever the config; the request around it neither, nor the
//! inventory when it looks at one whose names, keys and values it has seen.

use engine::pipeline::Pipeline;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    self as otlp, Exemplar, Gauge, Histogram, HistogramDataPoint, NumberDataPoint, Sum,
    number_data_point,
};
use server::clock;
use simulator::load::{self as sender, Batches, LoadOptions, Profile};
use testkit::{pipeline, protobuf};

/// Without the memory of duplicates, which grows until it has its size, and without conversations: each that begins or ends has
/// memory of its own.
fn without_memory(pack: &str, now: Timestamp) -> Pipeline {
    let conversations = "sessions: null\nmetrics: {bot_sessions_total: null, bot_session_turns: null, bot_session_duration_seconds: null,\n  bot_session_reasks_total: null, bot_session_handovers_total: null}\n";
    let conversations = if pack == "oscar" { conversations } else { "" };
    pipeline(&format!("use: [{pack}]\nlimits: {{dedupe: {{entries: 0}}}}\n{conversations}"), now)
}

fn batches(profile: Profile) -> Batches {
    Batches::new(&LoadOptions {
        target: "http://localhost:4318".parse().unwrap(),
        rate: 0,
        duration: Default::default(),
        batch: 64,
        connections: 1,
        profile,
        encoding: sender::Encoding::Protobuf,
        gzip: false,
        seed: Some(1),
    })
}

fn traces(pipeline: &Pipeline, body: &[u8], now: Timestamp) {
    protobuf::ingest(pipeline, Signal::Traces, body, now);
}

/// How many items came, and how many of them the inventory looked at.
fn looked_at(pipeline: &Pipeline, signal: Signal) -> (u64, u64) {
    let told = pipeline.inventory(clock::now());
    let one = told.signals.iter().find(|one| one.signal == signal.as_str()).unwrap();
    (one.received, one.seen)
}

/// Of requests with ids of their own, all in one moment, when the inventory has looked at enough of them.
fn allocations(pack: &str, profile: Profile) -> u64 {
    let now = clock::now();
    let (pipeline, mut batches) = (without_memory(pack, now), batches(profile));
    let mut round = || {
        for _ in 0..batches.round() {
            let (body, _) = batches.next(now);
            traces(&pipeline, body, now);
        }
    };
    let all = |(came, seen): (u64, u64)| came == seen;
    while all(looked_at(&pipeline, Signal::Traces)) {
        round();
    }
    allocation_counter::measure(round).count_total
}

/// Of requests that the inventory looks at, all of whose values it knows: the same ones, a moment apart.
fn allocations_of_looking(pack: &str, profile: Profile) -> u64 {
    let mut now = clock::now();
    let (pipeline, mut batches) = (without_memory(pack, now), batches(profile));
    let bodies: Vec<Vec<u8>> = (0..batches.round()).map(|_| batches.next(now).0.to_vec()).collect();
    let mut round = || {
        for body in &bodies {
            now.0 += 4_000_000_000; // longer than a look at a whole request lasts
            traces(&pipeline, body, now);
        }
    };
    round();
    let allocations = allocation_counter::measure(round).count_total;
    let (came, seen) = looked_at(&pipeline, Signal::Traces);
    assert_eq!((came, came > 0), (seen, true), "it looked at everything");
    allocations
}

/// What an SDK says each time: sums and histograms of either temporality, and a gauge, all larger than last time.
fn points(round: u64) -> Vec<u8> {
    let pair = |key: &str| protobuf::text(key, "bot");
    let (begin, end) = (1_700_000_000_000_000_000, 1_700_000_000_000_000_000 + round * 1_000);
    let start = |temporality| if temporality == 1 { end - 1_000 } else { begin };
    let number = |start| NumberDataPoint {
        attributes: vec![pair("kind")],
        start_time_unix_nano: start,
        time_unix_nano: end,
        value: Some(number_data_point::Value::AsDouble(round as f64)),
        ..Default::default()
    };
    let histogram = |start, edges: u32| HistogramDataPoint {
        attributes: vec![pair("kind")],
        start_time_unix_nano: start,
        time_unix_nano: end,
        count: round * u64::from(edges + 1),
        sum: Some(round as f64),
        bucket_counts: vec![round; edges as usize + 1],
        explicit_bounds: (0..edges).map(f64::from).collect(),
        exemplars: vec![Exemplar {
            trace_id: vec![1; 16],
            span_id: vec![2; 8],
            time_unix_nano: end,
            value: Some(otlp::exemplar::Value::AsDouble(0.5)),
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut all = vec![("level", Data::Gauge(Gauge { data_points: vec![number(0)] }))];
    for (aggregation_temporality, sum, few, many) in
        [(1, "d_sum", "d_few", "d_many"), (2, "c_sum", "c_few", "c_many")]
    {
        let start = start(aggregation_temporality);
        let is_monotonic = true;
        let data_points = vec![number(start)];
        all.push((sum, Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })));
        for (name, edges) in [(few, 5), (many, 16)] {
            let data_points = vec![histogram(start, edges)];
            all.push((name, Data::Histogram(Histogram { data_points, aggregation_temporality })));
        }
    }
    protobuf::metrics(vec![pair("service.name"), pair("service.instance.id")], all)
}

#[test]
fn known_streams_cost_no_allocation() {
    let now = clock::now();
    let rule =
        "{help: C., type: counter, from: datapoint, where: {name: c_sum}, labels: {kind: kind}}";
    let pipeline =
        pipeline(&format!("metrics: {{counted_total: {rule}}}\ndatapoints: {{pass: ['*']}}"), now);
    let bodies: Vec<Vec<u8>> = (1..8).map(points).collect();
    let mut round = |body: &Vec<u8>| {
        assert_eq!(protobuf::ingest(&pipeline, Signal::Metrics, body, now).rejected, 0);
    };
    let (first, then) = bodies.split_at(3);
    first.iter().for_each(&mut round);
    assert_eq!(allocation_counter::measure(|| then.iter().for_each(round)).count_total, 0);
    let (came, seen) = looked_at(&pipeline, Signal::Metrics);
    assert_eq!(came, seen, "what it costs to look at them is in it");
}

#[test]
fn known_series_cost_no_allocation() {
    assert_eq!(allocations("span_metrics", Profile::Peer), 0);
    assert_eq!(allocations("oscar", Profile::Oscar), 0);
}

#[test]
fn looking_at_what_is_known_costs_no_allocation() {
    assert_eq!(allocations_of_looking("span_metrics", Profile::Peer), 0);
    assert_eq!(allocations_of_looking("oscar", Profile::Oscar), 0);
}

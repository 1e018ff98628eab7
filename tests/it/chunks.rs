//! Requests of more items than one chunk: they count like the same items in small requests, and memory is bounded by a chunk.

use std::collections::BTreeMap;

use engine::counters::{ItemCounts, Protocol, Refusal};
use engine::limits;
use engine::pipeline::{Encoding, Outcome, Pipeline};
use engine::view::Signal;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use testkit::{NOW, SECOND, protobuf};

use crate::support::*;

const CONFIG: &str = "
limits: {late: 1h, series_per_metric: 100000}
attributes: {team: {from: resource.team, default: none}, sort: {from: span.sort, map: {/(.)x+/: $1}}}
records:
  once: {from: span_event, where: {name: once}, unique: [trace_id, key]}
metrics:
  spans_total: {help: S., type: counter, from: span, where: {sort: {exists: true}}, labels: {team: team, sort: sort, scope: scope_name}}
  events_total: {help: E., type: counter, from: span_event, where: {name: tick}, labels: {team: team, of: span_name}}
  once_total: {help: O., type: counter, from: once, labels: {team: team}}
datapoints: {pass: ['*']}
";

fn pipeline() -> Pipeline {
    testkit::pipeline(CONFIG, NOW)
}

/// A span of this number: each seventh is late, each eleventh matches no rule, and each thirteenth was sent before.
fn a_span(nth: u64) -> Span {
    let id = if nth.is_multiple_of(13) { nth / 2 } else { nth } + 1;
    let late = if nth.is_multiple_of(7) { 2 * 3600 * SECOND } else { 0 };
    let sort = format!("{}xx", ["a", "b", "c"][nth as usize % 3]);
    let sort = (!nth.is_multiple_of(11)).then(|| protobuf::text("sort", sort));
    let events = ["tick", "once", "other"].into_iter().take(nth as usize % 4);
    let event = |name: &str| Event {
        name: name.into(),
        time_unix_nano: NOW.0 - late,
        attributes: vec![protobuf::text("key", format!("{}", nth % 5))],
        ..Event::default()
    };
    Span {
        trace_id: u128::from(id / 3 + 1).to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        name: format!("name{}", nth % 4),
        start_time_unix_nano: NOW.0 - late - SECOND,
        end_time_unix_nano: NOW.0 - late,
        attributes: sort.into_iter().collect(),
        events: events.map(event).collect(),
        ..Span::default()
    }
}

fn resource(team: usize) -> Option<Resource> {
    let attributes = vec![
        protobuf::text("team", format!("team{team}")),
        protobuf::text("service.name", format!("bot{team}")),
    ];
    Some(Resource { attributes, ..Resource::default() })
}

/// A request of each piece of the spans, in the resource and scope of its number.
fn of_spans(pieces: &[(usize, &[Span])]) -> Vec<u8> {
    let scope = |(nth, spans): &(usize, &[Span])| ResourceSpans {
        resource: resource(nth % 3),
        scope_spans: vec![ScopeSpans {
            scope: Some(InstrumentationScope {
                name: format!("scope{}", nth % 2),
                ..Default::default()
            }),
            spans: spans.to_vec(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let resource_spans = pieces.iter().map(scope).collect();
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// All that a pipeline shows of what it counted, and its books.
fn counted(pipeline: &Pipeline, signal: Signal) -> (BTreeMap<String, String>, ItemCounts) {
    let all = families(pipeline, NOW).into_iter();
    let own = all.filter(|family| !family.family.name.as_str().starts_with("process_"));
    let rows = own.flat_map(|family| {
        let name = family.family.name.as_str().to_owned();
        let row = move |row: engine::model::Row| {
            (format!("{name} {}", testkit::labels(&row.labels)), format!("{:?}", row.value))
        };
        family.rows.into_iter().map(row)
    });
    (rows.collect(), pipeline.counters().books().read(signal))
}

fn send(pipeline: &Pipeline, signal: Signal, body: &[u8]) -> Outcome {
    let taken = pipeline.ingest(Protocol::Http, signal, Encoding::Protobuf, body, NOW).unwrap();
    assert!(pipeline.counters().books().read(signal).balanced());
    taken
}

#[test]
fn spans_in_chunks_count_like_spans_in_small_requests() {
    let spans: Vec<Span> = (0..30_000).map(a_span).collect();
    let pieces: Vec<(usize, &[Span])> = spans.chunks(700).enumerate().collect();
    let (large, small) = (pipeline(), pipeline());
    let taken = send(&large, Signal::Traces, &of_spans(&pieces));
    let rejected: u64 = pieces
        .iter()
        .map(|piece| send(&small, Signal::Traces, &of_spans(&[*piece])).rejected)
        .sum();
    assert_eq!(taken.rejected, rejected);
    let (shown, books) = counted(&large, Signal::Traces);
    assert_eq!(books.received, 30_000);
    assert_eq!((shown, books), counted(&small, Signal::Traces));
}

#[test]
fn events_of_one_span_in_chunks_share_what_becomes_of_it() {
    let tick = Event { name: "tick".into(), time_unix_nano: NOW.0, ..Event::default() };
    let events = 3 * limits::CHUNK_EVENTS;
    let span = Span { events: vec![tick; events], ..a_span(1) };
    let body = of_spans(&[(0, std::slice::from_ref(&span))]);
    let pipeline = pipeline();
    for (accepted, duplicates) in [(1, 0), (1, 1)] {
        send(&pipeline, Signal::Traces, &body);
        let (shown, books) = counted(&pipeline, Signal::Traces);
        assert_eq!((books.received, books.accepted), (1 + duplicates, accepted));
        let of_event = |(series, _): &(&String, &String)| series.starts_with("events_total ");
        let (_, value) = shown.iter().find(of_event).unwrap();
        assert!(value.contains(&format!("{events}.0")), "{value}");
    }
}

/// Points of so many metrics with so many label sets each, in three resources.
fn of_points(metrics: usize, sets: usize, only: Option<usize>) -> Vec<u8> {
    let point = |nth: usize| NumberDataPoint {
        attributes: vec![protobuf::text("set", nth.to_string()), protobuf::text("kind", "k")],
        start_time_unix_nano: NOW.0 - SECOND,
        time_unix_nano: NOW.0,
        value: Some(number_data_point::Value::AsDouble(nth as f64)),
        ..Default::default()
    };
    let metric = |nth: usize| {
        let data_points: Vec<_> = (0..sets).map(point).collect();
        let data = match nth % 2 {
            0 => Data::Gauge(Gauge { data_points }),
            _ => Data::Sum(Sum { data_points, aggregation_temporality: 2, is_monotonic: true }),
        };
        Metric { name: format!("metric{nth}"), data: Some(data), ..Metric::default() }
    };
    let of_team = |team: usize| {
        let own = (0..metrics).filter(|nth| nth % 3 == team && only.is_none_or(|one| one == *nth));
        let metrics = own.map(metric).collect();
        let scope_metrics = vec![ScopeMetrics { metrics, ..Default::default() }];
        ResourceMetrics { resource: resource(team), scope_metrics, ..Default::default() }
    };
    let resource_metrics = (0..3).map(of_team).collect();
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

#[test]
fn points_in_chunks_count_like_points_in_small_requests() {
    let (large, small) = (pipeline(), pipeline());
    send(&large, Signal::Metrics, &of_points(15, 2_000, None));
    for metric in 0..15 {
        send(&small, Signal::Metrics, &of_points(15, 2_000, Some(metric)));
    }
    let (shown, books) = counted(&large, Signal::Metrics);
    assert_eq!((books.received, books.accepted), (30_000, 30_000));
    assert!(shown.len() > 30_000);
    assert_eq!((shown, books), counted(&small, Signal::Metrics));
}

#[test]
fn what_the_sdks_may_send_at_once_is_taken_by_default() {
    let config = "limits: {memory: 512MiB, senders_series: 200000}\ndatapoints: {pass: ['*']}";
    let pipeline = testkit::pipeline(config, NOW);
    let points = of_points(50, 2_000, None);
    assert!(points.len() < limits::REQUEST);
    assert_eq!(send(&pipeline, Signal::Metrics, &points).rejected, 0);
    let spans: Vec<Span> = (0..65_536).map(a_span).collect();
    send(&pipeline, Signal::Traces, &of_spans(&[(0, &spans)]));
    assert_eq!(pipeline.counters().books().read(Signal::Traces).received, 65_536);
}

#[test]
fn a_request_that_is_refused_changes_nothing() {
    let pipeline = pipeline();
    let spans: Vec<Span> = (0..30_000).map(a_span).collect();
    let pieces: Vec<(usize, &[Span])> = spans.chunks(700).enumerate().collect();
    let before = counted(&pipeline, Signal::Traces);
    let whole = of_spans(&pieces);
    let torn = [whole.as_slice(), &[0x0a, 0x7f]].concat();
    let too_many = of_spans(&[(0, &vec![Span::default(); 150_000])]);
    for (body, reason) in [(torn, Refusal::Malformed), (too_many, Refusal::TooLarge)] {
        let door = Protocol::Http;
        let refused = pipeline.ingest(door, Signal::Traces, Encoding::Protobuf, &body, NOW);
        assert_eq!(refused.unwrap_err().reason, reason);
    }
    // One that may not have the memory it takes.
    let mut asked = Vec::new();
    let denied = engine::pipeline::Refused { reason: Refusal::Overload, message: "full".into() };
    let request = (Signal::Traces, Encoding::Protobuf, whole.as_slice());
    let refused = pipeline.ingest_within(Protocol::Http, request, NOW, &mut |bytes| {
        asked.push(bytes);
        Err(denied.clone())
    });
    assert_eq!(refused, Err(denied));
    assert!(asked.len() == 1 && asked[0] > 0 && asked[0] <= limits::CHUNK, "{asked:?}");
    let (mut shown, books) = counted(&pipeline, Signal::Traces);
    shown.retain(|series, _| !series.contains("refused_requests"));
    let (mut expected, nothing) = before;
    expected.retain(|series, _| !series.contains("refused_requests"));
    assert_eq!((shown, books), (expected, nothing));
}

/// The most memory that a request takes beside its body while it is evaluated and committed, once its series are there.
fn held(config: &str, signal: Signal, body: &[u8]) -> usize {
    let config = format!("{config}\nlimits: {{senders_series: 200000, dedupe: {{entries: 0}}}}");
    let pipeline = testkit::pipeline(&config, NOW);
    send(&pipeline, signal, body);
    pipeline.free_spares();
    let send_again = || drop(send(&pipeline, signal, body));
    usize::try_from(allocation_counter::measure(send_again).bytes_max).unwrap()
}

#[test]
fn a_chunk_holds_no_more_than_it_is_charged() {
    let span = |nth: u64| Span { events: Vec::new(), ..a_span(nth) };
    let few: Vec<Span> = (0..limits::CHUNK_ITEMS as u64).map(span).collect();
    let many: Vec<Span> = (0..60_000).map(span).collect();
    let points = |sets| of_points(30, sets, None);
    let point = limits::POINT_CHARGE + 2 * limits::ATTRIBUTE_CHARGE;
    let (oscar, peer, pass) = ("use: [oscar]", "use: [span_metrics]", "datapoints: {pass: ['*']}");
    for (config, signal, body, items, charge) in [
        (oscar, Signal::Traces, of_spans(&[(0, &few)]), few.len(), limits::SPAN_CHARGE),
        (oscar, Signal::Traces, of_spans(&[(0, &many)]), many.len(), limits::SPAN_CHARGE),
        (peer, Signal::Traces, of_spans(&[(0, &few)]), few.len(), limits::SPAN_CHARGE),
        (pass, Signal::Metrics, points(270), 30 * 270, point),
        (pass, Signal::Metrics, points(2_000), 30 * 2_000, point),
    ] {
        let held = held(config, signal, &body);
        let charged = (items * charge).min(limits::CHUNK);
        assert!(held <= charged, "{config} {items}: {held} of {charged}");
    }
}

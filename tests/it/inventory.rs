//! The inventory from outside: requests in, what is told of them out.

use engine::counters::Protocol;
use engine::inventory::told::{self, Inventory, RecordKind, RecordName};
use engine::limits;
use engine::pipeline::{Encoding, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::{Value, json};
use testkit::json::{self, logs, texts as attributes};
use testkit::{SECOND, key, pipeline, settings};

const BEGAN: Timestamp = testkit::NOW;

const CONFIG: &str = r#"
privacy: {drop: ["secret.*"]}
attributes: {user: {any_of: [user.id], hash: true}}
labels: {service: service}
records: {call: {from: span, where: {name: "chat*"}}}
metrics:
  calls_total: {help: C., type: counter, from: call, labels: {model: model}}
  users: {help: U., type: distinct, from: call, of: user, windows: [1d]}
  feedback_total: {help: F., type: counter, from: [span_event, log], where: {name: feedback}, labels: {label: label}}
datapoints: {pass: ["known.*"]}
"#;

/// Takes a request so many seconds after the begin.
fn take(pipeline: &Pipeline, signal: Signal, request: &Value, second: u64) {
    json::ingest(pipeline, signal, request, Timestamp(BEGAN.0 + second * SECOND));
}

fn span(name: &str, pairs: &[(&str, &str)], events: &[(&str, &[(&str, &str)])]) -> Value {
    let event = |(name, pairs): &(&str, &[(&str, &str)])| json!({"name": name, "attributes": attributes(pairs)});
    let events: Vec<Value> = events.iter().map(event).collect();
    json!({"name": name, "attributes": attributes(pairs), "events": events, "endTimeUnixNano": BEGAN.0.to_string()})
}

fn traces(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"resource": {"attributes": attributes(&[("service.name", "bot")])},
        "scopeSpans": [{"scope": {"name": "lib", "attributes": attributes(&[("lang", "rust")])}, "spans": spans}]}]})
}

fn told(pipeline: &Pipeline) -> Inventory {
    pipeline.inventory(Timestamp(BEGAN.0 + 3_600 * SECOND))
}

fn record<'i>(told: &'i Inventory, kind: RecordKind, name: &str) -> &'i RecordName {
    let fits = |one: &&RecordName| one.kind == kind && one.name == name && !one.other;
    told.records.iter().find(fits).unwrap_or_else(|| panic!("no {kind:?} {name}"))
}

/// What is told of some records of every kind.
fn some_of_each() -> Inventory {
    let pipeline = pipeline(CONFIG, BEGAN);
    let up: &[(&str, &str)] = &[("label", "up")];
    let spans = [
        span(
            "chat a",
            &[("model", "m1"), ("user.id", "U1"), ("secret.word", "s")],
            &[("feedback", up)],
        ),
        span("chat a", &[("model", "m2"), ("user.id", "U2")], &[("exception", &[])]),
        span("webhook", &[("model", "m3"), ("kind_of", "x")], &[]),
    ];
    take(&pipeline, Signal::Traces, &traces(&spans), 1);
    let log = |name: &str| json!({"eventName": name, "body": {"stringValue": "said"}});
    let old = json!({"attributes": attributes(&[("event.name", "old style")])});
    take(&pipeline, Signal::Logs, &logs(&[log("feedback"), log(""), old]), 1);
    let points = [json::point((0, 0), 1.0, attributes(up))];
    let metrics = ["known.a", "strange"].map(|name| json::gauge(name, &points));
    take(&pipeline, Signal::Metrics, &json::metrics(&metrics), 1);
    told(&pipeline)
}

#[test]
fn names_their_keys_and_who_takes_them_are_told() {
    let told = some_of_each();
    let chat = record(&told, RecordKind::Span, "chat a");
    assert_eq!((chat.seen, chat.judged, chat.unmatched), (2, 2, 0));
    assert_eq!(chat.metrics, ["calls_total", "users"]);
    let keys: Vec<_> =
        chat.keys.iter().map(|key| (&*key.key, key.records, key.values, &*key.types[0])).collect();
    let expected =
        [("model", 2, 2, "text"), ("user.id", 2, 2, "text"), ("secret.word", 1, 1, "text")];
    assert_eq!(keys, expected);
    let webhook = record(&told, RecordKind::Span, "webhook");
    assert_eq!((webhook.unmatched, webhook.metrics.len()), (1, 0));
    assert_eq!(record(&told, RecordKind::SpanEvent, "feedback").metrics, ["feedback_total"]);
    assert_eq!(record(&told, RecordKind::SpanEvent, "exception").unmatched, 1);
    assert_eq!(record(&told, RecordKind::Log, "feedback").unmatched, 0);
    assert_eq!(record(&told, RecordKind::Log, "").unmatched, 1);
    assert_eq!(record(&told, RecordKind::Log, "old style").unmatched, 1);
    let known = record(&told, RecordKind::Datapoint, "known.a");
    assert_eq!((known.passes, known.unmatched), (true, 0));
    assert_eq!(record(&told, RecordKind::Datapoint, "strange").unmatched, 1);
    assert_eq!(record(&told, RecordKind::Scope, "lib").keys[0].key, "lang");
    assert_eq!(record(&told, RecordKind::Resource, "").keys[0].key, "service.name");
}

#[test]
fn attributes_and_costs_are_told_and_values_never() {
    let told = some_of_each();
    let attribute = |origin: &str, key: &str| {
        let fits = |one: &&told::Attribute| one.origin == origin && one.count.key == key;
        told.attributes.iter().find(fits).unwrap_or_else(|| panic!("no {origin}.{key}"))
    };
    let model = attribute("span", "model");
    assert_eq!((model.count.records, model.of, model.count.values, model.names), (3, 3, 3, 2));
    assert_eq!(
        (&*model.labels, model.read, model.private),
        (&["model".to_owned()][..], true, false)
    );
    assert!(attribute("span", "user.id").private && attribute("span", "user.id").read);
    assert!(attribute("span", "secret.word").private && !attribute("span", "secret.word").read);
    assert!(!attribute("span", "kind_of").read);
    assert_eq!(attribute("resource", "service.name").labels, ["service"]);

    let calls = told.metrics.iter().find(|metric| metric.name == "calls_total").unwrap();
    assert_eq!((calls.label_sets, calls.limit, calls.passed), (2, 2_000, false));
    let labels: Vec<_> =
        calls.labels.iter().map(|label| (&*label.name, label.values, label.without)).collect();
    assert_eq!(labels, [("model", 2, 1), ("service", 1, 2)]);
    assert!(told.metrics.iter().any(|metric| metric.passed && metric.name.starts_with("known")));
    let signals: Vec<_> = told
        .signals
        .iter()
        .map(|one| (&*one.signal, one.received, one.unmatched, one.seen))
        .collect();
    assert_eq!(signals, [("traces", 3, 1, 3), ("metrics", 2, 1, 2), ("logs", 3, 2, 3)]);
    assert!(!told.bounded);
    let text = serde_json::to_string(&told).unwrap();
    for value in ["U1", "\"s\"", "m1", "said", "rust", "\"up\""] {
        assert!(!text.contains(value), "{value} is in {text}");
    }
    assert_eq!(serde_json::from_str::<Inventory>(&text).unwrap(), told);
}

#[test]
fn a_refused_request_leaves_no_trace() {
    let pipeline = pipeline(CONFIG, BEGAN);
    let whole = traces(&[span("chat", &[], &[])]).to_string();
    let (door, json) = (Protocol::Http, Encoding::Json);
    let cut = &whole.as_bytes()[..whole.len() - 2];
    assert!(pipeline.ingest(door, Signal::Traces, json, cut, BEGAN).is_err());
    let told = told(&pipeline);
    assert!(told.records.is_empty() && told.attributes.is_empty(), "{:?}", told.records);
}

#[test]
fn of_many_records_a_sample_is_seen_and_said_to_be_one() {
    let pipeline = pipeline(CONFIG, BEGAN);
    let spans: Vec<Value> = (0..2_000).map(|at| span(&format!("n{}", at % 4), &[], &[])).collect();
    let request = traces(&spans);
    take(&pipeline, Signal::Traces, &request, 1);
    let seen = |pipeline: &Pipeline| {
        let told = told(pipeline);
        let names: Vec<u64> =
            told.records.iter().filter(|one| one.kind.is_record()).map(|one| one.seen).collect();
        (told.signals[0].received, told.signals[0].seen, names.len())
    };
    assert_eq!(seen(&pipeline), (2_000, 500, 1), "every fourth, which has always the same name");
    for _ in 0..20 {
        take(&pipeline, Signal::Traces, &request, 1);
    }
    let (received, seen_now, names) = seen(&pipeline);
    assert_eq!((received, names), (42_000, 4), "each walk begins with another one");
    assert!(seen_now <= u64::from(limits::INVENTORY_BURST) + 512, "{seen_now}");
    take(&pipeline, Signal::Traces, &request, 60);
    assert_eq!(seen(&pipeline).1, seen_now + 500, "there is time again");
}

#[test]
fn a_reload_keeps_what_arrived_and_asks_the_new_rules() {
    let pipeline = pipeline(CONFIG, BEGAN);
    let request = traces(&[span("webhook", &[("kind_of", "x")], &[])]);
    take(&pipeline, Signal::Traces, &request, 1);
    let more = CONFIG.replace(
        "metrics:",
        "metrics:\n  webhooks_total: {help: W., type: counter, from: span, where: {name: webhook}}",
    );
    pipeline.reload(settings(&more).plan(&key()), BEGAN);
    let webhook = |told: &Inventory| record(told, RecordKind::Span, "webhook").clone();
    let after = told(&pipeline);
    let one = webhook(&after);
    assert_eq!((one.seen, one.judged, one.unmatched), (1, 0, 0));
    assert!(after.rules_timestamp_seconds > after.since_timestamp_seconds);
    take(&pipeline, Signal::Traces, &request, 2);
    let one = webhook(&told(&pipeline));
    assert_eq!((one.seen, one.judged, one.unmatched), (2, 1, 0));
    assert_eq!(one.metrics, ["webhooks_total"]);
}

#[test]
fn hostile_names_and_keys_stay_within_bounds() {
    let pipeline = pipeline(CONFIG, BEGAN);
    for round in 0..100_u64 {
        let spans: Vec<Value> = (0..500)
            .map(|at| {
                let (name, key) = (format!("{round}-{at}"), format!("k{round}-{at}"));
                span(&name, &[(&key, "v"), ("id", &name)], &[])
            })
            .collect();
        take(&pipeline, Signal::Traces, &traces(&spans), 10 * round);
    }
    let long = "x".repeat(1 << 20);
    let many: Vec<(String, &str)> = (0..20_000).map(|at| (format!("many{at}"), "v")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(key, value)| (&**key, *value)).collect();
    let log = json!({"eventName": long, "attributes": attributes(&many)});
    take(&pipeline, Signal::Logs, &logs(&[log]), 1);
    let told = told(&pipeline);
    assert!(told.bounded);
    let spans: Vec<_> = told.records.iter().filter(|one| one.kind == RecordKind::Span).collect();
    assert_eq!(spans.len(), limits::INVENTORY_NAMES + 1);
    assert_eq!(spans.iter().map(|one| one.seen).sum::<u64>(), 50_000);
    assert!(spans.last().is_some_and(|last| last.other && last.name.is_empty()));
    let log = told.records.iter().find(|one| one.kind == RecordKind::Log).unwrap();
    assert_eq!(
        (log.name.len(), log.keys.len()),
        (limits::INVENTORY_TEXT, limits::INVENTORY_KEYS.0)
    );
    let id = told.attributes.iter().find(|one| one.count.key == "id").unwrap();
    assert!(id.count.values_at_least && id.count.values == 256);
    let size = serde_json::to_vec(&told).unwrap().len();
    assert!(size < 1 << 20, "{size}");
}

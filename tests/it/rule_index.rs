//! The index of rules only saves work: it never changes what is made of a record.

use std::sync::Arc;

use config::Settings;
use engine::explain::Request;
use engine::pipeline::{Encoding, Pipeline};
use engine::rules::explain::{Asked, Private};
use engine::rules::{RuleSet, Uses};
use engine::timestamp::Timestamp;
use engine::view::{Origin, Signal};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1 as sent;
use simulator::draw::Dice;
use testkit::{key, protobuf, settings};

const NAMES: [&str; 16] = [
    "bot.interaction",
    "bot.interaction thread",
    "bot.ingress slack",
    "bot.context.load",
    "bot.authorize",
    "bot.input.validate",
    "bot.feedback",
    "bot.acknowledged",
    "bot.authz.denied",
    "gen_ai.evaluation.result",
    "send message",
    "chat",
    "exception",
    "session.start",
    "b",
    "",
];
const KEYS: [&str; 20] = [
    "gen_ai.operation.name",
    "openinference.span.kind",
    "bot.outcome",
    "bot.platform",
    "bot.command.name",
    "bot.attempt.number",
    "bot.search.mode",
    "bot.input.verdict",
    "bot.tool.write",
    "bot.job.name",
    "db.system",
    "http.request.method",
    "http.response.status_code",
    "messaging.operation.type",
    "faas.trigger",
    "faas.coldstart",
    "exception.type",
    "error.type",
    "event.name",
    "gen_ai.usage.input_tokens",
];
const TEXTS: [&str; 14] = [
    "chat",
    "invoke_agent",
    "execute_tool",
    "retrieval",
    "LLM",
    "TOOL",
    "AGENT",
    "send",
    "http",
    "true",
    "429",
    "bot.feedback",
    "caf\u{e9}",
    "",
];

fn pick<'t>(dice: &mut Dice, all: &[&'t str]) -> &'t str {
    all[dice.bits() as usize % all.len()]
}

fn attributes(dice: &mut Dice) -> Vec<KeyValue> {
    let count = dice.bits() as usize % 7;
    let value = |dice: &mut Dice| match dice.bits() % 8 {
        0 => Some(Any::IntValue(429)),
        1 => Some(Any::BoolValue(true)),
        2 => Some(Any::DoubleValue(0.5)),
        3 => None,
        _ => Some(Any::StringValue(pick(dice, &TEXTS).into())),
    };
    let one = |dice: &mut Dice| KeyValue {
        key: pick(dice, &KEYS).into(),
        value: Some(AnyValue { value: value(dice) }),
        ..KeyValue::default()
    };
    (0..count).map(|_| one(dice)).collect()
}

fn spans(dice: &mut Dice) -> Vec<u8> {
    let event = |dice: &mut Dice| sent::span::Event {
        name: pick(dice, &NAMES).into(),
        attributes: attributes(dice),
        ..Default::default()
    };
    let span = |dice: &mut Dice| sent::Span {
        trace_id: dice.bits().to_be_bytes().repeat(2),
        span_id: dice.bits().to_be_bytes().into(),
        parent_span_id: if dice.bits().is_multiple_of(2) { Vec::new() } else { vec![1; 8] },
        name: pick(dice, &NAMES).into(),
        kind: (dice.bits() % 6) as i32,
        start_time_unix_nano: dice.bits() % 4 * 1_000_000_000,
        end_time_unix_nano: dice.bits() % 4 * 300_000_000_000_000,
        trace_state: pick(dice, &["", "", "ot=th:8", "ot=th:ffffffffffffff"]).into(),
        attributes: attributes(dice),
        events: (0..dice.bits() % 3).map(|_| event(dice)).collect(),
        status: Some(sent::Status { code: (dice.bits() % 3) as i32, ..Default::default() }),
        ..Default::default()
    };
    protobuf::traces((0..1_000).map(|_| span(dice)).collect())
}

fn logs(dice: &mut Dice) -> Vec<u8> {
    let record = |dice: &mut Dice| LogRecord {
        event_name: pick(dice, &NAMES).into(),
        attributes: attributes(dice),
        trace_id: dice.bits().to_be_bytes().repeat(2),
        span_id: dice.bits().to_be_bytes().into(),
        ..Default::default()
    };
    protobuf::logs((0..1_000).map(|_| record(dice)).collect())
}

/// All that is made of a request, one line for each record.
fn made(pipeline: &Pipeline, settings: &Settings, signal: Signal, body: &[u8]) -> Vec<String> {
    let private = Private::new(&settings.definitions);
    let asked = Asked { definitions: &settings.definitions, private: &private };
    let request = Request { signal, encoding: Encoding::Protobuf, body };
    let mut lines = Vec::new();
    let mut tell = |told: &engine::explain::Told<'_, '_, '_>| {
        lines.push(format!("{:?} {:?}", told.verdict, told.made));
    };
    pipeline.explain(request, asked, Timestamp(1), &mut tell).unwrap();
    lines
}

#[test]
fn the_index_of_rules_changes_no_result() {
    for pack in ["oscar", "span_metrics"] {
        let settings = settings(&format!("use: [{pack}]"));
        let key = key();
        let indexed = Pipeline::new(settings.plan(&key), Arc::default(), Timestamp(1));
        let plain = Pipeline::without_index(settings.plan(&key), Arc::default(), Timestamp(1));
        let mut dice = Dice::new(7);
        for _ in 0..3 {
            for (signal, body) in
                [(Signal::Traces, spans(&mut dice)), (Signal::Logs, logs(&mut dice))]
            {
                let one = made(&indexed, &settings, signal, &body);
                let other = made(&plain, &settings, signal, &body);
                assert!(one.len() >= 1_000);
                for (one, other) in one.iter().zip(&other) {
                    assert_eq!(one, other);
                }
                assert_eq!(one.len(), other.len());
            }
        }
        assert!(series(&indexed).len() > 3);
        assert_eq!(series(&indexed), series(&plain));
        let skips = |pipeline: &Pipeline| format!("{:?}", pipeline.counters().skips());
        assert_eq!(skips(&indexed), skips(&plain));
    }
}

/// Every series with its value, whatever the order.
fn series(pipeline: &Pipeline) -> Vec<String> {
    let families = pipeline.gather(Timestamp(2), false, |_| {});
    let rows = families.flat_map(|piece| {
        let name = piece.family.name.as_str().to_owned();
        piece.rows.into_iter().map(move |row| format!("{name} {:?} {:?}", row.labels, row.value))
    });
    let mut all: Vec<String> = rows.collect();
    all.sort();
    all
}

/// The index is worth little when rules need nothing: in the packs all of them wait for a name or an attribute.
#[test]
fn the_rules_of_the_packs_wait_for_signs() {
    let settings = settings("use: [oscar]");
    let rules = RuleSet::new(&settings.definitions, &key());
    assert_eq!(rules.unindexed(), [""; 0]);
}

#[test]
fn a_key_is_a_label_or_decides_something_or_is_of_no_use() {
    let text = r#"
attributes: {model: {any_of: [{when: {local: "yes"}, then: local}, gen_ai.response.model, span.gen_ai.request.model]}, idle: {from: nobody.asks}}
records: {call: {from: span, where: {operation: chat}}}
metrics:
  calls_total: {help: C., type: counter, from: call, labels: {model: model, team: resource.team, own: service}}
  tokens_total: {help: T., type: counter, from: call, value: tokens, labels: {kind_of: team}}
"#;
    let uses = Uses::new(&settings(text).definitions);
    assert_eq!(uses.of(Origin::Log, "gen_ai.response.model"), Some(vec!["model"]));
    assert_eq!(uses.of(Origin::Span, "gen_ai.request.model"), Some(vec!["model"]));
    assert_eq!(uses.of(Origin::Log, "gen_ai.request.model"), None, "only of spans");
    assert_eq!(uses.of(Origin::Span, "operation"), Some(vec![]));
    assert_eq!(uses.of(Origin::Span, "local"), Some(vec![]), "it decides, and is no value");
    assert_eq!(uses.of(Origin::Span, "tokens"), Some(vec![]));
    assert_eq!(uses.of(Origin::Resource, "team"), Some(vec!["kind_of", "team"]));
    assert_eq!(uses.of(Origin::Resource, "service.name"), Some(vec!["own"]));
    assert_eq!(uses.of(Origin::Span, "nobody.asks"), None);
}

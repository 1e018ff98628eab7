//! The books balance, against each other and against the spans that are told.

use super::*;
use crate::day;
use crate::model::Model;
use crate::story::{self, Span, Value};

fn run(count: usize) -> (Truth, Vec<Trace>) {
    let mut truth = Truth::new(3, 60.0);
    let mut traces = Vec::new();
    for moment in Model::new(3, day::FIRST_MOMENT).take(count) {
        assert!(truth.happened(&moment));
        for trace in story::tell(&moment.what) {
            truth.told(&trace);
            traces.push(trace);
        }
    }
    (truth, traces)
}

fn value<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    span.attributes.iter().find(|(k, _)| *k == key).map(|(_, value)| value)
}

#[test]
fn the_books_agree_with_the_telemetry() {
    let (truth, traces) = run(6_000);
    let spans: Vec<&Span> = traces.iter().flat_map(|trace| &trace.spans).collect();
    let named = |prefix: &str| spans.iter().filter(|s| s.name.starts_with(prefix)).count() as u64;
    assert_eq!(truth.interactions.total(), named("bot.interaction "));
    assert_eq!(truth.chat_calls.total(), named("chat "));
    assert_eq!(truth.tools.total(), named("execute_tool "));
    assert_eq!(truth.retrievals.total(), named("retrieval "));
    assert_eq!(truth.attempts.total(), named("invoke_agent oscar-"));
    assert_eq!(truth.webhooks.total(), named("bot.webhook "));
    assert_eq!(truth.jobs.total(), named("bot.job "));
    assert_eq!(truth.ingress.total(), named("bot.ingress"));
    assert_eq!(truth.durations.count(), truth.interactions.total());
    assert_eq!(truth.spans.made, spans.len() as u64);
    let tokens: i64 = spans
        .iter()
        .filter(|span| span.name.starts_with("chat "))
        .filter_map(|span| match value(span, "gen_ai.usage.input_tokens") {
            Some(Value::Int(tokens)) => Some(*tokens),
            _ => None,
        })
        .sum();
    assert_eq!(truth.tokens.sum_where(|[_, kind]| *kind == "input"), tokens as u64);
    let errors = Some(&Value::from("error"));
    let told = spans.iter().filter(|span| value(span, "bot.outcome") == errors).count() as u64;
    assert_eq!(truth.interactions.sum_where(|[outcome, ..]| *outcome == "error"), told);
    let logs = |name: &str| -> u64 {
        traces.iter().flat_map(|t| &t.logs).filter(|log| log.name == name).count() as u64
    };
    assert_eq!(truth.actions.total(), logs("bot.action"));
    assert_eq!(truth.confirmations.total(), logs("bot.confirmation"));
    assert_eq!(truth.security.total(), logs("bot.security"));
    assert_eq!(truth.authz_denied.total(), logs("bot.authz.denied"));
    assert_eq!(truth.guardrail.total(), logs("bot.guardrail.intervened"));
    assert_eq!(truth.sessions_started, logs("bot.session.start"));
    assert_eq!(truth.sessions_ended, logs("bot.session.end"));
    assert_eq!(truth.slow, logs("bot.slow"));
    let feedback = spans.iter().flat_map(|span| &span.events);
    assert_eq!(
        truth.feedback.total(),
        feedback.filter(|event| event.name == "bot.feedback").count() as u64
    );
    assert!(truth.feedback.total() > 0 && truth.actions.total() > 0 && truth.slow > 0);
}

#[test]
fn the_document_is_replaced_as_a_whole_and_counts_down_to_infinity() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("truth.json");
    let (truth, _) = run(2_000);
    Truth::new(3, 60.0).write(&path).unwrap();
    truth.write(&path).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let rows = document["interactions"].as_array().unwrap();
    let sum: u64 = rows.iter().map(|row| row["count"].as_u64().unwrap()).sum();
    assert_eq!(sum, truth.interactions.total());
    assert!(rows.iter().all(|row| row["outcome"].is_string() && row["kind"].is_string()));
    for row in document["durations"].as_array().unwrap() {
        let buckets = row["buckets"].as_array().unwrap();
        assert_eq!(buckets.len(), counts::EDGES.len() + 1);
        let counts: Vec<u64> = buckets.iter().map(|b| b["count"].as_u64().unwrap()).collect();
        assert!(counts.is_sorted());
        assert_eq!(counts.last(), row["count"].as_u64().as_ref());
    }
    assert!(document["distinct_users"].is_u64());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

//! From a request's bytes to a scrape, by configs of a few lines.

use serde_json::Value;
use testkit::json::{self, texts};

use crate::support::{JSON, post, serve_config};

fn spans(attributes: impl Iterator<Item = Value>) -> String {
    let span = |(at, attributes)| json::span("x", (at, at), (0, 0), attributes);
    json::traces(&(1..).zip(attributes).map(span).collect::<Vec<_>>()).to_string()
}

#[test]
fn ten_thousand_label_values_fold_and_the_total_stays_exact() {
    let server = serve_config(Some(
        "metrics:\n  tools_total: {help: T., type: counter, from: span, labels: {tool: span.tool}}\n",
    ));
    let body = spans((0..10_000).map(|at| texts(&[("tool", &format!("tool-{at}"))])));
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", JSON, body.as_bytes()).status, 200);
    let sums = server.sums("tools_total", &["tool"]);
    assert_eq!(sums.values().sum::<f64>(), 10_000.0);
    assert_eq!(sums.len(), 2000, "the one they fold to included");
    assert_eq!(sums[&vec!["other".to_owned()]], 8001.0);
    assert_eq!(
        server.value("oscar_metrics_series_overflow_total", &[("metric", "tools_total")]),
        8001.0
    );
    server.works();
}

#[test]
fn a_malformed_request_changes_nothing_but_its_counter() {
    let server =
        serve_config(Some("metrics:\n  spans_total: {help: S., type: counter, from: span}\n"));
    let good = spans((0..3).map(|_| texts(&[("a", "b")])));
    let cut = good.strip_suffix("]}]}").unwrap();
    let otlp = server.address("otlp_http");
    assert_eq!(post(otlp, "/v1/traces", JSON, cut.as_bytes()).status, 400);
    assert_eq!((server.received(), server.refused("http", "malformed")), (0.0, 1.0));
    assert!(server.scrape().contains("\nspans_total 0\n"));
    assert_eq!(post(otlp, "/v1/traces", JSON, good.as_bytes()).status, 200);
    assert!(server.scrape().contains("\nspans_total 3\n"));
    assert_eq!(post(otlp, "/v1/traces", JSON, good.as_bytes()).status, 200);
    assert!(server.scrape().contains("\nspans_total 3\n"), "the same spans again count once");
    assert_eq!((server.received(), server.accepted()), (6.0, 3.0));
}

#[test]
fn late_records_are_rejected_and_told() {
    let server = serve_config(Some(
        "limits: {late: 1h}\nmetrics:\n  spans_total: {help: S., type: counter, from: span}\n",
    ));
    let span = |id, end| json::span("x", (1, id), (0, end), texts(&[]));
    let body = json::traces(&[span(1, 1_000_000_000), span(2, 0)]).to_string();
    let reply = post(server.address("otlp_http"), "/v1/traces", JSON, body.as_bytes());
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(told["partialSuccess"]["rejectedSpans"], "1");
    assert_eq!(told["partialSuccess"]["errorMessage"], "rejected: 1 late");
    assert_eq!((server.received(), server.accepted()), (2.0, 1.0));
}

#[test]
fn what_is_unique_counts_once_and_a_resent_span_only_as_a_duplicate() {
    let server = serve_config(Some(
        "records: {once: {from: span, where: {name: x}, unique: [trace_id]}}\n\
         metrics: {once_total: {help: O., type: counter, from: once}}\n",
    ));
    let span = |id| json::span("x", (7, id), (0, 0), texts(&[]));
    let body = json::traces(&[span(1), span(2)]).to_string();
    let repeated = || server.value("oscar_metrics_repeated_items_total", &[("record", "once")]);
    for _ in 0..2 {
        post(server.address("otlp_http"), "/v1/traces", JSON, body.as_bytes());
        assert_eq!((server.value("once_total", &[]), repeated()), (1.0, 1.0));
    }
    assert_eq!((server.received(), server.accepted()), (4.0, 2.0));
}

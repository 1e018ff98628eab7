//! The simulated bot on the real SDK, and the built-in config: what it did is what the series say.

use std::collections::BTreeMap;
use std::time::Duration;

use oscar_metrics::traffic::bot::{self, BotOptions};
use serde_json::Value;

use crate::support::{Server, serve_config};

/// The truth's rows of one list, added up by these of their labels.
fn truth(document: &Value, list: &str, by: &[&str]) -> BTreeMap<Vec<String>, f64> {
    let mut sums = BTreeMap::new();
    for row in document[list].as_array().unwrap() {
        let key = by.iter().map(|name| row[name].as_str().unwrap().to_owned()).collect();
        *sums.entry(key).or_default() += row["count"].as_f64().unwrap();
    }
    sums.retain(|_, sum| *sum != 0.0);
    sums
}

fn run(server: &Server) -> Value {
    let options = BotOptions {
        endpoint: format!("http://{}", server.address("otlp_grpc")),
        speed: 600.0,
        seed: 7,
        truth: None,
        duration: Some(Duration::from_secs(4)),
        incident: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let truth = runtime.block_on(bot::run(options, std::future::pending())).unwrap();
    serde_json::to_value(truth).unwrap()
}

#[test]
fn what_the_bot_did_is_what_the_series_say() {
    let server = serve_config(None);
    let document = run(&server);
    assert_eq!(document["spans"]["made"], document["spans"]["exported"], "all of it arrived");
    for (list, theirs, metric, ours) in [
        (
            "interactions",
            &["outcome", "feature", "tier", "kind"][..],
            "bot_interactions_total",
            &["outcome", "feature", "tier", "kind"][..],
        ),
        ("chat_calls", &["model"], "bot_model_calls_total", &["model"]),
        ("tools", &["tool", "outcome"], "bot_tool_calls_total", &["tool", "outcome"]),
        ("attempts", &["number", "strategy"], "bot_agent_attempts_total", &["number", "strategy"]),
        ("retrievals", &["source"], "bot_retrievals_total", &["source"]),
        ("guardrail", &["stage"], "bot_guardrail_interventions_total", &["stage"]),
        ("security", &["type"], "bot_security_events_total", &["kind"]),
        ("authz_denied", &["reason"], "bot_authorization_denials_total", &["reason"]),
        ("feedback", &["label"], "bot_feedback_total", &["label"]),
        ("actions", &["verb", "result"], "bot_actions_total", &["action", "result"]),
        ("confirmations", &["stage"], "bot_confirmations_total", &["stage"]),
        ("identity", &["change"], "bot_identity_events_total", &["change"]),
        ("webhooks", &["event"], "bot_webhooks_total", &["event"]),
        ("jobs", &["name"], "bot_jobs_total", &["job"]),
    ] {
        let expected = truth(&document, list, theirs);
        assert!(!expected.is_empty(), "the bot did nothing of {list}");
        assert_eq!(server.sums(metric, ours), expected, "{metric}");
    }
    tokens(&server, &document);
    durations(&server, &document);
    let received = server.received();
    assert_eq!(document["spans"]["made"].as_f64(), Some(received));
    assert_eq!(server.accepted(), received);
}

/// Inference spans only: the enclosing agent spans carry the same numbers again.
fn tokens(server: &Server, document: &Value) {
    let mut expected = truth(document, "tokens", &["model", "type"]);
    expected.retain(|key, _| key[1] != "cache_read");
    assert_eq!(server.sums("bot_tokens_total", &["model", "type"]), expected);
}

/// Of what counts as usage: a denied message took no time worth knowing.
fn durations(server: &Server, document: &Value) {
    let counts = server.sums("bot_interaction_duration_seconds_count", &["outcome"]);
    let buckets = server.sums("bot_interaction_duration_seconds_bucket", &["outcome", "le"]);
    let mut compared = 0;
    for row in document["durations"].as_array().unwrap() {
        let outcome = row["outcome"].as_str().unwrap().to_owned();
        let Some(count) = counts.get(&vec![outcome.clone()]) else {
            assert!(["denied", "ignored", "duplicate"].contains(&&*outcome), "{outcome}");
            continue;
        };
        assert_eq!(*count, row["count"].as_f64().unwrap(), "{outcome}");
        for bucket in row["buckets"].as_array().unwrap() {
            let le = bucket["le"].as_str().unwrap().to_owned();
            let ours = buckets.get(&vec![outcome.clone(), le.clone()]).copied().unwrap_or(0.0);
            assert_eq!(ours, bucket["count"].as_f64().unwrap(), "{outcome} le {le}");
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared} buckets compared");
}

#[test]
fn nothing_personal_is_shown() {
    let server = serve_config(None);
    run(&server);
    let scrape = server.scrape();
    let samples: Vec<&str> = scrape.lines().filter(|line| !line.starts_with('#')).collect();
    // People are `U` and seven digits, conversations sixteen hexadecimal digits: see `traffic::story`.
    let personal = regex::Regex::new(r#""U\d{7}"|"[0-9a-f]{16}"|private question"#).unwrap();
    assert!(personal.is_match(r#"x{user="U0000017"} 1"#) && samples.len() > 500);
    let shown: Vec<&&str> = samples.iter().filter(|line| personal.is_match(line)).collect();
    assert!(shown.is_empty(), "{shown:?}");
}

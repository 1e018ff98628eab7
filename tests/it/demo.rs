//! The simulated bot on the real SDK, and the built-in config: what it did is what the series say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use simulator::bot::{self, BotOptions};
use simulator::day;
use simulator::incident::{Incident, Script};

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
    run_with(server, None)
}

fn run_with(server: &Server, incident: Option<Script>) -> Value {
    let options = BotOptions {
        endpoint: format!("http://{}", server.address("otlp_grpc")),
        speed: 600.0,
        seed: 7,
        truth: None,
        duration: Some(Duration::from_secs(4)),
        incident,
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
        ("jobs", &["name"], "bot_jobs_total", &["job_name"]),
    ] {
        let expected = truth(&document, list, theirs);
        assert!(!expected.is_empty(), "the bot did nothing of {list}");
        assert_eq!(server.sums(metric, ours), expected, "{metric}");
    }
    tokens(&server, &document);
    cost(&server, &document);
    durations(&server, &document);
    people(&server, &document);
    conversations(&server, &document);
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

/// Exact but for the last bits of sums of doubles: tokens times the table in the pack, and what was read from a cache apart.
fn cost(server: &Server, document: &Value) {
    let tokens = truth(document, "tokens", &["model", "type"]);
    for (table, kind, metric, labels) in [
        ("usd_per_input_token", "input", "bot_cost_usd_total", &["model", "type"][..]),
        ("usd_per_output_token", "output", "bot_cost_usd_total", &["model", "type"]),
        ("usd_saved_per_cached_token", "cache_read", "bot_cost_saved_usd_total", &["model"]),
    ] {
        let sums = server.sums(metric, labels);
        let prices = prices(table);
        let mut compared = 0;
        for (key, count) in tokens.iter().filter(|(key, _)| key[1] == kind) {
            let wanted = prices[&key[0]] * count;
            let got = sums[&key[..labels.len()]];
            assert!((got - wanted).abs() < 1e-9 * wanted, "{metric} {key:?}: {got}, not {wanted}");
            compared += 1;
        }
        assert_eq!(compared, 2, "{metric}: two models");
    }
    assert!(server.sums("oscar_metrics_rule_skips_total", &["metric"]).is_empty());
}

/// A table of the pack, read from its text.
fn prices(table: &str) -> BTreeMap<String, f64> {
    let pack = include_str!("../../config/packs/genai/metrics.yaml");
    let (_, after) = pack.split_once(&format!("  {table}:\n")).unwrap();
    let rows = after.lines().map_while(|line| line.strip_prefix("    ")?.split_once(": "));
    rows.map(|(model, price)| (model.to_owned(), price.parse().unwrap())).collect()
}

/// Exact while they are fewer than 65,536; all of it happened within the shortest window.
fn people(server: &Server, document: &Value) {
    for window in ["1d", "7d", "28d"] {
        let got = server.value("bot_active_users", &[("window", window)]);
        assert_eq!(Some(got), document["distinct_users"].as_f64(), "{window}");
    }
    let new = server.value("bot_active_users_new_total", &[]);
    assert_eq!(Some(new), document["distinct_users"].as_f64());
}

/// Turns and the bot's own word on conversations are exact. Of the conversations as we follow them none ends twice; but spans and log
/// records come in requests of their own, and an end that comes before its turn ends nothing: that one is told when it was
/// quiet for half an hour.
fn conversations(server: &Server, document: &Value) {
    assert_eq!(server.sums("bot_turns_total", &["turn"]), truth(document, "turns", &["turn"]));
    let events = server.sums("bot_session_events_total", &["event"]);
    let event = |name: &str| events[&vec![name.to_owned()]];
    assert_eq!(Some(event("start")), document["sessions_started"].as_f64());
    assert_eq!(Some(event("end")), document["sessions_ended"].as_f64());
    let ended: f64 = server.sums("bot_sessions_total", &[]).values().sum();
    assert!(ended > 0.0 && ended <= event("end"), "{ended} of {}", event("end"));
}

/// Whatever goes wrong at the bot, the books agree: of what folds, the totals.
#[test]
fn an_explosion_of_labels_folds_and_is_counted() {
    let server = serve_config(None);
    let from = day::FIRST_MOMENT + 60.0;
    let script = Script { incident: Incident::LabelExplosion, from, until: from + 1800.0 };
    let document = run_with(&server, Some(script));
    assert_eq!(document["incident"]["name"], "label_explosion");
    assert!(document["incident"]["ended_unix_seconds"].is_f64());
    let (true_tools, shown) =
        (truth(&document, "tools", &["tool"]), server.sums("bot_tool_calls_total", &["tool"]));
    assert!(true_tools.len() > 100, "{}", true_tools.len());
    assert_eq!(shown.len(), 61, "the limit and `other`");
    assert_eq!(shown.values().sum::<f64>(), true_tools.values().sum::<f64>());
    let outcomes = server.sums("bot_tool_calls_total", &["outcome"]);
    assert_eq!(outcomes, truth(&document, "tools", &["outcome"]));
    let folded =
        server.value("oscar_metrics_series_overflow_total", &[("metric", "bot_tool_calls_total")]);
    assert!(folded > 50.0, "{folded}");
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

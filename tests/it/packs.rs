//! The built-in packs count honestly: what they call use, failure, tokens and cost, rule by rule.

use std::collections::BTreeMap;

use engine::model::RowValue;
use engine::pipeline::Pipeline;
use engine::rules::definition;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use serde_json::{Value, json};
use testkit::json::{self, attributes, event, traces, with};
use testkit::{NOW, SECOND, key, pipeline, settings};

/// The built-in config with more laid over it.
struct Packs(Pipeline);

fn packs(more: &str) -> Packs {
    Packs(pipeline(&format!("use: [oscar]\n{more}"), NOW))
}

/// A span: its name, its own number and its parent's (0: none), its attributes.
fn span(name: &str, (id, parent): (u64, u64), pairs: Value) -> Value {
    let parent = if parent == 0 { String::new() } else { format!("{parent:016x}") };
    let times = (NOW.0 - 5 * SECOND, NOW.0);
    let span = json::span(name, (id / 100 + 1, id), times, attributes(pairs));
    with(span, json!({"parentSpanId": parent, "kind": 1}))
}

fn interaction(id: u64, mut pairs: Value) -> Value {
    let map = pairs.as_object_mut().unwrap();
    map.entry("user.id").or_insert_with(|| json!("U1"));
    map.entry("bot.feature").or_insert_with(|| json!("knowledge"));
    span("bot.interaction knowledge", (id, 0), pairs)
}

fn failed(mut span: Value) -> Value {
    span["status"] = json!({"code": 2});
    span
}

impl Packs {
    fn send(&self, spans: &[Value]) {
        let outcome = json::ingest(&self.0, Signal::Traces, &traces(spans), NOW);
        assert_eq!(outcome.rejected, 0, "{}", outcome.message);
    }

    /// What a metric holds, by these labels; sums of 0 are left out.
    fn sums(&self, metric: &str, by: &[&str]) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for piece in crate::support::families(&self.0, Timestamp(NOW.0 + 1)) {
            for row in piece.rows.iter().filter(|_| piece.family.name.as_str() == metric) {
                let label = |name: &&str| {
                    let found = row.labels.0.iter().find(|(label, _)| label.as_str() == *name);
                    found.map_or(String::new(), |(_, value)| value.to_string())
                };
                let value = match &row.value {
                    RowValue::Counter(value, _) | RowValue::Gauge(value) => *value,
                    RowValue::Histogram(held) => held.counts.iter().sum(),
                    other => panic!("{other:?}"),
                };
                let labels: Vec<String> = by.iter().map(label).collect();
                *sums.entry(labels.join("/")).or_default() += value;
            }
        }
        sums.retain(|_, sum| *sum != 0.0);
        sums
    }

    fn total(&self, metric: &str) -> f64 {
        self.sums(metric, &[]).values().sum()
    }
}

fn expected(rows: &[(&str, f64)]) -> BTreeMap<String, f64> {
    rows.iter().map(|(labels, value)| ((*labels).to_owned(), *value)).collect()
}

#[test]
fn the_bot_says_how_it_ended_then_declared_errors_then_the_status() {
    let packs = packs("");
    packs.send(&[
        interaction(100, json!({})),
        // The bot's own word, against everything else.
        failed(interaction(200, json!({"bot.outcome": "answered", "error.type": "timeout"}))),
        interaction(300, json!({"bot.outcome": "timeout"})),
        // A friendly apology: the span is without a fault, the error is declared.
        interaction(400, json!({"error.type": "tool_error"})),
        interaction(500, json!({"bot.tool.outcome": "declared_error"})),
        interaction(600, json!({"bot.tool.outcome": "ok"})),
        failed(interaction(700, json!({}))),
        interaction(800, json!({"bot.outcome": "exploded"})),
    ]);
    let outcomes = [("answered", 3.0), ("error", 3.0), ("other", 1.0), ("timeout", 1.0)];
    assert_eq!(packs.sums("bot_interactions_total", &["outcome"]), expected(&outcomes));
    let errors = packs.sums("bot_interaction_errors_total", &["error_type"]);
    assert_eq!(errors, expected(&[("_OTHER", 1.0), ("none", 2.0), ("tool_error", 1.0)]));
}

#[test]
fn an_attempt_that_failed_is_no_failure_of_the_message() {
    let packs = packs("");
    let attempt = |id, number: &str, pairs: Value| {
        let mut pairs = pairs;
        pairs["gen_ai.operation.name"] = json!("invoke_agent");
        pairs["bot.attempt.number"] = json!(number);
        pairs["bot.attempt.strategy"] = json!("context");
        span("invoke_agent oscar", (id, 100), pairs)
    };
    packs.send(&[
        interaction(100, json!({"bot.outcome": "answered"})),
        failed(attempt(101, "1", json!({"error.type": "sessionExpired"}))),
        failed(attempt(102, "2", json!({"error.type": "throttlingException"}))),
        attempt(103, "3", json!({})),
    ]);
    assert_eq!(packs.sums("bot_interactions_total", &["outcome"]), expected(&[("answered", 1.0)]));
    assert_eq!(packs.total("bot_interaction_errors_total"), 0.0);
    let attempts = [("1/session_expired", 1.0), ("2/throttled", 1.0), ("3/ok", 1.0)];
    let got = packs.sums("bot_agent_attempts_total", &["number", "result"]);
    assert_eq!(got, expected(&attempts));
}

#[test]
fn tools_say_whether_they_failed_the_call_or_the_matter() {
    let packs = packs("");
    let tool = |id, pairs: Value| {
        let mut pairs = pairs;
        pairs["gen_ai.operation.name"] = json!("execute_tool");
        pairs["gen_ai.tool.name"] = json!("trigger_job");
        span("execute_tool trigger_job", (id, 100), pairs)
    };
    packs.send(&[
        tool(101, json!({})),
        failed(tool(102, json!({"bot.tool.outcome": "declared_error"}))),
        tool(103, json!({"error.type": "http_5xx"})),
        failed(tool(104, json!({"error.type": "timeout"}))),
        tool(105, json!({"bot.tool.outcome": "rejected"})),
    ]);
    let outcomes =
        [("declared_error", 2.0), ("ok", 1.0), ("rejected", 1.0), ("transport_error", 1.0)];
    assert_eq!(packs.sums("bot_tool_calls_total", &["outcome"]), expected(&outcomes));
}

#[test]
fn what_is_no_use_is_left_out_of_use_and_shown_as_such() {
    let packs = packs("tables: {test_users: {UTEST: test}}\n");
    packs.send(&[
        interaction(100, json!({"user.id": "U1"})),
        interaction(200, json!({"user.id": "U2", "user_agent.synthetic.type": "test"})),
        interaction(300, json!({"user.id": "U3", "bot.author.type": "bot"})),
        interaction(400, json!({"user.id": "U4", "slack.bot.id": "B1"})),
        interaction(500, json!({"user.id": "UTEST"})),
        interaction(600, json!({"user.id": "U5", "bot.outcome": "denied"})),
        interaction(700, json!({"user.id": "U1", "bot.outcome": "duplicate"})),
        interaction(800, json!({"user.id": "U1", "bot.outcome": "ignored"})),
        interaction(900, json!({"user.id": "U6", "bot.interaction.kind": "schedule"})),
    ]);
    let excluded = [
        ("automatic", 1.0),
        ("bot", 2.0),
        ("denied", 1.0),
        ("duplicate", 1.0),
        ("ignored", 1.0),
        ("synthetic", 1.0),
        ("test_user", 1.0),
    ];
    let got = packs.sums("bot_excluded_interactions_total", &["reason"]);
    assert_eq!(got, expected(&excluded));
    assert_eq!(packs.total("bot_interactions_total"), 9.0, "all of them were handled");
    assert_eq!(packs.total("bot_interaction_duration_seconds"), 1.0, "one of them is use");
    assert_eq!(packs.sums("bot_active_users", &["window"])["28d"], 1.0);
    assert_eq!(packs.total("bot_turns_total"), 1.0);
}

#[test]
fn what_came_before_counts_once_and_a_second_delivery_counts_apart() {
    let packs = packs("");
    let again = |id, pairs: Value| {
        let mut pairs = pairs;
        pairs["http.response.status_code"] = json!(200);
        span("bot.ingress", (id, 0), pairs)
    };
    let turn = interaction(101, json!({}));
    packs.send(&[again(100, json!({})), turn.clone()]);
    packs.send(&[turn]);
    packs.send(&[again(200, json!({"slack.retry.num": 1, "slack.retry.reason": "http_timeout"}))]);
    assert_eq!(packs.total("bot_interactions_total"), 1.0);
    assert_eq!(packs.total("bot_ingress_total"), 2.0);
    assert_eq!(
        packs.sums("bot_redeliveries_total", &["reason"]),
        expected(&[("http_timeout", 1.0)])
    );
    let rejected = packs.sums("oscar_metrics_rejected_items_total", &["signal", "reason"]);
    assert_eq!(rejected, expected(&[("traces/duplicate", 1.0)]));
}

#[test]
fn tokens_are_those_of_the_leaves_and_cost_is_their_price() {
    let packs = packs("");
    let used = |input: u64, output: u64, model: &str, operation: &str| {
        json!({"gen_ai.operation.name": operation, "gen_ai.request.model": model,
               "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output})
    };
    packs.send(&[
        interaction(
            100,
            json!({"gen_ai.usage.input_tokens": 1100, "gen_ai.usage.output_tokens": 110}),
        ),
        span(
            "invoke_agent oscar",
            (101, 100),
            used(1100, 110, "claude-sonnet-4-5", "invoke_agent"),
        ),
        span("chat", (102, 101), used(1000, 100, "claude-sonnet-4-5", "chat")),
        span("chat", (103, 101), used(100, 10, "nobody-knows-1", "chat")),
    ]);
    let tokens = packs.sums("bot_tokens_total", &["model", "type"]);
    let leaves = [
        ("claude-sonnet-4-5/input", 1000.0),
        ("claude-sonnet-4-5/output", 100.0),
        ("nobody-knows-1/input", 100.0),
        ("nobody-knows-1/output", 10.0),
    ];
    assert_eq!(tokens, expected(&leaves));
    let cost = packs.total("bot_cost_usd_total");
    assert!((cost - (1000.0 * 0.000_003 + 100.0 * 0.000_015)).abs() < 1e-12, "{cost}");
    // A call of a model without a price adds nothing and is counted once, though neither its input nor its output has one.
    let skips = packs.sums("oscar_metrics_rule_skips_total", &["metric", "reason"]);
    assert_eq!(skips, expected(&[("bot_cost_usd_total/no_row", 1.0)]));
}

#[test]
fn a_price_that_changes_changes_the_future_only() {
    let spans = |id| {
        let pairs = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
                           "gen_ai.usage.input_tokens": 1000});
        [span("chat gpt-4o", (id, 0), pairs)]
    };
    let packs = packs("");
    packs.send(&spans(100));
    let before = packs.total("bot_cost_usd_total");
    assert!((before - 0.0025).abs() < 1e-12, "{before}");
    let text = "use: [oscar]\ntables: {usd_per_input_token: {gpt-4o: 0.000001}}\n";
    packs.0.reload(settings(text).plan(&key()), NOW);
    packs.send(&spans(200));
    let after = packs.total("bot_cost_usd_total");
    assert!((after - 0.0035).abs() < 1e-12, "{after}");
}

#[test]
fn who_is_too_busy_is_told_with_an_error_type_or_an_exception() {
    let packs = packs("");
    let exception = |span: Value| {
        let mut span = span;
        let pairs = json!({"exception.type": "botocore.errorfactory.ThrottlingException"});
        span["events"] = json!([event("exception", NOW.0, attributes(pairs))]);
        span
    };
    let chat = |id, mut pairs: Value| {
        pairs["openinference.span.kind"] = json!("LLM");
        failed(span("bedrock.converse", (id, 0), pairs))
    };
    packs.send(&[
        chat(100, json!({"error.type": "ThrottlingException"})),
        exception(chat(200, json!({"error.type": "ThrottlingException"}))),
        exception(chat(300, json!({}))),
        exception(chat(400, json!({"error.type": "timeout"}))),
    ]);
    assert_eq!(packs.sums("bot_throttles_total", &["dependency"]), expected(&[("model", 3.0)]));
}

/// A message with a model call and a click below it, all sampled by 3 in 4 thrown away.
fn sampled(id: u64) -> Vec<Value> {
    let state = |mut span: Value| {
        span["traceState"] = json!("vendor=1,ot=th:c");
        span
    };
    let call = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
                      "gen_ai.usage.input_tokens": 1000});
    let mut message = interaction(id, json!({}));
    let feedback = attributes(json!({"bot.feedback.label": "up"}));
    message["events"] = json!([{"name": "bot.feedback", "timeUnixNano": NOW.0.to_string(), "attributes": feedback}]);
    vec![state(message), state(span("chat gpt-4o", (id + 1, id), call))]
}

#[test]
fn a_weight_from_outside_is_ignored_until_the_file_declares_its_sampling() {
    for (more, weight) in
        [("", 1.0), ("sampling: {most: 4}\n", 4.0), ("sampling: {most: 3}\n", 1.0)]
    {
        let packs = packs(more);
        packs.send(&sampled(100));
        for metric in [
            "bot_interactions_total",
            "bot_interaction_duration_seconds",
            "bot_model_calls_total",
            "bot_feedback_total",
        ] {
            assert_eq!(packs.total(metric), weight, "{metric} with {more:?}");
        }
        assert_eq!(packs.total("bot_tokens_total"), 1000.0 * weight);
        let skips = packs.sums("oscar_metrics_rule_skips_total", &["metric", "reason"]);
        let ignored: BTreeMap<_, _> =
            skips.into_iter().filter(|(labels, _)| labels.ends_with("/weight")).collect();
        assert_eq!(ignored.is_empty(), weight > 1.0, "{ignored:?}");
        assert!(ignored.values().all(|count| *count == 1.0), "{ignored:?}");
        let classes: Vec<_> = packs.0.counters().ignored_weights().into_keys().flatten().collect();
        let expected: &[&str] =
            if more.is_empty() { &["feedback", "interaction", "llm_call"] } else { &[] };
        assert_eq!(classes, expected);
    }
}

#[test]
fn no_metric_of_the_bot_believes_a_weight() {
    let definitions = testkit::built_in().definitions;
    fn most(records: &[definition::RecordClass], from: &[definition::From]) -> f64 {
        let ways = from.iter().map(|from| match from {
            definition::From::Source(definition::Source::Span | definition::Source::SpanEvent) => {
                f64::INFINITY
            }
            definition::From::Source(_) => 1.0, // has no weight
            definition::From::Record(at) => {
                let class = &records[*at];
                class.most.unwrap_or(f64::INFINITY).min(most(records, &class.from))
            }
        });
        ways.fold(0.0, f64::max)
    }
    for metric in &definitions.metrics {
        assert_eq!(most(&definitions.records, &metric.from), 1.0, "{}", metric.name.as_str());
    }
}

/// The pack repeats records of the packs below it, only to bound their weights.
#[test]
fn what_oscar_repeats_of_other_packs_is_the_same_but_for_its_most() {
    let records = |pack: &str| {
        let mut merged = testkit::load(&format!("use: [{pack}]")).merged;
        let config::Kind::Map(sections) = &mut merged.kind else { panic!() };
        let mut records =
            sections.iter_mut().find(|one| one.key == "records").unwrap().value.clone();
        let config::Kind::Map(records) = &mut records.kind else { panic!() };
        for record in &mut *records {
            if let config::Kind::Map(keys) = &mut record.value.kind {
                keys.retain(|key| key.key != "most");
            }
        }
        std::mem::take(records)
    };
    let oscar = records("oscar");
    for below in records("openinference") {
        let above = oscar.iter().find(|one| one.key == below.key).unwrap();
        assert_eq!(above.value, below.value, "{}", below.key);
    }
}

//! `explain` says of each record what became of it and why, in the same words for the same file, and what it says is what a
//! server does.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use engine::explain::{Counts, Request};
use engine::model::{Op, RowValue};
use engine::pipeline::{Encoding, Pipeline};
use engine::rules::definition;
use engine::rules::explain::{Asked, Private};
use engine::view::Signal;
use oscar_metrics::explain::{Question, report};
use oscar_metrics::{Exit, Failure};
use serde_json::{Value, json};
use simulator::bot::{self, BotOptions};
use testkit::json::{self, attributes, gauge, logs, metrics, sum, traces};
use testkit::{NOW, SECOND, built_in, key, labels, settings};

use crate::support::{PROTOBUF, post, serve_config};
use crate::traffic::sink::{Manner, Sink};

fn question() -> Question {
    Question { name: "file.json".into(), ..Question::default() }
}

fn told(config: &str, file: &[u8], question: &Question) -> Result<String, Failure> {
    let mut out = Vec::new();
    report((&settings(config), &key()), question, file, NOW, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The story of a file whose requests these are, one a line.
fn story(config: &str, requests: &[Value]) -> String {
    let lines: Vec<String> = requests.iter().map(Value::to_string).collect();
    told(config, lines.join("\n").as_bytes(), &question()).unwrap()
}

/// A time so many seconds before now.
fn ago(seconds: u64) -> String {
    (NOW.0 - seconds * SECOND).to_string()
}

/// A span that took 1.25 s, by its number.
fn span(number: u8, name: &str, pairs: Value) -> Value {
    let times = (NOW.0 - 2_250_000_000, NOW.0 - SECOND);
    json::span(name, (1, number.into()), times, attributes(pairs))
}

fn point(pairs: Value, value: f64) -> Value {
    json::point((NOW.0 - 60 * SECOND, NOW.0 - SECOND), value, attributes(pairs))
}

const CONFIG: &str = r#"
privacy: {drop: ["secret.*"]}
tables: {price: {model-a: 0.5}}
attributes:
  user: {any_of: [user.id], hash: true}
  operation: {any_of: [gen_ai.operation.name, openinference.span.kind], map: {LLM: chat}}
records:
  llm_call: {from: span, where: {operation: [chat, generate_content]}}
  usage: {from: llm_call, where: {outcome: {not: [denied, ignored]}}}
  feedback: {from: [span_event, log], where: {name: bot.feedback}, unique: [trace_id, name]}
metrics:
  calls_total: {help: Calls., type: counter, from: llm_call, labels: {outcome: {from: outcome, values: [ok, error], default: ok}}}
  tokens_total:
    help: Tokens.
    type: counter
    from: usage
    parts:
      - {value: in, labels: {type: {default: in}}}
      - {value: out, labels: {type: {default: out}}}
  cost_total: {help: Cost., type: counter, from: usage, value: {from: in, scale: {from: model, map: price}}}
  duration_seconds: {help: Time., type: histogram, from: span, where: {name: "chat*", attempt: {ge: 2}}, value: duration, buckets: [1s, 2s]}
  depth: {help: Depth., type: gauge, from: span, where: {name: queue}, value: depth}
  feedback_total: {help: Feedback., type: counter, from: feedback, labels: {label: label}}
  replies_total: {help: R., type: counter, from: datapoint, where: {name: bot.replies}, labels: {result: {from: point.result, values: [ok, bad]}}}
"#;

#[test]
fn a_span_is_taken_by_several_rules() {
    let attributes = json!({"gen_ai.operation.name": "chat", "in": 12, "out": 3, "model": "model-a", "attempt": 2, "outcome": "odd"});
    insta::assert_snapshot!(story(CONFIG, &[traces(&[span(1, "chat model-a", attributes)])]));
}

#[test]
fn unknown_times_and_ignored_weights_are_explained() {
    let config = r#"
records: {message: {from: span, where: {name: "bot.*"}, most: 1}}
metrics:
  messages_total: {help: M., type: counter, from: message}
  spans_total: {help: S., type: counter, from: span}
  message_seconds: {help: T., type: histogram, from: message, value: duration, buckets: [1s, 2s]}
  tokens_total: {help: N., type: counter, from: message, parts: [{value: in}, {value: out}]}
"#;
    let sampled = |mut span: Value, threshold: &str| {
        span["traceState"] = json!(format!("ot=th:{threshold}"));
        span
    };
    let mut unknown = span(2, "bot.message", json!({"in": 1_000_001}));
    unknown["startTimeUnixNano"] = json!("0");
    let mut long = span(3, "bot.message", json!({}));
    long["startTimeUnixNano"] = json!((NOW.0 / 1_000_000).to_string());
    insta::assert_snapshot!(story(
        config,
        &[traces(&[
            sampled(span(1, "bot.message", json!({"in": 5, "out": 2})), "c"),
            unknown,
            long,
            sampled(span(4, "bot.message", json!({"in": 1e300})), "ffffffffffffff"),
        ])]
    ));
}

#[test]
fn each_kind_of_condition_is_told_when_it_fails() {
    let config = r#"
attributes: {role: {any_of: [role.new, role.old]}}
records: {base: {from: span, where: {name: "job*"}}, inner: {from: base, where: {role: admin}}}
metrics:
  exact_total: {help: X., type: counter, from: base, where: {kind: server}}
  list_total: {help: X., type: counter, from: base, where: {color: [red, "gr*", "/bl.e/", dark brown]}}
  not_total: {help: X., type: counter, from: base, where: {color: {not: [pink, white]}}}
  not_one_total: {help: X., type: counter, from: base, where: {color: {not: pink}}}
  exists_total: {help: X., type: counter, from: base, where: {size: {exists: true}}}
  absent_total: {help: X., type: counter, from: base, where: {color: {exists: false}}}
  number_total: {help: X., type: counter, from: base, where: {duration: {gt: 2s, le: 5s}}}
  literal_total: {help: X., type: counter, from: base, where: {color: {is: "*"}}}
  class_total: {help: X., type: counter, from: inner}
  origin_total: {help: X., type: counter, from: base, where: {resource.color: pink}}
  either_total: {help: X., type: counter, from: base, where: [{color: pink, kind: client}, {color: red}]}
  far_total: {help: X., type: counter, from: span, where: {name: other}}
  log_total: {help: X., type: counter, from: log}
"#;
    let file = traces(&[span(1, "job x", json!({"color": "pink"}))]).to_string();
    let all = Question { all: true, ..question() };
    insta::assert_snapshot!(told(config, file.as_bytes(), &all).unwrap());
}

#[test]
fn near_misses_are_few_and_those_alike_stand_together() {
    let spans = [
        span(1, "chat", json!({"gen_ai.operation.name": "chat", "outcome": "denied"})),
        span(2, "chats", json!({"gen_ai.operation.name": "execute_tool", "attempt": 1})),
        span(3, "unheard of", json!({})),
        span(4, "queue", json!({"depth": "deep"})),
        span(5, "queues", json!({})),
    ];
    insta::assert_snapshot!(story(CONFIG, &[traces(&spans)]));
}

#[test]
fn events_logs_and_what_is_unique() {
    let event = |label: &str| {
        json::event("bot.feedback", NOW.0 - SECOND, attributes(json!({"label": label})))
    };
    let mut one = span(1, "message", json!({}));
    one["events"] = json!([event("up"), {"name": "noise"}, event("down")]);
    let record = json!({"eventName": "bot.feedback", "timeUnixNano": ago(2), "traceId": format!("{:032x}", 2), "spanId": format!("{:016x}", 2),
        "attributes": attributes(json!({"label": "up"}))});
    let plain = json!({"body": {"stringValue": "what somebody said"}, "timeUnixNano": ago(2)});
    insta::assert_snapshot!(story(CONFIG, &[traces(&[one]), logs(&[record, plain])]));
}

#[test]
fn resent_late_and_unusable() {
    let config = format!("limits: {{late: 1h}}\n{CONFIG}");
    let chat = |number, pairs: Value| {
        let mut all = json!({"gen_ai.operation.name": "chat"});
        all.as_object_mut().unwrap().extend(pairs.as_object().unwrap().clone());
        span(number, "chat", all)
    };
    let mut late = chat(5, json!({"in": 1}));
    late["endTimeUnixNano"] = ago(7_200).into();
    let spans = [
        chat(1, json!({"in": "many"})),
        chat(2, json!({"in": 5, "model": "model-z"})),
        chat(3, json!({"in": -5, "model": "model-a"})),
        chat(1, json!({"in": 7})),
        late,
    ];
    let old = json!({"name": "g", "gauge": {"dataPoints": [{"timeUnixNano": ago(9_000), "asDouble": 1.0}]}});
    insta::assert_snapshot!(story(&config, &[traces(&spans), metrics(&[old])]));
}

#[test]
fn data_points_pass_are_relabelled_or_rejected() {
    let histogram = json!({"name": "http.server.duration", "unit": "ms", "histogram": {"aggregationTemporality": 2, "dataPoints": [
        {"startTimeUnixNano": ago(60), "timeUnixNano": ago(1), "count": "3", "sum": 12.5, "bucketCounts": ["1", "2", "0"],
         "explicitBounds": [5, 10], "attributes": attributes(json!({"user.id": "ada", "secret.key": "s3", "route": "/x"}))}]}});
    let mut level = gauge("bot.replies", &[point(json!({}), 4.0)]);
    level["unit"] = "s".into(); // else its name is that of the counter in OpenMetrics
    let first = [
        histogram,
        sum(
            "bot.replies",
            2,
            &[point(json!({"result": "ok"}), 4.0), point(json!({"result": "odd"}), 1.0)],
        ),
        level,
        gauge("process_threads", &[point(json!({}), 1.0)]),
        gauge("empty", &[json!({"timeUnixNano": ago(1)})]),
        sum("c", 0, &[point(json!({}), 1.0)]),
        sum("x", 2, &[point(json!({}), 1.0)]),
    ];
    let config = format!("datapoints: {{pass: [\"*\"]}}\n{CONFIG}");
    let again = [
        sum("x", 2, &[point(json!({}), 1.0)]),
        gauge("x_total", &[point(json!({}), 1.0)]),
        gauge("ends", &[point(json!({}), 5.0)]),
    ];
    let ends = [gauge("ends", &[json!({"timeUnixNano": ago(0), "flags": 1})])];
    let all = [metrics(&first), metrics(&again), metrics(&ends)];
    insta::assert_snapshot!(story(&config, &all));
    let none = format!("datapoints: {{pass: []}}\n{CONFIG}");
    let text = story(&none, &[metrics(&[gauge("g", &[point(json!({}), 1.0)])])]);
    assert!(text.contains("`datapoints.pass` leaves its name out"), "{text}");
}

#[test]
fn one_metric_and_every_condition_on_the_way() {
    let spans = [
        span(1, "chat", json!({"gen_ai.operation.name": "chat", "outcome": "denied"})),
        span(2, "chat", json!({"gen_ai.operation.name": "chat", "in": 3})),
    ];
    let file = traces(&spans).to_string();
    let ask = |metric: &str| {
        let question = Question { metric: Some(metric.into()), ..question() };
        told(CONFIG, file.as_bytes(), &question).unwrap()
    };
    insta::assert_snapshot!(ask("tokens_total"));
    assert!(
        ask("feedback_total")
            .contains("No record in the file is of a kind that feedback_total reads.")
    );
    assert!(ask("nothing_total").contains("the config has no such metric"));
}

#[test]
fn what_is_private_is_hidden() {
    let config = r#"
privacy: {drop: ["secret.*", "prompt"]}
attributes:
  user: {any_of: [user.id], hash: true}
  tester: {any_of: [user.id], map: testers}
tables: {testers: {ada-lovelace: the-mapped-name}}
metrics:
  a_total: {help: A., type: counter, from: span, where: {name: "x*", user: {exists: false}}}
  b_total: {help: B., type: counter, from: span, where: {name: "x*", tester: {exists: false}}}
  c_total: {help: C., type: counter, from: span, where: {name: "x*", secret.key: open}}
  d_total: {help: D., type: counter, from: span, where: {name: "x*", span.user.id: {exists: false}}}
  e_total: {help: E., type: counter, from: log, where: {body: "x*"}}
"#;
    let private = json!({"user.id": "ada-lovelace", "secret.key": "s3cret", "prompt": "my-prompt"});
    let log = json!({"body": {"stringValue": "a-body"}, "attributes": attributes(private.clone())});
    let requests = [
        traces(&[span(1, "xy", private.clone())]),
        logs(&[log]),
        metrics(&[gauge("g", &[point(private, 1.0)])]),
    ];
    let lines: Vec<String> = requests.iter().map(Value::to_string).collect();
    let all = Question { all: true, ..question() };
    let text = told(config, lines.join("\n").as_bytes(), &all).unwrap();
    assert!(text.matches("(hidden)").count() >= 8, "{text}");
    for word in ["ada-lovelace", "the-mapped-name", "s3cret", "my-prompt", "a-body"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn nothing_in_a_name_moves_a_terminal_and_no_line_is_wide() {
    let hostile = format!("\u{1b}[2J\r\n{}", "x".repeat(5_000));
    let spans = [span(
        1,
        &hostile,
        json!({"gen_ai.operation.name": "chat", "outcome": hostile, "label": hostile}),
    )];
    let labelled = CONFIG.replace(
        "feedback_total: {help: Feedback., type: counter, from: feedback",
        "open_total: {help: O., type: counter, from: span",
    );
    let text = story(
        &labelled,
        &[traces(&spans), metrics(&[gauge("g", &[point(json!({&*hostile: &*hostile}), 1.0)])])],
    );
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
    let (records, _) = text.split_once("Series, as").unwrap();
    assert!(records.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn files_in_every_form() {
    let request = traces(&[span(1, "chat", json!({"gen_ai.operation.name": "chat"}))]);
    let told = |file: &[u8], question: &Question| told(CONFIG, file, question);
    let plain = told(request.to_string().as_bytes(), &question()).unwrap();
    assert!(plain.contains("made  calls_total{outcome=\"ok\"} +1"), "{plain}");
    let pretty = serde_json::to_string_pretty(&request).unwrap();
    assert_eq!(told(pretty.as_bytes(), &question()).unwrap(), plain);
    assert_eq!(told(format!("\u{feff}\n\n {pretty}\n\n").as_bytes(), &question()).unwrap(), plain);

    for (value, signal) in [
        (request, Signal::Traces),
        (logs(&[json!({"eventName": "bot.feedback"})]), Signal::Logs),
        (metrics(&[gauge("a.gauge", &[point(json!({}), 1.0)])]), Signal::Metrics),
        (metrics(&[sum("a.sum", 2, &[point(json!({}), 1.0)])]), Signal::Metrics),
    ] {
        let mut bytes = Vec::new();
        engine::wire::json_to_protobuf(signal, value.to_string().as_bytes(), 1 << 20, &mut bytes)
            .unwrap();
        let text = told(&bytes, &question()).unwrap();
        let note = format!("one protobuf request, taken as {} (1 items)", signal.as_str());
        assert!(text.starts_with(&note), "{text}");
        let said = Question { signal: Some(signal), ..question() };
        let json = told(value.to_string().as_bytes(), &question()).unwrap();
        assert_eq!(told(&bytes, &said).unwrap(), json);
    }
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let good = traces(&[span(1, "chat", json!({}))]).to_string();
    let bad_kind =
        "{\"resourceSpans\": [{\"scopeSpans\": [{\"spans\": [\n {\"kind\": \"odd\"}]}]}]}";
    for (file, message) in [
        (format!("{good}\n{{\"resourceSpans\": [}}\n"), "line 2 column 20: expected value"),
        (
            format!("{good}\n\n  {bad_kind}"),
            "line 4 column 15, resourceSpans.scopeSpans.spans.kind: expected a number or name",
        ),
        (
            format!("{good}\n  {{\"resourceSpans\": 7}}"),
            "line 2 column 21, resourceSpans: expected a list",
        ),
        (format!("{good}\n{{}}"), "line 2 column 1: no OTLP request: none of resourceSpans"),
        (
            format!("{good}\n[1]"),
            "line 2 column 1: invalid type: sequence, expected an OTLP request",
        ),
        (format!("{good}\n{{\"resourceSpans\": [{{"), "line 2 column 20: EOF while parsing"),
        (" \n".into(), "there is nothing in it"),
        ("hello".into(), "neither OTLP JSON nor an OTLP protobuf request (as traces: byte"),
    ] {
        let failure = told(CONFIG, file.as_bytes(), &question()).unwrap_err();
        assert_eq!(failure.exit, Exit::Data);
        assert!(
            failure.message.starts_with(&format!("file.json: {message}")),
            "{}",
            failure.message
        );
    }
    let small = format!("server: {{otlp: {{max_request: 100B}}}}\n{CONFIG}");
    let failure = told(&small, good.as_bytes(), &question()).unwrap_err();
    assert!(failure.message.contains("`server.otlp.max_request` is 100"), "{}", failure.message);
}

#[test]
fn the_command_reads_a_file_or_standard_input_and_says_how_it_went() {
    let run = |arguments: &[&str], input: &[u8]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oscar-metrics"));
        command.arg("explain").args(arguments).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may end without reading.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        let output = child.wait_with_output().unwrap();
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), text)
    };
    let good = traces(&[span(1, "chat", json!({"gen_ai.operation.name": "chat"}))]).to_string();
    let (code, text) = run(&["--otlp", "-"], good.as_bytes());
    assert!(code == 0 && text.contains("made  bot_model_calls_total{"), "{code} {text}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("otlp.json");
    std::fs::write(&file, good).unwrap();
    assert_eq!(run(&["--otlp", file.to_str().unwrap()], b"").0, 0);
    let config = folder.path().join("config.yaml");
    std::fs::write(&config, "metric: {}").unwrap();
    let both = ["--config.file", config.to_str().unwrap(), "--otlp", file.to_str().unwrap()];
    assert_eq!(run(&both, b"").0, 65);
    assert_eq!(run(&["--otlp", "-"], b"{").0, 65);
    assert_eq!(run(&["--otlp", "/nowhere/at/all"], b"").0, 65);
    for wrong in [&[][..], &["--otlp", "-", "--signal", "smoke"], &["--nonsense"]] {
        assert_eq!(run(wrong, b"").0, 64);
    }
}

#[test]
fn the_example_in_the_readme_is_real() {
    let readme = include_str!("../../README.md");
    let block = |begins: &str| {
        let blocks = readme.split("```").filter_map(|block| block.split_once('\n'));
        blocks.map(|(_, text)| text).find(|text| text.starts_with(begins)).unwrap()
    };
    let question = Question { metric: Some("jenkins_jobs_total".into()), ..question() };
    let text =
        told(block("use: [oscar]"), block("{\"resourceSpans\"").as_bytes(), &question).unwrap();
    assert_eq!(text.trim(), block("span \"").trim(), "{text}");
}

/// What the simulated bot sends in two seconds, request by request.
fn traffic() -> Vec<(Signal, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sink = Sink::start(Manner::Accept).await;
        let duration = Some(Duration::from_secs(2));
        let options = BotOptions {
            endpoint: sink.endpoint(),
            speed: 600.0,
            seed: 3,
            truth: None,
            duration,
            incident: None,
        };
        bot::run(options, std::future::pending()).await.unwrap();
        sink.books().bodies
    })
}

/// The lines of series, without comments and the exporter's own.
fn series(body: &str) -> Vec<&str> {
    let own = ["#", "oscar_metrics_", "process_"];
    body.lines()
        .filter(|line| !line.is_empty() && !own.iter().any(|o| line.starts_with(o)))
        .collect()
}

#[test]
fn what_it_says_is_what_a_server_shows() {
    let bodies = traffic();
    let server = serve_config(None);
    let mut lines = Vec::new();
    for (signal, body) in &bodies {
        let path = format!("/v1/{}", signal.as_str());
        assert_eq!(post(server.address("otlp_http"), &path, PROTOBUF, body).status, 200);
        lines.push(json_of(*signal, body));
    }
    let mut out = Vec::new();
    let all = Question { all: true, ..question() };
    report((&built_in(), &key()), &all, lines.join("\n").as_bytes(), NOW, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let (story, rest) = text.split_once("Series, as /metrics shows them:\n").unwrap();
    let (said, books) = rest.split_once("\nBooks:\n").unwrap();
    let scrape = server.scrape();
    let (said, shown) = (series(said), series(&scrape));
    assert!(shown.len() > 500 && said.len() == shown.len(), "{} {}", said.len(), shown.len());
    for (said, shown) in said.iter().zip(&shown) {
        assert_eq!(said, shown);
    }
    assert!(story.matches("\nspan ").count() as f64 == server.received());
    assert!(books.contains(&format!("traces: {} received", server.received())), "{books}");
    let personal = regex::Regex::new(r#""U\d{7}"|"[0-9a-f]{16}"|private question"#).unwrap();
    assert!(!personal.is_match(&text), "{:?}", personal.find(&text));
}

/// A request as OTLP JSON, written by the reference types.
fn json_of(signal: Signal, body: &[u8]) -> String {
    use opentelemetry_proto::tonic::collector::{logs, trace};
    use prost::Message;
    let json = match signal {
        Signal::Logs => {
            serde_json::to_string(&logs::v1::ExportLogsServiceRequest::decode(body).unwrap())
        }
        _ => serde_json::to_string(&trace::v1::ExportTraceServiceRequest::decode(body).unwrap()),
    };
    json.unwrap()
}

#[test]
fn what_is_told_of_records_adds_up_to_the_series() {
    let settings = built_in();
    let pipeline = Pipeline::new(settings.plan(&key()), Arc::default(), NOW);
    let private = Private::new(&settings.definitions);
    let asked = Asked { definitions: &settings.definitions, private: &private };
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    let mut made = 0;
    for (signal, body) in &traffic() {
        let request = Request { signal: *signal, encoding: Encoding::Protobuf, body };
        let told = pipeline.explain(request, asked, NOW, &mut |told| {
            let account = told.account.as_ref().unwrap();
            let parts = account.rules.iter().flat_map(|rule| &rule.parts);
            let expected = parts.filter(|part| part.held && matches!(part.op, Ok(Some(_)))).count();
            assert_eq!(told.made.len(), expected, "what the rules say they made is what was made");
            for one in told.made.iter().filter(|one| one.counts == Counts::Yes) {
                made += 1;
                let rule = account.rules.iter().find(|rule| rule.family == one.family).unwrap();
                let labels: Vec<String> =
                    one.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                let key = format!("{}{{{}}}", rule.metric.name.as_str(), labels.join(","));
                if let Op::Add(number) = one.op {
                    *sums.entry(key).or_default() += number;
                }
            }
        });
        told.unwrap();
    }
    let mut shown = BTreeMap::new();
    for family in pipeline.gather(NOW, true, |_| {}) {
        let name = family.family.name.as_str().to_owned();
        // A distinct count has counters of its own, which no record raises by a number, and what counts conversations is raised
        // by their end.
        let told = |one: &&definition::Metric| {
            one.name.as_str() == name
                && one.from != [definition::From::Source(definition::Source::Session)]
        };
        let declared = settings.definitions.metrics.iter().find(told).is_some();
        for row in family.rows.iter().filter(|_| declared) {
            if let RowValue::Counter(total, _) = row.value
                && total != 0.0
            {
                shown.insert(format!("{name}{{{}}}", labels(&row.labels)), total);
            }
        }
    }
    sums.retain(|_, sum| *sum != 0.0);
    assert!(made > 500 && sums.len() > 50, "{made} {}", sums.len());
    assert_eq!(sums.keys().collect::<Vec<_>>(), shown.keys().collect::<Vec<_>>());
    for (key, sum) in &sums {
        assert!((sum - shown[key]).abs() <= 1e-9 * sum.abs(), "{key}: {sum} and {}", shown[key]);
    }
}

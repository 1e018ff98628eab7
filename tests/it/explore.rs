//! `explore` against a whole server: what it says of what was sent, in the same words each time, and how it fails.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use testkit::json::{self, texts};
use testkit::{NOW, SECOND, settings};

use crate::certificates;
use crate::cli::binary;
use crate::support::*;
use crate::web::{guarded, users};

const CONFIG: &str = r#"
privacy: {drop: ["gen_ai.input.*"]}
attributes:
  user: {any_of: [user.id], hash: true}
  operation: {from: gen_ai.operation.name}
labels: {service: service}
records: {call: {from: span, where: {operation: [chat, embeddings]}}}
metrics:
  bot_calls_total: {help: C., type: counter, from: call, labels: {model: gen_ai.request.model, outcome: {from: bot.outcome, values: [ok, error]}}}
  bot_call_duration_seconds: {help: D., type: histogram, from: call, value: duration, buckets: [1s, 2s]}
  bot_users: {help: U., type: distinct, from: call, of: user, windows: [1d]}
  bot_feedback_total: {help: F., type: counter, from: [span_event, log], where: {name: bot.feedback}, labels: {label: bot.feedback.label}}
datapoints: {pass: ["bot.*"]}
"#;

fn attributes(pairs: &[(&str, Value)]) -> Value {
    json::attributes(pairs.iter().cloned().collect())
}

fn span(number: u32, name: &str, pairs: &[(&str, Value)], events: Value) -> Value {
    let times = (NOW.0, NOW.0 + 1_250_000_000);
    let span = json::span(name, (1, number.into()), times, attributes(pairs));
    json::with(span, json!({"events": events}))
}

/// Spans that rules take and spans that none takes, with events, log records and data points of both kinds.
fn requests() -> [(&'static str, Value); 3] {
    let mut spans = Vec::new();
    for at in 0..24_u32 {
        let model = format!("model-{}", at % 3);
        let mut pairs = vec![
            ("gen_ai.operation.name", json!("chat")),
            ("gen_ai.request.model", json!(model)),
            ("user.id", json!(format!("U{}", at % 7))),
            ("gen_ai.usage.input_tokens", json!(100 + at)),
            ("gen_ai.input.messages", json!(format!("what is {at}"))),
        ];
        if at % 2 == 0 {
            pairs.push(("bot.channel.kind", json!(if at % 4 == 0 { "direct" } else { "public" })));
        }
        let label = texts(&[("bot.feedback.label", "up")]);
        let events = match at {
            3 => json!([{"name": "bot.feedback", "attributes": label}, {"name": "exception"}]),
            _ => json!([]),
        };
        spans.push(span(at, &format!("chat {model}"), &pairs, events));
    }
    for at in 0..6_u32 {
        let pairs = [
            ("webhook.kind", json!(if at % 2 == 0 { "issue" } else { "push" })),
            ("webhook.signed", json!(at != 3)),
            ("webhook.bytes", json!(at)),
        ];
        spans.push(span(100 + at, "webhook.received", &pairs, json!([])));
    }
    spans.push(span(200, "odd\u{1b}[31m\u{202e}name", &[], json!([])));
    spans.push(span(201, &"long ".repeat(100), &[], json!([])));
    let time = NOW.0 + SECOND;
    let log =
        |name: &str, label: &str| json::log(name, time, texts(&[("bot.feedback.label", label)]));
    let logs = [log("bot.feedback", "up"), log("bot.feedback", "down"), log("", "?")];
    let points = [json::point((0, time), 1.0, texts(&[("zone", "a")]))];
    let metrics = ["bot.queue", "jvm.memory"].map(|name| json::gauge(name, &points));
    let resource = texts(&[("service.name", "bot"), ("host.name", "h1")]);
    [
        ("/v1/traces", json::traces(&spans)),
        ("/v1/logs", json::logs(&logs)),
        ("/v1/metrics", json::metrics(&metrics)),
    ]
    .map(|(path, request)| (path, json::of_resource(request, resource.clone())))
}

fn fed() -> Server {
    let server = serve_config(Some(CONFIG));
    for (path, body) in requests() {
        let body = body.to_string();
        assert_eq!(post(server.address("otlp_http"), path, JSON, body.as_bytes()).status, 200);
    }
    server
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// Exit code, standard output and standard error.
fn explore(url: &str, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec!["explore", "--url", url];
    arguments.extend(more);
    let done = binary(&arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// What it says after the line of where and since when, each line within its width.
fn told(server: &Server, more: &[&str]) -> String {
    let url = url(server.address("web"));
    let (code, text, error) = explore(&url, more);
    assert_eq!((code, &*error), (0, ""));
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with(&format!("{url}: what arrived since 20")), "{first}");
    for line in rest.lines() {
        assert!(line.chars().count() <= 100 || line.starts_with("    help:"), "{line}");
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "{line:?}");
    }
    rest.to_owned()
}

#[test]
fn an_overview_and_what_it_suggests() {
    let server = fed();
    let text = told(&server, &[]);
    insta::assert_snapshot!(text);
    let (_, yaml) = text.split_once("\nmetrics:\n").unwrap();
    settings(&format!("metrics:\n{yaml}"));
}

#[test]
fn all_there_is_to_say_of_one_name() {
    let server = fed();
    insta::assert_snapshot!(told(&server, &["--name", "chat model-1"]));
    assert!(told(&server, &["--name", "nobody*"]).contains("No record has such a name"));
}

#[test]
fn nothing_has_arrived() {
    insta::assert_snapshot!(told(&serve_config(Some("{}")), &[]));
}

#[test]
fn json_has_the_shape_that_is_documented() {
    let server = fed();
    let (code, text, _) = explore(&url(server.address("web")), &["--format=json"]);
    assert_eq!(code, 0);
    let told: Value = serde_json::from_str(&text).unwrap();
    let served = get(server.address("web"), "/api/v1/inventory");
    assert_eq!(served.header("content-type"), Some("application/json"));
    let mut served: Value = serde_json::from_slice(&served.body).unwrap();
    served["now_timestamp_seconds"] = told["now_timestamp_seconds"].clone();
    assert_eq!(told, served);
    assert_eq!(
        told["signals"][0],
        json!({"signal": "traces", "received": 32, "unmatched": 8, "rejected": 0, "seen": 32})
    );
    let webhook =
        told["records"].as_array().unwrap().iter().find(|one| one["name"] == "webhook.received");
    let key = |key: &str, values: u32, kind: &str| json!({"key": key, "records": 6, "values": values, "values_at_least": false, "types": [kind]});
    assert_eq!(
        webhook,
        Some(
            &json!({"kind": "span", "name": "webhook.received", "other": false, "seen": 6, "judged": 6, "unmatched": 6,
            "metrics": [], "passes": false, "attributes_left_out": 0, "keys": [key("webhook.bytes", 6, "number"),
                key("webhook.kind", 2, "text"), key("webhook.signed", 2, "bool")]})
        )
    );
    let one = |list: &str, name: &str, is: &str| {
        told[list].as_array().unwrap().iter().find(|one| one[name] == is).unwrap().clone()
    };
    assert_eq!(
        one("attributes", "key", "user.id"),
        json!({"origin": "span", "key": "user.id", "records": 24, "of": 32, "values": 7, "values_at_least": false,
            "types": ["text"], "names": 3, "private": true, "read": true, "labels": []})
    );
    let calls = one("metrics", "name", "bot_calls_total");
    assert_eq!((&calls["passed"], &calls["limit"]), (&json!(false), &json!(2000)));
    let (_, some, _) = explore(&url(server.address("web")), &["--format=json", "--name=webhook*"]);
    let some: Value = serde_json::from_str(&some).unwrap();
    assert_eq!(some["records"].as_array().unwrap().len(), 1);
}

#[test]
fn only_reading_is_answered() {
    let server = fed();
    let web = server.address("web");
    let ask = |method: &str| {
        let mut stream = connect(web);
        let bytes = request(method, "/api/v1/inventory", "Connection: close\r\n", b"");
        stream.write_all(&bytes).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let head = ask("HEAD");
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    for method in ["POST", "PUT", "DELETE"] {
        let refused = ask(method).to_lowercase();
        assert!(
            refused.starts_with("http/1.1 405") && refused.contains("allow: get, head"),
            "{refused}"
        );
    }
    assert!(get(web, "/").text().contains("/api/v1/inventory"));
    server.works();
}

#[test]
fn who_is_no_instance_is_told_apart() {
    // Nobody there.
    let nobody = Nobody::new();
    let closed = nobody.address;
    let (code, out, error) = explore(&url(closed), &[]);
    assert_eq!((code, &*out), (69, ""));
    assert!(error.contains(&closed.to_string()) && error.contains("refused"), "{error}");
    // Somebody else.
    let server = serve_config(Some("{}"));
    let (code, _, error) = explore(&url(server.address("otlp_http")), &[]);
    assert_eq!(code, 69);
    assert!(error.contains("has no /api/v1/inventory") && error.contains("web port"), "{error}");
    for (body, said) in [("{}", "no inventory"), ("<html>", "no inventory")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(head.as_bytes()).unwrap();
        });
        let (code, _, error) = explore(&url(address), &[]);
        assert_eq!((code, error.contains(said)), (69, true), "{error}");
        answering.join().unwrap();
    }
    // Not an address, not a pattern.
    assert_eq!(explore("127.0.0.1:9464", &[]).0, 64);
    assert_eq!(explore(&url(closed), &["--name=/(/"]).0, 64);
    assert_eq!(explore(&url(closed), &["--format=xml"]).0, 64);
}

#[test]
fn the_password_and_tls_of_the_web_port_are_spoken() {
    let folder = tempfile::tempdir().unwrap();
    certificates::issue(folder.path());
    let tls = "tls_server_config: {cert_file: leaf.pem, key_file: key.pem}\n";
    let server = guarded(folder.path(), &format!("{}{tls}", users()));
    let port = server.address("web").port();
    let ask = |user: &str| {
        let url = format!("https://{user}localhost:{port}/metrics");
        let done = binary(&["explore", "--url", &url])
            .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
            .output()
            .unwrap();
        (
            done.status.code().unwrap(),
            String::from_utf8_lossy(&done.stdout).into_owned()
                + &String::from_utf8_lossy(&done.stderr),
        )
    };
    let (code, text) = ask("");
    assert!(code == 69 && text.contains("a name and a password"), "{text}");
    let (code, text) = ask("ann:wrong@");
    assert!(code == 69 && !text.contains("wrong"), "{text}");
    let (code, text) = ask("ann:secret@");
    assert!(code == 0 && text.contains("Nothing has arrived yet"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_loaded_instance_says_that_it_shows_a_sample() {
    let server = serve_config(Some(CONFIG));
    let spans: Vec<Value> = (0..2_000).map(|at| span(at, "busy", &[], json!([]))).collect();
    let body = json::traces(&spans).to_string();
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", JSON, body.as_bytes()).status, 200);
    let text = told(&server, &[]);
    assert!(text.contains("a sample, 25.0 % of them"), "{text}");
}

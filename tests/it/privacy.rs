//! Nothing that leaves the exporter has a planted id or text in it: not a series, an exemplar, a page, a log line, an error, an
//! explanation or a file of state.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::SECOND;
use testkit::json::{self, event, texts};

use crate::cli::{Process, binary};
use crate::support::{JSON, PROTOBUF, exchange, get, post, request};

/// What nobody may see again. Each has a part that nothing else has.
const PLANTED: [&str; 9] = [
    "U0PLANTEDUSER",
    "C0PLANTEDTALK",
    "T0PLANTEDTEAM",
    "D0PLANTEDROOM",
    "planted prompt",
    "planted answer",
    "planted argument",
    "planted exception",
    "planted@example.org",
];
const NOW: u64 = testkit::NOW.0;

/// Ids and texts under every name the built-in config knows for them.
fn private() -> Vec<(&'static str, &'static str)> {
    let [user, talk, team, room, prompt, answer, argument, exception, mail] = PLANTED;
    let mut all = Vec::new();
    for key in ["user.id", "user.hash", "enduser.id", "enduser.pseudo.id", "user.name"] {
        all.push((key, user));
    }
    all.extend([("gen_ai.conversation.id", talk), ("session.id", talk)]);
    all.extend([("bot.workspace.id", team), ("slack.team.id", team)]);
    all.extend([("bot.channel.id", room), ("slack.channel.id", room)]);
    for key in ["gen_ai.input.messages", "gen_ai.prompt", "input.value", "bot.query.text"] {
        all.push((key, prompt));
    }
    all.push(("llm.input_messages.0.message.content", prompt));
    for key in ["gen_ai.output.messages", "output.value", "bot.response.text"] {
        all.push((key, answer));
    }
    all.extend([("gen_ai.tool.call.arguments", argument), ("tool.parameters", argument)]);
    all.extend([("exception.message", exception), ("exception.stacktrace", exception)]);
    all.extend([("user.email", mail), ("db.query.text", argument), ("url.full", argument)]);
    all
}

fn with(more: &[(&'static str, &'static str)]) -> Value {
    let mut all = private();
    all.extend(more);
    texts(&all)
}

fn span(name: &str, id: u64, more: &[(&'static str, &'static str)]) -> Value {
    let exception = event("exception", NOW, with(&[("exception.type", "Boom")]));
    let feedback = [("bot.feedback.label", "up"), ("bot.feedback.comment", "planted answer")];
    let rest = json!({
        "kind": 1, "status": {"code": 2, "message": PLANTED[7]},
        "events": [exception, event("bot.feedback", NOW, with(&feedback))],
    });
    json::with(json::span(name, (7, id), (NOW - SECOND, NOW), with(more)), rest)
}

/// Requests of every signal, full of what is private.
fn requests() -> [(&'static str, String); 3] {
    let spans = [
        span(
            "bot.interaction knowledge",
            1,
            &[("bot.outcome", "error"), ("bot.feature", "knowledge")],
        ),
        span(
            "chat claude-sonnet-4-5",
            2,
            &[("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "claude-sonnet-4-5")],
        ),
        span(
            "execute_tool x",
            3,
            &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "x")],
        ),
        span("bedrock.converse", 4, &[("openinference.span.kind", "LLM")]),
    ];
    let log = |name: &str| {
        let pairs = [("bot.security.type", "prompt_injection"), ("bot.authz.reason", "tier")];
        json::with(json::log(name, NOW, with(&pairs)), json!({"body": {"stringValue": PLANTED[4]}}))
    };
    let logs: Vec<Value> =
        ["bot.security", "bot.authz.denied", "bot.session.end", ""].map(log).into();
    let number = |name: &str| {
        let point = json::point((0, NOW), 2.5, with(&[("kind", "read")]));
        let exemplar = json!({"asDouble": 2.5, "timeUnixNano": NOW.to_string(), "filteredAttributes": with(&[]),
                              "traceId": format!("{:032x}", 7), "spanId": format!("{:016x}", 1)});
        json::sum(name, 1, &[json::with(point, json!({"exemplars": [exemplar]}))])
    };
    let metrics = [number("bot.work.items"), number("gen_ai.client.token.usage")];
    let resource = texts(&[("service.name", "bot"), ("user.id", PLANTED[0])]);
    [
        ("/v1/traces", json::traces(&spans)),
        ("/v1/logs", json::logs(&logs)),
        ("/v1/metrics", json::metrics(&metrics)),
    ]
    .map(|(path, request)| (path, json::of_resource(request, resource.clone()).to_string()))
}

fn clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for planted in PLANTED {
        assert!(!text.contains(planted), "{what} shows {planted:?}: {}", around(&text, planted));
    }
}

fn around<'t>(text: &'t str, planted: &str) -> &'t str {
    let at = text.find(planted).unwrap_or(0);
    text.get(at.saturating_sub(200)..(at + 80).min(text.len())).unwrap_or(text)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_tests_own_eyes_are_open() {
    let [(_, traces), ..] = requests();
    let seen = PLANTED.iter().filter(|planted| traces.contains(**planted)).count();
    assert_eq!(seen, PLANTED.len(), "everything that is looked for is sent");
    let found = std::panic::catch_unwind(|| clean("the request", traces.as_bytes()));
    assert!(found.is_err());
}

#[test]
fn nothing_that_leaves_has_what_was_planted() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().to_str().unwrap();
    let arguments = ["--log.format=json", "--log.level=trace", &format!("--state.dir={folder}")];
    let process = Process::start(&arguments);
    let (otlp, web) = (process.address("otlp_http"), process.address("web"));
    let mut shown = 0;
    for (path, body) in requests() {
        let reply = post(otlp, path, JSON, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        clean("an answer", &reply.body);
        // What can't be read quotes nothing of it.
        let cut = &body.as_bytes()[..body.len() - 3];
        for (headers, bytes) in
            [(JSON, cut), (PROTOBUF, cut), (JSON, body.replace(':', ";").as_bytes())]
        {
            let reply = post(otlp, path, headers, bytes);
            assert_eq!(reply.status, 400);
            clean("a refusal", &reply.body);
        }
    }
    let reply = post(otlp, &format!("/v1/{}", PLANTED[0]), JSON, b"{}");
    assert_eq!(reply.status, 404);
    clean("an unknown path", &reply.body);
    for accept in [
        "text/plain;version=0.0.4",
        "text/plain;version=1.0.0;escaping=allow-utf-8",
        "application/openmetrics-text;version=1.0.0",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ] {
        let headers = format!("Accept: {accept}\r\n");
        let reply = exchange(web, &request("GET", "/metrics", &headers, b""));
        assert_eq!(reply.status, 200);
        let text = String::from_utf8_lossy(&reply.body);
        assert!(text.contains("bot_interactions") && text.contains("bot_work_items"), "{accept}");
        shown += text.len();
        clean(accept, &reply.body);
    }
    assert!(shown > 100_000, "{shown}");
    for path in ["/", "/-/healthy", "/-/ready", "/api/v1/status", "/nothing"] {
        clean(path, &get(web, path).body);
    }
    let inventory = get(web, "/api/v1/inventory");
    for key in
        ["gen_ai.conversation.id", "llm.input_messages.0.message.content", "bot_interactions"]
    {
        assert!(inventory.text().contains(key), "{key} is told, and its values are not");
    }
    clean("the inventory", &inventory.body);
    let url = format!("http://{web}");
    for more in [&["--all"][..], &["--name=*", "--all"], &["--format=json"], &[]] {
        let done = binary(&["explore", "--url", &url]).args(more).output().unwrap();
        assert!(done.status.success() && done.stdout.len() > 2_000, "{more:?}");
        clean("explore", &done.stdout);
        clean("explore's log", &done.stderr);
    }
    process.signal(Signal::TERM);
    let (code, log) = process.end();
    assert_eq!(code, 0);
    assert!(log.contains("stopping"), "{log}");
    clean("the log", log.as_bytes());
    let mut kept = Vec::new();
    files(state.path(), &mut kept);
    assert!(!kept.is_empty(), "there is state to look at");
    for file in kept {
        clean(&file.display().to_string(), &fs::read(&file).unwrap());
    }
}

#[test]
fn an_explanation_shows_nothing_that_was_planted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.json");
    let mut file = fs::File::create(&path).unwrap();
    for (_, body) in requests() {
        writeln!(file, "{body}").unwrap();
    }
    let path = path.to_str().unwrap();
    for arguments in [&["explain", "--otlp", path][..], &["explain", "--all", "--otlp", path]] {
        let done = binary(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(done.stdout.len() > 2_000);
        clean("explain", &done.stdout);
        clean("explain's log", &done.stderr);
    }
    // A file that is none is not quoted either.
    fs::write(path, requests()[0].1.replace(':', ";")).unwrap();
    let done = binary(&["explain", "--otlp", path]).output().unwrap();
    assert!(!done.status.success());
    clean("explain's refusal", &[done.stdout, done.stderr].concat());
}

//! The binary, seen from its command line.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::frames;
use crate::support::*;

pub fn binary(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oscar-metrics"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const HERE: [&str; 3] = [
    "--otlp.grpc.listen-address=127.0.0.1:0",
    "--otlp.http.listen-address=127.0.0.1:0",
    "--web.listen-address=127.0.0.1:0",
];

/// A process that serves, killed when a test fails.
pub struct Process {
    child: Child,
    lines: BufReader<ChildStderr>,
    /// What listens where, as its log says.
    addresses: Vec<(String, SocketAddr)>,
}

impl Process {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = binary(arguments).args(HERE).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut addresses = Vec::new();
        while addresses.len() < 3 {
            let mut line = String::new();
            assert_ne!(lines.read_line(&mut line).unwrap(), 0, "it ended");
            if line.contains("listening") {
                addresses.push(listening(&line));
            }
        }
        Self { child, lines, addresses }
    }

    pub fn address(&self, what: &str) -> SocketAddr {
        self.addresses.iter().find(|(name, _)| name == what).unwrap().1
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Reads the log until it says this.
    pub fn says(&mut self, what: &str) {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it ended without {what}");
        }
    }

    /// Its exit code and the rest of its log.
    pub fn end(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What and where, from a line in either form.
fn listening(line: &str) -> (String, SocketAddr) {
    if line.starts_with('{') {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["event"], "listening");
        let text = |field: &str| line[field].as_str().unwrap().to_owned();
        return (text("what"), text("address").parse().unwrap());
    }
    let field = |name: &str| {
        let found = line.split_whitespace().find_map(|word| word.strip_prefix(name));
        found.unwrap_or_else(|| panic!("no {name} in {line}")).trim_matches('"').to_owned()
    };
    (field("what="), field("address=").parse().unwrap())
}

#[test]
fn it_says_where_it_listens_and_serves_there() {
    for arguments in [&["serve", "--log.format=json"][..], &["--log.format=text"], &[]] {
        let process = Process::start(arguments);
        let names: Vec<_> = process.addresses.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["otlp_grpc", "otlp_http", "web"], "{arguments:?}");
        assert_eq!(get(process.address("web"), "/-/healthy").status, 200);
        let otlp = process.address("otlp_http");
        assert_eq!(post(otlp, "/v1/traces", PROTOBUF, &span()).status, 200);
        process.signal(Signal::TERM);
        let (code, rest) = process.end();
        assert_eq!(code, 0, "{rest}");
        assert!(rest.contains("drained"), "{rest}");
    }
}

#[test]
fn logs_one_line_for_each_kind_of_refusal() {
    let process = Process::start(&[]);
    let (http, grpc) = (process.address("otlp_http"), process.address("otlp_grpc"));
    for _ in 0..3 {
        let json = br#"{"resourceSpans":[{"schemaUrl":"my secret"},{"resource":"my secret"}]}"#;
        assert_eq!(post(http, "/v1/traces", JSON, json).status, 400);
        assert_eq!(post(http, "/v1/traces", "Content-Type: my/secret\r\n", b"").status, 415);
        assert_eq!(post(grpc, "/v1/traces", JSON, b"{}").status, 400);
        assert_eq!(get(grpc, "/").status, 400);
    }
    process.signal(Signal::TERM);
    let (_, log) = process.end();
    let port = http.port();
    for parts in [
        [
            "request_refused",
            "protocol=\"http\" reason=\"malformed\"",
            "resourceSpans.resource: expected",
        ],
        ["request_refused", "protocol=\"http\" reason=\"media_type\"", "content type"],
        [
            "request_refused",
            "protocol=\"grpc\" reason=\"media_type\"",
            &format!("OTLP/HTTP listens on {port}"),
        ],
        ["connection_closed", "listener=\"otlp_grpc\"", "reason=\"wrong_protocol\""],
    ] {
        let fits = |line: &&str| {
            parts.iter().all(|part| line.contains(part)) && line.contains("peer=127.0.0.1:")
        };
        assert_eq!(log.lines().filter(fits).count(), 1, "{parts:?}\n{log}");
    }
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn check_shows_no_value_of_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    let check = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).unwrap();
        let file = format!("--config.file={}", file.display());
        let mut command = binary(&[&["check", &file], more].concat());
        let command = command.env("SECRET", "tops3cret value").env("NUMBER", "77");
        let output = command.output().unwrap();
        let shown = [output.stdout, output.stderr].concat();
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains("s3cret") && !shown.contains("77"), "{shown}");
        (output.status.code().unwrap(), shown)
    };
    let wrong = "use: [\"${SECRET}\"]
limits: {series: \"${SECRET}\", idle: \"${NUMBER}\", memory: \"${SECRET}\"}
server: {web: {listen: \"x${SECRET}\", hosts: [\"${SECRET}\"]}, otlp: {cors: 1, grpc: \"${SECRET}\"}}
metrics: {a: {help: A., type: \"${SECRET}\", from: [span, \"${SECRET}x\"], labels: {b: \"trace_id\", c: {from: name, values: [\"${SECRET}\", \"${SECRET}\"]}}}}
";
    let (code, shown) = check(wrong, &[]);
    assert_eq!(code, 65);
    assert!(shown.matches("${SECRET}").count() > 10 && shown.contains("`${NUMBER}`"), "{shown}");
    let good = "limits:
  series: ${NUMBER}
  label_value: ${NUMBER}B
server: {otlp: {cors: [\"http://${SECRET}\"]}}
metrics: {a_total: {help: \"About ${SECRET}\", type: counter, from: span}}
";
    let (code, printed) = check(good, &["--print"]);
    assert_eq!(code, 0, "{printed}");
    assert_eq!(check(&printed, &["--print"]), (0, printed));
}

#[test]
#[allow(clippy::disallowed_methods)] // a test's stopwatch
fn a_flood_of_resets_is_counted_and_makes_few_lines() {
    let process = Process::start(&[]);
    let grpc = process.address("otlp_grpc");
    let start = std::time::Instant::now();
    let reset = |stream| [frames::call(stream, &[]), frames::frame(3, 0, stream, &[0, 0, 0, 8])];
    let flood: Vec<u8> = (0..120).flat_map(|at| reset(at * 2 + 1)).flatten().collect();
    let mut floods = 0;
    while start.elapsed() < Duration::from_secs(2) {
        let mut stream = connect(grpc);
        let _ = std::io::Write::write_all(&mut stream, &frames::opening());
        let _ = std::io::Write::write_all(&mut stream, &flood);
        closed_after(stream);
        floods += 1;
    }
    let scrape = get(process.address("web"), "/metrics").text();
    let line =
        "oscar_metrics_closed_connections_total{listener=\"otlp_grpc\",reason=\"protocol\"} ";
    let closed = scrape.lines().find_map(|one| one.strip_prefix(line)).unwrap();
    // The last one is counted after its peer has seen the end.
    assert!(closed.parse::<u32>().unwrap() + 1 >= floods, "{closed} of {floods}");
    process.signal(Signal::TERM);
    let (_, log) = process.end();
    let lines = log.lines().count();
    assert!(floods > 10 && lines < 10, "{floods} floods: {lines} lines\n{log}");
    assert!(log.contains("reason=\"protocol\""), "{log}");
}

#[test]
fn a_probe_says_by_its_exit_code_whether_somebody_is_ready() {
    let process = Process::start(&[]);
    let web = process.address("web");
    let probe = |url: &str| {
        let output = binary(&["probe", "--url", url, "--timeout=300ms"]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(probe(&format!("http://{web}/-/ready")), (0, String::new()));
    let (code, why) = probe(&format!("http://{web}/nowhere"));
    assert_eq!((code, why.contains("404")), (69, true), "{why}");
    // It takes the connection and says nothing, then there is nobody.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/-/ready", silent.local_addr().unwrap());
    let (code, why) = probe(&url);
    assert_eq!((code, why.contains("300ms")), (69, true), "{why}");
    drop(silent);
    let (code, why) = probe(&url);
    assert_eq!((code, why.contains("refused")), (69, true), "{why}");
    assert_eq!(probe("https://localhost/").0, 64);
}

#[test]
fn a_hang_up_reloads_and_a_second_signal_ends_it_at_once() {
    let mut process = Process::start(&[]);
    process.signal(Signal::HUP);
    process.says("event=\"reloaded\"");
    // A request that never ends holds up the drain, but not a second signal.
    let mut stream = connect(process.address("otlp_http"));
    std::io::Write::write_all(&mut stream, b"POST /v1/traces HTTP/1.1\r\n").unwrap();
    assert_eq!(get(process.address("web"), "/-/ready").status, 200);
    std::thread::sleep(Duration::from_millis(50));
    process.signal(Signal::INT);
    process.says("event=\"stopping\"");
    process.signal(Signal::TERM);
    let (code, rest) = process.end();
    assert_eq!(code, 0);
    assert!(rest.contains("at once"), "{rest}");
}

#[test]
fn a_taken_port_is_69_and_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let flag = format!("--otlp.http.listen-address={address}");
    let output = binary(&[HERE[0], &flag, HERE[2]]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{text}");
    assert!(text.contains(&address), "{text}");
    assert!(!text.contains("listening"), "all or nothing is bound: {text}");
}

#[test]
fn wrong_use_is_64_and_help_is_not() {
    for arguments in [&["--nonsense"][..], &["nonsense"], &["--log.level=loud"]] {
        let output = binary(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["serve", "--help"], &["help"]] {
        let output = binary(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_environment_says_what_flags_do() {
    let mut command = binary(&HERE);
    command.env("OSCAR_METRICS_LOG_LEVEL", "loud").env("OSCAR_METRICS_PORT", "tcp://10.0.0.1:80");
    assert_eq!(command.output().unwrap().status.code(), Some(64));
}

#[test]
fn a_web_config_with_faults_is_65_or_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("web.yaml");
    let flag = format!("--web.config.file={}", file.display());
    let wrong = "basic_auth_users: {ann: hunter2}\n";
    let tls = "tls_server_config: {cert_file: none.pem, key_file: none.pem}\n";
    for (text, said) in [(wrong, "web.yaml:1:25"), (tls, "none.pem"), ("", "cannot read")] {
        if !text.is_empty() {
            std::fs::write(&file, text).unwrap();
        } else {
            std::fs::remove_file(&file).unwrap();
        }
        let output = binary(&HERE).arg(&flag).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(65), "{text}");
        assert!(text.contains(said) && !text.contains("hunter2"), "{text}");
    }
    std::fs::write(&file, wrong).unwrap();
    let mut process = Process::start(&["--config.fallback", &flag]);
    let (otlp, web) = (process.address("otlp_http"), process.address("web"));
    assert_eq!(post(otlp, "/v1/traces", PROTOBUF, &span()).status, 200);
    assert_eq!((get(web, "/-/ready").status, get(web, "/metrics").status), (200, 503));
    process.signal(Signal::HUP);
    process.says("not_reloaded");
    assert_eq!(get(web, "/metrics").status, 503);
    let hash = bcrypt::hash("secret", 4).unwrap();
    std::fs::write(&file, format!("basic_auth_users: {{ann: {hash}}}\n")).unwrap();
    process.signal(Signal::HUP);
    process.says("event=\"reloaded\"");
    assert_eq!(get(web, "/metrics").status, 401);
    let right = "Authorization: Basic YW5uOnNlY3JldA==\r\n";
    let scrape = exchange(web, &request("GET", "/metrics", right, b"")).text();
    assert!(scrape.contains("oscar_metrics_config_last_reload_successful 1"), "{scrape}");
    // A broken one leaves the old one in force.
    std::fs::write(&file, wrong).unwrap();
    assert_eq!(exchange(web, &request("POST", "/-/reload", right, b"")).status, 500);
    assert_eq!(get(web, "/metrics").status, 401);
}

#[test]
fn a_loop_to_ourselves_is_refused_and_secrets_are_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    let config = format!("--config.file={}", file.display());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let target = format!("{{endpoint: \"http://localhost:{port}\", headers: {{x-token: s3cret}}}}");
    std::fs::write(&file, format!("forward: [{target}]\n")).unwrap();
    let door = format!("--otlp.grpc.listen-address=127.0.0.1:{port}");
    let flags = [&*config, &door, HERE[1], HERE[2]];
    let output = binary(&flags).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(65), "{text}");
    assert!(text.contains("config.yaml:1:22") && text.contains("a loop"), "{text}");
    assert!(text.contains("******") && !text.contains("s3cret"), "{text}");

    // Elsewhere it is none, and can be printed.
    let output = binary(&["check", &config, "--print"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("x-token: \"<hidden>\"") && !text.contains("s3cret"), "{text}");
    // The config's own addresses are all that `check` knows.
    let server = format!("server: {{otlp: {{http: [\"127.0.0.1:{port}\"]}}}}\n");
    std::fs::write(&file, format!("{server}forward: [{target}]\n")).unwrap();
    assert_eq!(binary(&["check", &config]).output().unwrap().status.code(), Some(65));
}

#[test]
fn an_incident_is_told_when_it_begins_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let truth = folder.path().join("truth.json");
    let truth = truth.to_str().unwrap();
    let mut process = Process::start(&[
        "demo",
        "--log.format=json",
        "--speed=600",
        "--incident=throttle_storm",
        "--incident-for=10m",
        "--duration=4s",
        "--truth",
        truth,
    ]);
    process.says("\"event\":\"incident_began\",\"incident\":\"throttle_storm\"");
    process.says("\"event\":\"incident_ended\",\"incident\":\"throttle_storm\"");
    let (code, rest) = process.end();
    assert_eq!(code, 0, "{rest}");
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    let incident = &truth["incident"];
    assert_eq!((&truth["finished"], &incident["name"]), (&true.into(), &"throttle_storm".into()));
    assert_eq!(
        (incident["from_seconds"].as_f64(), incident["until_seconds"].as_f64()),
        (Some(600.0), Some(1200.0))
    );
    assert!(incident["changed"].as_u64() > Some(0), "{incident}");
}

#[test]
fn a_past_that_makes_no_sense_is_a_mistake_of_use() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("past.om");
    let out = format!("--out={}", out.to_str().unwrap());
    for arguments in [
        &["demo", "--history=1d"][..],
        &["demo", &out],
        &["demo", "--history=1d", &out, "--step=2d"],
        &["demo", "--history=1d", &out, "--step=1500ms"],
        &["demo", "--history=365d", &out, "--step=1s"],
        &["demo", "--history=1d", &out, "--end=100"],
        &["demo", "--history=1d", &out, "--label=job"],
        &["demo", "--history=1d", &out, "--only=/(/"],
        &["demo", "--incident=earthquake"],
    ] {
        let done = binary(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(64), "{arguments:?}: {said}");
    }
    let done = binary(&["demo", "--history=1d", "--out=/nowhere/past.om"]).output().unwrap();
    assert_eq!(done.status.code(), Some(65));
}

//! What was taken is passed on as it came, and whoever it is passed on to is felt by nobody else.

mod sink;

use std::time::Duration;

use config::Forward;
use engine::view::Signal;
use engine::wire::json_to_protobuf;
use server::clock;
use server::net::Drained;

use crate::certificates;
use crate::cli::Process;
use crate::support::*;
use sink::{Say, Sink, until};

/// The targets of a config, with an endpoint for each `@`.
fn targets(yaml: &str, endpoint: &str) -> Vec<Forward> {
    let text = format!("forward: [{}]", yaml.replace('@', endpoint));
    testkit::settings(&text).forward
}

/// A server that passes on, with the short patience of tests.
fn forwarding(forward: Vec<Forward>) -> Server {
    let mut options = options();
    options.deadlines.backoff = (Duration::from_millis(50), Duration::from_millis(200));
    options.deadlines.flush = Duration::from_secs(1);
    options.forward = forward;
    serve(options)
}

fn to(sink: &Sink, yaml: &str) -> Server {
    forwarding(targets(yaml, &format!("http://{}", sink.address)))
}

fn send(server: &Server, headers: &str, body: &[u8]) {
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", headers, body).status, 200);
}

fn dropped(server: &Server, target: &str, reason: &str) -> f64 {
    let labels = [("target", target), ("reason", reason)];
    server.value("oscar_metrics_forward_dropped_requests_total", &labels)
}

fn forwarded(server: &Server, target: &str) -> f64 {
    let labels = [("target", target), ("signal", "traces")];
    server.value("oscar_metrics_forwarded_requests_total", &labels)
}

const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"chat"}]}]}]}"#;

#[test]
fn an_http_target_gets_the_bytes_as_they_came() {
    let sink = Sink::new(Vec::new());
    let yaml = r#"{endpoint: "@/base/", signals: [traces, logs], headers: {x-key: "007", authorization: "Bearer t"}}"#;
    let server = to(&sink, yaml);
    let (plain, json) = (span(), SPAN.as_bytes());
    send(&server, PROTOBUF, &plain);
    let zipped = gzip(json);
    send(&server, &format!("{JSON}Content-Encoding: gzip\r\nX-Own: bot\r\n"), &zipped);
    let zstandard = zstd(&span());
    send(&server, &format!("{PROTOBUF}Content-Encoding: zstd\r\n"), &zstandard);
    let large = padded_span(REQUEST - 200);
    send(&server, PROTOBUF, &large);
    assert_eq!(post(server.address("otlp_http"), "/v1/logs", PROTOBUF, b"").status, 200);
    // Not wanted, and not taken.
    assert_eq!(post(server.address("otlp_http"), "/v1/metrics", PROTOBUF, b"").status, 200);
    assert_eq!(post(server.address("otlp_http"), "/v1/traces", PROTOBUF, b"\xff").status, 400);

    let mut seen = sink.wait(5);
    let wanted = [
        ("/base/v1/traces", &plain[..], "application/x-protobuf", None),
        ("/base/v1/traces", &zipped, "application/json", Some("gzip")),
        ("/base/v1/traces", &zstandard, "application/x-protobuf", Some("zstd")),
        ("/base/v1/traces", &large, "application/x-protobuf", None),
        ("/base/v1/logs", b"", "application/x-protobuf", None),
    ];
    for (path, body, media_type, coding) in wanted {
        let at = seen.iter().position(|one| one.path == path && one.body == body);
        let one = seen.remove(at.unwrap_or_else(|| panic!("{path} {media_type} did not arrive")));
        assert_eq!(one.header("content-type"), Some(media_type));
        assert_eq!(one.header("content-encoding"), coding);
        assert_eq!(
            (one.header("x-key"), one.header("authorization")),
            (Some("007"), Some("Bearer t"))
        );
        assert_eq!(one.header("x-own"), None, "a sender's own headers are for us alone");
    }
    let target = sink.address.to_string();
    until(|| forwarded(&server, &target) == 4.0, || server.scrape());
    let queued = || server.value("oscar_metrics_forward_queue_bytes", &[("target", &target)]);
    until(|| queued() == 0.0, || server.scrape());
    assert_eq!(sink.seen().len(), 5);
}

#[test]
fn a_grpc_target_gets_the_message_as_it_came_and_json_as_protobuf() {
    let sink = Sink::new(Vec::new());
    let server = to(&sink, r#"{endpoint: "@"}"#);
    let zipped = gzip(&span());
    send(&server, &format!("{PROTOBUF}Content-Encoding: gzip\r\n"), &zipped);
    sink.wait(1);
    send(&server, &format!("{JSON}Content-Encoding: zstd\r\n"), &zstd(SPAN.as_bytes()));
    let seen = sink.wait(2);
    for one in &seen {
        assert_eq!(one.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        assert_eq!(
            (one.header("content-type"), one.header("te")),
            (Some("application/grpc"), Some("trailers"))
        );
        let length = u32::from_be_bytes(one.body[1..5].try_into().unwrap());
        assert_eq!(length as usize, one.body.len() - 5);
    }
    assert_eq!((seen[0].body[0], seen[0].header("grpc-encoding")), (1, Some("gzip")));
    assert_eq!(seen[0].body[5..], zipped);
    let mut protobuf = Vec::new();
    json_to_protobuf(Signal::Traces, SPAN.as_bytes(), REQUEST, &mut protobuf).unwrap();
    assert_eq!((seen[1].body[0], seen[1].header("grpc-encoding")), (0, None));
    assert_eq!(seen[1].body[5..], protobuf);
}

#[test]
fn a_second_instance_counts_the_same_and_gets_no_request_of_duplicates_alone() {
    let second = serve(options());
    for door in ["otlp_grpc", "otlp_http"] {
        let address = second.address(door);
        let protocol = door.trim_start_matches("otlp_");
        let yaml = format!(r#"{{endpoint: "@", protocol: {protocol}}}"#);
        let server = forwarding(targets(&yaml, &format!("http://{address}")));
        let before = (second.received(), second.accepted());
        let (body, other) = (span(), span());
        for body in [&body, &body, &body, &[&body[..], &other].concat()] {
            send(&server, PROTOBUF, body);
        }
        assert_eq!((server.received(), server.accepted()), (5.0, 2.0), "three came before");
        until(|| forwarded(&server, &address.to_string()) == 2.0, || server.scrape());
        assert_eq!((second.received(), second.accepted()), (before.0 + 3.0, before.1 + 2.0));
        assert_eq!(second.refusals(), 0.0);
    }
}

#[test]
fn a_loop_of_two_instances_ends_at_three_hops() {
    const LOG: &str =
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}},{}]}]}]}"#;
    let items = |server: &Server, what: &str, labels: &[(&str, &str)]| {
        let labels = [&[("signal", "logs")], labels].concat();
        server.value(&format!("oscar_metrics_{what}_items_total"), &labels)
    };
    for (door, protocol) in [("otlp_grpc", "grpc"), ("otlp_http", "http")] {
        let yaml = format!(r#"{{endpoint: "@", protocol: {protocol}}}"#);
        let to = |server: &Server| targets(&yaml, &format!("http://{}", server.address(door)));
        let a = forwarding(Vec::new());
        let b = forwarding(to(&a));
        a.running().forwarders.retarget(&to(&b));
        assert_eq!(post(a.address("otlp_http"), "/v1/logs", JSON, LOG.as_bytes()).status, 200);
        until(|| items(&b, "rejected", &[("reason", "loop")]) == 2.0, || b.scrape());
        std::thread::sleep(SHORT);
        let counts = |server| {
            let rejected = items(server, "rejected", &[("reason", "loop")]);
            (items(server, "received", &[]), items(server, "accepted", &[]), rejected)
        };
        // Each of the two records: a, b, a, and then no more.
        assert_eq!((counts(&a), counts(&b)), ((4.0, 4.0, 0.0), (4.0, 2.0, 2.0)), "{door}");
    }
}

#[test]
fn a_dead_target_takes_no_memory_that_requests_need() {
    let dead = Nobody::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    let text = format!(
        "limits: {{memory: 64MiB}}\nforward: [{{endpoint: \"http://{0}\"}}, {{endpoint: \"http://{0}/b\", protocol: http}}]",
        dead.address
    );
    std::fs::write(&file, text).unwrap();
    let mut process = Process::start(&[&format!("--config.file={}", file.display())]);
    process.says("forward_queues_reduced");
    let mut stream = connect(process.address("otlp_http"));
    for _ in 0..100 {
        let body = padded_span(engine::limits::MIB - 200);
        std::io::Write::write_all(&mut stream, &request("POST", "/v1/traces", PROTOBUF, &body))
            .unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 200);
    }
    let scrape = get(process.address("web"), "/metrics").text();
    let sum = |name: &str| -> f64 {
        let lines = scrape.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    let waiting = sum("oscar_metrics_forward_queue_bytes{");
    assert!(waiting > 6e6 && waiting <= 64e6 / 7.0, "{waiting}");
    let dropped = sum("oscar_metrics_forward_dropped_requests_total{");
    assert!(dropped > 180.0, "{dropped} of 200: the oldest make room");
    assert_eq!(sum("oscar_metrics_refused_requests_total{"), 0.0);
}

#[test]
fn what_the_target_says_is_heeded() {
    let busy = |after: &str| Say::This(503, vec![("retry-after", after.to_owned())]);
    let sink = Sink::new(vec![busy("1"), Say::This(400, Vec::new()), Say::This(500, Vec::new())]);
    let server = to(&sink, r#"{endpoint: "@", protocol: http, signals: [traces]}"#);
    let target = sink.address.to_string();
    let labels = [("target", &*target)];
    assert!(
        server
            .scrape()
            .contains(&format!("oscar_metrics_forward_retries_total{{target=\"{target}\"}} 0"))
    );
    assert_eq!(server.scrape().matches("oscar_metrics_forward_dropped_requests_total{").count(), 4);
    let bodies = [span(), span(), span()];
    send(&server, PROTOBUF, &bodies[0]);
    let seen = sink.wait(2);
    let waited = seen[1].at - seen[0].at;
    assert!(waited >= Duration::from_secs(1), "it came again after {waited:?}");
    assert_eq!(seen[1].body, bodies[0]);
    until(|| dropped(&server, &target, "rejected") == 1.0, || server.scrape());
    send(&server, PROTOBUF, &bodies[1]);
    until(|| dropped(&server, &target, "rejected") == 2.0, || server.scrape());
    send(&server, PROTOBUF, &bodies[2]);
    until(|| forwarded(&server, &target) == 1.0, || server.scrape());
    assert_eq!(sink.seen().len(), 4, "what was rejected does not come again");
    assert_eq!(server.value("oscar_metrics_forward_retries_total", &labels), 1.0);
}

#[test]
fn a_request_that_is_never_taken_does_not_hold_up_the_others_for_ever() {
    let grpc = |code: &str| Say::This(200, vec![("grpc-status", code.to_owned())]);
    let sink = Sink::new(vec![grpc("14"); 10]);
    let server = to(&sink, r#"{endpoint: "@"}"#);
    let target = sink.address.to_string();
    let (first, second) = (span(), span());
    send(&server, PROTOBUF, &first);
    let retries = || server.value("oscar_metrics_forward_retries_total", &[("target", &target)]);
    until(|| retries() >= 1.0, || server.scrape());
    send(&server, PROTOBUF, &second);
    let seen = sink.wait(11);
    assert!(seen[..10].iter().all(|one| one.body[5..] == first));
    assert_eq!(seen[10].body[5..], second);
    until(|| forwarded(&server, &target) == 1.0, || server.scrape());
    assert_eq!(dropped(&server, &target, "gave_up"), 1.0);
}

#[test]
fn a_dead_target_drops_its_oldest_and_gets_the_newest_when_it_comes() {
    let nobody = Nobody::new();
    let address = nobody.address;
    // Room for four of them.
    let yaml = r#"{endpoint: "@", protocol: http, queue: 6kB}"#;
    let server = forwarding(targets(yaml, &format!("http://{address}")));
    let bodies: Vec<_> = (0..20).map(|_| padded_span(1000)).collect();
    let target = address.to_string();
    let retries = || server.value("oscar_metrics_forward_retries_total", &[("target", &target)]);
    // A target that is known to fail is asked by one request at a time; until then several may be under way, and hold the room.
    send(&server, PROTOBUF, &bodies[0]);
    until(|| retries() >= 1.0, || server.scrape());
    for body in &bodies[1..] {
        send(&server, PROTOBUF, body);
    }
    assert_eq!(server.accepted(), 20.0);
    // One may be under way, and so be older than those that wait.
    assert_eq!(dropped(&server, &target, "queue_full"), 16.0);
    let queued = || server.value("oscar_metrics_forward_queue_bytes", &[("target", &target)]);
    assert!(queued() > 4000.0 && queued() <= 6000.0, "{}", queued());
    drop(nobody); // its port is free again
    let sink = Sink::on(address, Vec::new(), None);
    let seen = sink.wait(4);
    for body in &bodies[17..] {
        assert!(seen.iter().any(|one| one.body == *body), "one of the newest is gone");
    }
    until(|| forwarded(&server, &target) == 4.0, || server.scrape());
    until(|| queued() == 0.0, || server.scrape());
}

#[test]
fn a_stalled_target_is_felt_neither_by_senders_nor_by_other_targets() {
    let (stalled, sink) = (Sink::new(vec![Say::Never; 1000]), Sink::new(Vec::new()));
    let yaml = r#"{endpoint: "@", protocol: http, queue: 64KiB, timeout: 300ms}"#;
    let mut both = targets(yaml, &format!("http://{}", stalled.address));
    both.extend(targets(r#"{endpoint: "@"}"#, &format!("http://{}", sink.address)));
    let server = forwarding(both);
    for _ in 0..100 {
        send(&server, PROTOBUF, &padded_span(1000));
    }
    sink.wait(100);
    let (target, other) = (stalled.address.to_string(), sink.address.to_string());
    until(|| forwarded(&server, &other) == 100.0, || server.scrape());
    assert!(dropped(&server, &target, "queue_full") >= 40.0);
    // Its deadline passes, and it is asked again.
    stalled.wait(6);
    assert!(server.value("oscar_metrics_forward_retries_total", &[("target", &target)]) >= 1.0);
    assert_eq!(forwarded(&server, &target), 0.0);
    server.works();
}

#[test]
fn a_stop_empties_the_queue_of_who_is_there_and_waits_for_nobody_else() {
    let sink = Sink::new(vec![Say::This(503, Vec::new()); 2]);
    let server = to(&sink, r#"{endpoint: "@", protocol: http}"#);
    for _ in 0..5 {
        send(&server, PROTOBUF, &span());
    }
    assert_eq!(server.stop(), Drained::Clean);
    assert_eq!(sink.seen().len(), 7, "two of them twice");

    let nobody = Nobody::new();
    let address = format!("http://{}", nobody.address);
    let server = forwarding(targets(r#"{endpoint: "@"}"#, &address));
    send(&server, PROTOBUF, &span());
    let begin = clock::monotonic();
    assert_eq!(server.stop(), Drained::Clean);
    assert!(clock::monotonic() - begin < Duration::from_secs(5), "nobody is worth the wait");
}

#[test]
fn a_reload_ends_begins_and_keeps_targets() {
    let (old, new, nobody) = (Sink::new(Vec::new()), Sink::new(Vec::new()), Nobody::new());
    let kept = nobody.address;
    let target = |address: std::net::SocketAddr| {
        targets(r#"{endpoint: "@", protocol: http}"#, &format!("http://{address}")).remove(0)
    };
    let server = forwarding(vec![target(kept), target(old.address)]);
    let forwarders = &server.running().forwarders;
    send(&server, PROTOBUF, &span());
    old.wait(1);
    forwarders.retarget(&[target(new.address), target(kept)]);
    send(&server, PROTOBUF, &span());
    new.wait(1);
    assert_eq!(old.seen().len(), 1);
    drop(nobody);
    let kept_sink = Sink::on(kept, Vec::new(), None);
    kept_sink.wait(2);
    forwarders.retarget(&[]);
    send(&server, PROTOBUF, &span());
    server.works();
    assert_eq!((new.seen().len(), kept_sink.seen().len()), (1, 2));
}

#[test]
fn a_tls_target_is_trusted_by_its_own_ca_alone() {
    let folder = tempfile::tempdir().unwrap();
    certificates::issue(folder.path());
    let config = certificates::server(folder.path());
    let sink = Sink::on("127.0.0.1:0".parse().unwrap(), Vec::new(), Some(config));
    let endpoint = format!("https://localhost:{}", sink.address.port());
    let yaml = r#"{endpoint: "@", protocol: grpc, tls: {ca_file: ca.pem}},
                  {endpoint: "@/x", tls: {ca_file: ca.pem}}"#;
    let mut trusting = targets(yaml, &endpoint);
    trusting.iter_mut().for_each(|target| target.beside(folder.path()));
    let server = forwarding(trusting);
    send(&server, PROTOBUF, &span());
    let mut paths: Vec<_> = sink.wait(2).into_iter().map(|one| one.path).collect();
    paths.sort();
    assert_eq!(
        paths,
        ["/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/x/v1/traces"]
    );

    // Another CA, none that is one, and a file that comes only later.
    let elsewhere = tempfile::tempdir().unwrap();
    certificates::issue(elsewhere.path());
    let label = format!("localhost:{}", sink.address.port());
    for files in ["ca.pem", "key.pem", "none.pem"] {
        let yaml = format!(r#"{{endpoint: "@", protocol: http, tls: {{ca_file: {files}}}}}"#);
        let mut distrusting = targets(&yaml, &endpoint);
        distrusting[0].beside(elsewhere.path());
        let server = forwarding(distrusting);
        send(&server, PROTOBUF, &span());
        let retries = || server.value("oscar_metrics_forward_retries_total", &[("target", &label)]);
        until(|| retries() >= 2.0, || server.scrape());
        assert_eq!(sink.seen().len(), 2, "{files}");
        if files == "none.pem" {
            std::fs::copy(folder.path().join("ca.pem"), elsewhere.path().join(files)).unwrap();
            sink.wait(3);
            until(|| forwarded(&server, &label) == 1.0, || server.scrape());
        }
    }
}

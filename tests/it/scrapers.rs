//! What scrapers that share an address are shown, over real connections.

use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::support::*;

const CONFIG: &str = r#"
metrics:
  spans_total: {help: Spans., type: counter, from: span, labels: {name: name}}
"#;

/// Long enough for a busy machine, and so the pace of these tests.
const INTERVAL: Duration = Duration::from_millis(800);

/// What a scrape over this connection shows of the spans of a name; none: nothing.
fn scrape(connection: &mut TcpStream, name: &str) -> Option<f64> {
    let headers = "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n";
    connection.write_all(&request("GET", "/metrics", headers, b"")).unwrap();
    let reply = answer(connection).unwrap();
    assert_eq!(reply.status, 200);
    let text = reply.text();
    let series = format!("spans_total{{name=\"{name}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)).map(|value| value.parse().unwrap())
}

fn send(server: &Server, name: &str) {
    let reply = post(server.address("otlp_http"), "/v1/traces", PROTOBUF, &named_span(name));
    assert_eq!(reply.status, 200);
}

#[test]
fn shows_both_scrapers_behind_one_address_the_zero() {
    let server = serve_config(Some(CONFIG));
    let web = server.address("web");
    let (mut one, mut two) = (connect(web), connect(web));
    for _ in 0..2 {
        assert_eq!((scrape(&mut one, "a"), scrape(&mut two, "a")), (None, None));
        sleep(INTERVAL);
    }
    send(&server, "a");
    assert_eq!(scrape(&mut one, "a"), Some(0.0));
    assert_eq!(scrape(&mut one, "a"), Some(0.0), "the other one has not seen it yet");
    assert_eq!(
        server.value("spans_total", &[("name", "a")]),
        1.0,
        "all other clients see the value"
    );
    assert_eq!(scrape(&mut two, "a"), Some(0.0));
    assert_eq!((scrape(&mut two, "a"), scrape(&mut one, "a")), (Some(1.0), Some(1.0)));
}

#[test]
fn waits_for_no_scraper_that_has_closed_its_connection() {
    let server = serve_config(Some(CONFIG));
    let web = server.address("web");
    let (mut one, mut two) = (connect(web), connect(web));
    scrape(&mut two, "a");
    sleep(INTERVAL);
    scrape(&mut two, "a");
    drop(two);
    send(&server, "a");
    assert_eq!((scrape(&mut one, "a"), scrape(&mut one, "a")), (Some(0.0), Some(1.0)));
}

#[test]
fn an_idle_connection_sees_no_zero_after_a_value() {
    let server = serve_config(Some(CONFIG));
    let web = server.address("web");
    let (mut one, mut two) = (connect(web), connect(web));
    for _ in 0..2 {
        scrape(&mut one, "a");
        scrape(&mut two, "a");
        sleep(Duration::from_millis(100));
    }
    send(&server, "a");
    assert_eq!(scrape(&mut one, "a"), Some(0.0));
    sleep(INTERVAL); // far beyond one and a half of the intervals seen
    assert_eq!((scrape(&mut one, "a"), scrape(&mut two, "a")), (Some(1.0), Some(1.0)));
}

/// Metrics of some 12 MB, more than sockets hold, and so many clients that ask for them and do not read.
fn slow_clients(server: &Server, count: usize, timeout: u32) -> Vec<TcpStream> {
    let names = (0..1500).map(|at| format!("{at:0250}"));
    for name in names {
        send(server, &name);
    }
    let headers = format!("X-Prometheus-Scrape-Timeout-Seconds: {timeout}\r\n");
    let ask = |_| {
        let mut stream = connect(server.address("web"));
        stream.write_all(&request("GET", "/metrics", &headers, b"")).unwrap();
        stream
    };
    let clients = (0..count).map(ask).collect();
    sleep(Duration::from_millis(300));
    clients
}

const LARGE: &str = "metrics:
  spans_total: {help: Spans., type: histogram, from: span, value: duration,
                buckets: [1s, 2s, 3s, 4s, 5s, 6s, 7s, 8s, 9s, 10s, 11s, 12s, 13s, 14s, 15s, 16s], labels: {name: name}}
";

#[test]
fn slow_clients_keep_no_scraper_out_that_came_before() {
    let server = serve_config(Some(&LARGE.replace("spans_total", "spans_seconds")));
    let mut prometheus = connect(server.address("web"));
    scrape(&mut prometheus, "a");
    // They come from its address, too.
    let slow = slow_clients(&server, 10, 60);
    for _ in 0..5 {
        scrape(&mut prometheus, "a"); // it is answered, or this fails
    }
    drop(slow);
    sleep(Duration::from_millis(300));
    let busy = server.value("oscar_metrics_web_refused_requests_total", &[("reason", "busy")]);
    assert_eq!(busy, 3.0, "of ten the one for the known connection was kept");
}

#[test]
fn a_scrape_that_is_not_read_ends_at_the_timeout_of_its_scraper() {
    let server = serve_config(Some(&LARGE.replace("spans_total", "spans_seconds")));
    let slow = slow_clients(&server, 8, 1);
    sleep(Duration::from_millis(1500));
    assert_eq!(server.closed("stalled"), 6.0);
    drop(slow);
}

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
    let text = answer(connection).unwrap().text();
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

//! After SIGTERM the last increments are still scraped: the binary, its scrapers, and how long it waits for them.

use std::io::Write;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use server::clock;

use crate::state::place::{Place, Process, within};
use crate::support::*;

/// Longer than any of these tests may take, so that none ends for it.
const LONG: &str = "60s";

fn start(linger: &str) -> (Place, Process) {
    let place = Place::new(&format!(
        "server: {{web: {{linger: {linger}}}}}
metrics:
  spans_total: {{help: Spans., type: counter, from: span, labels: {{tool: {{from: tool, limit: 50}}}}}}
"
    ));
    let process = place.start();
    (place, process)
}

/// A scrape over a connection that stays open; what it shows of a tool's spans.
fn scrape(connection: &mut TcpStream, tool: &str) -> Option<f64> {
    let headers = "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n";
    connection.write_all(&request("GET", "/metrics", headers, b"")).unwrap();
    let text = answer(connection).unwrap().text();
    let series = format!("spans_total{{tool=\"{tool}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&series)).map(|value| value.parse().unwrap())
}

/// Waits until it no longer wants traffic.
fn unready(process: &Process) {
    within(|| get(process.web, "/-/ready").status == 503);
}

#[test]
fn waits_until_every_scraper_has_the_last_increments() {
    let (_place, mut process) = start(LONG);
    let (mut one, mut two) = (connect(process.web), connect(process.web));
    for _ in 0..2 {
        assert_eq!((scrape(&mut one, "a"), scrape(&mut two, "a")), (None, None));
        sleep(Duration::from_secs(1));
    }
    process.span("x", 1, &[("tool", "a")]);
    process.signal(Signal::TERM);
    unready(&process);
    assert_eq!((scrape(&mut one, "a"), scrape(&mut two, "a")), (Some(0.0), Some(0.0)));
    assert_eq!(scrape(&mut one, "a"), Some(1.0));
    sleep(Duration::from_millis(300));
    assert!(!process.has_ended(), "the second scraper lacks the value");
    assert_eq!(scrape(&mut two, "a"), Some(1.0));
    within(|| process.has_ended());
    assert_eq!(process.events("stopped")[0]["how"], "drained");
}

#[test]
fn ends_at_once_when_nothing_came_since_the_last_scrape() {
    let (_place, mut process) = start(LONG);
    process.span("x", 1, &[("tool", "a")]);
    let mut scraper = connect(process.web);
    assert_eq!([scrape(&mut scraper, "a"), scrape(&mut scraper, "a")], [Some(0.0), Some(1.0)]);
    process.signal(Signal::TERM);
    within(|| process.has_ended());
}

#[test]
fn waits_its_whole_time_for_a_first_scraper() {
    let (_place, mut process) = start("1s");
    let begin = clock::monotonic();
    process.signal(Signal::TERM);
    unready(&process);
    get(process.web, "/metrics"); // a client that is no scraper
    within(|| process.has_ended());
    assert!(clock::monotonic() - begin >= Duration::from_secs(1));
    assert_eq!(process.events("last_increments_not_scraped").len(), 1);
}

#[test]
fn a_second_signal_ends_the_wait() {
    let (_place, mut process) = start(LONG);
    process.signal(Signal::TERM);
    unready(&process);
    within(|| process.events("waiting_for_scrapes").len() == 1);
    process.signal(Signal::TERM);
    within(|| process.has_ended());
    assert_eq!(process.events("stopped")[0]["how"], "at once");
}

#[test]
fn does_not_wait_when_linger_is_zero() {
    let (_place, mut process) = start("0s");
    process.span("x", 1, &[("tool", "a")]);
    process.signal(Signal::TERM);
    within(|| process.has_ended());
    assert!(process.events("waiting_for_scrapes").is_empty());
}

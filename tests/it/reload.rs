//! What a reload changes while the binary serves, and what it reports.

use std::fs;
use std::process::Command;

use crate::state::place::{Place, Process, within};
use crate::support::*;

const METRICS: &str = "
metrics:
  spans_total: {help: Spans., type: counter, from: span, labels: {tool: {from: tool, limit: 50}}}
";

/// Writes another config and asks for a reload.
fn reload(place: &Place, process: &Process, settings: &str) -> Reply {
    fs::write(place.config(), format!("{settings}{METRICS}")).unwrap();
    post(process.web, "/-/reload", "", b"")
}

fn reloaded(place: &Place, process: &Process, settings: &str) {
    let reply = reload(place, process, settings);
    assert_eq!((reply.status, &*reply.text()), (200, "reloaded\n"), "{settings}");
}

#[test]
fn applies_settings_of_the_web_port() {
    let place = Place::new(METRICS);
    let process = place.start();
    process.span("x", 1, &[("tool", "a")]);
    let text = |process: &Process| process.scrape();
    assert_eq!(text(&process)["spans_total{tool=\"a\"}"], 0.0);
    assert!(!text(&process).contains_key("spans_created{tool=\"a\"}"));
    process.span("x", 2, &[("tool", "b")]);
    reloaded(&place, &process, "server: {web: {zero_first: 0s, created_lines: true, linger: 1s}}");
    assert_eq!(text(&process)["spans_total{tool=\"b\"}"], 1.0);
    assert!(text(&process).contains_key("spans_created{tool=\"b\"}"));
    process.span("x", 3, &[("tool", "c")]);
    assert!(process.stop().contains("waiting_for_scrapes"));
}

#[test]
fn applies_limits_of_requests() {
    let place = Place::new(METRICS);
    let process = place.start();
    let send = || post(process.http, "/v1/traces", PROTOBUF, &padded_span(4000)).status;
    let preflight = || {
        let headers = "Origin: https://a\r\nAccess-Control-Request-Method: POST\r\n";
        exchange(process.http, &request("OPTIONS", "/v1/traces", headers, b"")).status
    };
    assert_eq!((send(), preflight()), (200, 405));
    reloaded(&place, &process, "server: {otlp: {max_request: 2kB, cors: [\"https://a\"]}}");
    assert_eq!((send(), preflight()), (413, 204));
    reloaded(&place, &process, "server: {otlp: {max_request: 2kB}}\nlimits: {in_flight: 2kB}");
    assert_eq!(send(), 413);
    reloaded(&place, &process, "server: {otlp: {max_request: 8kB}}\nlimits: {memory: 1kB}");
    within(|| send() == 503);
    reloaded(&place, &process, "");
    within(|| send() == 200);
}

#[test]
fn applies_the_interval_of_state() {
    let place = Place::new("state: {interval: 100ms}");
    let process = place.start();
    place.written();
    reloaded(&place, &process, "state: {interval: 1h}");
    within(|| {
        let before = place.files()["state.snapshot"].clone();
        std::thread::sleep(std::time::Duration::from_millis(500));
        place.files()["state.snapshot"] == before
    });
}

#[test]
fn names_settings_that_need_a_restart() {
    let place = Place::new("state: {dir: one}");
    // Without the flag, which would win over the setting; those for the addresses do.
    let flags = place.command();
    let mut command = Command::new(flags.get_program());
    let flags = flags.get_args().filter(|flag| !flag.to_string_lossy().contains("state.dir"));
    command.args(flags).env_clear();
    let process = place.run(command);
    let other = "server: {web: {listen: \"127.0.0.1:1\", linger: 0s}}\nstate: {dir: other}";
    let reply = reload(&place, &process, other);
    assert_eq!(reply.text(), "reloaded, restart to change: state.dir\n");
    assert_eq!(process.events("reloaded")[0]["restart_needed"], "state.dir");
    reloaded(&place, &process, "state: {dir: one}");
}

#[test]
fn logs_a_reload_that_failed() {
    let place = Place::new(METRICS);
    let process = place.start();
    let reply = reload(&place, &process, "server: {web: {zero_first: never}}");
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains("zero_first"), "{}", reply.text());
    let logged = &process.events("not_reloaded")[0];
    assert!(logged["error"].as_str().unwrap().contains("zero_first"), "{logged}");
    reloaded(&place, &process, "");
    assert_eq!(process.events("reloaded").len(), 1);
}

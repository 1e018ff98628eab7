//! What survives a restart, a kill, a spoiled file and another place: the binary and its state directory, seen from outside.

pub mod place;

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;

use engine::model::{Row, RowValue};
use engine::pipeline::Pipeline;
use engine::snapshot;
use engine::timestamp::Timestamp;
use engine::view;
use serde_json::json;
use testkit::json::{self, texts};
use testkit::pipeline;

use crate::support::*;
use place::{Place, Process, TICK, free_ports, total, within};

/// What must not be found on the disk: an id, and what somebody said.
const PLANTED: [&str; 2] = ["U-PLANTED-7", "tell me the secret of Ada"];

const CONFIG: &str = r#"
server: {web: {created_lines: true}}
state: {interval: 50ms}
privacy: {drop: [prompt]}
attributes:
  user: {any_of: [user.id], hash: true}
  talk: {any_of: [span.talk], hash: true}
records:
  asked: {from: span, where: {prompt: {exists: true}}}
  bye: {from: span, where: {name: bye}}
metrics:
  spans_total: {help: Spans., type: counter, from: span, labels: {tool: {from: tool, limit: 50}}}
  span_seconds: {help: Spans., type: histogram, from: span, value: duration, buckets: [1s, 20s], native: true}
  level: {help: A level., type: gauge, from: span, value: size}
  users: {help: People., type: distinct, from: span, of: user, windows: [1d], registers: 64}
  talks_total: {help: Talks., type: counter, from: session, labels: {ended_by: ended_by, tool: {from: tool, limit: 50}}}
  told_total: {help: Talks., type: counter, from: session, where: {prompt: {exists: true}}}
  talkers: {help: People., type: distinct, from: session, of: user, windows: [1d], registers: 0}
sessions: {from: asked, key: talk, idle: 30m, end: bye}
"#;

/// Only of the bot's metrics.
fn bots(all: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let own = |(series, _): &(&String, &f64)| !series.starts_with("oscar_metrics_");
    all.iter().filter(own).map(|(series, value)| (series.clone(), *value)).collect()
}

/// Somebody twice and somebody else once, and a sender's total of 5.
fn filled(place: &Place) -> Process {
    let process = place.start();
    process.turn(1, "ann", "a");
    process.turn(2, "ann", "b");
    process.turn(3, PLANTED[0], "a");
    process.total(5, 1);
    process
}

#[test]
fn a_clean_stop_loses_nothing_and_nothing_counts_twice() {
    let place = Place::new(CONFIG);
    let process = filled(&place);
    process.scrape(); // what was born is 0 to it the first time
    sleep(TICK);
    let before = bots(&process.scrape());
    assert_eq!(before["spans_total{tool=\"a\"}"], 2.0);
    assert_eq!(before["sent_total{job=\"bot\"}"], 5.0);
    process.stop();
    let files = place.files();
    assert!(files.contains_key("state.clean"), "{:?}", files.keys());

    let process = place.start();
    assert_eq!(bots(&process.scrape()), before, "the first scrape sees no 0");
    process.total(5, 1);
    process.total(7, 2);
    process.turn(3, PLANTED[0], "a");
    assert_eq!(process.value("sent_total{job=\"bot\"}"), 7.0);
    assert_eq!(process.value("spans_total{tool=\"a\"}"), 2.0, "a span that is sent again");
    process.span("bye", 9, &[("talk", "ann")]);
    assert_eq!(process.value("talks_total{ended_by=\"event\",tool=\"b\"}"), 1.0);
    let restored = &process.events("state_restored")[0];
    assert_eq!((&restored["counters"], &restored["sessions"]), (&json!(true), &json!(2)));
    process.stop();
}

#[test]
fn a_kill_keeps_people_and_conversations_and_counters_begin_anew() {
    let place = Place::new(CONFIG);
    let process = filled(&place);
    place.written();
    place.freeze(&process);
    let before = process.scrape(); // after the last snapshot
    process.kill();

    let process = place.start();
    let after = process.scrape();
    assert_eq!(process.events("state_restored")[0]["counters"], false);
    assert_eq!(after["users{window=\"1d\"}"], 2.0);
    assert_eq!(after["users_new_total"], 0.0);
    assert!(after["users_new_created"] > before["users_new_created"]);
    assert!(!after.contains_key("spans_total{tool=\"a\"}") && !after.contains_key("level"));
    process.turn(4, "ann", "a");
    let created = "spans_created{tool=\"a\"}";
    assert!(process.scrape()[created] > before[created]);
    assert_eq!(process.value("spans_total{tool=\"a\"}"), 1.0);
    assert_eq!(process.value("users_new_total"), 0.0, "she was here before");
    process.span("bye", 9, &[("talk", PLANTED[0])]);
    assert_eq!(process.value("talks_total{ended_by=\"event\",tool=\"a\"}"), 1.0);
}

#[test]
fn a_kill_after_a_snapshot_that_no_scrape_followed_loses_nothing() {
    let place = Place::new(CONFIG);
    let process = filled(&place);
    process.scrape();
    process.turn(4, "bob", "b");
    process.turn(6, "bob", "new");
    place.written();
    place.freeze(&process);
    process.turn(5, "eve", "b"); // after the last snapshot
    process.kill();

    for _ in 0..2 {
        // A second time too, as long as nothing was shown since.
        let process = place.start();
        assert_eq!(process.events("state_restored")[0]["counters"], true);
        process.kill();
    }
    let process = place.start();
    let after = process.scrape();
    assert_eq!(after["spans_total{tool=\"b\"}"], 2.0, "the first scrape sees no 0");
    assert_eq!(after["sent_total{job=\"bot\"}"], 5.0);
    let new = "spans_total{tool=\"new\"}";
    assert_eq!((after[new], process.value(new)), (0.0, 1.0), "no scrape has shown it");
    assert_eq!(process.scrape()[new], 1.0);
    process.turn(4, "bob", "b");
    process.turn(5, "eve", "b");
    process.total(7, 2);
    assert_eq!(process.value("spans_total{tool=\"b\"}"), 3.0, "a resent span and a lost one");
    assert_eq!(process.value("sent_total{job=\"bot\"}"), 7.0);
    assert_eq!(process.value("span_seconds_count"), 6.0);
}

#[test]
fn without_its_mark_a_snapshot_restores_no_counter() {
    let place = Place::new(CONFIG);
    let process = filled(&place);
    place.written();
    place.freeze(&process);
    process.kill();
    let mark = place.state().join("scraped");
    let before = fs::read(&mark).unwrap();
    for spoiled in [None, Some(b"short".to_vec())] {
        fs::remove_file(&mark).unwrap();
        spoiled.into_iter().for_each(|bytes| fs::write(&mark, bytes).unwrap());
        let process = place.start();
        assert_eq!(process.events("state_restored")[0]["counters"], false);
        assert_eq!(process.value("users{window=\"1d\"}"), 2.0);
        process.kill();
        let process = place.start();
        assert_eq!(process.events("state_restored")[0]["counters"], false, "nor later");
        process.kill();
    }
    fs::write(&mark, before).unwrap();
    assert_eq!(place.start().value("spans_total{tool=\"a\"}"), 2.0);
}

#[test]
fn metrics_show_how_the_last_process_ended() {
    let place = Place::new(CONFIG);
    let unclean = "oscar_metrics_unclean_end";
    let age = "oscar_metrics_restored_age_seconds";
    // A start that failed is no end.
    let taken = TcpListener::bind(("127.0.0.1", place.ports[2])).unwrap();
    assert_eq!(place.command().stderr(Stdio::null()).status().unwrap().code(), Some(69));
    drop(taken);
    let process = place.start();
    assert_eq!(process.value(unclean), 0.0);
    assert!(process.value(age).is_nan(), "nothing was restored");
    process.kill();
    let process = filled(&place);
    assert_eq!(process.value(unclean), 1.0, "killed before its first snapshot");
    place.written();
    process.kill();
    let process = place.start();
    assert_eq!(process.value(unclean), 1.0);
    assert!((0.0..60.0).contains(&process.value(age)), "{}", process.value(age));
    process.stop();
    let process = place.start();
    assert_eq!(process.value(unclean), 0.0);
    assert!(process.value(age) >= 0.0);
}

#[test]
fn what_a_clean_stop_left_is_taken_once() {
    let place = Place::new(&CONFIG.replace("50ms", "1h"));
    let process = filled(&place);
    let before = process.scrape();
    process.stop();
    let process = place.start();
    process.turn(4, "ann", "a");
    assert_eq!(process.value("spans_total{tool=\"a\"}"), 3.0);
    process.kill();
    let process = place.start();
    process.turn(5, "ann", "a");
    assert_eq!(process.value("spans_total{tool=\"a\"}"), 1.0, "not from 2 again");
    let created = "spans_created{tool=\"a\"}";
    assert!(process.scrape()[created] > before[created]);
    assert_eq!(process.value("users{window=\"1d\"}"), 2.0);
}

#[test]
fn a_start_that_fails_takes_nothing() {
    let place = Place::new(CONFIG);
    filled(&place).stop();
    let taken = TcpListener::bind(("127.0.0.1", place.ports[2])).unwrap();
    let failed = place.command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(failed.status.code(), Some(69), "{}", String::from_utf8_lossy(&failed.stderr));
    drop(taken);
    assert_eq!(place.start().value("spans_total{tool=\"a\"}"), 2.0);
}

#[test]
fn what_cannot_be_used_is_set_aside_and_told() {
    let place = Place::new(CONFIG);
    filled(&place).stop();
    let state = place.state();
    let whole = fs::read(state.join("state.clean")).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    let of_version = |version| [b"OSCARMET", &[version, 0, 0, 0][..], &whole[12..]].concat();
    for (spoiled, why) in [
        (flipped, "checksum"),
        (whole[..whole.len() - 1].to_vec(), "cut short"),
        (Vec::new(), "not a snapshot"),
        (b"[state]\nof = something else\n".to_vec(), "not a snapshot"),
        (of_version(1), "version 1"),
        (of_version(9), "version 9"),
    ] {
        fs::write(state.join("state.clean"), &spoiled).unwrap();
        let process = place.start();
        let told = process.events("state_set_aside");
        assert_eq!(told.len(), 1, "{}", process.log());
        assert!(told[0]["why"].as_str().unwrap().contains(why), "{}", told[0]);
        assert_eq!(fs::read(state.join("state.snapshot.unusable")).unwrap(), spoiled);
        assert_eq!(process.scrape()["users{window=\"1d\"}"], 0.0);
        process.turn(1, "ann", "a");
        place.written();
        process.kill();
        let process = place.start();
        assert!(process.events("state_set_aside").is_empty());
        assert_eq!(process.value("users{window=\"1d\"}"), 1.0, "and it is kept again");
        process.kill();
    }
    fs::write(state.join("hash.key"), "no key").unwrap();
    let process = place.start();
    assert_eq!(process.events("state_set_aside")[0]["file"], "hash.key");
    assert_eq!(process.value("users{window=\"1d\"}"), 0.0, "of a key that is gone");
}

#[test]
fn two_processes_do_not_share_a_directory() {
    let place = Place::new(CONFIG);
    let first = filled(&place);
    let refused = place.command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(refused.status.code(), Some(69));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("another oscar-metrics keeps its state in"), "{said}");
    assert_eq!(first.value("users{window=\"1d\"}"), 2.0);
    first.stop();
}

#[test]
fn a_directory_that_cannot_be_had_costs_nothing_else() {
    let place = Place::new(CONFIG);
    fs::write(place.state(), "a file in the way").unwrap();
    let process = filled(&place);
    within(|| process.value("oscar_metrics_state_write_failures_total") > 3.0);
    assert_eq!(process.events("state_not_written").len(), 1, "once, not each time");
    assert_eq!(process.value("users{window=\"1d\"}"), 2.0);
    fs::remove_file(place.state()).unwrap();
    within(|| process.value("oscar_metrics_state_last_write_timestamp_seconds") > 0.0);
    assert_eq!(process.events("state_written").len(), 1);
    let bytes = process.value("oscar_metrics_state_bytes");
    assert!(bytes > 50.0, "{bytes}");
    // A full disk: what is there stays, and conversations that can't be kept end.
    fs::create_dir(place.state().join("state.snapshot.new")).unwrap();
    fs::create_dir(place.state().join("state.clean.new")).unwrap();
    within(|| process.events("state_not_written").len() == 2);
    process.stop();
    fs::remove_dir(place.state().join("state.snapshot.new")).unwrap();
    fs::remove_dir(place.state().join("state.clean.new")).unwrap();
    let process = place.start();
    assert_eq!(process.value("users{window=\"1d\"}"), 2.0);
    assert!(process.value("spans_total{tool=\"a\"}").is_nan());
}

#[test]
fn in_another_place_or_by_another_config_counters_begin_anew() {
    let mut place = Place::new(CONFIG);
    filled(&place).stop();
    place.ports = free_ports();
    let process = place.start();
    assert!(process.value("spans_total{tool=\"a\"}").is_nan());
    assert_eq!(process.value("users{window=\"1d\"}"), 2.0);
    process.turn(1, "ann", "a");
    process.turn(2, "bob", "a");
    process.stop();
    // The buckets are others, the help is another: only the first matters.
    let config = CONFIG.replace("[1s, 20s]", "[1s, 30s]").replace("help: Spans.", "help: All.");
    fs::write(place.config(), config).unwrap();
    let process = place.start();
    assert_eq!(process.value("spans_total{tool=\"a\"}"), 2.0);
    assert_eq!(process.value("span_seconds_count"), 0.0);
    assert_eq!(process.value("users{window=\"1d\"}"), 3.0);
}

#[test]
fn a_random_key_is_kept_and_ids_of_another_key_are_not() {
    let mut place = Place::new(CONFIG);
    let key = |process: &Process| {
        let text = get(process.web, "/metrics").text();
        let line = text.lines().find(|line| line.starts_with("users_register{")).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let process = filled(&place);
    let first = key(&process);
    place.written();
    process.kill();
    let process = place.start();
    assert_eq!(key(&process), first);
    process.turn(4, "ann", "c");
    process.stop();
    place.environment.push(("OSCAR_METRICS_HASH_KEY", "an operator's"));
    let process = place.start();
    assert_eq!(process.value("users{window=\"1d\"}"), 0.0);
    assert_eq!(process.value("spans_total{tool=\"c\"}"), 1.0);
    assert_eq!(process.events("state_restored")[0]["sessions"], 0);
    process.turn(1, "ann", "a");
    process.turn(7, "ann", "a");
    assert_ne!(key(&process), first);
}

#[test]
fn nothing_personal_is_on_the_disk_in_clear() {
    let place = Place::new(CONFIG);
    let process = filled(&place);
    place.written();
    let running = place.files();
    process.stop();
    let mut all: Vec<_> = running.into_iter().chain(place.files()).collect();
    assert!(all.len() >= 6, "{all:?}");
    all.push(("the log".into(), fs::read(place.folder.path().join("log")).unwrap()));
    for (name, bytes) in &all {
        for planted in PLANTED {
            let found = bytes.windows(planted.len()).any(|some| some == planted.as_bytes());
            assert!(!found, "{planted} is in {name}");
        }
    }
    let tool = |bytes: &Vec<u8>| bytes.windows(4).any(|some| some == b"tool");
    assert!(all.iter().any(|(name, bytes)| name == "state.clean" && tool(bytes)), "it has words");
}

#[test]
fn the_last_good_config_serves_when_the_one_asked_for_is_broken() {
    let place = Place::new(CONFIG);
    filled(&place).stop();
    fs::write(place.config(), "metrics: {spans_total: {type: nonsense}}").unwrap();
    let process = place.start_with(&["--config.fallback"]);
    assert_eq!(process.events("config_refused")[0]["serving"], "the last good config");
    assert_eq!(process.value("spans_total{tool=\"a\"}"), 2.0);
    assert_eq!(process.value("oscar_metrics_config_last_reload_successful"), 0.0);
    process.stop();
    // One that a reload brought is kept too, and one that is broken never is.
    fs::write(place.config(), CONFIG.replace("spans_total:", "spans_ever_total:")).unwrap();
    let process = place.start();
    let other = CONFIG.replace("spans_total:", "spans_now_total:");
    fs::write(place.config(), &other).unwrap();
    assert_eq!(post(process.web, "/-/reload", "", b"").status, 200);
    process.stop();
    assert_eq!(fs::read_to_string(place.state().join("config.yaml")).unwrap(), other);
    fs::remove_file(place.config()).unwrap();
    fs::write(place.state().join("config.yaml"), "broken: [").unwrap();
    let process = place.start_with(&["--config.fallback"]);
    assert_eq!(process.events("config_refused")[0]["serving"], "the built-in config");
}

#[test]
fn the_last_good_config_is_kept_without_secrets_and_its_target_rests() {
    let targets = r#"
forward:
  - {endpoint: "http://127.0.0.1:9", headers: {x-key: "open sesame", "x-b": 'sesame 2'}}
  - {endpoint: "http://127.0.0.1:10", headers: {x-key: "Bearer ${TOKEN}"}}
"#;
    let mut place = Place::new(&(CONFIG.to_owned() + targets));
    place.environment = vec![("TOKEN", "sesame 3")];
    filled(&place).stop();
    let kept = fs::read_to_string(place.state().join("config.yaml")).unwrap();
    assert!(!kept.contains("sesame") && kept.contains("Bearer ${TOKEN}"), "{kept}");
    assert_eq!(kept.matches("<removed>").count(), 2, "{kept}");
    fs::write(place.config(), "broken: [").unwrap();
    let process = place.start_with(&["--config.fallback"]);
    assert_eq!(process.events("config_refused")[0]["serving"], "the last good config");
    let rests = process.events("forward_target_without_secret");
    assert_eq!((rests.len(), &rests[0]["target_name"]), (1, &"127.0.0.1:9".into()));
    let scrape = process.scrape();
    let targets = |port: u16| {
        let name = format!("target=\"127.0.0.1:{port}\"");
        scrape.keys().any(|series| series.contains(&name))
    };
    assert!(!targets(9) && targets(10));
}

#[test]
fn a_pipe_in_the_state_directory_blocks_nothing() {
    let place = Place::new(CONFIG);
    filled(&place).stop();
    for name in ["state.clean", "state.snapshot", "hash.key", "config.yaml", "scraped"] {
        let pipe = place.state().join(name);
        let _ = fs::remove_file(&pipe);
        if name == "state.snapshot" {
            fs::remove_file(place.state().join("state.clean")).unwrap();
        }
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let process = place.start();
        let aside = process.events("state_set_aside");
        assert_eq!(
            aside.len(),
            usize::from(!["config.yaml", "scraped"].contains(&name)),
            "{name}: {}",
            process.log()
        );
        process.stop();
    }
    let lock = place.state().join("lock");
    fs::remove_file(&lock).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
    let process = place.start();
    assert_eq!(process.events("state_not_written").len(), 1, "{}", process.log());
}

#[test]
fn a_directory_may_stand_in_the_config_beside_it() {
    let place = Place::new(&CONFIG.replace("interval: 50ms", "interval: 50ms, dir: kept"));
    let mut command = place.command();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let arguments = arguments.iter().filter(|one| !one.to_string_lossy().contains("state.dir"));
    command = Command::new(env!("CARGO_BIN_EXE_oscar-metrics"));
    let child = command.args(arguments).stderr(Stdio::null()).spawn().unwrap();
    let path: &Path = &place.folder.path().join("kept");
    let [_, http, web] = place.ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let process = Process { child, log: place.folder.path().join("log"), http, web };
    within(|| path.join("state.snapshot").exists());
    process.kill();
}

fn hour(hour: u64) -> Timestamp {
    Timestamp(1_800_000_000_000_000_000 + hour * 3_600_000_000_000)
}

fn rows(pipeline: &Pipeline, name: &str, now: Timestamp) -> Vec<Row> {
    let pieces = pipeline.gather(now, false, |_| {});
    pieces.filter(|piece| piece.family.name.as_str() == name).flat_map(|piece| piece.rows).collect()
}

/// What is taken out for a clean end no longer ends by itself, and ends at once when it can't be kept.
#[test]
fn conversations_that_could_not_be_kept_end_with_the_process() {
    let pipeline = pipeline(CONFIG, hour(0));
    let said = texts(&[("talk", "one"), ("prompt", "hello")]);
    let turn = json::traces(&[json!({"name": "turn", "attributes": said})]);
    json::ingest(&pipeline, view::Signal::Traces, &turn, hour(0));
    let kept = pipeline.keep_last(hour(0));
    assert!(rows(&pipeline, "talks_total", hour(9)).is_empty(), "nothing changes after the copy");
    pipeline.lose(kept, hour(9));
    assert_eq!(rows(&pipeline, "talks_total", hour(9)).len(), 1);
}

/// A sender's stream is known after a clean end, whatever becomes of its series: what it had counted is not counted again.
#[test]
fn a_stream_goes_on_where_its_series_does_not() {
    let config = |passing: &str| {
        format!(
            "metrics: {{ours_total: {{help: O., type: counter, from: datapoint, where: {{name: sent}}}}}}\n\
             datapoints: {{pass: [\"*\"], scope_labels: {passing}}}"
        )
    };
    for (passing, shown, start) in
        [("false", 7.0, Timestamp(1_700_000_000_000_000_000)), ("true", 2.0, hour(2))]
    {
        let before = pipeline(&config("false"), hour(0));
        json::ingest(&before, view::Signal::Metrics, &total(5, 1), hour(0));
        let bytes = snapshot::encode(&before.keep_last(hour(1))).unwrap();
        let mut after = pipeline(&config(passing), hour(1));
        assert!(
            after.restore(snapshot::decode(&bytes).unwrap(), Some(Timestamp::MAX), hour(1)).counted
        );
        json::ingest(&after, view::Signal::Metrics, &total(7, 2), hour(2));
        let value = |name: &str| match rows(&after, name, hour(2)).as_slice() {
            [row] => (row.value.clone(), row.start),
            rows => panic!("{rows:?}"),
        };
        assert!(matches!(value("ours_total"), (RowValue::Counter(sum, _), _) if sum == 7.0));
        let (sent, began) = value("sent_total");
        assert!(matches!(sent, RowValue::Counter(sum, _) if sum == shown), "{passing}: {sent:?}");
        assert_eq!(began, Some(start), "{passing}");
    }
}

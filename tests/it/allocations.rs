//! A span whose series are there allocates nothing, whatever the config; the request around it neither.

use std::sync::Arc;

use oscar_metrics::clock;
use oscar_metrics::config::{Source, load};
use oscar_metrics::pipeline::{Encoding, Pipeline, Plan};
use oscar_metrics::telemetry::{Protocol, Telemetry};
use oscar_metrics::traffic::load::{self as sender, Batches, LoadOptions, Profile};
use oscar_metrics::view::Signal;

/// Without the memory of duplicates, which grows until it has its size, and without conversations: each that begins or ends has
/// memory of its own.
fn allocations(pack: &str, profile: Profile) -> u64 {
    let conversations = "sessions: null\nmetrics: {bot_sessions_total: null, bot_session_turns: null, bot_session_duration_seconds: null}\n";
    let conversations = if pack == "oscar" { conversations } else { "" };
    let text = format!("use: [{pack}]\nlimits: {{dedupe: {{entries: 0}}}}\n{conversations}");
    let source = Source { name: "config.yaml".into(), text };
    let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let loaded = load(Some(source), &|_| None, &nothing);
    let settings = loaded.settings.as_ref().unwrap_or_else(|| panic!("{}", loaded.render()));
    let now = clock::now();
    let telemetry = Arc::new(Telemetry::new("test", now));
    let pipeline = Pipeline::new(Plan::new(settings, &crate::support::key()), telemetry, now);
    let mut batches = Batches::new(&LoadOptions {
        target: "http://localhost:4318".parse().unwrap(),
        rate: 0,
        duration: Default::default(),
        batch: 64,
        connections: 1,
        profile,
        encoding: sender::Encoding::Protobuf,
        gzip: false,
        seed: Some(1),
    });
    let mut round = || {
        for _ in 0..batches.round() {
            let (body, _) = batches.next(now);
            let traces = Signal::Traces;
            pipeline.ingest(Protocol::Http, traces, Encoding::Protobuf, body, now).unwrap();
        }
    };
    round();
    allocation_counter::measure(round).count_total
}

#[test]
fn known_series_cost_no_allocation() {
    assert_eq!(allocations("span_metrics", Profile::Peer), 0);
    assert_eq!(allocations("oscar", Profile::Oscar), 0);
}

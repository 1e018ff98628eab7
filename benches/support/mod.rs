//! What the benches share: the pipeline of a config, batches, and the rows of the table.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use config::{Loaded, Source};
use engine::counters::Protocol;
use engine::model::HashKey;
use engine::pipeline::{Encoding, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use server::clock;
use simulator::load::{self, Batches, LoadOptions, Profile};

/// Tells one row of the table: what, what it must reach, what it should, what it reached.
pub fn row(what: impl Display, bar: impl Display, aim: impl Display, reached: impl Display) {
    println!("row\t{what}\t{bar}\t{aim}\t{reached}");
}

/// A config's settings.
pub fn config(text: &str) -> Loaded {
    let source = Source { name: "bench.yaml".into(), text: text.into() };
    let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let loaded = config::load(Some(source), &|_| None, &nothing);
    assert!(loaded.settings.is_some(), "{}", loaded.render());
    loaded
}

/// A pipeline that counts by a config.
pub fn pipeline(text: &str) -> Pipeline {
    let loaded = config(text);
    let settings = loaded.settings.unwrap();
    let now = clock::now();
    let key = HashKey::from_secret(b"bench");
    Pipeline::new(settings.plan(&key), Arc::default(), now)
}

/// Hands a request of spans to the engine.
pub fn ingest(pipeline: &Pipeline, body: &[u8], now: Timestamp) {
    let taken = pipeline.ingest(Protocol::Http, Signal::Traces, Encoding::Protobuf, body, now);
    taken.unwrap();
}

/// Batches of 512 spans.
pub fn batches(profile: Profile) -> Batches {
    Batches::new(&LoadOptions {
        target: "http://localhost:4318".parse().unwrap(),
        rate: 0,
        duration: Duration::ZERO,
        batch: 512,
        connections: 1,
        profile,
        encoding: load::Encoding::Protobuf,
        gzip: false,
        seed: Some(1),
    })
}

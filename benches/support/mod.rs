//! What the benches share: the pipeline of a config, batches, and the rows of the table.

use std::fmt::Display;
use std::time::Duration;

use engine::pipeline::Pipeline;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use server::clock;
use simulator::load::{self, Batches, LoadOptions, Profile};

/// Tells one row of the table: what, what it must reach, what it should, what it reached.
pub fn row(what: impl Display, bar: impl Display, aim: impl Display, reached: impl Display) {
    println!("row\t{what}\t{bar}\t{aim}\t{reached}");
}

/// A pipeline that counts by a config.
pub fn pipeline(text: &str) -> Pipeline {
    testkit::pipeline(text, clock::now())
}

/// Hands a request of spans to the engine.
pub fn ingest(pipeline: &Pipeline, body: &[u8], now: Timestamp) {
    testkit::protobuf::ingest(pipeline, Signal::Traces, body, now);
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

//! A config's text to its settings and to a pipeline, and the pipeline's input and output.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use config::{Loaded, Settings, Source};
use engine::counters::Protocol;
use engine::model::{HashKey, Labels};
use engine::pipeline::{Encoding, Outcome, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;

/// Nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// 2026-11-25T12:00:00Z, for tests that need any time.
pub const NOW: Timestamp = Timestamp(1_795_608_000 * SECOND);

fn no_file(_: &str) -> io::Result<String> {
    Err(ErrorKind::NotFound.into())
}

/// Loads this text as `config.yaml`, with no environment variable set and no file to read.
pub fn load(text: &str) -> Loaded {
    let source = Source { name: "config.yaml".into(), text: text.into() };
    config::load(Some(source), &|_| None, &no_file)
}

/// The settings of a config without errors; panics with the errors otherwise.
pub fn settings(text: &str) -> Settings {
    settings_of(load(text))
}

/// The settings when no config is given.
pub fn built_in() -> Settings {
    settings_of(config::load(None, &|_| None, &no_file))
}

/// The settings of a config that was loaded without errors; panics with the errors otherwise.
pub fn settings_of(mut loaded: Loaded) -> Settings {
    let settings = loaded.settings.take();
    settings.unwrap_or_else(|| panic!("{}", loaded.render()))
}

/// The key that personal values are hashed with.
pub fn key() -> HashKey {
    HashKey::from_secret(b"key")
}

/// A pipeline of a config without errors, started at `now`.
pub fn pipeline(text: &str, now: Timestamp) -> Pipeline {
    Pipeline::new(settings(text).plan(&key()), Arc::default(), now)
}

/// Hands one request to a pipeline, which must not refuse it.
pub fn ingest(
    pipeline: &Pipeline,
    (signal, encoding): (Signal, Encoding),
    body: &[u8],
    now: Timestamp,
) -> Outcome {
    pipeline.ingest(Protocol::Http, signal, encoding, body, now).unwrap()
}

/// A label set as `a=x,b=y`.
pub fn labels(labels: &Labels) -> String {
    let pairs = labels.0.iter().map(|(name, value)| format!("{}={value}", name.as_str()));
    pairs.collect::<Vec<_>>().join(",")
}

//! Fixtures of the tests and benches: configs and their pipelines, and OTLP requests as JSON and as protobuf.
//!
//! | module | holds |
//! |---|---|
//! | `setup` | a config's text to its settings and to a pipeline, and the pipeline's input and output |
//! | [`json`] | builders of OTLP/JSON |
//! | [`protobuf`] | builders of OTLP protobuf |
//!
//! Every function panics where a test would fail. The unit tests of the engine and of the config can't use it, because it is built
//! on them.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

pub mod json;
pub mod protobuf;
mod setup;

pub use setup::{
    NOW, SECOND, built_in, ingest, key, labels, load, pipeline, settings, settings_of,
};

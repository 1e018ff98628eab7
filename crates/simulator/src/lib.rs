//! Senders of our own: the simulated bot of `demo` and the generator of `load`.
//!
//! ```text
//! mix, day, people, incident -> model -> story -> bot   (the OpenTelemetry SDK, as a real bot has it)
//!    (what is likely)           (what    (spans,  \
//!                               happens)  logs)    load  (encoded once, patched for every batch)
//!                                             \    past  (encoded each for its own time)
//!                                  \
//!                                   truth (what was really done, for whoever checks the numbers)
//! ```
//!
//! `mix` to `story` are pure: a seed in, the same bot out. Nothing here knows the receiving side's rules or series; the
//! two meet only on the wire, so that a check of one against the other means something.

use std::io;

pub mod bot;
mod clock;
pub mod day;
pub mod draw;
pub mod incident;
pub mod load;
pub mod mix;
pub mod model;
pub mod past;
pub mod people;
pub mod story;
pub mod truth;

/// Why a sender could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// The endpoint or target is not an address we can send to.
    #[error("target {target:?}: {why}")]
    Target {
        /// What was given.
        target: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody answers there.
    #[error("target {target:?} is unreachable: {why}")]
    Unreachable {
        /// What was given.
        target: String,
        /// What the system said.
        why: String,
    },
    /// The SDK refused its set-up, or its worker died.
    #[error("sdk: {0}")]
    Sdk(String),
    /// The truth file could not be written.
    #[error("truth file {path:?}: {why}")]
    Truth {
        /// The file.
        path: String,
        /// What the system said.
        why: io::Error,
    },
}

//! A conversation that has ended, as a record.

use std::time::Duration;

use crate::timestamp::Timestamp;

/// What is remembered of each turn, beside how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What the config calls it.
    pub name: String,
    /// Whether what it says must not be written down.
    pub private: bool,
}

/// A conversation that has ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// Its turns.
    pub turns: u32,
    /// From the first turn's begin to the last one's end.
    pub duration: Duration,
    /// When the last turn ended.
    pub time: Timestamp,
    /// Whether it got what it came for: confirmed, implied, unresolved or abandoned.
    pub resolution: &'static str,
    /// Messages that came soon after an answer, so that the answer was hardly one.
    pub reasks: u32,
    /// Whether a human took over.
    pub handover: bool,
    /// Why it is over: idle, event, limit or shutdown.
    pub ended_by: &'static str,
    /// The words that rules remember, each as it was last said; none: it never was.
    pub words: Box<[Option<Box<str>>]>,
}

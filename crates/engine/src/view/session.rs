//! A conversation that has ended, as a record.

use crate::timestamp::{ElapsedError, Timestamp};

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
    /// The earliest start of its turns, or 0 when none is known.
    pub start: Timestamp,
    /// The latest end of its turns, or 0 when none is known.
    pub end: Timestamp,
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

impl Session {
    /// How long it lasted in seconds, from the first turn's start to the last one's end.
    ///
    /// # Errors
    /// No turn's start or no turn's end is known, or they are more than [`crate::limits::DURATION`] apart.
    pub fn seconds(&self) -> Result<f64, ElapsedError> {
        self.end.seconds_since(self.start)
    }
}

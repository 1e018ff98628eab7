//! How a process ends, and what it says to people when it could not do what it was asked for.

/// Why the process ends, in the words of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As asked.
    Done = 0,
    /// The command line is wrong.
    Usage = 64,
    /// The config or the input is wrong.
    Data = 65,
    /// A peer or a port that is needed can't be had.
    Unavailable = 69,
    /// We are wrong.
    Internal = 70,
}

/// A command that did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the process says by its exit code.
    pub exit: Exit,
    /// What it says to people.
    pub message: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, message: message.to_string() }
    }
}

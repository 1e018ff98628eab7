//! The command line.
//!
//! The one room that knows all others: it reads arguments, puts the parts together and turns what went wrong into an exit code.

pub mod args;
pub mod check;
pub mod demo;
pub mod explain;
pub mod explore;
pub mod generate;
pub mod history;
pub mod load;
pub mod log;
mod peer;
pub mod probe;
pub mod report;
pub mod serve;
pub mod server;
pub mod signals;
mod source;
pub mod state;

use args::{Cli, Command};

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

/// Does what the command line asks for.
///
/// # Errors
///
/// Whatever the command ran into, with the exit code that belongs to it.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Explore(args) => explore::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Probe(args) => probe::run(&args),
    }
}

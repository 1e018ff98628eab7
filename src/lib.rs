//! The command line.
//!
//! The one room that knows all others: it reads arguments, puts the parts together and turns what went wrong into an exit code.

pub mod args;
pub mod check;
#[cfg(feature = "demo")]
pub mod demo;
pub mod explain;
pub mod explore;
pub mod generate;
#[cfg(feature = "demo")]
pub mod history;
#[cfg(feature = "demo")]
pub mod load;
pub mod log;
mod peer;
pub mod probe;
pub mod report;
pub mod serve;

pub use server::exit::{Exit, Failure};

use args::{Cli, Command};

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
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(&args),
        #[cfg(feature = "demo")]
        Command::Load(args) => load::run(&args),
        Command::Probe(args) => probe::run(&args),
    }
}

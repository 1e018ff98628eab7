//! Where log lines go, and what a panic leaves there.

use std::io::{IsTerminal, stderr};
use std::panic::PanicHookInfo;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::args::{LogFormat, LogLevel};

/// Log lines go to standard error from now on. Of the libraries below us only warnings are wanted.
pub fn start(format: LogFormat, level: LogLevel) {
    let level = level.to_possible_value();
    let level = level.as_ref().map_or("info", |level| level.get_name());
    let filter = EnvFilter::new(format!("warn,oscar_metrics={level}"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_target(false).try_init(),
    };
}

/// A panic is logged and counted from now on. Its task dies, the process lives.
pub fn catch_panics(count: impl Fn() + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map(ToString::to_string);
        count();
        tracing::error!(event = "panic", at, why = why(panic));
    }));
}

/// Only words that were in our source: a message made at run time may quote what users said.
fn why<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not shown)")
}

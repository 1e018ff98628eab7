//! Where log lines go.

use std::collections::HashMap;
use std::io::{IsTerminal, stderr};
use std::sync::{Mutex, PoisonError};

use server::log_limit::LogLimit;
use tracing::{Event, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::prelude::*;

use super::args::{LogFormat, LogLevel};

/// The crates of this workspace that log.
const OURS: [&str; 3] = ["oscar_metrics", "server", "simulator"];

/// Log lines go to standard error from now on. Of libraries only warnings are logged, one a minute for each target.
pub fn start(format: LogFormat, level: LogLevel) {
    let ours = OURS.map(|name| (name, LevelFilter::from(level)));
    let wanted = Targets::new().with_default(LevelFilter::WARN).with_targets(ours);
    let lines = fmt::layer().with_writer(stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A second start in one process, as in tests, keeps the first.
    let lines = lines.with_filter(LibraryLimit::default());
    let _ = tracing_subscriber::registry().with(wanted).with(lines).try_init();
}

/// Limits the lines of libraries: what they log may be chosen by a peer, and h2 warns of every connection that breaks its rules. Lines
/// of this workspace have limits of their own, where they are written.
#[derive(Default)]
struct LibraryLimit(Mutex<HashMap<&'static str, LogLimit>>);

impl<S> Filter<S> for LibraryLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let target = event.metadata().target();
        let ours = |name: &&str| target.split("::").next() == Some(name);
        if OURS.iter().any(ours) {
            return true;
        }
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        limits.entry(target).or_default().admit().is_some()
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

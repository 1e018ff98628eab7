//! `serve`: a config, a server, and signals until it ends.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Runtime;

use crate::clock;
use crate::config::Settings;
use crate::net::Drained;
use crate::pipeline::Pipeline;
use crate::scrape::Reload;
use crate::telemetry::Telemetry;

use super::args::ServeArgs;
use super::server::{self, Running, ServeOptions};
use super::signals::{Asked, Signals};
use super::{Exit, Failure, log, source};

/// Serves until a signal ends it.
///
/// # Errors
///
/// What keeps it from starting.
pub fn run(args: &ServeArgs) -> Result<(), Failure> {
    let mut session = Session::begin(args)?;
    session.control.block_on(stop_asked(&mut session.signals, &session.reload));
    session.end();
    Ok(())
}

/// A server and the signals it listens to. The main thread only waits for signals.
pub struct Session {
    /// What listens where.
    pub running: Running,
    /// Where whatever runs beside the server may run.
    pub control: Runtime,
    /// The signals, caught since before anybody could see us ready.
    pub signals: Signals,
    /// What SIGHUP does.
    pub reload: Reload,
}

impl Session {
    /// Serves.
    ///
    /// # Errors
    ///
    /// A config with faults, an address that can't be had, a flag that is not supported.
    pub fn begin(args: &ServeArgs) -> Result<Self, Failure> {
        log::start(args.log_format, args.log_level);
        let telemetry = Arc::new(Telemetry::new(env!("CARGO_PKG_VERSION"), clock::now()));
        let counter = telemetry.clone();
        log::catch_panics(move || counter.panicked());
        if args.web_config_file.is_some() {
            // To serve without the password that was asked for would be worse than not to serve.
            return Err(Failure::new(Exit::Usage, "--web.config.file is not supported yet"));
        }
        if args.state_dir.is_some() {
            tracing::warn!(event = "ignored", flag = "--state.dir", why = "no state is kept yet");
        }
        let settings = settings(args, &telemetry)?;
        let pipeline = Arc::new(Pipeline::new((&settings).into(), telemetry, clock::now()));
        tell_unserved(&pipeline);
        let reload = reload(args, pipeline.clone());
        let control = server::runtime()?;
        let signals = control.block_on(async { Signals::new() })?;
        let options = ServeOptions::new(args, &settings);
        let running = server::start(options, pipeline, reload.clone())?;
        Ok(Self { running, control, signals, reload })
    }

    /// Drains. A second signal ends it at once.
    pub fn end(mut self) {
        tracing::info!(event = "stopping");
        let drained = self.control.block_on(async {
            tokio::select! {
                drained = self.running.stop() => Some(drained),
                () = stop_asked(&mut self.signals, &self.reload) => None,
            }
        });
        match drained {
            Some(Drained::Clean) => tracing::info!(event = "stopped", how = "drained"),
            Some(Drained::Cut(cut)) => tracing::warn!(event = "stopped", how = "cut", cut),
            // When it has to end at once, nobody waits for the threads either.
            None => return tracing::warn!(event = "stopped", how = "at once"),
        }
        self.running.join();
    }
}

/// Waits until a signal asks to stop. Those that ask for a reload get one.
pub async fn stop_asked(signals: &mut Signals, reload: &Reload) {
    while let Asked::Reload = signals.next().await {
        match reload() {
            Ok(()) => tracing::info!(event = "reloaded"),
            Err(error) => tracing::error!(event = "not_reloaded", error),
        }
    }
}

/// The config to begin with. With `--config.fallback` one that has faults is told and the built-in one serves.
fn settings(args: &ServeArgs, telemetry: &Telemetry) -> Result<Settings, Failure> {
    let failure = match checked(args.config_file.as_deref()) {
        Ok(settings) => {
            telemetry.reloaded(true, clock::now());
            return Ok(settings);
        }
        Err(failure) => failure,
    };
    telemetry.reloaded(false, clock::now());
    if !args.config_fallback {
        return Err(failure);
    }
    tracing::error!(event = "config_refused", serving = "the built-in config", "{failure}");
    checked(None)
}

/// A config without faults; its warnings are told.
fn checked(file: Option<&Path>) -> Result<Settings, Failure> {
    let mut loaded = source::load(file)?;
    match loaded.settings.take() {
        None => {
            Err(Failure::new(Exit::Data, format!("the config is not good\n{}", loaded.render())))
        }
        Some(settings) => {
            for warning in &loaded.diagnostics {
                tracing::warn!(event = "config_warning", "{}", warning.message);
            }
            Ok(settings)
        }
    }
}

/// Reads the config again. One with faults changes nothing but the gauge that says so. Addresses stay as they are.
fn reload(args: &ServeArgs, pipeline: Arc<Pipeline>) -> Reload {
    let file = args.config_file.clone();
    // A signal and a request may come at the same moment.
    let turn = Mutex::new(());
    Arc::new(move || {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = checked(file.as_deref());
        pipeline.telemetry().reloaded(settings.is_ok(), clock::now());
        let settings = settings.map_err(|failure| failure.message)?;
        pipeline.reload((&settings).into(), clock::now());
        tell_unserved(&pipeline);
        Ok(())
    })
}

/// What the config declares and this version has no engine for is said once, not kept back.
fn tell_unserved(pipeline: &Pipeline) {
    let metrics = pipeline.unserved();
    if !metrics.is_empty() {
        let why = "distinct counts and sessions come with a later version";
        tracing::warn!(event = "not_served", metrics = metrics.join(", "), why);
    }
}

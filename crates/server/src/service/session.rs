//! A config, a server, and signals until it ends.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::clock;
use crate::net::Drained;
use crate::scrape::{Access, Reload, Rules};
use crate::secret;
use crate::self_metrics::Telemetry;
use config::Settings;
use engine::counters::Counters;
use engine::model::HashKey;
use engine::pipeline::Pipeline;

use crate::exit::Failure;

use super::options::{Overrides, ServeOptions};
use super::reload::Parts;
use super::running::{self, Running};
use super::signals::{Asked, Signals};
use super::state::{self, Keeper, State};
use super::{load, panics, part, reload, source};

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
    /// A config with faults, an address that can't be had, a state directory that another process has.
    pub fn begin(args: &Overrides) -> Result<Self, Failure> {
        let counters = Arc::new(Counters::default());
        let version = env!("CARGO_PKG_VERSION");
        let telemetry = Arc::new(Telemetry::new(version, counters.clone(), clock::now()));
        let counter = telemetry.clone();
        panics::catch(move || counter.panicked());
        let (settings, text) = settings(args, &telemetry)?;
        let access = Arc::new(access(args, &telemetry)?);
        let mut options = ServeOptions { access, ..ServeOptions::new(args, &settings) };
        let mut state = state(args, &settings, &options, &telemetry)?;
        let random = secret::random()?;
        let own = HashKey::from_secret(state.as_ref().map_or(&random, State::secret));
        let key = hash_key(args, &settings, &own)?;
        let mut pipeline = Pipeline::new(settings.plan(&key), counters, clock::now());
        if let Some(state) = &mut state {
            state.restore(&mut pipeline);
            let marks = state.marks().clone();
            options.mark_scrape = Some(Arc::new(move || marks.mark()));
        }
        let (pipeline, live) = (Arc::new(pipeline), options.live.clone());
        let parts = Parts {
            pipeline: pipeline.clone(),
            live: live.clone(),
            access: options.access.clone(),
            forwarders: Arc::default(),
            telemetry,
            state: state.as_ref().and_then(State::dir).cloned(),
            begun: (settings.server, settings.state),
            own,
        };
        let mut session = match Self::start(args, options, parts) {
            Ok(session) => session,
            Err(failure) => {
                state.into_iter().for_each(State::give_back);
                return Err(failure);
            }
        };
        if let Some(state) = state {
            if let Some((dir, text)) = state.dir().zip(text) {
                state::keep_config(dir, &text);
            }
            session.running.keep(Keeper::start(state, pipeline, live)?);
        }
        Ok(session)
    }

    /// Listens, and forwards.
    fn start(args: &Overrides, options: ServeOptions, parts: Parts) -> Result<Self, Failure> {
        let (pipeline, telemetry) = (parts.pipeline.clone(), parts.telemetry.clone());
        let forwarders = parts.forwarders.clone();
        let reload = reload::reload(args, parts);
        let control = part::runtime()?;
        let signals = control.block_on(async { Signals::new() })?;
        let running = running::start(options, (pipeline, telemetry), reload.clone())?;
        let _ = forwarders.set(running.forwarders.clone());
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
        let _ = reload(); // it has logged what came of it
    }
}

/// The config to begin with, and its text where it has one that is worth keeping. With `--config.fallback` one that has faults
/// is told, and the last good one in the state directory serves, else the built-in one.
fn settings(
    args: &Overrides,
    telemetry: &Telemetry,
) -> Result<(Settings, Option<String>), Failure> {
    let failure = match load::asked(args) {
        Ok(asked) => {
            telemetry.reloaded(true, clock::now());
            return Ok(asked);
        }
        Err(failure) => failure,
    };
    telemetry.reloaded(false, clock::now());
    if !args.config_fallback {
        return Err(failure);
    }
    let last = args.state_dir.as_deref().and_then(state::last_config);
    if let Some(settings) = last.and_then(|text| load::last_good(args, text).ok()) {
        tracing::error!(event = "config_refused", serving = "the last good config", "{failure}");
        return Ok((settings, None));
    }
    tracing::error!(event = "config_refused", serving = "the built-in config", "{failure}");
    load::checked(&Overrides { config_file: None, ..args.clone() }, None)
}

/// Where state is kept; none: nowhere. A folder that the config names begins where the config lies.
fn state(
    args: &Overrides,
    settings: &Settings,
    options: &ServeOptions,
    telemetry: &Telemetry,
) -> Result<Option<State>, Failure> {
    let folder = args.config_file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let configured = settings.state.dir.as_ref().map(|dir| folder.join(dir));
    let dir = args.state_dir.clone().or(configured);
    dir.map(|dir| State::open(&dir, options, telemetry.state())).transpose()
}

/// Who may look at the web port. With `--config.fallback` a web config that has faults is told and nobody may: telemetry is taken
/// all the same, and nothing is shown without the password that was asked for.
fn access(args: &Overrides, telemetry: &Telemetry) -> Result<Access, Failure> {
    match load::rules(args) {
        Err(failure) if args.config_fallback => {
            telemetry.reloaded(false, clock::now());
            let serving = "health and readiness alone";
            tracing::error!(event = "web_config_refused", serving, "{failure}");
            Ok(Access::new(Rules::closed()))
        }
        rules => Ok(Access::new(rules?)),
    }
}

/// What personal values are hashed with. With `--config.fallback` one that can't be had is told and replaced by our own.
fn hash_key(args: &Overrides, settings: &Settings, own: &HashKey) -> Result<HashKey, Failure> {
    match source::hash_key(args.config_file.as_deref(), settings) {
        Ok(key) => Ok(key.unwrap_or_else(|| own.clone())),
        Err(failure) if args.config_fallback => {
            let serving = "a key of its own";
            tracing::error!(event = "hash_key_missing", serving, "{failure}");
            Ok(own.clone())
        }
        Err(failure) => Err(failure),
    }
}

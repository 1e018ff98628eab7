//! A config, a server, and signals until it ends; and what a reload does.

use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Runtime;

use crate::clock;
use crate::forwarders::Forwarders;
use crate::net::Drained;
use crate::scrape::{Access, Reload, Rules};
use crate::secret;
use crate::self_metrics::Telemetry;
use config::Settings;
use engine::counters::Counters;
use engine::model::HashKey;
use engine::pipeline::Pipeline;

use crate::exit::{Exit, Failure};

use super::options::{self, Overrides, ServeOptions};
use super::running::{self, Running};
use super::signals::{Asked, Signals};
use super::state::{self, Keeper, State, StateDir};
use super::{panics, part, source};

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
        let options = ServeOptions { access, ..ServeOptions::new(args, &settings) };
        let mut state = state(args, &settings, &options, &telemetry)?;
        let random = secret::random()?;
        let own = HashKey::from_secret(state.as_ref().map_or(&random, State::secret));
        let key = hash_key(args, &settings, &own)?;
        let mut pipeline = Pipeline::new(settings.plan(&key), counters, clock::now());
        if let Some(state) = &mut state {
            state.restore(&mut pipeline);
        }
        let started =
            Self::start(args, (options, Arc::new(pipeline), telemetry), own, state.as_ref());
        let (mut session, pipeline) = match started {
            Ok(started) => started,
            Err(failure) => {
                state.into_iter().for_each(State::give_back);
                return Err(failure);
            }
        };
        if let Some(state) = state {
            if let Some((dir, text)) = state.dir().zip(text) {
                state::keep_config(dir, &text);
            }
            session.running.keep(Keeper::start(state, pipeline, settings.state.interval)?);
        }
        Ok(session)
    }

    /// Listens, and forwards.
    fn start(
        args: &Overrides,
        (options, pipeline, telemetry): (ServeOptions, Arc<Pipeline>, Arc<Telemetry>),
        own: HashKey,
        state: Option<&State>,
    ) -> Result<(Self, Arc<Pipeline>), Failure> {
        let forwarders = Arc::new(OnceLock::new());
        let place = Place {
            access: options.access.clone(),
            forwarders: forwarders.clone(),
            telemetry: telemetry.clone(),
            state: state.and_then(State::dir).cloned(),
        };
        let reload = reload(args, pipeline.clone(), own, place);
        let control = part::runtime()?;
        let signals = control.block_on(async { Signals::new() })?;
        let running = running::start(options, (pipeline.clone(), telemetry), reload.clone())?;
        let _ = forwarders.set(running.forwarders.clone());
        Ok((Self { running, control, signals, reload }, pipeline))
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

/// What a reload changes beside the rules.
struct Place {
    access: Arc<Access>,
    forwarders: Arc<OnceLock<Arc<Forwarders>>>,
    telemetry: Arc<Telemetry>,
    /// Where a good config is kept.
    state: Option<Arc<StateDir>>,
}

/// The config to begin with, and its text where it has one that is worth keeping. With `--config.fallback` one that has faults
/// is told, and the last good one in the state directory serves, else the built-in one.
fn settings(
    args: &Overrides,
    telemetry: &Telemetry,
) -> Result<(Settings, Option<String>), Failure> {
    let failure = match asked(args) {
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
    if let Some(settings) = last.and_then(|text| checked(args, Some(text)).ok()) {
        tracing::error!(event = "config_refused", serving = "the last good config", "{failure}");
        return Ok((settings, None));
    }
    tracing::error!(event = "config_refused", serving = "the built-in config", "{failure}");
    Ok((checked(&Overrides { config_file: None, ..args.clone() }, None)?, None))
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
    match rules(args) {
        Err(failure) if args.config_fallback => {
            telemetry.reloaded(false, clock::now());
            let serving = "health and readiness alone";
            tracing::error!(event = "web_config_refused", serving, "{failure}");
            Ok(Access::new(Rules::closed()))
        }
        rules => Ok(Access::new(rules?)),
    }
}

/// The rules of the web config file; without one everybody may look.
fn rules(args: &Overrides) -> Result<Rules, Failure> {
    let Some(file) = &args.web_config_file else { return Ok(Rules::default()) };
    let settings = source::web(file)?;
    Rules::new(&settings)
        .map_err(|error| Failure::new(Exit::Data, format!("the web config is not good: {error}")))
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

/// The config that was asked for, without faults, and its text.
fn asked(args: &Overrides) -> Result<(Settings, Option<String>), Failure> {
    let text = args.config_file.as_deref().map(source::text).transpose()?;
    Ok((checked(args, text.clone())?, text))
}

/// The config of this text, without faults; its warnings are told.
fn checked(args: &Overrides, text: Option<String>) -> Result<Settings, Failure> {
    let file = args.config_file.as_deref();
    let mut loaded = source::load_text(file, text);
    if let Some(settings) = &loaded.settings {
        let (grpc, http) = options::otlp_addresses(args, settings);
        // An address that means nothing is told when somebody is to listen there.
        let doors = grpc.iter().chain(&http).filter_map(|address| address.meant().ok());
        let doors: Vec<_> = doors.flatten().filter(|door| door.port() != 0).collect();
        loaded.refuse_loops(&doors, &is_ours);
    }
    match loaded.settings.take() {
        None => Err(source::refused(&loaded)),
        Some(mut settings) => {
            let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
            settings.forward.iter_mut().for_each(|target| target.beside(folder));
            for warning in &loaded.diagnostics {
                tracing::warn!(event = "config_warning", "{}", warning.message);
            }
            Ok(settings)
        }
    }
}

/// Reads the config again. One with faults changes nothing but the gauge that says so. Addresses stay as they are.
fn reload(args: &Overrides, pipeline: Arc<Pipeline>, own: HashKey, place: Place) -> Reload {
    let args = args.clone();
    // A signal and a request may come at the same moment.
    let turn = Mutex::new(());
    Arc::new(move || {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        // All files, or none.
        let read = asked(&args).and_then(|(settings, text)| {
            let key = source::hash_key(args.config_file.as_deref(), &settings)?;
            Ok((settings, text, key.unwrap_or_else(|| own.clone()), rules(&args)?))
        });
        place.telemetry.reloaded(read.is_ok(), clock::now());
        let (settings, text, key, rules) = read.map_err(|failure| failure.message)?;
        place.access.replace(rules);
        pipeline.reload(settings.plan(&key), clock::now());
        if let Some(forwarders) = place.forwarders.get() {
            forwarders.retarget(&settings.forward);
        }
        if let Some((dir, text)) = place.state.as_ref().zip(text) {
            state::keep_config(dir, &text);
        }
        Ok(())
    })
}

/// Whether an address is one of this machine: only then can anybody bind it.
fn is_ours(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

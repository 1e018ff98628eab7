//! A reload: the config files once more, for everything that can change while the process serves.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::clock;
use crate::forwarders::Forwarders;
use crate::live::{Live, LiveSettings};
use crate::scrape::{Access, Reload};
use crate::self_metrics::Telemetry;
use config::{Server, Settings, State};
use engine::model::HashKey;
use engine::pipeline::Pipeline;

use crate::exit::Failure;

use super::options::Overrides;
use super::state::{self, StateDir};
use super::{load, source};

/// The parts of a service that a reload changes.
pub(super) struct Parts {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) live: Live,
    pub(super) access: Arc<Access>,
    /// Set once the service listens.
    pub(super) forwarders: Arc<OnceLock<Arc<Forwarders>>>,
    pub(super) telemetry: Arc<Telemetry>,
    /// Where a good config is kept.
    pub(super) state: Option<Arc<StateDir>>,
    /// The settings that the service began with.
    pub(super) begun: (Server, State),
    /// The key of personal values where the operator names none.
    pub(super) own: HashKey,
}

/// What reads the config again and applies it. A config with faults changes nothing but the gauge that shows it.
pub(super) fn reload(args: &Overrides, parts: Parts) -> Reload {
    let args = args.clone();
    // A signal and a request may come at the same moment.
    let turn = Mutex::new(());
    Arc::new(move || {
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let reloaded = parts.reload(&args);
        parts.telemetry.reloaded(reloaded.is_ok(), clock::now());
        match &reloaded {
            Ok(restart) if restart.is_empty() => tracing::info!(event = "reloaded"),
            Ok(restart) => {
                let settings = restart.join(", ");
                let help = "restart to change these settings";
                tracing::warn!(event = "reloaded", restart_needed = settings, help);
            }
            Err(failure) => tracing::error!(event = "not_reloaded", error = failure.message),
        }
        reloaded.map_err(|failure| failure.message)
    })
}

impl Parts {
    /// All files, or none. Returns what needs a restart.
    fn reload(&self, args: &Overrides) -> Result<Vec<&'static str>, Failure> {
        let (settings, text) = load::asked(args)?;
        let key = source::hash_key(args.config_file.as_deref(), &settings)?;
        let rules = load::rules(args)?;
        self.access.replace(rules);
        self.live.replace(LiveSettings::of(&settings));
        self.pipeline.reload(settings.plan(key.as_ref().unwrap_or(&self.own)), clock::now());
        if let Some(forwarders) = self.forwarders.get() {
            forwarders.retarget(&settings.forward);
        }
        if let Some((dir, text)) = self.state.as_ref().zip(text) {
            state::keep_config(dir, &text);
        }
        let (server, state) = &self.begun;
        Ok(need_restart(args, (server, state), &settings))
    }
}

/// The names of settings that only a restart changes and that a config has other values for. A flag wins over its setting, which then
/// changes nothing.
fn need_restart(
    args: &Overrides,
    (begun_server, begun_state): (&Server, &State),
    settings: &Settings,
) -> Vec<&'static str> {
    // A new setting is either here or in `LiveSettings`.
    let Server {
        grpc,
        http,
        connections,
        web,
        cors: _,
        hosts: _,
        zero_first: _,
        created_lines: _,
        linger: _,
    } = &settings.server;
    let State { dir, interval: _ } = &settings.state;
    let changed = [
        ("server.otlp.grpc", args.grpc_listen.is_empty() && *grpc != begun_server.grpc),
        ("server.otlp.http", args.http_listen.is_empty() && *http != begun_server.http),
        ("server.otlp.connections", *connections != begun_server.connections),
        ("server.web.listen", args.web_listen.is_empty() && *web != begun_server.web),
        ("state.dir", args.state_dir.is_none() && *dir != begun_state.dir),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;

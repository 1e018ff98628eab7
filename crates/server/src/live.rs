//! Settings that a reload changes while the process serves.
//!
//! Each part reads them when it needs them and keeps no copy, so that a reload can't miss one. Addresses and the state directory need a
//! restart. The engine gets the settings of its own with the rules.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use config::{Server, Settings, State};
use engine::limits::{self, Limits};

/// The settings in force. Clones share them.
#[derive(Clone, Debug)]
pub struct Live(Arc<ArcSwap<LiveSettings>>);

/// Settings that a reload changes.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveSettings {
    /// Origins whose pages may send.
    pub cors: Vec<String>,
    /// Names of hosts that the web port is served as; none: every one.
    pub hosts: Vec<String>,
    /// How long a young series is first shown at 0 to a scraper; zero: never.
    pub zero_first: Duration,
    /// Whether OpenMetrics text has `_created` lines.
    pub created_lines: bool,
    /// How long the web port waits at the end until the last increments were scraped.
    pub linger: Duration,
    /// Bytes of the whole process.
    pub memory: usize,
    /// Bytes of requests in flight.
    pub in_flight: usize,
    /// Bytes of one request, before and after it is inflated.
    pub request: usize,
    /// How often state is written to disk.
    pub state_interval: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        let Limits { memory, in_flight, request, .. } = Limits::default();
        Self {
            cors: Vec::new(),
            hosts: Vec::new(),
            zero_first: limits::ZERO_FIRST,
            created_lines: false,
            linger: limits::LINGER,
            memory,
            in_flight,
            request,
            state_interval: limits::STATE_INTERVAL,
        }
    }
}

impl LiveSettings {
    /// Those of a config.
    pub fn of(settings: &Settings) -> Self {
        // A new setting is either here or in `service::reload::need_restart`.
        let Server {
            grpc: _,
            http: _,
            connections: _,
            web: _,
            cors,
            hosts,
            zero_first,
            created_lines,
            linger,
        } = &settings.server;
        let State { dir: _, interval } = &settings.state;
        // The engine gets all limits with the rules; these three hold outside of it too.
        let Limits { memory, in_flight, request, .. } = &settings.limits;
        Self {
            cors: cors.clone(),
            hosts: hosts.clone(),
            zero_first: *zero_first,
            created_lines: *created_lines,
            linger: *linger,
            memory: *memory,
            in_flight: *in_flight,
            request: *request,
            state_interval: *interval,
        }
    }
}

impl Live {
    /// With these settings.
    pub fn new(settings: LiveSettings) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(settings)))
    }

    /// The settings at this moment.
    pub fn get(&self) -> Guard<Arc<LiveSettings>> {
        self.0.load()
    }

    /// Replaces the settings for whatever reads them from now on.
    pub fn replace(&self, settings: LiveSettings) {
        self.0.store(Arc::new(settings));
    }

    /// Changes some of the settings.
    pub fn change(&self, change: impl Fn(&mut LiveSettings)) {
        let mut settings = (**self.get()).clone();
        change(&mut settings);
        self.replace(settings);
    }
}

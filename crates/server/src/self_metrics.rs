//! The exporter's own metrics.
//!
//! The engine counts what became of requests and items (`engine::counters`) and never logs; this room reads those counts and holds
//! what the rim counts. Everything is in one `prometheus-client` registry and given to `exposition` as snapshots, so that one
//! writer serves our own metrics and the configured ones. What the words of closed sets can say exists at 0 from the start. This
//! room knows no socket and no store.

mod connections;
mod convert;
mod counted;
mod describe;
mod forwarding;
mod keeping;
mod process;
mod words;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::prometheus_protobuf;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use engine::counters::Counters;
use engine::exposition::Written;
use engine::model::FamilySnapshot;
use engine::pipeline::{Pipeline, State};
use engine::timestamp::Timestamp;
use engine::view::Signal;

pub use connections::ListenerMeter;
pub use describe::families;
pub use forwarding::TargetMeter;
pub use keeping::StateMeter;
pub use process::resident;
pub use words::{Closing, Dropped, Listener, WebRefusal};

/// Labels of one of our own series.
type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// The exporter's own metrics. Shared by everything that has something to tell.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    start: Timestamp,
    connections: connections::Connections,
    forwarding: forwarding::Forwarding,
    keeping: keeping::Keeping,
    web_refused: Family<Labels<1>, Counter>,
    panics: Counter,
    quarantined: Counter,
    /// Scrapes that lacked something.
    incomplete: AtomicU64,
    scrapes: Counter,
    reload_successful: Gauge<f64, AtomicU64>,
    reload_success: Gauge<f64, AtomicU64>,
}

impl Telemetry {
    /// Everything at 0, beginning at `now`.
    pub fn new(version: &'static str, counters: Arc<Counters>, now: Timestamp) -> Self {
        let mut telemetry = Self {
            registry: Registry::default(),
            start: now,
            connections: Default::default(),
            forwarding: Default::default(),
            keeping: Default::default(),
            web_refused: Family::default(),
            panics: Counter::default(),
            quarantined: Counter::default(),
            incomplete: AtomicU64::default(),
            scrapes: Counter::default(),
            reload_successful: Gauge::default(),
            reload_success: Gauge::default(),
        };
        telemetry.begin();
        telemetry.register(version, counters);
        telemetry
    }

    /// The closed sets, at 0.
    fn begin(&self) {
        for listener in Listener::ALL {
            let _ = self.listener(listener);
        }
        for reason in WebRefusal::ALL {
            let _ = self.web_refused.get_or_create(&[("reason", reason.as_str().into())]);
        }
    }

    /// The names. The registry adds the unit, `_total` and `_info`, and ends each help text with a
    /// full stop.
    fn register(&mut self, version: &'static str, counters: Arc<Counters>) {
        let own = self.registry.sub_registry_with_prefix("oscar_metrics");
        let build: Labels<3> = [
            ("version", version.into()),
            ("os", std::env::consts::OS.into()),
            ("arch", std::env::consts::ARCH.into()),
        ];
        own.register("build", "What runs here", Info::new(build));
        own.register_collector(Box::new(counted::Counted(counters)));
        let help = "Whether the config now asked for is the one that runs";
        own.register("config_last_reload_successful", help, self.reload_successful.clone());
        let help = "When a config was last taken up";
        own.register_with_unit(
            "config_last_reload_success_timestamp",
            help,
            Unit::Seconds,
            self.reload_success.clone(),
        );
        self.connections.register(own);
        let help = "Requests to the web port that were refused, by reason";
        own.register("web_refused_requests", help, self.web_refused.clone());
        own.register("panics", "Tasks that died of a fault of ours", self.panics.clone());
        let help = "Samples dropped from the exposition because they cannot be represented";
        own.register("quarantined_rows", help, self.quarantined.clone());
        own.register("scrapes", "Scrapes answered", self.scrapes.clone());
        self.forwarding.register(own);
        self.keeping.register(own);

        let process = self.registry.sub_registry_with_prefix("process");
        process.register_collector(Box::new(process::Process::new()));
    }

    /// The numbers of the connections of a listener.
    pub fn listener(&self, listener: Listener) -> ListenerMeter {
        self.connections.meter(listener)
    }

    /// A request to the web port was refused.
    pub fn refused_web_request(&self, reason: WebRefusal) {
        self.web_refused.get_or_create(&[("reason", reason.as_str().into())]).inc();
    }

    /// The numbers of a forward target, `host:port`, that gets these signals: there at 0 from now on.
    pub fn target(&self, name: &str, signals: &[Signal]) -> TargetMeter {
        self.forwarding.target(name, signals)
    }

    /// The numbers of a state directory: there at 0 from now on.
    pub fn state(&self) -> StateMeter {
        self.keeping.meter()
    }

    /// A task died.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// A scrape was answered. Samples are dropped only by a fault of ours: it is logged, at the 1st, 2nd, 4th, 8th, ... scrape that
    /// it happens to.
    pub fn scraped(&self, written: &Written) {
        self.scrapes.inc();
        let Some((family, fault)) = &written.first else { return };
        self.quarantined.inc_by(written.quarantined);
        let scrapes = self.incomplete.fetch_add(1, Ordering::Relaxed) + 1;
        if scrapes.is_power_of_two() {
            tracing::warn!(
                event = "samples_dropped",
                family = family.as_str(),
                why = %fault,
                samples = written.quarantined,
                scrapes,
                "samples can't be represented and are missing in a scrape; please report this bug"
            );
        }
    }

    /// A config was taken up, or was not and the one before it runs on.
    pub fn reloaded(&self, successful: bool, now: Timestamp) {
        self.reload_successful.set(f64::from(u8::from(successful)));
        if successful {
            self.reload_success.set(now.seconds());
        }
    }

    /// All of it as the last families of a scrape, read when they are asked for.
    pub fn families_of(
        self: &Arc<Self>,
        pipeline: &Arc<Pipeline>,
        now: Timestamp,
    ) -> impl Iterator<Item = FamilySnapshot> + Send + use<> {
        let (telemetry, pipeline) = (self.clone(), pipeline.clone());
        std::iter::once_with(move || telemetry.gather(&pipeline.state(now))).flatten()
    }

    /// All of it at this moment, with what the store knows of its metrics.
    pub fn gather(&self, state: &State) -> Vec<FamilySnapshot> {
        let encoded = prometheus_protobuf::encode(&self.registry);
        debug_assert!(encoded.is_ok(), "nothing of ours fails to encode");
        let own = encoded.unwrap_or_default().into_iter();
        let mut families: Vec<_> =
            own.filter_map(|family| convert::family(family, self.start)).collect();
        families.extend(convert::state(state, self.start));
        families
    }
}

/// Every pair of two closed sets.
fn pairs<A: Copy, B: Copy>(ones: &[A], others: &[B]) -> impl Iterator<Item = (A, B)> {
    ones.iter().flat_map(move |one| others.iter().map(move |other| (*one, *other)))
}

#[cfg(test)]
mod tests;

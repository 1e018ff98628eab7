//! What becomes of the state on disk. Without a state directory there is nothing to say.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use engine::timestamp::Timestamp;

use super::Labels;

/// The families.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    last: Family<Labels<0>, Gauge<f64, AtomicU64>>,
    size: Family<Labels<0>, Gauge>,
    failures: Family<Labels<0>, Counter>,
}

impl Keeping {
    pub(super) fn register(&self, own: &mut Registry) {
        let help = "When state was last written to disk";
        own.register_with_unit(
            "state_last_write_timestamp",
            help,
            Unit::Seconds,
            self.last.clone(),
        );
        let help = "Size of the state that was last written to disk";
        own.register_with_unit("state", help, Unit::Bytes, self.size.clone());
        let help = "Times that state could not be written to disk";
        own.register("state_write_failures", help, self.failures.clone());
    }

    /// The numbers of a state directory, there at 0 from now on.
    pub(super) fn meter(&self) -> StateMeter {
        StateMeter {
            last: self.last.get_or_create_owned(&[]),
            size: self.size.get_or_create_owned(&[]),
            failures: self.failures.get_or_create_owned(&[]),
        }
    }
}

/// The numbers of the state directory.
#[derive(Clone, Debug)]
pub struct StateMeter {
    last: Gauge<f64, AtomicU64>,
    size: Gauge,
    failures: Counter,
}

impl StateMeter {
    /// So many bytes were written.
    pub fn written(&self, bytes: usize, now: Timestamp) {
        self.last.set(now.seconds());
        self.size.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// State could not be written.
    pub fn failed(&self) {
        self.failures.inc();
    }
}

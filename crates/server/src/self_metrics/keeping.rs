//! What becomes of the state on disk. Without a state directory there is nothing to say.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

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
    unclean: Family<Labels<0>, Gauge>,
    age: Family<Labels<0>, Gauge<f64, AtomicU64>>,
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
        let help = "Whether the last process with this state directory was killed: 1, or 0 after a clean end";
        own.register("unclean_end", help, self.unclean.clone());
        let help = "Age of the restored state when this process started";
        own.register_with_unit("restored_age", help, Unit::Seconds, self.age.clone());
    }

    /// The numbers of a state directory, there at 0 from now on.
    pub(super) fn meter(&self) -> StateMeter {
        StateMeter {
            last: self.last.get_or_create_owned(&[]),
            size: self.size.get_or_create_owned(&[]),
            failures: self.failures.get_or_create_owned(&[]),
            unclean: self.unclean.clone(),
            age: self.age.clone(),
        }
    }
}

/// The numbers of the state directory.
#[derive(Clone, Debug)]
pub struct StateMeter {
    last: Gauge<f64, AtomicU64>,
    size: Gauge,
    failures: Counter,
    /// Not there unless the directory could be read.
    unclean: Family<Labels<0>, Gauge>,
    /// Not there unless something was restored.
    age: Family<Labels<0>, Gauge<f64, AtomicU64>>,
}

impl StateMeter {
    /// How the process before this one ended.
    pub fn ended(&self, unclean: bool) {
        self.unclean.get_or_create_owned(&[]).set(i64::from(unclean));
    }

    /// State of this age was restored.
    pub fn restored(&self, age: Duration) {
        self.age.get_or_create_owned(&[]).set(age.as_secs_f64());
    }

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

//! What becomes of requests on their way to forward targets.
//!
//! `offered = forwarded + dropped + waiting` holds for each target once nothing moves.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use engine::view::Signal;

use super::{Dropped, Labels};

/// The families, by target.
#[derive(Debug, Default)]
pub(super) struct Forwarding {
    forwarded: Family<Labels<2>, Counter>,
    dropped: Family<Labels<2>, Counter>,
    retries: Family<Labels<1>, Counter>,
    queue: Family<Labels<1>, Gauge>,
}

impl Forwarding {
    pub(super) fn register(&self, own: &mut Registry) {
        let help = "Requests that a forward target has taken, by target and signal";
        own.register("forwarded_requests", help, self.forwarded.clone());
        let help = "Requests that a forward target did not get, by target and reason";
        own.register("forward_dropped_requests", help, self.dropped.clone());
        let help = "Attempts to reach a forward target that failed for now";
        own.register("forward_retries", help, self.retries.clone());
        let help = "What waits for a forward target or is on its way there";
        own.register_with_unit("forward_queue", help, Unit::Bytes, self.queue.clone());
    }

    /// The numbers of one target, all there at 0 from now on.
    pub(super) fn target(&self, name: &str, signals: &[Signal]) -> TargetMeter {
        let target = || ("target", name.to_owned().into());
        let forwarded = |signal: Signal| {
            let labels: Labels<2> = [target(), ("signal", signal.as_str().into())];
            signals.contains(&signal).then(|| self.forwarded.get_or_create_owned(&labels))
        };
        let dropped = |reason: Dropped| {
            let labels: Labels<2> = [target(), ("reason", reason.as_str().into())];
            self.dropped.get_or_create_owned(&labels)
        };
        TargetMeter {
            forwarded: Signal::ALL.map(forwarded),
            dropped: Dropped::ALL.map(dropped),
            retries: self.retries.get_or_create_owned(&[target()]),
            queue: self.queue.get_or_create_owned(&[target()]),
        }
    }
}

/// The numbers of one target. Two targets of one name share them.
#[derive(Debug)]
pub struct TargetMeter {
    forwarded: [Option<Counter>; Signal::ALL.len()],
    dropped: [Counter; Dropped::COUNT],
    retries: Counter,
    queue: Gauge,
}

impl TargetMeter {
    /// The target has a request.
    pub fn forwarded(&self, signal: Signal) {
        if let Some(Some(counter)) = self.forwarded.get(signal.index()) {
            counter.inc();
        }
    }

    /// The target will not get so many requests.
    pub fn dropped(&self, reason: Dropped, times: u64) {
        if let Some(counter) = self.dropped.get(reason.index()).filter(|_| times > 0) {
            counter.inc_by(times);
        }
    }

    /// An attempt failed for now.
    pub fn retried(&self) {
        self.retries.inc();
    }

    /// So many bytes more wait.
    pub fn queued(&self, bytes: usize) {
        self.queue.inc_by(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// So many bytes wait no more.
    pub fn unqueued(&self, bytes: usize) {
        self.queue.dec_by(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Requests dropped for this reason so far.
    pub fn count(&self, reason: Dropped) -> u64 {
        self.dropped.get(reason.index()).map_or(0, Counter::get)
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> i64 {
        self.queue.get()
    }
}

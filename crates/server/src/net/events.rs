//! What happens to the connections of a listener: counted, and logged at a limited rate.

use std::io;
use std::net::SocketAddr;

use crate::log_limit::LogLimit;
use crate::self_metrics::{Closing, Listener, ListenerMeter};

/// Counts and logs for one listener. A flood of connections makes one line a minute for each reason.
#[derive(Debug)]
pub struct ListenerEvents {
    listener: Listener,
    meter: ListenerMeter,
    closings: [LogLimit; Closing::COUNT],
    accepts: LogLimit,
}

impl ListenerEvents {
    /// For this listener, with its numbers.
    pub fn new(listener: Listener, meter: ListenerMeter) -> Self {
        Self { listener, meter, closings: Default::default(), accepts: LogLimit::default() }
    }

    /// A connection was accepted.
    pub fn opened(&self) {
        self.meter.opened();
    }

    /// An accepted connection ended, for whatever reason.
    pub fn ended(&self) {
        self.meter.ended();
    }

    /// A connection was closed before its peer ended it. `why` is for people; it quotes no bytes of the peer.
    pub fn closed(&self, reason: Closing, peer: Option<SocketAddr>, why: &str) {
        self.meter.closed(reason);
        let limit = self.closings.get(reason.index());
        if let Some(suppressed) = limit.and_then(LogLimit::admit) {
            tracing::warn!(
                event = "connection_closed",
                listener = self.listener.as_str(),
                reason = reason.as_str(),
                peer = peer.map(tracing::field::display),
                why,
                suppressed,
            );
        }
    }

    /// The system has no connection for us, for want of descriptors or memory.
    pub fn accept_failed(&self, error: &io::Error) {
        if let Some(suppressed) = self.accepts.admit() {
            let listener = self.listener.as_str();
            tracing::warn!(event = "accept_failed", listener, %error, suppressed);
        }
    }
}

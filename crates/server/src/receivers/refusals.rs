//! The peer of a request, and log lines about refusals: from a counter alone an operator learns neither peer nor cause.

use std::net::SocketAddr;

use engine::counters::{Protocol, Refusal};
use engine::limits;
use engine::pipeline::Refused;

use crate::log_limit::LogLimit;

/// The peer of a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The port it came to.
    pub protocol: Protocol,
    /// Its address; none when the connection was gone before it was read.
    pub peer: Option<SocketAddr>,
}

/// Logs refusals by protocol and reason, each within a [`LogLimit`]: peer, reason and position in the request, never a value.
#[derive(Debug, Default)]
pub struct RefusalLog {
    requests: [[LogLimit; Refusal::COUNT]; Protocol::COUNT],
    loops: LogLimit,
}

impl RefusalLog {
    /// Logs a request that came round a loop of forwarding.
    pub fn forward_loop(&self, caller: Caller) {
        if let Some(suppressed) = self.loops.admit() {
            let help = "a forward target forwards back to this instance: remove one of the two `forward` entries";
            let peer = caller.peer.map(tracing::field::display);
            tracing::warn!(event = "forward_loop", peer, hops = limits::HOPS, help, suppressed);
        }
    }

    /// Logs a refused request.
    pub fn request(&self, caller: Caller, refused: &Refused) {
        let limits = self.requests.get(caller.protocol.index());
        let limit = limits.and_then(|limits| limits.get(refused.reason.index()));
        if let Some(suppressed) = limit.and_then(LogLimit::admit) {
            tracing::warn!(
                event = "request_refused",
                protocol = caller.protocol.as_str(),
                reason = refused.reason.as_str(),
                peer = caller.peer.map(tracing::field::display),
                why = refused.message,
                suppressed,
            );
        }
    }
}

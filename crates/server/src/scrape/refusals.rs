//! Refusals of the web port: counted, and logged at a limited rate. Somebody who guesses passwords is seen by both.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::log_limit::LogLimit;
use crate::self_metrics::{Telemetry, WebRefusal};

/// Counts and logs refusals.
#[derive(Debug)]
pub struct Refusals {
    telemetry: Arc<Telemetry>,
    limits: [LogLimit; WebRefusal::COUNT],
}

impl Refusals {
    /// None yet.
    pub fn new(telemetry: Arc<Telemetry>) -> Self {
        Self { telemetry, limits: Default::default() }
    }

    /// A request was refused.
    pub fn refused(&self, reason: WebRefusal, peer: Option<SocketAddr>, why: &str) {
        self.telemetry.refused_web_request(reason);
        let limit = self.limits.get(reason.index());
        if let Some(suppressed) = limit.and_then(LogLimit::admit) {
            let (reason, peer) = (reason.as_str(), peer.map(tracing::field::display));
            tracing::warn!(event = "web_request_refused", reason, peer, why, suppressed);
        }
    }
}

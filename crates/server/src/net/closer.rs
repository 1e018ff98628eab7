//! Closes one connection from outside of its server.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::self_metrics::Closing;

/// Clones close the same connection. The first reason counts.
#[derive(Clone, Debug, Default)]
pub struct Closer(Arc<Order>);

#[derive(Debug, Default)]
struct Order {
    given: CancellationToken,
    reason: OnceLock<(Closing, &'static str)>,
}

impl Closer {
    /// Closes it as soon as its task runs. `why` is for people.
    pub fn close(&self, reason: Closing, why: &'static str) {
        let _ = self.0.reason.set((reason, why));
        self.0.given.cancel();
    }

    /// Whether it was told to close.
    pub fn is_closed(&self) -> bool {
        self.0.given.is_cancelled()
    }

    /// Waits until it has to close.
    pub(super) async fn closed(&self) -> (Closing, &'static str) {
        self.0.given.cancelled().await;
        // It is set before.
        self.0.reason.get().copied().unwrap_or((Closing::Evicted, ""))
    }
}

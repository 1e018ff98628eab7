//! Whether the process lives, and whether it wants traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;

use super::answer::{Answer, text};

/// True from the moment all listeners are up to the begin of the drain. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says how it is from now on.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// `/-/healthy`: that this is answered is the answer.
pub fn healthy() -> Answer {
    text(StatusCode::OK, "healthy\n")
}

/// `/-/ready`.
pub fn ready(readiness: &Readiness) -> Answer {
    if readiness.get() {
        text(StatusCode::OK, "ready\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

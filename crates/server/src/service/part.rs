//! A thread with its own runtime, and the drain that ends it.

use std::thread::JoinHandle;
use std::time::Duration;

use engine::limits;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::clock;
use crate::exit::{Exit, Failure};
use crate::net::Drain;

/// A thread with its runtime, and the drain that ends it.
pub(super) struct Part {
    pub(super) drain: Drain,
    pub(super) runtime: Handle,
    thread: JoinHandle<()>,
}

impl Part {
    pub(super) fn start(
        name: &str,
        begin: impl FnOnce(&Drain) + Send + 'static,
    ) -> Result<Self, Failure> {
        let drain = Drain::default();
        let built = runtime()?;
        let runtime = built.handle().clone();
        let ours = drain.clone();
        let work = move || {
            built.block_on(async {
                begin(&ours);
                ours.done().await;
            });
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(work);
        let thread = thread.map_err(|error| Failure::new(Exit::Internal, error))?;
        Ok(Self { drain, runtime, thread })
    }

    /// Waits until its thread has ended, and nothing of it can happen any more; false: not within that time.
    pub(super) async fn ended(&self, within: Duration) -> bool {
        let end = clock::monotonic() + within;
        while !self.thread.is_finished() && clock::monotonic() < end {
            tokio::time::sleep(limits::THREAD_END).await;
        }
        self.thread.is_finished()
    }

    pub(super) fn join(self) {
        // A thread that panicked has said so by itself.
        let _ = self.thread.join();
    }
}

/// A runtime of one thread.
pub fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Internal, error))
}

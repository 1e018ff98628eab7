//! The thread that writes state: no sender and no scraper ever waits for a disk.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::clock;
use crate::live::Live;
use engine::limits;
use engine::pipeline::Pipeline;

use super::State;
use crate::exit::{Exit, Failure};

/// Whoever writes state while the process serves, and when it ends.
#[derive(Debug)]
pub struct Keeper {
    orders: SyncSender<Finish>,
}

/// The order to write for the last time.
#[derive(Debug)]
struct Finish {
    /// Whether nothing can come any more.
    is_quiet: bool,
    done: oneshot::Sender<()>,
}

impl Keeper {
    /// Writes every `state.interval`, on a thread of its own.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(state: State, pipeline: Arc<Pipeline>, live: Live) -> Result<Self, Failure> {
        let (orders, ours) = sync_channel(1);
        let work = move || keep(state, &pipeline, &ours, &live);
        let thread = Builder::new().name("state".into()).spawn(work);
        thread.map_err(|error| Failure::new(Exit::Internal, error))?;
        Ok(Self { orders })
    }

    /// Writes for the last time, and waits for that as long as it may take. When nothing can come any more, all there is; open
    /// conversations go on after the restart then, or end now if they can't be written.
    pub async fn finish(&self, is_quiet: bool, within: Duration, pipeline: &Pipeline) {
        let (done, written) = oneshot::channel();
        match self.orders.try_send(Finish { is_quiet, done }) {
            Ok(()) => {
                if tokio::time::timeout(within, written).await.is_err() {
                    tracing::error!(event = "state_not_written", error = "the disk is too slow");
                }
            }
            // Its thread has died, and told so.
            Err(_) => pipeline.end_conversations(clock::now()),
        }
    }
}

fn keep(mut state: State, pipeline: &Pipeline, orders: &Receiver<Finish>, live: &Live) {
    loop {
        let interval = live.get().state_interval.max(limits::STATE_INTERVAL_LEAST);
        match orders.recv_timeout(interval) {
            Err(RecvTimeoutError::Timeout) => state.write(pipeline),
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(Finish { is_quiet, done }) => {
                if is_quiet {
                    state.write_last(pipeline)
                } else {
                    state.write(pipeline)
                }
                let _ = done.send(()); // they may not wait any more
                return;
            }
        }
    }
}

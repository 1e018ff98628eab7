//! The task of one target: takes from its queue, sends, and decides what a failure means.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::clock;
use crate::live::Live;
use crate::net::Deadlines;
use crate::self_metrics::Dropped;
use engine::limits;

use super::Target;
use super::answer::{Later, Verdict};
use super::client::Sender;
use super::pace::Pace;
use super::queue::{Held, Queue};

/// The task.
pub(super) struct Task {
    name: String,
    queue: Arc<Queue>,
    sender: Arc<Sender>,
    pace: Pace,
    /// How long the queue has to empty once the target is to end.
    flush: Duration,
    /// Set when the target is to end.
    ending: bool,
    /// Whether nobody was there at the last attempt.
    unreachable: bool,
    rejected: u64,
}

impl Task {
    pub(super) fn new(target: &Target, deadlines: Deadlines, live: Live) -> Self {
        Self {
            name: target.settings.label(),
            queue: target.queue.clone(),
            sender: Arc::new(Sender::new(target.settings.clone(), live)),
            pace: Pace::new(deadlines.backoff),
            flush: deadlines.flush,
            ending: false,
            unreachable: false,
            rejected: 0,
        }
    }

    /// Sends until `end`, then what is left as long as that makes sense.
    pub(super) async fn run(mut self, end: impl Future<Output = ()>) {
        self.serve(end).await;
        self.queue.close();
        self.queue.meter.dropped(Dropped::Shutdown, self.queue.clear());
    }

    async fn serve(&mut self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        let mut over = std::pin::pin!(sleep(Duration::MAX));
        let mut sends: JoinSet<(Held, Verdict)> = JoinSet::new();
        while !self.ending || !sends.is_empty() || !self.queue.is_empty() {
            // A target that is failing is asked by one request at a time.
            let most = if self.pace.is_failing() { 1 } else { limits::FORWARD_AT_ONCE };
            let free = sends.len() < most;
            let until = self.pace.not_before();
            tokio::select! {
                Some(sent) = sends.join_next() => {
                    match sent {
                        Ok((held, verdict)) => self.judge(held, verdict),
                        // It panicked; the hook has said so.
                        Err(_) => self.queue.meter.dropped(Dropped::Rejected, 1),
                    }
                    // Nobody there at the end is nobody to wait for.
                    if self.ending && self.unreachable {
                        break;
                    }
                }
                () = wait(until), if until.is_some() && free => self.pace.waited(),
                held = self.queue.take(), if until.is_none() && free => {
                    let sender = self.sender.clone();
                    sends.spawn(async move {
                        let verdict = match held.request() {
                            Some(request) => sender.send(request).await,
                            None => Verdict::Delivered,
                        };
                        (held, verdict)
                    });
                }
                () = &mut end, if !self.ending => {
                    self.ending = true;
                    self.queue.close();
                    over.set(sleep(self.flush));
                    if self.unreachable {
                        self.pace.waited();
                    }
                }
                () = &mut over => break,
            }
        }
        // What is cut here goes the way of what still waits.
        let cut = sends.len() as u64;
        sends.shutdown().await;
        self.queue.meter.dropped(Dropped::Shutdown, cut);
    }

    fn judge(&mut self, held: Held, verdict: Verdict) {
        match verdict {
            Verdict::Delivered => {
                self.succeed();
                if let Some(request) = held.request() {
                    self.queue.meter.forwarded(request.signal);
                }
            }
            Verdict::Rejected(why) => {
                // It has answered, so it works.
                self.succeed();
                self.queue.meter.dropped(Dropped::Rejected, 1);
                self.rejected += 1;
                if self.rejected.is_power_of_two() {
                    let (target, count) = (&self.name, self.rejected);
                    tracing::warn!(event = "forward_rejected", target_name = target, count, why);
                }
            }
            Verdict::Later(later) => self.later(held, later),
        }
    }

    fn later(&mut self, mut held: Held, Later { why, after, reached }: Later) {
        if !self.pace.is_failing() {
            tracing::warn!(event = "forward_failing", target_name = self.name, why);
        }
        self.pace.failed(after, clock::monotonic());
        self.queue.meter.retried();
        if reached && held.attempted() >= limits::FORWARD_ATTEMPTS {
            // It may be the reason: others behind it may fare better.
            self.queue.meter.dropped(Dropped::GaveUp, 1);
        } else {
            held.put_back();
        }
        self.unreachable = !reached;
    }

    fn succeed(&mut self) {
        if self.pace.is_failing() {
            tracing::info!(event = "forward_works_again", target_name = self.name);
        }
        self.pace.succeeded();
        self.unreachable = false;
    }
}

async fn wait(until: Option<std::time::Instant>) {
    if let Some(until) = until {
        sleep_until(until.into()).await;
    }
}

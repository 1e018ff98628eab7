//! The sender's bytes passed on to other OTLP receivers.
//!
//! What was taken is offered to every target that wants its signal: a reference to the bytes goes into the target's own queue,
//! bounded in bytes, and ingest goes on. A target has a task of its own on a thread that serves nothing else, so one that is
//! dead or stalls is felt by nobody: its queue drops its oldest and says so. What arrives there is what the bot sent, bytes for
//! bytes; only JSON for a gRPC target is rewritten, because gRPC carries protobuf alone. Delivery is at least once, as OTLP
//! means it ("Duplicate Data").
//!
//! Requests carry how often they were forwarded, which ends loops; a collector in between does not pass that on, so a request whose items
//! had all come before is not offered. A target that is one of our own listeners is refused with the config. This room knows no rule, no series and no config file.

mod answer;
mod client;
mod pace;
mod queue;
mod target;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::net::{Deadlines, Drain};
use crate::self_metrics::Telemetry;
use config::Forward;
use engine::limits;
use engine::wire::ExportRequest;

use queue::Queue;

/// All targets. Shared by the doors, which offer, and by whoever reads the config.
pub struct Forwarders {
    targets: ArcSwap<Vec<Target>>,
    telemetry: Arc<Telemetry>,
    deadlines: Deadlines,
    /// What bounds a request while it is rewritten, and all queues together.
    live: Live,
    /// Where the tasks run, and what ends them.
    place: (Handle, Drain),
}

/// One target as the doors see it.
#[derive(Clone)]
struct Target {
    settings: Arc<Forward>,
    queue: Arc<Queue>,
    /// Ends this one alone.
    removed: CancellationToken,
}

impl Forwarders {
    /// No target yet. Tasks run at this place.
    pub fn new(
        telemetry: Arc<Telemetry>,
        deadlines: Deadlines,
        live: Live,
        place: (Handle, Drain),
    ) -> Self {
        Self { targets: ArcSwap::default(), telemetry, deadlines, live, place }
    }

    /// From now on these are the targets. One that was there before goes on with its queue, one that is there no more has its
    /// last time to empty it.
    pub fn retarget(&self, wanted: &[Forward]) {
        let before = self.targets.load_full();
        let mut kept: Vec<&Target> = before.iter().collect();
        let mut targets = Vec::with_capacity(wanted.len());
        for (settings, limit) in wanted.iter().zip(self.shares(wanted)) {
            let same = kept.iter().position(|target| *target.settings == *settings);
            targets.push(match same {
                Some(at) => {
                    let target = kept.swap_remove(at).clone();
                    target.queue.rebound(limit);
                    target
                }
                None => self.begin(settings.clone(), limit),
            });
        }
        self.targets.store(Arc::new(targets));
        kept.iter().for_each(|target| target.removed.cancel());
    }

    /// The bytes that may wait for each target: what the config wants, or its part of all there are. A dead target must not take the
    /// memory that requests need.
    fn shares(&self, wanted: &[Forward]) -> Vec<usize> {
        let sum = wanted.iter().fold(0_usize, |sum, one| sum.saturating_add(one.queue));
        let queues = self.live.get().memory / limits::FORWARD_PART;
        if sum <= queues {
            return wanted.iter().map(|one| one.queue).collect();
        }
        let help = "raise `limits.memory` or lower `forward[].queue`";
        tracing::warn!(event = "forward_queues_reduced", to = queues, from = sum, help);
        let part = queues as f64 / sum as f64;
        wanted.iter().map(|one| (one.queue as f64 * part) as usize).collect()
    }

    fn begin(&self, settings: Forward, limit: usize) -> Target {
        let meter = self.telemetry.target(&settings.label(), &settings.signals);
        let target = Target {
            queue: Arc::new(Queue::new(limit, meter)),
            settings: Arc::new(settings),
            removed: CancellationToken::new(),
        };
        let (handle, drain) = &self.place;
        let task = target::Task::new(&target, self.deadlines, self.live.clone());
        let (ended, removed) = (drain.clone(), target.removed.clone());
        let end = async move {
            tokio::select! {
                () = ended.begun() => {}
                () = removed.cancelled() => {}
            }
        };
        drain.spawn_on(task.run(end), handle);
        target
    }

    /// Offers a request to all who want it. It waits for nobody.
    pub fn offer(&self, request: ExportRequest) {
        let targets = self.targets.load();
        let mut owned = None;
        for target in targets.iter().filter(|t| t.settings.signals.contains(&request.signal)) {
            let request = owned.get_or_insert_with(|| own(&request));
            target.queue.push(request.clone());
        }
    }
}

/// The request in memory of its own. A body that came in one piece is part of its connection's read buffer and would keep all of
/// that alive: a queue of such bodies would hold many times what it counts.
fn own(request: &ExportRequest) -> ExportRequest {
    let bytes = match &request.bytes {
        shared if shared.len() <= limits::READ_BUFFER => Bytes::copy_from_slice(shared),
        large => large.clone(),
    };
    ExportRequest { bytes, ..*request }
}

//! The load generator: batches encoded once, patched for every request, sent as fast as told and counted to the span.
//!
//! Each span of each batch has fresh ids and the time of its sending, so that a receiver which knows repeats by their ids
//! does its whole work. One thread is enough; nothing is encoded, allocated or copied per span.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::TrafficError;
use super::draw::Dice;
use crate::clock;

mod answer;
mod batches;
mod connection;
mod corpus;
mod json;
mod protobuf;
mod report;
mod single;
mod target;
pub mod template;
mod worker;

pub use batches::Batches;
pub use corpus::Profile;
pub use report::{Latencies, Report};
pub use single::Encoder;
pub use target::{Protocol, Target};
use template::Template;
use worker::Worker;

/// How to send.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Where to.
    pub target: Target,
    /// Spans a second; 0 is as fast as possible.
    pub rate: u64,
    /// How long.
    pub duration: Duration,
    /// Spans a request, at least 1.
    pub batch: usize,
    /// Connections, each with one request under way; at least 1.
    pub connections: usize,
    /// What to send.
    pub profile: Profile,
    /// How to write it.
    pub encoding: Encoding,
    /// Whether to compress it.
    pub gzip: bool,
    /// Ids of the same seed are the same; none: fresh ones.
    pub seed: Option<u64>,
}

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Protobuf.
    Protobuf,
    /// OTLP JSON; over HTTP only.
    Json,
}

/// How late the last batches of a paced run may be, so that a run of N spans a second has its N spans and still ends.
const GRACE: Duration = Duration::from_millis(250);

/// What all workers share.
struct Shared {
    options: LoadOptions,
    templates: Vec<Template>,
    run: u64,
    started: Instant,
    deadline: Instant,
    /// The next batch's number.
    batches: AtomicU64,
    sent: AtomicU64,
    accepted: AtomicU64,
}

/// Sends until the time is over and tells how it went; `progress` hears once a second what was sent and accepted.
///
/// # Errors
///
/// When the target is unreachable at the start, or JSON is asked for over gRPC. Refusals, rejections and lost connections
/// are no errors here: they are in the report.
pub async fn run(
    options: LoadOptions,
    mut progress: impl FnMut(&Report),
) -> Result<Report, TrafficError> {
    if options.encoding == Encoding::Json && options.target.protocol == Protocol::Grpc {
        let why = "gRPC carries protobuf only".to_owned();
        return Err(TrafficError::Target { target: options.target.to_string(), why });
    }
    let shared = Arc::new(Shared::new(options));
    let mut workers = JoinSet::new();
    for _ in 0..shared.options.connections.max(1) {
        workers.spawn(Worker::connect(shared.clone()).await?.run());
    }
    let mut report = Report::default();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    loop {
        tokio::select! {
            done = workers.join_next() => match done {
                Some(Ok(part)) => report.add(&part),
                Some(Err(why)) => return Err(TrafficError::Sdk(why.to_string())),
                None => break,
            },
            _ = second.tick() => progress(&shared.so_far()),
        }
    }
    report.elapsed = shared.started.elapsed();
    Ok(report)
}

impl Shared {
    fn new(options: LoadOptions) -> Self {
        let run = options.seed.unwrap_or_else(|| {
            // Two runs a nanosecond apart in two processes still differ.
            clock::now().0 ^ (u64::from(std::process::id()) << 40)
        });
        let templates = corpus::templates(&options);
        let started = clock::monotonic();
        Self {
            run: Dice::new(run).bits(),
            templates,
            started,
            deadline: started + options.duration,
            options,
            batches: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
        }
    }

    /// The next batch's number and when it is due; none when the time is over.
    fn next(&self) -> Option<(u64, Option<Instant>)> {
        let number = self.batches.fetch_add(1, Ordering::Relaxed);
        if self.options.rate == 0 {
            return (clock::monotonic() < self.deadline).then_some((number, None));
        }
        let interval = self.options.batch as f64 / self.options.rate as f64;
        let due = self.started + Duration::from_secs_f64(interval * number as f64);
        let open = due < self.deadline && clock::monotonic() < self.deadline + GRACE;
        open.then_some((number, Some(due)))
    }

    fn so_far(&self) -> Report {
        Report {
            sent: self.sent.load(Ordering::Relaxed),
            accepted: self.accepted.load(Ordering::Relaxed),
            elapsed: self.started.elapsed(),
            ..Report::default()
        }
    }
}

#[cfg(test)]
mod tests;

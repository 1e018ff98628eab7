//! One connection's loop: take the next batch, freshen it in place, send it, book the answer.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::answer::Answer;
use super::connection::Connection;
use super::report::Report;
use super::template::{Form, Fresh, Template};
use super::{Protocol, Shared, TrafficError};
use crate::clock;

/// A worker, connected.
pub(super) struct Worker {
    shared: Arc<Shared>,
    connection: Connection,
    /// The buffer of each template that this worker has sent: taken back after the answer, so nothing is copied.
    buffers: Vec<Option<BytesMut>>,
    report: Report,
}

impl Worker {
    /// A worker with its connection.
    pub(super) async fn connect(shared: Arc<Shared>) -> Result<Self, TrafficError> {
        let connection = Connection::open(&shared.options).await?;
        let buffers = shared.templates.iter().map(|_| None).collect();
        Ok(Self { shared, connection, buffers, report: Report::default() })
    }

    /// Works until the time is over.
    pub(super) async fn run(mut self) -> Report {
        let shared = self.shared.clone();
        while let Some((number, due)) = shared.next() {
            let begin = wait(due).await;
            if !self.connection.ready().await && !self.reconnect().await {
                self.book(number, begin, 0, Answer::Lost);
                break;
            }
            self.one(number, begin).await;
        }
        self.report
    }

    async fn one(&mut self, number: u64, begin: Instant) {
        let shared = self.shared.clone();
        let Some((at, template)) = template(&shared, number) else { return };
        let kept = self.buffers.get_mut(at).and_then(Option::take);
        let mut buffer = kept.unwrap_or_else(|| BytesMut::from(template.bytes.as_slice()));
        let fresh = Fresh {
            run: shared.run,
            first: number.wrapping_mul(shared.options.batch as u64),
            now: clock::now().0,
        };
        template.freshen(&mut buffer, fresh);
        let plain = buffer.freeze();
        let body =
            if shared.options.gzip { self.compressed(template, &plain) } else { plain.clone() };
        let bytes = body.len();
        let answer = self.connection.send(&shared.options, body).await;
        if let (Ok(buffer), Some(place)) = (plain.try_into_mut(), self.buffers.get_mut(at)) {
            *place = Some(buffer);
        }
        self.book(number, begin, bytes, answer);
    }

    fn book(&mut self, number: u64, begin: Instant, bytes: usize, answer: Answer) {
        let spans = template(&self.shared, number).map_or(0, |(_, template)| template.spans);
        let before = self.report.accepted;
        self.report.book(spans, bytes, answer, begin.elapsed());
        self.shared.sent.fetch_add(spans, Ordering::Relaxed);
        self.shared.accepted.fetch_add(self.report.accepted - before, Ordering::Relaxed);
    }

    /// Receivers end old connections now and then: that alone loses nothing.
    async fn reconnect(&mut self) -> bool {
        match Connection::open(&self.shared.options).await {
            Ok(mut connection) => {
                let ready = connection.ready().await;
                self.connection = connection;
                ready
            }
            Err(error) => {
                tracing::warn!(%error, "a connection of the load generator is gone");
                false
            }
        }
    }

    /// The body in gzip; a gRPC message keeps its frame outside of it.
    fn compressed(&self, template: &Template, plain: &Bytes) -> Bytes {
        let framed =
            self.shared.options.target.protocol == Protocol::Grpc && template.form == Form::Binary;
        let head = if framed { 5 } else { 0 };
        let mut body = Vec::with_capacity(plain.len() / 4);
        body.resize(head, 0);
        let mut encoder = GzEncoder::new(body, Compression::fast());
        // Writing to memory cannot fail; if it did, the receiver would refuse the request and the report say so.
        let _ = encoder.write_all(plain.get(head..).unwrap_or_default());
        let mut body = encoder.finish().unwrap_or_default();
        let length = u32::try_from(body.len().saturating_sub(head)).unwrap_or(u32::MAX);
        if let (true, Some(frame)) = (framed, body.first_chunk_mut::<5>()) {
            let [a, b, c, d] = length.to_be_bytes();
            *frame = [1, a, b, c, d];
        }
        Bytes::from(body)
    }
}

fn template(shared: &Shared, number: u64) -> Option<(usize, &Template)> {
    let at = (number % shared.templates.len().max(1) as u64) as usize;
    shared.templates.get(at).map(|template| (at, template))
}

/// Waits until it is due. Who comes too late began when it was due, so that a stalled receiver's latencies are not left out.
async fn wait(due: Option<Instant>) -> Instant {
    let now = clock::monotonic();
    match due {
        None => now,
        Some(due) if due <= now => due,
        Some(due) => {
            tokio::time::sleep_until(due.into()).await;
            clock::monotonic()
        }
    }
}

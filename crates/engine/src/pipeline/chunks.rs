//! A request of more items than one chunk holds: it was counted and checked before, so the walk can't fail, and each chunk is
//! committed before the next one is evaluated. So memory is bounded by a chunk, whatever a request holds.

use std::sync::PoisonError;

use crate::counters::ItemCounts;
use crate::passthrough::{self, PointBatch};
use crate::runtime::Engine;
use crate::timestamp::Timestamp;
use crate::view::{LogRecord, Metric, Origin, Point, Signal, Span, SpanEvent, Value, Visitor};
use crate::wire::{self, WireError};

use super::batch::Batch;
use super::{Pipeline, commit};

impl Pipeline {
    /// Takes a request that [`meter::measure`](super::meter::measure) has let pass, chunk by chunk. After each the books are balanced.
    pub(super) fn take_in_chunks(
        &self,
        engine: &Engine,
        (signal, body): (Signal, &[u8]),
        now: Timestamp,
    ) -> Result<ItemCounts, WireError> {
        let context = Context { pipeline: self, engine, signal, now };
        let mut counts = ItemCounts::default();
        let last = match signal {
            Signal::Metrics => {
                let batch = PointBatch::chunked(engine, &self.keys, now);
                let mut chunks = PointChunks { context, batch, counts: &mut counts };
                wire::walk_metrics(body, &mut chunks)?;
                self.fold_points(engine, (chunks.batch, now))
            }
            Signal::Traces | Signal::Logs => {
                let batch = Batch::new(engine, &self.keys, now);
                let mut chunks = Chunks { context, batch, counts: &mut counts };
                match signal {
                    Signal::Traces => wire::walk_traces(body, &mut chunks)?,
                    _ => wire::walk_logs(body, &mut chunks)?,
                }
                commit::commit(self, engine, chunks.batch, now)
            }
        };
        context.post(&last, &mut counts);
        Ok(counts)
    }
}

/// What a chunk is committed to.
#[derive(Clone, Copy)]
struct Context<'p> {
    pipeline: &'p Pipeline,
    engine: &'p Engine,
    signal: Signal,
    now: Timestamp,
}

impl Context<'_> {
    /// Enters a chunk that was committed in the books, and in the request's counts.
    fn post(&self, chunk: &ItemCounts, all: &mut ItemCounts) {
        self.pipeline.counters.books().post(self.signal, chunk, self.now);
        self.pipeline.changed();
        all.add(chunk);
    }
}

/// The visitor of spans and log records.
struct Chunks<'c, 'a> {
    context: Context<'a>,
    batch: Batch<'a>,
    counts: &'c mut ItemCounts,
}

impl Chunks<'_, '_> {
    /// Commits what there is when it is enough. `is_open`: more events of the last item may follow.
    fn make_room(&mut self, is_open: bool) {
        if !self.batch.is_full() {
            return;
        }
        let Context { pipeline, engine, now, .. } = self.context;
        let mut chunk = ItemCounts::default();
        self.batch.commit_chunk(is_open, |work| {
            commit::carry_out(pipeline, engine, work, now);
            let closed = work.items.len().saturating_sub(is_open.into());
            chunk = commit::count(work.items.get(..closed).unwrap_or_default());
        });
        self.context.post(&chunk, self.counts);
    }
}

impl<'a> Visitor<'a> for Chunks<'_, 'a> {
    fn resource(&mut self) {
        self.batch.resource();
    }

    fn scope(&mut self, name: &'a [u8], version: &'a [u8]) {
        self.batch.scope(name, version);
    }

    #[inline]
    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        self.batch.attribute(origin, key, value);
    }

    fn span(&mut self, span: &Span<'a>) {
        self.make_room(false);
        self.batch.span(span);
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        self.make_room(true);
        self.batch.event(event);
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        self.make_room(false);
        self.batch.log(record);
    }
}

/// The visitor of data points.
struct PointChunks<'c, 'a> {
    context: Context<'a>,
    batch: PointBatch<'a>,
    counts: &'c mut ItemCounts,
}

impl PointChunks<'_, '_> {
    /// Folds what there is when it is enough. `is_open`: the attributes of a point were received, and the point follows.
    fn make_room(&mut self, is_open: bool) {
        if !self.batch.is_full() {
            return;
        }
        let Context { pipeline, engine, now, .. } = self.context;
        let mut senders = pipeline.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let process = pipeline.process(now);
        let chunk = passthrough::fold(&mut senders, (engine, process), &self.batch);
        drop(senders);
        self.batch.next_chunk(is_open);
        self.context.post(&chunk, self.counts);
    }
}

impl<'a> Visitor<'a> for PointChunks<'_, 'a> {
    fn resource(&mut self) {
        self.batch.resource();
    }

    fn scope(&mut self, name: &'a [u8], version: &'a [u8]) {
        self.batch.scope(name, version);
    }

    fn schema(&mut self, url: &'a [u8]) {
        self.batch.schema(url);
    }

    #[inline]
    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        self.batch.attribute(origin, key, value);
    }

    fn metric(&mut self, metric: &Metric<'a>) {
        self.make_room(false);
        self.batch.metric(metric);
    }

    fn point(&mut self, metric: &Metric<'a>, point: &Point<'a>) {
        self.make_room(true);
        self.batch.point(metric, point);
    }
}

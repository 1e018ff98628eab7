//! Requests that came round a loop of forwarding: every item is rejected, and nothing else changes.

use crate::counters::{ItemCounts, Protocol, Rejection};
use crate::timestamp::Timestamp;
use crate::view::{LogRecord, Metric, Point, Signal, Span, Visitor};
use crate::wire::{self, Encoding, WireError};

use super::{Outcome, Pipeline, Refused};

/// Counts the items of a request.
struct Items(u64);

impl<'a> Visitor<'a> for Items {
    fn span(&mut self, _: &Span<'a>) {
        self.0 += 1;
    }

    fn log(&mut self, _: &LogRecord<'a>) {
        self.0 += 1;
    }

    fn point(&mut self, _: &Metric<'a>, _: &Point<'a>) {
        self.0 += 1;
    }
}

impl Pipeline {
    /// Takes a request and rejects all its items as [`Rejection::Loop`], or refuses it as [`ingest`](Self::ingest) does.
    ///
    /// # Errors
    /// A request that is not what it claims to be; the refusal is counted.
    pub fn reject_loop(
        &self,
        protocol: Protocol,
        signal: Signal,
        encoding: Encoding,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        let counts = self.count_items(signal, encoding, body);
        let counts = counts
            .map_err(Refused::from)
            .inspect_err(|refused| self.refuse(protocol, refused.reason))?;
        self.counters.books().post(signal, &counts, now);
        Ok(super::outcome(&counts))
    }

    fn count_items(
        &self,
        signal: Signal,
        encoding: Encoding,
        body: &[u8],
    ) -> Result<ItemCounts, WireError> {
        let engine = self.engine.load_full();
        let body = &*engine.protobuf(signal, encoding, body)?;
        let mut items = Items(0);
        match signal {
            Signal::Metrics => wire::walk_metrics(body, &mut items)?,
            Signal::Traces => wire::walk_traces(body, &mut items)?,
            Signal::Logs => wire::walk_logs(body, &mut items)?,
        }
        let mut counts = ItemCounts { received: items.0, ..ItemCounts::default() };
        if let Some(count) = counts.rejected.get_mut(Rejection::Loop.index()) {
            *count = items.0;
        }
        Ok(counts)
    }
}

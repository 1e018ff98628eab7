//! The books of every item: what one request brought is posted at once and read at once, so no
//! scrape sees half of it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::clock::Timestamp;
use crate::view::Signal;

use super::{Rejection, pairs};

/// What became of items: `received` is `accepted` and all of `rejected` together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemCounts {
    /// Spans, log records or data points of taken requests.
    pub received: u64,
    /// Those that were used, or that no rule asked for.
    pub accepted: u64,
    /// Those of the accepted that no rule asked for.
    pub unmatched: u64,
    /// Those that were not used, by [`Rejection::index`].
    pub rejected: [u64; Rejection::COUNT],
}

/// The counts of all requests so far.
#[derive(Debug, Default)]
pub struct Books(Mutex<[Page; Signal::ALL.len()]>);

/// One signal's.
#[derive(Clone, Copy, Debug, Default)]
struct Page {
    counts: ItemCounts,
    last: Timestamp,
}

impl ItemCounts {
    /// Whether every item was accepted or rejected exactly once.
    pub fn balanced(&self) -> bool {
        self.received
            == self.rejected.iter().fold(self.accepted, |sum, one| sum.saturating_add(*one))
    }

    fn add(&mut self, other: &Self) {
        let add = |sum: &mut u64, one: u64| *sum = sum.saturating_add(one);
        add(&mut self.received, other.received);
        add(&mut self.accepted, other.accepted);
        add(&mut self.unmatched, other.unmatched);
        self.rejected.iter_mut().zip(other.rejected).for_each(|(sum, one)| add(sum, one));
    }
}

impl Books {
    /// Enters one taken request, whole.
    pub fn post(&self, signal: Signal, counts: &ItemCounts, now: Timestamp) {
        debug_assert!(counts.balanced(), "{counts:?}");
        if let Some(page) = self.lock().get_mut(signal.index()) {
            page.counts.add(counts);
            page.last = page.last.max(now);
        }
    }

    /// What was entered for a signal so far.
    pub fn read(&self, signal: Signal) -> ItemCounts {
        self.lock().get(signal.index()).map(|page| page.counts).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, [Page; Signal::ALL.len()]> {
        // Adding up can't panic half-way, so a poisoned lock still guards whole entries.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Books {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let pages = *self.lock();
        let mut counter = |name: &str, help: &str, count: fn(&ItemCounts) -> u64| {
            let rows = Signal::ALL.iter().zip(&pages);
            let rows = rows.map(|(signal, page)| {
                ([("signal", signal.as_str())], ConstCounter::new(count(&page.counts)))
            });
            family(&mut encoder, (name, help, None), rows)
        };
        let help = "Spans, log records and data points of the requests that were taken.";
        counter("received_items", help, |counts| counts.received)?;
        counter("accepted_items", "Items that were used or that no rule asked for.", |counts| {
            counts.accepted
        })?;
        counter("unmatched_items", "Accepted items that no rule asked for.", |counts| {
            counts.unmatched
        })?;
        let rejected = pairs(&Signal::ALL, &Rejection::ALL).map(|(signal, reason)| {
            let count = pages
                .get(signal.index())
                .and_then(|page| page.counts.rejected.get(reason.index()).copied());
            let labels = [("signal", signal.as_str()), ("reason", reason.as_str())];
            (labels, ConstCounter::new(count.unwrap_or_default()))
        });
        let help = "Items of taken requests that were not used, by reason.";
        family(&mut encoder, ("rejected_items", help, None), rejected)?;
        let last = Signal::ALL.iter().zip(&pages).map(|(signal, page)| {
            ([("signal", signal.as_str())], ConstGauge::new(page.last.seconds()))
        });
        let help = "When a request was last taken.";
        family(&mut encoder, ("last_received_timestamp", help, Some(&Unit::Seconds)), last)
    }
}

/// A family of values that exist only for this scrape: its name, help text and unit, and its rows.
fn family<L: EncodeLabelSet, M: EncodeMetric + TypedMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    rows: impl Iterator<Item = (L, M)>,
) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, unit, M::TYPE)?;
    for (labels, metric) in rows {
        metric.encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

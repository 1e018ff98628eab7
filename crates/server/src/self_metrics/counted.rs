//! The engine's counters as metrics.

use std::fmt;
use std::sync::Arc;

use engine::counters::{Counters, ItemCounts, Protocol, Refusal, Rejection};
use engine::rules::SkipReason;
use engine::view::Signal;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::TypedMetric;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::pairs;

/// Reads the counters when it is asked.
#[derive(Debug)]
pub(super) struct Counted(pub(super) Arc<Counters>);

impl Collector for Counted {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.items(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.rules(&mut encoder)?;
        self.senders(&mut encoder)
    }
}

impl Counted {
    fn items(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let pages = self.0.books().pages();
        let mut counter = |name: &str, help: &str, count: fn(&ItemCounts) -> u64| {
            let rows = Signal::ALL.iter().zip(&pages);
            let rows = rows.map(|(signal, page)| {
                ([("signal", signal.as_str())], ConstCounter::new(count(&page.counts)))
            });
            family(encoder, (name, help, None), rows)
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
        family(encoder, ("rejected_items", help, None), rejected)?;
        let last = Signal::ALL.iter().zip(&pages).map(|(signal, page)| {
            ([("signal", signal.as_str())], ConstGauge::new(page.last.seconds()))
        });
        let help = "When a request was last taken.";
        family(encoder, ("last_received_timestamp", help, Some(&Unit::Seconds)), last)
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let refusals = self.0.refusals();
        let rows = pairs(&Protocol::ALL, &Refusal::ALL).map(|(protocol, reason)| {
            let count = refusals.get(protocol.index());
            let count = count.and_then(|reasons| reasons.get(reason.index()).copied());
            let labels = [("protocol", protocol.as_str()), ("reason", reason.as_str())];
            (labels, ConstCounter::new(count.unwrap_or_default()))
        });
        let help = "Requests refused as a whole, by door and reason.";
        family(encoder, ("refused_requests", help, None), rows)
    }

    fn senders(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (joined, conflicts) = self.0.joined_and_conflicts();
        let none: [(&str, &str); 0] = [];
        let help = "Streams that joined without adding, because their earlier totals are no longer remembered.";
        let row = std::iter::once((none, ConstCounter::new(joined)));
        family(encoder, ("streams_joined", help, None), row)?;
        let help = "Points of gauges that several living processes write under one identity.";
        let row = std::iter::once((none, ConstCounter::new(conflicts)));
        family(encoder, ("writer_conflicts", help, None), row)
    }

    fn rules(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let skips = self.0.skips();
        let rows = skips.iter().flat_map(|(metric, counts)| {
            let counts = SkipReason::ALL.into_iter().zip(counts);
            counts.filter_map(move |(reason, count)| {
                let labels = [("metric", metric.as_str()), ("reason", reason.as_str())];
                Some((labels, ConstCounter::new((*count)?)))
            })
        });
        let help =
            "Records whose value or sampling weight a rule could not use, by metric and reason.";
        family(encoder, ("rule_skips", help, None), rows)?;
        let repeats = self.0.repeats();
        let rows = repeats
            .iter()
            .map(|(record, count)| ([("record", record.as_str())], ConstCounter::new(*count)));
        let help = "Records left out because they came before, by the record's name in the config.";
        family(encoder, ("repeated_items", help, None), rows)?;
        let limit = ConstGauge::new(self.0.series_limit() as f64);
        let help = "Label sets that all metrics together may have.";
        let none: [(&str, &str); 0] = [];
        family(encoder, ("series_limit", help, None), std::iter::once((none, limit)))
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

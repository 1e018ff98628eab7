//! Stand-in of this branch for the arrow; the merge takes the other file. It counts requests and refusals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::clock::Timestamp;
use crate::model::{Family, FamilySnapshot, Kind, LabelName, Labels, MetricName, Row, RowValue};
use crate::telemetry::{Protocol, Refusal};
use crate::view::Signal;

pub use crate::wire::Encoding;

/// What became of a taken request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Items rejected for another reason than having come before: what `partial_success` tells.
    pub rejected: u64,
    /// Why, for people; empty when nothing was rejected.
    pub message: String,
}

/// A request that was refused whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The closed reason.
    pub reason: Refusal,
    /// What is wrong and where, for people.
    pub message: String,
}

/// The arrow and all it leads to. Shared by every receiver and by the scrape.
#[derive(Default)]
pub struct Pipeline {
    refused: Mutex<BTreeMap<[&'static str; 2], f64>>,
    accepted: Mutex<BTreeMap<[&'static str; 2], f64>>,
}

impl Pipeline {
    /// Takes or refuses one inflated request as a whole, and keeps the books (a refusal found here is counted here).
    pub fn ingest(
        &self,
        protocol: Protocol,
        signal: Signal,
        encoding: Encoding,
        body: &[u8],
        _now: Timestamp,
    ) -> Result<Outcome, Refused> {
        let fits = match encoding {
            Encoding::Json => serde_json::from_slice::<serde_json::Value>(body).is_ok(),
            Encoding::Protobuf => body.first().is_none_or(|tag| *tag == 0x0a),
        };
        if !fits {
            self.refuse(protocol, Refusal::Malformed);
            let message = "not the message it claims to be".into();
            return Err(Refused { reason: Refusal::Malformed, message });
        }
        let signal = match signal {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        };
        if let Ok(mut accepted) = self.accepted.lock() {
            *accepted.entry(["", signal]).or_default() += 1.0;
        }
        Ok(Outcome::default())
    }

    /// Counts a request the rim refused before its bytes came this far.
    pub fn refuse(&self, protocol: Protocol, reason: Refusal) {
        let protocol = if protocol == Protocol::Grpc { "grpc" } else { "http" };
        let reason = match reason {
            Refusal::TooLarge => "too_large",
            Refusal::Malformed => "malformed",
            Refusal::Encoding => "encoding",
            Refusal::MediaType => "media_type",
            Refusal::Overload => "overload",
            Refusal::Timeout => "timeout",
            Refusal::Auth => "auth",
        };
        if let Ok(mut refused) = self.refused.lock() {
            *refused.entry([protocol, reason]).or_default() += 1.0;
        }
    }

    /// All families at this moment, the exporter's own included, for one scrape.
    pub fn gather(&self, _now: Timestamp) -> Vec<FamilySnapshot> {
        let refused = ["protocol", "reason"];
        vec![
            family("oscar_metrics_refused_requests_total", refused, &self.refused),
            family("oscar_metrics_accepted_items_total", ["", "signal"], &self.accepted),
        ]
    }
}

fn family(
    name: &str,
    labels: [&str; 2],
    counts: &Mutex<BTreeMap<[&'static str; 2], f64>>,
) -> FamilySnapshot {
    let names: Vec<_> =
        labels.iter().filter(|l| !l.is_empty()).map(|l| LabelName::own(l)).collect();
    let row = |(values, count): (&[&'static str; 2], &f64)| {
        let values = values.iter().filter(|value| !value.is_empty()).map(|value| (*value).into());
        let labels = Arc::new(Labels(names.iter().cloned().zip(values).collect()));
        Row { labels, start: None, value: RowValue::Counter(*count, None) }
    };
    let rows = counts.lock().map(|counts| counts.iter().map(row).collect()).unwrap_or_default();
    let family = Family {
        name: MetricName::own(name),
        help: String::new(),
        unit: String::new(),
        kind: Kind::Counter,
        labels: names.clone(),
        bounds: Vec::new(),
    };
    FamilySnapshot { family: Arc::new(family), rows }
}

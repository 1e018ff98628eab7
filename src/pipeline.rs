//! The one arrow: a request's bytes through wire, derive and rules into the series, and the books kept on the way.

use crate::clock::Timestamp;
use crate::model::FamilySnapshot;
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
pub struct Pipeline {}

impl Pipeline {
    /// Takes or refuses one inflated request as a whole, and keeps the books (a refusal found here is counted here).
    pub fn ingest(
        &self,
        _protocol: Protocol,
        _signal: Signal,
        _encoding: Encoding,
        _body: &[u8],
        _now: Timestamp,
    ) -> Result<Outcome, Refused> {
        Ok(Outcome::default())
    }

    /// Counts a request the rim refused before its bytes came this far.
    pub fn refuse(&self, _protocol: Protocol, _reason: Refusal) {}

    /// All families at this moment, the exporter's own included, for one scrape.
    pub fn gather(&self, _now: Timestamp) -> Vec<FamilySnapshot> {
        Vec::new()
    }
}

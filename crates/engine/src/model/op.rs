//! What may be done to a series.

use super::amount::Amount;
use super::{Exemplar, Pseudonym};
use crate::timestamp::Timestamp;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op<'s> {
    /// A counter rises by this.
    Add(f64),
    /// A gauge becomes this, unless a newer record said otherwise.
    Set(f64),
    /// A stream's part of a sender's own gauge or up-down sum becomes this, unless a newer point said otherwise.
    Part {
        /// The stream.
        stream: u64,
        /// Its part.
        value: f64,
    },
    /// A histogram sees a value.
    Observe {
        /// What was measured.
        value: f64,
        /// For how many it stands.
        weight: f64,
    },
    /// Somebody was there.
    See {
        /// Who.
        who: Pseudonym,
        /// When it was told.
        now: Timestamp,
    },
    /// A sender's own counter, histogram or summary rises.
    Merge(&'s Addition),
}

/// What a sender's point adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    /// By how much the series rises.
    pub amount: Amount,
    /// Single measurements behind it, each with a trace.
    pub exemplars: Vec<Exemplar>,
    /// The sender changed its buckets: a series that has them as they are sent begins anew with this.
    pub anew: bool,
}

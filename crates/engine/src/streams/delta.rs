//! A stream whose points are changes: each window counts once.
//!
//! A window is told from a resend by all it says: start, end and the whole amount. Two windows that overlap are of two writers, and
//! both count; two writers whose windows are equal in everything can't be told apart, which the documentation says.

use std::collections::VecDeque;
use std::hash::Hasher;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::limits;
use crate::model::amount::Amount;

use super::point::{Folded, Reject, When};

/// What of a stream was counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Delta {
    windows: Windows,
    /// Bounds of the last histogram.
    bounds: Option<Arc<[f64]>>,
}

/// Fingerprints of the latest windows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Windows(VecDeque<u64>);

impl Delta {
    pub(super) fn fold(&mut self, when: When, amount: Amount) -> Folded {
        if self.windows.repeats(when, &amount) {
            return Folded::Rejected(Reject::Duplicate);
        }
        let Amount::Histogram(histogram) = amount else { return Folded::Add(amount) };
        let last = self.bounds.replace(histogram.shape());
        if last.is_some_and(|last| *last != *histogram.bounds()) {
            Folded::Reshape(histogram)
        } else {
            Folded::Add(Amount::Histogram(histogram))
        }
    }
}

impl Windows {
    /// Whether the same came before, among the latest ones. It has now.
    pub(super) fn repeats(&mut self, when: When, amount: &Amount) -> bool {
        // Without a time nothing tells it from others: it counts, and the next one does.
        if !when.time.is_known() {
            return false;
        }
        let mut hasher = SipHasher13::new();
        hasher.write_u64(when.start.0);
        hasher.write_u64(when.time.0);
        amount.write(&mut hasher);
        let print = hasher.finish();
        if self.0.contains(&print) {
            return true;
        }
        if self.0.is_empty() {
            self.0.reserve_exact(limits::STREAM_WINDOWS); // once, and not while a known stream goes on
        }
        if self.0.len() >= limits::STREAM_WINDOWS {
            self.0.pop_front();
        }
        self.0.push_back(print);
        false
    }
}

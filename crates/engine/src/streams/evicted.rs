//! That a stream's total was counted once, although it is remembered no more: so that it is not counted again.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::dedupe::Fingerprint;
use crate::limits;
use crate::timestamp::Timestamp;

/// Two generations of fingerprints of a stream and a start: the older one is forgotten when the younger one is full.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Evicted {
    current: HashSet<u64, foldhash::fast::RandomState>,
    previous: HashSet<u64, foldhash::fast::RandomState>,
}

impl Evicted {
    /// The total of this start was counted, and is forgotten.
    pub(super) fn remember(&mut self, identity: Fingerprint, start: Timestamp) {
        if self.current.len() >= limits::EVICTED_STREAMS {
            self.previous = std::mem::take(&mut self.current);
        }
        self.current.insert(key(identity, start));
    }

    /// Whether a total of this start was counted and forgotten. It stays here, so that what a restart finds is never too little.
    pub(super) fn recalls(&self, identity: Fingerprint, start: Timestamp) -> bool {
        let key = key(identity, start);
        self.current.contains(&key) || self.previous.contains(&key)
    }
}

/// Both are wide and hard to choose: the identity is a keyed hash.
fn key(identity: Fingerprint, start: Timestamp) -> u64 {
    identity.bits() ^ start.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

//! Everybody's last visit.

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use crate::model::Pseudonym;

use super::Quarter;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exact {
    last: HashMap<Pseudonym, Quarter, foldhash::fast::FixedState>,
    /// How many were last there in each quarter; the first is that of `first`.
    counts: std::collections::VecDeque<u32>,
    first: Quarter,
}

impl Exact {
    /// Whether it is somebody new.
    pub fn see(&mut self, who: Pseudonym, at: Quarter) -> bool {
        let Some(last) = self.last.get_mut(&who) else {
            self.last.insert(who, at);
            self.tally(at, 1);
            return true;
        };
        if at > *last {
            let before = std::mem::replace(last, at);
            self.tally(before, -1);
            self.tally(at, 1);
        }
        false
    }

    /// Forgets who was last there before a quarter.
    pub fn forget(&mut self, oldest: Quarter) {
        let mut gone = 0;
        while self.first < oldest
            && let Some(count) = self.counts.pop_front()
        {
            (self.first.0, gone) = (self.first.0 + 1, gone + count);
        }
        if gone > 0 {
            self.last.retain(|_, at| *at >= oldest);
        }
    }

    pub fn count(&self, since: Quarter) -> usize {
        let before = since.0.saturating_sub(self.first.0) as usize;
        self.counts.iter().skip(before).map(|count| *count as usize).sum()
    }

    pub fn len(&self) -> usize {
        self.last.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Pseudonym, Quarter)> {
        self.last.iter().map(|(who, at)| (*who, *at))
    }

    fn tally(&mut self, at: Quarter, by: i32) {
        if self.counts.is_empty() {
            self.first = at;
        }
        while at < self.first {
            self.counts.push_front(0);
            self.first.0 -= 1;
        }
        let place = (at.0 - self.first.0) as usize;
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(place) {
            *count = count.saturating_add_signed(by);
        }
    }
}

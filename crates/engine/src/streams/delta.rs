//! A stream whose points are changes: what was counted is a set of intervals, and each is counted once.
//!
//! Kept as the end of what was counted and the few gaps before it, so that points out of order still find their place.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::limits;
use crate::model::amount::Amount;
use crate::timestamp::Timestamp;

use super::{Folded, Interval, Reject};

/// What of a stream was counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Delta {
    /// The end of what was counted; 0: nothing yet, or nothing with a time.
    end: Timestamp,
    /// Not counted, before `end`, in order and apart.
    gaps: Vec<(Timestamp, Timestamp)>,
    /// Nothing is known of the time before.
    forgotten: Timestamp,
    /// Bounds of the last histogram.
    bounds: Option<Arc<[f64]>>,
}

impl Delta {
    pub(super) fn fold(&mut self, when: Interval, amount: Amount) -> Folded {
        match self.count(when) {
            Err(reject) => Folded::Rejected(reject),
            Ok(()) => self.add(amount),
        }
    }

    fn add(&mut self, amount: Amount) -> Folded {
        let Amount::Histogram(histogram) = amount else { return Folded::Add(amount) };
        let last = self.bounds.replace(histogram.shape());
        if last.is_some_and(|last| *last != *histogram.bounds()) {
            Folded::Reshape(histogram)
        } else {
            Folded::Add(Amount::Histogram(histogram))
        }
    }

    /// Marks the interval as counted.
    fn count(&mut self, Interval { start, time }: Interval) -> Result<(), Reject> {
        match () {
            // Without a time nothing tells it from others: it counts, and the next one does.
            () if !time.told() => Ok(()),
            () if !start.told() || start == time => self.append(time),
            () if start >= self.end => {
                self.open(start);
                self.end = time;
                Ok(())
            }
            () if time > self.end => Err(Reject::Invalid),
            () => self.fill(start, time),
        }
    }

    /// Without a start it goes on from where the last one ended.
    fn append(&mut self, time: Timestamp) -> Result<(), Reject> {
        match time.cmp(&self.end) {
            std::cmp::Ordering::Less => Err(Reject::Late),
            std::cmp::Ordering::Equal => Err(Reject::Duplicate),
            std::cmp::Ordering::Greater => {
                if !self.end.told() {
                    self.forgotten = time; // how far back the first one reaches nobody knows
                }
                self.end = time;
                Ok(())
            }
        }
    }

    fn open(&mut self, start: Timestamp) {
        if start > self.end {
            self.gaps.push((self.end, start));
            self.bound();
        }
    }

    /// An interval before the end: it fits a gap, or was counted, or both.
    fn fill(&mut self, start: Timestamp, time: Timestamp) -> Result<(), Reject> {
        if time <= self.forgotten {
            return Err(Reject::Late);
        }
        let Some(at) = self.gaps.iter().position(|gap| start < gap.1 && gap.0 < time) else {
            let known = start >= self.forgotten;
            return Err(if known { Reject::Duplicate } else { Reject::Invalid });
        };
        let gap = self.gaps.get(at).copied().unwrap_or_default();
        if start < gap.0 || gap.1 < time {
            return Err(Reject::Invalid);
        }
        let rest = [(gap.0, start), (time, gap.1)].into_iter().filter(|(from, to)| from < to);
        self.gaps.splice(at..=at, rest);
        self.bound();
        Ok(())
    }

    fn bound(&mut self) {
        if self.gaps.len() > limits::STREAM_GAPS {
            self.forgotten = self.gaps.remove(0).1;
        }
    }
}

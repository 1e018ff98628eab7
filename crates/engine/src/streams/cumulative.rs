//! A stream whose points are totals since a start.
//!
//! Each start time is a life of its own, because points of a sender and of its restarted self, or of two senders that call
//! themselves the same, may come in any order: within a life only a newer total counts, and only what it adds.

use crate::limits;
use crate::model::amount::{Amount, Change};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Context, Folded, Interval, Reject};

/// The lives of one stream, the latest to come last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cumulative {
    lives: Vec<Life>,
    /// The latest start of a life forgotten for want of room: nobody knows what was counted of those.
    forgotten: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Life {
    /// 0: not told.
    start: Timestamp,
    /// Of the newest point; its arrival when the point had no time.
    time: Timestamp,
    total: Amount,
}

impl Cumulative {
    /// A stream not seen before. One that began before us, and of which a scraper may have seen more than we know, only
    /// rises from here; any other counts whole.
    pub(super) fn begin(when: Interval, total: Amount, context: Context) -> (Self, Folded) {
        let joins = context.scraped && when.start.told() && when.start < context.began;
        let folded = Folded::Add(if joins { total.emptied() } else { total.clone() });
        (Self { lives: vec![Life::new(when, total, context.now)], forgotten: None }, folded)
    }

    pub(super) fn fold(&mut self, when: Interval, total: Amount, context: Context) -> Folded {
        let Some(at) = self.life(when, &total) else {
            return self.restart(when, total, context.now);
        };
        // `at` is inside; the other answer can't be.
        let Some(tail) = self.lives.get_mut(at..) else { return Folded::Nothing };
        let folded = tail.first_mut().map(|life| life.advance(when, total, context.now));
        if !matches!(folded, Some(Folded::Rejected(_))) {
            tail.rotate_left(1);
        }
        folded.unwrap_or(Folded::Nothing)
    }

    /// The life a point belongs to; none: it begins one.
    fn life(&self, when: Interval, total: &Amount) -> Option<usize> {
        if !when.start.told() {
            // The latest to come: there is nothing else to tell by.
            return self.lives.len().checked_sub(1);
        }
        let same = self.lives.iter().position(|life| life.start == when.start);
        // A sender may begin to tell its start: the same life, if nothing contradicts it.
        let untold = || {
            let goes_on = |life: &Life| !life.start.told() && life.goes_on(when, total);
            self.lives.iter().position(goes_on)
        };
        same.or_else(untold)
    }

    /// A known stream's new life counts whole.
    fn restart(&mut self, when: Interval, total: Amount, now: Timestamp) -> Folded {
        if self.forgotten.is_some_and(|forgotten| when.start <= forgotten) {
            return Folded::Rejected(Reject::Late);
        }
        let reshaped = self.lives.last().map(|last| total.since(last.total.clone()));
        let folded = whole(&total, matches!(reshaped, Some(Change::Reshaped)));
        if self.lives.len() >= limits::STREAM_LIVES {
            let quiet = self.lives.remove(0);
            self.forgotten = self.forgotten.max(Some(quiet.start));
        }
        self.lives.push(Life::new(when, total, now));
        folded
    }
}

impl Life {
    fn new(when: Interval, total: Amount, now: Timestamp) -> Self {
        let time = if when.time.told() { when.time } else { now };
        Self { start: when.start, time, total }
    }

    fn goes_on(&self, when: Interval, total: &Amount) -> bool {
        let newer = !when.time.told() || when.time >= self.time;
        newer && when.start <= self.time && !matches!(total.since(self.total.clone()), Change::Fell)
    }

    fn advance(&mut self, when: Interval, total: Amount, now: Timestamp) -> Folded {
        // A point without a time is as new as its arrival, even when the clock was set back.
        let next = Self::new(when, total, now);
        let older = if when.time.told() { next.time < self.time } else { false };
        if older || next.time == self.time {
            let again = next.time == self.time && next.total == self.total;
            return Folded::Rejected(if again { Reject::Duplicate } else { Reject::Late });
        }
        let start = if next.start.told() { next.start } else { self.start };
        let before = std::mem::replace(self, Self { start, ..next });
        match self.total.since(before.total) {
            Change::Rise(rise) => Folded::Add(rise),
            Change::Fell => whole(&self.total, false),
            Change::Reshaped => whole(&self.total, true),
        }
    }
}

fn whole(total: &Amount, reshaped: bool) -> Folded {
    match total {
        Amount::Histogram(histogram) if reshaped => Folded::Reshape(histogram.clone()),
        total => Folded::Add(total.clone()),
    }
}

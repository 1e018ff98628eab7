//! A stream whose points are totals since a start.
//!
//! Each start is a life of its own, because points of a sender and of its restarted self, or of several senders that call themselves
//! the same, may come in any order: within a life only a higher total counts, and only what it adds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dedupe::Fingerprint;
use crate::limits;
use crate::model::amount::{Amount, Change, Relation};
use crate::timestamp::Timestamp;

use super::evicted::Evicted;
use super::point::{Context, Folded, Reject, When};

/// The lives of one stream, the latest to come last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Cumulative {
    lives: Vec<Life>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Life {
    /// 0: unknown.
    start: Timestamp,
    /// Of the newest point, in the order of the stream.
    order: Timestamp,
    arrived: Timestamp,
    total: Amount,
}

impl Cumulative {
    pub(super) fn fold(
        &mut self,
        (identity, when): (Fingerprint, When),
        total: Amount,
        context: Context,
        evicted: &mut Evicted,
    ) -> Folded {
        let Some(at) = self.life(when, &total) else {
            return self.begin((identity, when), total, context, evicted);
        };
        // `at` is inside; the other answer can't be.
        let Some(tail) = self.lives.get_mut(at..) else { return Folded::Nothing };
        let folded = tail.first_mut().map(|life| life.advance(when, total, context.now));
        if !matches!(folded, Some(Folded::Rejected(_))) {
            tail.rotate_left(1);
        }
        folded.unwrap_or(Folded::Nothing)
    }

    pub(super) fn len(&self) -> usize {
        self.lives.len()
    }

    pub(super) fn starts(&self) -> impl Iterator<Item = Timestamp> {
        self.lives.iter().map(|life| life.start)
    }

    /// Whether a point with this start belongs to a life that is there, whatever it says.
    pub(super) fn has_life(&self, start: Timestamp) -> bool {
        let fits = |life: &Life| life.start == start || !life.start.is_known();
        if start.is_known() { self.lives.iter().any(fits) } else { !self.lives.is_empty() }
    }

    /// The life a point belongs to; none: it begins one.
    fn life(&self, when: When, total: &Amount) -> Option<usize> {
        if !when.start.is_known() {
            // The latest to come: there is nothing else to tell by.
            return self.lives.len().checked_sub(1);
        }
        let same = self.lives.iter().position(|life| life.start == when.start);
        // A sender may begin to tell its start: the same life, if nothing contradicts it.
        let untold = || {
            let goes_on = |life: &Life| !life.start.is_known() && life.goes_on(when, total);
            self.lives.iter().position(goes_on)
        };
        same.or_else(untold)
    }

    /// A new life counts whole, unless more of it was counted than is remembered: by us before it was forgotten, or by a scraper
    /// before we began.
    fn begin(
        &mut self,
        (identity, when): (Fingerprint, When),
        total: Amount,
        context: Context,
        evicted: &mut Evicted,
    ) -> Folded {
        if self.lives.len() >= limits::STREAM_LIVES && !self.end_silent(identity, context, evicted)
        {
            return Folded::Rejected(Reject::StartLimit);
        }
        let first = self.lives.is_empty();
        let began_before = when.start.is_known() && when.start < context.began;
        let joins =
            (first && context.scraped && began_before) || evicted.recalls(identity, when.start);
        let reshaped = self.lives.last().is_some_and(|last| total.is_reshaped(&last.total));
        let folded = if joins { Folded::Join(total.emptied()) } else { whole(&total, reshaped) };
        let (start, order, arrived) = (when.start, when.order, context.now);
        self.lives.push(Life { start, order, arrived, total });
        folded
    }

    /// Forgets the life that was silent for longest; false: all of them live.
    fn end_silent(
        &mut self,
        identity: Fingerprint,
        context: Context,
        evicted: &mut Evicted,
    ) -> bool {
        let Some(at) = self.silent(context.now, context.silence) else { return false };
        let quiet = self.lives.remove(at);
        evicted.remember(identity, quiet.start);
        true
    }

    fn silent(&self, now: Timestamp, silence: Duration) -> Option<usize> {
        let lives = self.lives.iter().enumerate();
        let (at, life) = lives.min_by_key(|(_, life)| life.arrived)?;
        (now.since(life.arrived) > silence).then_some(at)
    }
}

impl Life {
    fn goes_on(&self, when: When, total: &Amount) -> bool {
        let fell = matches!(total.relation(&self.total), Relation::Fell | Relation::Reshaped);
        when.order >= self.order && when.start <= self.order && !fell
    }

    /// A higher total is news whatever the clock says. What is not higher is news only when it is newer: the sender counts anew
    /// then, or says again what it said.
    fn advance(&mut self, when: When, total: Amount, now: Timestamp) -> Folded {
        let is_newer = !when.time.is_known() || when.order > self.order;
        if !is_newer {
            match total.relation(&self.total) {
                Relation::Same => return Folded::Rejected(Reject::Duplicate),
                Relation::Fell | Relation::Reshaped => return Folded::Rejected(Reject::Late),
                Relation::Rose => {}
            }
        }
        if when.start.is_known() {
            self.start = when.start;
        }
        (self.order, self.arrived) = (self.order.max(when.order), now);
        let before = std::mem::replace(&mut self.total, total);
        match self.total.since(before) {
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

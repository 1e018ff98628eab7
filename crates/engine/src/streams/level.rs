//! Streams of levels: gauges, of which the newest value counts, and cumulative up-down sums, whose starts add up.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::timestamp::Timestamp;

use super::point::{Context, Folded, Reject, When};

/// The levels of the processes that write one up-down sum under one identity, by their starts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Levels {
    lives: Vec<Life>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Life {
    /// 0: unknown.
    start: Timestamp,
    order: Timestamp,
    arrived: Timestamp,
    value: f64,
}

impl Life {
    /// Its start, or its newest point where the sender's clock puts the start after that.
    fn began(&self) -> Timestamp {
        self.start.min(self.order)
    }
}

impl Levels {
    pub(super) fn fold(&mut self, when: When, value: f64, context: Context) -> Folded {
        let (start, order, arrived) = (when.start, when.order, context.now);
        match self.position(start) {
            Some(at) => {
                let Some(life) = self.lives.get_mut(at) else { return Folded::Nothing };
                life.arrived = arrived;
                if order >= life.order {
                    (life.order, life.value) = (order, value);
                }
            }
            // A point from before another process began may be the last word of one that has ended.
            None if self.lives.iter().any(|life| start < life.began() && order < life.began()) => {}
            None => {
                // A process that began after another one's last word has taken its place.
                let began = start.min(order);
                let ended = |life: &Life| life.began() < began && life.order < began;
                self.lives.retain(|life| !ended(life));
                if self.lives.len() >= limits::STREAM_LIVES && !self.end_longest_silent(context) {
                    return Folded::Rejected(Reject::StartLimit);
                }
                self.lives.push(Life { start, order, arrived, value });
            }
        }
        // Those that fell silent while nobody of them spoke.
        self.lives.retain(|life| context.now.since(life.arrived) <= context.silence);
        match self.lives.is_empty() {
            true => Folded::Nothing,
            false => Folded::Level { value: self.sum(), time: order, conflict: false },
        }
    }

    /// The level of all of them together.
    pub(super) fn sum(&self) -> f64 {
        self.lives.iter().map(|life| life.value).sum()
    }

    pub(super) fn len(&self) -> usize {
        self.lives.len()
    }

    pub(super) fn has_life(&self, start: Timestamp) -> bool {
        self.position(start).is_some()
    }

    fn position(&self, start: Timestamp) -> Option<usize> {
        match start.is_known() {
            true => self.lives.iter().position(|life| life.start == start),
            // The latest to come: there is nothing else to tell by.
            false => {
                (0..self.lives.len()).max_by_key(|at| self.lives.get(*at).map(|one| one.arrived))
            }
        }
    }

    /// Ends the lives that were silent while others spoke; whether there were any.
    pub(super) fn end_silent(&mut self, silence: Duration) -> bool {
        let latest = self.lives.iter().map(|life| life.arrived).max().unwrap_or_default();
        let before = self.lives.len();
        self.lives.retain(|life| latest.since(life.arrived) <= silence);
        self.lives.len() < before
    }

    fn end_longest_silent(&mut self, context: Context) -> bool {
        let lives = self.lives.iter().enumerate();
        let longest = lives.min_by_key(|(_, life)| life.arrived);
        let silent = |life: &Life| context.now.since(life.arrived) > context.silence;
        let Some((at, _)) = longest.filter(|(_, life)| silent(life)) else { return false };
        self.lives.remove(at);
        true
    }
}

/// Who wrote a gauge: the starts of the processes that wrote it last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Gauge {
    current: Timestamp,
    /// The one before, and when it wrote last.
    previous: (Timestamp, Timestamp),
    arrived: Timestamp,
}

impl Gauge {
    /// A process that began then writes it; whether another one does so too, and is not silent.
    pub(super) fn written(&mut self, life: Timestamp, context: Context) -> bool {
        let arrived = std::mem::replace(&mut self.arrived, context.now);
        if !life.is_known() || life == self.current {
            return false;
        }
        let (before, when) = std::mem::replace(&mut self.previous, (self.current, arrived));
        self.current = life;
        before == life && context.now.since(when) <= context.silence
    }
}

//! Who writes: when metrics of a resource came last, how often they come, and so whether it is silent.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::streams::WriterId;
use crate::timestamp::Timestamp;
use crate::translation::Target;

/// How many of its latest pauses tell a writer's export interval.
const PAUSES: usize = 5;

/// The writers that sent something lately.
#[derive(Debug, Default)]
pub(crate) struct Writers {
    known: HashMap<WriterId, Writer, foldhash::fast::RandomState>,
}

/// One resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Writer {
    pub(crate) target: Target,
    /// When metrics of it arrived last.
    pub(crate) last: Timestamp,
    /// The latest pauses between two exports, the oldest first, and how many there are.
    pauses: [Duration; PAUSES],
    paused: usize,
    /// Whether what it shows was ended because it is silent.
    pub(crate) ended: bool,
}

/// Writers as they are kept over a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptWriters(Vec<(WriterId, Writer)>);

impl Writers {
    /// Metrics of a resource arrived.
    pub(crate) fn seen(&mut self, id: WriterId, target: &Target, now: Timestamp) {
        if let Some(writer) = self.known.get_mut(&id) {
            let pause = now.since(writer.last);
            // What comes in one export may come in several requests.
            if pause >= limits::ONE_EXPORT {
                writer.pause(pause);
            }
            (writer.last, writer.ended) = (now, false);
            return;
        }
        if self.known.len() >= limits::WRITERS {
            self.forget_oldest();
        }
        let (target, pauses) = (target.clone(), Default::default());
        let writer = Writer { target, last: now, pauses, paused: 0, ended: false };
        self.known.insert(id, writer);
    }

    /// After how long without a word a writer is silent; `stale` none: never.
    pub(crate) fn silence(&self, id: WriterId, stale: Option<Duration>) -> Duration {
        let Some(stale) = stale else { return Duration::MAX };
        self.known.get(&id).map_or(stale, |writer| writer.silence(stale))
    }

    /// Whether a writer is silent. One that is not known any more was silent for longer than anything is remembered.
    pub(crate) fn is_silent(&self, id: WriterId, stale: Option<Duration>, now: Timestamp) -> bool {
        let Some(stale) = stale else { return false };
        self.known.get(&id).is_none_or(|writer| now.since(writer.last) > writer.silence(stale))
    }

    /// Whether a target has a writer that is not silent.
    pub(crate) fn has_living(&self, target: &Target, stale: Duration, now: Timestamp) -> bool {
        let mut of_target = self.known.values().filter(|writer| writer.target == *target);
        of_target.any(|writer| now.since(writer.last) <= writer.silence(stale))
    }

    /// The writers that have fallen silent since this was asked last.
    pub(crate) fn fallen_silent(
        &mut self,
        stale: Duration,
        now: Timestamp,
    ) -> Vec<(WriterId, Target)> {
        let silent = self
            .known
            .iter_mut()
            .filter(|(_, writer)| !writer.ended && now.since(writer.last) > writer.silence(stale));
        silent
            .map(|(id, writer)| {
                writer.ended = true;
                (*id, writer.target.clone())
            })
            .collect()
    }

    /// Forgets those of which nothing came for so long.
    pub(crate) fn expire(&mut self, now: Timestamp, idle: Duration) {
        self.known.retain(|_, writer| now.since(writer.last) < idle);
    }

    /// The writers that are known.
    pub(crate) fn all(&self) -> Vec<WriterId> {
        self.known.keys().copied().collect()
    }

    /// Copies those of these that are still known.
    pub(crate) fn keep(&self, some: &[WriterId], kept: &mut KeptWriters) {
        let some = some.iter().filter_map(|id| Some((*id, self.known.get(id)?.clone())));
        kept.0.extend(some);
    }

    pub(crate) fn restore(&mut self, kept: KeptWriters) {
        self.known.extend(kept.0);
    }

    /// Makes room, for many at once: to look for the oldest takes as long as there are writers.
    fn forget_oldest(&mut self) {
        let mut lasts: Vec<Timestamp> = self.known.values().map(|writer| writer.last).collect();
        let (_, deadline, _) = lasts.select_nth_unstable(limits::WRITERS / 16);
        let deadline = *deadline;
        self.known.retain(|_, writer| writer.last > deadline);
    }
}

impl Writer {
    /// The longer of `stale` and three of its own export intervals. The interval is the median of its pauses, so that a night without
    /// a word does not make tomorrow's silence longer.
    fn silence(&self, stale: Duration) -> Duration {
        let mut pauses = self.pauses;
        let paused = pauses.get_mut(..self.paused).unwrap_or_default();
        paused.sort_unstable();
        let median = paused.get(paused.len() / 2).copied().unwrap_or_default();
        stale.max(median.saturating_mul(limits::STALE_INTERVALS))
    }

    fn pause(&mut self, pause: Duration) {
        if self.paused >= PAUSES {
            self.pauses.rotate_left(1);
            self.paused = PAUSES - 1;
        }
        if let Some(slot) = self.pauses.get_mut(self.paused) {
            *slot = pause;
            self.paused += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn a_writer_is_silent_after_three_of_its_own_intervals() {
        let stale = Some(Duration::from_secs(300));
        let target = Target { job: "bot".into(), instance: "".into() };
        let mut writers = Writers::default();
        let silent =
            |writers: &Writers, minute| writers.is_silent(1, stale, Timestamp(minute * MINUTE));
        writers.seen(1, &target, Timestamp(MINUTE));
        assert!(!silent(&writers, 6) && silent(&writers, 7));
        for minute in [1, 2, 3, 4] {
            writers.seen(1, &target, Timestamp(minute * MINUTE));
        }
        assert!(!silent(&writers, 9) && silent(&writers, 10), "its interval is a minute");
        writers.seen(1, &target, Timestamp(600 * MINUTE));
        assert!(silent(&writers, 606), "a night without a word is no interval");
        for minute in [610, 620, 630] {
            writers.seen(1, &target, Timestamp(minute * MINUTE));
        }
        assert!(!silent(&writers, 660) && silent(&writers, 661), "its interval is ten minutes");
        assert!(!writers.is_silent(1, None, Timestamp(9_000 * MINUTE)));
    }

    #[test]
    fn a_silence_is_reported_once_until_it_speaks_again() {
        let stale = Duration::from_secs(300);
        let target = Target { job: "bot".into(), instance: "a".into() };
        let mut writers = Writers::default();
        writers.seen(1, &target, Timestamp(MINUTE));
        assert!(writers.fallen_silent(stale, Timestamp(2 * MINUTE)).is_empty());
        assert_eq!(writers.fallen_silent(stale, Timestamp(8 * MINUTE)), [(1, target.clone())]);
        assert!(writers.fallen_silent(stale, Timestamp(9 * MINUTE)).is_empty());
        writers.seen(1, &target, Timestamp(10 * MINUTE));
        assert!(writers.has_living(&target, stale, Timestamp(11 * MINUTE)));
        writers.expire(Timestamp(99 * MINUTE), stale);
        assert!(writers.is_silent(1, Some(stale), Timestamp(99 * MINUTE)));
    }
}

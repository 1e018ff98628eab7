//! How often the inventory looks: never so often that senders could feel it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::limits;
use crate::timestamp::Timestamp;
use crate::view::Signal;

/// For each signal until when what was looked at is paid for: a record costs [`limits::INVENTORY_PACE`], and
/// [`limits::INVENTORY_BURST`] of them may be owed. Signals have pauses of their own, so that many spans hide no log record.
#[derive(Debug, Default)]
pub(super) struct Pace([AtomicU64; Signal::ALL.len()]);

impl Pace {
    /// Whether a request may be looked at now.
    #[inline]
    pub(super) fn is_due(&self, signal: Signal, now: Timestamp) -> bool {
        let paid = self.0.get(signal.index()).map_or(0, |paid| paid.load(Relaxed));
        paid <= now.0.saturating_add(most()) || owes_too_much(paid, now)
    }

    /// So many records were looked at. Only one thread at a time may say so.
    pub(super) fn spend(&self, signal: Signal, records: usize, now: Timestamp) {
        let Some(paid) = self.0.get(signal.index()) else { return };
        let before = paid.load(Relaxed);
        let begin = if owes_too_much(before, now) { now.0 } else { before.max(now.0) };
        let cost = nanos(limits::INVENTORY_PACE).saturating_mul(records as u64);
        paid.store(begin.saturating_add(cost), Relaxed);
    }
}

/// Nobody can owe so much: the clock was set back since.
fn owes_too_much(paid: u64, now: Timestamp) -> bool {
    paid > now.0.saturating_add(2 * most())
}

/// What may be owed.
fn most() -> u64 {
    nanos(limits::INVENTORY_PACE) * u64::from(limits::INVENTORY_BURST)
}

fn nanos(time: std::time::Duration) -> u64 {
    time.subsec_nanos().into()
}

// One look must not owe too much by itself, and a pause is far below a second.
const _: () = assert!(2 * limits::INVENTORY_RECORDS <= limits::INVENTORY_BURST as usize);
const _: () = assert!(limits::INVENTORY_PACE.as_secs() == 0);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_burst_is_seen_whole_and_a_stream_at_its_pace() {
        let (pace, now) = (Pace::default(), Timestamp(100 * SECOND));
        let looks = |signal, now: Timestamp| {
            let mut looks = 0;
            while pace.is_due(signal, now) && looks < 100 {
                pace.spend(signal, limits::INVENTORY_RECORDS, now);
                looks += 1;
            }
            looks
        };
        assert_eq!(looks(Signal::Traces, now), 5, "four, and the one that comes after them");
        assert_eq!(looks(Signal::Traces, now), 0);
        assert_eq!(looks(Signal::Logs, now), 5, "each signal by itself");
        let later = Timestamp(now.0 + 100 * SECOND);
        assert_eq!(looks(Signal::Traces, later), 5, "nothing is saved up beyond a burst");
        let mut all = 0;
        for tick in 0..10_000 {
            all += looks(Signal::Traces, Timestamp(later.0 + tick * SECOND / 100));
        }
        let a_second = all * limits::INVENTORY_RECORDS / 100;
        assert!((240..=260).contains(&a_second), "{a_second}");
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing() {
        let pace = Pace::default();
        pace.spend(Signal::Traces, 100, Timestamp(100 * SECOND));
        assert!(pace.is_due(Signal::Traces, Timestamp(50 * SECOND)));
        pace.spend(Signal::Traces, 4_000, Timestamp(50 * SECOND));
        assert!(!pace.is_due(Signal::Traces, Timestamp(50 * SECOND)));
    }
}

//! The budget of bytes in flight, and of the whole process: over either the answer is "come again" at once, whoever asks.
//!
//! A request holds the bytes that arrived, not those it declared. A part of the budget is kept for small requests, so that any
//! number of large ones leaves room for a bot's usual batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::live::Live;
use engine::limits;

/// The budget. Clones share it, so one is enough for all doors.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    live: Live,
    held: AtomicUsize,
    /// Whether the process is too large to take anything.
    shut: AtomicBool,
}

/// Why a request may not hold more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The budget is spent: another time there may be room.
    Overload,
    /// There would be no room if nothing else were in flight.
    TooLarge,
}

impl Admission {
    /// A budget of as many bytes as the settings in force allow.
    pub fn new(live: Live) -> Self {
        let (held, shut) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self(Arc::new(Budget { live, held, shut }))
    }

    /// A permit for nothing yet.
    pub fn permit(&self) -> Permit {
        Permit { admission: self.clone(), held: 0 }
    }

    /// Takes nothing while the process has more bytes in memory than it may have, until there is a tenth of room again. Returns
    /// whether it is shut now, when that has changed.
    pub fn measure(&self, resident: usize) -> Option<bool> {
        let most = self.0.live.get().memory;
        let was = self.0.shut.load(Ordering::Relaxed);
        let is = if was { resident > most - most / 10 } else { resident > most };
        self.0.shut.store(is, Ordering::Relaxed);
        (was != is).then_some(is)
    }

    /// Bytes in flight.
    pub fn held(&self) -> usize {
        self.0.held.load(Ordering::Relaxed)
    }
}

impl Budget {
    /// Bytes that may be in flight in all, and up to which a request that is not small may grow.
    fn most(&self) -> (usize, usize) {
        let live = self.live.get();
        let limit = live.in_flight;
        // The largest request allowed fits when nothing else is in flight.
        (limit, (limit - limit / limits::SMALL_PART).max(live.request.min(limit)))
    }
}

/// What one request holds of the budget, given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Admission,
    held: usize,
}

impl Permit {
    /// Holds at least this many bytes from now on. When that is denied it holds what it held.
    pub fn cover(&mut self, bytes: usize) -> Result<(), Denied> {
        let more = bytes.saturating_sub(self.held);
        if more == 0 {
            return Ok(());
        }
        let budget = &*self.admission.0;
        let (limit, large) = budget.most();
        let most = if bytes <= limits::SMALL_REQUEST { limit } else { large };
        if bytes > most {
            return Err(Denied::TooLarge);
        }
        if budget.shut.load(Ordering::Relaxed) {
            return Err(Denied::Overload);
        }
        let grown = |held: usize| held.checked_add(more).filter(|sum| *sum <= most);
        budget
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown)
            .map_err(|_| Denied::Overload)?;
        self.held += more;
        Ok(())
    }

    /// Bytes by which it may grow at this moment.
    pub fn room(&self) -> usize {
        let (budget, held) = (&*self.admission.0, self.admission.held());
        let (limit, large) = budget.most();
        let small = limits::SMALL_REQUEST.saturating_sub(self.held);
        let small = small.min(limit.saturating_sub(held));
        small.max(large.saturating_sub(held))
    }

    /// The bytes it may hold when nothing else is in flight.
    pub fn most(&self) -> usize {
        let (limit, large) = self.admission.0.most();
        large.max(limits::SMALL_REQUEST.min(limit))
    }

    /// The bytes by which it may grow when nothing else is in flight.
    pub fn most_more(&self) -> usize {
        self.most().saturating_sub(self.held)
    }

    /// Holds so many bytes more.
    pub fn add(&mut self, bytes: usize) -> Result<(), Denied> {
        self.cover(self.held.saturating_add(bytes))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.0.held.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::LiveSettings;

    fn admission(in_flight: usize, request: usize) -> Admission {
        let memory = 1000;
        Admission::new(Live::new(LiveSettings { memory, in_flight, request, ..Default::default() }))
    }

    #[test]
    fn permits_share_one_budget_and_give_it_back() {
        let admission = admission(100, 50);
        let (mut one, mut two) = (admission.permit(), admission.permit());
        assert_eq!(one.cover(60), Ok(()));
        assert_eq!(one.cover(10), Ok(()), "covered already");
        assert_eq!(two.cover(41), Err(Denied::Overload));
        assert_eq!(two.add(40), Ok(()));
        assert_eq!((two.room(), admission.held()), (0, 100));
        drop(one);
        assert_eq!(two.room(), 60);
        assert_eq!(two.add(usize::MAX), Err(Denied::TooLarge));
        drop(two);
        assert_eq!(admission.held(), 0);
    }

    #[test]
    fn large_requests_leave_room_for_small_ones() {
        const SMALL: usize = limits::SMALL_REQUEST;
        let admission = admission(80 * SMALL, 8 * SMALL);
        let (mut large, mut other) = (admission.permit(), admission.permit());
        assert_eq!(large.cover(70 * SMALL), Ok(()));
        assert_eq!(other.room(), SMALL);
        assert_eq!(other.cover(SMALL + 1), Err(Denied::Overload));
        let mut small: Vec<_> = (0..10).map(|_| admission.permit()).collect();
        assert!(small.iter_mut().all(|permit| permit.cover(SMALL) == Ok(())));
        assert_eq!(other.cover(1), Err(Denied::Overload));
        drop(small);
        assert_eq!(other.cover(SMALL), Ok(()));
        assert_eq!(other.add(1), Err(Denied::Overload), "it is no longer small");
    }

    #[test]
    fn the_largest_request_fits_alone() {
        const SMALL: usize = limits::SMALL_REQUEST;
        let admission = admission(8 * SMALL, 8 * SMALL);
        assert_eq!(admission.permit().cover(8 * SMALL), Ok(()));
        assert_eq!(admission.permit().cover(8 * SMALL + 1), Err(Denied::TooLarge));
    }

    #[test]
    fn a_reload_changes_the_budget() {
        let admission = admission(100, 50);
        let mut permit = admission.permit();
        assert_eq!(permit.cover(101), Err(Denied::TooLarge));
        admission.0.live.change(|live| (live.in_flight, live.memory) = (200, 10));
        assert_eq!(permit.cover(101), Ok(()));
        assert_eq!(admission.measure(11), Some(true));
    }

    #[test]
    fn a_process_that_is_too_large_takes_nothing_until_there_is_room() {
        let admission = admission(100, 50);
        let mut permit = admission.permit();
        assert_eq!(permit.cover(10), Ok(()));
        assert_eq!(admission.measure(1000), None);
        assert_eq!(admission.measure(1001), Some(true));
        assert_eq!(
            (permit.cover(5), permit.cover(11)),
            (Ok(()), Err(Denied::Overload)),
            "what is held is held"
        );
        assert_eq!(admission.measure(901), None);
        assert_eq!(permit.add(1), Err(Denied::Overload));
        assert_eq!(admission.measure(900), Some(false));
        assert_eq!(permit.add(1), Ok(()));
    }
}

//! The budget of bytes in flight, and of the whole process: over either the answer is "come again" at once, whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The budget. Clones share it, so one is enough for all doors.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    limit: usize,
    held: AtomicUsize,
    /// Whether the process is too large to take anything.
    shut: AtomicBool,
}

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overload;

impl Admission {
    /// A budget of this many bytes.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Budget { limit, held: AtomicUsize::new(0), shut: AtomicBool::new(false) }))
    }

    /// A permit for nothing yet.
    pub fn permit(&self) -> Permit {
        Permit { admission: self.clone(), held: 0 }
    }

    /// Bytes nobody holds at this moment.
    pub fn room(&self) -> usize {
        self.0.limit.saturating_sub(self.held())
    }

    /// Told what the process has in memory, and what it may have: over that nothing is taken, until there is a tenth of room again.
    /// Returns whether that has changed anything, and if so whether it is shut now.
    pub fn measure(&self, resident: usize, most: usize) -> Option<bool> {
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

/// What one request holds of the budget, given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Admission,
    held: usize,
}

impl Permit {
    /// Holds at least this many bytes from now on. On an overload it holds what it held.
    pub fn cover(&mut self, bytes: usize) -> Result<(), Overload> {
        let more = bytes.saturating_sub(self.held);
        if more == 0 {
            return Ok(());
        }
        let Budget { limit, held, shut } = &*self.admission.0;
        if shut.load(Ordering::Relaxed) {
            return Err(Overload);
        }
        let grown = |held: usize| held.checked_add(more).filter(|sum| sum <= limit);
        held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).map_err(|_| Overload)?;
        self.held += more;
        Ok(())
    }

    /// Holds so many bytes more.
    pub fn add(&mut self, bytes: usize) -> Result<(), Overload> {
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

    #[test]
    fn permits_share_one_budget_and_give_it_back() {
        let admission = Admission::new(100);
        let (mut one, mut two) = (admission.permit(), admission.permit());
        assert_eq!(one.cover(60), Ok(()));
        assert_eq!(one.cover(10), Ok(()), "covered already");
        assert_eq!(two.cover(41), Err(Overload));
        assert_eq!(two.add(40), Ok(()));
        assert_eq!((admission.room(), admission.held()), (0, 100));
        drop(one);
        assert_eq!(admission.room(), 60);
        assert_eq!(two.add(usize::MAX), Err(Overload));
        drop(two);
        assert_eq!(admission.held(), 0);
    }

    #[test]
    fn a_process_that_is_too_large_takes_nothing_until_there_is_room() {
        let admission = Admission::new(100);
        let mut permit = admission.permit();
        assert_eq!(permit.cover(10), Ok(()));
        assert_eq!(admission.measure(1000, 1000), None);
        assert_eq!(admission.measure(1001, 1000), Some(true));
        assert_eq!(
            (permit.cover(5), permit.cover(11)),
            (Ok(()), Err(Overload)),
            "what is held is held"
        );
        assert_eq!(admission.measure(901, 1000), None);
        assert_eq!(permit.add(1), Err(Overload));
        assert_eq!(admission.measure(900, 1000), Some(false));
        assert_eq!(permit.add(1), Ok(()));
    }
}

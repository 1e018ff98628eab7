//! A lock that changes take first: whoever only looks waits until nobody changes or wants to.
//!
//! In a fair lock a scrape that sleeps may be next in turn, and a change waits until the system has a core for the scrape. On a busy
//! machine that is milliseconds.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use crate::limits;

/// What the lock guards.
#[derive(Debug, Default)]
pub(super) struct Guarded<T> {
    held: Mutex<T>,
    /// How many changes wait.
    waiting: AtomicUsize,
}

impl<T> Guarded<T> {
    pub(super) fn new(held: T) -> Self {
        Self { held: Mutex::new(held), waiting: AtomicUsize::new(0) }
    }

    /// For a change: it waits for one look at most.
    ///
    /// A poisoned lock means a panic in the middle of one change; the numbers are whole, each change is one assignment.
    pub(super) fn change(&self) -> MutexGuard<'_, T> {
        self.free().unwrap_or_else(|| {
            self.waiting.fetch_add(1, Relaxed);
            let guard = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            self.waiting.fetch_sub(1, Relaxed);
            guard
        })
    }

    /// For a short look, at a few series at most. After some patience it waits as a change does, so that it comes to an end.
    pub(super) fn look(&self) -> MutexGuard<'_, T> {
        for _ in 0..limits::LOOKS_PATIENCE {
            if self.waiting.load(Relaxed) == 0
                && let Some(guard) = self.free()
            {
                return guard;
            }
            std::thread::yield_now();
        }
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free(&self) -> Option<MutexGuard<'_, T>> {
        match self.held.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn looks_and_changes_both_come_to_an_end() {
        let guarded = Arc::new(Guarded::new(0_u32));
        let change = guarded.clone();
        let changes = std::thread::spawn(move || (0..10_000).for_each(|_| *change.change() += 1));
        let seen = (0..1_000).map(|_| *guarded.look()).collect::<Vec<_>>();
        assert!(seen.is_sorted());
        changes.join().unwrap();
        assert_eq!((*guarded.look(), guarded.waiting.load(Relaxed)), (10_000, 0));
    }

    #[test]
    fn a_look_gives_way_to_a_change_that_waits_and_not_for_ever() {
        let guarded = Guarded::new(());
        guarded.waiting.store(1, Relaxed);
        drop(guarded.look());
    }
}

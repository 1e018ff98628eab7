//! What arrives: names of records, their attributes and how many values those have, which rules take them, and what labels cost.
//!
//! A request that was taken may be walked a second time, by a visitor that only notes. So serving pays one look at a number for
//! each request; at a bot's usual rate everything is noted, and under load a sample is (see `pace`). Of values nothing is kept but
//! keyed fingerprints, so that this room can't tell what it never knew.

mod census;
mod cost;
mod observer;
mod pace;
mod tell;
pub mod told;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, TryLockError};

use crate::dedupe::Keys;
use crate::limits;
use crate::timestamp::Timestamp;
use crate::view::Signal;
use crate::wire;

use crate::counters::Counters;
use crate::runtime::Engine;
use census::Census;
use observer::{Observer, Room};
use pace::Pace;

/// The inventory of a pipeline.
pub(super) struct Inventory {
    pace: Pace,
    state: Mutex<State>,
}

struct State {
    census: Census,
    room: Room,
    /// Items looked at, by signal.
    seen: [u64; Signal::ALL.len()],
    walks: usize,
    since: Timestamp,
    /// Which rules took or left the records, and since when.
    epoch: u64,
    rules_since: Timestamp,
}

impl Inventory {
    /// Nothing yet.
    pub(super) fn new(now: Timestamp) -> Self {
        let state = State {
            census: Census::default(),
            room: Room::default(),
            seen: [0; Signal::ALL.len()],
            walks: 0,
            since: now,
            epoch: 0,
            rules_since: now,
        };
        Self { pace: Pace::default(), state: Mutex::new(state) }
    }

    /// Looks at a request of so many items that was taken, if it is time to. It waits for nobody.
    #[inline]
    pub(super) fn look(
        &self,
        (engine, keys): (&Engine, &Keys),
        (signal, body, items): (Signal, &[u8], u64),
        now: Timestamp,
    ) {
        if items > 0 && self.pace.is_due(signal, now) {
            self.walk_apart((engine, keys), (signal, body, items), now);
        }
    }

    /// The request was taken already: a panic here is not its sender's. It is counted as all are, and the next look is a while off.
    #[cold]
    #[inline(never)]
    fn walk_apart(&self, on: (&Engine, &Keys), request: (Signal, &[u8], u64), now: Timestamp) {
        let walk = AssertUnwindSafe(|| self.walk(on, request, now));
        if catch_unwind(walk).is_err() {
            self.pace.spend(request.0, limits::INVENTORY_BURST as usize, now);
        }
    }

    fn walk(
        &self,
        (engine, keys): (&Engine, &Keys),
        (signal, body, items): (Signal, &[u8], u64),
        now: Timestamp,
    ) {
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            // What is there was counted up one by one.
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if engine.epoch < state.epoch {
            return; // its rules are no longer in force
        }
        state.judge_by(engine, now);
        let State { census, room, seen, walks, .. } = &mut *state;
        *walks = walks.wrapping_add(1);
        let items = (usize::try_from(items).unwrap_or(usize::MAX), *walks);
        let room = std::mem::take(room);
        let mut observer = Observer::new((engine, keys, now), census, room, items);
        // It was walked to its end before.
        let _ = match signal {
            Signal::Traces => wire::walk_traces(body, &mut observer),
            Signal::Metrics => wire::walk_metrics(body, &mut observer),
            Signal::Logs => wire::walk_logs(body, &mut observer),
        };
        let (looked, room) = observer.end();
        if let Some(seen) = seen.get_mut(signal.index()) {
            *seen += looked.items as u64;
        }
        self.pace.spend(signal, looked.records, now);
        state.room = room;
    }

    /// Everything there is to say of what arrived so far, and of what labels cost now.
    pub(super) fn tell(
        &self,
        (engine, counters): (&Engine, &Counters),
        now: Timestamp,
    ) -> told::Inventory {
        let mut told = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.judge_by(engine, now);
            tell::census(&state, engine)
        };
        told.now_timestamp_seconds = now.seconds();
        for (signal, count) in Signal::ALL.into_iter().zip(&mut told.signals) {
            let books = counters.books().read(signal);
            (count.received, count.unmatched) = (books.received, books.unmatched);
            count.rejected = books.rejected.iter().sum();
        }
        cost::tell(engine, &mut told);
        told
    }
}

impl State {
    /// What the rules before these made of records is no longer of interest.
    fn judge_by(&mut self, engine: &Engine, now: Timestamp) {
        if self.epoch != engine.epoch {
            (self.epoch, self.rules_since) = (engine.epoch, now);
            self.census.forget_rules();
        }
    }
}

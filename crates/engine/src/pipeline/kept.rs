//! What a restart finds: gathered from the modules that own it, and given back to them.
//!
//! All that is counted is one consistent cut between two requests: series, sender streams, fingerprints of duplicates and start times.
//! Whether a restart may go on from it is for the caller to decide: it may where no scrape has shown what came after the cut. Windows
//! and conversations may always be taken up, so they are copied after the cut, as they are then.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, RwLockWriteGuard, TryLockError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dedupe::{KeptRepeats, Keys};
use crate::limits;
use crate::model::{Kind, Pseudonym};
use crate::series::{KeptFamily, KeptPassed, Owner, PassedFamily};
use crate::sessions::{KeptSessions, Sessions};
use crate::streams::KeptStreams;
use crate::timestamp::Timestamp;

use crate::passthrough::{KeptTargets, KeptWriters, Senders};
use crate::runtime::Engine;
use crate::translation::Print;

use super::Pipeline;
use super::conversations;

/// What is kept of a pipeline.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// When it was copied.
    pub time: Timestamp,
    /// When the last scrape by a scraper began that was completed before the copy.
    pub scraped: Timestamp,
    /// Of the key that ids are hashed with.
    key: Option<Pseudonym>,
    families: Vec<KeptFamily>,
    sessions: KeptSessions,
    counted: Counted,
}

/// What means something only together with the series it was counted in.
#[derive(Debug, Serialize, Deserialize)]
struct Counted {
    began: Timestamp,
    /// Of the keys of all fingerprints here.
    seeds: (u64, u64),
    repeats: KeptRepeats,
    streams: KeptStreams,
    /// Of what the config says about data points.
    passing: Print,
    passed: KeptPassed,
    targets: KeptTargets,
    writers: KeptWriters,
}

/// A cut that has begun.
struct CutStart {
    engine: Arc<Engine>,
    /// The families of senders that are part of it.
    passed: Vec<Arc<PassedFamily>>,
    scraped: Timestamp,
}

/// What was taken up again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Whether counters go on where they were.
    pub counted: bool,
    /// Families whose declaration is the same.
    pub families: usize,
    /// Conversations.
    pub sessions: usize,
}

impl Pipeline {
    /// Copies what a restart is to find: one consistent cut of all that is counted, and windows and open conversations as they are
    /// after it. Requests wait while the cut begins, which takes microseconds, and then each for the copy of what it changes.
    pub fn keep(&self, now: Timestamp) -> Kept {
        let CutStart { engine, passed, scraped } = self.begin_cut();
        let families = engine.store.keep();
        let passed = KeptPassed::of(&passed);
        let streams = self.kept_streams();
        let repeats = self.kept_repeats();
        let (mut targets, mut writers) = Default::default();
        let all = self.senders().targets.all();
        in_steps(&all, |some| self.senders().targets.keep(some, &mut targets));
        let all = self.senders().writers.all();
        in_steps(&all, |some| self.senders().writers.keep(some, &mut writers));
        let counted = Counted {
            began: self.began,
            seeds: self.keys.seeds(),
            repeats,
            streams,
            passing: engine.points.print(),
            passed,
            targets,
            writers,
        };
        // After the cut: one that ended before it must not end a second time.
        let sessions = self.open_sessions(&engine);
        let key = engine.rules.key_mark();
        Kept { time: now, scraped, key, families, sessions, counted }
    }

    /// The same for a clean end: nothing may come any more. Open conversations go on after the restart, and so no longer end here.
    pub fn keep_last(&self, now: Timestamp) -> Kept {
        let kept = self.keep(now);
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) =
            Sessions::new(Duration::ZERO, 0);
        kept
    }

    /// Between two requests, so that each is in the cut as a whole or not at all.
    fn begin_cut(&self) -> CutStart {
        let _alone = self.between_changes();
        let engine = self.engine.load_full();
        engine.store.begin_cut();
        let passed = engine.passed.begin_cut();
        self.senders().streams.begin_cut();
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner).begin_cut();
        CutStart { engine, passed, scraped: Timestamp(self.scraped.load(Ordering::Relaxed)) }
    }

    /// Waits until no request changes anything. It gives way to them for a while: in a fair lock all that come wait for the slowest.
    fn between_changes(&self) -> RwLockWriteGuard<'_, ()> {
        for _ in 0..limits::CUT_PATIENCE {
            match self.changing.try_write() {
                Ok(alone) => return alone,
                Err(TryLockError::Poisoned(error)) => return error.into_inner(),
                Err(TryLockError::WouldBlock) => std::thread::sleep(limits::BETWEEN_LOCKS),
            }
        }
        self.changing.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn senders(&self) -> MutexGuard<'_, Senders> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_streams(&self) -> KeptStreams {
        let all = self.senders().streams.identities();
        in_steps(&all, |some| self.senders().streams.copy_cut(some));
        self.senders().streams.keep()
    }

    fn kept_repeats(&self) -> KeptRepeats {
        let lock = || self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        while lock().copy_cut() {
            std::thread::sleep(limits::BETWEEN_LOCKS); // requests that wait are next
        }
        lock().keep()
    }

    /// What was taken out for a clean end could not be kept: its conversations end now.
    pub fn lose(&self, kept: Kept, now: Timestamp) {
        let engine = self.engine.load_full();
        let mut sessions = conversations::sessions(&engine);
        sessions.restore(kept.sessions, &engine.words);
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) = sessions;
        self.end_conversations(now);
    }

    /// Takes up what was kept, before anything comes: what is windowed, and with `shown` all that was counted too. A series that began
    /// after that moment has been seen by no scraper, and is shown at 0 first.
    pub fn restore(&mut self, kept: Kept, shown: Option<Timestamp>, now: Timestamp) -> Restored {
        let Kept { scraped, key, families, sessions, counted, .. } = kept;
        let engine = self.engine.load_full();
        let families = engine.store.restore(families, shown, now);
        let mut open = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if key.is_some() && key == engine.rules.key_mark() {
            open.restore(sessions, &engine.words);
        }
        let sessions = open.len();
        drop(open);
        if let Some(shown) = shown {
            self.scraped.fetch_max(scraped.0, Ordering::Relaxed);
            self.go_on(counted, &engine, (shown, now));
        }
        Restored { counted: shown.is_some(), families, sessions }
    }

    /// As if there had been no restart.
    fn go_on(&mut self, rest: Counted, engine: &Engine, times: (Timestamp, Timestamp)) {
        (self.began, self.keys) = (rest.began, Keys::new(rest.seeds));
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner).restore(rest.repeats);
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        // A stream that is known adds what came since, to whatever series it has by the config of now.
        senders.streams.restore(rest.streams);
        if rest.passing == engine.points.print() {
            let owner = |kind, labels: &[(Box<str>, Box<str>)]| Owner {
                id: engine.points.owner_of(labels),
                folds: matches!(kind, Kind::Counter | Kind::Histogram),
            };
            engine.passed.restore(rest.passed, &owner, times);
            senders.targets.restore(rest.targets);
            senders.writers.restore(rest.writers);
            senders.restore_routes(engine);
        } else {
            senders.streams.unfeed_all();
        }
    }

    /// What is open now.
    fn open_sessions(&self, engine: &Engine) -> KeptSessions {
        let lock = || self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = lock().keys();
        keys.sort_unstable();
        keys.dedup();
        let mut kept = KeptSessions::default();
        in_steps(&keys, |some| lock().keep(some, &engine.words, &mut kept));
        kept
    }
}

/// A few under each lock: there may be many, and requests need the lock.
fn in_steps<K>(all: &[K], mut copy: impl FnMut(&[K])) {
    for some in all.chunks(limits::KEPT_AT_ONCE) {
        copy(some);
        std::thread::sleep(limits::BETWEEN_LOCKS); // requests that wait are next
    }
}

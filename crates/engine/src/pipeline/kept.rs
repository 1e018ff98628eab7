//! What a restart leaves: gathered from the rooms that own it, and given back to them.
//!
//! While the process serves, only what is windowed is kept: who was there lately, and open conversations. At a clean end, when
//! nothing can come any more, everything is. So what a kill leaves can never be mistaken for counters that somebody has seen
//! rise since.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::dedupe::{KeptRepeats, Keys};
use crate::limits;
use crate::model::{Kind, Pseudonym};
use crate::series::{KeptFamily, KeptPassed, Owner};
use crate::sessions::{KeptSessions, Sessions};
use crate::streams::KeptStreams;
use crate::timestamp::Timestamp;

use crate::passthrough::{KeptTargets, KeptWriters};
use crate::runtime::Engine;
use crate::translation::Print;

use super::Pipeline;
use super::conversations;

/// What is kept of a pipeline.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// When it was copied.
    pub time: Timestamp,
    /// Of the key that ids are hashed with.
    key: Option<Pseudonym>,
    families: Vec<KeptFamily>,
    sessions: KeptSessions,
    /// None: the process went on.
    counted: Option<Box<Counted>>,
}

/// What means something only as long as nothing is missing.
#[derive(Debug, Serialize, Deserialize)]
struct Counted {
    began: Timestamp,
    scraped: u64,
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
    /// Copies what a kill is to leave, a little under each lock.
    pub fn keep(&self, now: Timestamp) -> Kept {
        let engine = self.engine.load_full();
        let (key, families) = (engine.rules.key_mark(), engine.store.keep(false));
        Kept { time: now, key, families, sessions: self.open_sessions(&engine), counted: None }
    }

    /// Takes out what a clean end is to leave. Nothing may come any more: what changes later is lost, and so open conversations
    /// no longer end.
    pub fn keep_all(&self, now: Timestamp) -> Kept {
        let engine = self.engine.load_full();
        let sessions = self.open_sessions(&engine);
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) =
            Sessions::new(Duration::ZERO, 0);
        let senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = Counted {
            began: self.began,
            scraped: self.scraped.load(Ordering::Relaxed),
            seeds: self.keys.seeds(),
            repeats: self.repeats.lock().unwrap_or_else(PoisonError::into_inner).keep(),
            streams: senders.streams.keep(),
            passing: engine.points.print(),
            passed: engine.passed.keep(),
            targets: senders.targets.keep(),
            writers: senders.writers.keep(),
        };
        let (key, families) = (engine.rules.key_mark(), engine.store.keep(true));
        Kept { time: now, key, families, sessions, counted: Some(counted.into()) }
    }

    /// What was taken out for a clean end could not be kept: its conversations end now.
    pub fn lose(&self, kept: Kept, now: Timestamp) {
        let engine = self.engine.load_full();
        let mut sessions = conversations::sessions(&engine);
        sessions.restore(kept.sessions, &engine.words);
        *self.sessions.lock().unwrap_or_else(PoisonError::into_inner) = sessions;
        self.end_conversations(now);
    }

    /// Takes up what was kept, before anything comes: what is windowed, and with `counted` all else too, where it is there.
    pub fn restore(&mut self, kept: Kept, counted: bool, now: Timestamp) -> Restored {
        let Kept { key, families, sessions, counted: rest, .. } = kept;
        let rest = rest.filter(|_| counted);
        let counted = rest.is_some();
        let engine = self.engine.load_full();
        let families = engine.store.restore(families, counted, now);
        let mut open = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if key.is_some() && key == engine.rules.key_mark() {
            open.restore(sessions, &engine.words);
        }
        let sessions = open.len();
        drop(open);
        if let Some(rest) = rest {
            self.go_on(*rest, &engine);
        }
        Restored { counted, families, sessions }
    }

    /// As if there had been no restart.
    fn go_on(&mut self, rest: Counted, engine: &Engine) {
        (self.began, self.keys) = (rest.began, Keys::new(rest.seeds));
        self.scraped.fetch_max(rest.scraped, Ordering::Relaxed);
        self.repeats.lock().unwrap_or_else(PoisonError::into_inner).restore(rest.repeats);
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        // A stream that is known adds what came since, to whatever series it has by the config of now.
        senders.streams.restore(rest.streams);
        if rest.passing == engine.points.print() {
            let owner = |kind, labels: &[(Box<str>, Box<str>)]| Owner {
                id: engine.points.owner_of(labels),
                folds: matches!(kind, Kind::Counter | Kind::Histogram),
            };
            engine.passed.restore(rest.passed, &owner);
            senders.targets.restore(rest.targets);
            senders.writers.restore(rest.writers);
            senders.restore_routes(engine);
        } else {
            senders.streams.unfeed_all();
        }
    }

    /// A few under each lock: there may be many, and every request looks for those that have ended.
    fn open_sessions(&self, engine: &Engine) -> KeptSessions {
        let lock = || self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = lock().keys();
        keys.sort_unstable();
        keys.dedup();
        let mut kept = KeptSessions::default();
        for some in keys.chunks(limits::SESSIONS_AT_ONCE) {
            lock().keep(some, &engine.words, &mut kept);
            std::thread::sleep(limits::BETWEEN_LOCKS); // whoever waits is next
        }
        kept
    }
}

//! The one arrow: a request's bytes through wire, derive and rules into the series, and the books kept on the way.
//!
//! Short enough to read as the specification. A request is walked to its end first, collecting updates; only then is anything
//! outside it changed.

mod apply;
pub(crate) mod batch;
mod chunks;
pub(crate) mod commit;
mod conversations;
mod kept;
mod looped;
mod meter;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::counters::{Counters, ItemCounts, Protocol, Refusal, Rejection};
use crate::dedupe::{Keys, Repeats};
use crate::inventory::{self, Inventory};
use crate::model::FamilySnapshot;
use crate::passthrough::{self, PointBatch, Process, Senders};
use crate::runtime::Engine;
use crate::series::{FamilyCount, PassedFamily};
use crate::sessions::Sessions;
use crate::timestamp::Timestamp;
use crate::view::Signal;
use crate::wire::{self, WireError};

pub use crate::plan::Plan;
pub use crate::wire::Encoding;
pub use kept::{Kept, Restored};

use batch::Batch;

/// What became of a taken request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Items rejected for another reason than having come before: what `partial_success` tells.
    pub rejected: u64,
    /// Why, for people; empty when nothing was rejected.
    pub message: String,
    /// Whether it had items, and every one had come before.
    pub all_duplicates: bool,
}

/// What a pipeline holds at a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// How large each family is, senders' own included.
    pub series: Vec<FamilyCount>,
    /// Label sets of senders' own, those that are reserved for overflow included.
    pub senders_series: usize,
    /// How many there may be.
    pub senders_series_limit: usize,
    /// For how long back every resent span is known as such.
    pub dedupe_horizon: Duration,
}

/// A request that was refused whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The closed reason.
    pub reason: Refusal,
    /// What is wrong and where, for people.
    pub message: String,
}

/// Asked for so many bytes more before a request takes them; refused, the request is.
pub type Reserve<'r> = &'r mut dyn FnMut(usize) -> Result<(), Refused>;

impl From<WireError> for Refused {
    fn from(error: WireError) -> Self {
        let reason = match error {
            WireError::TooLarge { .. } | WireError::TooManyItems { .. } => Refusal::TooLarge,
            WireError::Malformed { .. } | WireError::Stopped => Refusal::Malformed,
        };
        Self { reason, message: error.to_string() }
    }
}

/// The arrow and all it leads to. Shared by every receiver and by the scrape.
pub struct Pipeline {
    pub(crate) engine: ArcSwap<Engine>,
    repeats: Mutex<Repeats>,
    pub(crate) senders: Mutex<Senders>,
    sessions: Mutex<Sessions>,
    /// What is known of the senders of data points, for scrapes.
    target_info: Arc<PassedFamily>,
    /// Keys of the fingerprints, new in every process.
    pub(crate) keys: Keys,
    pub(crate) counters: Arc<Counters>,
    /// What arrives, for people who wonder.
    inventory: Inventory,
    began: Timestamp,
    /// When the last scrape began all of whose values were read.
    scraped: Arc<AtomicU64>,
    expired: Mutex<Timestamp>,
    /// How many times requests and ended conversations changed series.
    changes: AtomicU64,
    /// Held by whatever changes series, senders, fingerprints and conversations, until all of its change is done.
    changing: RwLock<()>,
}

impl Pipeline {
    /// An arrow for these rules, with all declared series at 0.
    pub fn new(plan: Plan<'_>, counters: Arc<Counters>, now: Timestamp) -> Self {
        let engine = Engine::new(&plan, None, now);
        engine.declare(&counters);
        let limits = plan.limits;
        let senders = Senders::new(engine.passed.budget().clone());
        Self {
            repeats: Mutex::new(Repeats::new(limits.dedupe_window, limits.dedupe_entries)),
            target_info: senders.targets.info().clone(),
            senders: Mutex::new(senders),
            sessions: Mutex::new(conversations::sessions(&engine)),
            engine: ArcSwap::from_pointee(engine),
            keys: Keys::default(),
            counters,
            inventory: Inventory::new(now),
            began: now,
            scraped: Arc::default(),
            expired: Mutex::new(now),
            changes: AtomicU64::default(),
            changing: RwLock::default(),
        }
    }

    /// The same, with every rule asked for every record: what a property test holds against the index.
    #[doc(hidden)]
    pub fn without_index(plan: Plan<'_>, counters: Arc<Counters>, now: Timestamp) -> Self {
        let mut engine = Engine::new(&plan, None, now);
        engine.rules = engine.rules.without_index();
        Self { engine: ArcSwap::from_pointee(engine), ..Self::new(plan, counters, now) }
    }

    /// Swaps the rules in one step. Series of families that did not change live on; requests under way end by the old rules.
    pub fn reload(&self, plan: Plan<'_>, now: Timestamp) {
        let before = self.engine.load_full();
        let _change = self.change();
        let engine = Engine::new(&plan, Some(&before), now);
        engine.declare(&self.counters);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let (idle, most) =
            engine.sessions.as_ref().map_or_else(Default::default, |one| (one.idle, one.max));
        sessions.rebound(idle, most, (&before.words, &engine.words));
        drop(sessions);
        self.engine.store(Arc::new(engine));
        let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        repeats.rebound(plan.limits.dedupe_window, plan.limits.dedupe_entries);
    }

    /// When the latest scrape by a scraper began all of whose values were read; the web port sets it.
    pub fn scraped(&self) -> &Arc<AtomicU64> {
        &self.scraped
    }

    /// How many times requests and ended conversations changed series so far. Whatever reads series afterwards sees all these changes.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Something is changed until this is dropped.
    fn change(&self) -> RwLockReadGuard<'_, ()> {
        self.changing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Series were changed, and all of that change is done.
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Takes or refuses one inflated request as a whole, and keeps the books (a refusal found here is counted here).
    pub fn ingest(
        &self,
        protocol: Protocol,
        signal: Signal,
        encoding: Encoding,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Outcome, Refused> {
        self.ingest_within(protocol, (signal, encoding, body), now, &mut |_| Ok(()))
    }

    /// The same for a request that asks `reserve` for the memory it takes beside its body, before it takes it.
    pub fn ingest_within(
        &self,
        protocol: Protocol,
        request: (Signal, Encoding, &[u8]),
        now: Timestamp,
        reserve: Reserve<'_>,
    ) -> Result<Outcome, Refused> {
        let taken = self.take(request, now, reserve);
        taken.inspect_err(|refused| self.refuse(protocol, refused.reason))
    }

    fn take(
        &self,
        (signal, encoding, body): (Signal, Encoding, &[u8]),
        now: Timestamp,
        reserve: Reserve<'_>,
    ) -> Result<Outcome, Refused> {
        let engine = self.engine.load_full();
        if encoding == Encoding::Json {
            reserve(body.len())?;
        }
        let body = &*engine.protobuf(signal, encoding, body)?;
        let (counts, _change) = match self.take_whole(&engine, (signal, body), now) {
            Err(WireError::Stopped) => {
                reserve(meter::measure(signal, body, engine.limits.request)?)?;
                let change = self.change();
                (self.take_in_chunks(&engine, (signal, body), now)?, change)
            }
            taken => taken?,
        };
        self.inventory.look((&engine, &self.keys), (signal, body, counts.received), now);
        conversations::end_quiet(self, &engine, now);
        Ok(outcome(&counts))
    }

    /// Takes a request of no more than one chunk.
    fn take_whole(
        &self,
        engine: &Engine,
        (signal, body): (Signal, &[u8]),
        now: Timestamp,
    ) -> Result<(ItemCounts, RwLockReadGuard<'_, ()>), WireError> {
        let (counts, change) = match signal {
            Signal::Metrics => {
                let mut batch = PointBatch::new(engine, &self.keys, now);
                wire::walk_metrics(body, &mut batch)?;
                let change = self.change();
                (self.fold_points(engine, (batch, now)), change)
            }
            Signal::Traces | Signal::Logs => {
                let mut batch = Batch::new(engine, &self.keys, now);
                match signal {
                    Signal::Traces => wire::walk_traces(body, &mut batch)?,
                    _ => wire::walk_logs(body, &mut batch)?,
                }
                let change = self.change();
                (commit::commit(self, engine, batch, now), change)
            }
        };
        self.counters.books().post(signal, &counts, now);
        self.changed();
        Ok((counts, change))
    }

    /// Folds data points into their streams.
    fn fold_points(
        &self,
        engine: &Engine,
        (batch, now): (PointBatch<'_>, Timestamp),
    ) -> ItemCounts {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = passthrough::fold(&mut senders, (engine, self.process(now)), &batch);
        drop(senders);
        batch.end();
        counts
    }

    /// Counts a request the rim refused before its bytes came this far.
    pub fn refuse(&self, protocol: Protocol, reason: Refusal) {
        self.counters.refused(protocol, reason);
    }

    /// Ends every conversation, because the process does and no more requests come.
    pub fn end_conversations(&self, now: Timestamp) {
        let _change = self.change();
        conversations::end_all(self, &self.engine.load_full(), now);
    }

    /// What became of all requests and items so far.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// What a fold of data points needs to know of all this.
    pub(crate) fn process(&self, now: Timestamp) -> Process<'_> {
        let scraped = Timestamp(self.scraped.load(Ordering::Relaxed));
        Process { counters: &self.counters, began: self.began, scraped, now }
    }

    /// Everything there is to say of what arrived so far, and of what labels cost now.
    pub fn inventory(&self, now: Timestamp) -> inventory::told::Inventory {
        self.inventory.tell((&self.engine.load_full(), &self.counters), now)
    }

    /// All families for one scrape. Each piece is copied when it is asked for; what begins later is
    /// left for the next scrape. `show` may change how the configured ones look.
    pub fn gather<S>(
        &self,
        now: Timestamp,
        exemplars: bool,
        mut show: S,
    ) -> impl Iterator<Item = FamilySnapshot> + Send + use<S>
    where
        S: FnMut(&mut FamilySnapshot) + Send,
    {
        let engine = self.engine.load_full();
        let configured = engine.store.copies(exemplars, now).into_iter().flatten();
        let passed = engine.passed.families().into_iter().chain([self.target_info.clone()]);
        let passed = passed.flat_map(move |family| family.copies(exemplars));
        configured.chain(passed).map(move |mut piece| {
            show(&mut piece);
            piece
        })
    }

    /// What time alone does: conversations that are over, series that were idle, senders that are silent. Whoever serves calls it
    /// every second or so; most calls find that it is too early.
    pub fn tick(&self, now: Timestamp) {
        let engine = self.engine.load_full();
        let _change = self.change();
        conversations::end_quiet(self, &engine, now);
        let mut last = self.expired.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was put back is no reason to wait.
        if now >= *last && now.since(*last) < engine.expiry_interval() {
            return;
        }
        *last = now;
        drop(last);
        engine.store.expire(now, engine.limits.idle);
        // Under this lock, so that no family goes while a point is on its way to it.
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        senders.expire(&engine, now);
    }

    /// Gives back memory that is kept for requests to come.
    pub fn free_spares(&self) {
        self.engine.load().workspaces.clear();
        self.senders.lock().unwrap_or_else(PoisonError::into_inner).free_spares();
    }

    /// How large each family is, what senders' own series use of their limit, and how far back resent spans are known.
    pub fn state(&self, now: Timestamp) -> State {
        let engine = self.engine.load_full();
        let budget = engine.passed.budget();
        let repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
        State {
            series: engine.store.counts().chain(engine.passed.counts()).collect(),
            senders_series: budget.used(),
            senders_series_limit: budget.limit(),
            dedupe_horizon: repeats.horizon(now),
        }
    }
}

/// What the sender is told of a request's items.
fn outcome(counts: &ItemCounts) -> Outcome {
    let told = Rejection::ALL.into_iter().zip(counts.rejected);
    let told = told.filter(|(reason, count)| *count > 0 && *reason != Rejection::Duplicate);
    let rejected: Vec<(Rejection, u64)> = told.collect();
    let words = rejected.iter().map(|(reason, count)| format!("{count} {}", reason.as_str()));
    let words: Vec<String> = words.collect();
    let message =
        if words.is_empty() { String::new() } else { format!("rejected: {}", words.join(", ")) };
    let duplicates = counts.rejected.get(Rejection::Duplicate.index()).copied();
    Outcome {
        rejected: rejected.iter().map(|(_, count)| count).sum(),
        message,
        all_duplicates: counts.received > 0 && duplicates == Some(counts.received),
    }
}

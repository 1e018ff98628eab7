//! The arrow with a guide: a request goes the way every request goes, and each of its records is told with what became of it
//! and what the rules have to say of it.
//!
//! The request is taken first, by the code that serves. A second walk then shows each record to the rules again, to ask why, and
//! lays beside it what the first walk made.

mod guide;

use std::sync::PoisonError;

use crate::counters::{ItemCounts, Rejection};
use crate::model::Op;
use crate::rules::Subject;
use crate::rules::explain::{Account, Asked, Found};
use crate::timestamp::Timestamp;
use crate::view::Signal;
use crate::wire::{self, Encoding, WireError};

use crate::items::{self, Fate};
use crate::passthrough::{self, Brought, PointBatch};
use crate::pipeline::Pipeline;
use crate::pipeline::batch::Batch;
use crate::pipeline::commit;
use crate::runtime::Engine;

pub use crate::passthrough::Gain;

use guide::{Guide, Outcome};

/// Hears of each record, in the order in which they come.
pub type Tell<'t> = &'t mut dyn FnMut(&Told<'_, '_, '_>);

/// One record and all there is to say of it.
#[derive(Debug)]
pub struct Told<'r, 'a, 'd> {
    /// The record. Events come after their span.
    pub subject: Subject<'r, 'a>,
    /// What became of the item it is or belongs to.
    pub verdict: Verdict,
    /// What the rules have to say of it; none: they were not asked, because it is late.
    pub account: Option<Account<'d>>,
    /// What was made of it.
    pub made: Vec<Made<'r>>,
    /// `service.name` of its resource.
    pub service: Found,
    /// Of a data point.
    pub point: Option<ToldPoint>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A rule took it, or it passed.
    Accepted,
    /// Accepted, and nothing was made of it.
    Unmatched,
    /// Not used.
    Rejected(Rejection),
}

/// One rule's use of a record.
#[derive(Debug)]
pub struct Made<'r> {
    /// Index of the family, as in [`crate::rules::explain::RuleAccount::family`].
    pub family: u32,
    /// Index of the part.
    pub part: u32,
    /// Labels that are there, in the family's order.
    pub labels: Vec<(&'r str, String)>,
    /// By how much; of a data point this is [`ToldPoint::gain`].
    pub op: Op<'static>,
    /// Whether it counts.
    pub counts: Counts<'r>,
}

/// Whether a change is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts<'r> {
    /// Yes.
    Yes,
    /// A record of this class that is the same came before.
    Repeated(&'r str),
    /// The family is of another kind than the data point.
    OtherKind,
    /// Its item was rejected.
    Rejected,
}

/// What is to say of a data point beside all that.
#[derive(Debug)]
pub struct ToldPoint {
    /// Its attributes.
    pub attributes: Vec<(String, Found)>,
    /// What its series gain by it.
    pub gain: Gain,
    /// Its own series.
    pub pass: Pass,
}

/// Whether a data point passes through.
#[derive(Debug)]
pub enum Pass {
    /// The config does not let its name pass.
    No,
    /// It has no value, and leads nowhere new.
    Nowhere,
    /// As this series.
    As(String, Vec<(String, String)>),
    /// It would, but may not.
    Refused(Rejection),
}

/// One request of a file.
#[derive(Clone, Copy, Debug)]
pub struct Request<'b> {
    /// What it holds.
    pub signal: Signal,
    /// How it is written.
    pub encoding: Encoding,
    /// Its bytes.
    pub body: &'b [u8],
}

impl Pipeline {
    /// Takes a request as [`Pipeline::ingest`] does, and tells each of its records. `asked` is what the rules were made of.
    ///
    /// # Errors
    /// When the request would be refused; nothing was told then.
    pub fn explain(
        &self,
        request: Request<'_>,
        asked: Asked<'_>,
        now: Timestamp,
        tell: Tell<'_>,
    ) -> Result<(), WireError> {
        let engine = self.engine.load_full();
        let Request { signal, encoding, body } = request;
        let body = engine.protobuf(signal, encoding, body)?;
        match signal {
            Signal::Metrics => {
                let mut batch = PointBatch::unbounded(&engine, &self.keys, now);
                wire::walk_metrics(&body, &mut batch)?;
                let became = self.fold(&engine, &batch, now);
                let outcome = Outcome::Points(&batch, &became);
                wire::walk_metrics(&body, &mut Guide::new(&engine, (asked, now), outcome, tell))
            }
            Signal::Traces | Signal::Logs => {
                let mut batch = Batch::unbounded(&engine, &self.keys, now);
                match signal {
                    Signal::Traces => wire::walk_traces(&body, &mut batch)?,
                    _ => wire::walk_logs(&body, &mut batch)?,
                }
                let mut done = batch.into_work();
                commit::carry_out(self, &engine, &mut done, now);
                self.counters.books().post(signal, &commit::count(&done.items), now);
                let mut guide = Guide::new(&engine, (asked, now), Outcome::Records(&done), tell);
                match signal {
                    Signal::Traces => wire::walk_traces(&body, &mut guide),
                    _ => wire::walk_logs(&body, &mut guide),
                }
            }
        }
    }

    fn fold(
        &self,
        engine: &Engine,
        batch: &PointBatch<'_>,
        now: Timestamp,
    ) -> Vec<(Result<Fate, Rejection>, Brought)> {
        let mut all = Vec::with_capacity(batch.items.len());
        let mut counts = ItemCounts { received: batch.items.len() as u64, ..ItemCounts::default() };
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let with = (engine, self.process(now));
        passthrough::fold_each(&mut senders, with, batch, &mut |became, brought| {
            match became {
                Ok(fate) => items::count(&mut counts, fate),
                Err(reason) => counts.reject(reason),
            }
            all.push((became, brought));
        });
        drop(senders);
        self.counters.books().post(Signal::Metrics, &counts, now);
        all
    }
}

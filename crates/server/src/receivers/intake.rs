//! What both doors do with a request: read it, inflate it, hand it over; each within its bound and all within one budget.

use std::error::Error;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use crate::clock;
use crate::live::Live;
use crate::net::connection::Ended;
use crate::net::{Deadlines, ListenerEvents};
use crate::self_metrics::Closing;
use engine::counters::{Protocol, Refusal};
use engine::limits;
use engine::pipeline::{Outcome, Pipeline, Refused};
use engine::view::Signal;
use engine::wire::inflate::InflateError;
use engine::wire::{Buffer, Coding, Encoding, ExportRequest};

use super::admission::{Admission, Denied, Permit};
use super::pace::{Expected, Halt, Pace};
use super::ports::Ports;
use super::refusals::{Caller, RefusalLog};

/// The way in, shared by every connection.
pub struct Intake {
    /// Where requests go.
    pub pipeline: Arc<Pipeline>,
    /// Where connections that are closed are counted and logged, by [`Protocol::index`].
    pub events: [Arc<ListenerEvents>; Protocol::COUNT],
    /// Log lines about refusals.
    pub refusals: RefusalLog,
    /// Bytes in flight.
    pub admission: Admission,
    /// Bytes of one request, and pages that may send.
    pub live: Live,
    /// The ports of OTLP, for answers to senders at the wrong one.
    pub ports: Ports,
    /// The patience there is.
    pub deadlines: Deadlines,
    /// Who else gets what was taken.
    pub taken: Taken,
}

/// Given every request that was taken, as its sender wrote it. It must not wait for anything.
pub type Taken = Arc<dyn Fn(ExportRequest) + Send + Sync>;

/// A request that did not come to an outcome.
#[derive(Debug)]
pub enum Stopped {
    /// It was refused, and the refusal is counted.
    Refused(Refused),
    /// We failed on it.
    Failed,
    /// Its sender went away: nobody waits for an answer.
    Gone,
}

/// How a request is named and written.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its peer.
    pub caller: Caller,
    /// What it carries.
    pub signal: Signal,
    /// How it is written.
    pub encoding: Encoding,
    /// How it is compressed.
    pub coding: Coding,
    /// How often instances of this program have forwarded it.
    pub hops: u8,
}

/// A body that was read, and its place in the budget.
#[derive(Debug)]
pub struct Body {
    /// As they came.
    pub bytes: Bytes,
    permit: Permit,
}

impl Intake {
    /// Counts and logs a refusal.
    pub fn refuse(&self, caller: Caller, reason: Refusal, message: impl Into<String>) -> Stopped {
        self.pipeline.refuse(caller.protocol, reason);
        self.refused(caller, Refused { reason, message: message.into() })
    }

    /// Logs a refusal that was counted before.
    fn refused(&self, caller: Caller, refused: Refused) -> Stopped {
        self.refusals.request(caller, &refused);
        Stopped::Refused(refused)
    }

    /// Counts and logs a connection that this process closed.
    pub fn closed(&self, caller: Caller, reason: Closing, why: &str) {
        if let Some(events) = self.events.get(caller.protocol.index()) {
            events.closed(reason, caller.peer, why);
        }
    }

    /// The same for one whose server has ended it, if it did.
    pub fn ended(&self, caller: Caller, ended: Ended) {
        if let Some((reason, why)) = ended {
            self.closed(caller, reason, &why);
        }
    }

    /// Reads and discards the rest of a body that was answered before its end, up to [`limits::DISCARD`], so that the sender reads
    /// the answer and not a reset.
    pub fn discard(&self, mut body: Incoming) {
        let rest = async move {
            let mut left = limits::DISCARD;
            while let Some(Ok(frame)) = body.frame().await {
                match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                    Some(less) => left = less,
                    None => break,
                }
            }
        };
        tokio::spawn(timeout(self.deadlines.body, rest));
    }

    /// Reads a body. A declared length over the limit is refused before the body is read; the budget is charged as bytes arrive.
    pub async fn read(
        &self,
        caller: Caller,
        body: &mut Incoming,
        expected: Expected,
    ) -> Result<Body, Stopped> {
        let mut permit = self.admission.permit();
        let reading = async {
            if expected.declared > expected.limit.min(permit.most()) {
                return Err(Halt::TooLarge);
            }
            if expected.declared > permit.room() {
                return Err(Halt::Overload);
            }
            collect(body, &expected, (&self.deadlines, &mut permit)).await
        };
        let (reason, message) = match reading.await {
            Ok(bytes) => return Ok(Body { bytes, permit }),
            Err(Halt::Gone) => return Err(Stopped::Gone),
            Err(Halt::TooLarge) => (Refusal::TooLarge, self.too_large()),
            Err(Halt::Overload) => (Refusal::Overload, overload()),
            Err(Halt::Broken) => (Refusal::Malformed, "the body is not framed as it says".into()),
            Err(Halt::Slow) => {
                let (window, least) = (self.deadlines.body_pace, limits::BODY_PACE.1);
                let message =
                    format!("fewer than {least} bytes of the body came within {window:?}");
                (Refusal::Timeout, message)
            }
            Err(Halt::Late(within)) => {
                (Refusal::Timeout, format!("the body did not come within {within:?}"))
            }
        };
        Err(self.refuse(caller, reason, message))
    }

    /// Inflates what was read and hands it over. It does not wait for anything, so at most one inflated body is there per thread.
    pub fn ingest(&self, request: Request, mut body: Body) -> Result<Outcome, Stopped> {
        let inflated = self.inflate((request.caller, request.coding), &mut body)?;
        let bytes = inflated.as_deref().unwrap_or(&body.bytes);
        let Request { caller, signal, encoding, coding, hops } = request;
        let (sent, permit) = (&body.bytes, &mut body.permit);
        let mut reserve = |more| permit.add(more).map_err(|denied| self.denied(denied));
        let ingest = || {
            let (protocol, now) = (caller.protocol, clock::now());
            if hops >= limits::HOPS {
                self.refusals.forward_loop(caller);
                return self.pipeline.reject_loop(protocol, signal, encoding, bytes, now);
            }
            let request = (signal, encoding, bytes);
            let outcome = self.pipeline.ingest_within(protocol, request, now, &mut reserve)?;
            // What came before was forwarded before. Without this rule a loop through a proxy that drops the hop header never ends.
            if !outcome.all_duplicates {
                let bytes = sent.clone();
                (self.taken)(ExportRequest { signal, encoding, coding, hops, bytes });
            }
            Ok(outcome)
        };
        match catch_unwind(AssertUnwindSafe(ingest)) {
            Ok(result) => result.map_err(|refused| self.refused(caller, refused)),
            Err(_) => Err(Stopped::Failed),
        }
    }

    fn inflate(
        &self,
        (caller, coding): (Caller, Coding),
        body: &mut Body,
    ) -> Result<Option<Buffer>, Stopped> {
        let (room, most) = (body.permit.room(), body.permit.most_more());
        let request = self.request();
        let Refused { reason, message } = match coding.inflate(&body.bytes, request.min(room)) {
            Ok(inflated) => match body.permit.add(inflated.as_ref().map_or(0, |out| out.len())) {
                Ok(()) => return Ok(inflated),
                Err(denied) => self.denied(denied),
            },
            Err(InflateError::TooLarge { .. }) if room < request.min(most) => {
                self.denied(Denied::Overload)
            }
            Err(InflateError::TooLarge { .. }) => self.denied(Denied::TooLarge),
            Err(InflateError::Malformed(what)) => {
                let message = format!("the body cannot be inflated: {what}");
                Refused { reason: Refusal::Malformed, message }
            }
        };
        Err(self.refuse(caller, reason, message))
    }

    /// Bytes of one request, before and after it is inflated.
    pub fn request(&self) -> usize {
        self.live.get().request
    }

    /// The refusal of a request that may not hold as much as it takes.
    fn denied(&self, denied: Denied) -> Refused {
        match denied {
            Denied::Overload => Refused { reason: Refusal::Overload, message: overload() },
            Denied::TooLarge => Refused { reason: Refusal::TooLarge, message: self.too_large() },
        }
    }

    fn too_large(&self) -> String {
        let most = self.request();
        format!("the request is larger than {most} bytes, or takes more memory than requests may")
    }
}

fn overload() -> String {
    "overloaded: the limit of bytes in flight is reached, retry later".into()
}

/// All of a body in one piece. A body that comes in one piece is not copied.
async fn collect(
    body: &mut Incoming,
    expected: &Expected,
    (deadlines, permit): (&Deadlines, &mut Permit),
) -> Result<Bytes, Halt> {
    let Expected { declared, limit, .. } = *expected;
    let mut first = Bytes::new();
    let mut joined: Option<Buffer> = None;
    let timer = pin!(sleep(Duration::ZERO));
    let mut pace = Pace::new(expected, deadlines, timer);
    let mut read = 0;
    while let Some(frame) = pace.next(body, read).await? {
        let Ok(chunk) = frame.map_err(|error| halt(&error))?.into_data() else { continue };
        read += chunk.len();
        if read > limit {
            return Err(Halt::TooLarge);
        }
        permit.cover(read)?;
        if joined.is_none() && first.is_empty() {
            expected.check_prefix(&chunk)?;
            first = chunk;
            continue;
        }
        let joined = joined.get_or_insert_with(|| {
            // Room for the declared rest, but at most for as much again as arrived: a declaration alone reserves no memory.
            let most = if declared > 0 { declared } else { limit };
            Buffer::new(most.min(2 * read), most)
        });
        if !(joined.append(&std::mem::take(&mut first)) && joined.append(&chunk)) {
            return Err(Halt::Broken);
        }
    }
    Ok(joined.map_or(first, Buffer::into_bytes))
}

/// Framing that makes no sense is the sender's fault and worth an answer; any other error means it left.
fn halt(error: &hyper::Error) -> Halt {
    use io::ErrorKind::{InvalidData, InvalidInput};
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match source.map(io::Error::kind) {
        Some(InvalidData | InvalidInput) => Halt::Broken,
        _ => Halt::Gone,
    }
}

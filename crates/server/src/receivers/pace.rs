//! The time that a body has: a deadline for all of it, and a least pace, so that a body that stalls does not hold its bytes in flight.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use tokio::time::{Instant, Sleep};

use crate::net::Deadlines;
use engine::limits;

use super::admission::Denied;

/// Why reading ended before the body did.
pub(super) enum Halt {
    TooLarge,
    Overload,
    Broken,
    Gone,
    /// It stalled.
    Slow,
    /// It was not whole within this time.
    Late(Duration),
}

impl From<Denied> for Halt {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Overload => Self::Overload,
            Denied::TooLarge => Self::TooLarge,
        }
    }
}

/// What is known of a body before it comes.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// Bytes that its sender declares; 0: it declares none.
    pub declared: usize,
    /// Bytes it may have at most.
    pub limit: usize,
    /// How long its sender waits; none: it does not say.
    pub within: Option<Duration>,
    /// Whether it begins with the length of a gRPC message.
    pub is_framed: bool,
}

/// Bytes in front of a gRPC message: whether it is compressed, and its length.
pub const PREFIX: usize = 5;

impl Expected {
    /// Refuses a message that says it is longer than it may be, before it comes.
    pub(super) fn check_prefix(&self, first: &[u8]) -> Result<(), Halt> {
        let Some(&[_, length @ ..]) = first.first_chunk::<PREFIX>().filter(|_| self.is_framed)
        else {
            return Ok(());
        };
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let fits = length.saturating_add(PREFIX) <= self.limit;
        if fits { Ok(()) } else { Err(Halt::TooLarge) }
    }
}

/// The clock of one body.
pub(super) struct Pace<'t> {
    /// How long for all of it, and when that is over.
    within: Duration,
    end: Instant,
    /// How long for [`limits::BODY_PACE`] bytes.
    window: Duration,
    /// Ends this window.
    timer: Pin<&'t mut Sleep>,
    /// Bytes that had come when this window began.
    before: usize,
}

impl<'t> Pace<'t> {
    /// It begins now. The timer is one that was never polled.
    pub(super) fn new(
        expected: &Expected,
        deadlines: &Deadlines,
        mut timer: Pin<&'t mut Sleep>,
    ) -> Self {
        let within = deadlines.body.min(expected.within.unwrap_or(Duration::MAX));
        let (now, window) = (timer.deadline(), deadlines.body_pace);
        timer.as_mut().reset(now + within.min(window));
        Self { within, end: now + within, window, timer, before: 0 }
    }

    /// The next piece of a body of which `read` bytes have come.
    pub(super) async fn next(
        &mut self,
        body: &mut Incoming,
        read: usize,
    ) -> Result<Option<hyper::Result<Frame<Bytes>>>, Halt> {
        loop {
            tokio::select! {
                biased;
                frame = body.frame() => return Ok(frame),
                () = self.timer.as_mut() => self.window_ended(read)?,
            }
        }
    }

    fn window_ended(&mut self, read: usize) -> Result<(), Halt> {
        let now = self.timer.deadline();
        if now >= self.end {
            return Err(Halt::Late(self.within));
        }
        if read.saturating_sub(self.before) < limits::BODY_PACE.1 {
            return Err(Halt::Slow);
        }
        self.before = read;
        self.timer.as_mut().reset(self.end.min(now + self.window));
        Ok(())
    }
}

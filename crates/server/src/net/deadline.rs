//! A stream that runs out of patience.
//!
//! HTTP servers wait for a first byte, or for the rest of an HTTP/2 preface, for as long as the peer likes, and so do writers
//! for a peer that stopped reading. The stream itself has these deadlines, so that no server above needs to be trusted with them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::self_metrics::Closing;
use engine::limits;

use super::protocol::PREFACE;

/// All the patience there is. The defaults are in [`limits`]; tests have less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deadlines {
    /// From accept to the [`Opening`].
    pub first_byte: Duration,
    /// For a request's head, and between two requests of a connection.
    pub head: Duration,
    /// For a whole body, and for a peer that does not read what it asked for.
    pub body: Duration,
    /// How long a body may take for the least that it must grow ([`limits::BODY_PACE`]).
    pub body_pace: Duration,
    /// Age at which a connection is asked to end.
    pub age: Duration,
    /// HTTP/2 ping interval, and how long its answer may take.
    pub keep_alive: (Duration, Duration),
    /// From the begin of a drain to its end.
    pub drain: Duration,
    /// The first and the longest wait between attempts to reach a forward target.
    pub backoff: (Duration, Duration),
    /// How long a forward target that ends may empty its queue.
    pub flush: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_byte: limits::FIRST_BYTE,
            head: limits::HEAD,
            body: limits::BODY,
            body_pace: limits::BODY_PACE.0,
            age: limits::CONNECTION_AGE,
            keep_alive: limits::KEEP_ALIVE,
            drain: limits::DRAIN,
            backoff: limits::FORWARD_BACKOFF,
            flush: limits::FORWARD_FLUSH,
        }
    }
}

/// What a new connection has to show first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// One byte.
    FirstByte,
    /// The client preface of HTTP/2 (RFC 9113, section 3.4).
    Preface,
}

impl Opening {
    fn bytes(self) -> usize {
        match self {
            Self::FirstByte => 1,
            Self::Preface => PREFACE.len(),
        }
    }
}

/// A stream with a deadline for its opening, and one for each write that does not move.
pub struct Deadlined<S> {
    stream: S,
    /// Bytes the opening still lacks, and its deadline. None: it has come.
    opening: Option<(usize, Pin<Box<Sleep>>)>,
    patience: Duration,
    /// Set while a write waits for the peer.
    stalled: Option<Pin<Box<Sleep>>>,
    late: Late,
}

/// Told when a deadline has passed, once for a connection.
pub type Late = Arc<dyn Fn(Closing) + Send + Sync>;

impl<S> Deadlined<S> {
    /// The clock of the opening starts now.
    pub fn new(stream: S, opening: Opening, deadlines: &Deadlines, late: Late) -> Self {
        let deadline = Box::pin(sleep(deadlines.first_byte));
        Self {
            stream,
            opening: Some((opening.bytes(), deadline)),
            patience: deadlines.body,
            stalled: None,
            late,
        }
    }

    /// Ends the deadline of the opening: the peer sent enough to be answered, though not what was expected.
    pub fn opened(&mut self) {
        self.opening = None;
    }

    fn late<T>(&self, closing: Closing) -> Poll<io::Result<T>> {
        (self.late)(closing);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, closing.as_str())))
    }

    /// Passes on what a write came to, unless it has been waiting for too long.
    fn written<T>(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(context));
        self.late(Closing::Stalled)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Deadlined<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let result = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some((missing, deadline)) = &mut this.opening else { return result };
        match result {
            Poll::Pending => {
                ready!(deadline.as_mut().poll(context));
                this.late(Closing::FirstByte)
            }
            Poll::Ready(read) => {
                *missing = missing.saturating_sub(buffer.filled().len() - before);
                if *missing == 0 {
                    this.opening = None;
                }
                Poll::Ready(read)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Deadlined<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(context);
        self.written(context, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(context);
        self.written(context, result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    fn quick() -> Deadlines {
        let short = Duration::from_millis(50);
        Deadlines { first_byte: short, body: short, ..Deadlines::default() }
    }

    #[tokio::test]
    async fn an_opening_that_stops_halfway_is_late() {
        let (mut peer, ours) = duplex(64);
        let mut stream = Deadlined::new(ours, Opening::Preface, &quick(), Arc::new(|_| {}));
        peer.write_all(b"PRI").await.unwrap();
        let error = stream.read_exact(&mut [0; 24]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn after_the_opening_a_reader_may_wait() {
        let (mut peer, ours) = duplex(64);
        let mut stream = Deadlined::new(ours, Opening::FirstByte, &quick(), Arc::new(|_| {}));
        peer.write_all(b"x").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            peer.write_all(b"y").await.unwrap();
        });
        assert_eq!(stream.read_u8().await.unwrap(), b'y');
    }

    #[tokio::test]
    async fn a_peer_that_stops_reading_is_given_up() {
        let (_peer, ours) = duplex(4);
        let mut stream = Deadlined::new(ours, Opening::FirstByte, &quick(), Arc::new(|_| {}));
        let error = stream.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}

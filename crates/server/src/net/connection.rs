//! The life of one connection: until it ends by itself, grows old, or the server drains.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::pin::{Pin, pin};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::rt::bounds::Http2ServerConnExec;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::sleep;

use engine::limits;

use crate::self_metrics::Closing;

use super::{Deadlines, Drain, told};

/// What hyper takes for an error of ours.
type Boxed = Box<dyn Error + Send + Sync>;

/// Why this process ended a connection before its peer did, and the details for people.
pub type Ended = Option<(Closing, String)>;

/// Serves HTTP/1 on a stream to its end.
pub async fn serve_http1<S, B>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: S,
    deadlines: &Deadlines,
    drain: &Drain,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Boxed>,
    B: Body + 'static,
    B::Error: Into<Boxed>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(deadlines.head)
        .max_header_size(limits::HEADERS as usize)
        .max_buf_size(limits::READ_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    let result = drive(connection, http1::Connection::graceful_shutdown, deadlines, drain).await;
    ended(result, Closing::Head)
}

/// Serves HTTP/2 on a stream to its end.
pub async fn serve_http2<S, B>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: S,
    deadlines: &Deadlines,
    drain: &Drain,
) -> Ended
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Boxed>,
    S::Future: 'static,
    B: Body + 'static,
    B::Error: Into<Boxed>,
    TokioExecutor: Http2ServerConnExec<S::Future, B>,
{
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS)
        .max_header_list_size(limits::HEADERS)
        .max_frame_size(limits::FRAME)
        .keep_alive_interval(deadlines.keep_alive.0)
        .keep_alive_timeout(deadlines.keep_alive.1)
        .serve_connection(TokioIo::new(stream), service);
    let result = drive(connection, http2::Connection::graceful_shutdown, deadlines, drain).await;
    ended(result, Closing::KeepAlive)
}

/// Drives a connection to its end. `end` asks it to finish the requests it has and take no more.
///
/// A connection that was asked for its age has the time of one more body; after a drain it has what the drain has.
async fn drive<C>(
    connection: C,
    end: fn(Pin<&mut C>),
    deadlines: &Deadlines,
    drain: &Drain,
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = pin!(connection);
    let grace = tokio::select! {
        // A drain is seen before the next request is, so that its answer can say that it is the last.
        biased;
        () = drain.begun() => Duration::MAX,
        result = &mut connection => return result,
        () = sleep(jittered(deadlines.age)) => deadlines.body,
    };
    end(connection.as_mut());
    tokio::select! {
        result = &mut connection => result,
        () = sleep(grace) => Ok(()),
        () = drain.over() => Ok(()),
    }
}

/// Whether this process ended the connection: after a deadline of the protocol, for a head or a ping's answer, or because the peer broke
/// its rules. A peer that left is no event.
fn ended(result: hyper::Result<()>, deadline: Closing) -> Ended {
    let error = result.err()?;
    tracing::debug!(error = &error as &dyn Error, "connection ended");
    let broken = |error: &h2::Error| error.is_go_away() && error.is_library();
    let source = error.source().and_then(|source| source.downcast_ref::<h2::Error>());
    let reason = if error.is_timeout() {
        deadline
    } else if error.is_parse() || source.is_some_and(broken) {
        Closing::Protocol
    } else {
        return None;
    };
    Some((reason, told(&error)))
}

/// Up to a tenth more or less, so that connections that began together do not end together.
fn jittered(age: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    age.mul_f64(0.9 + random as f64 / 5000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_tenth_and_differs() {
        let age = Duration::from_secs(100);
        let ages: Vec<_> = (0..50).map(|_| jittered(age)).collect();
        let near = Duration::from_secs(90)..Duration::from_secs(110);
        assert!(ages.iter().all(|age| near.contains(age)), "{ages:?}");
        assert!(ages.windows(2).any(|pair| pair[0] != pair[1]), "{ages:?}");
    }
}

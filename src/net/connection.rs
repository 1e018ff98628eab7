//! The life of one connection: until it ends by itself, grows old, or the server drains.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::sleep;

use super::{Deadlines, Drain};

/// Drives a connection to its end. `end` asks it to finish the requests it has and take no more.
///
/// Says whether a deadline of the protocol ended it: for a head, or for a ping's answer.
///
/// A connection that was asked for its age has the time of one more body; after a drain it has what the drain has.
pub async fn drive<C>(
    connection: C,
    end: fn(Pin<&mut C>),
    deadlines: &Deadlines,
    drain: &Drain,
) -> bool
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = pin!(connection);
    let grace = tokio::select! {
        // A drain is seen before the next request is, so that its answer can say that it is the last.
        biased;
        () = drain.begun() => Duration::MAX,
        result = &mut connection => return tell(result),
        () = sleep(jittered(deadlines.age)) => deadlines.body,
    };
    end(connection.as_mut());
    tokio::select! {
        result = &mut connection => tell(result),
        () = sleep(grace) => false,
        () = drain.over() => false,
    }
}

/// A peer's error is the peer's business: it is told to whoever looks closely, and counts nowhere.
fn tell(result: hyper::Result<()>) -> bool {
    result.is_err_and(|error| {
        tracing::debug!(error = &error as &dyn std::error::Error, "connection ended");
        error.is_timeout()
    })
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

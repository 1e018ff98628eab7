//! What a run of the generator came to.

use std::fmt;
use std::time::Duration;

use super::answer::Answer;

/// Counts, bytes and latencies of a run. `sent = accepted + rejected + refused + lost`.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Spans handed to the network.
    pub sent: u64,
    /// Spans of successful requests, without the rejected ones.
    pub accepted: u64,
    /// Spans rejected in partial successes.
    pub rejected: u64,
    /// Spans of refused requests.
    pub refused: u64,
    /// Spans of requests without an answer.
    pub lost: u64,
    /// Requests.
    pub requests: u64,
    /// Bytes of request bodies, compressed if so.
    pub bytes: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// From the moment a request was due to its answer.
    pub latencies: Latencies,
}

impl Report {
    /// Books a request.
    pub(super) fn book(&mut self, spans: u64, bytes: usize, answer: Answer, took: Duration) {
        self.sent += spans;
        self.requests += 1;
        self.bytes += bytes as u64;
        self.latencies.observe(took);
        match answer {
            Answer::Taken { rejected } => {
                let rejected = rejected.min(spans);
                self.rejected += rejected;
                self.accepted += spans - rejected;
            }
            Answer::Refused => self.refused += spans,
            Answer::Lost => self.lost += spans,
        }
    }

    /// Adds another worker's.
    pub(super) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.refused += other.refused;
        self.lost += other.lost;
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.latencies.add(&other.latencies);
    }

    /// Whether something was sent and all of it was accepted.
    pub const fn complete(&self) -> bool {
        self.sent > 0 && self.accepted == self.sent
    }

    /// Spans sent a second.
    pub fn rate(&self) -> f64 {
        self.sent as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |quantile| self.latencies.quantile(quantile).as_secs_f64() * 1e3;
        writeln!(f, "sent      {} spans in {} requests", self.sent, self.requests)?;
        writeln!(f, "accepted  {} spans", self.accepted)?;
        writeln!(
            f,
            "not so    {} rejected, {} refused, {} lost",
            self.rejected, self.refused, self.lost
        )?;
        writeln!(
            f,
            "rate      {:.0} spans/s, {:.1} MiB/s over {:.2} s, {} bytes",
            self.rate(),
            self.bytes as f64 / self.elapsed.as_secs_f64().max(1e-9) / 1_048_576.0,
            self.elapsed.as_secs_f64(),
            self.bytes
        )?;
        write!(
            f,
            "latency   p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, max {:.2} ms",
            ms(0.5),
            ms(0.9),
            ms(0.99),
            ms(1.0)
        )
    }
}

/// Latencies in microseconds: exact up to 63, then 32 steps an octave (3 % wide).
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

const STEPS: u64 = 32;

impl Latencies {
    fn observe(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = slot(micros);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(micros);
    }

    fn add(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// The latency that this share of requests stayed under; its upper edge.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.total as f64).ceil() as u64;
        let mut below = 0;
        for (at, count) in (0_u64..).zip(&self.counts) {
            below += count;
            if below >= rank && *count > 0 {
                return Duration::from_micros(edge(at).min(self.max));
            }
        }
        Duration::from_micros(self.max)
    }
}

fn slot(micros: u64) -> usize {
    if micros < 2 * STEPS {
        return micros as usize;
    }
    let octave = u64::from(micros.ilog2() - STEPS.ilog2());
    (octave * STEPS + (micros >> octave)) as usize
}

/// The largest value of a slot.
fn edge(at: u64) -> u64 {
    if at < 2 * STEPS {
        return at;
    }
    let octave = at / STEPS - 1;
    ((at - octave * STEPS + 1) << octave) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_edges_are_each_others_inverse() {
        let mut last = 0;
        for micros in (0..5_000).chain([1 << 20, (1 << 20) + 1, 120_000_000]) {
            let at = slot(micros);
            assert!(at >= last, "{micros}");
            last = at;
            let edge = edge(at as u64);
            assert!(edge >= micros && edge as f64 <= micros as f64 * 1.04 + 1.0, "{micros} {edge}");
            assert_eq!(slot(edge), at);
        }
    }

    #[test]
    fn quantiles_are_where_they_belong() {
        let mut latencies = Latencies::default();
        for micros in 1..=1000 {
            latencies.observe(Duration::from_micros(micros));
        }
        let micros = |share| latencies.quantile(share).as_micros();
        assert!((500..=520).contains(&micros(0.5)), "{}", micros(0.5));
        assert!((990..=1000).contains(&micros(0.99)), "{}", micros(0.99));
        assert_eq!(micros(1.0), 1000);
    }

    #[test]
    fn only_all_of_something_is_complete() {
        let mut report = Report::default();
        assert!(!report.complete());
        report.book(10, 100, Answer::Taken { rejected: 0 }, Duration::ZERO);
        assert!(report.complete());
        report.book(10, 100, Answer::Taken { rejected: 1 }, Duration::ZERO);
        assert!(!report.complete());
        assert_eq!((report.sent, report.accepted, report.rejected), (20, 19, 1));
    }
}

//! The past of the simulated bot: what it has sent, request by request, told as fast as anybody reads.
//!
//! Days and hours are those of the calendar, so that a weekend in the past is a weekend. No clock, no socket.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::draw::Dice;
use super::incident::{Script, VERSIONS};
use super::load::Encoder;
use super::model::{Model, Moment};
use super::story;
use super::truth::{self, Truth};
use engine::timestamp::Timestamp;
use engine::view::Signal;

/// A request, and when it was sent: as soon as what it tells was over.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub signal: Signal,
    /// OTLP in protobuf.
    pub bytes: Vec<u8>,
}

/// The requests of a past, in the order they were sent. It has no end of its own.
pub struct Past {
    model: Model,
    calendar: Calendar,
    script: Option<Script>,
    encoder: Encoder,
    /// The next that begins.
    next: Option<Moment>,
    /// What has begun, by the microsecond of its end and in the order it began.
    going_on: BTreeMap<(u64, u64), Moment>,
    begun: u64,
    ready: VecDeque<Sent>,
    truth: Truth,
}

/// Simulated seconds (`day`) as times and back.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    /// The Monday midnight (UTC) at simulated second 0.
    monday: Timestamp,
}

impl Calendar {
    /// The calendar of a life that begins then.
    pub fn of(begin: Timestamp) -> Self {
        const DAY_NANOS: u64 = 86_400_000_000_000;
        let day = begin.0 / DAY_NANOS;
        // The epoch was a Thursday.
        let monday = day.saturating_sub((day + 3) % 7);
        Self { monday: Timestamp(monday * DAY_NANOS) }
    }

    /// The simulated second of a time.
    pub fn seconds(self, at: Timestamp) -> f64 {
        at.since(self.monday).as_secs_f64()
    }

    /// The time of a simulated second.
    pub fn time(self, seconds: f64) -> Timestamp {
        let nanos = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_nanos();
        Timestamp(self.monday.0.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
}

impl Past {
    /// A past that began then, with something that went wrong; the same for the same seed.
    pub fn new(seed: u64, begin: Timestamp, script: Option<Script>) -> Self {
        let calendar = Calendar::of(begin);
        let from = calendar.seconds(begin);
        let mut model = Model::with(seed, from, script);
        let mut truth = Truth::new(seed, 1.0);
        truth.started_unix_seconds = begin.seconds();
        truth.incident = script.map(|script| {
            let mut books = truth::Incident::new(script, from);
            books.began_unix_seconds = Some(calendar.time(script.from).seconds());
            books.ended_unix_seconds = Some(calendar.time(script.until).seconds());
            books
        });
        Self {
            next: model.next(),
            model,
            calendar,
            script,
            encoder: Encoder::new(Dice::new(seed).bits()),
            going_on: BTreeMap::new(),
            begun: 0,
            ready: VecDeque::new(),
            truth,
        }
    }

    /// What was really done in all that was read so far.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The next request, if it was sent by then.
    pub fn next_until(&mut self, until: Timestamp) -> Option<Sent> {
        while self.ready.is_empty() {
            self.tell(self.calendar.seconds(until))?;
        }
        self.ready.pop_front().inspect(|sent| debug_assert!(sent.at <= until))
    }

    /// Tells the next that was over by then, if anything was.
    fn tell(&mut self, until: f64) -> Option<()> {
        let last = (until * 1e6) as u64;
        let over = |going_on: &BTreeMap<(u64, u64), Moment>| {
            going_on.first_key_value().map_or(u64::MAX, |((end, _), _)| *end).min(last)
        };
        while let Some(next) =
            self.next.take_if(|next| (next.at * 1e6) as u64 <= over(&self.going_on))
        {
            let end = next.at + next.what.duration();
            self.begun += 1;
            self.going_on.insert(((end * 1e6) as u64, self.begun), next);
            self.next = self.model.next();
        }
        let entry = self.going_on.first_entry().filter(|entry| entry.key().0 <= last)?;
        let moment = entry.remove();
        if !self.truth.happened(&moment) {
            return Some(());
        }
        let end = moment.at + moment.what.duration();
        let at = self.calendar.time(end);
        let version = self.script.map_or(VERSIONS.0, |script| script.version(moment.at));
        for trace in story::tell(&moment.what) {
            self.truth.told(&trace);
            let begin = self.calendar.time(moment.at).0;
            let (spans, logs) = self.encoder.encode(&trace, begin, version);
            self.ready.push_back(Sent { at, signal: Signal::Traces, bytes: spans });
            let logs = logs.map(|bytes| Sent { at, signal: Signal::Logs, bytes });
            self.ready.extend(logs);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day;

    const SECOND: u64 = 1_000_000_000;
    /// Wednesday, 2026-11-25, 12:00 UTC.
    const NOON: Timestamp = Timestamp(1_795_608_000 * SECOND);

    #[test]
    fn days_are_those_of_the_calendar() {
        let calendar = Calendar::of(NOON);
        assert_eq!(calendar.seconds(NOON), 2.5 * day::DAY);
        assert_eq!(calendar.time(2.5 * day::DAY), NOON);
        assert!(!day::weekend(day::day(calendar.seconds(NOON))));
        let saturday = Timestamp(NOON.0 + 3 * 86_400 * SECOND);
        assert!(day::weekend(day::day(calendar.seconds(saturday))));
    }

    #[test]
    fn requests_come_in_their_order_and_are_the_truth() {
        let mut past = Past::new(3, NOON, None);
        let (mut last, mut requests) = (NOON, 0);
        for hour in 1..=24 {
            let until = Timestamp(NOON.0 + hour * 3600 * SECOND);
            while let Some(sent) = past.next_until(until) {
                assert!(last <= sent.at && sent.at <= until);
                (last, requests) = (sent.at, requests + 1);
            }
        }
        let truth = past.truth();
        assert!((150..320).contains(&truth.interactions.total()), "{}", truth.interactions.total());
        assert!(requests > 2_500 && truth.spans.made > 5_000, "{requests}");
        let again = Past::new(3, NOON, None).next_until(last).unwrap();
        assert_eq!(again.bytes, Past::new(3, NOON, None).next_until(last).unwrap().bytes);
    }
}

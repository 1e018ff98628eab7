//! Sender streams: what each data point adds to the series it belongs to, and what is remembered to tell that.
//!
//! Many streams may feed one series, so a series holds a sum of increments and never a sender's own total. Sources: OpenTelemetry
//! specification, "Metrics Data Model" (resets and gaps, single writer) and "Prometheus and OpenMetrics Compatibility".
//!
//! | a stream of | remembers | and gives |
//! |---|---|---|
//! | cumulative counters, histograms, summaries | the last total of up to [`STREAM_LIVES`](crate::limits::STREAM_LIVES) starts | what a total rose by |
//! | deltas of these | its last [`STREAM_WINDOWS`](crate::limits::STREAM_WINDOWS) windows | each window once |
//! | cumulative up-down sums | the level of each start that lives | the sum of them |
//! | deltas of up-down sums | the level, and the last windows | the level |
//! | gauges | who wrote last | the value |
//!
//! Order is the smaller of a point's time and its arrival, so that no clock that is ahead freezes anything. This room knows no names,
//! no labels and no store; the caller says which stream a point belongs to and whose it is.

mod cumulative;
mod delta;
mod evicted;
mod level;
mod point;

use serde::{Deserialize, Serialize};
use std::time::Duration;

use hashbrown::HashMap;

use crate::cut::{Cut, Stamp, Stamped};
use crate::dedupe::Fingerprint;
use crate::model::amount::Amount;
use crate::timestamp::Timestamp;
use crate::view::Temporality;

use cumulative::Cumulative;
use delta::{Delta, Windows};
use evicted::Evicted;
use level::{Gauge, Levels};

pub use point::{Context, Folded, Measured, PointIn, Reject};

/// Who writes a stream: the hash of its resource.
pub type WriterId = u64;

/// One stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    writer: WriterId,
    /// When its latest point arrived.
    arrived: Timestamp,
    /// Whether its points go to the overflow set of its metric: once they do, they do for its life.
    folded: bool,
    /// Whether it is counted among those that feed its series.
    fed: bool,
    #[serde(skip)]
    stamp: Stamp,
    memory: Memory,
}

impl Stamped for Entry {
    fn stamp(&mut self) -> &mut Stamp {
        &mut self.stamp
    }
}

/// What is remembered of a stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Memory {
    Cumulative(Cumulative),
    Delta(Delta),
    Levels(Levels),
    DeltaLevel { windows: Windows, level: f64 },
    Gauge(Gauge),
}

/// Streams as they are kept over a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeptStreams {
    streams: Vec<(Fingerprint, Entry)>,
    evicted: Evicted,
}

/// The streams known, by what the caller says identifies them: resource, scope, metric, temporality and attributes.
#[derive(Debug)]
pub struct Streams {
    limit: usize,
    /// What they hold together, each start counted.
    size: usize,
    streams: HashMap<Fingerprint, Entry, foldhash::fast::RandomState>,
    evicted: Evicted,
    /// What is copied for a restart.
    cut: Cut<(Fingerprint, Entry)>,
}

impl Streams {
    /// Up to `limit` streams, each start of a stream counted.
    pub fn new(limit: usize) -> Self {
        let (streams, evicted, cut) = Default::default();
        Self { limit, size: 0, streams, evicted, cut }
    }

    /// Takes a point of the stream `identity`. A rejected one changes nothing but when the stream was last heard of.
    pub fn fold(
        &mut self,
        (identity, writer): (Fingerprint, WriterId),
        point: PointIn,
        context: Context,
    ) -> Folded {
        if let Err(reject) = point.check() {
            return Folded::Rejected(reject);
        }
        if !point.recorded {
            // What was counted stays remembered, and the stream goes on from there if it comes back.
            return if self.streams.contains_key(&identity) {
                Folded::End
            } else {
                Folded::Nothing
            };
        }
        let Some(entry) = self.streams.get_mut(&identity) else {
            return self.begin((identity, writer), point, context);
        };
        self.cut.copy(entry, |entry| (identity, entry.clone()));
        entry.arrived = context.now;
        let before = entry.memory.size();
        if self.size >= self.limit && entry.memory.begins_life(&point) {
            return Folded::Rejected(Reject::StreamLimit);
        }
        let folded = entry.memory.fold(identity, point, context, &mut self.evicted);
        self.size = self.size + entry.memory.size() - before;
        folded
    }

    fn begin(
        &mut self,
        (identity, writer): (Fingerprint, WriterId),
        point: PointIn,
        context: Context,
    ) -> Folded {
        if self.size >= self.limit {
            return Folded::Rejected(Reject::StreamLimit);
        }
        let mut memory = Memory::of(&point);
        let folded = memory.fold(identity, point, context, &mut self.evicted);
        if !matches!(folded, Folded::Rejected(_)) {
            self.size += memory.size();
            let (arrived, stamp) = (context.now, self.cut.stamp());
            let entry = Entry { writer, arrived, folded: false, fed: false, stamp, memory };
            self.streams.insert(identity, entry);
        }
        folded
    }

    /// Whether another stream would be refused.
    pub fn is_full(&self) -> bool {
        self.size >= self.limit
    }

    /// Whether anything is known of a stream.
    pub fn knows(&self, identity: Fingerprint) -> bool {
        self.streams.contains_key(&identity)
    }

    /// Whether the points of a stream go to the overflow set of its metric.
    pub fn is_folded(&self, identity: Fingerprint) -> bool {
        self.streams.get(&identity).is_some_and(|entry| entry.folded)
    }

    /// From now on the points of a stream go to the overflow set of its metric.
    pub fn set_folded(&mut self, identity: Fingerprint) {
        if let Some(entry) = self.change(identity) {
            entry.folded = true;
        }
    }

    /// Whether a stream is counted among those that feed its series; from now on it is as told.
    pub fn set_fed(&mut self, identity: Fingerprint, fed: bool) -> bool {
        self.change(identity).is_some_and(|entry| std::mem::replace(&mut entry.fed, fed))
    }

    /// No stream is counted any more: the series that they fed are gone.
    pub fn unfeed_all(&mut self) {
        for (identity, entry) in &mut self.streams {
            self.cut.copy(entry, |entry| (*identity, entry.clone()));
            entry.fed = false;
        }
    }

    /// A stream that is about to change.
    fn change(&mut self, identity: Fingerprint) -> Option<&mut Entry> {
        let entry = self.streams.get_mut(&identity)?;
        self.cut.copy(entry, |entry| (identity, entry.clone()));
        Some(entry)
    }

    /// Who writes a stream.
    pub fn writer(&self, identity: Fingerprint) -> Option<WriterId> {
        self.streams.get(&identity).map(|entry| entry.writer)
    }

    /// Ends the starts of up-down sums that are silent while others of their stream speak: the new levels of those streams.
    pub fn end_silent_lives(
        &mut self,
        silence: impl Fn(WriterId) -> Duration,
    ) -> Vec<(Fingerprint, f64)> {
        let mut changed = Vec::new();
        for (identity, entry) in &mut self.streams {
            let Memory::Levels(levels) = &entry.memory else { continue };
            let before = levels.len();
            if before < 2 {
                continue;
            }
            self.cut.copy(entry, |entry| (*identity, entry.clone()));
            let Memory::Levels(levels) = &mut entry.memory else { continue };
            if levels.end_silent(silence(entry.writer)) {
                self.size = self.size + levels.len() - before;
                changed.push((*identity, levels.sum()));
            }
        }
        changed
    }

    /// Forgets the streams that were idle for so long, and remembers that they were; their identities.
    pub fn expire(&mut self, now: Timestamp, idle: Duration) -> Vec<Fingerprint> {
        self.evict(|entry| now.since(entry.arrived) >= idle)
    }

    /// Forgets the streams of these writers, and remembers that they were; their identities.
    pub fn evict_writers(&mut self, gone: impl Fn(WriterId) -> bool) -> Vec<Fingerprint> {
        self.evict(|entry| gone(entry.writer))
    }

    fn evict(&mut self, goes: impl Fn(&Entry) -> bool) -> Vec<Fingerprint> {
        let Self { streams, evicted, size, cut, .. } = self;
        let mut gone = Vec::new();
        streams.retain(|identity, entry| {
            if !goes(entry) {
                return true;
            }
            cut.copy(entry, |entry| (*identity, entry.clone()));
            *size -= entry.memory.size();
            entry.memory.starts().for_each(|start| evicted.remember(*identity, start));
            gone.push(*identity);
            false
        });
        gone
    }

    /// A cut begins with all streams as they are now. What [`identities`](Self::identities) returns is then copied by
    /// [`copy_cut`](Self::copy_cut), some at a time, and [`keep`](Self::keep) returns the copies.
    pub fn begin_cut(&mut self) {
        self.cut.begin();
    }

    /// The streams that are there.
    pub fn identities(&self) -> Vec<Fingerprint> {
        self.streams.keys().copied().collect()
    }

    /// Copies some streams for the cut that has begun.
    pub fn copy_cut(&mut self, some: &[Fingerprint]) {
        for identity in some {
            if let Some(entry) = self.streams.get_mut(identity) {
                self.cut.copy(entry, |entry| (*identity, entry.clone()));
            }
        }
    }

    /// The streams of the cut, to be kept. Those that were forgotten since are remembered twice, which does no harm: what is known
    /// of a stream comes first.
    pub fn keep(&mut self) -> KeptStreams {
        KeptStreams { streams: self.cut.take(), evicted: self.evicted.clone() }
    }

    /// Takes up what was kept, as far as there is room.
    pub fn restore(&mut self, kept: KeptStreams) {
        self.evicted = kept.evicted;
        for (identity, entry) in kept.streams {
            if self.size >= self.limit {
                return;
            }
            self.size += entry.memory.size();
            self.streams.insert(identity, entry);
        }
    }

    /// How many streams are known, each start counted.
    pub fn len(&self) -> usize {
        self.size
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }
}

impl Memory {
    /// What a stream of such points remembers before its first one.
    fn of(point: &PointIn) -> Self {
        let is_delta = point.temporality == Temporality::Delta;
        match &point.measured {
            Measured::Gauge(_) => Self::Gauge(Gauge::default()),
            Measured::Sum { monotonic: false, .. } if is_delta => {
                Self::DeltaLevel { windows: Windows::default(), level: 0.0 }
            }
            Measured::Sum { monotonic: false, .. } => Self::Levels(Levels::default()),
            Measured::Summary(_) => Self::Cumulative(Cumulative::default()),
            _ if is_delta => Self::Delta(Delta::default()),
            _ => Self::Cumulative(Cumulative::default()),
        }
    }

    fn fold(
        &mut self,
        identity: Fingerprint,
        point: PointIn,
        context: Context,
        evicted: &mut Evicted,
    ) -> Folded {
        let when = point.when(context.now);
        match (self, point.measured) {
            (Self::Gauge(gauge), Measured::Gauge(value)) => {
                let conflict = gauge.written(point.life, context);
                Folded::Level { value, time: when.order, conflict }
            }
            (Self::Levels(levels), Measured::Sum { value, .. }) => {
                levels.fold(when, value, context)
            }
            (Self::DeltaLevel { windows, level }, Measured::Sum { value, .. }) => {
                if windows.repeats(when, &Amount::Number(value)) {
                    return Folded::Rejected(Reject::Duplicate);
                }
                *level += value;
                Folded::Level { value: *level, time: when.order, conflict: false }
            }
            (Self::Cumulative(stream), measured) => match measured.amount() {
                Some(total) => stream.fold((identity, when), total, context, evicted),
                None => Folded::Rejected(Reject::Invalid),
            },
            (Self::Delta(stream), measured) => match measured.amount() {
                Some(amount) => stream.fold(when, amount),
                None => Folded::Rejected(Reject::Invalid),
            },
            // The kind of a point is part of its stream's identity.
            _ => Folded::Rejected(Reject::Invalid),
        }
    }

    /// Whether a point would make it larger.
    fn begins_life(&self, point: &PointIn) -> bool {
        match self {
            Self::Cumulative(stream) => !stream.has_life(point.start),
            Self::Levels(levels) => !levels.has_life(point.start),
            _ => false,
        }
    }

    /// The starts told apart, at least one.
    fn size(&self) -> usize {
        match self {
            Self::Cumulative(stream) => stream.len().max(1),
            Self::Levels(levels) => levels.len().max(1),
            Self::Delta(_) | Self::DeltaLevel { .. } | Self::Gauge(_) => 1,
        }
    }

    /// The starts of totals, which would be counted twice if they came again.
    fn starts(&self) -> impl Iterator<Item = Timestamp> {
        let stream = match self {
            Self::Cumulative(stream) => Some(stream),
            _ => None,
        };
        stream.into_iter().flat_map(Cumulative::starts)
    }
}

#[cfg(test)]
mod tests;

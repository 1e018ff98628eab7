//! What rules make of a request: updates that name a family, label values and an operation, and nothing of the state.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use crate::limits;
use crate::model::{Op, Pseudonym, key};
use crate::timestamp::{ElapsedError, Timestamp};

use super::recycle::room;

/// A label value: text of the request, text of the config, or text made on the way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Text<'a> {
    /// No value: the series has no such label.
    #[default]
    Missing,
    /// Borrowed from the request or the rules.
    Borrowed(&'a str),
    /// A range of [`Updates`]' own text.
    Made(u32, u32),
}

/// One change of one series, not done yet.
#[derive(Clone, Debug)]
pub struct Update {
    /// Index of the family in the rule set.
    pub family: u32,
    /// Index of the shape (the part) in the family's declaration.
    pub shape: u32,
    /// The item of the request it comes from: an index the caller gave.
    pub item: u32,
    /// What must not have come before, an index into [`Updates::guards`].
    pub guard: Option<u32>,
    /// Its label values, an index into [`Updates::keys`].
    pub key: u32,
    /// By how much.
    pub op: Op<'static>,
    /// The record's time.
    pub time: Timestamp,
}

/// A record that may count only once: its class and what makes it the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guard {
    /// Index of the record class.
    pub class: u32,
    /// The item of the request it comes from.
    pub item: u32,
    /// Where the identifying text lies.
    start: u32,
    end: u32,
}

/// What a record says of a conversation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Said {
    /// It is a turn that began and ended then.
    Turn(Timestamp, Timestamp),
    /// It was good, or not.
    Liked(bool),
    /// A human took over.
    Handover,
    /// It is over.
    End,
}

/// One word on one conversation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remark {
    /// The item of the request it comes from.
    pub item: u32,
    /// What must not have come before, an index into [`Updates::guards`].
    pub guard: Option<u32>,
    /// Which conversation.
    pub key: Pseudonym,
    /// What it says.
    pub said: Said,
    /// Of a turn: how it ended, then the words to remember; an index into [`Updates::keys`].
    pub words: u32,
}

/// A rule that matched and could not use a record's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skip {
    /// Index of the family.
    pub family: u32,
    /// The item of the request it comes from.
    pub item: u32,
    /// What must not have come before, an index into [`Updates::guards`].
    pub guard: Option<u32>,
    /// Why.
    pub reason: SkipReason,
}

/// A sampling weight over the highest one that is accepted: the record counted as 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IgnoredWeight {
    /// Whose highest weight it is over.
    pub bound: WeightBound,
    /// The item of the request it comes from.
    pub item: u32,
    /// The weight.
    pub weight: f64,
}

/// The highest sampling weight that is accepted of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightBound {
    /// The weight.
    pub most: f64,
    /// Index of the record class that says so; none: it is `sampling.most`.
    pub class: Option<u32>,
}

/// Why a record's value, or its weight, could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// Not a number, or not a finite one.
    NotANumber,
    /// The scale's table has no row for it.
    NoRow,
    /// A counter cannot fall.
    Negative,
    /// No room for another gauge, and gauges are never folded.
    GaugeLimit,
    /// A sampling weight over the highest one that is accepted. The record counts as 1.
    Weight,
    /// A duration whose start or end is unknown.
    NoTime,
    /// A duration longer than [`crate::limits::DURATION`].
    TooLong,
    /// An increment larger than [`crate::limits::INCREMENT`].
    TooLarge,
}

impl SkipReason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NotANumber,
        Self::NoRow,
        Self::Negative,
        Self::GaugeLimit,
        Self::Weight,
        Self::NoTime,
        Self::TooLong,
        Self::TooLarge,
    ];

    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::NoRow => "no_row",
            Self::Negative => "negative",
            Self::GaugeLimit => "gauge_limit",
            Self::Weight => "weight",
            Self::NoTime => "no_time",
            Self::TooLong => "too_long",
            Self::TooLarge => "too_large",
        }
    }
}

impl From<ElapsedError> for SkipReason {
    fn from(error: ElapsedError) -> Self {
        match error {
            ElapsedError::Unknown => Self::NoTime,
            ElapsedError::TooLong => Self::TooLong,
        }
    }
}

/// All that the rules make of one request.
#[derive(Debug, Default)]
pub struct Updates {
    /// In the order of the records.
    pub list: Vec<Update>,
    /// In the order of the records, each reason once for a record and a metric.
    pub skips: Vec<Skip>,
    /// In the order of the records, each bound once for a record.
    pub ignored_weights: Vec<IgnoredWeight>,
    /// Guards of updates.
    pub guards: Vec<Guard>,
    /// What was said of conversations, in the order of the records.
    pub remarks: Vec<Remark>,
    /// Where in `bytes` each key lies.
    keys: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    known: Known,
    /// Text of our own making.
    made: String,
}

/// Keys that came lately, by some bits of their hash: spans of one request have few label sets, and each is written once. It
/// is only a memory: what it lacks is written again.
#[derive(Debug)]
struct Known {
    hasher: foldhash::fast::RandomState,
    keys: [u32; KNOWN],
}

const KNOWN: usize = 256;

impl Default for Known {
    fn default() -> Self {
        Self { hasher: Default::default(), keys: [u32::MAX; KNOWN] }
    }
}

impl Updates {
    /// The label sets of the updates, as [`crate::model::key`] writes them: nearly always each once, however many records and
    /// rules have it.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.keys.iter().map(|(start, end)| slice(&self.bytes, *start, *end))
    }

    /// One of them; empty when there is no such.
    #[inline]
    pub fn key(&self, key: u32) -> &[u8] {
        let place = self.keys.get(key as usize);
        place.map_or(b"", |(start, end)| slice(&self.bytes, *start, *end))
    }

    /// The text itself; empty when missing.
    #[inline]
    pub(super) fn text<'s>(&'s self, text: Text<'s>) -> &'s str {
        match text {
            Text::Missing => "",
            Text::Borrowed(text) => text,
            Text::Made(start, end) => {
                self.made.get(start as usize..end as usize).unwrap_or_default()
            }
        }
    }

    /// Whether it holds as much as may be made of one chunk of a request.
    #[inline]
    pub fn is_full(&self) -> bool {
        let Self { list, skips, ignored_weights, guards, remarks, .. } = self;
        let marks = skips.len() + ignored_weights.len() + guards.len() + remarks.len();
        list.len() + marks >= limits::CHUNK_UPDATES
            || self.bytes.len() + self.made.len() >= limits::CHUNK_TEXT
    }

    /// Bytes of its room.
    pub(super) fn room(&self) -> usize {
        let Self { list, skips, ignored_weights, guards, remarks, keys, bytes, made, .. } = self;
        let lists = room(list) + room(skips) + room(ignored_weights) + room(guards) + room(remarks);
        lists + room(keys) + room(bytes) + made.capacity()
    }

    /// What identifies a guarded record.
    pub fn identity(&self, guard: Guard) -> &[u8] {
        slice(self.made.as_bytes(), guard.start, guard.end)
    }

    /// Forgets everything and keeps the room.
    pub(super) fn clear(&mut self) {
        let Self { list, skips, ignored_weights, guards, remarks, keys, bytes, known, made } = self;
        list.clear();
        skips.clear();
        ignored_weights.clear();
        guards.clear();
        remarks.clear();
        if !keys.is_empty() {
            known.keys.fill(u32::MAX);
        }
        keys.clear();
        bytes.clear();
        made.clear();
    }

    /// Adds text of our own making.
    pub(super) fn make<'a>(&mut self, write: impl FnOnce(&mut String)) -> Text<'a> {
        let start = self.made.len();
        write(&mut self.made);
        let (start, end) = compact(start..self.made.len());
        if start == end { Text::Missing } else { Text::Made(start, end) }
    }

    /// Adds a guard whose identity is a text of our own making.
    pub(super) fn guard(&mut self, class: u32, item: u32, identity: Text<'_>) -> u32 {
        let (start, end) = match identity {
            Text::Made(start, end) => (start, end),
            Text::Missing | Text::Borrowed(_) => (0, 0),
        };
        self.guards.push(Guard { class, item, start, end });
        compact(0..self.guards.len() - 1).1
    }

    /// Adds a value to the key that is being written.
    #[inline]
    pub(super) fn push(&mut self, value: Text<'_>) {
        let value = match value {
            Text::Missing => "",
            Text::Borrowed(text) => text,
            Text::Made(start, end) => {
                self.made.get(start as usize..end as usize).unwrap_or_default()
            }
        };
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(key::END);
    }

    /// Ends the key that is being written and returns its index.
    #[inline]
    pub(super) fn close(&mut self) -> u32 {
        let start = self.keys.last().map_or(0, |(_, end)| *end as usize);
        let key = self.bytes.get(start..).unwrap_or_default();
        let mut hasher = self.known.hasher.build_hasher();
        hasher.write(key);
        let Some(known) = self.known.keys.get_mut(hasher.finish() as usize % KNOWN) else {
            return u32::MAX;
        };
        if let Some((first, last)) = self.keys.get(*known as usize)
            && slice(&self.bytes, *first, *last) == key
        {
            self.bytes.truncate(start);
            return *known;
        }
        *known = compact(0..self.keys.len()).1;
        self.keys.push(compact(start..self.bytes.len()));
        *known
    }
}

#[inline]
fn slice(bytes: &[u8], start: u32, end: u32) -> &[u8] {
    bytes.get(start as usize..end as usize).unwrap_or_default()
}

/// Requests are bounded far below 4 GiB, and so is all that comes of one; a range beyond that is empty.
fn compact(range: Range<usize>) -> (u32, u32) {
    match (u32::try_from(range.start), u32::try_from(range.end)) {
        (Ok(start), Ok(end)) => (start, end),
        _ => (0, 0),
    }
}

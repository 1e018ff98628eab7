//! What rules make of a request: updates that name a family, label values and an operation, and nothing of the state.

use std::ops::Range;

use crate::clock::Timestamp;
use crate::model::Op;

/// A label value: text of the request, text of the config, or text made on the way.
#[derive(Clone, Copy, Debug, Default)]
pub enum Text<'a> {
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
    /// Where its label values lie in [`Updates`]; one for each label of the family.
    pub(super) labels: u32,
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
    /// Where the identifying text lies.
    start: u32,
    end: u32,
}

/// A rule that matched and could not use a record's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Skip {
    /// Index of the family.
    pub family: u32,
    /// The item of the request it comes from.
    pub item: u32,
    /// Why.
    pub reason: SkipReason,
}

/// Why a value could not be used.
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
}

impl SkipReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotANumber, Self::NoRow, Self::Negative, Self::GaugeLimit];

    /// The label value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::NoRow => "no_row",
            Self::Negative => "negative",
            Self::GaugeLimit => "gauge_limit",
        }
    }
}

/// All that the rules make of one request.
#[derive(Debug, Default)]
pub struct Updates<'a> {
    /// In the order of the records.
    pub list: Vec<Update>,
    /// In the order of the records.
    pub skips: Vec<Skip>,
    /// Guards of updates.
    pub guards: Vec<Guard>,
    values: Vec<Text<'a>>,
    made: String,
}

impl<'a> Updates<'a> {
    /// The label values of an update, in the order of its family's labels, `width` of them.
    #[inline]
    pub fn labels(&self, update: &Update, width: usize) -> &[Text<'a>] {
        let start = update.labels as usize;
        self.values.get(start..start + width).unwrap_or_default()
    }

    /// The text itself; empty when missing.
    #[inline]
    pub fn text<'s>(&'s self, text: Text<'a>) -> &'s str
    where
        'a: 's,
    {
        match text {
            Text::Missing => "",
            Text::Borrowed(text) => text,
            Text::Made(start, end) => {
                self.made.get(start as usize..end as usize).unwrap_or_default()
            }
        }
    }

    /// What identifies a guarded record.
    pub fn identity(&self, guard: Guard) -> &[u8] {
        self.made.as_bytes().get(guard.start as usize..guard.end as usize).unwrap_or_default()
    }

    /// Adds text of our own making.
    pub(super) fn make(&mut self, write: impl FnOnce(&mut String)) -> Text<'a> {
        let start = self.made.len();
        write(&mut self.made);
        let range = compact(start..self.made.len());
        if range.is_empty() { Text::Missing } else { Text::Made(range.start, range.end) }
    }

    /// Adds a guard whose identity is a text of our own making.
    pub(super) fn guard(&mut self, class: u32, identity: Text<'a>) -> u32 {
        let (start, end) = match identity {
            Text::Made(start, end) => (start, end),
            Text::Missing | Text::Borrowed(_) => (0, 0),
        };
        self.guards.push(Guard { class, start, end });
        compact(0..self.guards.len() - 1).end
    }

    /// Opens a place for `width` label values and returns where it begins.
    pub(super) fn open(&mut self, width: usize) -> u32 {
        let start = self.values.len();
        self.values.resize(start + width, Text::Missing);
        compact(0..start).end
    }

    /// Puts a label value into an open place.
    pub(super) fn put(&mut self, place: u32, position: usize, text: Text<'a>) {
        if let Some(slot) = self.values.get_mut(place as usize + position) {
            *slot = text;
        }
    }
}

/// Requests are bounded far below 4 GiB, and so is all that comes of one; a range beyond that is empty.
fn compact(range: Range<usize>) -> Range<u32> {
    match (u32::try_from(range.start), u32::try_from(range.end)) {
        (Ok(start), Ok(end)) => start..end,
        _ => 0..0,
    }
}

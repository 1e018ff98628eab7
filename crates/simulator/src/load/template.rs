//! An encoded batch and the places in it that must be fresh in every request.

use super::super::story::Span;

/// A batch before it is encoded.
pub(super) struct Batch<'a> {
    pub(super) resource: &'a [(&'static str, &'static str)],
    pub(super) scope: &'static str,
    pub(super) spans: Vec<Placed<'a>>,
}

/// A span and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    /// The corpus' number of its trace.
    pub(super) trace: u32,
    /// Its position in the trace.
    pub(super) local: u32,
    /// When its trace ends, nanoseconds from its begin.
    pub(super) end: i64,
    pub(super) span: &'a Span,
}

impl Batch<'_> {
    /// For each span: the number of its trace in this batch, and of its parent, if that is in this batch too.
    ///
    /// A trace that comes again (a batch larger than the corpus) is another trace.
    pub(super) fn numbers(&self) -> Vec<(u32, Option<u32>)> {
        let mut numbers: Vec<(u32, Option<u32>)> = Vec::with_capacity(self.spans.len());
        let mut trace = 0_u32;
        let mut before: Option<(u32, u32)> = None;
        // Position in the batch of the running trace's spans, by their place in the trace.
        let mut places: Vec<Option<u32>> = Vec::new();
        for (at, placed) in (0_u32..).zip(&self.spans) {
            if before.is_some_and(|(t, local)| t != placed.trace || local >= placed.local) {
                trace += 1;
                places.clear();
            }
            before = Some((placed.trace, placed.local));
            places.resize(placed.local as usize + 1, None);
            if let Some(place) = places.last_mut() {
                *place = Some(at);
            }
            let parent =
                placed.span.parent.and_then(|parent| places.get(parent).copied().flatten());
            numbers.push((trace, parent));
        }
        numbers
    }
}

/// Whose ids a batch has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// People and conversations are who they are.
    Own,
    /// Each trace is a conversation of its own, of somebody of so many people; 0: of whom it was.
    Fresh(u32),
}

/// What has to be fresh at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The id of the batch's n-th trace.
    Trace(u32),
    /// The id of the batch's n-th span.
    Span(u32),
    /// The time so many nanoseconds before the sending.
    Time(u64),
    /// The conversation of the batch's n-th trace.
    Conversation(u32),
    /// Who asks in the batch's n-th trace: somebody of so many people.
    Person(u32, u32),
}

/// A place to patch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    pub(super) at: usize,
    pub(super) what: What,
}

/// How ids and times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Bytes, little endian times.
    Binary,
    /// Hexadecimal ids and decimal times of 19 digits.
    Text,
}

/// An encoded batch.
#[derive(Clone, Debug)]
pub struct Template {
    pub(super) bytes: Vec<u8>,
    pub(super) patches: Vec<Patch>,
    pub(super) form: Form,
    /// Spans in it.
    pub(super) spans: u64,
}

impl Template {
    /// With the five bytes before it that gRPC wants: not compressed, and the length.
    pub(super) fn framed(mut self) -> Self {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let mut framed = Vec::with_capacity(self.bytes.len() + 5);
        framed.push(0);
        framed.extend_from_slice(&length.to_be_bytes());
        framed.append(&mut self.bytes);
        self.patches.iter_mut().for_each(|patch| patch.at += 5);
        Self { bytes: framed, ..self }
    }

    /// Makes every id and time in these bytes, a copy of the template's, fresh.
    pub(super) fn freshen(&self, bytes: &mut [u8], fresh: Fresh) {
        for patch in &self.patches {
            match self.form {
                Form::Binary => fresh.binary(bytes, patch),
                Form::Text => fresh.text(bytes, patch),
            }
        }
    }

    /// Makes the template's own bytes fresh.
    pub(super) fn freshen_own(&mut self, fresh: Fresh) {
        let mut bytes = std::mem::take(&mut self.bytes);
        self.freshen(&mut bytes, fresh);
        self.bytes = bytes;
    }
}

/// Where the fresh values of one request come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    /// Random, one for the run.
    pub(super) run: u64,
    /// The first of as many numbers as the batch has spans, used by no other batch of the run.
    pub(super) first: u64,
    /// Nanoseconds since the epoch.
    pub(super) now: u64,
}

impl Fresh {
    fn span(self, n: u32) -> u64 {
        scatter(self.run.wrapping_add(self.first).wrapping_add(n.into()))
    }

    fn trace(self, n: u32) -> [u64; 2] {
        [self.run, scatter(!self.run.wrapping_add(self.first).wrapping_add(n.into()))]
    }

    fn binary(self, bytes: &mut [u8], patch: &Patch) {
        match patch.what {
            What::Trace(n) => {
                let [high, low] = self.trace(n);
                put(bytes, patch.at, &high.to_be_bytes());
                put(bytes, patch.at + 8, &low.to_be_bytes());
            }
            What::Span(n) => put(bytes, patch.at, &self.span(n).to_be_bytes()),
            What::Time(before) => put(bytes, patch.at, &(self.now - before).to_le_bytes()),
            What::Conversation(_) | What::Person(..) => self.text(bytes, patch),
        }
    }

    fn text(self, bytes: &mut [u8], patch: &Patch) {
        match patch.what {
            What::Trace(n) => {
                let [high, low] = self.trace(n);
                put(bytes, patch.at, &hex(high));
                put(bytes, patch.at + 16, &hex(low));
            }
            What::Span(n) => put(bytes, patch.at, &hex(self.span(n))),
            What::Time(before) => put(bytes, patch.at, &decimal::<19>(self.now - before)),
            What::Conversation(n) => put(bytes, patch.at, &hex(self.trace(n)[1])),
            What::Person(n, people) => {
                let person = self.trace(n)[1] % u64::from(people.max(1));
                // After the `U`.
                put(bytes, patch.at + 1, &decimal::<7>(person));
            }
        }
    }
}

/// A bijection that scatters neighbours (the finalizer of splitmix64): numbers used once give ids used once.
const fn scatter(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

fn hex(number: u64) -> [u8; 16] {
    let mut text = [0; 16];
    for (digit, place) in text.iter_mut().rev().enumerate() {
        let nibble = (number >> (4 * digit)) as u8 & 0xf;
        *place = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    }
    text
}

fn decimal<const N: usize>(mut number: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    text
}

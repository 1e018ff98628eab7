//! Which names there are, which keys they carry, and how many values those have: tables that can't grow past their bounds.
//!
//! Of a value only a keyed fingerprint is kept. What is known already is found by the bytes it came as, and costs no memory.

use std::collections::HashMap;

use crate::dedupe::Keys;
use crate::limits;
use crate::view::Value;

use super::told::RecordKind;
use crate::passthrough;

/// Everything that was seen.
#[derive(Debug)]
pub(super) struct Census {
    /// Where in `names` each name is.
    places: [Table<u32>; KINDS],
    /// The first are those of names past the bound, one for each kind.
    names: Vec<Name>,
    /// Records begun so far: of equal keys in one record the first counts.
    begun: u64,
    /// Keys and values of all names.
    keys: usize,
    values: usize,
    /// Whether there were more names or keys than are told apart.
    pub(super) bounded: bool,
}

const KINDS: usize = RecordKind::ALL.len();

type Table<T> = HashMap<Box<[u8]>, T, foldhash::fast::RandomState>;

/// What was seen under one name.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) kind: RecordKind,
    /// None: a name past the bound.
    pub(super) name: Option<Box<[u8]>>,
    pub(super) seen: u64,
    /// Of those, shown to the rules as they are now.
    pub(super) judged: u64,
    /// Of those, taken by none.
    pub(super) unmatched: u64,
    /// Indices of the families that took some.
    pub(super) takers: Vec<u32>,
    pub(super) keys: Table<Key>,
    /// Attributes that were not told apart.
    pub(super) left_out: u64,
}

/// What was seen under one key of a name.
#[derive(Debug, Default)]
pub(super) struct Key {
    pub(super) records: u64,
    /// The last record that had it.
    last: u64,
    /// Bits of [`TYPES`].
    pub(super) types: u8,
    /// Fingerprints, sorted.
    pub(super) values: Vec<u64>,
    /// Whether there are others.
    pub(super) more: bool,
}

/// What an attribute's value may be, by the bits of [`Key::types`].
pub(super) const TYPES: [&str; 6] = ["text", "number", "bool", "bytes", "list_or_map", "empty"];

impl Default for Census {
    fn default() -> Self {
        let names = RecordKind::ALL.map(|kind| Name::new(kind, None)).into();
        let places = Default::default();
        Self { places, names, begun: 0, keys: 0, values: 0, bounded: false }
    }
}

impl Name {
    fn new(kind: RecordKind, name: Option<Box<[u8]>>) -> Self {
        let (takers, keys) = (Vec::new(), Table::default());
        Self { kind, name, seen: 0, judged: 0, unmatched: 0, takers, keys, left_out: 0 }
    }
}

impl Census {
    /// Where the records of a name are counted, at most `most` bytes of it: with `other` ones when there is no room.
    pub(super) fn place(&mut self, kind: RecordKind, name: &[u8], most: usize) -> usize {
        let (at, name) = (kind as usize, cut(name, most.min(limits::INVENTORY_TEXT)));
        let Some(places) = self.places.get_mut(at) else { return at };
        if let Some(place) = places.get(name) {
            return *place as usize;
        }
        let place = self.names.len();
        let (true, Ok(index)) = (places.len() < limits::INVENTORY_NAMES, u32::try_from(place))
        else {
            self.bounded = true;
            return at;
        };
        places.insert(name.into(), index);
        self.names.push(Name::new(kind, Some(name.into())));
        place
    }

    /// A record of the name at this place.
    pub(super) fn begin(&mut self, place: usize) {
        self.begun += 1;
        if let Some(name) = self.names.get_mut(place) {
            name.seen += 1;
        }
    }

    /// An attribute of the record that began last, at this place.
    pub(super) fn attribute(&mut self, place: usize, key: &[u8], value: Value<'_>, keys: &Keys) {
        let Some(name) = self.names.get_mut(place) else { return };
        let key = cut(key, limits::INVENTORY_TEXT);
        let (each, all) = limits::INVENTORY_KEYS;
        let full = name.keys.len() >= each || self.keys >= all;
        let held = match name.keys.get_mut(key) {
            Some(held) => held,
            None if full => {
                (name.left_out, self.bounded) = (name.left_out + 1, true);
                return;
            }
            None => {
                self.keys += 1;
                name.keys.entry(key.into()).or_default()
            }
        };
        if std::mem::replace(&mut held.last, self.begun) == self.begun {
            return;
        }
        held.records += 1;
        held.types |= kind_of(value);
        if !value.is_missing() && !held.more {
            held.see(passthrough::hash(keys, b"", value), &mut self.values);
        }
    }

    /// What the rules made of a record at this place: whether any took it, and which families did.
    pub(super) fn judge(&mut self, place: usize, took: bool, takers: impl Iterator<Item = u32>) {
        let Some(name) = self.names.get_mut(place) else { return };
        name.judged += 1;
        name.unmatched += u64::from(!took);
        for taker in takers {
            if !name.takers.contains(&taker) {
                name.takers.push(taker);
            }
        }
    }

    /// The rules are others now: what the last ones made of records is of no interest any more.
    pub(super) fn forget_rules(&mut self) {
        for name in &mut self.names {
            (name.judged, name.unmatched) = (0, 0);
            name.takers.clear();
        }
    }

    /// The names of which anything was seen.
    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter().filter(|name| name.seen > 0)
    }
}

impl Key {
    fn see(&mut self, value: u64, all: &mut usize) {
        let Err(at) = self.values.binary_search(&value) else { return };
        let (each, most) = limits::INVENTORY_VALUES;
        if self.values.len() >= each || *all >= most {
            self.more = true;
            return;
        }
        *all += 1;
        self.values.insert(at, value);
    }
}

fn kind_of(value: Value<'_>) -> u8 {
    match value {
        Value::Empty | Value::Text([]) => 1 << 5,
        Value::Text(_) => 1,
        Value::Int(_) | Value::Double(_) => 1 << 1,
        Value::Bool(_) => 1 << 2,
        Value::Bytes(_) => 1 << 3,
        Value::Nested(_) => 1 << 4,
    }
}

/// The first bytes of a text, whole characters of UTF-8.
fn cut(text: &[u8], most: usize) -> &[u8] {
    let continues = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let mut end = text.len().min(most);
    while end > 0 && end < text.len() && continues(&end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<'c>(census: &'c Census, name: &str) -> &'c Name {
        let fits = |one: &&Name| one.name.as_deref() == Some(name.as_bytes());
        census.names().find(fits).unwrap()
    }

    #[test]
    fn keys_and_values_are_counted_once_for_a_record() {
        let (mut census, keys) = (Census::default(), Keys::default());
        for round in 0..10_i64 {
            let place = census.place(RecordKind::Span, b"chat", 256);
            census.begin(place);
            census.attribute(place, b"model", Value::Text(b"a"), &keys);
            census.attribute(place, b"model", Value::Text(b"again"), &keys);
            census.attribute(place, b"tokens", Value::Int(round), &keys);
            census.attribute(place, b"tokens_left", Value::Empty, &keys);
            census.judge(place, round > 2, [3, 3, 4].into_iter());
        }
        let chat = name(&census, "chat");
        assert_eq!((chat.seen, chat.judged, chat.unmatched), (10, 10, 3));
        assert_eq!((&*chat.takers, census.bounded), (&[3, 4][..], false));
        let key = |key: &str| {
            let key = &chat.keys[key.as_bytes()];
            (key.records, key.values.len(), key.types, key.more)
        };
        assert_eq!(key("model"), (10, 1, 1, false));
        assert_eq!(key("tokens"), (10, 10, 2, false));
        assert_eq!(key("tokens_left"), (10, 0, 32, false));
        census.forget_rules();
        let chat = name(&census, "chat");
        assert_eq!((chat.seen, chat.judged, chat.takers.len()), (10, 0, 0));
    }

    #[test]
    fn nothing_grows_past_its_bound() {
        let (mut census, keys) = (Census::default(), Keys::default());
        for at in 0..100_000_u64 {
            let text = format!("{at:0>1000}");
            for (kind, name) in [(RecordKind::Span, text.as_bytes()), (RecordKind::Log, b"log")] {
                let place = census.place(kind, name, 1 << 20);
                census.begin(place);
                census.attribute(place, b"id", Value::Int(at as i64), &keys);
                census.attribute(place, &at.to_le_bytes(), Value::Bool(true), &keys);
            }
        }
        assert!(census.bounded);
        let spans = census.names().filter(|name| name.kind == RecordKind::Span);
        assert_eq!(spans.count(), 1, "they begin alike, and what begins alike is one");
        let log = name(&census, "log");
        assert_eq!((log.seen, log.keys.len()), (100_000, limits::INVENTORY_KEYS.0));
        assert_eq!(log.left_out, 100_000 - 63);
        let id = &log.keys[&b"id"[..]];
        assert_eq!((id.records, id.values.len(), id.more), (100_000, 256, true));

        for at in 0..100_000_u64 {
            let text = at.to_string();
            let place = census.place(RecordKind::SpanEvent, text.as_bytes(), 256);
            census.begin(place);
            for key in 0..40_u64 {
                census.attribute(place, &key.to_le_bytes(), Value::Int(at as i64), &keys);
            }
        }
        let events = || census.names().filter(|name| name.kind == RecordKind::SpanEvent);
        assert_eq!(events().count(), limits::INVENTORY_NAMES + 1);
        assert_eq!(events().map(|name| name.seen).sum::<u64>(), 100_000);
        assert!(census.keys <= limits::INVENTORY_KEYS.1);
        assert!(census.values <= limits::INVENTORY_VALUES.1);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("caf\u{e9}".as_bytes(), 4), b"caf");
        assert_eq!(cut("caf\u{e9}".as_bytes(), 5), "caf\u{e9}".as_bytes());
        assert_eq!(cut(&[0x80; 9], 4), b"", "what is no text has no character to end with");
    }
}

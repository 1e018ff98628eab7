//! Which rules a record's name and attributes make possible, so that only those are asked.
//!
//! Each rule waits for the signs its conditions need (see [`super::need`]); one that needs nothing is always asked. Signs are
//! looked for while attributes are told. A rule that is not possible would not have taken the record: the index changes no result.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use crate::view::Value;

use super::keys::KeyId;
use super::need::{Need, Sign};

/// A set of rules, by the words of a bit set that are not 0.
type Mask = Box<[(u32, u64)]>;
type ByText = HashMap<Box<[u8]>, Mask, foldhash::fast::RandomState>;

/// The index of a rule set.
#[derive(Debug, Default)]
pub struct Index {
    words: usize,
    /// Rules that need no sign, one bit each.
    always: Box<[u64]>,
    names: ByText,
    /// In order.
    prefixes: Vec<Prefix>,
    /// A bit for the low bits of each byte that begins a name or prefix.
    begins: u64,
    /// All rules that wait for a name.
    named: Mask,
    /// By key.
    keys: Vec<Signs>,
}

/// What one attribute can show.
#[derive(Debug, Default)]
struct Signs {
    /// To rules that want it, whatever it says.
    present: Mask,
    values: ByText,
    /// All rules that wait for one of the values.
    valued: Mask,
    /// To rules that want this number or a larger one; rising.
    at_least: Vec<(f64, Mask)>,
    /// To rules that want this number or a smaller one; falling.
    at_most: Vec<(f64, Mask)>,
}

/// How a name may begin.
#[derive(Debug)]
struct Prefix {
    text: Box<[u8]>,
    /// The longest other one that this one begins with.
    shorter: Option<usize>,
    /// Its rules, and those of all shorter ones.
    rules: Mask,
}

/// A set of rules that are possible, one bit each.
#[derive(Debug, Default)]
pub(super) struct Possible(Vec<u64>);

impl Possible {
    pub(super) fn resize(&mut self, words: usize) {
        self.0.clear();
        self.0.resize(words, 0);
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    #[inline]
    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    #[inline]
    fn add_mask(&mut self, mask: &Mask) {
        for (at, bits) in mask {
            if let Some(word) = self.0.get_mut(*at as usize) {
                *word |= bits;
            }
        }
    }

    /// Exactly those of a set.
    #[inline]
    pub(super) fn set(&mut self, set: &[u64]) {
        self.0.iter_mut().zip(set).for_each(|(word, set)| *word = *set);
    }

    /// Leaves those of a set.
    #[inline]
    pub(super) fn keep(&mut self, set: &[u64]) {
        self.0.iter_mut().zip(set).for_each(|(word, set)| *word &= set);
    }

    /// Takes out those of a set.
    #[inline]
    pub(super) fn drop(&mut self, set: &[u64]) {
        self.0.iter_mut().zip(set).for_each(|(word, set)| *word &= !set);
    }

    /// Takes the first one out, not before `from`, the word of the one taken last.
    #[inline]
    pub(super) fn take(&mut self, from: &mut usize) -> Option<usize> {
        while let Some(word) = self.0.get_mut(*from) {
            if *word != 0 {
                let bit = word.trailing_zeros() as usize;
                *word &= *word - 1;
                return Some(*from * 64 + bit);
            }
            *from += 1;
        }
        None
    }
}

/// The bit set of these rules among so many words.
pub(super) fn bits(rules: impl Iterator<Item = usize>, words: usize) -> Box<[u64]> {
    let mut set = vec![0; words];
    for rule in rules {
        if let Some(word) = set.get_mut(rule / 64) {
            *word |= 1 << (rule % 64);
        }
    }
    set.into()
}

impl Index {
    /// The index of rules with these needs, over so many keys.
    pub(super) fn new(needs: &[Need], keys: usize) -> Self {
        let words = needs.len().div_ceil(64);
        let mut collected = Collected { keys: HashMap::new(), ..Collected::default() };
        for (rule, need) in needs.iter().enumerate() {
            collected.add(rule, need);
        }
        let mask = |rules: &Vec<usize>| -> Mask {
            let set = bits(rules.iter().copied(), words);
            (0..).zip(set).filter(|(_, word)| *word != 0).collect()
        };
        let by_text = |texts: &HashMap<Box<[u8]>, Vec<usize>>| -> ByText {
            texts.iter().map(|(text, rules)| (text.clone(), mask(rules))).collect()
        };
        let bounds = |all: &[(f64, usize)], order: fn(&f64, &f64) -> Ordering| {
            let masked = all.iter().map(|(bound, rule)| (*bound, mask(&vec![*rule])));
            let mut masked: Vec<(f64, Mask)> = masked.collect();
            masked.sort_by(|(one, _), (other, _)| order(one, other));
            masked
        };
        let signs = |key| {
            let key = u32::try_from(key).ok().map(KeyId);
            let Some(key) = key.and_then(|key| collected.keys.get(&key)) else {
                return Signs::default();
            };
            let valued = key.values.values().flatten().copied().collect();
            Signs {
                present: mask(&key.present),
                values: by_text(&key.values),
                valued: mask(&valued),
                at_least: bounds(&key.at_least, f64::total_cmp),
                at_most: bounds(&key.at_most, |one, other| other.total_cmp(one)),
            }
        };
        let named = collected.names.values().chain(collected.prefixes.values());
        let begins = collected.names.keys().chain(collected.prefixes.keys());
        let mut prefixes: Vec<Prefix> = Vec::new();
        for text in collected.prefixes.keys() {
            let begins = |prefix: &Prefix| text.starts_with(&prefix.text);
            let shorter = prefixes.iter().rposition(begins);
            let all = collected.prefixes.iter().filter(|(other, _)| text.starts_with(other));
            let all = all.flat_map(|(_, rules)| rules).copied().collect();
            prefixes.push(Prefix { text: text.clone(), shorter, rules: mask(&all) });
        }
        Self {
            words,
            always: bits(collected.always.iter().copied(), words),
            names: by_text(&collected.names),
            prefixes,
            begins: begins.map(|text| begin_bit(text)).fold(0, |all, bit| all | bit),
            named: mask(&named.flatten().copied().collect()),
            keys: (0..keys).map(signs).collect(),
        }
    }

    /// How many words a set of all rules has.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// Adds the rules that need nothing.
    #[inline]
    pub(super) fn begin(&self, possible: &mut Possible) {
        possible.set(&self.always);
    }

    /// Adds what a record's name makes possible; none: it has no text to compare.
    #[inline]
    pub(super) fn name(&self, name: Option<&[u8]>, possible: &mut Possible) {
        let Some(name) = name else { return possible.add_mask(&self.named) };
        let plain = name.first().is_none_or(u8::is_ascii);
        if plain && self.begins & begin_bit(name) == 0 {
            return;
        }
        if let Some(mask) = self.names.get(name) {
            possible.add_mask(mask);
        }
        // What lies between a prefix of the name and the name in order begins with that prefix: so the last one that is not
        // after the name is one of its prefixes, or begins with them.
        let mut last = self.prefixes.partition_point(|prefix| *prefix.text <= *name).checked_sub(1);
        while let Some(prefix) = last.and_then(|at| self.prefixes.get(at)) {
            if name.starts_with(&prefix.text) {
                possible.add_mask(&prefix.rules);
                break;
            }
            last = prefix.shorter;
        }
        if !name.is_ascii() && std::str::from_utf8(name).is_err() {
            possible.add_mask(&self.named);
        }
    }

    /// Adds what an attribute makes possible. Only text is looked up; what has another text form may be any.
    #[inline]
    pub(super) fn see(&self, key: KeyId, value: &Value<'_>, possible: &mut Possible) {
        let Some(signs) = self.keys.get(key.0 as usize) else { return };
        possible.add_mask(&signs.present);
        if !(signs.at_least.is_empty() && signs.at_most.is_empty())
            && let Some(number) = value.number()
        {
            let at_least = signs.at_least.iter().take_while(|(bound, _)| *bound <= number);
            let at_most = signs.at_most.iter().take_while(|(bound, _)| *bound >= number);
            at_least.chain(at_most).for_each(|(_, mask)| possible.add_mask(mask));
        }
        if signs.values.is_empty() {
            return;
        }
        match value {
            Value::Text(text) => match signs.values.get(*text) {
                Some(mask) => possible.add_mask(mask),
                None if text.is_ascii() || std::str::from_utf8(text).is_ok() => {}
                None => possible.add_mask(&signs.valued),
            },
            _ => possible.add_mask(&signs.valued),
        }
    }
}

/// One of 64 bits for a text's first byte; the empty text has its own with others'.
fn begin_bit(text: &[u8]) -> u64 {
    1 << (text.first().copied().unwrap_or_default() & 63)
}

/// Which rules wait for which sign.
#[derive(Default)]
struct Collected {
    always: Vec<usize>,
    names: HashMap<Box<[u8]>, Vec<usize>>,
    prefixes: BTreeMap<Box<[u8]>, Vec<usize>>,
    keys: HashMap<KeyId, CollectedKey>,
}

#[derive(Default)]
struct CollectedKey {
    present: Vec<usize>,
    values: HashMap<Box<[u8]>, Vec<usize>>,
    at_least: Vec<(f64, usize)>,
    at_most: Vec<(f64, usize)>,
}

impl Collected {
    fn add(&mut self, rule: usize, need: &Need) {
        let Need::OneOf(signs) = need else { return self.always.push(rule) };
        for sign in signs {
            let waiting = match sign {
                Sign::Name(name) => self.names.entry(name.as_bytes().into()).or_default(),
                Sign::Prefix(prefix) => self.prefixes.entry(prefix.as_bytes().into()).or_default(),
                Sign::AtLeast(key, bound) => {
                    self.keys.entry(*key).or_default().at_least.push((*bound, rule));
                    continue;
                }
                Sign::AtMost(key, bound) => {
                    self.keys.entry(*key).or_default().at_most.push((*bound, rule));
                    continue;
                }
                Sign::Key(key) => &mut self.keys.entry(*key).or_default().present,
                Sign::Value(key, text) => {
                    let key = self.keys.entry(*key).or_default();
                    key.values.entry(text.as_bytes().into()).or_default()
                }
            };
            waiting.push(rule);
        }
    }
}

//! The attribute keys that rules name, each as a dense number.

use std::collections::HashMap;

/// A key some rule names, as a dense number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub(super) u32);

/// The keys the rules name.
#[derive(Debug)]
pub struct Keys {
    pub(super) ids: HashMap<Box<[u8]>, KeyId, foldhash::fast::RandomState>,
    /// For each key length below 64, all longer ones share the last: bits for the low bits of the bytes such a key ends and begins
    /// with. Most foreign keys fail here.
    ends: [u64; LENGTHS],
    begins: [u64; LENGTHS],
}

const LENGTHS: usize = 64;

impl Default for Keys {
    fn default() -> Self {
        Self { ids: HashMap::default(), ends: [0; LENGTHS], begins: [0; LENGTHS] }
    }
}

impl Keys {
    /// The number of a key, a new one when it has none yet.
    pub fn intern(&mut self, key: &str) -> KeyId {
        let next = KeyId(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        let length = length(key.as_bytes());
        self.ends[length] |= bit(key.as_bytes().last());
        self.begins[length] |= bit(key.as_bytes().first());
        *self.ids.entry(key.as_bytes().into()).or_insert(next)
    }

    /// What a key is called: a search, for when there is time.
    pub fn name(&self, key: KeyId) -> Option<&str> {
        let (name, _) = self.ids.iter().find(|(_, id)| **id == key)?;
        std::str::from_utf8(name).ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether a key of this shape is named. It costs next to nothing, and says no to nearly every key that is not.
    #[inline(always)]
    pub(super) fn may_name(&self, key: &[u8]) -> bool {
        let length = length(key);
        self.ends[length] & bit(key.last()) != 0 && self.begins[length] & bit(key.first()) != 0
    }
}

#[inline(always)]
fn length(key: &[u8]) -> usize {
    key.len().min(LENGTHS - 1)
}

#[inline(always)]
fn bit(byte: Option<&u8>) -> u64 {
    1 << (byte.copied().unwrap_or_default() % 64)
}

//! The attributes a config names, as one record shows them: a table instead of a search.

use std::collections::HashMap;

use crate::view::{Origin, Value};

/// A key some rule names, as a dense number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(u32);

/// The keys the rules name.
#[derive(Debug, Default)]
pub struct Keys {
    ids: HashMap<Box<[u8]>, KeyId, foldhash::fast::RandomState>,
    /// A bit for each key length below 64, all longer ones share the last: most foreign keys fail here.
    lengths: u64,
}

impl Keys {
    /// The number of a key, a new one when it has none yet.
    pub fn intern(&mut self, key: &str) -> KeyId {
        let next = KeyId(u32::try_from(self.ids.len()).unwrap_or(u32::MAX));
        self.lengths |= length_bit(key.as_bytes());
        *self.ids.entry(key.as_bytes().into()).or_insert(next)
    }

    fn find(&self, key: &[u8]) -> Option<KeyId> {
        if self.lengths & length_bit(key) == 0 {
            return None;
        }
        self.ids.get(key).copied()
    }
}

fn length_bit(key: &[u8]) -> u64 {
    1 << key.len().min(63)
}

/// What the current resource, scope, span, event or log record says for each key.
pub struct Slots<'a> {
    keys: &'a Keys,
    layers: [Layer<'a>; LAYERS],
}

const LAYERS: usize = 6;

struct Layer<'a> {
    values: Vec<Value<'a>>,
    touched: Vec<KeyId>,
}

impl<'a> Slots<'a> {
    /// Empty slots for these keys.
    pub fn new(keys: &'a Keys) -> Self {
        let layer = || Layer { values: vec![Value::Empty; keys.ids.len()], touched: Vec::new() };
        Self { keys, layers: std::array::from_fn(|_| layer()) }
    }

    /// Keeps an attribute if some rule names its key. Of equal keys the first counts, as in the Collector.
    #[inline]
    pub fn set(&mut self, origin: Origin, key: &[u8], value: Value<'a>) {
        let Some(id) = self.keys.find(key) else { return };
        let layer = &mut self.layers[origin as usize];
        if let Some(slot @ Value::Empty) = layer.values.get_mut(id.0 as usize) {
            *slot = value;
            layer.touched.push(id);
        }
    }

    /// Forgets one origin's attributes.
    #[inline]
    pub fn clear(&mut self, origin: Origin) {
        let layer = &mut self.layers[origin as usize];
        for id in layer.touched.drain(..) {
            if let Some(slot) = layer.values.get_mut(id.0 as usize) {
                *slot = Value::Empty;
            }
        }
    }

    /// An origin's attribute; none when it is missing or an empty string.
    #[inline]
    pub fn get(&self, origin: Origin, key: KeyId) -> Option<Value<'a>> {
        let value = *self.layers[origin as usize].values.get(key.0 as usize)?;
        (!value.is_missing()).then_some(value)
    }

    /// The first of these origins that has the attribute.
    #[inline]
    pub fn first(&self, origins: &[Origin], key: KeyId) -> Option<Value<'a>> {
        origins.iter().find_map(|origin| self.get(*origin, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_hold_what_the_rules_name_by_origin() {
        let mut keys = Keys::default();
        let (team, own) = (keys.intern("team"), keys.intern("own"));
        assert_eq!(keys.intern("team"), team);
        let mut slots = Slots::new(&keys);
        slots.set(Origin::Resource, b"team", Value::Int(1));
        slots.set(Origin::Span, b"team", Value::Text(b""));
        slots.set(Origin::Span, b"foreign", Value::Int(9));
        slots.set(Origin::Span, b"own", Value::Int(2));
        slots.set(Origin::Span, b"own", Value::Int(3));
        let order = [Origin::Span, Origin::Resource];
        assert!(matches!(slots.first(&order, team), Some(Value::Int(1))), "empty text is missing");
        assert!(matches!(slots.first(&order, own), Some(Value::Int(2))), "the first counts");
        slots.clear(Origin::Span);
        assert!(slots.get(Origin::Span, own).is_none());
        assert!(matches!(slots.get(Origin::Resource, team), Some(Value::Int(1))));
    }
}

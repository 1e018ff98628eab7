//! The attributes a config names, as one record shows them: a table instead of a search.

use crate::view::{Origin, Value};

use super::index::{Index, Possible};
use super::keys::{KeyId, Keys};
use super::recycle::recycled;

/// What the current resource, scope, span, event or log record says for each key, and which rules that makes possible.
pub struct Slots<'a> {
    keys: &'a Keys,
    index: &'a Index,
    layers: [Layer<'a>; LAYERS],
}

const LAYERS: usize = 6;

/// One origin's attributes.
#[derive(Default)]
struct Layer<'a> {
    /// For each key one more than its place in `found`; 0: not there. Small, so that it stays in the nearest cache.
    places: Vec<u32>,
    found: Vec<(KeyId, Value<'a>)>,
    possible: Possible,
}

/// The memory of [`Slots`] between two requests.
#[derive(Default)]
pub(super) struct Tables([Layer<'static>; LAYERS]);

impl<'a> Slots<'a> {
    /// Empty slots for these keys.
    pub(super) fn new(keys: &'a Keys, index: &'a Index, tables: Tables) -> Self {
        let layers = tables.0.map(|mut layer| {
            layer.clear();
            layer.places.resize(keys.len(), 0);
            layer.possible.resize(index.words());
            layer.reborn()
        });
        Self { keys, index, layers }
    }

    pub(super) fn into_tables(self) -> Tables {
        Tables(self.layers.map(|mut layer| {
            layer.clear();
            layer.reborn()
        }))
    }

    /// Keeps an attribute if some rule names its key. Of equal keys the first with a value counts, as in the Collector.
    #[inline(always)]
    pub fn set(&mut self, origin: Origin, key: &[u8], value: Value<'a>) {
        if self.keys.may_name(key) {
            self.keep(origin, key, value);
        }
    }

    #[inline(never)]
    fn keep(&mut self, origin: Origin, key: &[u8], value: Value<'a>) {
        let Some(id) = self.keys.ids.get(key).copied() else { return };
        let layer = &mut self.layers[origin as usize];
        if let Some(place @ 0) = layer.places.get_mut(id.0 as usize)
            && !matches!(value, Value::Empty)
        {
            layer.found.push((id, value));
            *place = layer.found.len() as u32;
            self.index.see(id, &value, &mut layer.possible);
        }
    }

    /// Forgets one origin's attributes.
    #[inline]
    pub fn clear(&mut self, origin: Origin) {
        self.layers[origin as usize].clear();
    }

    /// An origin's attribute; none when it is missing or an empty string.
    #[inline]
    pub fn get(&self, origin: Origin, key: KeyId) -> Option<Value<'a>> {
        let layer = &self.layers[origin as usize];
        let place = layer.places.get(key.0 as usize)?.checked_sub(1)?;
        let (_, value) = layer.found.get(place as usize)?;
        (!value.is_missing()).then_some(*value)
    }

    /// The first of these origins that has the attribute.
    #[inline]
    pub fn first(&self, origins: &[Origin], key: KeyId) -> Option<Value<'a>> {
        origins.iter().find_map(|origin| self.get(*origin, key))
    }

    /// Adds the rules that one of these origins' attributes make possible.
    #[inline]
    pub(super) fn possible(&self, origins: &[Origin], possible: &mut Possible) {
        for layer in origins.iter().map(|origin| &self.layers[*origin as usize]) {
            if !layer.found.is_empty() {
                possible.add(&layer.possible);
            }
        }
    }
}

impl Layer<'_> {
    #[inline]
    fn clear(&mut self) {
        if self.found.is_empty() {
            return;
        }
        for (id, _) in self.found.drain(..) {
            if let Some(place) = self.places.get_mut(id.0 as usize) {
                *place = 0;
            }
        }
        self.possible.clear();
    }

    /// The same memory for another request's attributes.
    fn reborn<'b>(self) -> Layer<'b> {
        let Self { places, found, possible } = self;
        Layer { places, found: recycled(found), possible }
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
        let index = Index::default();
        let mut slots = Slots::new(&keys, &index, Tables::default());
        slots.set(Origin::Resource, b"team", Value::Int(1));
        slots.set(Origin::Span, b"team", Value::Text(b""));
        slots.set(Origin::Span, b"foreign", Value::Int(9));
        slots.set(Origin::Span, b"own", Value::Empty);
        slots.set(Origin::Span, b"own", Value::Int(2));
        slots.set(Origin::Span, b"own", Value::Int(3));
        let order = [Origin::Span, Origin::Resource];
        assert!(matches!(slots.first(&order, team), Some(Value::Int(1))), "empty text is missing");
        assert!(matches!(slots.first(&order, own), Some(Value::Int(2))), "the first counts");
        slots.clear(Origin::Span);
        assert!(slots.get(Origin::Span, own).is_none());
        assert!(matches!(slots.get(Origin::Resource, team), Some(Value::Int(1))));
        let slots = Slots::new(&keys, &index, slots.into_tables());
        assert!(slots.first(&order, team).is_none(), "the next request begins with nothing");
    }
}

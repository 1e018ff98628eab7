//! Label sets of spans that look alike: a request has many, so the set is written once for all of them.

use std::hash::{BuildHasher, Hasher};

use crate::view::{SpanKind, Status};

use super::recycle::{recycled, room};

/// All that a plain label set can say of a span.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Look<'a> {
    pub(super) set: usize,
    /// The number of its scope, and so of its resource.
    pub(super) scope: u32,
    pub(super) name: &'a [u8],
    pub(super) kind: SpanKind,
    pub(super) status: Status,
}

/// Looks of spans seen lately, by some bits of their hash. It is only a memory: what it lacks is worked out.
#[derive(Default)]
pub(super) struct Looks<'a> {
    hasher: foldhash::fast::RandomState,
    places: Vec<u32>,
    seen: Vec<(Look<'a>, u32)>,
}

const PLACES: usize = 256;

impl<'a> Looks<'a> {
    #[inline]
    pub(super) fn place(&self, look: &Look<'_>) -> usize {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(look.name);
        hasher.write_u32(look.set as u32 ^ (look.kind as u32) << 8 ^ (look.status as u32) << 16);
        hasher.finish() as usize % PLACES
    }

    /// From its place or the one beside it: with one alone a dozen of a hundred looks would chase each other away.
    #[inline]
    pub(super) fn key(&self, place: usize, look: &Look<'_>) -> Option<u32> {
        [place, place ^ 1].into_iter().find_map(|place| {
            let at = self.places.get(place)?;
            self.seen.get(*at as usize).filter(|(seen, _)| seen == look).map(|(_, key)| *key)
        })
    }

    pub(super) fn keep(&mut self, place: usize, look: Look<'a>, key: u32) {
        self.places.resize(PLACES, u32::MAX);
        let is_free = self.places.get(place) == Some(&u32::MAX);
        if let Some(at) = self.places.get_mut(if is_free { place } else { place ^ 1 }) {
            *at = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
            self.seen.push((look, key));
        }
    }

    /// Bytes of the room that grows with a request.
    pub(super) fn room(&self) -> usize {
        room(&self.seen)
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.seen.clear();
    }

    /// Only the room, for requests whose spans live otherwise.
    pub(super) fn empty(self) -> Looks<'static> {
        let Self { hasher, mut places, seen } = self;
        places.clear();
        Looks { hasher, places, seen: recycled(seen) }
    }
}

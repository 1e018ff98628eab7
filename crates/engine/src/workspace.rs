//! Memory that one request leaves to the next, so that a request of a kind seen before allocates nothing for its items.

use std::sync::{Mutex, PoisonError};

use crate::limits;
use crate::rules::{Scratch, SkipReason, room};

use crate::items::{Item, PointRoom};

/// What a request needs on its way. It holds nothing of the one before, only room.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(crate) scratch: Scratch,
    pub(crate) items: Vec<Item>,
    pub(crate) points: PointRoom,
    /// Whether each guard stands for a record that came before.
    pub(crate) repeated: Vec<bool>,
    /// Hashes of the updates' keys.
    pub(crate) hashes: Vec<u64>,
    /// Where the family at hand has each key's series, once it was looked for.
    pub(crate) places: Vec<Option<u32>>,
    /// Indices of live updates, by family.
    pub(crate) order: Vec<u32>,
    /// Where in `order` each family ends.
    pub(crate) ends: Vec<u32>,
    /// For each family and reason, how many records were skipped.
    pub(crate) skips: Vec<[u64; SkipReason::ALL.len()]>,
}

impl Workspace {
    /// Bytes of its room, as far as it grows with a request.
    fn room(&self) -> usize {
        let Self { scratch, items, points, repeated, hashes, places, order, ends: _, skips: _ } =
            self;
        let lists = room(items) + room(repeated) + room(hashes) + room(places) + room(order);
        scratch.room() + points.room() + lists
    }
}

/// Workspaces that wait for a request.
#[derive(Default)]
pub(crate) struct Workspaces(Mutex<Vec<Workspace>>);

impl Workspaces {
    /// One of them, or a new one.
    pub(crate) fn take(&self) -> Workspace {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Gives back the memory of all that wait.
    pub(crate) fn clear(&self) {
        drop(std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    /// Keeps one, unless there are enough or it grew too large.
    pub(crate) fn give(&self, workspace: Workspace) {
        let fits = workspace.room() <= limits::WORKSPACE;
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fits && waiting.len() < limits::WORKSPACES {
            waiting.push(workspace);
        }
    }
}

//! Memory that one request's run leaves to the next, so that a run allocates nothing once it has seen the like.

use super::memos::Memos;
use super::slots::Tables;
use super::update::Updates;

/// The memory of one run. It holds nothing of the request it served, only room.
#[derive(Default)]
pub struct Scratch {
    pub(super) tables: Tables,
    pub(super) memos: Memos<'static>,
    /// Emptied when the next run begins; until then its reader's.
    pub updates: Updates,
    pub(super) text: String,
    pub(super) identity: String,
}

impl Scratch {
    /// Bytes of its room, as far as it grows with a request.
    pub fn room(&self) -> usize {
        let Self { tables: _, memos, updates, text, identity } = self;
        memos.looks.room() + updates.room() + text.capacity() + identity.capacity()
    }
}

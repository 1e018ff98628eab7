//! Memory that one request's run leaves to the next, so that a run allocates nothing once it has seen the like.

use super::evaluate::Memos;
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

/// The room of a vector, for things that live otherwise. The standard library collects in place when the sizes agree.
pub fn recycled<T, U>(mut used: Vec<T>) -> Vec<U> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_vector_keeps_its_room() {
        let text = String::from("x");
        let used: Vec<&str> = vec![&text; 100];
        let room: Vec<&'static str> = recycled(used);
        assert_eq!((room.len(), room.capacity()), (0, 100));
    }
}

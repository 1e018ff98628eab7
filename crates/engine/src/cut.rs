//! A copy of a collection as it was at one moment, made in small steps while the collection goes on changing.
//!
//! A cut begins at that moment. From then on a walk copies the items one after another, and whatever changes or removes an item
//! that was not copied yet copies it first. So a change waits for the copy of one item and never for the walk, and the copies show
//! nothing that came later.

/// In which cut an item was copied last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp(u32);

/// An item of a collection that is cut.
pub(crate) trait Stamped {
    /// Its stamp.
    fn stamp(&mut self) -> &mut Stamp;
}

/// The latest cut of a collection, and the copies that were not taken yet.
#[derive(Debug)]
pub(crate) struct Cut<T> {
    /// Which one it is; 0: there was none.
    number: u32,
    /// None: the walk is over.
    copies: Option<Vec<T>>,
}

impl<T> Default for Cut<T> {
    fn default() -> Self {
        Self { number: 0, copies: None }
    }
}

impl<T> Cut<T> {
    /// Begins with the items that are there now.
    pub(crate) fn begin(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.copies = Some(Vec::new());
    }

    /// Makes room for the copies of so many items.
    pub(crate) fn reserve(&mut self, items: usize) {
        if let Some(copies) = &mut self.copies {
            copies.reserve(items);
        }
    }

    /// The stamp of a new item: it is in no cut that has begun.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp(self.number)
    }

    /// Copies an item, unless that was done. Each change and removal of an item calls this before.
    #[inline]
    pub(crate) fn copy<I: Stamped>(&mut self, item: &mut I, copy: impl FnOnce(&I) -> T) {
        if item.stamp().0 != self.number {
            self.copy_first(item, copy);
        }
    }

    #[cold]
    fn copy_first<I: Stamped>(&mut self, item: &mut I, copy: impl FnOnce(&I) -> T) {
        *item.stamp() = self.stamp();
        if let Some(copies) = &mut self.copies {
            copies.push(copy(item));
        }
    }

    /// The copies, after the walk: the items that were there when the cut began.
    pub(crate) fn take(&mut self) -> Vec<T> {
        self.copies.take().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Item(Stamp, u32);

    impl Stamped for Item {
        fn stamp(&mut self) -> &mut Stamp {
            &mut self.0
        }
    }

    #[test]
    fn copies_what_was_there_when_it_began() {
        let mut cut = Cut::default();
        let mut items: Vec<Item> = (0..4).map(|value| Item(cut.stamp(), value)).collect();
        let copy = |item: &Item| item.1;
        for round in 1..3 {
            cut.begin();
            items.push(Item(cut.stamp(), 100)); // too late
            cut.copy(&mut items[2], copy);
            items[2].1 += 10;
            cut.copy(&mut items[2], copy);
            items[2].1 += 10;
            let mut removed = items.remove(1);
            cut.copy(&mut removed, copy);
            items.iter_mut().for_each(|item| cut.copy(item, copy));
            let mut copies = cut.take();
            copies.sort_unstable();
            let expected: &[u32] = if round == 1 { &[0, 1, 2, 3] } else { &[0, 3, 22, 100] };
            assert_eq!(copies, expected);
            items.swap(1, 2);
        }
        items[0].1 = 7;
        assert!(cut.take().is_empty(), "between two cuts nothing is copied");
    }
}

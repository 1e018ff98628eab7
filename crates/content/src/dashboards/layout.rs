//! Where panels lie and what they are numbered: nothing overlaps, shelves are full, and a number stays when its neighbours change.

use std::collections::BTreeSet;

use super::panel::Panel;

/// Columns of Grafana's grid.
pub const COLUMNS: u32 = 24;
/// Numbers are below this: easy to read in an address.
const NUMBERS: u32 = 1_000_000;

/// A place in the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub x: u32,
    pub y: u32,
    pub w: u32,
    pub h: u32,
}

/// Places for the panels of a row that begins at a height, and the height below them. Panels go from left to right, and those of
/// a shelf that is not full grow until it is.
pub fn row(panels: &[Panel], top: u32) -> (Vec<Place>, u32) {
    let mut places = Vec::with_capacity(panels.len());
    let (mut y, mut rest) = (top, panels);
    while !rest.is_empty() {
        let mut width = 0;
        let fits = |panel: &&Panel| {
            width += u32::from(panel.width);
            width <= COLUMNS
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (shelf, after) = rest.split_at(count.min(rest.len()));
        let height = shelf.iter().map(|panel| u32::from(panel.height)).max().unwrap_or_default();
        places.extend(filled(shelf, y, height));
        y += height;
        rest = after;
    }
    (places, y)
}

fn filled(shelf: &[Panel], y: u32, h: u32) -> Vec<Place> {
    let total: u32 = shelf.iter().map(|panel| u32::from(panel.width)).sum();
    let edge = |before: u32| before * COLUMNS / total.max(1);
    let mut before = 0;
    let place = |panel: &Panel| {
        let x = edge(before);
        before += u32::from(panel.width);
        Place { x, y, w: edge(before) - x, h }
    };
    shelf.iter().map(place).collect()
}

/// Numbers that were given on a board.
#[derive(Debug, Default)]
pub struct Numbers(BTreeSet<u32>);

impl Numbers {
    /// The number of what has this name: the same as long as it is called so.
    pub fn of(&mut self, name: &str) -> u32 {
        // FNV-1a, 32 bits.
        let hash = name
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mut number = hash % NUMBERS + 1;
        while !self.0.insert(number) {
            number += 1;
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboards::panel::{Unit, View};

    fn panels(sizes: &[(u8, u8)]) -> Vec<Panel> {
        let panel =
            |(w, h): &(u8, u8)| Panel::new("", View::Stat, Unit::Count, vec![]).size(*w, *h);
        sizes.iter().map(panel).collect()
    }

    #[test]
    fn shelves_are_full_and_panels_as_high_as_their_shelf() {
        let (places, below) = row(&panels(&[(6, 4), (6, 5), (12, 4), (12, 8)]), 3);
        let place = |x, y, w, h| Place { x, y, w, h };
        assert_eq!(
            places,
            [place(0, 3, 6, 5), place(6, 3, 6, 5), place(12, 3, 12, 5), place(0, 8, 24, 8)]
        );
        assert_eq!(below, 16);
        let (places, _) = row(&panels(&[(6, 4), (6, 4), (6, 4)]), 0);
        assert_eq!(places.iter().map(|place| place.w).collect::<Vec<_>>(), [8, 8, 8]);
    }

    #[test]
    fn a_number_depends_on_its_name_and_is_given_once() {
        let (mut one, mut other) = (Numbers::default(), Numbers::default());
        let a = one.of("a");
        other.of("b");
        assert_eq!(other.of("a"), a);
        assert_ne!(one.of("a"), a);
    }
}

//! A HyperLogLog that answers for every window: each register keeps the ranks that may still be the highest of some window.
//!
//! Source: Y. Chabchoub and G. Hébrail, "Sliding HyperLogLog", 2010. First visits are counted as its state changes, each for
//! as many as the change was unlikely (D. Ting, "Streamed approximate counting of distinct elements", 2014).

use crate::limits;
use crate::model::Pseudonym;
use serde::{Deserialize, Serialize};

use super::{Quarter, estimate};

/// Registers: 1.6 % error.
const REGISTERS: usize = limits::DISTINCT_SKETCH;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sliding {
    /// For each register ranks that fall as their quarters rise.
    fronts: Box<[Vec<(Quarter, u8)>]>,
    /// `2^-rank` of each register's highest, added up: the chance that somebody new changes one, times their number.
    open: f64,
}

impl Sliding {
    fn new() -> Self {
        Self { fronts: vec![Vec::new(); REGISTERS].into(), open: REGISTERS as f64 }
    }

    /// For how many first visits this one stands: 0, unless it is the highest that its register remembers.
    pub fn see(&mut self, who: Pseudonym, at: Quarter, oldest: Quarter) -> f64 {
        let (register, rank) = estimate::place(who, REGISTERS);
        let Some(front) = self.fronts.get_mut(register) else { return 0.0 };
        let open = self.open;
        let before = highest(front);
        front.retain(|(seen, _)| *seen >= oldest);
        let remembered = highest(front);
        if !front.iter().any(|(seen, held)| *seen >= at && *held >= rank) {
            front.retain(|(seen, held)| *seen > at || *held > rank);
            let place = front.partition_point(|(_, held)| *held > rank);
            front.insert(place, (at, rank));
        }
        self.open += share(highest(front)) - share(before);
        if rank > remembered { REGISTERS as f64 / open } else { 0.0 }
    }

    pub fn count(&self, since: Quarter) -> f64 {
        let highest = move |front: &Vec<(Quarter, u8)>| {
            front.iter().find(|(seen, _)| *seen >= since).map_or(0, |(_, rank)| *rank)
        };
        estimate::count(self.fronts.iter().map(highest), REGISTERS)
    }
}

fn highest(front: &[(Quarter, u8)]) -> u8 {
    front.first().map_or(0, |(_, rank)| *rank)
}

fn share(rank: u8) -> f64 {
    (-f64::from(rank)).exp2()
}

impl FromIterator<(Pseudonym, Quarter)> for Sliding {
    fn from_iter<I: IntoIterator<Item = (Pseudonym, Quarter)>>(seen: I) -> Self {
        let mut sketch = Self::new();
        for (who, at) in seen {
            sketch.see(who, at, Quarter::default());
        }
        sketch
    }
}

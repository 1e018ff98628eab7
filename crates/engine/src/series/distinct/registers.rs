//! HyperLogLog registers that are shown as series, so that Prometheus merges replicas and windows with `max`.
//!
//! Two half-windows: what came in this one and in the last is shown. They change by time and never by a scrape, so whoever
//! looks takes nothing from anybody else.

use crate::limits;
use crate::model::Pseudonym;
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use super::estimate;

/// The registers of one label set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registers {
    now: Box<[u8]>,
    before: Box<[u8]>,
    since: Timestamp,
}

impl Registers {
    /// So many of them, a power of two.
    pub fn new(registers: usize) -> Self {
        let none: Box<[u8]> = vec![0; registers].into();
        Self { now: none.clone(), before: none, since: Timestamp::default() }
    }

    /// How many there are.
    pub fn number(&self) -> usize {
        self.now.len()
    }

    /// Somebody was there.
    pub fn see(&mut self, who: Pseudonym, now: Timestamp) {
        self.turn(now);
        let (at, rank) = estimate::place(who, self.now.len());
        if let Some(register) = self.now.get_mut(at) {
            *register = rank.max(*register);
        }
    }

    /// The registers that are not 0, by number.
    pub fn shown(&self, now: Timestamp) -> impl Iterator<Item = (usize, u8)> {
        let age = now.since(self.since);
        let (young, old) = (age < limits::REGISTER_WINDOW * 2, age < limits::REGISTER_WINDOW);
        let both = self.now.iter().zip(&self.before);
        let both = both.map(move |(now, before)| match (young, old) {
            (true, true) => *now.max(before),
            (true, false) => *now,
            _ => 0,
        });
        both.enumerate().filter(|(_, rank)| *rank > 0)
    }

    fn turn(&mut self, now: Timestamp) {
        let age = now.since(self.since);
        if age < limits::REGISTER_WINDOW {
            return;
        }
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.fill(0);
        if age >= limits::REGISTER_WINDOW * 2 {
            self.before.fill(0);
        }
        self.since = now;
    }
}

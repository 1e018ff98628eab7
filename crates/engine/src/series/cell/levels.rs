//! A gauge or an up-down sum that several streams may write: what each of them says, and what they come to.

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The parts of one series.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::series) struct Levels {
    /// Whether they add up; else the newest one counts.
    adds: bool,
    parts: Vec<Part>,
    /// The stream that wrote the newest one.
    newest: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Part {
    stream: u64,
    value: f64,
    time: Timestamp,
}

impl Levels {
    /// Nothing said yet.
    pub(in crate::series) fn new(adds: bool) -> Self {
        Self { adds, parts: Vec::new(), newest: 0 }
    }

    /// Whether its parts add up.
    pub(in crate::series) fn adds(&self) -> bool {
        self.adds
    }

    /// A stream says something. Whether it takes the place of another stream that is still there: two write one gauge.
    pub(in crate::series) fn set(&mut self, stream: u64, value: f64, time: Timestamp) -> bool {
        let newest = self.part(self.newest).map_or(Timestamp::default(), |part| part.time);
        let part = Part { stream, value, time };
        match self.parts.iter_mut().find(|part| part.stream == stream) {
            // Of equal times the later arrival counts. A part that adds up is in order already: its stream made it of several.
            Some(before) if self.adds || time >= before.time => *before = part,
            Some(_) => return false,
            None => self.parts.push(part),
        }
        if self.newest != stream && time < newest {
            return false;
        }
        let before = std::mem::replace(&mut self.newest, stream);
        !self.adds && before != stream && self.part(before).is_some()
    }

    /// A stream says nothing any more; whether any is left.
    pub(in crate::series) fn end(&mut self, stream: u64) -> bool {
        self.parts.retain(|part| part.stream != stream);
        if self.newest == stream {
            let newest = self.parts.iter().max_by_key(|part| part.time);
            self.newest = newest.map_or(0, |part| part.stream);
        }
        !self.parts.is_empty()
    }

    /// What they come to.
    pub(in crate::series) fn value(&self) -> f64 {
        match self.adds {
            true => self.parts.iter().map(|part| part.value).sum(),
            false => self.part(self.newest).map_or(0.0, |part| part.value),
        }
    }

    /// The streams that say something.
    pub(in crate::series) fn streams(&self) -> impl Iterator<Item = u64> {
        self.parts.iter().map(|part| part.stream)
    }

    fn part(&self, stream: u64) -> Option<&Part> {
        self.parts.iter().find(|part| part.stream == stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_part_counts_or_all_of_them() {
        for (adds, shown) in [(false, [1.0, 2.0, 2.0, 5.0]), (true, [1.0, 3.0, 5.0, 8.0])] {
            let mut levels = Levels::new(adds);
            let set = |levels: &mut Levels, stream, value, time| {
                (levels.set(stream, value, Timestamp(time)), levels.value())
            };
            assert_eq!(set(&mut levels, 1, 1.0, 10), (false, shown[0]));
            assert_eq!(set(&mut levels, 2, 2.0, 11), (!adds, shown[1]));
            assert_eq!(set(&mut levels, 1, 3.0, 10), (false, shown[2]), "older than the other's");
            let value = set(&mut levels, 2, 5.0, 11);
            assert_eq!(value, (false, shown[3]), "of equal times the later arrival counts");
            let older = if adds { 12.0 } else { 5.0 };
            assert_eq!(set(&mut levels, 2, 9.0, 9), (false, older));
            assert!(levels.end(2));
            assert_eq!(levels.value(), 3.0);
            assert!(!levels.end(1));
        }
    }
}

//! Fresh batches without a socket: what benchmarks and tests feed a receiver in their own process.

use super::template::{Fresh, Template};
use super::{LoadOptions, corpus};
use engine::timestamp::Timestamp;

/// A profile's batches, one after the other and round again, each with ids of its own.
pub struct Batches {
    templates: Vec<Template>,
    size: u64,
    run: u64,
    number: u64,
}

impl Batches {
    /// Batches by these options; target and pace mean nothing here. The same seed gives the same ids.
    pub fn new(options: &LoadOptions) -> Self {
        let size = options.batch.max(1) as u64;
        let run = options.seed.unwrap_or_default();
        Self { templates: corpus::templates(options), size, run, number: 0 }
    }

    /// How many batches hold each span of the profile at least once.
    pub fn round(&self) -> usize {
        self.templates.len()
    }

    /// Makes the next batch of what was sent at `now`, and returns its bytes and how many spans they hold.
    pub fn next(&mut self, now: Timestamp) -> (&[u8], u64) {
        let at = self.number as usize % self.templates.len().max(1);
        let first = self.number * self.size;
        self.number += 1;
        let Some(template) = self.templates.get_mut(at) else { return (&[], 0) };
        template.freshen_own(Fresh { run: self.run, first, now: now.0 });
        (&template.bytes, template.spans)
    }
}

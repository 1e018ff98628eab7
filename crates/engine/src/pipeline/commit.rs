//! The second half of the arrow: a request that was walked to its end changes the series, and the books are made up.

use std::sync::PoisonError;

use crate::counters::ItemCounts;
use crate::dedupe::Fingerprint;
use crate::timestamp::Timestamp;

use super::Pipeline;
use crate::items::{self, Fate, Item};
use crate::runtime::Engine;
use crate::workspace::Workspace;

use super::apply;
use super::batch::Batch;
use super::conversations;

/// Applies what counts of a batch and tells what became of its items.
pub(crate) fn commit(
    pipeline: &Pipeline,
    engine: &Engine,
    batch: Batch<'_>,
    now: Timestamp,
) -> ItemCounts {
    let mut work = batch.into_work();
    carry_out(pipeline, engine, &mut work, now);
    let counts = count(&work.items);
    engine.workspaces.give(work);
    counts
}

/// Applies what counts of the updates in a workspace, and notes in it what became of all of it.
pub(crate) fn carry_out(
    pipeline: &Pipeline,
    engine: &Engine,
    work: &mut Workspace,
    now: Timestamp,
) {
    drop_repeats(pipeline, engine, work, now);
    apply::spread(pipeline, engine, work, now);
    conversations::hear(pipeline, engine, work, now);
}

/// Marks resent spans, and tells which guards stand for records that came before. What belongs to a resent span came before
/// with it, and is told as such by its span alone.
fn drop_repeats(pipeline: &Pipeline, engine: &Engine, work: &mut Workspace, now: Timestamp) {
    let Workspace { scratch, items, repeated, .. } = work;
    let updates = &scratch.updates;
    let mut repeats = pipeline.repeats.lock().unwrap_or_else(PoisonError::into_inner);
    for item in &mut *items {
        if let Some(fingerprint) = item.fingerprint
            && repeats.repeated(fingerprint, now)
        {
            item.fate = Fate::Duplicate;
        }
    }
    repeated.clear();
    let names = engine.rules.class_names();
    for guard in &updates.guards {
        let live = items.get(guard.item as usize).is_some_and(|item| item.fate != Fate::Duplicate);
        let name = names.get(guard.class as usize).map_or("", String::as_str);
        let parts = [b"unique", name.as_bytes(), updates.identity(*guard)];
        let print = Fingerprint::of(&pipeline.keys, &parts);
        repeated.push(live && repeats.repeated(print, now));
    }
    drop(repeats);
    for (guard, _) in updates.guards.iter().zip(repeated).filter(|(_, again)| **again) {
        let name = names.get(guard.class as usize).map_or("", String::as_str);
        pipeline.counters.repeated(name, 1);
    }
}

/// The books of a batch.
pub(crate) fn count(items: &[Item]) -> ItemCounts {
    let mut counts = ItemCounts { received: items.len() as u64, ..ItemCounts::default() };
    items.iter().for_each(|item| items::count(&mut counts, item.fate));
    counts
}

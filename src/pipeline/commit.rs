//! The second half of the arrow: a request that was walked to its end changes the series, and the books are made up.

use std::sync::PoisonError;

use crate::clock::Timestamp;
use crate::derive::Fingerprint;
use crate::rules::{Guard, Skip, SkipReason, Update, Updates};
use crate::series::{Applied, Change};
use crate::telemetry::{ItemCounts, Rejection};

use super::Pipeline;
use super::batch::{Batch, Fate, Item};
use super::engine::Engine;

/// What became of a batch.
pub(super) struct Done<'a> {
    pub(super) items: Vec<Item<'a>>,
    pub(super) updates: Updates<'a>,
    /// Of each guard, whether it stands for a record that came before.
    pub(super) repeated: Vec<bool>,
}

/// Applies what counts of a batch and tells what became of its items.
pub(super) fn commit(
    pipeline: &Pipeline,
    engine: &Engine,
    batch: Batch<'_>,
    now: Timestamp,
) -> ItemCounts {
    count(&carry_out(pipeline, engine, batch, now).items)
}

/// Applies what counts of a batch and tells what became of all of it.
pub(super) fn carry_out<'a>(
    pipeline: &Pipeline,
    engine: &Engine,
    batch: Batch<'a>,
    now: Timestamp,
) -> Done<'a> {
    let (mut items, updates) = batch.into_parts();
    let repeated = drop_repeats(pipeline, engine, &mut items, &updates, now);
    let live = |update: &Update| {
        let item = items.get(update.item as usize);
        item.is_some_and(|item| item.fate == Fate::Matched)
            && update.guard.is_none_or(|guard| repeated.get(guard as usize) != Some(&true))
    };
    for (family, list) in by_family(&updates.list, live) {
        apply(pipeline, engine, (family, &list), &items, &updates, now);
    }
    let counts = |skip: &&Skip| {
        items.get(skip.item as usize).is_some_and(|item| item.fate != Fate::Duplicate)
    };
    for skip in updates.skips.iter().filter(counts) {
        if let Some(declaration) = engine.rules.declarations().get(skip.family as usize) {
            pipeline.telemetry.skipped(declaration.family.name.as_str(), skip.reason, 1);
        }
    }
    Done { items, updates, repeated }
}

/// Marks resent spans, and tells which guards stand for records that came before.
fn drop_repeats(
    pipeline: &Pipeline,
    engine: &Engine,
    items: &mut [Item<'_>],
    updates: &Updates<'_>,
    now: Timestamp,
) -> Vec<bool> {
    let mut repeats = pipeline.repeats.lock().unwrap_or_else(PoisonError::into_inner);
    for item in items {
        if let Some(fingerprint) = item.fingerprint
            && repeats.repeated(fingerprint, now)
        {
            item.fate = Fate::Duplicate;
        }
    }
    let mut guard = |guard: &Guard| {
        let name = engine.rules.class_names().get(guard.class as usize);
        let name = name.map_or("", String::as_str);
        let parts = [b"unique", name.as_bytes(), updates.identity(*guard)];
        let repeated = repeats.repeated(Fingerprint::of(&pipeline.keys, &parts), now);
        if repeated {
            pipeline.telemetry.repeated(name, 1);
        }
        repeated
    };
    updates.guards.iter().map(&mut guard).collect()
}

/// The live updates of each family, so that each family's lock is taken once.
fn by_family(
    list: &[Update],
    live: impl Fn(&Update) -> bool,
) -> impl Iterator<Item = (usize, Vec<&Update>)> {
    let families = list.iter().map(|update| update.family as usize + 1).max().unwrap_or(0);
    let mut sorted: Vec<Vec<&Update>> = vec![Vec::new(); families];
    for update in list.iter().filter(|update| live(update)) {
        if let Some(of_family) = sorted.get_mut(update.family as usize) {
            of_family.push(update);
        }
    }
    sorted.into_iter().enumerate().filter(|(_, list)| !list.is_empty())
}

fn apply(
    pipeline: &Pipeline,
    engine: &Engine,
    (family, list): (usize, &[&Update]),
    items: &[Item<'_>],
    updates: &Updates<'_>,
    now: Timestamp,
) {
    let declaration = engine.rules.declarations().get(family);
    let Some((declaration, mut writer)) = declaration.zip(engine.store.write(family, now)) else {
        return;
    };
    let width = declaration.family.labels.len();
    let mut labels: Vec<&str> = Vec::with_capacity(width);
    let mut no_room = 0;
    for update in list {
        let Some(item) = items.get(update.item as usize) else { continue };
        labels.clear();
        labels.extend(updates.labels(update, width).iter().map(|text| updates.text(*text)));
        let change = Change {
            shape: update.shape as usize,
            labels: &labels,
            op: update.op,
            sample: item.sample(update.time),
        };
        no_room += u64::from(writer.apply(&change) == Applied::NoRoom);
    }
    drop(writer);
    if no_room > 0 {
        let name = declaration.family.name.as_str();
        pipeline.telemetry.skipped(name, SkipReason::GaugeLimit, no_room);
    }
}

/// The books of a batch.
pub(super) fn count(items: &[Item<'_>]) -> ItemCounts {
    let mut counts = ItemCounts { received: items.len() as u64, ..ItemCounts::default() };
    items.iter().for_each(|item| count_one(&mut counts, item.fate));
    counts
}

/// Enters one item in the books.
pub(super) fn count_one(counts: &mut ItemCounts, fate: Fate) {
    match fate {
        Fate::Matched => counts.accepted += 1,
        Fate::Unmatched => {
            counts.accepted += 1;
            counts.unmatched += 1;
        }
        Fate::Late => reject(counts, Rejection::Late),
        Fate::Duplicate => reject(counts, Rejection::Duplicate),
    }
}

/// Enters one that was not used.
pub(super) fn reject(counts: &mut ItemCounts, reason: Rejection) {
    if let Some(count) = counts.rejected.get_mut(reason.index()) {
        *count += 1;
    }
}

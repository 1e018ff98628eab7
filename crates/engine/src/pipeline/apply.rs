//! Applies the updates that rules made of a batch to the series, one family at a time.

use crate::counters::IgnoredWeights;
use crate::items::Fate;
use crate::rules::{SkipReason, Update};
use crate::runtime::Engine;
use crate::series::{Applied, Change};
use crate::timestamp::Timestamp;
use crate::workspace::Workspace;

use super::Pipeline;

/// Applies the live updates, and counts what rules could not use.
pub(super) fn spread(pipeline: &Pipeline, engine: &Engine, work: &mut Workspace, now: Timestamp) {
    sort(engine, work);
    let mut places = std::mem::take(&mut work.places);
    let mut begin = 0;
    for (family, end) in work.ends.iter().enumerate() {
        let live = work.order.get(begin as usize..*end as usize).unwrap_or_default();
        if !live.is_empty() {
            places.clear();
            places.resize(work.hashes.len(), None);
            apply(pipeline, engine, (family, live), (work, &mut places), now);
        }
        begin = *end;
    }
    work.places = places;
    count_skips(pipeline, engine, work);
    count_ignored_weights(pipeline, engine, work);
}

/// Orders the live updates by family, so that each family's lock is taken once, and hashes the keys once for all families.
fn sort(engine: &Engine, work: &mut Workspace) {
    let Workspace { scratch, items, repeated, hashes, order, ends, .. } = work;
    let updates = &scratch.updates;
    hashes.clear();
    hashes.extend(updates.keys().map(|key| engine.store.hash(key)));
    // Mostly all are, and then no update need be asked.
    let all = !repeated.contains(&true) && items.iter().all(|item| item.fate != Fate::Duplicate);
    let is_live = |update: &Update| {
        let item = || items.get(update.item as usize);
        all || item().is_some_and(|item| item.fate == Fate::Matched)
            && update.guard.is_none_or(|guard| repeated.get(guard as usize) != Some(&true))
    };
    // A counting sort: `ends` begins as each family's number of updates, then is where the family begins, then where it ends.
    ends.clear();
    ends.resize(engine.rules.declarations().len(), 0);
    for update in updates.list.iter().filter(|update| is_live(update)) {
        if let Some(count) = ends.get_mut(update.family as usize) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for end in &mut *ends {
        sum += std::mem::replace(end, sum);
    }
    order.clear();
    order.resize(sum as usize, 0);
    for (at, update) in (0_u32..).zip(&updates.list).filter(|(_, update)| is_live(update)) {
        if let Some(end) = ends.get_mut(update.family as usize)
            && let Some(place) = order.get_mut(*end as usize)
        {
            *place = at;
            *end += 1;
        }
    }
}

fn apply(
    pipeline: &Pipeline,
    engine: &Engine,
    (family, live): (usize, &[u32]),
    (work, places): (&Workspace, &mut [Option<u32>]),
    now: Timestamp,
) {
    let Some(mut writer) = engine.store.write(family, now) else { return };
    let updates = &work.scratch.updates;
    let mut no_room = 0;
    for update in live.iter().filter_map(|at| updates.list.get(*at as usize)) {
        let (item, key) = (work.items.get(update.item as usize), update.key as usize);
        let Some((item, place)) = item.zip(places.get_mut(key)) else { continue };
        let (op, sample) = (update.op, item.sample(update.time, now));
        let Some(hash) = work.hashes.get(key).copied() else { continue };
        *place = place.or_else(|| writer.find(hash, updates.key(update.key)));
        match *place {
            Some(place) => drop(writer.again(place, op, sample)),
            None => {
                let (shape, key) = (update.shape as usize, updates.key(update.key));
                let applied = writer.apply(&Change { shape, key, hash, op, sample });
                no_room += u64::from(applied == Applied::NoRoom);
            }
        }
    }
    drop(writer);
    if no_room > 0 {
        skipped(pipeline, engine, (family, SkipReason::GaugeLimit), no_room);
    }
}

/// Counts what rules could not use, duplicates not again. Every record of a sampled bot may be in it, so the counters' lock is
/// taken once for each metric and reason.
fn count_skips(pipeline: &Pipeline, engine: &Engine, work: &mut Workspace) {
    let Workspace { scratch, items, repeated, skips: counts, .. } = work;
    let skips = &scratch.updates.skips;
    if skips.is_empty() {
        return;
    }
    counts.clear();
    counts.resize(engine.rules.declarations().len(), Default::default());
    for skip in skips {
        let live = items.get(skip.item as usize).is_some_and(|item| item.fate != Fate::Duplicate)
            && skip.guard.is_none_or(|guard| repeated.get(guard as usize) != Some(&true));
        let count = counts.get_mut(skip.family as usize);
        if let Some(count) = count.and_then(|counts| counts.get_mut(skip.reason as usize)) {
            *count += u64::from(live);
        }
    }
    for (family, counts) in counts.iter().enumerate() {
        let reasons = SkipReason::ALL.into_iter().zip(counts).filter(|(_, times)| **times > 0);
        reasons.for_each(|(reason, times)| skipped(pipeline, engine, (family, reason), *times));
    }
}

/// Counts sampling weights that were not accepted, those of duplicates not again.
fn count_ignored_weights(pipeline: &Pipeline, engine: &Engine, work: &Workspace) {
    let mut totals: Vec<(Option<u32>, IgnoredWeights)> = Vec::new();
    for one in &work.scratch.updates.ignored_weights {
        let item = work.items.get(one.item as usize);
        if item.is_none_or(|item| item.fate == Fate::Duplicate) {
            continue;
        }
        let (class, most) = (one.bound.class, one.bound.most);
        let weights = IgnoredWeights { count: 1, largest: one.weight, most };
        match totals.iter_mut().find(|(other, _)| *other == class) {
            Some((_, total)) => total.add(weights),
            None => totals.push((class, weights)),
        }
    }
    let names = engine.rules.class_names();
    for (class, weights) in totals {
        let name = class.and_then(|class| names.get(class as usize)).map(String::as_str);
        pipeline.counters.ignore_weights(name, weights);
    }
}

fn skipped(
    pipeline: &Pipeline,
    engine: &Engine,
    (family, reason): (usize, SkipReason),
    times: u64,
) {
    if let Some(declaration) = engine.rules.declarations().get(family) {
        pipeline.counters.skipped(declaration.family.name.as_str(), reason, times);
    }
}

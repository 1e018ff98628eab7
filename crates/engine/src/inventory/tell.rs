//! The census in the words of [`told`](super::told).

use std::collections::{BTreeMap, BTreeSet};

use crate::limits;
use crate::view::{Origin, Signal};

use super::State;
use super::census::{Key, Name, TYPES};
use super::told::{Attribute, Inventory, KeyCount, RecordKind, RecordName, SignalCount};
use crate::runtime::Engine;

/// All that was noted.
pub(super) fn census(state: &State, engine: &Engine) -> Inventory {
    let signals = Signal::ALL.into_iter().zip(state.seen).map(|(signal, seen)| SignalCount {
        signal: signal.as_str().to_owned(),
        seen,
        ..SignalCount::default()
    });
    let mut records: Vec<RecordName> =
        state.census.names().map(|name| record(name, engine)).collect();
    records.sort_by(|one, other| {
        let rank = |one: &RecordName| (one.kind, one.other, u64::MAX - one.seen);
        rank(one).cmp(&rank(other)).then_with(|| one.name.cmp(&other.name))
    });
    Inventory {
        since_timestamp_seconds: state.since.seconds(),
        rules_timestamp_seconds: state.rules_since.seconds(),
        signals: signals.collect(),
        records,
        attributes: attributes(state, engine),
        bounded: state.census.bounded,
        ..Inventory::default()
    }
}

fn record(name: &Name, engine: &Engine) -> RecordName {
    let text = name.name.as_deref().map(text).unwrap_or_default();
    let declarations = engine.rules.declarations();
    let family = |at: &u32| {
        let declaration = declarations.get(*at as usize)?;
        Some(declaration.family.name.as_str().to_owned())
    };
    let mut metrics: Vec<String> = name.takers.iter().filter_map(family).collect();
    metrics.sort();
    let passes = name.kind == RecordKind::Datapoint
        && engine.points.pass.iter().any(|glob| glob.fits(&text));
    let mut keys: Vec<KeyCount> = name.keys.iter().map(|(key, held)| count(key, held)).collect();
    sort(&mut keys, |key| (key.records, &key.key));
    RecordName {
        kind: name.kind,
        name: text,
        other: name.name.is_none(),
        seen: name.seen,
        judged: name.judged,
        unmatched: name.unmatched,
        metrics,
        passes,
        keys,
        attributes_left_out: name.left_out,
    }
}

/// Each attribute over all names of its kind.
fn attributes(state: &State, engine: &Engine) -> Vec<Attribute> {
    struct Sum<'c> {
        values: BTreeSet<u64>,
        types: u8,
        more: bool,
        records: u64,
        names: u64,
        key: &'c [u8],
    }
    let mut sums: BTreeMap<(RecordKind, &[u8]), Sum<'_>> = BTreeMap::new();
    let mut of: BTreeMap<RecordKind, u64> = BTreeMap::new();
    for name in state.census.names() {
        *of.entry(name.kind).or_default() += name.seen;
        for (key, held) in &name.keys {
            let (values, names) = (BTreeSet::new(), 0);
            let empty = Sum { values, types: 0, more: false, records: 0, names, key };
            let sum = sums.entry((name.kind, &**key)).or_insert(empty);
            sum.values.extend(&held.values);
            sum.types |= held.types;
            sum.more |= held.more;
            sum.records += held.records;
            sum.names += 1;
        }
    }
    let told = sums.into_iter().map(|((kind, _), sum)| {
        let (key, origin) = (text(sum.key), origin(kind));
        let labels = engine.uses.of(origin, &key);
        let most = limits::INVENTORY_VALUES.0;
        Attribute {
            origin: kind.origin().to_owned(),
            of: of.get(&kind).copied().unwrap_or_default(),
            names: sum.names,
            private: engine.private.hides_key(Some(origin), &key),
            read: labels.is_some(),
            labels: labels.unwrap_or_default().into_iter().map(str::to_owned).collect(),
            count: KeyCount {
                key,
                records: sum.records,
                values: sum.values.len().min(most) as u64,
                values_at_least: sum.more || sum.values.len() > most,
                types: types(sum.types),
            },
        }
    });
    let mut told: Vec<Attribute> = told.collect();
    sort(&mut told, |one| (one.count.records, &one.count.key));
    told
}

/// The largest first; equal ones by name.
fn sort<T>(all: &mut [T], by: impl Fn(&T) -> (u64, &String)) {
    all.sort_by(|one, other| {
        let (one, other) = (by(one), by(other));
        other.0.cmp(&one.0).then_with(|| one.1.cmp(other.1))
    });
}

fn count(key: &[u8], held: &Key) -> KeyCount {
    KeyCount {
        key: text(key),
        records: held.records,
        values: held.values.len() as u64,
        values_at_least: held.more,
        types: types(held.types),
    }
}

fn types(bits: u8) -> Vec<String> {
    let named = TYPES.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
    named.map(|(_, name)| (*name).to_owned()).collect()
}

fn origin(kind: RecordKind) -> Origin {
    match kind {
        RecordKind::Span => Origin::Span,
        RecordKind::SpanEvent => Origin::Event,
        RecordKind::Log => Origin::Log,
        RecordKind::Datapoint => Origin::Point,
        RecordKind::Scope => Origin::Scope,
        RecordKind::Resource => Origin::Resource,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

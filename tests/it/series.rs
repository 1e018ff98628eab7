//! The store against a naive model of what the design promises, under random changes, expiry, other limits and reloads.

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::model::{
    BucketKind, Declaration, Dimension, Family, Kind, LabelName, MetricName, Op, RowValue, key,
};
use engine::series::{Applied, Budget, Change, Sample, Store};
use engine::timestamp::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use model::{Model, Set};

const NAMES: [&str; 3] = ["a", "b", "c"];
const BOUNDS: [f64; 2] = [1.0, 2.5];

/// One step of a test.
#[derive(Clone, Debug)]
enum Step {
    Change {
        family: usize,
        shape: usize,
        values: [usize; 3],
        amount: u8,
    },
    Wait(u64),
    Expire(u64),
    Rebound(usize, usize),
    /// Declares the families anew, some of them otherwise.
    Reload(u8),
}

fn dimension() -> impl Strategy<Value = Dimension> {
    let declared = select(vec![vec!["x"], vec!["x", "y"], vec!["x", "y", "z"]]);
    let declared = declared
        .prop_map(|values| Dimension::Declared(values.into_iter().map(Box::from).collect()));
    let limit = prop_oneof![Just(None), (1..4_usize).prop_map(Some)];
    let default = select(vec![None, Some("none")]);
    let open = (limit, default)
        .prop_map(|(limit, default)| Dimension::Open { limit, default: default.map(Box::from) });
    prop_oneof![declared, open]
}

/// A metric of one or two parts. The second lacks a declared label of the first: the open ones are the same, as in any config that
/// `check` has nothing to say about.
fn declaration(at: usize) -> impl Strategy<Value = Declaration> {
    let kind = select(vec![Kind::Counter, Kind::Counter, Kind::Gauge, Kind::Histogram]);
    let idle = select(vec![None, Some(Duration::from_secs(30))]);
    let buckets = select(vec![BucketKind::Classic, BucketKind::Native, BucketKind::Both]);
    let all = (kind, vec(dimension(), 0..=3), any::<bool>(), idle, buckets);
    all.prop_map(move |(kind, shape, two, idle, buckets)| {
        let mut shapes = vec![shape.clone()];
        let lacks = |one: &Dimension| matches!(one, Dimension::Declared(_));
        if let (true, Some(lacking)) = (two, shape.iter().position(lacks)) {
            let mut second = shape.clone();
            second[lacking] = Dimension::Absent;
            shapes.push(second);
        }
        let family = Family {
            name: MetricName::own(&format!("f{at}_total")),
            help: String::new(),
            unit: String::new(),
            kind,
            labels: NAMES.iter().take(shape.len()).map(|name| LabelName::own(name)).collect(),
            bounds: if kind == Kind::Histogram { BOUNDS.into() } else { Vec::new() },
        };
        Declaration { family: family.into(), shapes, idle, buckets, distinct: None }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..2_usize, 0..2_usize, [0..8_usize, 0..8, 0..8], 0..5_u8);
    prop_oneof![
        12 => change.prop_map(|(family, shape, values, amount)| {
            Step::Change { family, shape, values, amount }
        }),
        2 => (1..40_u64).prop_map(Step::Wait),
        1 => (1..60_u64).prop_map(Step::Expire),
        1 => (1..40_usize, 1..20_usize).prop_map(|(all, one)| Step::Rebound(all, one)),
        1 => any::<u8>().prop_map(Step::Reload),
    ]
}

fn value(dimension: &Dimension, at: usize) -> &str {
    match dimension {
        Dimension::Absent => "",
        Dimension::Declared(_) => ["x", "x", "x", "y", "y", "z", "other", ""][at],
        Dimension::Open { default, .. } => match ["p", "p", "q", "r", "s", "t", "other", ""][at] {
            "" => default.as_deref().unwrap_or(""),
            value => value,
        },
    }
}

/// The labels a rule could have made of these numbers.
fn labels(shape: &[Dimension], values: [usize; 3]) -> Vec<&str> {
    let value = |(dimension, at)| value(dimension, at);
    let labels: Vec<&str> = shape.iter().zip(values).map(value).collect();
    let declared = |(dimension, label): (&Dimension, &&str)| match dimension {
        Dimension::Declared(values) => {
            label.is_empty() || *label == "other" || values.iter().any(|one| **one == **label)
        }
        _ => true,
    };
    // A rule turns a value nobody declared into `other`.
    let fits: Vec<bool> = shape.iter().zip(&labels).map(declared).collect();
    labels.iter().zip(fits).map(|(label, fits)| if fits { *label } else { "other" }).collect()
}

/// What a scrape reads of a family: label set to value, count and start.
fn shown(store: &Store, family: usize) -> BTreeMap<Set, (f64, f64, Timestamp)> {
    let mut copies = store.copies(true, Timestamp(1));
    let pieces: Vec<_> = copies.remove(family).collect();
    let names = pieces.first().map_or(&[][..], |piece| &piece.family.labels);
    let mut rows = BTreeMap::new();
    for row in pieces.iter().flat_map(|piece| &piece.rows) {
        let held = |name: &LabelName| {
            let pair = row.labels.0.iter().find(|(held, _)| held == name);
            pair.map_or(String::new(), |(_, value)| value.to_string())
        };
        let (value, count) = match &row.value {
            RowValue::Counter(total, _) => (*total, 0.0),
            RowValue::Gauge(value) => (*value, 0.0),
            RowValue::Histogram(held) => (held.sum.total(), held.counts.iter().sum()),
            RowValue::Native(held) => (held.sum.total(), held.count),
            other => panic!("no rule makes {other:?}"),
        };
        let set = names.iter().map(held).collect();
        assert_eq!(rows.insert(set, (value, count, row.start.unwrap())), None, "a set comes twice");
    }
    rows
}

fn compare(store: &Store, model: &Model) {
    for (family, count) in store.counts().enumerate() {
        assert_eq!(shown(store, family), model.shown(family));
        assert_eq!((count.series, count.overflow), model.counts(family));
    }
}

fn op(kind: Kind, amount: u8) -> Op<'static> {
    let value = f64::from(amount);
    match kind {
        Kind::Gauge => Op::Set(value),
        Kind::Histogram => Op::Observe { value, weight: 0.5 },
        _ => Op::Add(value / 2.0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_store_does_what_the_model_does(
        declarations in (declaration(0), declaration(1)),
        others in (declaration(0), declaration(1)),
        limits in (1..40_usize, 1..20_usize),
        steps in vec(step(), 1..80),
    ) {
        let mut declared = [Arc::new(declarations.0), Arc::new(declarations.1)];
        let others = [Arc::new(others.0), Arc::new(others.1)];
        let mut now = Timestamp(1_000_000_000_000);
        let budget = Arc::new(Budget::new(limits.0, limits.1));
        let mut store = Store::new(&declared, budget.clone(), None, now);
        let mut model = Model::new(&declared, limits, now);
        compare(&store, &model);
        for step in steps {
            match step {
                Step::Change { family, shape, values, amount } => {
                    let declaration = declared[family].clone();
                    let shape = shape % declaration.shapes.len();
                    let labels = labels(&declaration.shapes[shape], values);
                    let op = op(declaration.family.kind, amount);
                    // Every third record is from the past.
                    let time = Timestamp(now.0 - u64::from(amount % 3 == 2) * 5_000_000_000);
                    let sample = Sample { time, arrival: now, ids: None };
                    let key = key::of(&labels);
                    let hash = store.hash(&key);
                    let change = Change { shape, key: &key, hash, op, sample };
                    let applied = store.write(family, now).unwrap().apply(&change);
                    prop_assert_eq!(applied, model.apply(family, shape, &labels, op, (time, now)));
                }
                Step::Wait(seconds) => now.0 += seconds * 1_000_000_000,
                Step::Expire(seconds) => {
                    store.expire(now, Duration::from_secs(seconds));
                    model.expire(now, Duration::from_secs(seconds));
                }
                Step::Rebound(all, one) => {
                    budget.rebound(all, one);
                    model.limits = (all, one);
                }
                Step::Reload(changed) => {
                    for at in 0..2 {
                        if changed >> at & 1 == 1 {
                            declared[at] = others[at].clone();
                        }
                    }
                    store = Store::new(&declared, budget.clone(), Some(&store), now);
                    model.reload(&declared, now);
                }
            }
            compare(&store, &model);
        }
    }

    #[test]
    fn no_total_is_lost_and_no_limit_passed(
        shape in vec(dimension(), 1..=3),
        per_metric in 1..20_usize,
        changes in vec([0..8_usize, 0..8, 0..8], 1..200),
    ) {
        let family = Family {
            name: MetricName::own("f_total"),
            help: String::new(),
            unit: String::new(),
            kind: Kind::Counter,
            labels: NAMES.iter().take(shape.len()).map(|name| LabelName::own(name)).collect(),
            bounds: Vec::new(),
        };
        let declaration = Declaration { family: family.into(), shapes: vec![shape], idle: None, buckets: BucketKind::Classic, distinct: None };
        let declared = [Arc::new(declaration)];
        let now = Timestamp(1);
        let store = Store::new(&declared, Arc::new(Budget::new(1000, per_metric)), None, now);
        let shape = &declared[0].shapes[0];
        let mut folded = 0;
        for values in &changes {
            let labels = labels(shape, *values);
            let sample = Sample { time: now, arrival: now, ids: None };
            let key = key::of(&labels);
            let hash = store.hash(&key);
            let change = Change { shape: 0, key: &key, hash, op: Op::Add(1.0), sample };
            folded += u64::from(store.write(0, now).unwrap().apply(&change) == Applied::Folded);
        }
        let rows = shown(&store, 0);
        let total: f64 = rows.values().map(|(value, ..)| value).sum();
        prop_assert_eq!(total, changes.len() as f64);
        // Enumerated labels stay exact, whatever became of the open ones.
        for (at, dimension) in shape.iter().enumerate() {
            if matches!(dimension, Dimension::Declared(_)) {
                for value in ["x", "y", "z", "other", ""] {
                    let sent = changes.iter().filter(|values| labels(shape, **values)[at] == value);
                    let held = rows.iter().filter(|(set, _)| set[at] == value);
                    let held: f64 = held.map(|(_, (value, ..))| value).sum();
                    prop_assert_eq!(sent.count() as f64, held);
                }
            }
        }
        // Beside the limit there are only the declared sets and those that `other` stands in: both have a bound of their own.
        let is_open = |at: &usize| matches!(shape[*at], Dimension::Open { .. });
        let reserved = |set: &&Set| (0..shape.len()).filter(is_open).all(|at| set[at] == "other");
        let rest = rows.keys().filter(|set| !reserved(set)).count();
        prop_assert!(rest <= per_metric, "{} of {}", rest, per_metric);
        prop_assert_eq!(store.counts().next().unwrap().overflow, folded);
    }
}

/// How often a random session of the property above ends in each way: a property that never folds proves nothing.
#[test]
fn the_property_sees_all_outcomes() {
    let mut runner = TestRunner::deterministic();
    let sessions = (declaration(0), declaration(1), (1..40_usize, 1..20_usize), vec(step(), 1..80));
    let (mut outcomes, mut expired, mut alone) = ([0; 3], 0, 0);
    for _ in 0..200 {
        let tree = sessions.new_tree(&mut runner).unwrap();
        let (one, other, limits, steps) = tree.current();
        let declared = [Arc::new(one), Arc::new(other)];
        let mut now = Timestamp(1_000_000_000_000);
        let mut model = Model::new(&declared, limits, now);
        for step in steps {
            match step {
                Step::Change { family, shape, values, amount } => {
                    let declaration = &declared[family];
                    let shape = shape % declaration.shapes.len();
                    let labels = labels(&declaration.shapes[shape], values);
                    let op = op(declaration.family.kind, amount);
                    match model.apply(family, shape, &labels, op, (now, now)) {
                        Applied::Exact => outcomes[0] += 1,
                        Applied::Folded => outcomes[1] += 1,
                        Applied::NoRoom => outcomes[2] += 1,
                        Applied::Mismatch => unreachable!("no sender is here"),
                    }
                }
                Step::Wait(seconds) => now.0 += seconds * 1_000_000_000,
                Step::Expire(seconds) => {
                    let held = |model: &Model| model.counts(0).0 + model.counts(1).0;
                    let before = held(&model);
                    model.expire(now, Duration::from_secs(seconds));
                    expired += before - held(&model);
                    alone += held(&model);
                }
                Step::Rebound(all, one) => model.limits = (all, one),
                Step::Reload(_) => {}
            }
        }
    }
    assert!(outcomes.iter().all(|one| *one > 200), "{outcomes:?}");
    assert!(expired > 200 && alone > 200, "{expired} went, {alone} stayed");
}

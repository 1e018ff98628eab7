use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::amount::{Amount, Histogram};
use crate::model::{
    Addition, Dimension, DistinctPlan, Family, Kind, LabelName, MetricName, Op, Pseudonym, Reach,
    RowValue, Window,
};
use crate::series::{Birth, Budget, Change, KeptPassed, Passed, Sample};
use crate::series::{Effect, First, Owner};

/// All series were shown.
const ALL: Option<Timestamp> = Some(Timestamp::MAX);
const NOW: u64 = 40 * 86_400_000_000_000;

fn declaration(name: &str, kind: Kind) -> Declaration {
    let family = Family {
        name: MetricName::own(name),
        help: String::new(),
        unit: String::new(),
        kind,
        labels: vec![LabelName::own("a"), LabelName::own("b")],
        bounds: if kind == Kind::Histogram { vec![1.0, 2.0] } else { Vec::new() },
    };
    let declared = Dimension::Declared(vec!["ok".into(), "bad".into()]);
    let shapes = vec![vec![declared, Dimension::Open { limit: Some(2), default: None }]];
    let (idle, buckets) = (None, BucketKind::Classic);
    Declaration { family: family.into(), shapes, idle, buckets, distinct: None }
}

fn distinct(days: u64) -> Declaration {
    let length = Duration::from_secs(days * 86_400);
    let windows = vec![Window { name: format!("{days}d").into(), reach: Reach::Back(length) }];
    let plan = DistinctPlan { windows, registers: 16, key: "k".into() };
    Declaration { distinct: Some(plan), ..declaration("people", Kind::Gauge) }
}

fn store(declarations: &[Declaration], now: u64) -> Store {
    let declarations: Vec<_> = declarations.iter().cloned().map(Arc::new).collect();
    Store::new(&declarations, Arc::new(Budget::new(1000, 100)), None, Timestamp(now))
}

fn change(store: &Store, family: usize, labels: [&str; 2], op: Op<'_>, now: u64) {
    let key = key::of(&labels);
    let hash = store.hash(&key);
    let time = Timestamp(now);
    let sample = Sample { time, arrival: time, ids: Some(([7; 16], [8; 8])) };
    let mut writer = store.write(family, Timestamp(now)).unwrap();
    writer.apply(&Change { shape: 0, key: &key, hash, op, sample });
}

/// `name a=..,b=.. value start born` for each series.
fn shown(store: &Store, now: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for piece in store.copies(true, Timestamp(now)).into_iter().flatten() {
        for row in &piece.rows {
            let pairs =
                row.labels.0.iter().map(|(name, value)| format!("{}={value}", name.as_str()));
            let value = match &row.value {
                RowValue::Counter(value, one) => format!("{value} {}", one.is_some()),
                RowValue::Gauge(value) => value.to_string(),
                RowValue::Histogram(one) => format!("{:?} {}", one.counts, one.sum.total()),
                other => format!("{other:?}"),
            };
            let name = piece.family.name.as_str();
            let (start, born) = (row.start.map(|one| one.0), row.born.map(|one| one.0));
            let labels = pairs.collect::<Vec<_>>().join(",");
            lines.push(format!("{name} {labels} {value} {start:?} {born:?}"));
        }
    }
    lines.sort();
    lines
}

/// Through bytes, as over a restart.
fn copied(store: &Store) -> Vec<KeptFamily> {
    store.begin_cut();
    through_bytes(store)
}

fn through_bytes(store: &Store) -> Vec<KeptFamily> {
    postcard::from_bytes(&postcard::to_allocvec(&store.keep()).unwrap()).unwrap()
}

fn filled() -> (Vec<Declaration>, Store) {
    let all = vec![
        declaration("x_total", Kind::Counter),
        declaration("x_seconds", Kind::Histogram),
        declaration("level", Kind::Gauge),
        distinct(7),
    ];
    let before = store(&all, NOW);
    for at in 0..4 {
        change(&before, 0, ["ok", &at.to_string()], Op::Add(2.5), NOW + 1);
    }
    change(&before, 1, ["other", "t"], Op::Observe { value: 1.5, weight: 2.0 }, NOW + 2);
    change(&before, 2, ["ok", "t"], Op::Set(7.0), NOW + 3);
    for who in 0..3 {
        let see = Op::See { who: Pseudonym(who << 60), now: Timestamp(NOW + 4) };
        change(&before, 3, ["ok", "t"], see, NOW + 4);
    }
    (all, before)
}

#[test]
fn after_a_clean_end_all_is_as_it_was_and_nothing_is_shown_at_0() {
    let (all, before) = filled();
    let after = store(&all, NOW + 100);
    assert_eq!(after.restore(copied(&before), ALL, Timestamp(NOW + 100)), 4);
    let without_births = |lines: Vec<String>| -> Vec<String> {
        lines.iter().map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let lines = shown(&after, NOW + 100);
    assert_eq!(without_births(lines.clone()), without_births(shown(&before, NOW + 100)));
    assert!(lines.iter().all(|line| line.ends_with(" None")), "{lines:#?}");
    assert!(lines.contains(&format!("x_total a=ok,b=other 5 true Some({}) None", NOW + 1)));
    let counts = |store: &Store| store.counts().collect::<Vec<_>>();
    assert_eq!(counts(&after), counts(&before), "folded ones are told too");
    // And it goes on so: what is there rises, what is new folds, what is idle goes whole.
    change(&after, 0, ["ok", "0"], Op::Add(1.0), NOW + 200);
    change(&after, 0, ["ok", "9"], Op::Add(1.0), NOW + 200);
    let lines = shown(&after, NOW + 200);
    assert!(lines.contains(&format!("x_total a=ok,b=0 3.5 true Some({}) None", NOW + 1)));
    assert!(lines.contains(&format!("x_total a=ok,b=other 6 true Some({}) None", NOW + 1)));
    after.expire(Timestamp(NOW + 250), Duration::from_nanos(100));
    assert_eq!(after.counts().map(|one| one.series).collect::<Vec<_>>(), [4, 0, 0, 0]);
}

#[test]
fn after_a_kill_people_are_there_and_counters_begin_anew() {
    let (all, before) = filled();
    let after = store(&all, NOW + 100);
    assert_eq!(after.restore(copied(&before), None, Timestamp(NOW + 100)), 1);
    let born = Some(NOW + 100);
    let lines = shown(&after, NOW + 100);
    assert!(lines.contains(&"people a=ok,b=t,window=7d 3 None None".to_owned()), "{lines:#?}");
    assert!(lines.contains(&format!("people_new_total a=ok,b=t 0 false {born:?} {born:?}")));
    assert_eq!(lines.iter().filter(|line| line.starts_with("people_register")).count(), 3);
    assert!(!lines.iter().any(|line| line.starts_with('x')));
}

#[test]
fn keeps_counters_as_they_were_when_the_cut_began() {
    let (all, before) = filled();
    let expected = shown(&before, NOW + 4);
    before.begin_cut();
    for at in 0..9 {
        change(&before, 0, ["ok", &at.to_string()], Op::Add(100.0), NOW + 50);
    }
    change(&before, 1, ["other", "t"], Op::Observe { value: 1.5, weight: 9.0 }, NOW + 50);
    change(&before, 2, ["ok", "t"], Op::Set(9.0), NOW + 50);
    before.expire(Timestamp(NOW + 1000), Duration::from_nanos(100));
    change(&before, 0, ["ok", "new"], Op::Add(100.0), NOW + 1000);
    let after = store(&all, NOW + 100);
    assert_eq!(after.restore(through_bytes(&before), ALL, Timestamp(NOW + 100)), 4);
    let counters = |lines: Vec<String>| -> Vec<String> {
        let lines = lines.iter().filter(|line| !line.starts_with("people"));
        lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    assert_eq!(counters(shown(&after, NOW + 100)), counters(expected));
}

#[test]
fn shows_series_at_0_first_that_no_scraper_has_seen() {
    let (all, before) = filled();
    let after = store(&all, NOW + 100);
    // The counters began at `NOW + 1`, the histogram's series after it.
    after.restore(copied(&before), Some(Timestamp(NOW + 1)), Timestamp(NOW + 100));
    let lines = shown(&after, NOW + 100);
    let line = |family: &str| lines.iter().find(|line| line.starts_with(family)).unwrap();
    let restored = format!(" true Some({}) None", NOW + 1);
    assert!(line("x_total a=ok,b=0").ends_with(&format!("2.5{restored}")), "{lines:#?}");
    let (start, born) = (NOW + 2, NOW + 100);
    let seconds = lines.iter().filter(|line| line.starts_with("x_seconds"));
    let seconds: Vec<_> = seconds.filter(|line| line.contains("[0.0, 2.0, 0.0]")).collect();
    assert!(seconds[0].ends_with(&format!("Some({start}) Some({born})")), "{lines:#?}");
}

#[test]
fn a_family_that_was_declared_otherwise_begins_anew_and_others_go_on() {
    let (mut all, before) = filled();
    let mut wider = declaration("x_seconds", Kind::Histogram);
    wider.family = Arc::new(Family { bounds: vec![1.0, 3.0], ..(*wider.family).clone() });
    all[1] = wider;
    all[3] = distinct(28);
    all.remove(2);
    let after = store(&all, NOW + 100);
    assert_eq!(after.restore(copied(&before), ALL, Timestamp(NOW + 100)), 2);
    let lines = shown(&after, NOW + 100);
    assert!(!lines.iter().any(|line| line.starts_with("x_seconds") || line.starts_with("level")));
    assert!(lines.contains(&"people a=ok,b=t,window=28d 3 None None".to_owned()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("x_total")));
}

#[test]
fn what_does_not_fit_a_declaration_is_left_out() {
    let (all, before) = filled();
    let mut kept = copied(&before);
    let family = |name: &str| kept.iter().position(|one| &*one.name == name).unwrap();
    let (counter, histogram, people) = (family("x_total"), family("x_seconds"), family("people"));
    kept[counter].series.iter_mut().for_each(|one| one.cell = Cell::level(false));
    kept[histogram].series.iter_mut().for_each(|one| one.key = [0xff].into());
    let fewer = Cell::new(&Declaration {
        distinct: all[3].distinct.clone().map(|plan| DistinctPlan { registers: 8, ..plan }),
        ..all[3].clone()
    });
    kept[people].series.iter_mut().for_each(|one| one.cell = fewer.clone());
    let after = store(&all, NOW + 100);
    after.restore(kept, ALL, Timestamp(NOW + 100));
    let lines = shown(&after, NOW + 100);
    assert!(lines.len() == 1 && lines[0].starts_with("level"), "{lines:#?}");
}

const OWNER: Owner = Owner { id: 7, folds: true };

#[test]
fn senders_series_come_back_unless_their_name_is_somebody_elses_now() {
    let budget = Arc::new(Budget::new(1000, 100));
    let before = Passed::new([].iter(), budget.clone());
    for name in ["c_total", "taken_total", "h"] {
        let kind = if name == "h" { Kind::Histogram } else { Kind::Counter };
        let family = Family {
            name: MetricName::own(name),
            help: "Help.".into(),
            unit: String::new(),
            kind,
            labels: Vec::new(),
            bounds: Vec::new(),
        };
        let amount = match kind {
            Kind::Histogram => {
                Amount::Histogram(Histogram::new(3, Some(4.5), &[1, 2], &[1.0]).unwrap())
            }
            _ => Amount::Number(5.0),
        };
        let family = before.create(family).unwrap();
        let (first, start) = (First::Total(&amount), Some(Timestamp(1)));
        let born = (name == "h").then_some(Timestamp(9));
        let birth = Birth { first, start, born };
        let place = family.create(&[("a", "1")], (OWNER, false), birth, Timestamp(9));
        let addition = Addition { amount: amount.clone(), exemplars: Vec::new(), anew: false };
        let sample = Sample { time: Timestamp(9), arrival: Timestamp(9), ids: None };
        let effect = family.apply(place, Op::Merge(&addition), sample, Timestamp(9));
        assert_eq!(effect, Effect::Applied);
    }
    let kept =
        postcard::from_bytes(&postcard::to_allocvec(&KeptPassed::of(&before.begin_cut())).unwrap())
            .unwrap();
    let declared = declaration("taken_total", Kind::Counter);
    let budget = Arc::new(Budget::new(1000, 100));
    let after = Passed::new([&declared].into_iter(), budget.clone());
    after.restore(kept, &|_, _| OWNER, (Timestamp(8), Timestamp(10)));
    assert_eq!(budget.used(), 4, "overflow sets have their places again");
    let row = |name: &str, kind| {
        let family = after.family(name, kind).unwrap().unwrap();
        assert_eq!(family.family().help, "Help.");
        family.copies(true).next().unwrap().rows.remove(0)
    };
    let counter = row("c_total", Kind::Counter);
    assert!(matches!(counter.value, RowValue::Counter(value, None) if value == 5.0));
    assert_eq!((counter.start, counter.born), (Some(Timestamp(1)), None));
    let histogram = row("h", Kind::Histogram);
    let born = Some(Timestamp(10));
    assert_eq!((histogram.start, histogram.born), (Some(Timestamp(1)), born), "no scraper saw it");
    let RowValue::Histogram(held) = histogram.value else { panic!() };
    assert_eq!((&*held.counts, held.bounds.as_deref()), (&[1.0, 2.0][..], Some(&[1.0][..])));
    assert!(after.family("taken_total", Kind::Counter).is_err());
    assert_eq!(after.counts().count(), 2);
}

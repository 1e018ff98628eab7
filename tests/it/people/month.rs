//! Four weeks of people, each day against a model that forgets nothing.

use std::collections::{BTreeMap, HashMap};

use simulator::draw::Dice;

use super::*;

const QUARTER: u64 = 15 * 60 * SECOND;
const DAYS: u64 = 28;
const WINDOWS: [(&str, u64); 3] = [("1d", 1), ("7d", 7), ("28d", 28)];
const CONFIG: &str = r#"
attributes: {user: {any_of: [user.id], hash: true}}
metrics:
  people: {help: People., type: distinct, from: span, of: user, windows: [1d, 7d, 28d], registers: 512}
"#;

/// Everybody's last visit.
#[derive(Default)]
struct Naive(HashMap<u64, u64>);

impl Naive {
    /// Those who were there in a window of so many days that ends now: it begins with a quarter of an hour.
    fn count(&self, now: u64, days: u64) -> f64 {
        let oldest = now / QUARTER - days * DAY / QUARTER;
        self.0.values().filter(|at| **at / QUARTER >= oldest).count() as f64
    }
}

/// A request with a visit of each of these.
fn visits(people: &[(u64, u64)]) -> Vec<u8> {
    let span = |(person, at): &(u64, u64)| {
        let (start_time_unix_nano, end_time_unix_nano) = (*at, *at);
        let attributes = vec![text("user.id", format!("U{person}"))];
        Span { attributes, start_time_unix_nano, end_time_unix_nano, ..Span::default() }
    };
    traces(people.iter().map(span).collect())
}

impl Arrow {
    fn take(&self, people: &[(u64, u64)], now: u64) {
        protobuf::ingest(&self.0, Signal::Traces, &visits(people), Timestamp(now));
    }
}

/// So many visits in each hour of a day, by people of whom few come often and many seldom.
fn day(dice: &mut Dice, people: u64, hourly: u64, day: u64) -> Vec<Vec<(u64, u64)>> {
    let visit = |dice: &mut Dice, hour: u64| {
        let person = (dice.unit().powf(1.5) * people as f64) as u64;
        let at = BEGAN + day * DAY + hour * DAY / 24 + (dice.unit() * (DAY / 24) as f64) as u64;
        (person, at)
    };
    let hour = |hour| {
        let mut visits: Vec<_> = (0..hourly).map(|_| visit(dice, hour)).collect();
        visits.sort_by_key(|(_, at)| *at);
        visits
    };
    (0..24).map(hour).collect()
}

/// Lets the days go by; the relative errors of all windows on all days.
fn errors(people: u64, hourly: u64) -> Vec<f64> {
    let (arrow, mut naive) = (arrow_of(CONFIG, b"key"), Naive::default());
    let mut dice = Dice::new(people);
    let mut errors = Vec::new();
    for today in 0..=DAYS {
        for visits in day(&mut dice, people, hourly, today) {
            let now = BEGAN + today * DAY + DAY - 1;
            let last = visits.last().map_or(now, |(_, at)| *at);
            arrow.take(&visits, last);
            naive.0.extend(visits);
        }
        let now = BEGAN + (today + 1) * DAY - 1;
        let shown = arrow.shown("people", now);
        for (name, days) in WINDOWS {
            let (wanted, got) = (naive.count(now, days), shown[&format!("window={name}")]);
            assert!(wanted > 0.0);
            errors.push((got - wanted).abs() / wanted);
        }
    }
    errors
}

#[test]
fn fifty_thousand_people_over_28_days_are_counted_in_every_window() {
    let errors = errors(50_000, 250);
    assert_eq!(errors.len(), 3 * 29);
    assert!(errors.iter().all(|error| *error == 0.0), "up to 65,536 it is exact: {errors:?}");
}

#[test]
fn more_people_than_are_kept_are_within_the_stated_error() {
    let errors = errors(150_000, 500);
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    let most = errors.iter().copied().fold(0.0, f64::max);
    assert!(most > 0.0, "it was a sketch in the end");
    assert!(mean < 0.016 && most < 0.05, "mean {mean}, most {most}");
}

#[test]
fn small_bots_are_exact_on_every_day_and_in_every_window() {
    for people in [1, 5, 20] {
        let errors = errors(people, 1);
        assert!(errors.iter().all(|error| *error == 0.0), "{people}: {errors:?}");
    }
}

/// What PromQL does with the registers: the highest of each, and the estimate of those.
#[test]
fn three_replicas_with_one_key_are_one_bot_and_another_key_is_another() {
    let replicas = [b"key", b"key", b"key", b"yek"].map(|key| arrow_of(CONFIG, key));
    let mut dice = Dice::new(5);
    let (mut naive, mut merged) = (Naive::default(), BTreeMap::new());
    let mut other = BTreeMap::new();
    for today in 0..7 {
        for visits in day(&mut dice, 5_000, 60, today) {
            let (parts, last) =
                (visits.chunks(20).zip(replicas.iter().cycle().take(3)), visits[59].1);
            parts.for_each(|(part, replica)| replica.take(part, last));
            replicas[3].take(&visits, last);
            // A scrape an hour would miss some: registers are shown for minutes. Two are enough for the last visits.
            for (at, replica) in replicas.iter().enumerate() {
                let kept = if at == 3 { &mut other } else { &mut merged };
                for (labels, rank) in replica.shown("people_register", last) {
                    let highest: &mut f64 = kept.entry(labels).or_default();
                    *highest = highest.max(rank);
                }
            }
            naive.0.extend(visits);
        }
    }
    let wanted = naive.count(BEGAN + 7 * DAY - 1, 7);
    for registers in [&merged, &other] {
        let key = |labels: &String| labels.split(',').next().map(str::to_owned);
        let keys: std::collections::BTreeSet<_> = registers.keys().map(key).collect();
        assert_eq!(keys.len(), 1, "one key, one sketch");
        let error = (estimate(registers.values().copied(), 512) - wanted).abs() / wanted;
        assert!(error < 0.135, "three standard errors: {error}");
    }
    assert!(other.keys().all(|labels| !merged.contains_key(labels)));
}

/// The estimator in its own words: O. Ertl, 2017, as `model::estimator` has it for PromQL.
fn estimate(ranks: impl Iterator<Item = f64>, registers: i32) -> f64 {
    let m = f64::from(registers);
    let (mut filled, mut sum) = (0.0, 0.0);
    for rank in ranks {
        filled += 1.0;
        sum += (-rank).exp2();
    }
    let empty: f64 = 1.0 - filled / m;
    let sigma: f64 =
        empty + (1..=13).map(|k| empty.powi(1 << k) * f64::from(1 << (k - 1))).sum::<f64>();
    m * m / (2.0 * std::f64::consts::LN_2) / (m * sigma + sum)
}

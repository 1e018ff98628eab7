//! The statistics of the stream: what `mix` says is what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::*;
use crate::mix::Cause;

fn turns(seed: u64, count: usize) -> Vec<(f64, Interaction)> {
    Model::new(seed, day::FIRST_MOMENT)
        .filter_map(|moment| match moment.what {
            Happening::Turn(turn) => Some((moment.at, turn)),
            _ => None,
        })
        .take(count)
        .collect()
}

/// One long life for the tests that need many turns.
static MANY: LazyLock<Vec<(f64, Interaction)>> = LazyLock::new(|| turns(7, 50_000));

fn share(turns: &[(f64, Interaction)], is: impl Fn(&Interaction) -> bool) -> f64 {
    turns.iter().filter(|(_, turn)| is(turn)).count() as f64 / turns.len() as f64
}

#[test]
fn fifty_thousand_turns_have_the_shares_of_the_table() {
    let turns = &*MANY;
    let mut expected: BTreeMap<&str, f64> = BTreeMap::new();
    for row in ROWS {
        *expected.entry(row.feature).or_default() += row.share / 100.0;
    }
    for (feature, expected) in expected {
        let got = share(turns, |turn| turn.feature == feature);
        let tolerance = (expected * 0.1).max(0.003);
        assert!((got - expected).abs() < tolerance, "{feature}: {got} against {expected}");
    }
}

#[test]
fn failures_attempts_feedback_and_accidents_are_as_likely_as_said() {
    let turns = &*MANY;
    let close = |what: &str, got: f64, expected: f64, tolerance: f64| {
        assert!((got - expected).abs() < tolerance, "{what}: {got} against {expected}");
    };
    let knowing: Vec<_> =
        turns.iter().filter(|(_, turn)| turn.feature == "knowledge").cloned().collect();
    close("failed", share(&knowing, |turn| turn.cause.is_some()), 0.043, 0.006);
    let answered: Vec<_> =
        turns.iter().filter(|(_, t)| t.outcome == Outcome::Answered).cloned().collect();
    close("feedback", share(&answered, |turn| turn.feedback.is_some()), 0.04, 0.004);
    let asked: Vec<_> = turns.iter().filter(|(_, t)| !t.attempts.is_empty()).cloned().collect();
    close("second attempts", share(&asked, |turn| turn.attempts.len() > 1), 0.05, 0.005);
    close("third attempts", share(&asked, |turn| turn.attempts.len() > 2), 0.01, 0.003);
    close("cold", share(turns, |turn| turn.cold), 0.20, 0.01);
    close("redelivered", share(turns, |turn| turn.redelivered), 0.015, 0.003);
    close(
        "privileged people only",
        share(turns, |turn| {
            turn.feature == "jenkins.trigger" && turn.tier != super::people::Tier::Privileged
        }),
        0.0,
        1e-9,
    );
}

#[test]
fn durations_have_the_blend_of_the_table() {
    let mut seconds: Vec<f64> = MANY.iter().map(|(_, t)| t.duration).collect();
    seconds.sort_by(f64::total_cmp);
    let (p50, p95) = (seconds[25_000], seconds[47_500]);
    assert!((11.0..15.0).contains(&p50), "{p50}");
    assert!((38.0..52.0).contains(&p95), "{p95}");
    assert!(seconds[49_999] <= 122.0, "{}", seconds[49_999]);
}

#[test]
fn a_timeout_takes_two_minutes_and_everything_else_less() {
    for (_, turn) in turns(10, 20_000) {
        let timeout = turn.outcome == Outcome::Timeout;
        assert_eq!(timeout, turn.duration >= 120.0, "{turn:?}");
        assert_eq!(timeout, turn.cause == Some(Cause::Timeout), "{turn:?}");
    }
}

#[test]
fn one_seed_is_one_world() {
    let some = |seed| Model::new(seed, day::FIRST_MOMENT).take(2_000).collect::<Vec<_>>();
    assert_eq!(some(42), some(42));
    assert_ne!(some(42), some(43));
    let opening = |seed| Model::new(seed, day::FIRST_MOMENT).opening(day::FIRST_MOMENT);
    assert_eq!(opening(42), opening(42));
}

#[test]
fn time_never_runs_backwards_and_weeks_have_their_shape() {
    let mut last = 0.0;
    let (mut weekday, mut weekend) = (0u32, 0u32);
    let mut users: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for moment in Model::new(11, 0.0).take_while(|moment| moment.at < 28.0 * day::DAY) {
        assert!(moment.at >= last);
        last = moment.at;
        if let Happening::Turn(turn) = moment.what {
            let today = day::day(moment.at);
            *(if day::weekend(today) { &mut weekend } else { &mut weekday }) += 1;
            users.entry(today).or_default().insert(turn.person);
        }
    }
    let a_day = f64::from(weekday) / 20.0;
    assert!((225.0..275.0).contains(&a_day), "{a_day}");
    assert!((15.0..60.0).contains(&(f64::from(weekend) / 8.0)), "{weekend}");
    let active: Vec<usize> =
        (0..28).filter(|d| !day::weekend(*d)).map(|d| users[&d].len()).collect();
    let mean = active.iter().sum::<usize>() as f64 / active.len() as f64;
    assert!((50.0..70.0).contains(&mean), "{active:?}");
}

#[test]
fn sessions_begin_with_turn_one_and_end_once() {
    let turns = turns(12, 20_000);
    let mut next: BTreeMap<u64, (u32, bool)> = BTreeMap::new();
    for (_, turn) in &turns {
        let (seen, ended) = next.entry(turn.conversation).or_default();
        assert_eq!(turn.turn, *seen + 1);
        assert!(!*ended);
        (*seen, *ended) = (turn.turn, turn.last);
    }
}

#[test]
fn the_opening_shows_every_sight_within_its_half_hour() {
    for seed in 0..2 {
        let until = day::FIRST_MOMENT;
        let opening = Model::new(seed, until).opening(until);
        let turns: Vec<&Interaction> = opening
            .iter()
            .filter_map(|moment| match &moment.what {
                Happening::Turn(turn) => Some(turn),
                _ => None,
            })
            .collect();
        for (at, sight) in opening::SIGHTS.iter().enumerate() {
            assert!(turns.iter().any(|turn| sight(turn)), "seed {seed}, sight {at}");
        }
        assert!(turns.len() < 80, "{}", turns.len());
        for moment in &opening {
            assert!(moment.at <= until && moment.at >= until - opening::SPAN - 130.0);
        }
    }
}

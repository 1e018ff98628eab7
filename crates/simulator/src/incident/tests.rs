//! Each incident changes in the truth what it says, for as long as it lasts, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::{Happening, Interaction, Model, Moment, Outcome, Step};
use crate::truth::{self, Truth};
use day::HOUR;

/// Monday's morning, with two hours of trouble at a busy time, and two to come to rest.
const FROM: f64 = 10.0 * HOUR;
const UNTIL: f64 = 12.0 * HOUR;
const END: f64 = 14.0 * HOUR;

struct Life {
    moments: Vec<Moment>,
    truth: Truth,
}

fn life(seed: u64, script: Option<Script>, end: f64) -> Life {
    let moments = Model::with(seed, day::FIRST_MOMENT, script);
    let moments: Vec<Moment> = moments.take_while(|moment| moment.at < end).collect();
    let truth = books(moments.iter(), script);
    Life { moments, truth }
}

fn books<'a>(moments: impl Iterator<Item = &'a Moment>, script: Option<Script>) -> Truth {
    let mut truth = Truth::new(9, 1.0);
    truth.incident = script.map(|script| truth::Incident::new(script, 0.0));
    moments.for_each(|moment| {
        truth.happened(moment);
    });
    truth
}

/// Whether an incident brought it: such conversations have numbers apart.
fn brought(moment: &Moment) -> bool {
    let conversation = match &moment.what {
        Happening::Turn(turn) => turn.conversation,
        Happening::Lost(lost) => lost.conversation,
        Happening::Job(job) => job.conversation.unwrap_or_default(),
        Happening::Webhook(_) => 0,
    };
    conversation > u32::MAX.into()
}

fn with(incident: Incident) -> Life {
    life(9, Some(Script { incident, from: FROM, until: UNTIL }), END)
}

fn without() -> Life {
    life(9, None, END)
}

impl Life {
    fn turns(&self) -> impl Iterator<Item = &Interaction> {
        self.moments.iter().filter_map(|moment| match &moment.what {
            Happening::Turn(turn) => Some(turn),
            _ => None,
        })
    }

    fn share(&self, of: impl Fn(&Interaction) -> bool, is: impl Fn(&Interaction) -> bool) -> f64 {
        let of: Vec<_> = self.turns().filter(|turn| turn.troubled && of(turn)).collect();
        assert!(of.len() >= 15, "{}", of.len());
        of.iter().filter(|turn| is(turn)).count() as f64 / of.len() as f64
    }

    fn incident(&self) -> &truth::Incident {
        self.truth.incident.as_ref().unwrap()
    }
}

/// The parts of the truth that differ, those apart that were brought.
fn changed(one: &Life, other: &Life) -> BTreeSet<String> {
    let usual = |life: &Life| books(life.moments.iter().filter(|moment| !brought(moment)), None);
    let [one, other] = [one, other].map(|life| serde_json::to_value(usual(life)).unwrap());
    let keys = one.as_object().unwrap().keys();
    keys.filter(|key| one[key.as_str()] != other[key.as_str()]).cloned().collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn whom_it_does_not_reach_it_does_not_change() {
    // Long enough for most of the day not to be reached.
    let until = END + 6.0 * HOUR;
    let usual = life(9, None, until);
    let by_turn: BTreeMap<(u64, u32), &Interaction> =
        usual.turns().map(|turn| ((turn.conversation, turn.turn), turn)).collect();
    for incident in Incident::ALL {
        let life = life(9, Some(Script { incident, from: FROM, until: UNTIL }), until);
        let mut reached: BTreeSet<u64> = BTreeSet::new();
        let mut compared = 0;
        for moment in &life.moments {
            let Happening::Turn(turn) = &moment.what else { continue };
            if turn.troubled {
                reached.insert(turn.conversation);
                // Sessions that it brought go on after it.
                let lasts = (FROM..UNTIL).contains(&moment.at);
                assert!(lasts || (brought(moment) && moment.at > FROM), "{incident:?}: {moment:?}");
            } else if !reached.contains(&turn.conversation) {
                assert_eq!(by_turn[&(turn.conversation, turn.turn)], turn, "{incident:?}");
                compared += 1;
            }
        }
        assert!(compared > 20, "{incident:?}: {compared}");
        let rest = |life: &Life| -> Vec<Moment> {
            let rest = life.moments.iter().filter(|m| matches!(m.what, Happening::Webhook(_)));
            rest.cloned().collect()
        };
        assert_eq!(rest(&life), rest(&usual), "{incident:?}");
        assert_eq!((life.incident().from_seconds, life.incident().until_seconds), (FROM, UNTIL));
        assert!(life.incident().turns >= 20, "{incident:?}: {:?}", life.incident());
    }
}

#[test]
fn it_is_the_same_every_time_and_shows_at_night() {
    for incident in Incident::ALL {
        assert_eq!(with(incident).moments, with(incident).moments);
        let night = Script { incident, from: 26.0 * HOUR, until: 27.0 * HOUR };
        let turns = life(9, Some(night), 27.0 * HOUR).truth.incident.unwrap().turns;
        let least = if incident == Incident::TelemetryGap { 0 } else { 15 };
        assert!(turns >= least, "{incident:?}: {turns}");
    }
}

#[test]
fn a_throttle_storm_overloads_most_who_ask_a_model() {
    let life = with(Incident::ThrottleStorm);
    let asks = |turn: &&Interaction| !turn.attempts.is_empty();
    let ours = |turn: &&Interaction| turn.conversation <= u32::MAX.into() && turn.troubled;
    let reached: Vec<_> = life.turns().filter(ours).filter(asks).collect();
    assert!(reached.iter().all(|turn| turn.outcome == Outcome::Overloaded));
    let here = life.moments.iter().filter(|m| (FROM..UNTIL).contains(&m.at) && !brought(m));
    let asked = here.filter(|m| matches!(&m.what, Happening::Turn(turn) if asks(&turn))).count();
    let share = reached.len() as f64 / asked as f64;
    assert!((0.4..0.8).contains(&share), "{share}");
    for turn in reached {
        let errors: Vec<_> = turn.attempts.iter().map(|attempt| attempt.error).collect();
        assert_eq!(errors, [Some("throttlingException"); 3]);
    }
    let changed = changed(&life, &without());
    assert!(changed.is_disjoint(&set(&["identity", "security", "webhooks", "lost"])));
    assert!(changed.is_superset(&set(&["interactions", "attempts", "chat_calls"])));
}

#[test]
fn a_saturation_is_slow_loses_messages_and_has_them_delivered_again() {
    let (life, usual) = (with(Incident::Saturation), without());
    let books = life.incident();
    let lost = life.truth.lost as f64 / books.turns as f64;
    assert!((0.11..0.19).contains(&lost), "{lost}");
    let again = life.share(|_| true, |turn| turn.redelivered);
    assert!((0.2..0.32).contains(&again), "{again}");
    let again = |life: &Life| life.truth.ingress.sum_where(|[_, retry]| *retry == "http_timeout");
    assert!(again(&life) > again(&usual) + life.truth.lost);
    let moments = life.moments.iter().filter(|moment| (FROM..UNTIL).contains(&moment.at));
    let busy = moments.map(|m| m.what.duration()).sum::<f64>() / (UNTIL - FROM);
    assert!((7.5..10.0).contains(&busy), "{busy} in progress, of 10 slots");
}

#[test]
fn a_bad_deploy_fails_a_third_and_says_its_version() {
    let life = with(Incident::BadDeploy);
    let failed = life
        .turns()
        .filter(|turn| turn.troubled)
        .filter(|turn| matches!(turn.outcome, Outcome::Error | Outcome::Fallback))
        .count() as f64;
    let share = failed / life.incident().turns as f64;
    assert!((0.2..0.45).contains(&share), "{share}");
    let deployed = life.truth.versions.sum_where(|[version]| *version == VERSIONS.1);
    assert_eq!(deployed, life.incident().turns);
    let unhappy = |life: &Life| life.truth.feedback.sum_where(|[label]| *label == "down");
    assert!(unhappy(&life) > unhappy(&without()));
    let changed = changed(&life, &without());
    assert!(changed.is_disjoint(&set(&["identity", "security", "webhooks", "lost"])));
}

#[test]
fn an_injection_burst_brings_hostile_messages_and_leaves_the_rest_alone() {
    let (life, usual) = (with(Incident::InjectionBurst), without());
    let more = |kind: &str| {
        let count = |life: &Life| life.truth.security.sum_where(|[k]| *k == kind);
        count(&life) - count(&usual)
    };
    let guardrail = life.truth.guardrail.total() - usual.truth.guardrail.total();
    let (injections, spoofed) = (more("prompt_injection"), more("identity_spoofing"));
    let all = life.incident().changed;
    assert!((880..1040).contains(&all), "{all}");
    assert!(injections >= 350 && spoofed >= 70 && guardrail >= 350, "{injections} {guardrail}");
    // A few of them fail as other messages do.
    assert!(all - (injections + spoofed + guardrail) < 40);
    let more = life.truth.interactions.total() - usual.truth.interactions.total();
    assert_eq!(more, all, "nobody else comes or stays away");
}

#[test]
fn an_oversize_tool_result_hangs_the_agent() {
    let life = with(Incident::OversizeToolResult);
    let oversize = |turn: &Interaction| {
        turn.answering.steps().any(|s| matches!(s, Step::Tool(call) if call.result_size > 400_000))
    };
    let hung = life.share(oversize, |turn| turn.outcome == Outcome::Timeout);
    assert!((0.3..0.9).contains(&hung), "{hung}");
    let none = |turn: &Interaction| turn.troubled && !oversize(turn);
    for turn in life.turns().filter(|turn| none(turn)) {
        assert!(turn.duration < 120.0 || turn.outcome == Outcome::Timeout, "{turn:?}");
    }
}

#[test]
fn a_cost_regression_is_tokens_and_nothing_else() {
    let (life, usual) = (with(Incident::CostRegression), without());
    assert_eq!(changed(&life, &usual), set(&["tokens"]));
    let tokens = |turn: &Interaction| -> u64 {
        let steps = turn.answering.steps();
        steps.map(|step| if let Step::Call(call) = step { call.input } else { 0 }).sum()
    };
    let ours = life.turns().filter(|turn| turn.conversation <= u32::MAX.into());
    let reached: Vec<_> = ours.zip(usual.turns()).filter(|(turn, _)| turn.troubled).collect();
    assert!(reached.len() > 20);
    assert!(reached.iter().all(|(turn, usual)| tokens(turn) == 3 * tokens(usual)));
}

#[test]
fn a_telemetry_gap_is_told_by_nobody() {
    let (life, usual) = (with(Incident::TelemetryGap), without());
    assert_eq!(life.moments, usual.moments, "all of it happens, and nobody else comes");
    let told = |life: &Life| {
        let truth = &life.truth;
        truth.interactions.total() + truth.webhooks.total() + truth.jobs.total()
    };
    assert!(life.incident().untold > 50);
    assert_eq!(told(&life) + life.incident().untold, told(&usual));
}

#[test]
fn a_label_explosion_is_tool_names_and_nothing_else() {
    let life = with(Incident::LabelExplosion);
    assert_eq!(changed(&life, &without()), set(&["tools"]));
    let names: BTreeSet<&str> = life
        .turns()
        .flat_map(|turn| turn.answering.steps())
        .filter_map(|step| if let Step::Tool(call) = step { Some(call.tool.name) } else { None })
        .filter(|name| name.starts_with("query_metrics_"))
        .collect();
    assert!(names.len() > 100, "{}", names.len());
}

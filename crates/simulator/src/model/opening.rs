//! The first seconds: a sample in which everything that can happen has happened once, so that no panel starts empty.

use super::super::day;
use super::super::draw::Dice;
use super::super::incident::Trouble;
use super::super::mix::ROWS;
use super::interaction::{Feedback, Interaction, Outcome, Step};
use super::{Happening, Model, Moment};

/// Simulated time that the opening covers, seconds.
pub const SPAN: f64 = day::HOUR / 2.0;
/// Turns looked at for each sight: rarest are self-approvals, about one turn in 800 of the general mix.
const TRIES: u32 = 20_000;

/// What somebody who opens the dashboards must find.
pub(super) const SIGHTS: &[fn(&Interaction) -> bool] = &[
    |turn| turn.outcome == Outcome::ConfirmationRequested,
    |turn| turn.confirmation.contains(&"executed"),
    |turn| turn.outcome == Outcome::Fallback,
    |turn| turn.outcome == Outcome::Blocked && turn.guardrail,
    |turn| turn.outcome == Outcome::Timeout,
    |turn| turn.outcome == Outcome::Overloaded,
    |turn| turn.outcome == Outcome::Error,
    |turn| turn.feedback == Some(Feedback::Up),
    |turn| turn.feedback == Some(Feedback::Down),
    |turn| turn.attempts.len() == 2,
    |turn| turn.attempts.len() == 3,
    |turn| turn.security == Some("prompt_injection"),
    |turn| turn.security == Some("identity_spoofing"),
    |turn| turn.denial == Some("unlinked"),
    |turn| turn.denial == Some("tier"),
    |turn| turn.denial == Some("self_approval"),
    |turn| turn.identity == Some("linked"),
    |turn| turn.redelivered,
    |turn| tool_ended(turn, "declared_error"),
    |turn| tool_ended(turn, "rejected"),
    |turn| tool_ended(turn, "transport_error"),
    |turn| turn.answering.steps().any(|step| matches!(step, Step::Retrieval(r) if r.hits == 0)),
    |turn| turn.remediation == Some("remediation_started"),
];

impl Model {
    /// The half hour before `until`: one turn of each matter, each sight once, a webhook and a run of a job.
    ///
    /// Drawn from a copy of the world, so that looking for rare sights uses up nothing of the real one.
    pub fn opening(&mut self, until: f64) -> Vec<Moment> {
        let from = until - SPAN;
        let mut world = Self { dice: Dice::new(self.dice.bits()), ..self.clone() };
        let mut turns: Vec<Interaction> = Vec::new();
        for row in 0..ROWS.len() {
            let mut plan = world.begin(row, from);
            turns.push(Interaction { last: true, ..plan.happen(&Trouble::default()) });
        }
        for sight in SIGHTS {
            if !turns.iter().any(sight) {
                turns.extend(world.look_for(*sight, from));
            }
        }
        let step = SPAN / (turns.len() + 1) as f64;
        let mut moments: Vec<Moment> = turns
            .into_iter()
            .zip(1u32..)
            .map(|(turn, n)| Moment {
                // A turn that ends after `until` would be told before it is over.
                at: (from + step * f64::from(n)).min(until - turn.duration),
                what: Happening::Turn(turn),
            })
            .collect();
        moments.push(world.webhook(from));
        moments.push(world.notifier(from));
        self.conversations = world.conversations;
        moments.sort_by(|a, b| a.at.total_cmp(&b.at));
        moments
    }

    /// The turns of the first session that shows this.
    fn look_for(&mut self, sight: fn(&Interaction) -> bool, at: f64) -> Vec<Interaction> {
        let usual = Trouble::default();
        for _ in 0..TRIES {
            let row = self.dice.weighted(ROWS.iter().map(|row| row.share));
            let mut plan = self.begin(row, at);
            let first = plan.happen(&usual);
            if sight(&first) {
                return vec![Interaction { last: true, ..first }];
            }
            let second = plan.next(&first).map(|mut next| next.happen(&usual));
            if let Some(second) = second.filter(sight) {
                return vec![first, Interaction { last: true, ..second }];
            }
        }
        Vec::new()
    }
}

fn tool_ended(turn: &Interaction, outcome: &str) -> bool {
    turn.answering.steps().any(|step| matches!(step, Step::Tool(call) if call.outcome == outcome))
}

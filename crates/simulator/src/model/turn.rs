//! How one turn goes: the plan of a session, and the draw that makes a turn of it.

use super::super::draw::Dice;
use super::super::incident::Trouble;
use super::super::mix::{self, Cause, Matter, ROWS, Row};
use super::super::people::{self, Tier};
use super::interaction::{Answering, Feedback, Interaction, Outcome};

mod answering;

use answering::{all_throttled, attempts, change};

/// The next turn of a session.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    row: &'static Row,
    person: u32,
    tier: Tier,
    pub(super) conversation: u64,
    turn: u32,
    left: u32,
    kind: &'static str,
    command: Option<&'static str>,
    /// The session's own: what happens in one changes nothing in another.
    pub(super) dice: Dice,
    /// How it is hostile.
    pub(super) attack: Option<&'static str>,
    /// Whether it came because of an incident.
    brought: bool,
}

impl Plan {
    /// A new session about the matter of this row.
    pub(super) fn begin(dice: &mut Dice, row: usize, person: u32, conversation: u64) -> Self {
        let mut own = Dice::new(dice.bits());
        let dice = &mut own;
        let row = ROWS.get(row).unwrap_or(&FIRST);
        let left = match row.matter {
            Matter::Confirmed => u32::from(dice.chance(mix::CONFIRMED)),
            Matter::Question | Matter::OutOfScope => {
                let at = dice.weighted(mix::TURNS.iter().map(|(share, _, _)| *share));
                let (_, low, high) = mix::TURNS.get(at).copied().unwrap_or((1.0, 1, 1));
                dice.between(low, high) - 1
            }
            _ => 0,
        };
        let command = (!row.commands.is_empty() && dice.chance(0.7))
            .then(|| dice.one_of(row.commands, "other"));
        let kind = match command {
            Some(_) => "slash_command",
            None if row.matter == Matter::Identity => "oauth_callback",
            None if dice.chance(if row.matter == Matter::Denied { 0.5 } else { 0.12 }) => "dm",
            None => "mention",
        };
        let tier = row.tier_of(people::tier(person), dice.chance(0.4));
        let (attack, brought) = (None, false);
        Self {
            row,
            person,
            tier,
            conversation,
            turn: 1,
            left,
            kind,
            command,
            attack,
            brought,
            dice: own,
        }
    }

    /// The same, because of an incident, and perhaps hostile: then it is one message.
    pub(super) fn brought(self, attack: Option<&'static str>) -> Self {
        let left = if attack.is_some() { 0 } else { self.left };
        Self { attack, left, brought: true, ..self }
    }

    /// The turn after this one, if the session has one.
    pub(super) fn next(&self, done: &Interaction) -> Option<Self> {
        (!done.last).then(|| Self {
            turn: self.turn + 1,
            left: self.left.saturating_sub(1),
            kind: if self.kind == "dm" { "dm" } else { "thread_reply" },
            command: None,
            ..self.clone()
        })
    }

    /// Lets it happen, with this trouble.
    pub(super) fn happen(&mut self, trouble: &Trouble) -> Interaction {
        let mut dice = self.dice.clone();
        let turn = self.draw(&mut dice, trouble);
        self.dice = dice;
        turn
    }

    fn draw(&self, dice: &mut Dice, trouble: &Trouble) -> Interaction {
        let row = self.row;
        let mut turn = self.blank(dice);
        turn.redelivered |= trouble.redelivered;
        turn.troubled = self.brought || *trouble != Trouble::default();
        let (p50, p95) = row.duration;
        turn.duration = dice.lognormal(p50, p95).clamp(p50 / 20.0, 290.0) * (1.0 + trouble.slower);
        match row.matter {
            Matter::Denied => {
                turn.outcome = Outcome::Denied;
                turn.denial = Some(self.denial(dice));
            }
            Matter::Invalid => {
                self.invalid(dice, &mut turn);
                turn.security = trouble.attack.or(turn.security);
            }
            Matter::Identity => self.identity(dice, &mut turn),
            _ => self.work(dice, &mut turn, trouble),
        }
        turn.last |= self.left == 0;
        if turn.outcome == Outcome::Answered && dice.chance(mix::FEEDBACK.0) {
            let up = dice.chance(mix::FEEDBACK.1);
            turn.feedback = Some(if up { Feedback::Up } else { Feedback::Down });
        }
        if turn.outcome == Outcome::Answered && trouble.unhappy {
            turn.feedback = Some(Feedback::Down);
        }
        turn
    }

    fn blank(&self, dice: &mut Dice) -> Interaction {
        Interaction {
            duration: 0.0,
            person: self.person,
            tier: self.tier,
            conversation: self.conversation,
            turn: self.turn,
            last: false,
            kind: self.kind,
            command: self.command,
            channel: match self.kind {
                "dm" => "im",
                _ if self.conversation.is_multiple_of(4) => "private",
                _ => "public",
            },
            feature: self.row.feature,
            matter: self.row.matter,
            outcome: Outcome::Answered,
            cause: None,
            attempts: Vec::new(),
            answering: Answering::default(),
            guardrail: false,
            security: None,
            denial: None,
            feedback: None,
            confirmation: Vec::new(),
            approval: "none",
            identity: None,
            remediation: None,
            cold: dice.chance(mix::COLD),
            redelivered: dice.chance(mix::REDELIVERED),
            troubled: false,
        }
    }

    fn denial(&self, dice: &mut Dice) -> &'static str {
        match (self.tier, self.kind) {
            (Tier::Unlinked, _) => "unlinked",
            (_, "dm") => "dm_not_allowed",
            _ if dice.chance(0.7) => "tier",
            _ => "channel_not_allowed",
        }
    }

    fn invalid(&self, dice: &mut Dice, turn: &mut Interaction) {
        turn.outcome = Outcome::InvalidInput;
        turn.security = match dice.unit() {
            low if low < 0.25 => Some("prompt_injection"),
            low if low < 0.30 => Some("identity_spoofing"),
            _ => None,
        };
    }

    fn identity(&self, dice: &mut Dice, turn: &mut Interaction) {
        if dice.chance(self.row.failure) {
            (turn.outcome, turn.cause) = (Outcome::Error, Some(Cause::Storage));
        } else if turn.command != Some("/oscar-identity-status") {
            let unlink = turn.command == Some("/oscar-unlink-github");
            let done = if unlink { "unlinked" } else { "linked" };
            turn.identity = Some(if dice.chance(0.9) { done } else { "rejected" });
        }
    }

    /// The turns that ask a model.
    fn work(&self, dice: &mut Dice, turn: &mut Interaction, trouble: &Trouble) {
        let asks_first = turn.matter == Matter::Confirmed && turn.turn == 1;
        let confirms = turn.matter == Matter::Confirmed && turn.turn > 1;
        if confirms {
            turn.confirmation.push("confirmed");
            turn.approval = match dice.unit() {
                low if low < 0.03 => "self_rejected",
                low if low < 0.40 => "two_person",
                _ => "single",
            };
            if turn.approval == "self_rejected" {
                turn.confirmation = vec!["rejected"];
                (turn.outcome, turn.denial) = (Outcome::Denied, Some("self_approval"));
                turn.duration = turn.duration.min(3.0);
                return;
            }
        }
        turn.cause = self.cause(dice, asks_first);
        if let Some(cause) = trouble.cause {
            turn.cause = Some(self.possible(cause, asks_first));
        }
        turn.attempts = attempts(dice, turn.cause);
        if trouble.cause == Some(Cause::Throttling) {
            turn.attempts = all_throttled();
        }
        turn.answering = self.answering(dice, asks_first, turn.cause);
        let oversize = change(turn, trouble);
        self.hang(dice, turn, oversize);
        turn.outcome = outcome(turn.matter, turn.cause, asks_first);
        match turn.outcome {
            Outcome::ConfirmationRequested => turn.confirmation.push("requested"),
            Outcome::Answered if confirms => turn.confirmation.push("executed"),
            Outcome::Answered if turn.matter == Matter::Remediation => {
                turn.remediation = Some(match dice.unit() {
                    low if low < 0.20 => "already_patched",
                    low if low < 0.35 => "pr_exists",
                    _ => "remediation_started",
                });
            }
            Outcome::OutOfScope if dice.chance(0.1) || trouble.attack.is_some() => {
                (turn.outcome, turn.guardrail) = (Outcome::Blocked, true);
            }
            _ => {}
        }
        // Nobody confirms what was not asked for.
        turn.last = asks_first && turn.outcome != Outcome::ConfirmationRequested;
    }

    fn cause(&self, dice: &mut Dice, asks_first: bool) -> Option<Cause> {
        if !dice.chance(self.row.failure) {
            return None;
        }
        if self.row.feature == "github.write" && !asks_first && dice.chance(0.5) {
            return Some(Cause::Guardrail);
        }
        let at = dice.weighted(mix::CAUSES.iter().map(|(_, share)| *share));
        mix::CAUSES.get(at).map(|(cause, _)| self.possible(*cause, asks_first))
    }

    /// No tool fails where none is used.
    const fn possible(&self, cause: Cause, asks_first: bool) -> Cause {
        let toolless = asks_first || self.row.work.tools.0.is_empty();
        if toolless && matches!(cause, Cause::Tool) { Cause::Agent } else { cause }
    }

    /// The two ways into the time limit: too slow, and a result too large for the agent to ever come back.
    fn hang(&self, dice: &mut Dice, turn: &mut Interaction, oversize: bool) {
        let mut hangs = turn.cause.is_none() && dice.chance(mix::HANGS);
        if hangs && let Some(call) = turn.answering.last_tool() {
            call.result_size = dice.between(500_000, 900_000).into();
        }
        hangs |= oversize;
        let slow = turn.duration >= mix::TIME_LIMIT;
        if hangs || slow || turn.cause == Some(Cause::Timeout) {
            turn.cause = Some(Cause::Timeout);
            turn.duration = mix::TIME_LIMIT + dice.within(0.0, 2.0);
            turn.answering.after.clear();
            if let Some(last) = turn.attempts.last_mut() {
                last.error = Some("timeout");
            }
        }
    }
}

/// The row for a position that does not exist: never drawn.
static FIRST: Row = Row {
    feature: "unknown",
    matter: Matter::Denied,
    share: 0.0,
    duration: (0.6, 1.8),
    failure: 0.0,
    privileged: false,
    work: mix::Work { agent: None, calls: 0, tools: (&[], 0, 0), source: None },
    commands: &[],
};

fn outcome(matter: Matter, cause: Option<Cause>, asks_first: bool) -> Outcome {
    match cause {
        Some(Cause::Agent | Cause::Tool | Cause::Send | Cause::Storage) => Outcome::Error,
        Some(Cause::Guardrail) => Outcome::Blocked,
        Some(Cause::Throttling) => Outcome::Overloaded,
        Some(Cause::Timeout) => Outcome::Timeout,
        Some(Cause::Empty) => Outcome::Fallback,
        None if matter == Matter::OutOfScope => Outcome::OutOfScope,
        None if asks_first => Outcome::ConfirmationRequested,
        None => Outcome::Answered,
    }
}

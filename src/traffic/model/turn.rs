//! How one turn goes: the plan of a session, and the draw that makes a turn of it.

use super::super::draw::Dice;
use super::super::incident::{INVENTED_AT_ONCE, Trouble};
use super::super::mix::{self, Cause, Matter, ROWS, Row, Tool};
use super::super::people::{self, Tier};
use super::interaction::{
    Answering, Attempt, Call, Feedback, Interaction, Outcome, Retrieval, Step, ToolCall,
};

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

    fn answering(&self, dice: &mut Dice, asks_first: bool, cause: Option<Cause>) -> Answering {
        let work = &self.row.work;
        let mut tools = if asks_first { Vec::new() } else { self.tools(dice, cause) };
        let mut call = || Step::Call(self.call(dice));
        let mut answering = Answering { before: vec![call()], ..Answering::default() };
        let mut middle: Vec<Step> = (2..work.calls).map(|_| call()).collect();
        let last = (work.calls > 1).then(call);
        if let Some(source) = work.source {
            let nothing = dice.chance(mix::NOTHING_FOUND);
            let hits = if nothing { 0 } else { dice.between(1, 8) };
            answering.before.push(Step::Retrieval(Retrieval { source, hits }));
        }
        middle.splice(1.min(middle.len())..1.min(middle.len()), tools.drain(..));
        answering.agent = work.agent;
        if work.agent.is_some() {
            answering.within = middle;
        } else {
            answering.before.append(&mut middle);
        }
        match cause {
            Some(Cause::Agent) => {}
            Some(Cause::Throttling) => {
                if let Some(Step::Call(call)) = answering.before.first_mut() {
                    (call.error, call.output) = (Some("model_throttled"), 0);
                }
                answering.before.truncate(1);
                (answering.agent, answering.within) = (None, Vec::new());
            }
            _ => answering.after.extend(last),
        }
        answering
    }

    fn tools(&self, dice: &mut Dice, cause: Option<Cause>) -> Vec<Step> {
        let (tools, low, high) = self.row.work.tools;
        let Some(first) = tools.first() else { return Vec::new() };
        let count = dice.between(low, high);
        (1..=count)
            .map(|n| {
                let tool = dice.one_of(tools, *first);
                Step::Tool(tool_call(dice, tool, cause.filter(|_| n == count)))
            })
            .collect()
    }

    fn call(&self, dice: &mut Dice) -> Call {
        let growth = 1.0 + 0.12 * f64::from(self.turn - 1);
        let input = (dice.lognormal(6_000.0, 22_000.0) * growth).clamp(50.0, 190_000.0);
        Call {
            model: if dice.chance(0.92) { "claude-sonnet-4-5" } else { "claude-haiku-4-5" },
            input: input as u64,
            output: dice.lognormal(220.0, 900.0).clamp(5.0, 8_000.0) as u64,
            cached: (input * dice.within(0.0, 0.4)) as u64,
            error: None,
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

fn tool_call(dice: &mut Dice, tool: Tool, cause: Option<Cause>) -> ToolCall {
    let errors = ["http_4xx", "http_5xx", "agentic_search_error", "unknown_function"];
    let (outcome, error) = match cause {
        Some(Cause::Tool) => ("declared_error", Some(dice.one_of(&errors, "http_5xx"))),
        Some(Cause::Guardrail) => ("rejected", Some("guardrail_failed")),
        // Now and then a call is lost and the agent helps itself.
        _ if dice.chance(0.01) => ("transport_error", Some("timeout")),
        _ => ("ok", None),
    };
    let result_size = dice.lognormal(9_000.0, 120_000.0).clamp(200.0, 390_000.0) as u64;
    ToolCall { tool, outcome, error, result_size }
}

/// How the agent is asked, attempt by attempt.
const STRATEGIES: [(u32, &str); 3] = [(1, "session_context"), (2, "context"), (3, "plain")];

fn attempts(dice: &mut Dice, cause: Option<Cause>) -> Vec<Attempt> {
    let count = match dice.chance(mix::FIRST_ATTEMPT_FAILS) {
        false => 1,
        true if dice.chance(mix::SECOND_RECOVERS) => 2,
        true => 3,
    };
    let mut attempts: Vec<Attempt> = STRATEGIES
        .into_iter()
        .take(count)
        .map(|(number, strategy)| {
            let expired = dice.chance(0.7);
            let error = Some(if expired { "sessionExpired" } else { "dependencyFailed" });
            Attempt { number, strategy, error }
        })
        .collect();
    if let Some(last) = attempts.last_mut() {
        last.error = match cause {
            Some(Cause::Agent) => Some("dependencyFailed"),
            Some(Cause::Throttling) => Some("throttlingException"),
            Some(Cause::Timeout) => Some("timeout"),
            _ => None,
        };
    }
    attempts
}

/// All three attempts, each turned away.
fn all_throttled() -> Vec<Attempt> {
    let error = Some("throttlingException");
    let attempt = |(number, strategy)| Attempt { number, strategy, error };
    STRATEGIES.into_iter().map(attempt).collect()
}

/// Changes the work of a turn as its trouble has it; whether the agent never comes back from it.
fn change(turn: &mut Interaction, trouble: &Trouble) -> bool {
    let answering = &mut turn.answering;
    let parts = [&mut answering.before, &mut answering.within, &mut answering.after];
    let mut invented = trouble.invented;
    for steps in parts {
        for call in steps.iter_mut().filter_map(Step::call) {
            let grown = |tokens: u64| (tokens as f64 * (1.0 + trouble.context)) as u64;
            (call.input, call.cached) = (grown(call.input), grown(call.cached));
        }
        if let Some(first) = &mut invented {
            *steps =
                std::mem::take(steps).into_iter().flat_map(|step| invent(step, first)).collect();
        }
    }
    let Some((bytes, hangs)) = trouble.oversize else { return false };
    let Some(call) = answering.last_tool() else { return false };
    call.result_size = bytes;
    if !hangs {
        turn.duration = (turn.duration * 2.5).min(mix::TIME_LIMIT - 1.0);
    }
    hangs
}

/// A step; a tool call becomes several, none under a name that is known.
fn invent(step: Step, first: &mut u32) -> Vec<Step> {
    let Step::Tool(call) = &step else { return vec![step] };
    if call.tool.write {
        return vec![step];
    }
    let numbers = *first..*first + INVENTED_AT_ONCE;
    *first = numbers.end;
    let named = |number| Tool { name: mix::invented_tool(number), ..call.tool };
    numbers.map(|number| Step::Tool(ToolCall { tool: named(number), ..call.clone() })).collect()
}

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

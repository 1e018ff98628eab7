//! The work behind a turn: models, tools and sources, the attempts it took, and what an incident makes of it.

use super::super::super::draw::Dice;
use super::super::super::incident::{INVENTED_AT_ONCE, Trouble};
use super::super::super::mix::{self, Cause, Tool};
use super::super::interaction::{Answering, Attempt, Call, Interaction, Retrieval, Step, ToolCall};
use super::Plan;

impl Plan {
    pub(super) fn answering(
        &self,
        dice: &mut Dice,
        asks_first: bool,
        cause: Option<Cause>,
    ) -> Answering {
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

pub(super) fn attempts(dice: &mut Dice, cause: Option<Cause>) -> Vec<Attempt> {
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
pub(super) fn all_throttled() -> Vec<Attempt> {
    let error = Some("throttlingException");
    let attempt = |(number, strategy)| Attempt { number, strategy, error };
    STRATEGIES.into_iter().map(attempt).collect()
}

/// Changes the work of a turn as its trouble has it; whether the agent never comes back from it.
pub(super) fn change(turn: &mut Interaction, trouble: &Trouble) -> bool {
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

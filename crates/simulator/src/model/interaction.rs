//! One turn and all that happened in it, as plain data.

use super::super::mix::{Cause, Matter, Tool};
use super::super::people::Tier;

/// How a turn ended, as `bot.outcome` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the names are the attribute's values
pub enum Outcome {
    Answered,
    ConfirmationRequested,
    OutOfScope,
    Fallback,
    Denied,
    InvalidInput,
    Blocked,
    Timeout,
    Overloaded,
    Error,
}

impl Outcome {
    /// As `bot.outcome` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::ConfirmationRequested => "confirmation_requested",
            Self::OutOfScope => "out_of_scope",
            Self::Fallback => "fallback",
            Self::Denied => "denied",
            Self::InvalidInput => "invalid_input",
            Self::Blocked => "blocked",
            Self::Timeout => "timeout",
            Self::Overloaded => "overloaded",
            Self::Error => "error",
        }
    }
}

/// A message to the bot and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// Time to the reply, seconds.
    pub duration: f64,
    /// Who asked.
    pub person: u32,
    /// With which rights.
    pub tier: Tier,
    /// In which thread.
    pub conversation: u64,
    /// The how manieth message of it, from 1.
    pub turn: u32,
    /// The last one, as far as the bot will ever know.
    pub last: bool,
    /// `bot.interaction.kind`.
    pub kind: &'static str,
    /// `bot.command.name`.
    pub command: Option<&'static str>,
    /// `bot.channel.type`.
    pub channel: &'static str,
    /// `bot.feature`.
    pub feature: &'static str,
    /// What kind of matter it was.
    pub matter: Matter,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// Calls of the agent service; none when no model was asked.
    pub attempts: Vec<Attempt>,
    /// The work of the last attempt.
    pub answering: Answering,
    /// Whether the guardrail stepped in.
    pub guardrail: bool,
    /// `prompt_injection` or `identity_spoofing`.
    pub security: Option<&'static str>,
    /// Why it was denied.
    pub denial: Option<&'static str>,
    /// What the asker thought of it.
    pub feedback: Option<Feedback>,
    /// Stages of the confirmation it went through: `requested`, `confirmed`, `executed`, `rejected`.
    pub confirmation: Vec<&'static str>,
    /// `bot.action.approval`: none, single, two_person, self_rejected.
    pub approval: &'static str,
    /// What became of an identity: linked, unlinked, rejected.
    pub identity: Option<&'static str>,
    /// What became of a request to remediate.
    pub remediation: Option<&'static str>,
    /// Whether it met a sandbox that had to start.
    pub cold: bool,
    /// Whether the platform delivered it twice.
    pub redelivered: bool,
    /// Whether an incident changed or brought it.
    pub troubled: bool,
}

impl Interaction {
    /// What the turn changed, or tried to change, in the world: verb and result.
    pub fn actions(&self) -> Vec<(&'static str, &'static str)> {
        let steps = self.answering.steps().filter_map(|step| match step {
            Step::Tool(call) if call.tool.write => Some(call),
            _ => None,
        });
        let mut actions: Vec<_> = steps.map(|call| (call.tool.name, call.outcome)).collect();
        if let (Some(result), Some(last)) = (self.remediation, actions.last_mut()) {
            last.1 = result;
        }
        actions
    }
}

/// A thumb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Feedback {
    Up,
    Down,
}

impl Feedback {
    /// As `bot.feedback.label` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// One call of the agent service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// `session_context`, `context`, `plain`.
    pub strategy: &'static str,
    /// Its `error.type`.
    pub error: Option<&'static str>,
}

/// What models and tools did, in order: the supervisor's first steps, the collaborator's, the supervisor's last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answering {
    /// Before a collaborator is asked.
    pub before: Vec<Step>,
    /// Which one, if any.
    pub agent: Option<&'static str>,
    /// Its steps.
    pub within: Vec<Step>,
    /// After it answered.
    pub after: Vec<Step>,
}

impl Answering {
    /// All steps in order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.before.iter().chain(&self.within).chain(&self.after)
    }

    /// The last tool call.
    pub(super) fn last_tool(&mut self) -> Option<&mut ToolCall> {
        let steps = self.before.iter_mut().chain(&mut self.within).chain(&mut self.after);
        steps.rev().find_map(|step| match step {
            Step::Tool(call) => Some(call),
            _ => None,
        })
    }
}

impl Step {
    /// A model call.
    pub(super) const fn call(&mut self) -> Option<&mut Call> {
        match self {
            Self::Call(call) => Some(call),
            _ => None,
        }
    }
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A model was asked.
    Call(Call),
    /// A tool was used.
    Tool(ToolCall),
    /// A source was searched.
    Retrieval(Retrieval),
}

/// A model call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The model.
    pub model: &'static str,
    /// Input tokens, cached ones with them.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Input tokens read from a cache.
    pub cached: u64,
    /// Its `error.type`.
    pub error: Option<&'static str>,
}

/// A tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Which.
    pub tool: Tool,
    /// `bot.tool.outcome`: ok, declared_error, rejected, transport_error.
    pub outcome: &'static str,
    /// Its `error.type`.
    pub error: Option<&'static str>,
    /// Bytes of its result.
    pub result_size: u64,
}

/// A search for knowledge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrieval {
    /// `gen_ai.data_source.id`.
    pub source: &'static str,
    /// Documents found.
    pub hits: u32,
}

//! What the simulated bot really did: the document that a check compares with what a receiver made of it.
//!
//! Counted from what *happened*, not from the spans that tell of it, so that a mistake in telling shows as a difference.
//!
//! # The document
//!
//! One JSON object, replaced as a whole (written beside and renamed) every second and at the end:
//!
//! - `version`: 1. `finished`: whether it is the last one. `seed`, `speed`: as given. `started_unix_seconds`.
//! - Lists of rows, each the label values by name and `count`: `interactions` {outcome, feature, tier, kind}, `chat_calls`
//!   {model, result}, `tokens` {model, type: input, output, cache_read} (cached ones are part of input too), `tools`
//!   {tool, outcome, write}, `attempts` {number, strategy, result}, `retrievals` {source, found: some, none}, `guardrail`
//!   {stage}, `security` {type}, `authz_denied` {reason}, `feedback` {label}, `actions` {verb, result}, `confirmations`
//!   {stage}, `identity` {change}, `webhooks` {event, notified}, `jobs` {name, result}, `ingress` {coldstart, retry}.
//! - `durations`: per `outcome` the `count`, `sum_seconds` and cumulative `buckets` {le, count}; `le` "+Inf" is the count.
//! - `distinct_users`: with an interaction that was not denied. `distinct_users_all`: with any.
//! - `sessions_started`, `sessions_ended`, `slow` (over 45 s).
//! - `turns` {turn: 1, 2, 3-5, 6-10, 11+}: the interactions that were not denied, by their place in the conversation.
//! - `versions` {version}: the interactions by the version of the bot that handled them. `lost`: messages the bot never knew
//!   of, in no other list but `ingress`.
//! - `incident`, if there was to be one: its `name`, `from_seconds` and `until_seconds` (simulated, since the bot began),
//!   `began_unix_seconds` and `ended_unix_seconds` (the sender's clock; null until then), `turns` that began meanwhile,
//!   `changed` ones of them that it changed or brought, and what it kept from being told: `untold` turns, webhooks and jobs
//!   are in none of the lists above.
//! - `spans` and `log_records`: `made` by the SDK, `exported` (the receiver said yes), `failed` (it did not, or was away).
//!   What a receiver rejects inside a partial success is exported as far as the SDK tells. `made - exported - failed` is on
//!   its way, and at the end 0 unless the shutdown ran into its time limit.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use super::incident::{Script, VERSIONS};
use super::mix::SLOW;
use super::model::{Call, Happening, Interaction, Job, Moment, Outcome, Step, ToolCall, Webhook};
use super::story::Trace;

mod counts;

pub use counts::{Counts, Durations, Sent};

/// The books of one run.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // each field is described above
pub struct Truth {
    pub version: u32,
    pub finished: bool,
    pub seed: u64,
    pub speed: f64,
    pub started_unix_seconds: f64,
    pub interactions: Counts<4>,
    pub durations: Durations,
    pub chat_calls: Counts<2>,
    pub tokens: Counts<2>,
    pub tools: Counts<3>,
    pub attempts: Counts<3>,
    pub retrievals: Counts<2>,
    pub guardrail: Counts<1>,
    pub security: Counts<1>,
    pub authz_denied: Counts<1>,
    pub feedback: Counts<1>,
    pub actions: Counts<2>,
    pub confirmations: Counts<1>,
    pub identity: Counts<1>,
    pub webhooks: Counts<2>,
    pub jobs: Counts<2>,
    pub ingress: Counts<2>,
    #[serde(serialize_with = "counts::size")]
    pub distinct_users: BTreeSet<u32>,
    #[serde(serialize_with = "counts::size")]
    pub distinct_users_all: BTreeSet<u32>,
    pub sessions_started: u64,
    pub sessions_ended: u64,
    pub slow: u64,
    pub turns: Counts<1>,
    pub versions: Counts<1>,
    pub lost: u64,
    pub incident: Option<Incident>,
    pub spans: Sent,
    pub log_records: Sent,
}

/// What an incident did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // each field is described above
pub struct Incident {
    pub name: &'static str,
    pub from_seconds: f64,
    pub until_seconds: f64,
    pub began_unix_seconds: Option<f64>,
    pub ended_unix_seconds: Option<f64>,
    pub turns: u64,
    pub changed: u64,
    pub untold: u64,
    #[serde(skip)]
    script: Script,
}

impl Incident {
    /// Nothing yet, in a life that began at this simulated second.
    pub fn new(script: Script, begin: f64) -> Self {
        Self {
            name: script.incident.name(),
            from_seconds: script.from - begin,
            until_seconds: script.until - begin,
            began_unix_seconds: None,
            ended_unix_seconds: None,
            turns: 0,
            changed: 0,
            untold: 0,
            script,
        }
    }
}

impl Truth {
    /// Empty books.
    pub fn new(seed: u64, speed: f64) -> Self {
        Self {
            version: 1,
            finished: false,
            seed,
            speed,
            started_unix_seconds: 0.0,
            interactions: Counts::of(["outcome", "feature", "tier", "kind"]),
            durations: Durations::default(),
            chat_calls: Counts::of(["model", "result"]),
            tokens: Counts::of(["model", "type"]),
            tools: Counts::of(["tool", "outcome", "write"]),
            attempts: Counts::of(["number", "strategy", "result"]),
            retrievals: Counts::of(["source", "found"]),
            guardrail: Counts::of(["stage"]),
            security: Counts::of(["type"]),
            authz_denied: Counts::of(["reason"]),
            feedback: Counts::of(["label"]),
            actions: Counts::of(["verb", "result"]),
            confirmations: Counts::of(["stage"]),
            identity: Counts::of(["change"]),
            webhooks: Counts::of(["event", "notified"]),
            jobs: Counts::of(["name", "result"]),
            ingress: Counts::of(["coldstart", "retry"]),
            distinct_users: BTreeSet::new(),
            distinct_users_all: BTreeSet::new(),
            sessions_started: 0,
            sessions_ended: 0,
            slow: 0,
            turns: Counts::of(["turn"]),
            versions: Counts::of(["version"]),
            lost: 0,
            incident: None,
            spans: Sent::default(),
            log_records: Sent::default(),
        }
    }

    /// Books what happened, and whether it is told.
    pub fn happened(&mut self, moment: &Moment) -> bool {
        let (turn, lost) = match &moment.what {
            Happening::Turn(turn) => (Some(turn), false),
            Happening::Lost(_) => (None, true),
            _ => (None, false),
        };
        let mut version = VERSIONS.0;
        if let Some(incident) = &mut self.incident {
            let script = incident.script;
            version = script.version(moment.at);
            incident.turns += u64::from(script.lasts(moment.at) && (lost || turn.is_some()));
            incident.changed += u64::from(lost || turn.is_some_and(|turn| turn.troubled));
            if !script.tells(moment.at + moment.what.duration()) {
                incident.untold += 1;
                return false;
            }
        }
        if turn.is_some() {
            self.versions.add([version]);
        }
        self.book(&moment.what);
        true
    }

    fn book(&mut self, what: &Happening) {
        match what {
            Happening::Turn(turn) => self.turn(turn),
            Happening::Lost(_) => {
                self.lost += 1;
                self.ingress.add(["false", "http_timeout"]);
            }
            Happening::Webhook(Webhook { event, notified, refused, .. }) => {
                self.webhooks.add([event, truth(*notified)]);
                self.security.add_some(*refused);
            }
            Happening::Job(Job { name, result, .. }) => self.jobs.add([name, result]),
        }
    }

    /// Books what was told of it.
    pub fn told(&mut self, trace: &Trace) {
        self.spans.made += trace.spans.len() as u64;
        self.log_records.made += trace.logs.len() as u64;
    }

    fn turn(&mut self, turn: &Interaction) {
        let outcome = turn.outcome.name();
        self.interactions.add([outcome, turn.feature, turn.tier.name(), turn.kind]);
        self.durations.observe(outcome, turn.duration);
        self.ingress.add([truth(turn.cold), "none"]);
        if turn.redelivered {
            self.ingress.add(["false", "http_timeout"]);
        }
        self.distinct_users_all.insert(turn.person);
        if turn.outcome != Outcome::Denied {
            self.distinct_users.insert(turn.person);
            self.turns.add([place(turn.turn)]);
        }
        self.sessions_started += u64::from(turn.turn == 1);
        self.sessions_ended += u64::from(turn.last);
        self.slow += u64::from(turn.duration > SLOW);
        for attempt in &turn.attempts {
            let number = ["1", "2", "3"].get(attempt.number as usize - 1).copied().unwrap_or("4");
            self.attempts.add([number, attempt.strategy, attempt.result()]);
        }
        turn.answering.steps().for_each(|step| self.step(step));
        self.security.add_some(turn.security);
        self.authz_denied.add_some(turn.denial);
        self.guardrail.add_some(turn.guardrail.then_some("input"));
        self.feedback.add_some(turn.feedback.map(super::model::Feedback::name));
        self.identity.add_some(turn.identity);
        turn.confirmation.iter().for_each(|stage| self.confirmations.add([stage]));
        turn.actions().iter().for_each(|(verb, result)| self.actions.add([verb, result]));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Call(Call { model, input, output, cached, error }) => {
                self.chat_calls.add([model, if error.is_some() { "error" } else { "ok" }]);
                self.tokens.add_many([model, "input"], *input);
                self.tokens.add_many([model, "output"], *output);
                self.tokens.add_many([model, "cache_read"], *cached);
            }
            Step::Tool(ToolCall { tool, outcome, .. }) => {
                self.tools.add([tool.name, outcome, truth(tool.write)]);
            }
            Step::Retrieval(found) => {
                let some = if found.hits > 0 { "some" } else { "none" };
                self.retrievals.add([found.source, some]);
            }
        }
    }

    /// Replaces the file as a whole: a reader sees the old document or the new one.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let beside = Path::new(&beside);
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        fs::write(beside, text)?;
        fs::rename(beside, path)
    }
}

/// The place in a conversation, in the buckets that people look at.
const fn place(turn: u32) -> &'static str {
    match turn {
        0 | 1 => "1",
        2 => "2",
        3..=5 => "3-5",
        6..=10 => "6-10",
        _ => "11+",
    }
}

const fn truth(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

#[cfg(test)]
mod tests;

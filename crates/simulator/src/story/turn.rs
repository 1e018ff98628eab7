//! A turn as a trace: ingress, the interaction, and the business around the agent's work.

use super::super::mix::{Cause, Matter};
use super::super::model::{Interaction, Outcome};
use super::super::people::Tier;
use super::{Kind, Span, Trace, Value, events, steps};

/// The trace of a turn, and that of its second delivery.
pub(super) fn tell(turn: &Interaction) -> Vec<Trace> {
    let mut trace = Trace { conversation: Some(turn.conversation), ..Trace::default() };
    let took = if turn.cold { 2.9 } else { 0.25 };
    let root = trace.add(ingress(turn.cold, (-took, -0.01)));
    let interaction = trace.add(interaction(turn).under(root));
    around(&mut trace, turn, interaction);
    if !turn.attempts.is_empty() {
        steps::attempts(&mut trace, turn, interaction, window(turn));
    }
    reply(&mut trace, turn, interaction);
    events::tell(&mut trace, turn, interaction);
    let mut traces = vec![trace];
    if turn.redelivered {
        traces.push(redelivery((0.5, 0.52)));
    }
    traces
}

/// Seconds that one second of overhead takes in this turn: short turns have little of it.
fn unit(turn: &Interaction) -> f64 {
    (turn.duration / 2.0).min(1.0)
}

/// When the agent works.
fn window(turn: &Interaction) -> (f64, f64) {
    (0.36 * unit(turn), turn.duration - 0.5 * unit(turn))
}

fn ingress(cold: bool, at: (f64, f64)) -> Span {
    Span::new("bot.ingress", Kind::Server, at)
        .with("bot.platform", "slack")
        .with("faas.trigger", "http")
        .with("faas.coldstart", cold)
        .with("http.request.method", "POST")
        .with("http.route", "/slack/events")
        .with("http.response.status_code", 200_i64)
}

/// A second delivery: taken and dropped, whatever became of the first.
pub(super) fn redelivery(at: (f64, f64)) -> Trace {
    let span = ingress(false, at)
        .with("slack.retry.num", 1_i64)
        .with("slack.retry.reason", "http_timeout");
    Trace { spans: vec![span], ..Trace::default() }
}

fn interaction(turn: &Interaction) -> Span {
    let at = (0.0, turn.duration);
    let error = matches!(turn.outcome, Outcome::Error | Outcome::Timeout | Outcome::Overloaded);
    let mut span = Span::new(format!("bot.interaction {}", turn.feature), Kind::Consumer, at)
        .with("bot.platform", "slack")
        .with("bot.interaction.kind", turn.kind)
        .with("bot.channel.type", turn.channel)
        .with("bot.feature", turn.feature)
        .with_some("bot.command.name", turn.command)
        .with("bot.access.tier", turn.tier.name())
        .with("bot.outcome", turn.outcome.name())
        .with("bot.turn.index", turn.turn)
        .with("bot.query.size", 40 + 11 * (turn.person % 17))
        .with("bot.response.size", 220 + 37 * (turn.person % 41))
        .with("bot.action.approval", turn.approval)
        .with("user.id", Value::Person(turn.person))
        .with("gen_ai.conversation.id", Value::Conversation(turn.conversation))
        .with("messaging.system", "slack");
    if error {
        let kind = turn.cause.map_or("_OTHER", cause);
        span.error = Some(kind);
        span = span.with("error.type", kind);
    }
    span
}

/// A cause as an `error.type`.
const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Agent => "dependencyFailed",
        Cause::Tool => "tool_error",
        Cause::Guardrail => "guardrail_failed",
        Cause::Throttling => "throttlingException",
        Cause::Timeout => "timeout",
        Cause::Send => "ratelimited",
        Cause::Storage => "ProvisionedThroughputExceeded",
        Cause::Empty => "response_parse_error",
    }
}

/// Config, validation, authorization and context: what happens before anybody thinks.
fn around(trace: &mut Trace, turn: &Interaction, parent: usize) {
    let u = unit(turn);
    let at = |from: f64, to: f64| (from * u, to * u);
    let mut add = |span: Span| trace.add(span.under(parent));
    add(Span::new("bot.config.load", Kind::Internal, at(0.0, 0.15))
        .with("bot.config.source", "secrets_manager")
        .with("bot.config.cache_hit", !turn.cold));
    let verdict = match (turn.outcome, turn.security) {
        (Outcome::InvalidInput, Some(_)) => "prompt_injection",
        (Outcome::InvalidInput, None) => "too_long",
        _ => "ok",
    };
    add(Span::new("bot.input.validate", Kind::Internal, at(0.15, 0.151))
        .with("bot.input.verdict", verdict));
    if turn.outcome == Outcome::InvalidInput {
        return;
    }
    let decision = if turn.outcome == Outcome::Denied { "deny" } else { "allow" };
    add(Span::new("bot.authorize", Kind::Internal, at(0.16, 0.18))
        .with("bot.access.tier", turn.tier.name())
        .with("bot.authz.decision", decision)
        .with("bot.authz.scope", if turn.tier == Tier::Privileged { "global" } else { "agent" }));
    if turn.outcome == Outcome::Denied && turn.matter == Matter::Denied {
        return;
    }
    add(storage("bot.context.load", "GetItem", at(0.18, 0.19))
        .with("bot.context.result", if turn.turn > 1 { "hit" } else { "miss" })
        .with("bot.context.turns", turn.turn - 1)
        .with("bot.context.size", 3_200 * (turn.turn - 1)));
    if turn.turn > 1 {
        add(slack("slack conversations.replies", Kind::Client, at(0.19, 0.34)));
    }
}

/// The reply, its reactions, and the context that is kept.
fn reply(trace: &mut Trace, turn: &Interaction, parent: usize) {
    let (u, end) = (unit(turn), turn.duration);
    let mut add = |span: Span| trace.add(span.under(parent));
    add(slack("send slack", Kind::Producer, (0.0, 0.1 * u)).with("slack.method", "reactions.add"));
    if turn.matter != Matter::Denied && turn.outcome != Outcome::InvalidInput {
        let lost = (turn.cause == Some(Cause::Storage)).then_some("ProvisionedThroughputExceeded");
        add(storage("bot.context.store", "PutItem", (end - 0.45 * u, end - 0.4 * u)).failed(lost));
    }
    let limited = (turn.cause == Some(Cause::Send)).then_some("ratelimited");
    let status = if limited.is_some() { 429_i64 } else { 200 };
    add(slack("send slack", Kind::Producer, (end - 0.4 * u, end - 0.1 * u))
        .with("slack.method", "chat.postMessage")
        .with("messaging.destination.name", turn.channel)
        .with("http.response.status_code", status)
        .failed(limited));
    add(slack("send slack", Kind::Producer, (end - 0.1 * u, end))
        .with("slack.method", "reactions.add"));
}

fn slack(name: &'static str, kind: Kind, at: (f64, f64)) -> Span {
    Span::new(name, kind, at)
        .with("messaging.system", "slack")
        .with("server.address", "slack.com")
        .with("http.request.method", "POST")
}

fn storage(name: &'static str, operation: &'static str, at: (f64, f64)) -> Span {
    Span::new(name, Kind::Client, at)
        .with("db.system.name", "aws.dynamodb")
        .with("db.collection.name", "oscar-agent-context-demo")
        .with("db.operation.name", operation)
}

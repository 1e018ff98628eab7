//! What a turn gives rise to besides spans: the events people count.
//!
//! Feedback and exceptions are span events, the rest are log records, so that a receiver has to read both carriers.

use super::super::mix::{Matter, SLOW};
use super::super::model::{Interaction, Outcome};
use super::{Event, Span, Trace, Value, nanos};

/// Adds the events of a turn.
pub(super) fn tell(trace: &mut Trace, turn: &Interaction, interaction: usize) {
    let end = nanos(turn.duration);
    let mut logs = Vec::new();
    if turn.turn == 1 {
        logs.push(Event::new("bot.session.start", 0));
    }
    if turn.duration > SLOW {
        logs.push(Event::new("bot.slow", nanos(SLOW)).warning());
    }
    for stage in &turn.confirmation {
        let event = Event::new("bot.confirmation", end).with("bot.confirmation.stage", *stage);
        logs.push(event.with("bot.action.approval", turn.approval));
    }
    if let Some(reason) = turn.denial {
        let event = Event::new("bot.authz.denied", end).with("bot.authz.reason", reason).warning();
        logs.push(event.with("bot.access.tier", turn.tier.name()));
    }
    if let Some(kind) = turn.security {
        logs.push(Event::new("bot.security", end).with("bot.security.type", kind).warning());
    }
    if turn.guardrail {
        let event =
            Event::new("bot.guardrail.intervened", end).with("bot.guardrail.stage", "input");
        logs.push(event.with("bot.guardrail.policy", "topic").warning());
    }
    for (verb, result) in turn.actions() {
        let event = Event::new("bot.action", end)
            .with("bot.action.verb", verb)
            .with("bot.action.result", result)
            .with("bot.action.forced", false);
        logs.push(event.with("bot.action.approval", turn.approval));
    }
    if let Some(change) = turn.identity {
        logs.push(Event::new("bot.identity", end).with("bot.identity.change", change));
    }
    if turn.last {
        logs.push(Event::new("bot.session.end", end));
    }
    for log in &mut logs {
        log.span = interaction;
        log.attributes.push(("bot.feature", turn.feature.into()));
        log.attributes.push(("user.id", Value::Person(turn.person)));
        log.attributes.push(("gen_ai.conversation.id", Value::Conversation(turn.conversation)));
    }
    trace.logs = logs;
    if let Some(feedback) = turn.feedback {
        let event = Event::new("bot.feedback", end).with("bot.feedback.label", feedback.name());
        if let Some(span) = trace.spans.get_mut(interaction) {
            span.events.push(event);
        }
    }
    if turn.matter == Matter::Confirmed && turn.turn > 1 {
        trace.follows = Some(turn.conversation);
        trace.add(approval(turn).under(interaction));
    }
}

/// The wait between the request and its confirmation, which began before this turn did.
fn approval(turn: &Interaction) -> Span {
    let waited = 20.0 + f64::from(turn.person % 90);
    let result = if turn.outcome == Outcome::Denied { "rejected" } else { "approved" };
    Span::new("bot.approval.wait", super::Kind::Internal, (-waited, 0.0))
        .with("bot.approval.result", result)
        .with("bot.action.approval", turn.approval)
        .with("bot.approval.same_person", turn.approval == "self_rejected")
}

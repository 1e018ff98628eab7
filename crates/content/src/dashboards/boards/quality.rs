//! Conversation quality: for those who care whether people get what they came for.

use crate::promql::share;

use super::super::panel::{Board, Colour, Panel, Query, Row, Unit, View};
use super::super::series::{ENOUGH, Over, Scope};
use super::super::shapes::{
    bars, each, quantile_by, quantile_lines, ranking, ratio, ratio_lines, ratio_of, total,
};
use super::{ADOPTION, RELIABILITY, adoption, known};

pub fn board(scope: Scope<'_>) -> Board {
    Board {
        uid: super::QUALITY,
        title: "Conversation quality",
        description: "Whether people get what they came for, and what they say about it.",
        range: "28d",
        refresh: "15m",
        variables: Vec::new(),
        rows: vec![
            glance(scope),
            resolved(scope),
            said(scope),
            way(scope),
            knowledge(scope),
            judges(scope),
        ],
    }
}

const GOOD_ENDS: [&str; 2] = ["confirmed", "implied"];

fn glance(scope: Scope<'_>) -> Row {
    let sessions = scope.series("bot_sessions_total");
    let ended = |title: &str, what: &str, ends: &[&str]| {
        let all = sessions.clone()?;
        Some(ratio(title, what, &all.clone().only("resolution", ends)?, &all))
    };
    Row::new(
        "At a glance",
        [
            sessions.clone().map(|all| {
                let what = "Conversations that ended: messages in a thread or to the bot, until \
                            half an hour of silence.";
                total("Conversations", what, &all).see("Who has them", ADOPTION)
            }),
            ended(
                "Got an answer",
                "Conversations that ended with an answer, confirmed by a thumb or not \
                 contradicted. Good is a share that rises.",
                &GOOD_ENDS,
            ),
            ended(
                "Walked away",
                "Conversations that people left after a question back or a timeout. Good is near \
                 0 %.",
                &["abandoned"],
            ),
            adoption::satisfaction(scope),
            coverage(scope),
            scope.series("bot_session_turns").map(|all| {
                let what = "Messages in a conversation, on average. Good is a small number: each \
                            further one is a further try.";
                each(
                    "Messages a conversation",
                    what,
                    Unit::Number,
                    |over| all.amount(&[], over),
                    &all,
                )
            }),
            known::used(scope).zip(lost(scope)).map(|(whole, part)| {
                let what = "Messages the bot had no answer for: not its topic, or nothing found. \
                            Good is near 0 %; what is asked there is what to teach it next.";
                ratio("Had no answer", what, &part, &whole)
            }),
            scope.series("bot_model_stops_total").and_then(|all| {
                let what = "Model answers that were cut off because they became too long. Good is \
                            0 %.";
                let panel =
                    ratio("Answers cut off", what, &all.clone().only("reason", &["length"])?, &all);
                Some(panel.thresholds(&[(0.05, Colour::Warning)]))
            }),
        ],
    )
}

fn lost(scope: Scope<'_>) -> Option<super::super::series::Series<'_>> {
    known::used(scope)?.only("outcome", &["out_of_scope", "fallback"])
}

fn coverage(scope: Scope<'_>) -> Option<Panel> {
    let rated = scope.series("bot_feedback_total")?;
    let answered = known::answered(scope)?.no_narrower_than(&rated);
    let of = |over| share(rated.events(&[], over), answered.events(&[], over), ENOUGH);
    let what = "Answers that somebody gave a thumb for. Good is a few per cent: below that, \
                `Liked` speaks for few people.";
    Some(ratio_of("Got a vote", what, of, &answered))
}

fn resolved(scope: Scope<'_>) -> Row {
    let sessions = scope.series("bot_sessions_total");
    Row::new(
        "Do people get what they came for?",
        [
            sessions.as_ref().map(|all| {
                let what = "Conversations by how they ended. Confirmed: somebody said thanks or \
                            voted up; implied: answered and not contradicted; unresolved: failed \
                            or voted down; abandoned: left halfway. Good is mostly green.";
                bars("Conversations by their end", what, all, "resolution")
            }),
            sessions.as_ref().and_then(|all| {
                let what = "Conversations that ended with an answer. Good is a line that stays \
                            high.";
                Some(ratio_lines(
                    "Share that got an answer",
                    what,
                    &all.clone().only("resolution", &GOOD_ENDS)?,
                    all,
                ))
            }),
            known::used(scope).map(|all| {
                let what = "Messages by how they ended. Good is mostly `answered`; `fallback` and \
                            `out_of_scope` are topics it lacks.";
                bars("Messages by their end", what, &all, "outcome")
                    .see("What went wrong", RELIABILITY)
            }),
            lost(scope).and_then(|part| {
                let what = "What people asked about when the bot had no answer: not its topic, or \
                            nothing found.";
                ranking("No answer, by feature", what, &part, "feature")
            }),
        ],
    )
}

fn said(scope: Scope<'_>) -> Row {
    let feedback = scope.series("bot_feedback_total");
    let feedback = feedback.as_ref();
    Row::new(
        "What do they say about it?",
        [
            feedback.map(|all| {
                bars(
                    "Thumbs",
                    "Votes on answers. Good is mostly green, and enough of them.",
                    all,
                    "label",
                )
            }),
            feedback.and_then(|all| {
                let (up, down) =
                    (all.clone().only("label", &["up"])?, all.clone().only("label", &["down"])?);
                all.entry.label("feature")?;
                let by: &[&str] = &["feature"];
                let votes = all.events(by, Over::Range);
                let columns = vec![
                    Query::new("Votes", format!("{votes} > 0")).in_unit(Unit::Count),
                    Query::new("Up", up.events(by, Over::Range)).in_unit(Unit::Count),
                    Query::new("Down", down.events(by, Over::Range)).in_unit(Unit::Count),
                    Query::new("Liked", share(up.events(by, Over::Range), votes, ENOUGH))
                        .in_unit(Unit::Share),
                ];
                let what = format!(
                    "Votes by feature; the share is left out below {ENOUGH} votes. Read the \
                     conversations of the feature with the most thumbs down first."
                );
                let view = View::Table("feature", "Feature");
                Some(
                    Panel::new("Votes by feature", view, Unit::Count, columns)
                        .about(what)
                        .size(12, 8),
                )
            }),
        ],
    )
}

fn judges(scope: Scope<'_>) -> Row {
    Row::new(
        "What do judges say about it?",
        [
            scope.series("bot_evaluations_total").map(|all| {
                let what = "Answers that a judge looked at, by verdict: another model or a test, \
                            not a person.";
                bars("Judged answers", what, &all, "label").empty_when_healthy()
            }),
            scope.series("bot_evaluation_score").and_then(|all| {
                let what = "Scores that judges gave. Good is what the judge calls good: mostly \
                            near 1.";
                quantile_by("Scores by judge", what, Unit::Number, (&all, "evaluation"))
                    .map(Panel::empty_when_healthy)
            }),
        ],
    )
}

fn way(scope: Scope<'_>) -> Row {
    Row::new(
        "How long is the way to an answer?",
        [
            scope.series("bot_session_turns").map(|all| {
                let what = "Messages in a conversation. Good are low lines: long conversations \
                            are long ways to an answer.";
                quantile_lines("Messages in a conversation", what, Unit::Number, &all)
            }),
            scope.series("bot_turns_total").map(|all| {
                let what = "Messages by their place in the conversation. Good is mostly `1` and \
                            `2`.";
                bars("Place in the conversation", what, &all, "turn")
            }),
            scope.series("bot_session_duration_seconds").map(|all| {
                let what = "Time from the first message of a conversation to its last reply.";
                quantile_lines("Length of conversations", what, Unit::Seconds, &all)
            }),
            scope.series("bot_response_bytes").map(|all| {
                let what = "How much the bot writes. Good is what people read to the end: a \
                            screen is about 2 kB.";
                quantile_lines("Size of replies", what, Unit::Bytes, &all)
            }),
        ],
    )
}

fn knowledge(scope: Scope<'_>) -> Row {
    let searches = scope.series("bot_retrievals_total");
    Row::new(
        "Does it know the answer?",
        [
            searches.as_ref().map(|all| {
                let what = "Searches in the bot's knowledge, and whether they found something. \
                            Good is mostly `found`.";
                bars("Knowledge searches", what, all, "result")
            }),
            searches.as_ref().and_then(|all| {
                let what = "Searches that found nothing. Good is near 0 %: what is missing can be \
                            written.";
                Some(ratio_lines(
                    "Share that found nothing",
                    what,
                    &all.clone().only("result", &["empty"])?,
                    all,
                ))
            }),
            scope.series("bot_retrieval_hits").map(|all| {
                let what = "Documents that a search found. Good is a few: one may be chance, \
                            twenty are no answer.";
                quantile_lines("Documents found", what, Unit::Number, &all)
            }),
            scope.series("bot_model_stops_total").map(|all| {
                let what = "Why models stopped writing: done (`stop`), to use a tool, cut off \
                            (`length`), or censored. Good is no red.";
                bars("Ends of model answers", what, &all, "reason")
            }),
        ],
    )
}

//! Conversations on the arrow: what a request says of them is heard, and one that has ended becomes a record of its own.

use std::sync::PoisonError;

use crate::model::key;
use crate::rules::{Evaluation, Remark, Said, Subject};
use crate::sessions::{Sessions, Turn};
use crate::timestamp::Timestamp;
use crate::view::Session;

use crate::items::{Fate, Item};
use crate::runtime::Engine;
use crate::workspace::Workspace;

use super::Pipeline;
use super::apply;

/// The conversations that a config follows; none: no room for any.
pub(super) fn sessions(engine: &Engine) -> Sessions {
    let bounds = engine.sessions.as_ref();
    Sessions::new(
        bounds.map_or_else(Default::default, |one| one.idle),
        bounds.map_or(0, |one| one.max),
    )
}

/// Hears what a request says. What was resent, or came before, was heard then.
pub(super) fn hear(pipeline: &Pipeline, engine: &Engine, work: &Workspace, now: Timestamp) {
    let updates = &work.scratch.updates;
    if updates.remarks.is_empty() {
        return;
    }
    let live = |remark: &&Remark| {
        let item = work.items.get(remark.item as usize);
        item.is_some_and(|item| item.fate == Fate::Matched)
            && remark.guard.is_none_or(|guard| work.repeated.get(guard as usize) != Some(&true))
    };
    let mut ended = Vec::new();
    let mut sessions = pipeline.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    for remark in updates.remarks.iter().filter(live) {
        match remark.said {
            Said::Turn(begin, end) => {
                let said = key::values(updates.key(remark.words));
                let mut said = said.map(|word| (!word.is_empty()).then_some(word));
                let turn = Turn { time: (begin, end), outcome: said.next().flatten() };
                ended.extend(sessions.turn(remark.key, &turn, said, now));
            }
            Said::Liked(liked) => sessions.feedback(remark.key, liked),
            Said::Handover => sessions.hand_over(remark.key),
            Said::End => ended.extend(sessions.end(remark.key)),
        }
    }
    drop(sessions);
    settle(pipeline, engine, &ended, now);
}

/// Ends what has been quiet for too long.
pub(super) fn end_quiet(pipeline: &Pipeline, engine: &Engine, now: Timestamp) {
    let mut sessions = pipeline.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    let ended = sessions.expire(now);
    drop(sessions);
    settle(pipeline, engine, &ended, now);
}

/// Ends all of them.
pub(super) fn end_all(pipeline: &Pipeline, engine: &Engine, now: Timestamp) {
    let ended = pipeline.sessions.lock().unwrap_or_else(PoisonError::into_inner).close();
    settle(pipeline, engine, &ended, now);
}

/// Rules take conversations that have ended.
fn settle(pipeline: &Pipeline, engine: &Engine, ended: &[Session], now: Timestamp) {
    if ended.is_empty() {
        return;
    }
    let mut work = engine.workspaces.take();
    work.items.clear();
    work.repeated.clear();
    let scratch = std::mem::take(&mut work.scratch);
    let bounds = (engine.limits.label_value, now);
    let mut evaluation = Evaluation::new(&engine.rules, bounds, scratch);
    for (at, session) in (0_u32..).zip(ended) {
        work.items.push(Item::derived());
        evaluation.record(Subject::Session(session), at, 1.0);
    }
    work.scratch = evaluation.into_scratch();
    apply::spread(pipeline, engine, &mut work, now);
    engine.workspaces.give(work);
    pipeline.changed();
}

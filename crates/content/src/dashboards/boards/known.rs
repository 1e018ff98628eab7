//! Series that several boards speak of, cut the same way everywhere.

use super::super::series::{Scope, Series};

/// Messages that people sent and the bot worked on: every vendor leaves out the rest.
pub fn used(scope: Scope<'_>) -> Option<Series<'_>> {
    let all = scope.series("bot_interactions_total")?;
    let all = all.except("outcome", &["denied", "ignored", "duplicate"]);
    Some(all.except("kind", &["webhook", "schedule"]))
}

/// Those that got an answer.
pub fn answered(scope: Scope<'_>) -> Option<Series<'_>> {
    let all = scope.series("bot_interactions_total")?;
    let all = all.only("outcome", &["answered", "confirmation_requested"])?;
    Some(all.except("kind", &["webhook", "schedule"]))
}

/// Those that failed.
pub fn failed(scope: Scope<'_>) -> Option<Series<'_>> {
    let all = scope.series("bot_interactions_total")?;
    let all = all.only("outcome", &["error", "timeout", "overloaded"])?;
    Some(all.except("kind", &["webhook", "schedule"]))
}

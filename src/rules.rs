//! The compiled config: which record feeds which series, with which labels, by how much.
//!
//! [`definition`] is what a config resolves to; [`RuleSet`] is what runs. One pass over a record's attributes fills [`Slots`]
//! (a key the config never names costs one failed lookup), then each rule that reads this kind of record is asked once. A rule
//! set is pure: records in, [`Updates`] out. It knows no YAML, no clock, no socket and no series state.

mod compile;
pub mod definition;
mod evaluate;
pub mod explain;
mod expression;
mod lookup;
pub mod pattern;
mod ruleset;
mod slots;
mod subject;
mod update;

pub use evaluate::Evaluation;
pub use ruleset::RuleSet;
pub use slots::Slots;
pub use subject::Subject;
pub use update::{Guard, Skip, SkipReason, Text, Update, Updates};

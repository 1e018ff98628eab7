//! The compiled config: which record feeds which series, with which labels, by how much.
//!
//! [`definition`] is what a config resolves to; [`RuleSet`] is what runs. One pass over a record's attributes fills the slots (a
//! key the config never names costs one failed lookup) and tells which rules are possible; those are asked once. A rule set is
//! pure: records in, [`Updates`] out. It knows no YAML, no clock, no socket and no series state.

mod assemble;
mod compile;
mod conversation;
pub mod definition;
mod evaluate;
pub mod explain;
mod expression;
mod index;
mod keys;
mod lasting;
mod looks;
mod lookup;
mod memos;
mod need;
pub mod pattern;
mod recycle;
mod rule;
mod ruleset;
mod scratch;
mod slots;
mod subject;
mod texts;
mod update;
mod uses;
mod words;

pub use evaluate::Evaluation;
pub use recycle::{recycled, room};
pub use ruleset::RuleSet;
pub use scratch::Scratch;
pub use subject::Subject;
pub use update::{
    Guard, IgnoredWeight, Remark, Said, Skip, SkipReason, Update, Updates, WeightBound,
};
pub use uses::Uses;

//! The compiled config: which record feeds which series, with which labels, by how much.
//!
//! [`definition`] is what a config resolves to; [`RuleSet`] is what runs. A rule set is pure: records in, updates out. It knows no
//! YAML, no clock, no socket and no series state.

pub mod definition;
pub mod pattern;

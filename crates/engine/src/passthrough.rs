//! Senders' own metrics on their way to series: each data point is folded into its stream, and what it adds goes to the series it
//! passes to and to those that rules make of it.
//!
//! | module | holds |
//! |---|---|
//! | `points` | the walk's visitor: collects a request's points, changes nothing |
//! | `measure` | what a point says, read out of its lazy view |
//! | `route` | where the points of a stream go |
//! | `senders` | the state of senders that outlives a request |
//! | `targets` | who sends, and `target_info` |
//! | `fold` | the change itself, once the request was walked to its end |
//!
//! What it must never know: requests, receivers, the clock.

mod fold;
pub(crate) mod measure;
mod points;
mod route;
mod senders;
mod targets;

pub use fold::Gain;
pub(crate) use fold::{Brought, Process, fold, fold_each, takes};
pub(crate) use points::{PointBatch, hash};
pub(crate) use senders::Senders;
pub(crate) use targets::KeptTargets;

//! Senders' own metrics on their way to series: the contract of passed-through points.
//!
//! **Writer.** A resource. It is silent when for the longer of `datapoints.stale` and three of its own export intervals no metrics
//! came from it ([`limits::STALE`](crate::limits::STALE), [`limits::STALE_INTERVALS`](crate::limits::STALE_INTERVALS)).
//!
//! **Shown.** A silent writer's gauges, up-down sums and `target_info` end; of a gauge or up-down sum that several writers share it
//! loses its part, and the series ends with the last part. Counters, histograms and summaries stay. A series that received nothing for
//! `limits.idle` ends, whatever its writer does. "No recorded value" ends what that stream shows, of every kind.
//!
//! **Remembered.** Last totals, levels of delta up-down sums and counted windows stay until `limits.idle`, so that a writer that
//! returns with the same start adds only what is new. A total whose memory was lost joins without adding, and is counted as joined.
//!
//! **Counted once.** Totals are told apart by their start, up to 64 living ones of one identity; a higher total is news whatever the
//! clock says, a lower one with an older time is late. A delta window is a duplicate when it equals one of the last 32 in everything.
//!
//! **Limits.** `series_per_metric` holds for each metric and writer (`job` and `instance`), `senders_series` for all of them. Where
//! all have as many as they may, sets of silent writers go first. Then counters and histograms fold into one overflow set of their
//! metric and writer, and a stream that folded stays folded; gauges, summaries, new names, and histograms of other bounds are refused.
//!
//! | module | holds |
//! |---|---|
//! | `points` | the walk's visitor: collects a request's points, changes nothing |
//! | `measure` | what a point says, read out of its lazy view |
//! | `writers`, `targets` | who sends, and whether they are silent; `target_info` |
//! | `route` | which series a point goes to, within the limits |
//! | `senders` | all that is known of senders, and how it ends |
//! | `fold`, `gain` | the change itself, once the request was walked to its end; what it brought, for people |
//!
//! What it must never know: requests, receivers, the clock.

mod fold;
mod gain;
pub(crate) mod measure;
mod points;
mod route;
mod senders;
mod targets;
mod writers;

pub(crate) use fold::{Brought, Process, fold, fold_each, takes};
pub use gain::Gain;
pub(crate) use points::{PointBatch, hash};
pub(crate) use senders::Senders;
pub(crate) use targets::KeptTargets;
pub(crate) use writers::KeptWriters;

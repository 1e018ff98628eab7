//! The engine: from a request's bytes to Prometheus series, and from the series to the bytes of a scrape.
//!
//! # The one way of the data
//!
//! ```text
//! bytes -> wire -> view -> dedupe, sessions, streams -> rules -> updates -> series -> exposition -> bytes
//!         (lazy,  (borrowed (what a record implies     (match,  (family,   (state)   (text,
//!         bounded) records)  beyond its fields)         label,   labels,             OpenMetrics,
//!                                                       measure) op)                 protobuf)
//! ```
//!
//! # The map, from the bottom to the top
//!
//! | modules | hold |
//! |---|---|
//! | [`limits`], [`timestamp`] | every bound with its unit and reason; times as values |
//! | [`model`], [`view`] | names, families, amounts, snapshots; the borrowed records |
//! | [`wire`] | OTLP in protobuf and JSON to records |
//! | `cut` | copies of one moment, made while everything goes on |
//! | [`dedupe`], [`sessions`], [`streams`], [`weight`](mod@weight) | duplicates, conversations, streams of points, sampling weights |
//! | [`rules`], [`series`] | records to updates; the store that updates change |
//! | [`exposition`], [`snapshot`] | series to bytes; what survives a restart |
//! | [`counters`], [`plan`], [`query`] | what became of every item; what a configuration decides; what boards and alerts ask of the metrics |
//! | [`translation`] | senders' names and attributes in Prometheus' words |
//! | `runtime` | compiled rules with their store: what a reload swaps |
//! | [`passthrough`], [`inventory`] | the senders' own metrics to series; what arrives, for people |
//! | [`pipeline`] | the one arrow through all of it |
//! | [`explain`] | the same arrow with a guide |
//!
//! # Invariants
//!
//! - No socket, no file, no YAML, no runtime and no clock: time comes in as a value. `tests/it/layers.rs` holds the list of dependencies.
//! - A request is taken or refused as a whole. Nothing outside the request changes before its last byte was walked.
//! - Every item of a taken request is accepted or rejected exactly once, and [`counters`] shows it in every scrape.
//! - A series is its family and the labels its config declares. Nothing else enters the key, and equality is full.
//! - Every bound is a name in [`limits`].
//! - Text from outside reaches an exposition through one escape function.

pub mod limits;
pub mod timestamp;

pub mod model;
pub mod view;

pub mod wire;

mod cut;
pub mod dedupe;
pub mod sessions;
pub mod streams;
pub mod weight;

pub mod rules;
pub mod series;

pub mod exposition;
pub mod snapshot;

pub mod counters;
mod items;
pub mod plan;
pub mod query;
pub mod translation;

mod runtime;
mod workspace;

pub mod inventory;
pub mod passthrough;

pub mod pipeline;

pub mod explain;

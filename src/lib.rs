//! The sidecar that turns what a chat bot emits over OpenTelemetry into Prometheus series that people trust.
//!
//! # The one way of the data
//!
//! ```text
//! bytes -> wire -> view -> derive -> rules -> updates -> series -> exposition -> bytes
//!         (lazy,  (borrowed (repeats, (match,  (family,   (state)   (text 0.0.4,
//!         bounded) records)  weights)  label,   labels,             OpenMetrics)
//!                                      measure)  op)
//! ```
//!
//! # The map
//!
//! Folder order is data order. A module imports only strictly lower ranks; `tests/it/layers.rs` checks it.
//!
//! | rank | modules |
//! |---|---|
//! | 0 | [`limits`] (every bound), [`clock`] (the only source of time) |
//! | 1 | [`model`] (names, families, snapshots), [`view`] (borrowed records) |
//! | 2 | [`wire`] (bytes to view), [`derive`](mod@derive) (repeats, weights), [`rules`] (view to updates), [`series`] (state) |
//! | 3 | [`config`] (YAML to rules), [`exposition`] (series to bytes), [`snapshot`] (what survives a restart), [`telemetry`] (the exporter's own numbers) |
//! | 4 | [`pipeline`] (the one arrow), [`net`] (sockets, deadlines, drain), [`generators`] (config to dashboards and rules) |
//! | 5 | [`receivers`] (OTLP in), [`forwarders`] (OTLP on), [`scrape`] (the web port), [`traffic`] (the simulated bot and the load), [`report`] (what stakeholders read) |
//! | 6 | [`cli`] |
//!
//! # Invariants
//!
//! - Ranks 0 to 2 and `exposition` know no socket, no file, no YAML and no clock: time comes in as a value.
//! - A request is taken or refused as a whole. Nothing outside the request changes before its last byte was walked.
//! - Every item of a taken request is accepted or rejected exactly once, and the books say so in every scrape.
//! - A series is its family and the labels its config declares. Nothing else enters the key, and equality is full.
//! - Every bound is a name in [`limits`].
//! - Text from outside reaches an exposition through one escape function.
//!
//! # What is deliberately absent
//!
//! Storage and queries (Prometheus is there), trace storage and assembly, an expression language, clustering of our own.

pub mod clock;
pub mod limits;

pub mod derive;
pub mod model;
pub mod rules;
pub mod series;
pub mod view;
pub mod wire;

pub mod config;
pub mod exposition;
pub mod snapshot;
pub mod telemetry;

pub mod generators;
pub mod net;
pub mod pipeline;

pub mod forwarders;
pub mod receivers;
pub mod report;
pub mod scrape;
pub mod traffic;

pub mod cli;

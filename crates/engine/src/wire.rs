//! Bytes to views: the OTLP reader.
//!
//! A walk goes over a request's bytes once and tells a [`Visitor`](crate::view::Visitor) what it finds: nothing is copied, nothing
//! is allocated, and all framing is checked down to the attribute value and the bucket. JSON is transcoded into protobuf first, so that one
//! reader makes one set of views. This room knows no config, no series, no transport and no clock.
//!
//! What it takes and refuses is what `prost` takes and refuses on the generated OTLP types, with three differences, each tested:
//! text is not checked to be UTF-8 (the views check where text is used), groups are refused (OTLP never had one), and a value whose
//! lists and maps nest deeper than [`VALUE_DEPTH`](crate::limits::VALUE_DEPTH) is missing, where `prost` refuses the request.
#![deny(clippy::indexing_slicing)]

mod buffer;
mod cursor;
mod envelope;
mod error;
pub mod inflate;
mod json;
mod logs;
mod metrics;
mod nested;
mod packed;
mod points;
pub mod reply;
mod request;
mod traces;
mod value;
mod variant;
mod writer;

pub use buffer::Buffer;
pub use error::{Place, WireError};
pub use json::json_to_protobuf;
pub use logs::walk_logs;
pub use metrics::walk_metrics;
pub use request::{Coding, ExportRequest, RewriteError};
pub use traces::walk_traces;

/// How a request's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP protobuf.
    Protobuf,
    /// OTLP JSON.
    Json,
}

#[cfg(test)]
mod testing;

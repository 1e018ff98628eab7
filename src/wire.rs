//! Bytes to views: the OTLP reader.

pub mod inflate;
pub mod reply;

/// How a request's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// OTLP protobuf.
    Protobuf,
    /// OTLP JSON.
    Json,
}

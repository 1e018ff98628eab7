//! The exporter's own numbers and the words they use.
//!
//! Lower ranks return values and never count or log; `pipeline` and the rim tell this room what happened.

/// By which door a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// Why a whole request was refused: nothing of it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Over the size limit, before or after inflating.
    TooLarge,
    /// Not the message it claims to be.
    Malformed,
    /// A content encoding we do not know, or bytes that are not in it.
    Encoding,
    /// A content type we do not know.
    MediaType,
    /// More in flight than the limit; come again.
    Overload,
    /// The body did not come in time.
    Timeout,
    /// No right to send.
    Auth,
}

/// Why one item of a taken request was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the label values of the contract
pub enum Rejection {
    Duplicate,
    Late,
    Name,
    TypeConflict,
    Temporality,
    DeltaNonmonotonic,
    Scale,
    Invalid,
    SeriesLimit,
    StreamLimit,
}

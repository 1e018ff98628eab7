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

/// stand-in until merge
#[derive(Clone, Debug, Default)]
pub struct ItemCounts {
    /// x
    pub received: u64,
    /// x
    pub accepted: u64,
    /// x
    pub unmatched: u64,
}
impl ItemCounts {
    /// x
    pub fn reject(&mut self, _: Rejection) {}
    /// x
    pub fn rejections(&self) -> impl Iterator<Item = (Rejection, u64)> {
        std::iter::empty()
    }
}
impl Rejection {
    /// x
    pub fn as_str(self) -> &'static str {
        ""
    }
}
/// x
pub struct Telemetry;
impl Telemetry {
    /// x
    pub fn post(&self, _: crate::view::Signal, _: &ItemCounts, _: crate::clock::Timestamp) {}
    /// x
    pub fn refused(&self, _: Protocol, _: Refusal) {}
    /// x
    pub fn skipped(&self, _: &str, _: &str) {}
    /// x
    pub fn repeated(&self, _: &str) {}
    /// x
    pub fn gather(
        &self,
        _: &[crate::series::FamilyCount],
        _: usize,
    ) -> Vec<crate::model::FamilySnapshot> {
        vec![]
    }
}

//! Borrowed telemetry: what a request holds, without a copy of it.
//!
//! One vocabulary for both encodings: `wire` fills it from bytes, `rules` reads it. A view borrows from the request and lives no
//! longer. It knows no config, no series and no transport.

mod point;
mod record;
mod session;
mod value;

pub use point::{
    Buckets, Data, Exemplars, Exponential, Histogram, Metric, Packed, Point, PointExemplar,
    PointValue, Quantile, Summary, Temporality, Unread,
};
pub use record::{LogRecord, Origin, Signal, Span, SpanEvent, SpanKind, Status, Visitor};
pub use session::{Session, Word};
pub use value::{Nested, Value, write_double};

//! OTLP in: gRPC and HTTP.
//!
//! Both doors lead through the same [`Intake`]: read within bounds, inflate within bounds, hand over whole. What a door adds is
//! the manners of its protocol. This room knows no rule and no series; what a request holds is the pipeline's business.

pub mod admission;
mod cors;
mod intake;
pub mod otlp_grpc;
pub mod otlp_http;
mod pace;
mod ports;
mod refusals;
mod wrong_port;

use http::StatusCode;
use tonic::Code;

use engine::counters::Refusal;

pub use admission::Admission;
pub use cors::Cors;
pub use intake::{Intake, Taken};
pub use ports::Ports;
pub use refusals::{Caller, RefusalLog};

/// How a refusal is said to a sender. Only an overload and a timeout are worth another try, and their gRPC codes say so; over HTTP
/// 503 does.
fn codes(reason: Refusal) -> (StatusCode, Code) {
    match reason {
        Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted),
        Refusal::Malformed => (StatusCode::BAD_REQUEST, Code::InvalidArgument),
        // An encoding we lack has the status of a media type we lack (RFC 9110, section 15.5.16).
        Refusal::Encoding | Refusal::MediaType => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument)
        }
        Refusal::Overload => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        Refusal::Timeout => (StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded),
        Refusal::Auth => (StatusCode::UNAUTHORIZED, Code::Unauthenticated),
    }
}

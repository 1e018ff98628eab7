//! The answers of the web port, and the short ones that several routes give.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body_util::{Either, Full};

use engine::limits;

use super::body::Streamed;

/// What a route answers that has all of it at once.
pub type Answer = Response<Full<Bytes>>;

/// What any route answers with.
pub type Body = Either<Full<Bytes>, Streamed>;

/// The answer of a route that panicked.
pub(super) fn internal() -> Answer {
    text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
}

/// There are too many of this kind under way.
pub(super) fn busy(why: &'static str) -> Answer {
    let mut busy = text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"));
    busy.headers_mut().insert(RETRY_AFTER, limits::RETRY_AFTER.as_secs().into());
    busy
}

pub(super) fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "not with this method\n");
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

/// A short answer for people.
pub(super) fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

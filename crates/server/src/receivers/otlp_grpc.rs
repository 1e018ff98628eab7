//! OTLP over gRPC: one unary method a signal.
//!
//! hyper speaks HTTP/2 and tonic knows how a status is written. The five bytes in front of a message are read here and not by
//! tonic's codec, because that inflates outside our budget, reads only the first member of a gzip stream and passes over a second
//! message, and each of these would take a request without all of its items.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use tonic::{Code, Status};

use crate::hops;
use crate::net::protocol::{PeerProtocol, Replayed, recognize};
use crate::net::{Accepted, Drain, connection};
use engine::counters::{Protocol, Refusal};
use engine::limits;
use engine::pipeline::Refused;
use engine::view::Signal;
use engine::wire::{Coding, Encoding, reply};

use super::intake::{Intake, Request, Stopped};
use super::pace::{Expected, PREFIX};
use super::refusals::Caller;
use super::{ports, wrong_port};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// The type of the detail that says when to come again.
const RETRY_INFO: &[u8] = b"type.googleapis.com/google.rpc.RetryInfo";

/// Serves one connection to its end.
pub async fn serve(accepted: Accepted, intake: Arc<Intake>, drain: Drain) {
    let Accepted { mut stream, peer, activity, .. } = accepted;
    let caller = Caller { protocol: Protocol::Grpc, peer };
    // The deadline of the opening bounds this, too.
    let Ok((protocol, first)) = recognize(&mut stream).await else { return };
    stream.opened();
    let stream = Replayed::new(first, stream);
    match protocol {
        PeerProtocol::Http2 => {}
        PeerProtocol::Http1 => {
            return wrong_port::serve_http1(stream, intake, caller, &drain).await;
        }
        PeerProtocol::Tls | PeerProtocol::Unknown => {
            return wrong_port::close(stream, &intake, (caller, protocol)).await;
        }
    }
    let here = intake.clone();
    let service = service_fn(move |request| {
        let (intake, activity) = (here.clone(), activity.clone());
        async move {
            activity.requested();
            let answer = answer(&intake, caller, request).await;
            activity.answered(answer.as_ref().is_ok_and(is_success));
            answer.map_err(|Gone| Status::cancelled(""))
        }
    });
    let ended = connection::serve_http2(stream, service, &intake.deadlines, &drain).await;
    intake.ended(caller, ended);
}

/// The sender went away.
struct Gone;

async fn answer(
    intake: &Intake,
    caller: Caller,
    request: http::Request<Incoming>,
) -> Result<Response<Reply>, Gone> {
    let (head, mut body) = request.into_parts();
    if head.method != Method::POST {
        let allow = (ALLOW, HeaderValue::from_static("POST"));
        return Ok(bare(StatusCode::METHOD_NOT_ALLOWED, allow));
    }
    if !is_grpc(&head.headers) {
        intake.refuse(caller, Refusal::MediaType, "the content type is not application/grpc");
        return Ok(bare(StatusCode::UNSUPPORTED_MEDIA_TYPE, (CONTENT_TYPE, GRPC)));
    }
    let Some(signal) = ports::grpc_signal(head.uri.path()) else {
        return Ok(Status::unimplemented("no such method").into_http());
    };
    match take(intake, (caller, signal), &head, &mut body).await {
        Ok(message) => Ok(success(&message)),
        Err(Stopped::Gone) => Err(Gone),
        Err(Stopped::Failed) => Ok(Status::internal("internal error").into_http()),
        Err(Stopped::Refused(refused)) => Ok(refusal(refused)),
    }
}

/// One request to the message of its answer.
async fn take(
    intake: &Intake,
    (caller, signal): (Caller, Signal),
    head: &Parts,
    body: &mut Incoming,
) -> Result<Vec<u8>, Stopped> {
    let named = head.headers.get(GRPC_ENCODING).map_or(&b""[..], HeaderValue::as_bytes);
    let Some(named) = Coding::named(named) else {
        let message = "the grpc-encoding is none of gzip, deflate, zstd, identity";
        return Err(intake.refuse(caller, Refusal::Encoding, message));
    };
    let expected = Expected {
        declared: 0,
        limit: intake.request().saturating_add(PREFIX),
        within: head.headers.get(GRPC_TIMEOUT).and_then(|value| grpc_timeout(value.as_bytes())),
        is_framed: true,
    };
    let mut read = intake.read(caller, body, expected).await?;
    let compressed = match unframe(&mut read.bytes) {
        Ok(compressed) => compressed,
        Err(misframed) => {
            return Err(intake.refuse(caller, Refusal::Malformed, misframed.to_string()));
        }
    };
    if compressed && named == Coding::Identity {
        let message = "a compressed message without a grpc-encoding";
        return Err(intake.refuse(caller, Refusal::Malformed, message));
    }
    let coding = if compressed { named } else { Coding::Identity };
    let (encoding, hops) = (Encoding::Protobuf, hops::of(&head.headers));
    let outcome = intake.ingest(Request { caller, signal, encoding, coding, hops }, read)?;
    Ok(reply::success(signal, encoding, outcome.rejected, &outcome.message))
}

/// A body that is not the one message of a unary call.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Misframed {
    #[error("the message is shorter than it says")]
    Short,
    #[error("there is more than one message")]
    Long,
    #[error("the compressed flag is {0}, neither 0 nor 1")]
    Flag(u8),
}

/// Takes the prefix off the one message, and says whether it is compressed (gRPC over HTTP/2, "Length-Prefixed-Message").
fn unframe(bytes: &mut Bytes) -> Result<bool, Misframed> {
    let Some((&[flag, length @ ..], message)) = bytes.split_first_chunk::<PREFIX>() else {
        return Err(Misframed::Short);
    };
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if message.len() < length {
        return Err(Misframed::Short);
    }
    if message.len() > length {
        return Err(Misframed::Long);
    }
    if flag > 1 {
        return Err(Misframed::Flag(flag));
    }
    *bytes = bytes.slice(PREFIX..);
    Ok(flag == 1)
}

/// How long the caller waits: up to eight digits and a unit (gRPC over HTTP/2, "Timeout"). What is none is no deadline.
fn grpc_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    match unit {
        b'H' => Some(Duration::from_secs(count * 3600)),
        b'M' => Some(Duration::from_secs(count * 60)),
        b'S' => Some(Duration::from_secs(count)),
        b'm' => Some(Duration::from_millis(count)),
        b'u' => Some(Duration::from_micros(count)),
        b'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    media_type.eq_ignore_ascii_case(b"application/grpc")
        || media_type.eq_ignore_ascii_case(b"application/grpc+proto")
}

fn success(message: &[u8]) -> Response<Reply> {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(0);
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let mut response =
        Response::new(Reply { message: Some(framed.into()), trailers: Some(trailers) });
    response.headers_mut().insert(CONTENT_TYPE, GRPC);
    response
}

/// Whether it is the answer to a request that was taken.
fn is_success(response: &Response<Reply>) -> bool {
    response.body().message.is_some()
}

/// A refusal as a status. To an overload belongs when to come again: OTLP makes it `UNAVAILABLE` with a `RetryInfo`
/// (OTLP 1.x, "OTLP/gRPC Throttling").
fn refusal(Refused { reason, message }: Refused) -> Response<Reply> {
    let (_, code) = super::codes(reason);
    match reason {
        Refusal::Overload => {
            let details = retry(code, &message);
            Status::with_details(code, message, details).into_http()
        }
        Refusal::Encoding => {
            let mut response: Response<Reply> = Status::new(code, message).into_http();
            let known = HeaderValue::from_static("gzip,deflate,zstd,identity");
            response.headers_mut().insert(GRPC_ACCEPT_ENCODING, known);
            response
        }
        _ => Status::new(code, message).into_http(),
    }
}

/// A `google.rpc.Status` with a `google.rpc.RetryInfo` as its one detail, which is field 3 of the one and an `Any`.
fn retry(code: Code, message: &str) -> Bytes {
    let seconds = u8::try_from(limits::RETRY_AFTER.as_secs()).unwrap_or(127).min(127);
    let delay = [0x08, seconds]; // Duration.seconds
    let info = field(0x0a, &delay); // RetryInfo.retry_delay
    let any = [field(0x0a, RETRY_INFO), field(0x12, &info)].concat(); // Any.type_url, Any.value
    let mut status = reply::status(Encoding::Protobuf, code as u32, message);
    status.extend(field(0x1a, &any));
    status.into()
}

/// A length-delimited field of fewer than 128 bytes.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    debug_assert!(bytes.len() < 128);
    [&[tag, bytes.len() as u8], bytes].concat()
}

/// An answer that is not gRPC, because the question was not.
fn bare(status: StatusCode, (name, value): (HeaderName, HeaderValue)) -> Response<Reply> {
    let mut response = Response::new(Reply::default());
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    response
}

/// At most one message, then at most one set of trailers.
#[derive(Default)]
struct Reply {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl hyper::body::Body for Reply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = match self.message.take() {
            Some(message) => Some(Frame::data(message)),
            None => self.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &'static [u8]) -> Result<(bool, Bytes), Misframed> {
        let mut bytes = Bytes::from_static(bytes);
        unframe(&mut bytes).map(|compressed| (compressed, bytes))
    }

    #[test]
    fn reads_the_timeout_of_a_call() {
        let read = |text: &str| grpc_timeout(text.as_bytes());
        assert_eq!(read("100m"), Some(Duration::from_millis(100)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(
            (read("0n"), read("5u")),
            (Some(Duration::ZERO), Some(Duration::from_micros(5)))
        );
        for none in ["", "m", "100", "-1S", "1.5S", "123456789S", "1s", "1 S", "\u{663}S"] {
            assert_eq!(read(none), None, "{none}");
        }
    }

    #[test]
    fn a_unary_body_is_one_message() {
        assert_eq!(check(b"\0\0\0\0\0"), Ok((false, Bytes::new())));
        assert_eq!(check(b"\x01\0\0\0\x02hi"), Ok((true, Bytes::from_static(b"hi"))));
        assert_eq!(check(b""), Err(Misframed::Short));
        assert_eq!(check(b"\0\0\0\0"), Err(Misframed::Short));
        assert_eq!(check(b"\0\0\0\0\x02h"), Err(Misframed::Short));
        assert_eq!(check(b"\0\xff\xff\xff\xffh"), Err(Misframed::Short));
        assert_eq!(check(b"\0\0\0\0\x01hi"), Err(Misframed::Long));
        assert_eq!(check(b"\x02\0\0\0\x01h"), Err(Misframed::Flag(2)));
    }

    #[test]
    fn an_overload_says_when_to_come_again() {
        let details = retry(Code::Unavailable, "busy");
        let any = details.windows(RETRY_INFO.len()).position(|window| window == RETRY_INFO);
        let value = &details[any.unwrap() + RETRY_INFO.len()..];
        assert_eq!(value, [0x12, 4, 0x0a, 2, 0x08, 1]);
    }
}

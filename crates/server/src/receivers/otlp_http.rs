//! OTLP over HTTP/1.1, and over HTTP/2 with prior knowledge: one path a signal, protobuf or JSON.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT,
    HeaderMap, HeaderValue, RETRY_AFTER,
};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use tokio::time::timeout;
use tonic::Code;

use crate::hops;
use crate::net::protocol::{PeerProtocol, Replayed, recognize};
use crate::net::{Accepted, Drain, connection};
use crate::self_metrics::Closing;
use engine::counters::{Protocol, Refusal};
use engine::limits;
use engine::pipeline::{Outcome, Refused};
use engine::view::Signal;
use engine::wire::{Coding, Encoding, reply};

use super::intake::{Intake, Request, Stopped};
use super::pace::Expected;
use super::refusals::Caller;
use super::{Cors, ports, wrong_port};

type Answer = Response<Full<Bytes>>;

/// The sender went away. hyper wants an error where there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("the sender went away")]
struct Gone;

/// Serves one connection to its end.
pub async fn serve(accepted: Accepted, intake: Arc<Intake>, drain: Drain) {
    let Accepted { mut stream, peer, activity, .. } = accepted;
    let (deadlines, here) = (intake.deadlines, intake.clone());
    let caller = Caller { protocol: Protocol::Http, peer };
    let (protocol, first) = match timeout(deadlines.head, recognize(&mut stream)).await {
        Ok(Ok(recognized)) => recognized,
        Ok(Err(_)) => return,
        Err(_) => {
            return intake.closed(caller, Closing::Head, "the first head did not come in time");
        }
    };
    let stream = Replayed::new(first, stream);
    if protocol == PeerProtocol::Tls {
        return wrong_port::close(stream, &intake, (caller, protocol)).await;
    }
    let service = service_fn(move |request| {
        let (intake, activity) = (here.clone(), activity.clone());
        async move {
            activity.requested();
            let answer = answer(&intake, caller, request).await;
            activity.answered(answer.as_ref().is_ok_and(|answer| answer.status().is_success()));
            answer
        }
    });
    let ended = if protocol == PeerProtocol::Http2 {
        connection::serve_http2(stream, service, &deadlines, &drain).await
    } else {
        connection::serve_http1(stream, service, &deadlines, &drain).await
    };
    intake.ended(caller, ended);
}

async fn answer(
    intake: &Intake,
    caller: Caller,
    request: http::Request<Incoming>,
) -> Result<Answer, Gone> {
    let (head, mut body) = request.into_parts();
    let mut answer = match (ports::http_signal(head.uri.path()), &head.method) {
        (None, &Method::POST)
            if let Some(answer) = wrong_port::grpc_call(intake, caller, &head.headers) =>
        {
            answer
        }
        (None, _) => plain(StatusCode::NOT_FOUND, "no such path: try /v1/traces\n"),
        (Some(signal), &Method::POST) => {
            take(intake, (caller, signal), &head.headers, &mut body).await?
        }
        (Some(_), method) if Cors(&intake.live.get().cors).is_preflight(method, &head.headers) => {
            let mut answer = plain(StatusCode::NO_CONTENT, "");
            Cors::describe(&head.headers, answer.headers_mut());
            answer
        }
        (Some(_), _) => {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only POST is served here\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            answer
        }
    };
    Cors(&intake.live.get().cors).allow(&head.headers, answer.headers_mut());
    if !body.is_end_stream() && answer.status() != StatusCode::OK {
        leave(intake, &head, body, &mut answer);
    }
    Ok(answer)
}

/// Deals with the rest of a body that is answered before its end: it is read and discarded beside the answer, so that the sender
/// can read that. A sender that waits for `100 Continue`, or is too slow, has to close the connection.
fn leave(intake: &Intake, asked: &Parts, body: Incoming, answer: &mut Answer) {
    if asked.headers.contains_key(EXPECT) || answer.status() == StatusCode::REQUEST_TIMEOUT {
        // HTTP/2 resets the stream alone.
        if asked.version < Version::HTTP_2 {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        return;
    }
    intake.discard(body);
}

/// One request to its answer.
async fn take(
    intake: &Intake,
    (caller, signal): (Caller, Signal),
    headers: &HeaderMap,
    body: &mut Incoming,
) -> Result<Answer, Gone> {
    let Some(encoding) = encoding(headers) else {
        let message = "the content type is neither application/x-protobuf nor application/json";
        let stopped = intake.refuse(caller, Refusal::MediaType, message);
        return stop(stopped, Encoding::Json);
    };
    let Some(coding) = coding(headers) else {
        let message = "the content encoding is none of gzip, deflate, zstd, identity";
        let mut answer = stop(intake.refuse(caller, Refusal::Encoding, message), encoding)?;
        let known = HeaderValue::from_static("gzip, deflate, zstd");
        answer.headers_mut().insert(ACCEPT_ENCODING, known);
        return Ok(answer);
    };
    let declared: Option<u64> =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let expected = Expected {
        declared: declared.map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        limit: intake.request(),
        within: None,
        is_framed: false,
    };
    let request = Request { caller, signal, encoding, coding, hops: hops::of(headers) };
    let outcome = match intake.read(caller, body, expected).await {
        Ok(body) => intake.ingest(request, body),
        Err(stopped) => Err(stopped),
    };
    match outcome {
        Ok(Outcome { rejected, message, .. }) => {
            let body = reply::success(signal, encoding, rejected, &message);
            Ok(typed(StatusCode::OK, encoding, body))
        }
        Err(stopped) => stop(stopped, encoding),
    }
}

/// A `google.rpc.Status` in the request's encoding.
fn stop(stopped: Stopped, encoding: Encoding) -> Result<Answer, Gone> {
    let ((status, code), message) = match stopped {
        Stopped::Gone => return Err(Gone),
        Stopped::Failed => {
            ((StatusCode::INTERNAL_SERVER_ERROR, Code::Internal), "internal error".into())
        }
        Stopped::Refused(Refused { reason, message }) => (super::codes(reason), message),
    };
    let mut answer = typed(status, encoding, reply::status(encoding, code as u32, &message));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, limits::RETRY_AFTER.as_secs().into());
    }
    Ok(answer)
}

fn typed(status: StatusCode, encoding: Encoding, body: Vec<u8>) -> Answer {
    let media_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    response(status, media_type, body.into())
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    response(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn response(status: StatusCode, media_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}

/// Parameters of the type mean nothing to us. Headers are bytes: nobody promised that they are text.
fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let value = headers.get(CONTENT_TYPE)?.as_bytes();
    let media_type = value.split(|byte| *byte == b';').next()?.trim_ascii();
    if media_type.eq_ignore_ascii_case(b"application/x-protobuf") {
        Some(Encoding::Protobuf)
    } else if media_type.eq_ignore_ascii_case(b"application/json") {
        Some(Encoding::Json)
    } else {
        None
    }
}

/// At most one coding is undone: nobody compresses twice for a good reason.
fn coding(headers: &HeaderMap) -> Option<Coding> {
    let mut named = headers.get_all(CONTENT_ENCODING).iter();
    let coding = named.next().map_or(Some(Coding::Identity), |name| Coding::named(name.as_bytes()));
    if named.next().is_some() { None } else { coding }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_bytes() {
        let typed = |value: &[u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            encoding(&HeaderMap::from_iter([(CONTENT_TYPE, value)]))
        };
        assert_eq!(typed(b"Application/JSON ; charset=utf-8"), Some(Encoding::Json));
        assert_eq!(typed(b"application/x-protobuf"), Some(Encoding::Protobuf));
        for other in [&b"text/plain"[..], b"application/json2", b"\xff\xfe", b"", b";"] {
            assert_eq!(typed(other), None, "{other:?}");
        }
        assert_eq!(encoding(&HeaderMap::new()), None);
    }

    #[test]
    fn one_coding_is_undone() {
        let coded = |values: &[&str]| {
            let pair = |value: &&str| (CONTENT_ENCODING, value.parse().unwrap());
            let mut headers = HeaderMap::new();
            headers.extend(values.iter().map(pair));
            coding(&headers)
        };
        assert_eq!(coded(&[]), Some(Coding::Identity));
        assert_eq!(coded(&[""]), Some(Coding::Identity));
        assert_eq!(coded(&["GZIP"]), Some(Coding::Gzip));
        assert_eq!(coded(&["zstd"]), Some(Coding::Zstd));
        assert_eq!(coded(&["Deflate"]), Some(Coding::Deflate));
        assert_eq!(coded(&["zlib"]), Some(Coding::Deflate));
        for none in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"]] {
            assert_eq!(coded(none), None, "{none:?}");
        }
    }
}

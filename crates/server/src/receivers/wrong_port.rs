//! Answers to senders of OTLP at the wrong port, and to TLS on a plain one. These are the most common mistakes of all, so the answer
//! gives the right port, and each is counted and logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::Status;

use crate::net::protocol::{NO_TLS, PeerProtocol, reject_tls};
use crate::net::{Drain, connection};
use crate::self_metrics::Closing;
use engine::counters::Refusal;

use super::intake::Intake;
use super::ports;
use super::refusals::Caller;

/// Serves an HTTP/1 connection at the port of OTLP/gRPC: every request is answered 400 with the port of OTLP/HTTP. OTLP requests
/// are counted as refused; a connection without any, such as a browser's, is counted once as one of the wrong protocol.
pub async fn serve_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    intake: Arc<Intake>,
    caller: Caller,
    drain: &Drain,
) {
    let counted = Arc::new(AtomicBool::new(false));
    let (here, seen) = (intake.clone(), counted.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let text = here.ports.http_at_grpc();
        let is_otlp = head.method == Method::POST && ports::http_signal(head.uri.path()).is_some();
        let first = !seen.swap(true, Ordering::Relaxed);
        if is_otlp {
            here.refuse(caller, Refusal::MediaType, text.as_str());
        } else if first {
            here.closed(caller, Closing::WrongProtocol, &text);
        }
        here.discard(body);
        std::future::ready(Ok::<_, std::convert::Infallible>(bad_request(text)))
    });
    let ended = connection::serve_http1(stream, service, &intake.deadlines, drain).await;
    let is_late = matches!(ended, Some((Closing::Head, _)));
    if is_late || counted.load(Ordering::Relaxed) {
        intake.ended(caller, ended);
    } else {
        // It began like HTTP/1 and was not.
        intake.closed(caller, Closing::WrongProtocol, &intake.ports.http_at_grpc());
    }
}

fn bad_request(text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text + "\n")));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, plain);
    answer
}

/// The answer to a gRPC call at the port of OTLP/HTTP; none when the request is no such call.
pub fn grpc_call(
    intake: &Intake,
    caller: Caller,
    headers: &HeaderMap,
) -> Option<Response<Full<Bytes>>> {
    const GRPC: &[u8] = b"application/grpc";
    let media_type = headers.get(CONTENT_TYPE)?.as_bytes().get(..GRPC.len())?;
    if !media_type.eq_ignore_ascii_case(GRPC) {
        return None;
    }
    let text = intake.ports.grpc_at_http();
    intake.refuse(caller, Refusal::MediaType, text.as_str());
    Some(Status::unimplemented(text).into_http())
}

/// Closes a connection of a protocol that is not served, with an answer for TLS.
pub async fn close(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    intake: &Intake,
    (caller, protocol): (Caller, PeerProtocol),
) {
    if protocol == PeerProtocol::Tls {
        intake.closed(caller, Closing::WrongProtocol, NO_TLS);
        reject_tls(stream).await;
    } else {
        let why = "the connection begins with neither HTTP nor TLS";
        intake.closed(caller, Closing::WrongProtocol, why);
    }
}

//! One connection on bare hyper: HTTP/1.1 for OTLP/HTTP, HTTP/2 with prior knowledge for gRPC; one request at a time.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::{Encoding, LoadOptions, Protocol, TrafficError};
use engine::limits;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection, ready for a request.
pub(super) enum Connection {
    Http(http1::SendRequest<Full<Bytes>>),
    Grpc(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Connects to the target.
    pub(super) async fn open(options: &LoadOptions) -> Result<Self, TrafficError> {
        let unreachable =
            |why: String| TrafficError::Unreachable { target: options.target.to_string(), why };
        let connect = TcpStream::connect(&options.target.authority);
        let stream = tokio::time::timeout(CONNECT, connect)
            .await
            .map_err(|_| unreachable("no connection in 5 s".to_owned()))?
            .map_err(|why| unreachable(why.to_string()))?;
        stream.set_nodelay(true).map_err(|why| unreachable(why.to_string()))?;
        match options.target.protocol {
            Protocol::Http => {
                let (sender, connection) = http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(|why| unreachable(why.to_string()))?;
                tokio::spawn(connection);
                Ok(Self::Http(sender))
            }
            Protocol::Grpc => {
                let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_send_buf_size(4 * limits::MIB)
                    .handshake(TokioIo::new(stream))
                    .await
                    .map_err(|why| unreachable(why.to_string()))?;
                tokio::spawn(connection);
                Ok(Self::Grpc(sender))
            }
        }
    }

    /// Whether the next request can be sent on it.
    pub(super) async fn ready(&mut self) -> bool {
        match self {
            Self::Http(sender) => sender.ready().await.is_ok(),
            Self::Grpc(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a body and reads the answer, which is always one: trouble is an answer too.
    pub(super) async fn send(&mut self, options: &LoadOptions, body: Bytes) -> Answer {
        match tokio::time::timeout(limits::BODY, self.exchange(options, body)).await {
            Ok(Some(answer)) => answer,
            Ok(None) | Err(_) => Answer::Lost,
        }
    }

    async fn exchange(&mut self, options: &LoadOptions, body: Bytes) -> Option<Answer> {
        let request = request(options, body)?;
        let response = match self {
            Self::Http(sender) => sender.send_request(request).await,
            Self::Grpc(sender) => sender.send_request(request).await,
        }
        .ok()?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, limits::LOAD_ANSWER).collect().await.ok()?;
        let trailers = body.trailers().cloned();
        let body = body.to_bytes();
        Some(match options.target.protocol {
            Protocol::Http => Answer::http(parts.status, &body, options.encoding),
            Protocol::Grpc => grpc(parts.status, &parts.headers, trailers.as_ref(), &body),
        })
    }
}

fn grpc(
    status: StatusCode,
    headers: &HeaderMap,
    trailers: Option<&HeaderMap>,
    body: &[u8],
) -> Answer {
    let told = |map: &HeaderMap| {
        map.get("grpc-status").and_then(|value| value.to_str().ok()?.parse().ok())
    };
    // An answer without a message has its status in the head.
    let code: Option<u32> = trailers.and_then(told).or_else(|| told(headers));
    Answer::grpc(status, code, body)
}

fn request(options: &LoadOptions, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let target = &options.target;
    let request = match target.protocol {
        Protocol::Http => {
            let media = match options.encoding {
                Encoding::Protobuf => "application/x-protobuf",
                Encoding::Json => "application/json",
            };
            let request = Request::post(target.path.as_str())
                .header(header::HOST, target.authority.as_str())
                .header(header::CONTENT_TYPE, media);
            if options.gzip { request.header(header::CONTENT_ENCODING, "gzip") } else { request }
        }
        Protocol::Grpc => {
            let request = Request::post(format!("http://{}{}", target.authority, target.path))
                .version(http::Version::HTTP_2)
                .header(header::CONTENT_TYPE, "application/grpc")
                .header(header::TE, "trailers");
            if options.gzip { request.header("grpc-encoding", "gzip") } else { request }
        }
    };
    request.body(Full::new(body)).ok()
}

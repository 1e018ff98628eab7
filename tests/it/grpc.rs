//! What OTLP over gRPC answers, asked by tonic's own client.

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use server::net::Drained;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::support::*;

pub const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
pub const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// Messages as bytes, so that a test can send what is none.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, input: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(input.copy_to_bytes(input.remaining())))
    }
}

/// Blocks on one call after the other, over one connection.
pub struct Client {
    runtime: tokio::runtime::Runtime,
    channel: Channel,
}

impl Client {
    fn new(server: &Server) -> Self {
        Self::to(server.address("otlp_grpc"))
    }

    pub fn to(address: std::net::SocketAddr) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let target = format!("http://{address}");
        let channel = runtime.block_on(Endpoint::new(target).unwrap().connect()).unwrap();
        Self { runtime, channel }
    }

    fn call(&self, path: &'static str, body: Vec<u8>) -> Result<Bytes, Status> {
        self.compressed(path, body, None)
    }

    pub fn compressed(
        &self,
        path: &'static str,
        body: Vec<u8>,
        coding: Option<CompressionEncoding>,
    ) -> Result<Bytes, Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        if let Some(coding) = coding {
            client = client.send_compressed(coding);
        }
        self.runtime.block_on(async {
            client.ready().await.unwrap();
            let path = PathAndQuery::from_static(path);
            client.unary(Request::new(body.into()), path, Raw).await.map(|r| r.into_inner())
        })
    }
}

#[test]
fn every_call_gets_its_status_and_its_place_in_the_books() {
    use CompressionEncoding::{Deflate, Gzip, Zstd};
    let server = serve(options());
    let client = Client::new(&server);
    let bomb = || padded_span(REQUEST + 1);
    let rows = [
        (TRACES, span(), None, Code::Ok, None),
        (TRACES, vec![], None, Code::Ok, None),
        (TRACES, span(), Some(Gzip), Code::Ok, None),
        (TRACES, span(), Some(Zstd), Code::Ok, None),
        (TRACES, span(), Some(Deflate), Code::Ok, None),
        (METRICS, vec![], None, Code::Ok, None),
        (LOGS, vec![], None, Code::Ok, None),
        (TRACES, vec![0xff; 11], None, Code::InvalidArgument, Some("malformed")),
        (TRACES, bomb(), None, Code::ResourceExhausted, Some("too_large")),
        (TRACES, bomb(), Some(Gzip), Code::ResourceExhausted, Some("too_large")),
        (TRACES, bomb(), Some(Zstd), Code::ResourceExhausted, Some("too_large")),
        (TRACES, bomb(), Some(Deflate), Code::ResourceExhausted, Some("too_large")),
        ("/opentelemetry.Nothing/Export", span(), None, Code::Unimplemented, None),
    ];
    let reasons = ["malformed", "media_type", "encoding", "too_large", "overload", "timeout"];
    let counts = || reasons.map(|reason| server.refused("grpc", reason));
    for (path, body, coding, code, reason) in rows {
        let mut expected = counts();
        if let Some(at) = reasons.iter().position(|one| Some(*one) == reason) {
            expected[at] += 1.0;
        }
        let what = format!("{path} {} bytes {coding:?}", body.len());
        let result = client.compressed(path, body, coding);
        let got = result.as_ref().map_or_else(Status::code, |_| Code::Ok);
        assert_eq!(got, code, "{what}: {result:?}");
        assert_eq!(counts(), expected, "{what}");
        if let Err(status) = result {
            assert!(!status.message().is_empty(), "{what}");
            assert!(status.details().is_empty(), "{what}: nothing says to come again");
        }
    }
    server.works();
}

#[test]
fn an_overload_is_unavailable_and_says_when_to_come_again() {
    let options = options();
    options.live.change(|live| live.in_flight = 8192);
    let server = serve(options);
    let client = Client::new(&server);
    let status = client.call(TRACES, padded_span(8192)).unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "it would never fit");
    assert!(status.details().is_empty());
    let _holder = server.holds(6000);
    let status = client.call(TRACES, padded_span(4096)).unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let info = b"type.googleapis.com/google.rpc.RetryInfo";
    assert!(status.details().windows(info.len()).any(|window| window == info), "{status:?}");
    assert_eq!(server.refused("grpc", "overload"), 1.0);
    client.call(TRACES, span()).unwrap();
}

/// Calls with frames and headers that no gRPC library would send.
#[test]
fn calls_that_are_none_are_answered_and_counted() {
    let server = serve(options());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let framed =
        |flag: u8, length: u32, body: &[u8]| [&[flag], &length.to_be_bytes()[..], body].concat();
    let grpc = "application/grpc";
    let span = span();
    let length = span.len() as u32;
    let (zip, zip_length) = (gzip(&span), gzip(&span).len() as u32);
    let rows = [
        ("POST", grpc, "", framed(0, length, &span), 200, "0", None),
        ("POST", "application/grpc+proto", "", framed(0, length, &span), 200, "0", None),
        ("POST", grpc, "gzip", framed(1, zip_length, &zip), 200, "0", None),
        ("POST", grpc, "gzip", framed(0, length, &span), 200, "0", None),
        ("POST", grpc, "", framed(1, zip_length, &zip), 200, "3", Some("malformed")),
        ("POST", grpc, "gzip", framed(1, length, &span), 200, "3", Some("malformed")),
        ("POST", grpc, "br", framed(1, zip_length, &zip), 200, "3", Some("encoding")),
        ("POST", grpc, "", framed(0, length + 1, &span), 200, "3", Some("malformed")),
        ("POST", grpc, "", framed(0, length - 1, &span), 200, "3", Some("malformed")),
        ("POST", grpc, "", framed(7, length, &span), 200, "3", Some("malformed")),
        ("POST", grpc, "", vec![], 200, "3", Some("malformed")),
        ("POST", "application/json", "", b"{}".to_vec(), 415, "", Some("media_type")),
        ("GET", grpc, "", vec![], 405, "", None),
    ];
    let reasons = ["malformed", "media_type", "encoding"];
    let counts = || reasons.map(|reason| server.refused("grpc", reason));
    for (method, media_type, coding, body, http, grpc, reason) in rows {
        let mut expected = counts();
        if let Some(at) = reasons.iter().position(|one| Some(*one) == reason) {
            expected[at] += 1.0;
        }
        let what = format!("{method} {media_type} {coding:?} {:?}", body.get(..5));
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://{}{TRACES}", server.address("otlp_grpc")))
            .header("content-type", media_type)
            .header("grpc-encoding", coding);
        let request = request.body(http_body_util::Full::new(Bytes::from(body))).unwrap();
        let answer = runtime.block_on(raw(server.address("otlp_grpc"), request));
        assert_eq!(answer, (http, grpc.to_owned()), "{what}");
        assert_eq!(counts(), expected, "{what}");
    }
    server.works();
}

/// Sends one request over HTTP/2 and reads its status and `grpc-status`, wherever that stands.
async fn raw(
    address: std::net::SocketAddr,
    request: http::Request<http_body_util::Full<Bytes>>,
) -> (u16, String) {
    use http_body_util::BodyExt;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let client = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = client.await.unwrap();
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
    let status = head.headers.get("grpc-status").or(trailers.get("grpc-status"));
    (head.status.as_u16(), status.map_or("", |status| status.to_str().unwrap()).to_owned())
}

#[test]
fn answers_http1_with_the_port_of_http() {
    let server = serve(options());
    let (grpc, http) = (server.address("otlp_grpc"), server.address("otlp_http"));
    let expected = format!("this port is OTLP/gRPC; OTLP/HTTP listens on {}\n", http.port());
    for body in [span(), vec![0; 4 * REQUEST]] {
        let reply = post(grpc, "/v1/traces", PROTOBUF, &body);
        assert_eq!((reply.status, reply.text()), (400, expected.clone()));
    }
    assert_eq!((server.refused("grpc", "media_type"), server.closed("wrong_protocol")), (2.0, 0.0));
    // What is no OTLP request is no refusal of one, and its connection counts once.
    let mut stream = connect(grpc);
    for _ in 0..2 {
        std::io::Write::write_all(&mut stream, &request("GET", "/", "", b"")).unwrap();
        assert_eq!(answer(&mut stream).unwrap().status, 400);
    }
    assert_eq!((server.refused("grpc", "media_type"), server.closed("wrong_protocol")), (2.0, 1.0));
    assert_eq!(exchange(grpc, b"GET nonsense\r\n\r\n").status, 400);
    let counted = |count| {
        (0..100).any(|_| {
            std::thread::sleep(SHORT / 10);
            server.closed("wrong_protocol") == count
        })
    };
    assert!(counted(2.0), "a connection of neither protocol");
    server.works();
}

#[test]
fn a_drain_lets_an_idle_connection_go() {
    let server = serve(options());
    let client = Client::new(&server);
    client.call(TRACES, span()).unwrap();
    assert_eq!(server.stop(), Drained::Clean);
    assert!(client.call(TRACES, span()).is_err());
}

/// A body whose end never comes.
struct Halfway(Option<Bytes>);

impl hyper::body::Body for Halfway {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        match self.0.take() {
            Some(bytes) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(bytes)))),
            None => std::task::Poll::Pending,
        }
    }
}

#[test]
fn a_call_that_is_cancelled_is_nobodys_refusal() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let server = serve(options());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = server.address("otlp_grpc");
    runtime.block_on(async {
        let stream = TokioIo::new(tokio::net::TcpStream::connect(address).await.unwrap());
        let client = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream);
        let (mut sender, connection) = client.await.unwrap();
        tokio::spawn(connection);
        let request = http::Request::post(format!("http://{address}{TRACES}"))
            .header("content-type", "application/grpc")
            .body(Halfway(Some(Bytes::from_static(b"\0\0\0\0\x09half"))))
            .unwrap();
        let call = sender.send_request(request);
        // Dropped, it resets its stream; the connection lives and a moment later all is told.
        assert!(tokio::time::timeout(SHORT, call).await.is_err());
        tokio::time::sleep(SHORT).await;
    });
    assert_eq!(server.refusals(), 0.0);
    server.works();
}

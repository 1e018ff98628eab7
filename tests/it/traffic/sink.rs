//! A receiver that decodes everything with the reference types and keeps exact books.

use std::collections::HashSet;
use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use engine::view::Signal;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use server::clock;
use tokio::net::TcpListener;

/// What it says to everything.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    Accept,
    /// Takes requests but for so many spans.
    Reject(i64),
    Refuse,
}

/// What arrived.
#[derive(Clone, Debug, Default)]
pub struct Books {
    pub requests: u64,
    pub spans: u64,
    pub logs: u64,
    /// Distinct span ids.
    pub distinct: u64,
    /// Spans that end after their arrival.
    pub future: u64,
    /// Spans with the text of people.
    pub content: u64,
    /// The requests in protobuf.
    pub bodies: Vec<(Signal, Vec<u8>)>,
    names: Vec<String>,
    events: Vec<String>,
    ids: HashSet<Vec<u8>>,
}

impl Books {
    pub fn named(&self, prefix: &str) -> u64 {
        self.names.iter().filter(|name| name.starts_with(prefix)).count() as u64
    }

    pub fn logs_named(&self, name: &str) -> u64 {
        self.events.iter().filter(|event| *event == name).count() as u64
    }

    fn traces(&mut self, request: ExportTraceServiceRequest) {
        let now = clock::now().0;
        let scopes = request.resource_spans.into_iter().flat_map(|r| r.scope_spans);
        for span in scopes.flat_map(|scope| scope.spans) {
            self.spans += 1;
            self.future += u64::from(span.end_time_unix_nano > now);
            let private = |key: &str| key == "gen_ai.input.messages";
            self.content += u64::from(span.attributes.iter().any(|pair| private(&pair.key)));
            self.names.push(span.name);
            self.ids.insert(span.span_id);
        }
        self.distinct = self.ids.len() as u64;
    }

    fn log_records(&mut self, request: ExportLogsServiceRequest) {
        let scopes = request.resource_logs.into_iter().flat_map(|r| r.scope_logs);
        for record in scopes.flat_map(|scope| scope.log_records) {
            self.logs += 1;
            self.events.push(record.event_name);
        }
    }
}

pub struct Sink {
    address: SocketAddr,
    books: Arc<Mutex<Books>>,
}

impl Sink {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new(Mutex::new(Books::default()));
        let shared = books.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(TokioIo::new(stream), shared.clone(), manner));
            }
        });
        Self { address, books }
    }

    pub fn http(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn grpc(&self) -> String {
        format!("grpc://{}", self.address)
    }

    /// For exporters, whose gRPC endpoints are written with `http`.
    pub fn endpoint(&self) -> String {
        self.http()
    }

    pub fn books(&self) -> Books {
        self.books.lock().unwrap().clone()
    }
}

async fn connection(
    stream: TokioIo<tokio::net::TcpStream>,
    books: Arc<Mutex<Books>>,
    manner: Manner,
) {
    let mut first = [0; 3];
    while stream.inner().peek(&mut first).await.is_ok_and(|read| read < 3) {}
    let service = service_fn(move |request| answer(request, books.clone(), manner));
    if first == *b"PRI" {
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(stream, service).await;
    } else {
        let server = hyper::server::conn::http1::Builder::new();
        let _ = server.serve_connection(stream, service).await;
    }
}

type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    books: Arc<Mutex<Books>>,
    manner: Manner,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let media = head.headers["content-type"].to_str().unwrap().to_owned();
    let grpc = media.starts_with("application/grpc");
    let message = message(&head.headers, &body, grpc);
    let mut books = books.lock().unwrap();
    books.requests += 1;
    let is_logs = head.uri.path().to_lowercase().contains("logs");
    let signal = if is_logs { Signal::Logs } else { Signal::Traces };
    books.bodies.push((signal, message.clone()));
    if head.uri.path().contains("Logs") {
        books.log_records(ExportLogsServiceRequest::decode(message.as_slice()).unwrap());
    } else if media == "application/json" {
        books.traces(serde_json::from_slice(&message).unwrap());
    } else {
        books.traces(ExportTraceServiceRequest::decode(message.as_slice()).unwrap());
    }
    let said = reply(manner, media == "application/json");
    Ok(if grpc { grpc_response(manner, &said) } else { http_response(manner, said) })
}

/// The message without frame and compression.
fn message(headers: &HeaderMap, body: &[u8], grpc: bool) -> Vec<u8> {
    let (zipped, data) = if grpc {
        assert_eq!(u32::from_be_bytes(body[1..5].try_into().unwrap()) as usize, body.len() - 5);
        (body[0] == 1, &body[5..])
    } else {
        (headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip"), body)
    };
    if !zipped {
        return data.to_vec();
    }
    let mut plain = Vec::new();
    flate2::bufread::GzDecoder::new(data).read_to_end(&mut plain).unwrap();
    plain
}

fn reply(manner: Manner, json: bool) -> Vec<u8> {
    let partial = match manner {
        Manner::Reject(rejected_spans) => {
            let error_message = "some were late".to_owned();
            Some(ExportTracePartialSuccess { rejected_spans, error_message })
        }
        Manner::Accept | Manner::Refuse => None,
    };
    let response = ExportTraceServiceResponse { partial_success: partial };
    if json { serde_json::to_vec(&response).unwrap() } else { response.encode_to_vec() }
}

fn http_response(manner: Manner, said: Vec<u8>) -> Response<Body> {
    let status = if matches!(manner, Manner::Refuse) { 429 } else { 200 };
    Response::builder().status(status).body(Full::from(said).boxed()).unwrap()
}

fn grpc_response(manner: Manner, said: &[u8]) -> Response<Body> {
    let response = Response::builder().header("content-type", "application/grpc");
    if matches!(manner, Manner::Refuse) {
        // Without a message, the status is in the head.
        return response.header("grpc-status", "8").body(Full::default().boxed()).unwrap();
    }
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(said.len()).unwrap().to_be_bytes());
    framed.extend_from_slice(said);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::from(framed).with_trailers(std::future::ready(Some(Ok(trailers))));
    response.body(body.boxed()).unwrap()
}

//! A receiver that keeps what arrives and says what it is told to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::clock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it says to a request. With nothing left to say it takes everything.
#[derive(Clone)]
pub enum Say {
    /// An HTTP status and headers; for gRPC these are the trailers too.
    This(u16, Vec<(&'static str, String)>),
    Never,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The receiver; it ends when it is dropped.
pub struct Sink {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone)]
struct Script {
    say: Arc<Mutex<VecDeque<Say>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Sink {
    pub fn new(say: Vec<Say>) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), say, None)
    }

    pub fn on(address: SocketAddr, say: Vec<Say>, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::default();
        let script = Script { say: Arc::new(Mutex::new(say.into())), seen: Arc::clone(&seen) };
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let script = script.clone();
                match tls.clone() {
                    None => drop(tokio::spawn(serve(stream, script))),
                    Some(tls) => drop(tokio::spawn(async move {
                        if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                            serve(stream, script).await;
                        }
                    })),
                }
            }
        });
        Self { address, seen, _runtime: runtime }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until so many requests have arrived.
    pub fn wait(&self, count: usize) -> Vec<Seen> {
        until(
            || self.seen().len() >= count,
            || format!("{} of {count} arrived", self.seen().len()),
        );
        self.seen()
    }
}

/// Waits, ten seconds at most, until something holds.
pub fn until(holds: impl Fn() -> bool, told: impl Fn() -> String) {
    let end = clock::monotonic() + Duration::from_secs(10);
    while !holds() {
        assert!(clock::monotonic() < end, "{}", told());
        std::thread::sleep(Duration::from_millis(10));
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, script: Script) {
    let service = service_fn(move |request| answer(request, script.clone()));
    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

async fn answer(request: Request<Incoming>, script: Script) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(Response::new(Full::default().boxed())) };
    let seen = Seen {
        path: head.uri.path().to_owned(),
        headers: head.headers,
        body: body.to_bytes(),
        at: clock::monotonic(),
    };
    let grpc = seen.header("content-type") == Some("application/grpc");
    let say = script.say.lock().unwrap().pop_front();
    script.seen.lock().unwrap().push(seen);
    let (status, headers) = match say {
        Some(Say::Never) => std::future::pending().await,
        Some(Say::This(status, headers)) => (status, headers),
        None => (200, vec![("grpc-status", "0".to_owned())]),
    };
    let pairs = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let headers: HeaderMap = pairs.collect();
    let mut response = Response::builder().status(status);
    if !grpc {
        *response.headers_mut().unwrap() = headers;
        return Ok(response.body(Full::default().boxed()).unwrap());
    }
    response = response.header("content-type", "application/grpc");
    let framed = Full::from(Bytes::from_static(&[0; 5]));
    let trailers = std::future::ready(Some(Ok(headers)));
    Ok(response.body(framed.with_trailers(trailers).boxed()).unwrap())
}

//! The routes of the web port, and the server under them.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::net::{Deadlined, Deadlines, Drain, connection};
use crate::self_metrics::{Closing, Telemetry};
use engine::exposition::Options;
use engine::limits;
use engine::pipeline::Pipeline;

use super::access::Access;
use super::body::Streamed;
use super::health::{Readiness, healthy, ready};
use super::inventory::{self, inventory};
use super::landing::landing;
use super::metrics::metrics;
use super::reload::{Reload, reload};
use super::scrapers::Scrapers;

/// What a route answers that has all of it at once.
pub type Answer = Response<Full<Bytes>>;

/// What any route answers with.
pub type Body = Either<Full<Bytes>, Streamed>;

/// What the web port shows, shared by its connections.
pub struct Web {
    /// Where the numbers come from.
    pub pipeline: Arc<Pipeline>,
    /// The exporter's own.
    pub telemetry: Arc<Telemetry>,
    /// Who may look, and through what.
    pub access: Arc<Access>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// How they are written.
    pub options: Options,
    /// Whether telemetry is welcome.
    pub readiness: Readiness,
    /// How to reload.
    pub reload: Reload,
    /// What listens where, for the page.
    pub addresses: Vec<(&'static str, SocketAddr)>,
    /// The patience there is.
    pub deadlines: Deadlines,
    /// Who has seen what.
    pub scrapers: Arc<Scrapers>,
    /// How long a young series is first shown at 0; zero: never.
    pub zero_first: Duration,
    /// Scrapes that may be under way at once.
    pub seats: Arc<Semaphore>,
}

/// Serves one connection to its end.
pub async fn serve(stream: Deadlined<TcpStream>, web: Arc<Web>, drain: Drain) {
    let (deadlines, telemetry) = (web.deadlines, web.telemetry.clone());
    let peer = stream.peer();
    let tls = web.access.rules().tls();
    let service = service_fn(move |request| {
        let web = web.clone();
        async move { Ok::<_, Infallible>(answer(&web, &request, peer).await) }
    });
    let Some(tls) = tls else {
        if connection::serve_http1(stream, service, &deadlines, &drain).await {
            telemetry.closed(Closing::Head);
        }
        return;
    };
    let shaken = timeout(deadlines.first_byte, TlsAcceptor::from(tls).accept(stream)).await;
    let Ok(Ok(stream)) = shaken else {
        // Who speaks no TLS, or trusts us not, is told so by TLS itself.
        if shaken.is_err() {
            telemetry.closed(Closing::FirstByte);
        }
        return;
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        if connection::serve_http2(stream, service, &deadlines, &drain).await {
            telemetry.closed(Closing::KeepAlive);
        }
    } else if connection::serve_http1(stream, service, &deadlines, &drain).await {
        telemetry.closed(Closing::Head);
    }
}

/// An answer, to those who may have it.
async fn answer(
    web: &Web,
    request: &http::Request<Incoming>,
    peer: Option<IpAddr>,
) -> Response<Body> {
    let rules = web.access.rules();
    let free = matches!(request.uri().path(), "/-/healthy" | "/-/ready");
    let refused = if free { None } else { rules.refuse(request.headers()).await };
    let mut answer = match refused {
        Some(refused) => refused.map(Either::Left),
        None if request.uri().path() == inventory::PATH => {
            inventory(web, request.method()).await.map(Either::Left)
        }
        None => {
            // A route that panics is a bad answer, not a bad connection.
            let routed = catch_unwind(AssertUnwindSafe(|| route(web, request, peer)));
            routed.unwrap_or_else(|_| internal().map(Either::Left))
        }
    };
    for (name, value) in rules.headers() {
        answer.headers_mut().insert(name, value.clone());
    }
    answer
}

fn route(web: &Web, request: &http::Request<Incoming>, peer: Option<IpAddr>) -> Response<Body> {
    let path = request.uri().path();
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = match path {
        "/-/reload" if request.method() == Method::POST => reload(&web.reload),
        "/-/reload" => not_allowed("POST"),
        "/" | "/-/healthy" | "/-/ready" if !read => not_allowed("GET, HEAD"),
        "/-/healthy" => healthy(),
        "/-/ready" => ready(&web.readiness),
        path if path == web.telemetry_path && read => return metrics(web, request, peer),
        path if path == web.telemetry_path => not_allowed("GET, HEAD"),
        "/" => landing(web),
        _ => text(StatusCode::NOT_FOUND, "no such page: / lists what there is\n"),
    };
    answer.map(Either::Left)
}

/// The answer of a route that panicked.
pub(super) fn internal() -> Answer {
    text(StatusCode::INTERNAL_SERVER_ERROR, "internal error\n")
}

/// There are too many of this kind under way.
pub(super) fn busy(why: &'static str) -> Answer {
    let mut busy = text(StatusCode::SERVICE_UNAVAILABLE, why);
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

impl Web {
    /// As many seats as [`limits::SCRAPES`] says.
    pub fn seats() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(limits::SCRAPES))
    }
}

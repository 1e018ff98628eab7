//! The routes of the web port, and the server under them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::{Method, Response, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::net::protocol::{NO_TLS, PeerProtocol, Replayed, recognize, reject_tls};
use crate::net::{Deadlined, Drain, connection};
use crate::self_metrics::Closing;

use super::answer::{Body, internal, not_allowed, text};
use super::health::{healthy, ready};
use super::inventory::{self, inventory};
use super::landing::landing;
use super::metrics::metrics;
use super::reload::reload;
use super::scrapers::Client;
use super::web::Web;

/// Serves one connection to its end.
pub async fn serve(stream: Deadlined<TcpStream>, web: Arc<Web>, drain: Drain) {
    let (here, deadlines, telemetry) = (web.clone(), web.deadlines, web.telemetry.clone());
    let client = stream.peer().map(|address| Arc::new(web.scrapers.connect(address.ip())));
    let tls = web.access.rules().tls();
    let service = service_fn(move |request| {
        let (web, client) = (web.clone(), client.clone());
        async move { Ok::<_, Infallible>(answer(&web, &request, client.as_ref()).await) }
    });
    let Some(tls) = tls else {
        let Some(stream) = without_tls(stream, &here).await else { return };
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

/// The stream, unless its peer begins with TLS: that is answered, counted and logged.
async fn without_tls(
    mut stream: Deadlined<TcpStream>,
    web: &Web,
) -> Option<Replayed<Deadlined<TcpStream>>> {
    let Ok(recognized) = timeout(web.deadlines.head, recognize(&mut stream)).await else {
        web.telemetry.closed(Closing::Head);
        return None;
    };
    let (protocol, first) = recognized.ok()?;
    if protocol != PeerProtocol::Tls {
        return Some(Replayed::new(first, stream));
    }
    web.telemetry.closed(Closing::WrongProtocol);
    if let Some(suppressed) = web.tls_refusals.admit() {
        let peer = stream.peer().map(tracing::field::display);
        tracing::warn!(event = "wrong_protocol", protocol = "web", peer, why = NO_TLS, suppressed);
    }
    reject_tls(stream).await;
    None
}

/// An answer, to those who may have it.
async fn answer(
    web: &Web,
    request: &http::Request<Incoming>,
    client: Option<&Arc<Client>>,
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
            let routed = catch_unwind(AssertUnwindSafe(|| route(web, request, client)));
            routed.unwrap_or_else(|_| internal().map(Either::Left))
        }
    };
    for (name, value) in rules.headers() {
        answer.headers_mut().insert(name, value.clone());
    }
    answer
}

fn route(
    web: &Web,
    request: &http::Request<Incoming>,
    client: Option<&Arc<Client>>,
) -> Response<Body> {
    let path = request.uri().path();
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = match path {
        "/-/reload" if request.method() == Method::POST => reload(&web.reload),
        "/-/reload" => not_allowed("POST"),
        "/" | "/-/healthy" | "/-/ready" if !read => not_allowed("GET, HEAD"),
        "/-/healthy" => healthy(),
        "/-/ready" => ready(&web.readiness),
        path if path == web.telemetry_path && read => return metrics(web, request, client),
        path if path == web.telemetry_path => not_allowed("GET, HEAD"),
        "/" => landing(web),
        _ => text(StatusCode::NOT_FOUND, "no such page: / lists what there is\n"),
    };
    answer.map(Either::Left)
}

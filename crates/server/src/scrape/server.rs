//! The routes of the web port, and the server under them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Response, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::service::service_fn;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::net::protocol::{NO_TLS, PeerProtocol, Replayed, recognize, reject_tls};
use crate::net::{Accepted, Deadlined, Drain, connection};
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
pub async fn serve(accepted: Accepted, web: Arc<Web>, drain: Drain) {
    let Accepted { stream, peer, activity, events } = accepted;
    let deadlines = web.deadlines;
    let client = peer.map(|address| Arc::new(web.scrapers.connect(address.ip())));
    let tls = web.access.rules().tls();
    let service = service_fn(move |request| {
        let (web, client, activity) = (web.clone(), client.clone(), activity.clone());
        async move {
            activity.requested();
            let answer = answer(&web, &request, client.as_ref()).await;
            activity.answered(answer.status().is_success());
            Ok::<_, Infallible>(answer)
        }
    });
    let closed = |reason, why: &str| events.closed(reason, peer, why);
    let ended = match tls {
        None => match without_tls(stream, deadlines.head, closed).await {
            Some(stream) => connection::serve_http1(stream, service, &deadlines, &drain).await,
            None => None,
        },
        Some(tls) => match with_tls(stream, tls, deadlines.first_byte, closed).await {
            Some(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                connection::serve_http2(stream, service, &deadlines, &drain).await
            }
            Some(stream) => connection::serve_http1(stream, service, &deadlines, &drain).await,
            None => None,
        },
    };
    if let Some((reason, why)) = ended {
        closed(reason, &why);
    }
}

/// The stream after its handshake. A peer that speaks no TLS, or does not trust the certificate, learns why from TLS itself.
async fn with_tls(
    stream: Deadlined<TcpStream>,
    tls: Arc<ServerConfig>,
    within: Duration,
    closed: impl Fn(Closing, &str),
) -> Option<TlsStream<Deadlined<TcpStream>>> {
    match timeout(within, TlsAcceptor::from(tls).accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => closed(Closing::TlsHandshake, &error.to_string()),
        Err(_) => closed(Closing::FirstByte, "the TLS handshake did not end in time"),
    }
    None
}

/// The stream, unless its peer begins with TLS: that is answered, counted and logged.
async fn without_tls(
    mut stream: Deadlined<TcpStream>,
    within: Duration,
    closed: impl Fn(Closing, &str),
) -> Option<Replayed<Deadlined<TcpStream>>> {
    let Ok(recognized) = timeout(within, recognize(&mut stream)).await else {
        closed(Closing::Head, "the first head did not come in time");
        return None;
    };
    let (protocol, first) = recognized.ok()?;
    if protocol != PeerProtocol::Tls {
        return Some(Replayed::new(first, stream));
    }
    closed(Closing::WrongProtocol, NO_TLS);
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

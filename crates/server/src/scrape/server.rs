//! The routes of the web port, and the server under them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use http::header::X_CONTENT_TYPE_OPTIONS;
use http::{HeaderValue, Method, Response, StatusCode};
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
use crate::self_metrics::{Closing, WebRefusal};

use super::access::Rules;
use super::answer::{Answer, Body, internal, not_allowed, text};
use super::health::{healthy, ready};
use super::inventory::{self, inventory};
use super::landing::landing;
use super::metrics::metrics;
use super::origin::{self, Asking};
use super::reload::reload;
use super::web::{Connection, Web};

/// Serves one connection to its end.
pub async fn serve(accepted: Accepted, web: Arc<Web>, drain: Drain) {
    let Accepted { stream, peer, activity, closer, events } = accepted;
    let deadlines = web.deadlines;
    let client = peer.map(|address| Arc::new(web.scrapers.connect(address.ip())));
    let here = Arc::new(Connection { peer, client, closer });
    let tls = web.access.rules().tls();
    let service = service_fn(move |request| {
        let (web, here, activity) = (web.clone(), here.clone(), activity.clone());
        async move {
            activity.requested();
            let answer = answer(&web, &request, &here).await;
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
    connection: &Connection,
) -> Response<Body> {
    let rules = web.access.rules();
    let free = matches!(request.uri().path(), "/-/healthy" | "/-/ready");
    let refused = if free { None } else { refuse(web, &rules, request, connection).await };
    let mut answer = match refused {
        Some(refused) => refused.map(Either::Left),
        None if request.uri().path() == inventory::PATH => {
            inventory(web, request.method(), connection.peer).await.map(Either::Left)
        }
        None => {
            // A route that panics is a bad answer, not a bad connection.
            let routed = catch_unwind(AssertUnwindSafe(|| route(web, request, connection)));
            routed.unwrap_or_else(|_| internal().map(Either::Left))
        }
    };
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    for (name, value) in rules.headers() {
        answer.headers_mut().insert(name, value.clone());
    }
    answer
}

/// The answer to a request that is not routed, counted and logged.
async fn refuse(
    web: &Web,
    rules: &Rules,
    request: &http::Request<Incoming>,
    connection: &Connection,
) -> Option<Answer> {
    let (uri, headers) = (request.uri(), request.headers());
    if !origin::is_served(uri, headers, &web.live.get().hosts) {
        let why = "the host of the request is not in `server.web.hosts`";
        web.refusals.refused(WebRefusal::Host, connection.peer, why);
        return Some(text(StatusCode::MISDIRECTED_REQUEST, format!("{why}\n")));
    }
    if let Some((answer, reason)) = rules.refuse(headers).await {
        if let Some(reason) = reason {
            let why = "the web port needs a name and a password";
            web.refusals.refused(reason, connection.peer, why);
        }
        return Some(answer);
    }
    if uri.path() == "/-/reload" && request.method() == Method::POST {
        let live = web.live.get();
        let is_trusted = web.lifecycle || rules.authenticates();
        let asking = Asking { peer: connection.peer, is_trusted, hosts: &live.hosts };
        let why = origin::refuse_reload(uri, headers, &asking)?;
        web.refusals.refused(WebRefusal::Reload, connection.peer, why);
        return Some(text(StatusCode::FORBIDDEN, format!("{why}\n")));
    }
    None
}

fn route(web: &Web, request: &http::Request<Incoming>, connection: &Connection) -> Response<Body> {
    let path = request.uri().path();
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = match path {
        "/-/reload" if request.method() == Method::POST => {
            let peer = connection.peer.map(tracing::field::display);
            tracing::info!(event = "reload_requested", peer);
            reload(&web.reload)
        }
        "/-/reload" => not_allowed("POST"),
        "/" | "/-/healthy" | "/-/ready" if !read => not_allowed("GET, HEAD"),
        "/-/healthy" => healthy(),
        "/-/ready" => ready(&web.readiness),
        path if path == web.telemetry_path && read => return metrics(web, request, connection),
        path if path == web.telemetry_path => not_allowed("GET, HEAD"),
        "/" => landing(web),
        _ => text(StatusCode::NOT_FOUND, "no such page: / lists what there is\n"),
    };
    answer.map(Either::Left)
}

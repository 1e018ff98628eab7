//! One attempt: the connection, the request, and what came back.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, buf::Chain};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, TE, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::clock;
use crate::hops;
use crate::live::Live;
use crate::net::tls::{self, ClientFiles};
use crate::net::told;
use config::{Forward, ForwardProtocol, ForwardTls};
use engine::limits;
use engine::view::Signal;
use engine::wire::{Encoding, ExportRequest};

use super::answer::{self, Later, Verdict};

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// A gRPC message is its prefix and itself; an HTTP body has an empty prefix. Neither is copied.
type Body = Full<Chain<Bytes, Bytes>>;
type Client = HyperClient<HttpsConnector<HttpConnector>, Body>;

/// Sends to one target. The connections it keeps are thrown away when one fails, so that the next attempt finds new addresses and
/// reads the certificates again.
pub(super) struct Sender {
    settings: Arc<Forward>,
    client: Mutex<Option<Client>>,
    /// Bytes a request may take while it is rewritten.
    live: Live,
}

impl Sender {
    pub(super) fn new(settings: Arc<Forward>, live: Live) -> Self {
        Self { settings, client: Mutex::default(), live }
    }

    /// One attempt, within the target's timeout.
    pub(super) async fn send(&self, request: ExportRequest) -> Verdict {
        let verdict = match tokio::time::timeout(self.settings.timeout, self.attempt(request)).await
        {
            Ok(verdict) => verdict,
            Err(_) => Later::unanswered(format!("no answer within {:?}", self.settings.timeout)),
        };
        if matches!(&verdict, Verdict::Later(Later { after: None, .. })) {
            *self.client.lock().await = None;
        }
        verdict
    }

    async fn attempt(&self, request: ExportRequest) -> Verdict {
        let client = match self.client().await {
            Ok(client) => client,
            Err(why) => return Later::unreachable(why),
        };
        let request = match self.settings.protocol {
            ForwardProtocol::Grpc => match request.into_protobuf(self.live.get().request) {
                Ok(request) => self.grpc(request),
                Err(error) => return Verdict::Rejected(error.to_string()),
            },
            ForwardProtocol::Http => self.http(request),
        };
        let response = match client.request(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => return Later::unreachable(told(&error)),
            Err(error) => return Later::unanswered(told(&error)),
        };
        self.judge(response).await
    }

    async fn judge(&self, response: Response<Incoming>) -> Verdict {
        let (head, body) = response.into_parts();
        // Read to its end, so that the connection can be used again; one that has no end is left alone.
        let body = Limited::new(body, limits::FORWARD_ANSWER).collect().await;
        match self.settings.protocol {
            ForwardProtocol::Http => answer::http(head.status, &head.headers, clock::now()),
            ForwardProtocol::Grpc => {
                let trailers = body.ok().and_then(|body| body.trailers().cloned());
                let trailers = trailers.unwrap_or_default();
                answer::grpc(head.status, &head.headers, &trailers, clock::now())
            }
        }
    }

    fn http(&self, request: ExportRequest) -> Request<Body> {
        let media_type = match request.encoding {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        let path = match request.signal {
            Signal::Traces => "/v1/traces",
            Signal::Metrics => "/v1/metrics",
            Signal::Logs => "/v1/logs",
        };
        let mut headers = self.headers(media_type, request.hops);
        if let Some(coding) = request.coding.as_str() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        self.post(path, headers, Bytes::new().chain(request.bytes))
    }

    fn grpc(&self, request: ExportRequest) -> Request<Body> {
        let path = match request.signal {
            Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        };
        let mut headers = self.headers("application/grpc", request.hops);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        let coding = request.coding.as_str();
        if let Some(coding) = coding {
            headers.insert(GRPC_ENCODING, HeaderValue::from_static(coding));
        }
        // A request is far shorter than four GiB (`limits::REQUEST` is the default).
        let length = u32::try_from(request.bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        let prefix = [&[u8::from(coding.is_some())][..], &length].concat();
        self.post(path, headers, Bytes::from(prefix).chain(request.bytes))
    }

    fn headers(&self, media_type: &'static str, hops: u8) -> HeaderMap {
        let mut headers: HeaderMap = self.settings.headers.iter().cloned().collect();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        let agent = concat!("oscar-metrics/", env!("CARGO_PKG_VERSION"));
        hops::mark(&mut headers, hops);
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(agent));
        headers
    }

    fn post(&self, path: &str, headers: HeaderMap, body: Chain<Bytes, Bytes>) -> Request<Body> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        // The endpoint was checked to be one, and so it is with a path of ours behind it.
        *request.uri_mut() =
            Uri::try_from(format!("{}{path}", self.settings.endpoint)).unwrap_or_default();
        *request.headers_mut() = headers;
        request
    }

    /// The client, made anew when there is none. Certificates are read where a slow disk holds up nobody else.
    async fn client(&self) -> Result<Client, String> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let settings = self.settings.clone();
        let secure = settings.endpoint.starts_with("https:");
        let read = move || {
            let ForwardTls { ca_file: ca, identity } = settings.tls.clone();
            tls::client(secure.then_some(&ClientFiles { ca, identity }))
        };
        let config = spawn_blocking(read).await.map_err(|error| error.to_string())?;
        let made = connect(config.map_err(|error| error.to_string())?, &self.settings);
        Ok(client.insert(made).clone())
    }
}

fn connect(config: rustls::ClientConfig, settings: &Forward) -> Client {
    let mut http = HttpConnector::new();
    // Less than an attempt has, so that it is known that nothing can have arrived.
    http.set_connect_timeout(Some(settings.timeout / 2));
    http.enforce_http(false);
    http.set_nodelay(true);
    let secured = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    let secured = match settings.protocol {
        ForwardProtocol::Grpc => secured.enable_http2().wrap_connector(http),
        ForwardProtocol::Http => secured.enable_http1().wrap_connector(http),
    };
    let mut builder = HyperClient::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOLED)
        .pool_max_idle_per_host(limits::FORWARD_AT_ONCE)
        .http2_only(settings.protocol == ForwardProtocol::Grpc);
    builder.build(secured)
}

/// How long an idle connection is kept: less than most servers do, so that they are not the ones who close it.
const POOLED: Duration = Duration::from_secs(30);

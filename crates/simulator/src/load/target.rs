//! Where to send: `http://host:4318` is OTLP/HTTP, `grpc://host:4317` OTLP/gRPC, both in clear text.

use std::fmt;
use std::str::FromStr;

use super::super::TrafficError;

/// How the two ends talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/HTTP over HTTP/1.1.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

/// A receiver's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// How to talk to it.
    pub protocol: Protocol,
    /// Host and port.
    pub authority: String,
    /// The HTTP path, `/v1/traces` unless given.
    pub path: String,
}

impl FromStr for Target {
    type Err = TrafficError;

    fn from_str(text: &str) -> Result<Self, TrafficError> {
        let fault =
            |why: &str| TrafficError::Target { target: text.to_owned(), why: why.to_owned() };
        let (protocol, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Protocol::Http, rest),
            Some(("grpc", rest)) => (Protocol::Grpc, rest),
            _ => return Err(fault("write http://host:port or grpc://host:port")),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if protocol == Protocol::Http { "4318" } else { "4317" };
        let parsed: http::uri::Authority =
            authority.parse().map_err(|_| fault("the host is not one"))?;
        let authority = match parsed.port() {
            Some(_) => authority.to_owned(),
            None => format!("{authority}:{port}"),
        };
        let path = match (protocol, path) {
            (Protocol::Grpc, "") => {
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export".to_owned()
            }
            (Protocol::Grpc, _) => return Err(fault("a gRPC target has no path")),
            (Protocol::Http, "") => "/v1/traces".to_owned(),
            (Protocol::Http, path) => format!("/{path}"),
        };
        Ok(Self { protocol, authority, path })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.protocol == Protocol::Http { "http" } else { "grpc" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

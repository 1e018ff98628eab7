//! `forward`: where the bot's own bytes are passed on to.
//!
//! Values of headers may be secrets: no message repeats one, and lines that hold one are shown without it.

use std::path::PathBuf;

use http::uri::Scheme;
use http::{HeaderName, HeaderValue, Uri};

use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self, Fields};
use super::super::settings::{Forward, ForwardProtocol, ForwardTls};
use super::Resolver;
use engine::limits;
use engine::view::Signal;

const PROTOCOLS: [(&str, ForwardProtocol); 2] =
    [("grpc", ForwardProtocol::Grpc), ("http", ForwardProtocol::Http)];

/// What OTLP/HTTP puts behind an endpoint; who writes it already means the same.
const PATHS: [&str; 3] = ["/v1/traces", "/v1/metrics", "/v1/logs"];

/// Headers that belong to the transport or to the body.
const TAKEN: [&str; 9] = [
    "host",
    "connection",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
];

/// An endpoint taken apart.
struct Endpoint {
    base: String,
    secure: bool,
    path: bool,
    port: u16,
}

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn forward(&mut self) -> Vec<Forward> {
        let Some(node) = self.root.get("forward") else { return Vec::new() };
        let nodes = fields::list(node, self.report).unwrap_or_default();
        if nodes.len() > limits::FORWARD_TARGETS {
            let message = format!("more than {} forward targets", limits::FORWARD_TARGETS);
            self.report.error(node.at, message);
        }
        let mut targets: Vec<Forward> = Vec::new();
        for node in nodes.iter().take(limits::FORWARD_TARGETS) {
            let Some(target) = self.target(node) else { continue };
            let same = |other: &&Forward| {
                other.endpoint == target.endpoint
                    && other.signals.iter().any(|signal| target.signals.contains(signal))
            };
            if targets.iter().find(same).is_some() {
                let message = format!("`{}` would get the same twice", target.endpoint);
                self.report.error(node.at, message).help("write it once, or split its `signals`");
            }
            targets.push(target);
        }
        targets
    }

    fn target(&mut self, node: &'n Node) -> Option<Forward> {
        let known = ["endpoint", "protocol", "signals", "queue", "timeout", "headers", "tls"];
        let headers = node.get("headers").map(Node::entries).unwrap_or_default();
        headers.iter().for_each(|entry| self.report.hide(entry.value.at));
        let fields = Fields::of(node, "a forward target", &known, self.report);
        let words = Signal::ALL.map(|signal| (signal.as_str(), signal));
        let signals = match fields.get("signals") {
            None => Signal::ALL.to_vec(),
            Some(nodes) => fields::one_or_more(nodes)
                .iter()
                .filter_map(|node| fields::word(node, &words, self.report))
                .collect(),
        };
        let queue = fields.read("queue", fields::bytes, self.report);
        let timeout = fields.read("timeout", fields::positive, self.report);
        let headers = self.headers(&fields);
        let word = |node: &Node, report: &mut _| fields::word(node, &PROTOCOLS, report);
        let protocol = fields.read("protocol", word, self.report);
        let Some(written) = fields.get("endpoint") else {
            self.report.error(node.at, "a forward target lacks `endpoint`");
            return None;
        };
        let endpoint = self.endpoint(written)?;
        let usual = if endpoint.path || endpoint.port == 4318 {
            ForwardProtocol::Http
        } else {
            ForwardProtocol::Grpc
        };
        let protocol = protocol.unwrap_or(usual);
        if protocol == ForwardProtocol::Grpc && endpoint.path {
            let fault = self.report.error(written.at, "gRPC has paths of its own");
            fault.help("leave the path out, or say `protocol: http`");
        }
        let tls = self.tls(&fields, endpoint.secure);
        Some(Forward {
            endpoint: endpoint.base,
            protocol,
            signals,
            queue: queue.unwrap_or(limits::FORWARD_QUEUE),
            timeout: timeout.unwrap_or(limits::FORWARD_TIMEOUT),
            headers,
            tls,
        })
    }

    fn endpoint(&mut self, node: &Node) -> Option<Endpoint> {
        let text = fields::text(node, self.report)?;
        if text.contains(['@', '?', '#']) {
            // What stands there is often a secret, and endpoints are shown.
            self.report.hide(node.at);
            let message = "an endpoint with a name, a password or a query in it";
            let fault = self.report.error(node.at, message);
            fault.help("write it as `headers: {authorization: \"Basic ${CREDENTIALS}\"}`");
            return None;
        }
        let endpoint = text.parse::<Uri>().ok().and_then(|uri| {
            let scheme = uri.scheme()?.clone();
            let secure = scheme == Scheme::HTTPS;
            let host = uri.host().filter(|host| !host.is_empty())?.to_owned();
            let usual = if secure { 443 } else { 80 };
            let port = match uri.authority()?.as_str().strip_prefix(&*host)? {
                "" => usual,
                port => port.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
            };
            let path = uri.path().trim_end_matches('/');
            let prefix = PATHS.iter().find_map(|known| path.strip_suffix(known)).unwrap_or(path);
            let known = secure || scheme == Scheme::HTTP;
            let base = format!("{scheme}://{host}:{port}{prefix}");
            known.then_some(Endpoint { base, secure, path: !path.is_empty(), port })
        });
        if endpoint.is_none() {
            let fault = fields::expected("an endpoint", node, self.report);
            fault.help("such as `http://tempo:4317`");
        }
        endpoint
    }

    fn headers(&mut self, fields: &Fields<'n>) -> Vec<(HeaderName, HeaderValue)> {
        let Some(node) = fields.get("headers") else { return Vec::new() };
        let entries = fields::map(node, "`headers`", self.report).unwrap_or_default();
        if entries.len() > limits::FORWARD_HEADERS {
            let message = format!("more than {} headers", limits::FORWARD_HEADERS);
            self.report.error(node.at, message);
        }
        let entries = entries.iter().take(limits::FORWARD_HEADERS);
        entries.filter_map(|entry| self.header(entry)).collect()
    }

    fn header(&mut self, entry: &Entry) -> Option<(HeaderName, HeaderValue)> {
        let name = entry.key.parse::<HeaderName>().ok();
        let Some(name) = name else {
            let message = format!("`{}` is not the name of a header", fields::cut(&entry.key));
            self.report.error(entry.at, message);
            return None;
        };
        if TAKEN.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
            let message = format!("the header `{name}` is written by the sender itself");
            self.report.error(entry.at, message).help("leave it out");
            return None;
        }
        // As it was written: a token that looks like a number is none.
        let value = match &entry.value.kind {
            Kind::Text(text) | Kind::Number(text) => HeaderValue::from_str(text).ok(),
            Kind::Bool(yes) => Some(HeaderValue::from_static(if *yes { "true" } else { "false" })),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        };
        let Some(mut value) = value else {
            let fault = self.report.error(entry.at, format!("the header `{name}` needs a value"));
            fault.help("text on one line, such as \"Bearer ${TOKEN}\"");
            return None;
        };
        value.set_sensitive(true);
        Some((name, value))
    }

    fn tls(&mut self, fields: &Fields<'n>, secure: bool) -> ForwardTls {
        let Some(node) = fields.get("tls") else { return ForwardTls::default() };
        let known = ["ca_file", "cert_file", "key_file"];
        let tls = Fields::of(node, "`tls`", &known, self.report);
        if !secure {
            let fault = self.report.error(node.at, "`tls` has no meaning for `http://`");
            fault.help("write the endpoint with `https://`");
        }
        let mut file = |key| tls.read(key, fields::text, self.report).map(PathBuf::from);
        let (ca_file, certificate, key) = (file("ca_file"), file("cert_file"), file("key_file"));
        let one_alone = certificate.is_some() != key.is_some();
        if one_alone {
            self.report.error(node.at, "`cert_file` and `key_file` belong together");
        }
        ForwardTls { ca_file, identity: certificate.zip(key) }
    }
}

//! The settings of the process: addresses, bounds, state, privacy, data points and sessions.

use std::net::SocketAddr;
use std::time::Duration;

use engine::limits::{self, Limits, Sizes};
use engine::model::MetricName;
use engine::rules::definition::{Reference, SessionDefinition, Source};
use engine::rules::pattern::Pattern;

use super::super::document::{Kind, Node};
use super::super::fields::{self, Fields};
use engine::plan::{Datapoints, Privacy, Sessions};

use super::super::settings::{Server, State};
use super::names::text_of;
use super::{EVERY, Resolver};
use engine::translation::Translation;

/// The alias that says how a turn of a conversation ended.
const OUTCOME: &str = "outcome";

/// Turns a length of time off where there may be none.
const OFF: &str = "off";

const GRPC: [&str; 2] = ["127.0.0.1:4317", "[::1]:4317"];
const HTTP: [&str; 2] = ["127.0.0.1:4318", "[::1]:4318"];
const WEB: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);

const TRANSLATIONS: [(&str, Translation); 4] = [
    ("UnderscoreEscapingWithSuffixes", Translation::UnderscoreEscapingWithSuffixes),
    ("UnderscoreEscapingWithoutSuffixes", Translation::UnderscoreEscapingWithoutSuffixes),
    ("NoUTF8EscapingWithSuffixes", Translation::NoUtf8EscapingWithSuffixes),
    ("NoTranslation", Translation::NoTranslation),
];

impl<'n> Resolver<'n, '_, '_> {
    /// A map of settings under a name, empty when it is not there.
    fn settings(&mut self, key: &str, what: &str, known: &[&'static str]) -> Option<Fields<'n>> {
        let node = self.root.get(key)?;
        Some(Fields::of(node, what, known, self.report))
    }

    pub(super) fn server(&mut self) -> Server {
        let usual = |all: [&str; 2]| all.iter().filter_map(|text| text.parse().ok()).collect();
        let mut server = Server {
            grpc: usual(GRPC),
            http: usual(HTTP),
            connections: None,
            cors: Vec::new(),
            web: WEB,
            hosts: Vec::new(),
            zero_first: limits::ZERO_FIRST,
            created_lines: false,
            linger: limits::LINGER,
        };
        let Some(fields) = self.settings("server", "`server`", &["otlp", "web"]) else {
            return server;
        };
        if let Some(node) = fields.get("otlp") {
            let known = ["grpc", "http", "max_request", "connections", "cors"];
            let otlp = Fields::of(node, "`server.otlp`", &known, self.report);
            server.grpc = self.addresses(&otlp, "grpc").unwrap_or(server.grpc);
            server.http = self.addresses(&otlp, "http").unwrap_or(server.http);
            server.connections = otlp.read("connections", fields::connections, self.report);
            let cors = otlp.read("cors", fields::list, self.report).unwrap_or_default();
            let texts = cors.iter().filter_map(|node| fields::text(node, self.report));
            server.cors = texts.map(str::to_owned).collect();
        }
        if let Some(node) = fields.get("web") {
            let known = ["listen", "hosts", "zero_first", "created_lines", "linger"];
            let web = Fields::of(node, "`server.web`", &known, self.report);
            let listen = web.get("listen").and_then(|node| self.address(node));
            server.web = listen.unwrap_or(server.web);
            let hosts = web.read("hosts", fields::list, self.report).unwrap_or_default();
            server.hosts = hosts.iter().filter_map(|node| self.host(node)).collect();
            let zero = web.read("zero_first", fields::duration, self.report);
            server.zero_first = zero.unwrap_or(server.zero_first);
            let created = web.read("created_lines", fields::boolean, self.report);
            server.created_lines = created.unwrap_or(false);
            let linger = web.read("linger", fields::duration, self.report);
            server.linger = linger.unwrap_or(server.linger);
        }
        server
    }

    fn addresses(&mut self, fields: &Fields<'n>, key: &str) -> Option<Vec<SocketAddr>> {
        let nodes = fields::one_or_more(fields.get(key)?);
        Some(nodes.iter().filter_map(|node| self.address(node)).collect())
    }

    /// The name of a host, without a port.
    fn host(&mut self, node: &Node) -> Option<String> {
        let text = fields::text(node, self.report)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if text.is_empty() || !text.bytes().all(plain) {
            let fault = fields::expected("the name of a host", node, self.report);
            fault.help("such as `oscar-metrics.monitoring.svc`, without `http://` and port; addresses are always served");
            return None;
        }
        Some(text.to_owned())
    }

    /// `127.0.0.1:4317`, `[::1]:4317`, `localhost:4317`, or `:4317` for every interface.
    fn address(&mut self, node: &Node) -> Option<SocketAddr> {
        let text = fields::text(node, self.report)?;
        let full = match text.split_once(':') {
            Some(("", port)) => format!("[::]:{port}"),
            Some(("localhost", port)) => format!("127.0.0.1:{port}"),
            _ => text.to_owned(),
        };
        let found = full.parse().ok();
        if found.is_none() {
            let fault = fields::expected("an address and a port", node, self.report);
            fault.help("such as `127.0.0.1:4317`, `[::1]:4317` or `:4317`");
        }
        found
    }

    pub(super) fn limits(&mut self) -> (Limits, Sizes) {
        let (mut limits, mut sizes) = (Limits::default(), Sizes::default());
        let otlp = self.root.get("server").and_then(|server| server.get("otlp"));
        let request = otlp.and_then(|otlp| otlp.get("max_request"));
        sizes.request = request.and_then(|node| fields::bytes_or_auto(node, self.report));
        let known = [
            "memory",
            "in_flight",
            "series",
            "series_per_metric",
            "senders_series",
            "idle",
            "late",
            "dedupe",
            "label_value",
        ];
        if let Some(fields) = self.settings("limits", "`limits`", &known) {
            sizes.memory = fields.read("memory", fields::bytes_or_auto, self.report);
            sizes.in_flight = fields.read("in_flight", fields::bytes_or_auto, self.report);
            self.bounds(&fields, &mut limits);
        }
        if let (Some(node), Some(one), Some(all)) = (request, sizes.request, sizes.in_flight)
            && one > all
        {
            let message =
                format!("a request of {one} bytes never fits: `limits.in_flight` is {all}");
            self.report.error(node.at, message).help("lower `max_request` or raise `in_flight`");
        }
        sizes.apply(None, &mut limits);
        (limits, sizes)
    }

    fn bounds(&mut self, fields: &Fields<'n>, limits: &mut Limits) {
        let report = &mut *self.report;
        let positive = |node: &Node, report: &mut _| fields::count(node, 1, report);
        let value = fields.read("label_value", fields::bytes, report);
        limits.label_value = value.unwrap_or(limits.label_value);
        for (key, bound) in [
            ("series", &mut limits.series),
            ("series_per_metric", &mut limits.series_per_metric),
            ("senders_series", &mut limits.senders_series),
        ] {
            *bound = fields.read(key, positive, report).unwrap_or(*bound);
        }
        limits.idle = fields.read("idle", fields::positive, report).unwrap_or(limits.idle);
        limits.late = fields.read("late", fields::positive, report);
        if let Some(node) = fields.get("dedupe") {
            let known = ["window", "entries"];
            let dedupe = Fields::of(node, "`limits.dedupe`", &known, report);
            let window = dedupe.read("window", fields::positive, report);
            limits.dedupe_window = window.unwrap_or(limits.dedupe_window);
            let count = |node: &Node, report: &mut _| fields::count(node, 0, report);
            let entries = dedupe.read("entries", count, report);
            limits.dedupe_entries = entries.unwrap_or(limits.dedupe_entries);
        }
    }

    /// The highest sampling weight that is accepted.
    pub(super) fn sampling(&mut self) -> Option<f64> {
        let fields = self.settings("sampling", "`sampling`", &["most"])?;
        fields.read("most", fields::weight, self.report)
    }

    pub(super) fn state(&mut self) -> State {
        let mut state = State { dir: None, interval: limits::STATE_INTERVAL };
        if let Some(fields) = self.settings("state", "`state`", &["dir", "interval"]) {
            state.dir = fields.read("dir", fields::text, self.report).map(str::to_owned);
            let interval = fields.read("interval", fields::positive, self.report);
            state.interval = interval.unwrap_or(state.interval);
        }
        state
    }

    pub(super) fn privacy(&mut self) -> Privacy {
        let mut privacy = Privacy::default();
        let known = ["hash_key_file", "drop", "opt_out"];
        if let Some(fields) = self.settings("privacy", "`privacy`", &known) {
            let file = fields.read("hash_key_file", fields::text, self.report);
            privacy.hash_key_file = file.map(str::to_owned);
            privacy.drop = self.globs(&fields, "drop").unwrap_or_default();
            privacy.opt_out = fields.get("opt_out").and_then(|node| {
                let name = fields::text(node, self.report)?;
                self.table(name, node.at)
            });
        }
        for (key, readers) in &self.names.personal {
            privacy.personal.extend(readers.iter().map(|(origin, _)| (*origin, key.clone())));
        }
        privacy.personal.sort();
        privacy.personal.dedup();
        privacy
    }

    /// A list of globs over names.
    fn globs(&mut self, fields: &Fields<'n>, key: &str) -> Option<Vec<Pattern>> {
        let node = fields.get(key)?;
        let nodes = fields::list(node, self.report)?;
        if nodes.len() > limits::GLOBS {
            let message = format!("more than {} globs in `{key}`", limits::GLOBS);
            self.report.error(node.at, message);
        }
        let nodes = nodes.get(..limits::GLOBS).unwrap_or(nodes);
        let pattern = |node: &'n Node| {
            let text = fields::text(node, self.report)?;
            self.pattern(text, node.at)
        };
        Some(nodes.iter().filter_map(pattern).collect())
    }

    pub(super) fn datapoints(&mut self) -> Datapoints {
        let mut settings = Datapoints {
            pass: Pattern::parse("*").into_iter().collect(),
            translation: Translation::default(),
            namespace: String::new(),
            scope_labels: false,
            instance_label: true,
            resource_labels: Vec::new(),
            stale: Some(limits::STALE),
        };
        let known = [
            "pass",
            "translation",
            "namespace",
            "scope_labels",
            "instance_label",
            "resource_labels",
            "stale",
        ];
        let Some(fields) = self.settings("datapoints", "`datapoints`", &known) else {
            return settings;
        };
        settings.pass = self.globs(&fields, "pass").unwrap_or(settings.pass);
        settings.resource_labels = self.globs(&fields, "resource_labels").unwrap_or_default();
        let word = |node: &Node, report: &mut _| fields::word(node, &TRANSLATIONS, report);
        let translation = fields.read("translation", word, self.report);
        settings.translation = translation.unwrap_or_default();
        let namespace = fields.read("namespace", fields::text, self.report).unwrap_or_default();
        if !namespace.is_empty()
            && let Err(error) = MetricName::new(namespace)
            && let Some(node) = fields.get("namespace")
        {
            self.report.error(node.at, error.to_string());
        }
        settings.namespace = namespace.to_owned();
        let scope = fields.read("scope_labels", fields::boolean, self.report);
        settings.scope_labels = scope.unwrap_or(false);
        let instance = fields.read("instance_label", fields::boolean, self.report);
        settings.instance_label = instance.unwrap_or(true);
        if let Some(node) = fields.get("stale") {
            let is_off = matches!(&node.kind, Kind::Text(text) if text == OFF);
            settings.stale = if is_off { None } else { self.stale(node) };
        }
        settings
    }

    fn stale(&mut self, node: &Node) -> Option<Duration> {
        let stale = fields::positive(node, self.report);
        Some(stale.unwrap_or(limits::STALE))
    }

    /// How long conversations last, and what they are made of.
    pub(super) fn sessions(&mut self) -> Option<(Sessions, SessionDefinition)> {
        let known = ["from", "key", "idle", "max", "end", "liked", "disliked", "handover"];
        let fields = self.settings("sessions", "`sessions`", &known)?;
        let entry = self.root.entries().iter().find(|entry| entry.key == "sessions")?;
        let (turns, sources) = self.from(&fields, entry, "`sessions`");
        if let Some(node) = fields.get("from")
            && sources.contains(&Source::Session)
            && sources.len() < EVERY.len()
        {
            self.report.error(node.at, "a session is not made of sessions");
        }
        let [end, liked, disliked, handover] = ["end", "liked", "disliked", "handover"]
            .map(|key| fields.get(key).map(|node| self.froms(node).0).unwrap_or_default());
        let key = fields.get("key").and_then(|node| {
            let word = fields::text(node, self.report)?;
            Some(self.reference(word, node.at, &sources))
        });
        if fields.get("key").is_none() {
            let fault = self.report.error(entry.at, "`sessions` lacks `key`");
            fault.help("what tells one conversation from another, such as `key: conversation`");
        }
        let idle = fields.read("idle", fields::positive, self.report);
        let most = |node: &Node, report: &mut _| fields::count(node, 1, report);
        let max = fields.read("max", most, self.report);
        let bounds = Sessions {
            idle: idle.unwrap_or(limits::SESSION_IDLE),
            max: max.unwrap_or(limits::SESSIONS),
        };
        let outcome = self.names.aliases.find(OUTCOME).map(Reference::Alias);
        let definition =
            SessionDefinition { turns, key: key?, outcome, end, liked, disliked, handover };
        Some((bounds, definition))
    }
}

/// The globs of a list that can be read; that of others is told where the list belongs.
pub(super) fn plain_globs(node: &Node) -> Vec<Pattern> {
    let texts = fields::one_or_more(node).iter().take(limits::GLOBS).filter_map(text_of);
    texts.filter_map(|text| Pattern::parse(text).ok()).collect()
}

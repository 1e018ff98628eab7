//! The web config file of the Prometheus exporter toolkit: TLS, headers and passwords of the web port.
//!
//! Source: prometheus/exporter-toolkit, `docs/web-configuration.md`. What it can say and we can't do is refused, because a
//! restriction that is read and not kept is worse than none. Hashes and keys are in no message and no shown line.

use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue};

use super::Environment;
use super::diagnostic::{self, Findings, Report, Source};
use super::document::{self, Kind, Node};
use super::fields::{self, Fields};
use engine::limits;

/// What the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct WebSettings {
    /// How connections are encrypted; none: not.
    pub tls: Option<WebTls>,
    /// Whether HTTP/2 is offered where TLS is.
    pub http2: bool,
    /// Headers of every answer.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Names and the bcrypt hashes of their passwords; none: everybody may come in.
    pub users: Vec<(String, String)>,
}

/// `tls_server_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct WebTls {
    /// The certificate with its chain.
    pub certificate: Pem,
    /// Its key.
    pub key: Pem,
    /// The CA of clients' certificates, and whether each has to show one; none: nobody is asked.
    pub clients: Option<(Pem, bool)>,
    /// The oldest and the newest version.
    pub versions: (TlsVersion, TlsVersion),
    /// Cipher suites of TLS 1.2 by their names in the standards, best first; none: the usual ones.
    pub ciphers: Vec<&'static str>,
    /// Groups of the key exchange by their names in the standards, best first; none: the usual ones.
    pub groups: Vec<&'static str>,
    /// Whether our order of cipher suites counts, and not the client's.
    pub own_order: bool,
}

/// Where PEM text is.
#[derive(Clone, PartialEq)]
pub enum Pem {
    /// In a file.
    File(PathBuf),
    /// In the config itself.
    Text(String),
}

/// Without the text: it may be a key.
impl std::fmt::Debug for Pem {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.fmt(out),
            Self::Text(_) => out.write_str("(text)"),
        }
    }
}

/// A version of TLS that is still safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

const VERSIONS: [(&str, TlsVersion); 2] =
    [("TLS12", TlsVersion::Tls12), ("TLS13", TlsVersion::Tls13)];

/// The suites of TLS 1.2 that are safe and that we have; those of 1.3 are always there, as they are in Go.
const CIPHERS: [(&str, Option<&str>); 9] = [
    ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Some("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        Some("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Some("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Some("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        Some("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    ),
    ("TLS_AES_128_GCM_SHA256", None),
    ("TLS_AES_256_GCM_SHA384", None),
    ("TLS_CHACHA20_POLY1305_SHA256", None),
];

/// Go's names of the groups.
const GROUPS: [(&str, &str); 3] =
    [("CurveP256", "secp256r1"), ("CurveP384", "secp384r1"), ("X25519", "X25519")];

/// Whether a client is asked for a certificate, and whether it must have one.
const CLIENTS: [(&str, Option<bool>); 3] = [
    ("NoClientCert", None),
    ("VerifyClientCertIfGiven", Some(false)),
    ("RequireAndVerifyClientCert", Some(true)),
];

const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "X-Frame-Options",
    "X-Content-Type-Options",
    "X-XSS-Protection",
    "Strict-Transport-Security",
];

const TLS: [&str; 13] = [
    "cert",
    "key",
    "client_ca",
    "cert_file",
    "key_file",
    "client_auth_type",
    "client_ca_file",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
];

/// Reads the file's text; names of files in it begin in `folder`.
///
/// # Errors
///
/// Everything that is wrong with it, as text for people.
pub fn web(
    source: Source,
    folder: &Path,
    environment: Environment<'_>,
) -> Result<WebSettings, String> {
    let mut report = Report::new(environment);
    let node = document::parse(source, &mut report).unwrap_or_default();
    let mut reader = Reader { report: &mut report, folder };
    let settings = reader.web(&node);
    let Findings { diagnostics, hidden, failed, sources, .. } = report.finish();
    if failed { Err(diagnostic::render(&diagnostics, hidden, &sources)) } else { Ok(settings) }
}

struct Reader<'r, 'a> {
    report: &'r mut Report<'a>,
    folder: &'r Path,
}

impl Reader<'_, '_> {
    fn web(&mut self, node: &Node) -> WebSettings {
        self.hide(node);
        let known = ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"];
        let fields = Fields::of(node, "a web config", &known, self.report);
        if let Some(node) = fields.get("rate_limit") {
            let fault = self.report.error(node.at, "`rate_limit` is not supported");
            fault.help("leave it out: scrapes at once are limited anyway");
        }
        let mut settings = WebSettings {
            tls: fields.get("tls_server_config").and_then(|node| self.tls(node)),
            http2: true,
            headers: Vec::new(),
            users: Vec::new(),
        };
        if let Some(node) = fields.get("http_server_config") {
            let known = ["http2", "headers"];
            let http = Fields::of(node, "`http_server_config`", &known, self.report);
            let http2 = http.read("http2", fields::boolean, self.report);
            settings.http2 = http2.unwrap_or(true);
            if let Some(node) = http.get("headers") {
                settings.headers = self.headers(node);
            }
        }
        if let Some(node) = fields.get("basic_auth_users") {
            settings.users = self.users(node);
        }
        settings
    }

    /// Secrets are shown in no line, whatever else is wrong there.
    fn hide(&mut self, node: &Node) {
        let users = node.get("basic_auth_users").map(Node::entries).unwrap_or_default();
        users.iter().for_each(|user| self.report.hide(user.value.at));
        if let Some(key) = node.get("tls_server_config").and_then(|tls| tls.get("key")) {
            self.report.hide(key.at);
        }
    }

    fn tls(&mut self, node: &Node) -> Option<WebTls> {
        let fields = Fields::of(node, "`tls_server_config`", &TLS, self.report);
        if node.entries().is_empty() {
            return None;
        }
        if let Some(node) = fields.get("client_allowed_sans") {
            let fault = self.report.error(node.at, "`client_allowed_sans` is not supported");
            fault.help("give those clients a CA of their own, and name it in `client_ca_file`");
        }
        let certificate = self.needed(&fields, "cert");
        let key = self.needed(&fields, "key");
        let ca = self.pem(&fields, "client_ca");
        let asked = fields.get("client_auth_type").and_then(|node| self.clients(node));
        let clients = match (asked, ca) {
            (None | Some(None), None) => None,
            (Some(Some(must)), Some(ca)) => Some((ca, must)),
            (Some(Some(_)), None) => {
                self.report.error(node.at, "clients' certificates need a `client_ca_file`");
                None
            }
            (None | Some(None), Some(_)) => {
                let fault = self.report.error(node.at, "a client CA, and no client is asked");
                fault.help("write `client_auth_type: RequireAndVerifyClientCert`");
                None
            }
        };
        let oldest = self.version(&fields, "min_version").unwrap_or(TlsVersion::Tls12);
        let newest = self.version(&fields, "max_version").unwrap_or(TlsVersion::Tls13);
        if oldest > newest {
            self.report.error(node.at, "`min_version` is above `max_version`");
        }
        let ciphers = self.words(&fields, "cipher_suites", &CIPHERS);
        let groups = self.words(&fields, "curve_preferences", &GROUPS);
        let own = fields.read("prefer_server_cipher_suites", fields::boolean, self.report);
        Some(WebTls {
            certificate: certificate?,
            key: key?,
            clients,
            versions: (oldest, newest),
            ciphers: ciphers.into_iter().flatten().collect(),
            groups,
            own_order: own.unwrap_or(true),
        })
    }

    /// Text under `name`, or a file under `name_file`, but one of them.
    fn pem(&mut self, fields: &Fields<'_>, name: &str) -> Option<Pem> {
        let file = format!("{name}_file");
        if let (Some(_), Some(node)) = (fields.get(name), fields.get(&file)) {
            self.report.error(node.at, format!("`{name}` and `{file}` say the same: keep one"));
        }
        if let Some(node) = fields.get(name) {
            // Its words would be in the message of a reader.
            return match &node.kind {
                Kind::Text(text) => Some(Pem::Text(text.clone())),
                _ => {
                    self.report.error(node.at, format!("`{name}` is not a text"));
                    None
                }
            };
        }
        let path = fields.read(&file, fields::text, self.report)?;
        Some(Pem::File(self.folder.join(path)))
    }

    fn needed(&mut self, fields: &Fields<'_>, name: &str) -> Option<Pem> {
        let found = self.pem(fields, name);
        if found.is_none() && !fields.has(name) && !fields.has(&format!("{name}_file")) {
            let message = format!("`tls_server_config` lacks `{name}_file`");
            self.report.error(fields.at, message);
        }
        found
    }

    fn clients(&mut self, node: &Node) -> Option<Option<bool>> {
        let unproven = ["RequestClientCert", "RequireAnyClientCert", "RequireClientCert"];
        if let Kind::Text(text) = &node.kind
            && unproven.contains(&&**text)
        {
            let message = format!("`{text}` takes certificates that nobody has verified");
            let fault = self.report.error(node.at, message);
            fault.help("write `RequireAndVerifyClientCert`");
            return None;
        }
        fields::word(node, &CLIENTS, self.report)
    }

    fn version(&mut self, fields: &Fields<'_>, key: &str) -> Option<TlsVersion> {
        fields.get(key).and_then(|node| fields::word(node, &VERSIONS, self.report))
    }

    fn words<T: Copy>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Vec<T> {
        let nodes = fields.get(key).and_then(|node| fields::list(node, self.report));
        let nodes = nodes.unwrap_or_default().iter();
        nodes.filter_map(|node| fields::word(node, words, self.report)).collect()
    }

    fn headers(&mut self, node: &Node) -> Vec<(HeaderName, HeaderValue)> {
        let fields = Fields::of(node, "`headers`", &HEADERS, self.report);
        let mut headers = Vec::new();
        for name in HEADERS {
            let Some(node) = fields.get(name) else { continue };
            let text = fields::scalar(node, self.report).unwrap_or_default();
            let allowed: &[&str] = match name {
                "X-Frame-Options" => &["deny", "sameorigin"],
                "X-Content-Type-Options" => &["nosniff"],
                _ => &[],
            };
            // Blank is unset, as it is in the toolkit.
            if text.is_empty() {
                continue;
            }
            let fits =
                allowed.is_empty() || allowed.iter().any(|one| text.eq_ignore_ascii_case(one));
            match (name.parse(), HeaderValue::from_str(&text)) {
                (Ok(name), Ok(value)) if fits => headers.push((name, value)),
                _ => {
                    let fault = fields::expected("the value of a header", node, self.report);
                    if !allowed.is_empty() {
                        fault.help(format!("one of {}", allowed.join(", ")));
                    }
                }
            }
        }
        headers
    }

    fn users(&mut self, node: &Node) -> Vec<(String, String)> {
        let entries = fields::map(node, "`basic_auth_users`", self.report).unwrap_or_default();
        if entries.len() > limits::WEB_USERS {
            let message = format!("more than {} users", limits::WEB_USERS);
            self.report.error(node.at, message);
        }
        let mut users = Vec::new();
        for user in entries.iter().take(limits::WEB_USERS) {
            if user.key.is_empty() || user.key.contains(':') {
                let fault = self.report.error(user.at, "nobody can log in with this name");
                fault.help("a name is not empty and has no `:`");
            }
            match &user.value.kind {
                Kind::Text(hash) if is_bcrypt(hash) => users.push((user.key.clone(), hash.clone())),
                _ => {
                    let most = limits::BCRYPT_COST;
                    let message = format!("not a bcrypt hash of a cost from 4 to {most}");
                    let fault = self.report.error(user.value.at, message);
                    fault.help("`htpasswd -nBC 10 \"\" | tr -d ':\\n'` makes one");
                }
            }
        }
        users
    }
}

/// `$2y$10$` and 53 characters: the salt and the hash.
fn is_bcrypt(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    let &["", version, cost, rest] = parts.as_slice() else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
    let digits = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    ["2a", "2b", "2x", "2y"].contains(&version)
        && digits
        && cost.parse().is_ok_and(|cost: u32| (4..=limits::BCRYPT_COST).contains(&cost))
        && rest.len() == 53
        && rest.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";

    fn read(text: &str) -> Result<WebSettings, String> {
        let source = Source { name: "web.yaml".into(), text: text.into() };
        web(source, Path::new("/etc/web"), &|_| None)
    }

    fn said(text: &str) -> String {
        read(text).expect_err(text)
    }

    #[test]
    fn the_toolkits_own_example_is_read() {
        let text = format!(
            "tls_server_config:\n  cert_file: server.crt\n  key_file: /keys/server.key\n\
             basic_auth_users:\n  alice: {HASH}\n  bob: {HASH}\n"
        );
        let settings = read(&text).unwrap();
        let tls = settings.tls.unwrap();
        assert_eq!(tls.certificate, Pem::File("/etc/web/server.crt".into()));
        assert_eq!(tls.key, Pem::File("/keys/server.key".into()));
        assert_eq!(tls.versions, (TlsVersion::Tls12, TlsVersion::Tls13));
        assert_eq!((tls.clients, settings.http2, settings.users.len()), (None, true, 2));
        let empty = read("").unwrap();
        assert_eq!((empty.tls, empty.users), (None, Vec::new()));
    }

    #[test]
    fn everything_that_can_be_honoured_is_read() {
        let text = "
tls_server_config:
  cert: some text
  key: other text
  client_ca_file: ca.pem
  client_auth_type: RequireAndVerifyClientCert
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  curve_preferences: [CurveP384, X25519]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=1, X-XSS-Protection: ''}
";
        let settings = read(text).unwrap();
        let tls = settings.tls.unwrap();
        assert_eq!(tls.clients, Some((Pem::File("/etc/web/ca.pem".into()), true)));
        assert_eq!(tls.ciphers, ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
        assert_eq!(tls.groups, ["secp384r1", "X25519"]);
        assert!(!tls.own_order && !settings.http2);
        assert_eq!(settings.headers.len(), 2);
        assert!(!format!("{tls:?}").contains("other text"), "keys are not shown");
    }

    #[test]
    fn what_can_not_be_kept_is_refused_with_its_place() {
        let cases = [
            ("tls_server_config: {cert_file: a}", "lacks `key_file`"),
            ("tls_server_config: {cert_file: a, key_file: b, key: c}", "keep one"),
            (
                "tls_server_config: {cert_file: a, key_file: b, min_version: TLS10}",
                "`TLS12`, `TLS13`",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, min_version: TLS13, max_version: TLS12}",
                "above",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert}",
                "nobody has verified",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequireAndVerifyClientCert}",
                "need a `client_ca_file`",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}",
                "no client is asked",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, client_allowed_sans: [x]}",
                "not supported",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]}",
                "expected one of",
            ),
            (
                "tls_server_config: {cert_file: a, key_file: b, curve_preferences: [CurveP521]}",
                "expected one of",
            ),
            ("http_server_config: {headers: {X-Frame-Options: maybe}}", "deny, sameorigin"),
            ("http_server_config: {headers: {Server: x}}", "unknown key `Server`"),
            ("rate_limit: {interval: 1s, burst: 2}", "not supported"),
            ("basic_auth_user: {a: b}", "did you mean `basic_auth_users`?"),
            ("basic_auth_users: {'': x}", "nobody can log in"),
            ("basic_auth_users: [alice]", "expected a map"),
            ("basic_auth_users: {a: 1}\nbasic_auth_users: {}", "comes twice"),
        ];
        for (text, wanted) in cases {
            let said = said(text);
            assert!(said.contains(wanted) && said.contains("--> web.yaml:"), "{text}: {said}");
        }
    }

    #[test]
    fn a_secret_is_in_no_message() {
        let long = format!("$2y$31${}", "s".repeat(53));
        for secret in ["hunter2", "$2y$10$short", "12345678", &long, "[a, hunter2]"] {
            let said = said(&format!("basic_auth_users: {{alice: {secret}, b: 1}}"));
            assert!(!said.contains(secret) && !said.contains("hunter2"), "{said}");
            assert!(said.contains("htpasswd"), "{said}");
        }
        let said = said("tls_server_config: {key: [hunter2], cert: x, nokey: 1}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

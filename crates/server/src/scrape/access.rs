//! Who may look at the web port, and through what: the rules of a web config file.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use rustls::ServerConfig;

use crate::net::tls::TlsError;
use crate::self_metrics::WebRefusal;
use config::WebSettings;

use super::answer::{Answer, text};
use super::certificates::Certificates;
use super::users::Users;

/// The rules now in force. A reload changes them for every request that comes after.
pub struct Access(ArcSwap<Rules>);

/// Rules of access.
#[derive(Default)]
pub struct Rules {
    /// Nobody may look: the rules that were asked for can't be kept.
    closed: bool,
    tls: Option<Certificates>,
    users: Option<Users>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Default for Access {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Access {
    /// With these rules.
    pub fn new(rules: Rules) -> Self {
        Self(ArcSwap::from_pointee(rules))
    }

    /// The rules at this moment.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.load_full()
    }

    /// Other rules from now on.
    pub fn replace(&self, rules: Rules) {
        self.0.store(Arc::new(rules));
    }
}

impl Rules {
    /// Those of a web config.
    ///
    /// # Errors
    ///
    /// Certificates that can't be read or used.
    pub fn new(settings: &WebSettings) -> Result<Self, TlsError> {
        let certificates = |tls| Certificates::new(tls, settings.http2);
        Ok(Self {
            closed: false,
            tls: settings.tls.clone().map(certificates).transpose()?,
            users: Users::new(&settings.users),
            headers: settings.headers.clone(),
        })
    }

    /// Only health and readiness, for want of rules that can be kept.
    pub fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// How a new connection is encrypted; none: not.
    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.as_ref().map(Certificates::current)
    }

    /// Whether every client has shown a password or a certificate by the time a route sees its request.
    pub(super) fn authenticates(&self) -> bool {
        self.users.is_some() || self.tls.as_ref().is_some_and(Certificates::needs_clients)
    }

    /// Headers of every answer.
    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The answer to a client that may not look, and why; none when it may.
    pub(super) async fn refuse(&self, headers: &HeaderMap) -> Option<(Answer, Option<WebRefusal>)> {
        if self.closed {
            let why = "the web config has faults: see the log\n";
            return Some((text(StatusCode::SERVICE_UNAVAILABLE, why), None));
        }
        let users = self.users.as_ref()?;
        if users.admit(headers).await {
            return None;
        }
        let mut answer = text(StatusCode::UNAUTHORIZED, "a name and a password are needed here\n");
        let asked = HeaderValue::from_static("Basic realm=\"oscar-metrics\", charset=\"UTF-8\"");
        answer.headers_mut().insert(WWW_AUTHENTICATE, asked);
        let reason = match headers.contains_key(AUTHORIZATION) {
            true => WebRefusal::WrongCredentials,
            false => WebRefusal::NoCredentials,
        };
        Some((answer, Some(reason)))
    }
}

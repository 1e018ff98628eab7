//! The web port's certificates: read at the start, at a reload, and whenever a file has changed since.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::net::tls::{self, TlsError};
use config::{Pem, TlsVersion, WebTls};

/// Certificates and what was made of them.
pub(super) struct Certificates {
    settings: WebTls,
    http2: bool,
    loaded: Mutex<(Stamp, Arc<ServerConfig>)>,
}

/// By what a change is told: when each file was written, and its length.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl Certificates {
    pub(super) fn new(settings: WebTls, http2: bool) -> Result<Self, TlsError> {
        // The stamp first: what changes in between is read once more.
        let stamp = stamp(&settings);
        let config = Arc::new(build(&settings, http2)?);
        Ok(Self { settings, http2, loaded: Mutex::new((stamp, config)) })
    }

    /// Whether every client has to show a certificate.
    pub(super) fn needs_clients(&self) -> bool {
        self.settings.clients.as_ref().is_some_and(|(_, needed)| *needed)
    }

    /// For a new connection. New files that are of no use change nothing, and are told once.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = stamp(&self.settings);
        if now != loaded.0 {
            loaded.0 = now;
            match build(&self.settings, self.http2) {
                Ok(config) => {
                    loaded.1 = Arc::new(config);
                    tracing::info!(event = "certificates_read", what = "web");
                }
                Err(error) => {
                    tracing::error!(event = "certificates_refused", what = "web", %error);
                }
            }
        }
        loaded.1.clone()
    }
}

fn stamp(settings: &WebTls) -> Stamp {
    let ca = settings.clients.as_ref().map(|(ca, _)| ca);
    let files = [Some(&settings.certificate), Some(&settings.key), ca];
    let stamp = |pem: &Pem| match pem {
        Pem::Text(_) => None,
        Pem::File(path) => {
            let found = fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        }
    };
    files.into_iter().flatten().map(stamp).collect()
}

fn build(settings: &WebTls, http2: bool) -> Result<ServerConfig, TlsError> {
    let unusable = |what| move |source| TlsError::Unusable { what, source };
    let provider = Arc::new(provider(settings));
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&versions(settings))
        .map_err(unusable("TLS versions"))?;
    let builder = match &settings.clients {
        None => builder.with_no_client_auth(),
        Some((ca, must)) => builder.with_client_cert_verifier(verifier(ca, *must, provider)?),
    };
    let mut config = builder
        .with_single_cert(certificates(&settings.certificate)?, key(&settings.key)?)
        .map_err(unusable("the certificate and its key"))?;
    config.ignore_client_order = settings.own_order;
    if http2 {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(config)
}

/// The usual provider, with the suites and groups that are wanted, in their order.
fn provider(settings: &WebTls) -> CryptoProvider {
    let mut provider = (*tls::provider()).clone();
    if !settings.ciphers.is_empty() {
        let rank = |name: &str| settings.ciphers.iter().position(|wanted| *wanted == name);
        let suite = |suite: &rustls::SupportedCipherSuite| match suite.tls13() {
            Some(_) => Some(0),
            None => rank(suite.suite().as_str()?),
        };
        provider.cipher_suites.retain(|one| suite(one).is_some());
        provider.cipher_suites.sort_by_key(suite);
    }
    if !settings.groups.is_empty() {
        let rank = |name: Option<&str>| settings.groups.iter().position(|want| Some(*want) == name);
        provider.kx_groups.retain(|group| rank(group.name().as_str()).is_some());
        provider.kx_groups.sort_by_key(|group| rank(group.name().as_str()));
    }
    provider
}

fn versions(settings: &WebTls) -> Vec<&'static SupportedProtocolVersion> {
    let (oldest, newest) = settings.versions;
    let all = [
        (TlsVersion::Tls13, &rustls::version::TLS13),
        (TlsVersion::Tls12, &rustls::version::TLS12),
    ];
    let wanted = all.into_iter().filter(|(version, _)| (oldest..=newest).contains(version));
    wanted.map(|(_, version)| version).collect()
}

fn verifier(
    ca: &Pem,
    must: bool,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        let add = roots.add(certificate);
        add.map_err(|source| TlsError::Unusable { what: "the clients' CA", source })?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if must { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| {
        let source = rustls::Error::General(error.to_string());
        TlsError::Unusable { what: "the clients' CA", source }
    })
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    match pem {
        Pem::File(path) => tls::certificates(path),
        Pem::Text(text) => {
            let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
            all.ok().filter(|all| !all.is_empty()).ok_or_else(|| inline("certificate"))
        }
    }
}

fn key(pem: &Pem) -> Result<PrivateKeyDer<'static>, TlsError> {
    match pem {
        Pem::File(path) => tls::private_key(path),
        Pem::Text(text) => {
            PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| inline("private key"))
        }
    }
}

fn inline(what: &'static str) -> TlsError {
    TlsError::Pem { path: PathBuf::from("the web config"), what }
}

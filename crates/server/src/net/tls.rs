//! TLS for both directions: certificates from files, and what rustls makes of them.
//!
//! One provider for all of it: ring, which builds with a C compiler alone. Files are read each time they are asked for, so that
//! certificates that were renewed come into use.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use engine::limits;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// No CA is trusted on this machine.
    #[error("this machine has no CA certificates: name a `ca_file`")]
    NoRoots,
    /// rustls can't use it.
    #[error("{what}: {source}")]
    Unusable {
        /// What can't be used.
        what: &'static str,
        /// Why.
        source: rustls::Error,
    },
}

/// Whom a client trusts, and who it says it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientFiles {
    /// CA certificates; none: those of the system.
    pub ca: Option<PathBuf>,
    /// A certificate with its chain, and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// The provider.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A client that trusts by these files; none: that trusts nobody, for a client that only speaks plain text.
///
/// # Errors
///
/// A file that can't be read or used.
pub fn client(files: Option<&ClientFiles>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    if let Some(files) = files {
        trust(files.ca.as_deref(), &mut roots)?;
    }
    let unusable = |what| move |source| TlsError::Unusable { what, source };
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable("TLS versions"))?
        .with_root_certificates(roots);
    match files.and_then(|files| files.identity.as_ref()) {
        None => Ok(config.with_no_client_auth()),
        Some((chain, key)) => config
            .with_client_auth_cert(certificates(chain)?, private_key(key)?)
            .map_err(unusable("the certificate and its key")),
    }
}

fn trust(file: Option<&Path>, roots: &mut RootCertStore) -> Result<(), TlsError> {
    let Some(path) = file else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if roots.is_empty() { Err(TlsError::NoRoots) } else { Ok(()) };
    };
    for certificate in certificates(path)? {
        let add = roots.add(certificate);
        add.map_err(|source| TlsError::Unusable { what: "a CA certificate", source })?;
    }
    Ok(())
}

/// The certificates of a PEM file, at least one.
///
/// # Errors
///
/// When it can't be read or has none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let all: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    let none = || TlsError::Pem { path: path.to_path_buf(), what: "certificate" };
    all.ok().filter(|all| !all.is_empty()).ok_or_else(none)
}

/// The first private key of a PEM file.
///
/// # Errors
///
/// When it can't be read or has none.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let none = |_| TlsError::Pem { path: path.to_path_buf(), what: "private key" };
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(none)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(limits::PEM as u64).read_to_end(&mut bytes));
    let fault = |source| TlsError::Read { path: path.to_path_buf(), source };
    read.map(|_| bytes).map_err(fault)
}

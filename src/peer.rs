//! Somebody who is asked over HTTP: a Prometheus, or an instance of our own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use server::net::tls::{self, ClientFiles};
use server::net::told;

use super::{Exit, Failure};

/// For one answer; a month of a busy Prometheus takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whom to ask, and as whom.
pub(super) struct Peer {
    /// Without names, passwords and the slash at its end.
    base: String,
    headers: HeaderMap,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Peer {
    /// At an address, `http://host:port` with a path where there is one. A name and password in it become a header. `flag` and
    /// `example` are for those who wrote it wrong.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] when the address is none.
    pub(super) fn new(
        (flag, example): (&str, &str),
        address: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Self, Failure> {
        let unusable = |why: &str| {
            let message = format!("`{flag}` can't be used: {why}\n  = help: such as {example}");
            Failure::new(Exit::Usage, message)
        };
        let mut headers: HeaderMap = headers.iter().cloned().collect();
        let (scheme, rest) =
            address.split_once("://").ok_or_else(|| unusable("it has no scheme"))?;
        let (host, user) = match rest.rsplit_once('@') {
            Some((user, host)) => (host, Some(user)),
            None => (rest, None),
        };
        if let Some(user) = user {
            let basic = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(user)));
            let mut basic = basic.map_err(|_| unusable("its password can't be sent"))?;
            basic.set_sensitive(true);
            headers.insert(AUTHORIZATION, basic);
        }
        let base = format!("{scheme}://{}", host.trim_end_matches('/'));
        let uri: Uri = base.parse().map_err(|_| unusable("it is no URL"))?;
        if !["http", "https"].contains(&scheme) || uri.host().is_none() || uri.query().is_some() {
            return Err(unusable("it is not of http or https"));
        }
        Ok(Self { base, headers, client: client(scheme == "https")? })
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.base
    }

    /// What is at this path, at most so many bytes of it.
    pub(super) async fn get(&self, path: &str, most: usize) -> Result<(StatusCode, Bytes), String> {
        self.exchange(Request::new(Full::default()), path, most).await
    }

    /// What it answers to a form, at most so many bytes of it.
    pub(super) async fn post(
        &self,
        path: &str,
        form: String,
        most: usize,
    ) -> Result<(StatusCode, Bytes), String> {
        let mut request = Request::new(Full::new(Bytes::from(form)));
        *request.method_mut() = Method::POST;
        let urlencoded = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, urlencoded);
        self.exchange(request, path, most).await
    }

    async fn exchange(
        &self,
        mut request: Request<Full<Bytes>>,
        path: &str,
        most: usize,
    ) -> Result<(StatusCode, Bytes), String> {
        *request.uri_mut() = Uri::try_from(format!("{}{path}", self.base)).unwrap_or_default();
        request.headers_mut().extend(self.headers.clone());
        let exchanged = tokio::time::timeout(PATIENCE, async {
            let response = self.client.request(request).await.map_err(|error| told(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), most).collect().await;
            Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
        });
        exchanged.await.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?
    }
}

fn client(secure: bool) -> Result<Client<HttpsConnector<HttpConnector>, Full<Bytes>>, Failure> {
    let files = ClientFiles { ca: None, identity: None };
    let config = tls::client(secure.then_some(&files));
    let config = config.map_err(|error| Failure::new(Exit::Unavailable, error))?;
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(PATIENCE / 6));
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
    Ok(Client::builder(TokioExecutor::new()).build(connector.enable_http1().wrap_connector(http)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_and_its_password_becomes_a_header() {
        let peer = |address| Peer::new(("--url", "http://127.0.0.1:9464"), address, &[]);
        for wrong in ["localhost:9090", "ftp://a", "http://", "http://a/?x=1", ""] {
            let failure = peer(wrong).err().unwrap();
            assert_eq!(failure.exit, Exit::Usage, "{wrong}");
            assert!(failure.message.starts_with("`--url` can't be used"), "{}", failure.message);
        }
        let named = peer("http://me:pass@word@host:9090/prom/").unwrap();
        assert_eq!(named.name(), "http://host:9090/prom");
        let header = named.headers.get(AUTHORIZATION).unwrap();
        assert_eq!(header, &format!("Basic {}", STANDARD.encode("me:pass@word")));
        assert!(header.is_sensitive());
    }
}

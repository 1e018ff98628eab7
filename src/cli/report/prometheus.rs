//! Prometheus' HTTP API, as far as instant queries go ("HTTP API", instant queries).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;

use crate::cli::{Exit, Failure};
use crate::clock::Timestamp;
use crate::limits;
use crate::net::tls::{self, ClientFiles};
use crate::net::told;
use crate::report::Sample;

/// For one query; a month of a busy server takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that answers queries.
pub(super) struct Prometheus {
    /// Without names, passwords and the slash at its end.
    base: String,
    headers: HeaderMap,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// The answer, as far as we read it.
#[derive(Deserialize)]
struct Answer {
    data: Option<Data>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: std::collections::BTreeMap<String, String>,
    /// Time and value, the latter as text.
    value: (f64, String),
}

impl Prometheus {
    /// A server at an address, `http://host:9090` with a path where there is one. A name and password in it become a header.
    pub(super) fn new(
        address: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Self, Failure> {
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
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        Ok(Self { base, headers, client: client(scheme == "https")? })
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.base
    }

    /// The series of a query at a moment; what is no finite number is left out.
    pub(super) async fn ask(&self, query: &str, at: Timestamp) -> Result<Vec<Sample>, Failure> {
        let asked = tokio::time::timeout(PATIENCE, self.fetch(query, at)).await;
        let answered = asked
            .map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))
            .and_then(|answered| answered);
        let answer = answered.map_err(|why| {
            let message =
                format!("cannot ask {}: {why}\n  = note: the query was {query}", self.base);
            Failure::new(Exit::Unavailable, message)
        })?;
        Ok(answer.into_iter().filter_map(sample).collect())
    }

    async fn fetch(&self, query: &str, at: Timestamp) -> Result<Vec<Series>, String> {
        let form = format!("query={}&time={:.3}", encoded(query), at.seconds());
        let mut request = Request::new(Full::new(Bytes::from(form)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() =
            Uri::try_from(format!("{}/api/v1/query", self.base)).unwrap_or_default();
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await.map_err(|error| told(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), limits::REPORT_ANSWER).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        let answer = serde_json::from_slice::<Answer>(&body);
        match answer {
            Ok(Answer { data: Some(data), .. }) if status.is_success() => Ok(data.result),
            Ok(Answer { error, .. }) if !error.is_empty() => Err(error),
            Ok(_) | Err(_) if !status.is_success() => Err(format!("it answered {status}")),
            Ok(_) => Err("its answer has no data".to_owned()),
            Err(error) => Err(format!("its answer is none of a Prometheus: {error}")),
        }
    }
}

fn sample(series: Series) -> Option<Sample> {
    let value: f64 = series.value.1.parse().ok()?;
    value.is_finite().then(|| Sample { labels: series.metric.into_iter().collect(), value })
}

fn unusable(why: &str) -> Failure {
    let message =
        format!("`--prometheus` can't be used: {why}\n  = help: such as http://127.0.0.1:9090");
    Failure::new(Exit::Usage, message)
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

/// A text in a form (URL standard, application/x-www-form-urlencoded): all but letters and digits by their bytes.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_checked_and_its_password_becomes_a_header() {
        for wrong in ["localhost:9090", "ftp://a", "http://", "http://a/?x=1", ""] {
            assert_eq!(Prometheus::new(wrong, &[]).err().unwrap().exit, Exit::Usage, "{wrong}");
        }
        let named = Prometheus::new("http://me:pass@word@host:9090/prom/", &[]).unwrap();
        assert_eq!(named.name(), "http://host:9090/prom");
        let header = named.headers.get(AUTHORIZATION).unwrap();
        assert_eq!(header, &format!("Basic {}", STANDARD.encode("me:pass@word")));
        assert!(header.is_sensitive());
    }

    #[test]
    fn a_query_survives_its_form() {
        assert_eq!(encoded("sum(a{b=\"c d\"}) + 1"), "sum%28a%7Bb%3D%22c%20d%22%7D%29%20%2B%201");
    }
}

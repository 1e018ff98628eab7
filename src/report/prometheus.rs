//! Prometheus' HTTP API, as far as instant queries go ("HTTP API", instant queries).

use http::header::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::peer::Peer;
use crate::{Exit, Failure};
use content::report::Sample;
use engine::limits;
use engine::timestamp::Timestamp;

/// A server that answers queries.
pub(super) struct Prometheus(Peer);

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
        Peer::new(("--prometheus", "http://127.0.0.1:9090"), address, headers).map(Self)
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> &str {
        self.0.name()
    }

    /// The series of a query at a moment; what is no finite number is left out.
    pub(super) async fn ask(&self, query: &str, at: Timestamp) -> Result<Vec<Sample>, Failure> {
        let answer = self.fetch(query, at).await.map_err(|why| {
            let message =
                format!("cannot ask {}: {why}\n  = note: the query was {query}", self.name());
            Failure::new(Exit::Unavailable, message)
        })?;
        Ok(answer.into_iter().filter_map(sample).collect())
    }

    async fn fetch(&self, query: &str, at: Timestamp) -> Result<Vec<Series>, String> {
        let form = format!("query={}&time={:.3}", encoded(query), at.seconds());
        let (status, body) = self.0.post("/api/v1/query", form, limits::REPORT_ANSWER).await?;
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
    fn a_query_survives_its_form() {
        assert_eq!(encoded("sum(a{b=\"c d\"}) + 1"), "sum%28a%7Bb%3D%22c%20d%22%7D%29%20%2B%201");
    }
}

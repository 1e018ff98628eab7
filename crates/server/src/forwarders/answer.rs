//! What an answer means: delivered, never again, or later.
//!
//! Source: OTLP specification 1.x, "OTLP/gRPC Response" and "OTLP/HTTP Response". What a target says in words is not repeated: it
//! may quote what people said to the bot.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use tonic::{Code, Status};

use engine::timestamp::Timestamp;
use engine::wire::reply;

/// What became of an attempt.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The target has it, or said that it has what it wants of it.
    Delivered,
    /// The target will never take it.
    Rejected(String),
    /// Another attempt may end better.
    Later(Later),
}

/// An attempt that failed for now.
#[derive(Debug, PartialEq)]
pub(super) struct Later {
    /// Why, in our words.
    pub(super) why: String,
    /// How long the target wants to be left alone.
    pub(super) after: Option<Duration>,
    /// Whether the request can have reached the target.
    pub(super) reached: bool,
}

impl Later {
    /// No connection came about.
    pub(super) fn unreachable(why: String) -> Verdict {
        Verdict::Later(Self { why, after: None, reached: false })
    }

    /// A connection was there, and no answer came.
    pub(super) fn unanswered(why: String) -> Verdict {
        Verdict::Later(Self { why, after: None, reached: true })
    }
}

/// Judges an HTTP answer by its head.
pub(super) fn http(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Verdict {
    let why = || format!("HTTP status {}", status.as_u16());
    match status.as_u16() {
        200..300 => Verdict::Delivered,
        429 | 502 | 503 | 504 => {
            Verdict::Later(Later { why: why(), after: retry_after(headers, now), reached: true })
        }
        _ => Verdict::Rejected(why()),
    }
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since_epoch.saturating_sub(Duration::from_nanos(now.0)))
}

/// Judges a gRPC answer by its HTTP status and the headers or trailers that hold its own status.
pub(super) fn grpc(
    status: StatusCode,
    headers: &HeaderMap,
    trailers: &HeaderMap,
    now: Timestamp,
) -> Verdict {
    let told = Status::from_header_map(trailers).or_else(|| Status::from_header_map(headers));
    let Some(told) = told else {
        return match status.as_u16() {
            // What stands in front of a gRPC server speaks HTTP (gRPC, "HTTP to gRPC Status Code Mapping").
            429 | 502 | 503 | 504 => http(status, headers, now),
            200 => Verdict::Rejected("an answer without a gRPC status".into()),
            _ => Verdict::Rejected(format!("HTTP status {}", status.as_u16())),
        };
    };
    let after = reply::retry_delay(told.details());
    let why = format!("gRPC status {:?}", told.code());
    match told.code() {
        Code::Ok => Verdict::Delivered,
        Code::ResourceExhausted if after.is_none() => Verdict::Rejected(why),
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Verdict::Later(Later { why, after, reached: true }),
        _ => Verdict::Rejected(why),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use http::HeaderName;

    use super::*;

    /// 2026-10-21T07:28:00Z.
    const NOW: Timestamp = Timestamp(1_792_567_680_000_000_000);

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn kind(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Delivered => "delivered",
            Verdict::Rejected(_) => "rejected",
            Verdict::Later(_) => "later",
        }
    }

    #[test]
    fn http_statuses_are_those_of_the_specification() {
        let judged = |status| {
            let status = StatusCode::from_u16(status).unwrap();
            let verdict = http(status, &HeaderMap::new(), NOW);
            kind(&verdict)
        };
        for status in 200..600 {
            let wanted = match status {
                200..=299 => "delivered",
                429 | 502 | 503 | 504 => "later",
                _ => "rejected",
            };
            assert_eq!(judged(status), wanted, "{status}");
        }
        let asked = |value| {
            let headers = headers(&[("retry-after", value)]);
            match http(StatusCode::TOO_MANY_REQUESTS, &headers, NOW) {
                Verdict::Later(later) => later.after,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        let date = asked("Wed, 21 Oct 2026 07:28:10 GMT");
        assert_eq!(date, Some(Duration::from_secs(10)));
        assert_eq!(asked("Tue, 21 Oct 2025 07:28:10 GMT"), Some(Duration::ZERO));
        for none in ["", "-1", "soon", "1.5", "Wed, 41 Oct 2026", "99999999999999999999"] {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    #[test]
    fn grpc_codes_are_those_of_the_specification() {
        let later = [1, 4, 10, 11, 14, 15];
        for code in 0..=16 {
            let trailers = headers(&[("grpc-status", &code.to_string())]);
            let verdict = grpc(StatusCode::OK, &HeaderMap::new(), &trailers, NOW);
            let wanted = match code {
                0 => "delivered",
                code if later.contains(&code) => "later",
                _ => "rejected",
            };
            assert_eq!(kind(&verdict), wanted, "{code}");
            assert_eq!(
                grpc(StatusCode::OK, &trailers, &HeaderMap::new(), NOW),
                verdict,
                "in the head"
            );
        }
        let bare = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            kind(&grpc(status, &HeaderMap::new(), &HeaderMap::new(), NOW))
        };
        assert_eq!(
            [200, 404, 401, 502, 503].map(bare),
            ["rejected", "rejected", "rejected", "later", "later"]
        );
    }

    #[test]
    fn a_retry_info_says_when_and_that_exhaustion_ends() {
        // Status{code: 8, details: [Any{type_url: ".../google.rpc.RetryInfo", value: RetryInfo{delay: 3.5 s}}]}
        let url = b"type.googleapis.com/google.rpc.RetryInfo";
        let info = [0x0a, 8, 0x08, 3, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
        let mut any = vec![0x0a, url.len() as u8];
        any.extend(url);
        any.extend([0x12, info.len() as u8]);
        any.extend(info);
        let mut status = vec![0x08, 8, 0x1a, any.len() as u8];
        status.extend(any);
        let details = STANDARD_NO_PAD.encode(status);
        let trailers = headers(&[("grpc-status", "8"), ("grpc-status-details-bin", &details)]);
        let Verdict::Later(later) = grpc(StatusCode::OK, &HeaderMap::new(), &trailers, NOW) else {
            panic!("exhausted, and said when to come again");
        };
        assert_eq!(later.after, Some(Duration::from_millis(3500)));
    }
}

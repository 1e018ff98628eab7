//! The header that ends loops: how often instances of this program have forwarded a request.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Of OTLP/HTTP and OTLP/gRPC alike. A Collector between two instances does not pass it on.
const HOPS: HeaderName = HeaderName::from_static("oscar-metrics-hops");

/// How often a request was forwarded; without a number it came from a sender.
pub fn of(headers: &HeaderMap) -> u8 {
    let number = |value: &HeaderValue| value.to_str().ok()?.parse().ok();
    headers.get(HOPS).and_then(number).unwrap_or(0)
}

/// Marks a request that is forwarded and was so many times before.
pub fn mark(headers: &mut HeaderMap, before: u8) {
    headers.insert(HOPS, HeaderValue::from(u16::from(before.saturating_add(1))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_up_and_reads_nothing_else() {
        let mut headers = HeaderMap::new();
        assert_eq!(of(&headers), 0);
        mark(&mut headers, 0);
        assert_eq!(of(&headers), 1);
        mark(&mut headers, 255);
        assert_eq!(of(&headers), 255);
        for none in ["", "-1", "256", "1.5", "x"] {
            headers.insert(HOPS, none.parse().unwrap());
            assert_eq!(of(&headers), 0, "{none}");
        }
    }
}

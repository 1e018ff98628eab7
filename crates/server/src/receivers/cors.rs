//! Which web pages may send (Fetch standard, "CORS protocol").

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method};

/// The origins whose pages may send: exact ones, or `*` for all. None: no page may, and nothing is said about it.
#[derive(Clone, Copy, Debug)]
pub struct Cors<'o>(pub &'o [String]);

impl Cors<'_> {
    /// Whether this is the question of a browser that we have an answer for.
    pub fn is_preflight(self, method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            && self.allowed(headers).is_some()
    }

    /// Adds to an answer what lets the asking page read it.
    pub fn allow(self, asked: &HeaderMap, answer: &mut HeaderMap) {
        if self.0.is_empty() {
            return;
        }
        answer.append(VARY, HeaderValue::from_name(ORIGIN));
        if let Some(origin) = self.allowed(asked) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
    }

    /// Adds to the answer of a preflight what the page may do.
    pub fn describe(asked: &HeaderMap, answer: &mut HeaderMap) {
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        // No header of a sender means anything to us but its types: all may come.
        if let Some(headers) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
    }

    fn allowed(self, asked: &HeaderMap) -> Option<&HeaderValue> {
        let origin = asked.get(ORIGIN)?;
        let fits = |allowed: &String| {
            allowed == "*" || allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes())
        };
        self.0.iter().any(fits).then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origin: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([
            (ORIGIN, HeaderValue::from_bytes(origin).unwrap()),
            (ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST")),
        ])
    }

    #[test]
    fn only_listed_origins_are_answered() {
        let origins = ["https://bot.example".to_owned()];
        let cors = Cors(&origins);
        assert!(cors.is_preflight(&Method::OPTIONS, &asked(b"https://BOT.example")));
        assert!(!cors.is_preflight(&Method::POST, &asked(b"https://bot.example")));
        for other in [&b"https://bot.example.evil"[..], b"null", b"\xff\xfe"] {
            assert!(!cors.is_preflight(&Method::OPTIONS, &asked(other)));
            let mut answer = HeaderMap::new();
            cors.allow(&asked(other), &mut answer);
            assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        }
        assert!(Cors(&["*".to_owned()]).is_preflight(&Method::OPTIONS, &asked(b"http://x")));
    }
}

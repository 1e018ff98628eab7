//! Names of metrics and labels, by the Prometheus data model.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Why a name is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a name needs at least one character")]
    Empty,
    /// A character the classic grammar has no place for.
    #[error("`{0}` has a character other than {1}")]
    Character(String, &'static str),
    /// Prometheus or this exporter owns it.
    #[error("`{0}` is reserved for {1}")]
    Reserved(String, &'static str),
}

/// A metric name. As a config may declare it: `[a-zA-Z_:][a-zA-Z0-9_:]*` and not reserved. A sender's may be any text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct MetricName(Arc<str>);

/// A label name. As a config may declare it: `[a-zA-Z_][a-zA-Z0-9_]*` and not reserved. A sender's may be any text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct LabelName(Arc<str>);

impl MetricName {
    /// A name a config declares.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text, true, "letters, digits, `_` and `:`, the first no digit")?;
        match owner(text) {
            Some(owner) => Err(NameError::Reserved(text.into(), owner)),
            None => Ok(Self(text.into())),
        }
    }

    /// A name the exporter itself owns; the caller vouches for the grammar.
    pub fn own(text: &str) -> Self {
        debug_assert!(check(text, true, "").is_ok(), "{text}");
        Self(text.into())
    }

    /// A name a sender chose: any text that is not empty. Each format shows it as its scraper can read it; whether it is free
    /// is the caller's to know.
    pub fn foreign(text: &str) -> Result<Self, NameError> {
        if text.is_empty() { Err(NameError::Empty) } else { Ok(Self(text.into())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl LabelName {
    /// A label a config declares. Names that are reserved for one type only (`le`, `quantile`, ...) are the config's to refuse.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text, false, "letters, digits and `_`, the first no digit")?;
        if text.starts_with("__") {
            return Err(NameError::Reserved(text.into(), "Prometheus"));
        }
        Ok(Self(text.into()))
    }

    /// A label the exporter itself owns; the caller vouches for the grammar.
    pub fn own(text: &str) -> Self {
        debug_assert!(check(text, false, "").is_ok(), "{text}");
        Self(text.into())
    }

    /// A name a sender chose: any text that is not empty. Each format shows it as its scraper can read it; whether it is free
    /// is the caller's to know.
    pub fn foreign(text: &str) -> Result<Self, NameError> {
        if text.is_empty() { Err(NameError::Empty) } else { Ok(Self(text.into())) }
    }

    /// A name a sender chose, sharing its text.
    pub fn shared(text: Arc<str>) -> Self {
        Self(text)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The names of this exporter's families beside `oscar_metrics_*`, and all that they claim (see [`super::claims`]). Senders may have
/// other names that begin with `process_`.
pub const OWN_NAMES: [(&str, &str); 11] = [
    ("target", RESOURCE),
    ("target_info", RESOURCE),
    ("process_cpu_seconds", PROCESS),
    ("process_cpu_seconds_total", PROCESS),
    ("process_cpu_seconds_created", PROCESS),
    ("process_max_fds", PROCESS),
    ("process_open_fds", PROCESS),
    ("process_resident_memory_bytes", PROCESS),
    ("process_start_time_seconds", PROCESS),
    ("process_threads", PROCESS),
    ("process_virtual_memory_bytes", PROCESS),
];
const RESOURCE: &str = "resource attributes";
const PROCESS: &str = "the process's own metrics";

/// The owner of a metric name that nobody else may have.
pub(super) fn owner(text: &str) -> Option<&'static str> {
    match text {
        "up" => Some("Prometheus"),
        "_total" => Some("a suffix"), // readers that cut it off have no name left, and refuse the whole body
        _ => family_owner(text),
    }
}

/// The owner of a name that no family may claim, be it only the name of a counter's family in OpenMetrics: `up_total` is one of a
/// family `up`, and no series is called so.
pub(super) fn family_owner(text: &str) -> Option<&'static str> {
    const PREFIXES: [(&str, &str); 3] = [
        ("oscar_metrics_", "the exporter's own metrics"),
        ("scrape_", "Prometheus"),
        ("ALERTS", "Prometheus"),
    ];
    let prefix = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix));
    prefix.or_else(|| OWN_NAMES.iter().find(|(name, _)| *name == text)).map(|(_, owner)| *owner)
}

fn check(text: &str, colon: bool, allowed: &'static str) -> Result<(), NameError> {
    let fits = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphabetic()
            || byte == b'_'
            || (colon && byte == b':')
            || (at > 0 && byte.is_ascii_digit())
    };
    if text.is_empty() {
        Err(NameError::Empty)
    } else if text.bytes().enumerate().all(fits) {
        Ok(())
    } else {
        Err(NameError::Character(text.into(), allowed))
    }
}

impl std::borrow::Borrow<str> for MetricName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MetricName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, out)
    }
}

impl fmt::Debug for LabelName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_classic_grammar() {
        assert!(MetricName::new("bot:replies_total").is_ok());
        assert!(LabelName::new("outcome_2").is_ok());
        for bad in ["", "2x", "a-b", "a b", "caf\u{e9}", "a\n"] {
            assert!(MetricName::new(bad).is_err(), "{bad:?}");
            assert!(LabelName::new(bad).is_err(), "{bad:?}");
        }
        assert!(LabelName::new("a:b").is_err());
    }

    #[test]
    fn a_sender_may_choose_any_text() {
        for text in ["http.method", "caf\u{e9}", "9", " "] {
            assert_eq!(MetricName::foreign(text).unwrap().as_str(), text);
            assert_eq!(LabelName::foreign(text).unwrap().as_str(), text);
        }
        assert_eq!(MetricName::foreign(""), Err(NameError::Empty));
        assert_eq!(LabelName::foreign(""), Err(NameError::Empty));
    }

    #[test]
    fn names_that_belong_to_others_are_refused() {
        for bad in [
            "up",
            "_total",
            "target",
            "target_info",
            "oscar_metrics_x",
            "process_cpu_seconds_total",
            "scrape_x",
            "ALERTS_FOR_STATE",
        ] {
            assert!(matches!(MetricName::new(bad), Err(NameError::Reserved(..))), "{bad}");
        }
        assert!(matches!(LabelName::new("__name__"), Err(NameError::Reserved(..))));
        for good in ["uptime", "process_cpu_time_seconds_total", "targets"] {
            assert!(MetricName::new(good).is_ok(), "{good}");
        }
    }
}

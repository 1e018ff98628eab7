//! PromQL as text that parses: selectors with their values quoted, and the few shapes of expressions that generators share.
//!
//! Only the part of the language that Prometheus 2.42 and 3.x read alike. Source: "Querying basics" of the Prometheus
//! documentation.

use std::fmt;
use std::time::Duration;

/// `metric{label="value"}`: which series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    metric: String,
    matchers: Vec<String>,
}

impl Selector {
    /// All series of a metric.
    pub fn new(metric: impl Into<String>) -> Self {
        Self { metric: metric.into(), matchers: Vec::new() }
    }

    /// Those whose label is this value.
    pub fn is(self, label: &str, value: &str) -> Self {
        self.matching(format!("{label}={}", quoted(value)))
    }

    /// Those whose label is not this value.
    pub fn is_not(self, label: &str, value: &str) -> Self {
        self.matching(format!("{label}!={}", quoted(value)))
    }

    /// Those whose label is one of these values.
    pub fn any_of<S: AsRef<str>>(self, label: &str, values: &[S]) -> Self {
        match values {
            [one] => self.is(label, one.as_ref()),
            _ => self.matching(format!("{label}=~{}", quoted(&alternatives(values)))),
        }
    }

    /// Those whose label is none of these values.
    pub fn none_of<S: AsRef<str>>(self, label: &str, values: &[S]) -> Self {
        match values {
            [one] => self.is_not(label, one.as_ref()),
            _ => self.matching(format!("{label}!~{}", quoted(&alternatives(values)))),
        }
    }

    /// A matcher as it is written, such as `job=~"$job"`.
    pub fn matching(mut self, matcher: impl Into<String>) -> Self {
        self.matchers.push(matcher.into());
        self
    }

    /// The same without a matcher that is written like this.
    pub fn without(mut self, matcher: &str) -> Self {
        self.matchers.retain(|one| one != matcher);
        self
    }

    /// The same of another metric: a histogram's `_count`, for example.
    pub fn of(&self, metric: impl Into<String>) -> Self {
        Self { metric: metric.into(), matchers: self.matchers.clone() }
    }

    /// What they grew by over a range.
    pub fn increase(&self, range: &str) -> String {
        format!("increase({self}[{range}])")
    }

    /// What they grow by in a second, over a range.
    pub fn rate(&self, range: &str) -> String {
        format!("rate({self}[{range}])")
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.metric)?;
        if self.matchers.is_empty() {
            Ok(())
        } else {
            write!(out, "{{{}}}", self.matchers.join(", "))
        }
    }
}

/// The sum by these labels; by none: of everything.
pub fn sum(by: &[&str], inner: impl fmt::Display) -> String {
    grouped("sum", by, inner)
}

/// An aggregation by these labels.
pub fn grouped(operator: &str, by: &[&str], inner: impl fmt::Display) -> String {
    match by {
        [] => format!("{operator}({inner})"),
        _ => format!("{operator} by ({}) ({inner})", by.join(", ")),
    }
}

/// A ratio that is there only when its denominator is at least so much: a share of two events says nothing.
pub fn share(part: impl fmt::Display, whole: impl fmt::Display, at_least: u32) -> String {
    format!("{part} / ({whole} >= {at_least})")
}

/// A length of time as PromQL writes it, in its largest whole unit.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs().max(1);
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    let fits = units.iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    fits.map(|(unit, letter)| format!("{}{letter}", seconds / unit)).unwrap_or_default()
}

/// The same, in weeks where they are whole.
pub fn weeks(time: Duration) -> String {
    const WEEK: u64 = 7 * 86_400;
    match time.as_secs() {
        seconds if seconds > 0 && seconds.is_multiple_of(WEEK) => format!("{}w", seconds / WEEK),
        _ => span(time),
    }
}

/// A text as PromQL quotes it.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// A regular expression that takes exactly these texts; matchers are anchored by themselves.
pub fn alternatives<S: AsRef<str>>(texts: &[S]) -> String {
    texts.iter().map(|text| regex::escape(text.as_ref())).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_quotes_what_it_is_given() {
        let all = Selector::new("a_total");
        assert_eq!(all.to_string(), "a_total");
        let some = all.is("x", "a\"b\\c\n").none_of("y", &["1", "2.0"]).any_of("z", &["only"]);
        assert_eq!(some.to_string(), r#"a_total{x="a\"b\\c\n", y!~"1|2\\.0", z="only"}"#);
        assert_eq!(some.of("b").increase("5m").get(..11), Some("increase(b{"));
    }

    #[test]
    fn shapes() {
        let inner = Selector::new("a").rate("5m");
        assert_eq!(sum(&[], &inner), "sum(rate(a[5m]))");
        assert_eq!(sum(&["x", "y"], &inner), "sum by (x, y) (rate(a[5m]))");
        assert_eq!(share("a", "b", 20), "a / (b >= 20)");
        let spans = [90, 3600, 7 * 86_400].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["90s", "1h", "7d"]);
    }
}

//! Typed access to a document: the keys a map may have, and what stands behind each.
//!
//! Every reader says what it expected and what it found, and returns nothing then; callers go on with a default.

use std::time::Duration;

use engine::limits;

pub(super) use super::diagnostic::cut;
use super::diagnostic::{Diagnostic, Place, Report};
use super::document::{Entry, Kind, Node};
use super::quantity;

/// A map whose keys are known.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    /// Where it stands.
    pub(super) at: Place,
}

impl<'n> Fields<'n> {
    /// The fields of a map, faults for keys nobody knows; `what` is "the metric `x`" or the like.
    pub(super) fn of(
        node: &'n Node,
        what: &str,
        known: &[&'static str],
        report: &mut Report<'_>,
    ) -> Self {
        let entries = map(node, what, report).unwrap_or_default();
        for entry in entries {
            if !known.contains(&&*entry.key) {
                unknown(entry, what, known, report);
            }
        }
        Self { entries, at: node.at }
    }

    /// What stands behind a key; `null` is as good as nothing.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// Whether a key is there, `null` or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }

    /// Reads a key with a reader, if it is there.
    pub(super) fn read<'r, T>(
        &self,
        key: &str,
        read: impl Fn(&'n Node, &mut Report<'r>) -> Option<T>,
        report: &mut Report<'r>,
    ) -> Option<T> {
        self.get(key).and_then(|node| read(node, report))
    }
}

fn unknown(entry: &Entry, what: &str, known: &[&'static str], report: &mut Report<'_>) {
    let near = report.nearest(&entry.key, known.iter().copied());
    let fault = report.error(entry.at, format!("unknown key `{}` of {what}", entry.key));
    fault.help(format!("known are: {}", known.join(", "))).suggest(near);
}

/// What a node is, for people.
pub(super) fn found(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "nothing".to_owned(),
        Kind::Bool(yes) => format!("`{yes}`"),
        Kind::Number(text) => format!("the number `{text}`"),
        Kind::Text(text) => format!("the text `{}`", cut(text)),
        Kind::List(_) => "a list".to_owned(),
        Kind::Map(_) => "a map".to_owned(),
    }
}

/// The fault that something else was expected.
pub(super) fn expected<'r>(
    what: &str,
    node: &Node,
    report: &'r mut Report<'_>,
) -> &'r mut Diagnostic {
    report.error(node.at, format!("expected {what}, found {}", found(node)))
}

pub(super) fn map<'n>(node: &'n Node, what: &str, report: &mut Report<'_>) -> Option<&'n [Entry]> {
    match &node.kind {
        Kind::Map(entries) => Some(entries),
        Kind::Null => Some(&[]),
        _ => {
            expected(&format!("a map for {what}"), node, report);
            None
        }
    }
}

pub(super) fn list<'n>(node: &'n Node, report: &mut Report<'_>) -> Option<&'n [Node]> {
    match &node.kind {
        Kind::List(nodes) => Some(nodes),
        _ => {
            let fault = expected("a list", node, report);
            if let Some(text) = node.text_form() {
                fault.help(format!("write `[{}]`", cut(&text)));
            }
            None
        }
    }
}

/// A list, or one value that stands for a list of itself.
pub(super) fn one_or_more(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(nodes) => nodes,
        _ => std::slice::from_ref(node),
    }
}

pub(super) fn text<'n>(node: &'n Node, report: &mut Report<'_>) -> Option<&'n str> {
    match &node.kind {
        Kind::Text(text) => Some(text),
        _ => {
            let fault = expected("a text", node, report);
            if let Some(text) = node.text_form() {
                fault.help(format!("quote it: \"{text}\""));
            }
            None
        }
    }
}

/// Any scalar, in the form that is compared with telemetry.
pub(super) fn scalar(node: &Node, report: &mut Report<'_>) -> Option<String> {
    let form = node.text_form();
    if form.is_none() {
        expected("a text, a number or a boolean", node, report);
    }
    form
}

pub(super) fn boolean(node: &Node, report: &mut Report<'_>) -> Option<bool> {
    match &node.kind {
        Kind::Bool(yes) => Some(*yes),
        _ => {
            expected("`true` or `false`", node, report);
            None
        }
    }
}

/// A finite number without a unit.
pub(super) fn number(node: &Node, report: &mut Report<'_>) -> Option<f64> {
    let found = match &node.kind {
        Kind::Number(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    if found.is_none() {
        let fault = expected("a number without a unit", node, report);
        if let Kind::Text(text) = &node.kind {
            let plain = quantity::seconds(text).or_else(|| quantity::bytes(text));
            fault.help = plain.map(|number| format!("write `{number}`"));
        }
    }
    found
}

/// A whole number of at least `least`.
pub(super) fn count(node: &Node, least: usize, report: &mut Report<'_>) -> Option<usize> {
    let found = match &node.kind {
        Kind::Number(text) => text.parse().ok().filter(|number| *number >= least),
        _ => None,
    };
    if found.is_none() {
        expected(&format!("a whole number of at least {least}"), node, report);
    }
    found
}

/// A sampling weight: how many records one stands for.
pub(super) fn weight(node: &Node, report: &mut Report<'_>) -> Option<f64> {
    let weight = number(node, report)?;
    if weight < 1.0 {
        let fault = report.error(node.at, "a sampling weight is at least 1");
        fault.help("1 in 100 records kept is `most: 100`; `most: 1` counts each record once");
        return None;
    }
    Some(weight)
}

/// Seconds, with a unit.
pub(super) fn seconds(node: &Node, report: &mut Report<'_>) -> Option<f64> {
    let found = match &node.kind {
        Kind::Text(text) => quantity::seconds(text),
        _ => None,
    };
    if found.is_none() {
        let fault = expected("a time with a unit, such as `45s`", node, report);
        match &node.kind {
            Kind::Number(text) => {
                fault.help(format!("write `{text}s` for seconds or `{text}ms` for milliseconds"))
            }
            _ => fault.help("units are ns, us, ms, s, m, h, d and w"),
        };
    }
    found
}

/// A length of time, with a unit.
pub(super) fn duration(node: &Node, report: &mut Report<'_>) -> Option<Duration> {
    let seconds = seconds(node, report)?;
    let found = Duration::try_from_secs_f64(seconds).ok();
    // Nanoseconds in 64 bits are what clocks count in.
    let found = found.filter(|found| found.as_nanos() <= u128::from(u64::MAX));
    if found.is_none() {
        report.error(node.at, "a time longer than five centuries");
    }
    found
}

/// A length of time that is not zero.
pub(super) fn positive(node: &Node, report: &mut Report<'_>) -> Option<Duration> {
    let found = duration(node, report)?;
    if found.is_zero() {
        report.error(node.at, "a time of zero makes no sense here");
        return None;
    }
    Some(found)
}

/// A size of at least one byte, with a unit.
pub(super) fn bytes(node: &Node, report: &mut Report<'_>) -> Option<usize> {
    const LARGEST: f64 = 9_007_199_254_740_992.0; // 2^53: whole in a double
    let found = match &node.kind {
        Kind::Text(text) => quantity::bytes(text),
        _ => None,
    };
    let Some(found) = found else {
        let fault = expected("a size with a unit, such as `64MiB`", node, report);
        match &node.kind {
            Kind::Number(text) => fault.help(format!("write `{text}B` for bytes")),
            _ => fault.help("units are B, kB, MB, GB (1000) and KiB, MiB, GiB (1024)"),
        };
        return None;
    };
    if !(1.0..=LARGEST).contains(&found) {
        report.error(node.at, "a size must be between 1B and 8192TiB");
        return None;
    }
    Some(found as usize)
}

/// A size; none for `auto`, a part of the memory there is.
pub(super) fn bytes_or_auto(node: &Node, report: &mut Report<'_>) -> Option<usize> {
    match &node.kind {
        Kind::Text(text) if text == AUTO => None,
        _ => bytes(node, report),
    }
}

/// A count of connections; none for `auto`, as many as usual.
pub(super) fn connections(node: &Node, report: &mut Report<'_>) -> Option<usize> {
    if matches!(&node.kind, Kind::Text(text) if text == AUTO) {
        return None;
    }
    let found = count(node, 1, report)?;
    if found > limits::CONNECTIONS_MOST {
        let most = limits::CONNECTIONS_MOST;
        report.error(node.at, format!("{found} connections are over the most, {most}"));
        return None;
    }
    Some(found)
}

/// The word for a size that is a part of the memory there is.
const AUTO: &str = "auto";

/// One of some words.
pub(super) fn word<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    report: &mut Report<'_>,
) -> Option<T> {
    let text = node.text_form().unwrap_or_default();
    if let Some((_, found)) = words.iter().find(|(word, _)| *word == text) {
        return Some(*found);
    }
    let names = || words.iter().map(|(word, _)| *word);
    let all = names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let near = report.nearest(&text, names());
    expected(&format!("one of {all}"), node, report).suggest(near);
    None
}

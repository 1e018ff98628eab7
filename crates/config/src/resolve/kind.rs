//! What is made of the records: a counter, a gauge, a histogram with its edges, or a distinct count with its windows.

use engine::limits;
use engine::model::{Reach, Window};
use engine::rules::definition::{Intrinsic, MetricKind, Native, Reference, Source};

use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self, Fields};
use super::super::quantity;
use super::Resolver;

/// The window that is a calendar day.
const TODAY: &str = "today";

/// The word behind `type`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
    Histogram,
    Distinct,
}

impl Type {
    /// What people call it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Distinct => "distinct count",
        }
    }
}

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn kind(
        &mut self,
        entry: &'n Entry,
        fields: &Fields<'n>,
        kind: Type,
        (unit, sources): (&str, &[Source]),
    ) -> MetricKind {
        match kind {
            Type::Counter => MetricKind::Counter,
            Type::Gauge => MetricKind::Gauge,
            Type::Histogram => self.histogram(entry, fields, unit, sources),
            Type::Distinct => self.distinct(entry, fields, sources),
        }
    }

    fn histogram(
        &mut self,
        entry: &'n Entry,
        fields: &Fields<'n>,
        unit: &str,
        sources: &[Source],
    ) -> MetricKind {
        let native = fields.get("native").and_then(|node| self.native(node)).unwrap_or_default();
        let mut bounds = Vec::new();
        match fields.get("buckets") {
            Some(node) => bounds = self.buckets(node, &entry.key, unit),
            None if native == Native::Only || sources == [Source::Datapoint] => {}
            None => {
                let message = format!("the histogram `{}` lacks `buckets`", entry.key);
                let help = "such as `buckets: [250ms, 1s, 5s]`, or `native: only`";
                self.report.error(entry.at, message).help(help);
            }
        }
        if native == Native::Only && !bounds.is_empty() {
            let at = fields.get("buckets").map_or(entry.at, |node| node.at);
            self.report.warning(at, "`buckets` are not used with `native: only`");
            bounds.clear();
        }
        MetricKind::Histogram { bounds, native }
    }

    fn native(&mut self, node: &Node) -> Option<Native> {
        let words = [("false", Native::No), ("true", Native::Both), ("only", Native::Only)];
        fields::word(node, &words, self.report)
    }

    fn buckets(&mut self, node: &'n Node, name: &str, unit: &str) -> Vec<f64> {
        let nodes = fields::list(node, self.report).unwrap_or_default();
        if nodes.is_empty() {
            self.report.error(node.at, "`buckets` without an edge").help("at least one edge");
        }
        if nodes.len() > limits::BUCKETS {
            let message = format!("{} buckets: the most is {}", nodes.len(), limits::BUCKETS);
            self.report.error(node.at, message);
            return Vec::new();
        }
        let mut bounds: Vec<f64> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Some(bound) = self.bucket(node, name, unit) else { continue };
            if let Some(last) = bounds.last()
                && *last >= bound
            {
                let word = if *last == bound { "comes twice" } else { "is below the one before" };
                let text = node.text_form().unwrap_or_default();
                self.report.error(node.at, format!("the edge `{text}` {word}: edges rise"));
            }
            bounds.push(bound);
        }
        bounds
    }

    /// An edge in the metric's unit. A metric that says no unit may still be called after one.
    fn bucket(&mut self, node: &'n Node, name: &str, unit: &str) -> Option<f64> {
        let text = node.text_form().unwrap_or_default();
        if ["+Inf", "Inf", "inf", ".inf", "+inf"].contains(&&*text) {
            let fault = self.report.error(node.at, "the last bucket, `+Inf`, is always there");
            fault.help("leave it out");
            return None;
        }
        let named = |suffix: &str| unit.is_empty() && name.ends_with(suffix);
        let is_text = matches!(node.kind, Kind::Text(_));
        if unit == "seconds" || (is_text && named("_seconds")) {
            fields::seconds(node, self.report)
        } else if unit == "bytes" || (is_text && named("_bytes")) {
            let found = quantity::bytes(&text);
            found.or_else(|| fields::bytes(node, self.report).map(|bytes| bytes as f64))
        } else {
            fields::number(node, self.report)
        }
    }

    fn distinct(
        &mut self,
        entry: &'n Entry,
        fields: &Fields<'n>,
        sources: &[Source],
    ) -> MetricKind {
        let name = &entry.key;
        let mut lacks = |key: &str, help: &str| {
            let message = format!("the distinct count `{name}` lacks `{key}`");
            self.report.error(entry.at, message).help(help);
        };
        if fields.get("of").is_none() {
            lacks("of", "of what: an alias such as `user`");
        }
        if fields.get("windows").is_none() {
            lacks("windows", "over how long, such as `[1d, 7d, 28d]`");
        }
        let of = fields.get("of").and_then(|node| {
            let word = fields::text(node, self.report)?;
            Some(self.reference(word, node.at, sources))
        });
        let windows = fields.get("windows").map(|node| self.windows(node)).unwrap_or_default();
        let registers = fields.get("registers").and_then(|node| self.registers(node));
        MetricKind::Distinct {
            of: of.unwrap_or(Reference::Intrinsic(Intrinsic::Name)),
            windows,
            registers: registers.unwrap_or(0),
        }
    }

    fn windows(&mut self, node: &'n Node) -> Vec<Window> {
        let nodes = fields::list(node, self.report).unwrap_or_default();
        if nodes.is_empty() || nodes.len() > limits::WINDOWS {
            let message = format!("between 1 and {} windows", limits::WINDOWS);
            self.report.error(node.at, message);
        }
        let mut windows: Vec<Window> = Vec::new();
        for node in nodes {
            let Some(reach) = self.reach(node) else { continue };
            if windows.iter().any(|other| other.reach == reach) {
                self.report.error(node.at, "this window comes twice");
            }
            let name = node.text_form().unwrap_or_default();
            windows.push(Window { name: (*name).into(), reach });
        }
        windows
    }

    fn reach(&mut self, node: &'n Node) -> Option<Reach> {
        if node.text_form().as_deref() == Some(TODAY) {
            return Some(Reach::Midnight(self.zone.clone()));
        }
        let length = fields::positive(node, self.report)?;
        if length.as_secs() % 3600 != 0 || length.subsec_nanos() != 0 {
            let fault = self.report.error(node.at, "a window is made of whole hours");
            fault.help(format!(
                "visits are remembered by the hour; or write `{TODAY}`, which begins at midnight"
            ));
        }
        Some(Reach::Back(length))
    }

    fn registers(&mut self, node: &'n Node) -> Option<usize> {
        let count = fields::count(node, 0, self.report)?;
        let fits =
            count == 0 || (count.is_power_of_two() && (16..=limits::REGISTERS).contains(&count));
        if !fits {
            let message =
                format!("`registers` is 0 or a power of two from 16 to {}", limits::REGISTERS);
            self.report.error(node.at, message).help("512 of them are off by 3 to 4.5 %");
        }
        let privacy = self.root.get("privacy").and_then(|privacy| privacy.get("hash_key_file"));
        if count > 0 && privacy.is_none() {
            let message = "registers merge only under the same key, and each replica makes its own";
            self.report.warning(node.at, message).help("say `privacy.hash_key_file`");
        }
        Some(count)
    }
}

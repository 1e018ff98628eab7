//! Units of metrics, and what a name must say about unit and type.

use engine::rules::definition::MetricKind;

use super::super::document::Entry;
use super::super::fields::{self, Fields};
use super::Resolver;
use super::kind::Type;

/// Units that Prometheus wants to see in a name ("Metric and label naming", base units).
const SUFFIXES: [&str; 9] =
    ["seconds", "bytes", "ratio", "meters", "celsius", "volts", "amperes", "joules", "grams"];

/// What people write, and the base unit Prometheus uses instead.
const OTHERS: [(&str, &str); 18] = [
    ("s", "seconds"),
    ("sec", "seconds"),
    ("second", "seconds"),
    ("ms", "seconds"),
    ("millis", "seconds"),
    ("milliseconds", "seconds"),
    ("us", "seconds"),
    ("microseconds", "seconds"),
    ("ns", "seconds"),
    ("nanoseconds", "seconds"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("byte", "bytes"),
    ("By", "bytes"),
    ("kB", "bytes"),
    ("kilobytes", "bytes"),
    ("percent", "ratio"),
    ("%", "ratio"),
];

impl<'n> Resolver<'n, '_, '_> {
    /// The unit of a block: the one it says, else seconds of a time, else none.
    pub(super) fn unit(&mut self, fields: &Fields<'n>, seconds: bool) -> String {
        let implied = if seconds { "seconds" } else { "" };
        let Some(node) = fields.get("unit") else { return implied.to_owned() };
        let Some(unit) = fields::text(node, self.report) else { return implied.to_owned() };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if let Some((_, base)) = OTHERS.iter().find(|(other, _)| *other == unit) {
            let message = format!("`{unit}` is no base unit of Prometheus");
            let help = format!("write `unit: {base}` and bring the value there with `scale`");
            self.report.error(node.at, message).help(help);
        } else if unit.is_empty() || !unit.bytes().all(plain) {
            self.report.error(node.at, "a unit is letters, digits and `_`");
        } else if seconds && unit != "seconds" {
            let message =
                format!("a duration is measured in seconds, not in `{}`", fields::cut(unit));
            self.report.error(node.at, message).help("leave `unit` out");
        }
        unit.to_owned()
    }

    /// `_total` on counters and on nothing else, and the unit where Prometheus wants it.
    pub(super) fn name_fits(&mut self, entry: &Entry, kind: Type, unit: &str) {
        let name = &*entry.key;
        let base = name.strip_suffix("_total");
        match (kind, base) {
            (Type::Counter, None) => {
                let fault = self.report.error(entry.at, "the name of a counter ends in `_total`");
                fault.help(format!("call it `{name}_total`"));
            }
            (Type::Gauge | Type::Histogram | Type::Distinct, Some(base)) => {
                let message =
                    format!("only counters end in `_total`, and this is a {}", kind.word());
                self.report.error(entry.at, message).help(format!("call it `{base}`"));
            }
            _ => {}
        }
        let base = base.unwrap_or(name);
        if SUFFIXES.contains(&unit) && !has_unit(base, unit) {
            let total = if kind == Type::Counter { "_total" } else { "" };
            let message = format!("the name lacks its unit `{unit}`");
            self.report.error(entry.at, message).help(format!("call it `{base}_{unit}{total}`"));
        }
    }
}

/// The unit an OpenMetrics scraper is told: only what the name ends with (OpenMetrics 1.0, "Unit").
pub(super) fn told(name: &str, kind: &MetricKind, unit: &str) -> String {
    let base = match kind {
        MetricKind::Counter => name.strip_suffix("_total").unwrap_or(name),
        _ => name,
    };
    if has_unit(base, unit) { unit.to_owned() } else { String::new() }
}

fn has_unit(base: &str, unit: &str) -> bool {
    !unit.is_empty() && base.strip_suffix(unit).is_some_and(|before| before.ends_with('_'))
}

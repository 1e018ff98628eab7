//! OpenMetrics 1.0.0 and 0.0.1: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! What differs from the older text: a counter's family has no `_total`, a unit must be the end of the
//! name, exemplars and start times have a place. A counter whose name lacks `_total` has no legal form,
//! so its family is called `unknown`.
//!
//! Twice we keep what the standard would not, because a series that is there in one format only would
//! come and go with the scraper's taste: `_sum` and `_count` stay when an edge is negative, and counts
//! of sampled records stay fractional. Prometheus takes both.

use crate::clock::Timestamp;
use crate::limits;
use crate::model::{Exemplar, Family, Kind, Row};

use super::rows::{Dialect, comment, series};
use super::{escape, number};

/// The characters of the longest exemplar we write: names and values of both ids.
const EXEMPLAR: usize = "trace_id".len() + 32 + "span_id".len() + 16;
const _: () = assert!(EXEMPLAR <= limits::EXEMPLAR_CHARACTERS);

/// The dialect of OpenMetrics.
pub(super) struct OpenMetrics {
    /// Whether to write `_created` lines.
    pub(super) created: bool,
}

impl Dialect for OpenMetrics {
    fn names(&self, family: &Family) -> Vec<String> {
        let (base, kind) = exposed(family);
        let suffixes: &[&str] = match kind {
            "counter" => &["", "_total", "_created"],
            "histogram" => &["", "_bucket", "_sum", "_count", "_created"],
            _ => &[""],
        };
        suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect()
    }

    fn head(&self, family: &Family, out: &mut Vec<u8>) {
        let (base, kind) = exposed(family);
        if !family.help.is_empty() {
            comment(out, "HELP", base, |out| escape::help_open(out, &family.help));
        }
        comment(out, "TYPE", base, |out| out.extend_from_slice(kind.as_bytes()));
        let ends = |unit: &str| base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        if !family.unit.is_empty() && ends(&family.unit) {
            comment(out, "UNIT", base, |out| escape::name(out, &family.unit));
        }
    }

    fn exemplar(&self, family: &Family, exemplar: Option<&Exemplar>, out: &mut Vec<u8>) {
        let Some(exemplar) = exemplar.filter(|exemplar| exemplar.trace_id != [0; 16]) else {
            return;
        };
        if exposed(family).1 == "unknown" {
            return;
        }
        out.extend_from_slice(b" # {trace_id=\"");
        hexadecimal(out, &exemplar.trace_id);
        if exemplar.span_id != [0; 8] {
            out.extend_from_slice(b"\",span_id=\"");
            hexadecimal(out, &exemplar.span_id);
        }
        out.extend_from_slice(b"\"} ");
        number::value(out, exemplar.value);
        if exemplar.time != Timestamp(0) {
            out.push(b' ');
            number::seconds(out, exemplar.time);
        }
    }

    fn after(&self, family: &Family, row: &Row, labels: &[u8], out: &mut Vec<u8>) {
        let (base, kind) = exposed(family);
        let start = row.start.filter(|_| self.created && matches!(kind, "counter" | "histogram"));
        if let Some(start) = start {
            series(out, base, "_created", labels);
            number::seconds(out, start);
            out.push(b'\n');
        }
    }
}

/// A family's name and type as this format has them.
fn exposed(family: &Family) -> (&str, &'static str) {
    let name = family.name.as_str();
    match family.kind {
        Kind::Counter => {
            name.strip_suffix("_total").map_or((name, "unknown"), |base| (base, "counter"))
        }
        Kind::Gauge => (name, "gauge"),
        Kind::Histogram => (name, "histogram"),
    }
}

fn hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

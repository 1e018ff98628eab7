//! OpenMetrics 1.0.0 and 0.0.1: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! What differs from the older text: a counter's family has no `_total`, a unit must be the end of the
//! name, exemplars and start times have a place. A counter whose name lacks `_total` has no legal form,
//! so its family is called `unknown`; an info without `_info` is a gauge.
//!
//! A sum is a counter here. Where it may fall, because it was below 0 or a bucket bound is, and where it is unknown, a histogram has
//! neither `_sum` nor `_count`, of which the standard has both or none; its bucket `+Inf` counts all. Strict readers refuse a whole
//! body over one such line.
//!
//! Counts of sampled records stay fractional, which the standard forbids: Prometheus takes them, and rounded they would be wrong.

use crate::limits;
use crate::model::{Exemplar, Kind, Row};
use crate::timestamp::Timestamp;

use super::rows::{Dialect, comment, series};
use super::shown::Shown;
use super::{escape, number};

/// The characters of the longest exemplar we write: names and values of both ids.
const EXEMPLAR: usize = "trace_id".len() + 32 + "span_id".len() + 16;
const _: () = assert!(EXEMPLAR <= limits::EXEMPLAR_CHARACTERS);

/// The dialect of OpenMetrics.
pub(super) struct OpenMetrics {
    /// Whether to write `_created` lines.
    created: bool,
    /// The type of the family at hand.
    kind: &'static str,
}

impl OpenMetrics {
    pub(super) fn new(created: bool) -> Self {
        Self { created, kind: "unknown" }
    }
}

impl Dialect for OpenMetrics {
    const END: &'static [u8] = b"# EOF\n";
    const SUMS_COUNT: bool = true;

    fn head(&mut self, shown: &Shown, out: &mut Vec<u8>) {
        let (base, kind) = exposed(shown);
        self.kind = kind;
        let name = (base, shown.quoted);
        if !shown.family.help.is_empty() {
            comment(out, "HELP", name, |out| escape::help_open(out, &shown.family.help));
        }
        comment(out, "TYPE", name, |out| out.extend_from_slice(kind.as_bytes()));
        if let Some(unit) = shown.unit().filter(|_| base == shown.base()) {
            comment(out, "UNIT", name, |out| out.extend_from_slice(unit.as_bytes()));
        }
    }

    fn exemplar(&self, exemplar: Option<&Exemplar>, out: &mut Vec<u8>) {
        let Some(exemplar) = exemplar.filter(|exemplar| exemplar.trace_id != [0; 16]) else {
            return;
        };
        if self.kind == "unknown" {
            return;
        }
        out.extend_from_slice(b" # {trace_id=\"");
        number::hexadecimal(out, &exemplar.trace_id);
        if exemplar.span_id != [0; 8] {
            out.extend_from_slice(b"\",span_id=\"");
            number::hexadecimal(out, &exemplar.span_id);
        }
        out.extend_from_slice(b"\"} ");
        number::value(out, exemplar.value);
        if exemplar.time != Timestamp(0) {
            out.push(b' ');
            number::seconds(out, exemplar.time);
        }
    }

    fn after(&self, shown: &Shown, row: &Row, labels: &[u8], out: &mut Vec<u8>) {
        let counts = matches!(self.kind, "counter" | "histogram" | "summary");
        // A time of 0 is none (`clock`).
        if let Some(start) = row.start.filter(|start| self.created && counts && start.0 != 0) {
            series(out, (exposed(shown).0, shown.quoted), "_created", labels);
            number::seconds(out, start);
            out.push(b'\n');
        }
    }
}

/// A family's name and type as this format has them.
fn exposed(shown: &Shown) -> (&str, &'static str) {
    let name = &*shown.name;
    match shown.family.kind {
        Kind::Counter => {
            shown.without("_total").map_or((name, "unknown"), |base| (base, "counter"))
        }
        Kind::Gauge => (name, "gauge"),
        Kind::Histogram => (name, "histogram"),
        Kind::Summary => (name, "summary"),
        Kind::Unknown => (name, "unknown"),
        Kind::Info => shown.without("_info").map_or((name, "gauge"), |base| (base, "info")),
    }
}

//! Text 0.0.4 and 1.0.0: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! For the names of today the two are the same. Neither has exemplars, units or start times.

use crate::model::{Exemplar, Family, Kind, Row};

use super::escape;
use super::rows::{Dialect, comment};

/// The dialect of text 0.0.4 and 1.0.0.
pub(super) struct Text;

impl Dialect for Text {
    fn names(&self, family: &Family) -> Vec<String> {
        let suffixes: &[&str] = match family.kind {
            Kind::Counter | Kind::Gauge => &[""],
            Kind::Histogram => &["", "_bucket", "_sum", "_count"],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", family.name.as_str())).collect()
    }

    fn head(&self, family: &Family, out: &mut Vec<u8>) {
        let name = family.name.as_str();
        if !family.help.is_empty() {
            comment(out, "HELP", name, |out| escape::help(out, &family.help));
        }
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        comment(out, "TYPE", name, |out| out.extend_from_slice(kind.as_bytes()));
    }

    fn exemplar(&self, _: &Family, _: Option<&Exemplar>, _: &mut Vec<u8>) {}

    fn after(&self, _: &Family, _: &Row, _: &[u8], _: &mut Vec<u8>) {}
}

//! Text 0.0.4 and 1.0.0: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! They differ in what is done to names, and that is the scheme's to say. Neither has exemplars, units or
//! start times.

use crate::model::{Exemplar, Kind, Row};

use super::escape;
use super::rows::{Dialect, comment};
use super::shown::Shown;

/// The dialect of text 0.0.4 and 1.0.0.
pub(super) struct Text;

impl Dialect for Text {
    const END: &'static [u8] = b"";
    const SUMS_COUNT: bool = false;

    fn head(&mut self, shown: &Shown, out: &mut Vec<u8>) {
        let (name, quoted) = (&*shown.name, shown.quoted);
        if !shown.family.help.is_empty() {
            comment(out, "HELP", (name, quoted), |out| escape::help(out, &shown.family.help));
        }
        let kind: &[u8] = match shown.family.kind {
            Kind::Counter => b"counter",
            Kind::Gauge | Kind::Info => b"gauge",
            Kind::Histogram => b"histogram",
            Kind::Summary => b"summary",
            Kind::Unknown => b"untyped",
        };
        comment(out, "TYPE", (name, quoted), |out| out.extend_from_slice(kind));
    }

    fn exemplar(&self, _: Option<&Exemplar>, _: &mut Vec<u8>) {}

    fn after(&self, _: &Shown, _: &Row, _: &[u8], _: &mut Vec<u8>) {}
}

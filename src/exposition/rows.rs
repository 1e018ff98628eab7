//! The lines that every text format shares: one row's samples, its labels rendered once.

use crate::model::{Exemplar, HistogramRow, Row, RowValue, SummaryRow};

use super::shown::Shown;
use super::{Form, classic, escape, number};

/// What one text format does its own way.
pub(super) trait Dialect {
    /// Every name that a reader of this format takes as belonging to the family.
    fn names(&self, shown: &Shown<'_>) -> Vec<String>;

    /// The comment lines before the samples.
    fn head(&self, shown: &Shown<'_>, out: &mut Vec<u8>);

    /// What follows the value of a counter or bucket on its line.
    fn exemplar(&self, shown: &Shown<'_>, exemplar: Option<&Exemplar>, out: &mut Vec<u8>);

    /// The lines after the samples of one row, whose labels are `labels`.
    fn after(&self, shown: &Shown<'_>, row: &Row, labels: &[u8], out: &mut Vec<u8>);
}

/// A text body. What is kept from line to line makes a line four copies and a number.
#[derive(Debug)]
pub(super) struct Lines<D> {
    dialect: D,
    /// `a="x",b="y"` of the row at hand.
    labels: Vec<u8>,
    /// `name_bucket{a="x",b="y",le="` of the row at hand.
    bucket: Vec<u8>,
    /// `0.25"} ` of each bucket of the family at hand, the one above all edges included.
    edges: Vec<String>,
}

/// A name, and whether it must be quoted.
type Name<'a> = (&'a str, bool);

impl<D: Dialect> Form for Lines<D> {
    fn names(&self, shown: &Shown<'_>) -> Vec<String> {
        self.dialect.names(shown)
    }

    fn begin(&mut self, shown: &Shown<'_>, out: &mut Vec<u8>) {
        self.dialect.head(shown, out);
        self.bound(&shown.family.bounds);
    }

    fn row(&mut self, shown: &Shown<'_>, row: &Row, out: &mut Vec<u8>) {
        self.label(shown, row);
        let name = (&*shown.name, shown.quoted);
        match &row.value {
            RowValue::Gauge(level) => sample(out, name, "", &self.labels, *level),
            RowValue::Counter(total, exemplar) => {
                series(out, name, "", &self.labels);
                number::value(out, *total);
                self.dialect.exemplar(shown, exemplar.as_ref(), out);
                out.push(b'\n');
            }
            RowValue::Histogram(held) => self.histogram(shown, held, out),
            RowValue::Native(native) => match &native.classic {
                Some(held) => self.histogram(shown, held, out),
                None => self.histogram(shown, &classic::histogram(native), out),
            },
            RowValue::Summary(summary) => self.summary(name, summary, out),
        }
        self.dialect.after(shown, row, &self.labels, out);
    }

    fn end(&mut self, _: &Shown<'_>, _: &mut Vec<u8>) {}
}

impl<D: Dialect> Lines<D> {
    pub(super) fn new(dialect: D) -> Self {
        Self { dialect, labels: Vec::new(), bucket: Vec::new(), edges: Vec::new() }
    }

    fn bound(&mut self, bounds: &[f64]) {
        let edges = bounds.iter().copied().chain([f64::INFINITY]);
        self.edges.clear();
        self.edges.extend(edges.map(|edge| number::edge(edge) + "\"} "));
    }

    fn label(&mut self, shown: &Shown<'_>, row: &Row) {
        self.labels.clear();
        for (name, value) in &row.labels.0 {
            if !self.labels.is_empty() {
                self.labels.push(b',');
            }
            let label = escape::label_name(name.as_str(), shown.scheme);
            write_name(&mut self.labels, (&label, !escape::is_classic_label(&label)), "");
            self.labels.extend_from_slice(b"=\"");
            escape::quoted(&mut self.labels, value);
            self.labels.push(b'"');
        }
    }

    /// Gets ready for lines that differ in one label: everything up to its value.
    fn prefix(&mut self, name: Name<'_>, suffix: &str, label: &str) {
        self.bucket.clear();
        open(&mut self.bucket, name, suffix, &self.labels);
        let bare = !name.1 && self.labels.is_empty();
        self.bucket.extend_from_slice(if bare { b"{" } else { b"," });
        self.bucket.extend_from_slice(label.as_bytes());
        self.bucket.extend_from_slice(b"=\"");
    }

    fn histogram(&mut self, shown: &Shown<'_>, held: &HistogramRow, out: &mut Vec<u8>) {
        let name = (&*shown.name, shown.quoted);
        if let Some(own) = &held.bounds {
            self.bound(own);
        }
        self.prefix(name, "_bucket", "le");
        let mut total = 0.0;
        for (at, (edge, count)) in self.edges.iter().zip(&held.counts).enumerate() {
            total += count;
            out.extend_from_slice(&self.bucket);
            out.extend_from_slice(edge.as_bytes());
            number::value(out, total);
            self.dialect.exemplar(shown, held.exemplars.get(at).and_then(Option::as_ref), out);
            out.push(b'\n');
        }
        sample(out, name, "_sum", &self.labels, held.sum);
        sample(out, name, "_count", &self.labels, total);
        if held.bounds.is_some() {
            self.bound(&shown.family.bounds);
        }
    }

    fn summary(&mut self, name: Name<'_>, summary: &SummaryRow, out: &mut Vec<u8>) {
        self.prefix(name, "", "quantile");
        for (rank, value) in &summary.quantiles {
            out.extend_from_slice(&self.bucket);
            out.extend_from_slice(number::edge(*rank).as_bytes());
            out.extend_from_slice(b"\"} ");
            number::value(out, *value);
            out.push(b'\n');
        }
        sample(out, name, "_sum", &self.labels, summary.sum);
        sample(out, name, "_count", &self.labels, summary.count as f64);
    }
}

/// A line without more to say.
fn sample(out: &mut Vec<u8>, name: Name<'_>, suffix: &str, labels: &[u8], value: f64) {
    series(out, name, suffix, labels);
    number::value(out, value);
    out.push(b'\n');
}

/// A line up to its value.
pub(super) fn series(out: &mut Vec<u8>, name: Name<'_>, suffix: &str, labels: &[u8]) {
    open(out, name, suffix, labels);
    let closing: &[u8] = if name.1 || !labels.is_empty() { b"} " } else { b" " };
    out.extend_from_slice(closing);
}

/// A line up to the end of its labels. A quoted name stands among them.
fn open(out: &mut Vec<u8>, name: Name<'_>, suffix: &str, labels: &[u8]) {
    if name.1 {
        out.push(b'{');
    }
    write_name(out, name, suffix);
    if !labels.is_empty() {
        out.push(if name.1 { b',' } else { b'{' });
        out.extend_from_slice(labels);
    }
}

/// A comment line: `# WORD name text`.
pub(super) fn comment(
    out: &mut Vec<u8>,
    word: &str,
    name: Name<'_>,
    text: impl FnOnce(&mut Vec<u8>),
) {
    out.extend_from_slice(b"# ");
    out.extend_from_slice(word.as_bytes());
    out.push(b' ');
    write_name(out, name, "");
    out.push(b' ');
    text(out);
    out.push(b'\n');
}

fn write_name(out: &mut Vec<u8>, (name, quoted): Name<'_>, suffix: &str) {
    if quoted {
        out.push(b'"');
        escape::quoted(out, name);
    } else {
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(suffix.as_bytes());
    if quoted {
        out.push(b'"');
    }
}

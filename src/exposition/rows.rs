//! The lines that every text format shares: one row's samples, its labels rendered once.

use crate::model::{Exemplar, Family, HistogramRow, Row, RowValue};

use super::{escape, number};

/// What one text format does its own way.
pub(super) trait Dialect {
    /// Every name that a reader of this format takes as belonging to the family.
    fn names(&self, family: &Family) -> Vec<String>;

    /// The comment lines before the samples.
    fn head(&self, family: &Family, out: &mut Vec<u8>);

    /// What follows the value of a counter or bucket on its line.
    fn exemplar(&self, family: &Family, exemplar: Option<&Exemplar>, out: &mut Vec<u8>);

    /// The lines after the samples of one row, whose labels are `labels`.
    fn after(&self, family: &Family, row: &Row, labels: &[u8], out: &mut Vec<u8>);
}

/// What is kept from line to line, so that a line is four copies and a number.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// `a="x",b="y"` of the row at hand.
    labels: Vec<u8>,
    /// `name_bucket{a="x",b="y",le="` of the row at hand.
    bucket: Vec<u8>,
    /// `0.25"} ` of each bucket of the family at hand, the one above all edges included.
    edges: Vec<String>,
}

impl Rows {
    /// Gets ready for a family.
    pub(super) fn begin(&mut self, family: &Family) {
        let edges = family.bounds.iter().copied().chain([f64::INFINITY]);
        self.edges.clear();
        self.edges.extend(edges.map(|edge| number::edge(edge) + "\"} "));
    }

    /// Writes a row that [`super::check`] found sound.
    pub(super) fn write<D: Dialect>(
        &mut self,
        dialect: &D,
        family: &Family,
        row: &Row,
        out: &mut Vec<u8>,
    ) {
        self.label(row);
        let name = family.name.as_str();
        match &row.value {
            RowValue::Gauge(level) => sample(out, name, "", &self.labels, *level),
            RowValue::Counter(total, exemplar) => {
                series(out, name, "", &self.labels);
                number::value(out, *total);
                dialect.exemplar(family, exemplar.as_ref(), out);
                out.push(b'\n');
            }
            RowValue::Histogram(held) => self.histogram(dialect, family, held, out),
        }
        dialect.after(family, row, &self.labels, out);
    }

    fn label(&mut self, row: &Row) {
        self.labels.clear();
        for (name, value) in &row.labels.0 {
            if !self.labels.is_empty() {
                self.labels.push(b',');
            }
            escape::name(&mut self.labels, name.as_str());
            self.labels.extend_from_slice(b"=\"");
            escape::label_value(&mut self.labels, value);
            self.labels.push(b'"');
        }
    }

    fn histogram<D: Dialect>(
        &mut self,
        dialect: &D,
        family: &Family,
        held: &HistogramRow,
        out: &mut Vec<u8>,
    ) {
        let name = family.name.as_str();
        self.bucket.clear();
        escape::name(&mut self.bucket, name);
        self.bucket.extend_from_slice(b"_bucket{");
        self.bucket.extend_from_slice(&self.labels);
        let comma = if self.labels.is_empty() { "" } else { "," };
        self.bucket.extend_from_slice(comma.as_bytes());
        self.bucket.extend_from_slice(b"le=\"");

        let mut total = 0.0;
        for (at, (edge, count)) in self.edges.iter().zip(&held.counts).enumerate() {
            total += count;
            out.extend_from_slice(&self.bucket);
            out.extend_from_slice(edge.as_bytes());
            number::value(out, total);
            dialect.exemplar(family, held.exemplars.get(at).and_then(Option::as_ref), out);
            out.push(b'\n');
        }
        sample(out, name, "_sum", &self.labels, held.sum);
        sample(out, name, "_count", &self.labels, total);
    }
}

/// A line without more to say.
pub(super) fn sample(out: &mut Vec<u8>, name: &str, suffix: &str, labels: &[u8], value: f64) {
    series(out, name, suffix, labels);
    number::value(out, value);
    out.push(b'\n');
}

/// A line up to its value.
pub(super) fn series(out: &mut Vec<u8>, name: &str, suffix: &str, labels: &[u8]) {
    escape::name(out, name);
    out.extend_from_slice(suffix.as_bytes());
    if !labels.is_empty() {
        out.push(b'{');
        out.extend_from_slice(labels);
        out.push(b'}');
    }
    out.push(b' ');
}

/// A comment line: `# WORD name text`.
pub(super) fn comment(out: &mut Vec<u8>, word: &str, name: &str, text: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"# ");
    out.extend_from_slice(word.as_bytes());
    out.push(b' ');
    escape::name(out, name);
    out.push(b' ');
    text(out);
    out.push(b'\n');
}

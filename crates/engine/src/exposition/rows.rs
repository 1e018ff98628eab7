//! The lines that every text format shares: one row's samples, its labels rendered once.

use crate::model::amount::Sum;
use crate::model::{Exemplar, HistogramRow, Row, RowValue, SummaryRow};

use super::escape::{Name, write_name};
use super::shown::Shown;
use super::{Form, classic, labels, number};

/// What one text format does its own way.
pub(super) trait Dialect {
    /// The last line of a body.
    const END: &'static [u8];
    /// Whether a sum has to be a counter. Then a histogram whose sum may fall has none, and no count either; and a summary has no
    /// quantiles below 0.
    const SUMS_COUNT: bool;

    /// The comment lines before the samples.
    fn head(&mut self, shown: &Shown, out: &mut Vec<u8>);

    /// What follows the value of a counter or bucket on its line.
    fn exemplar(&self, exemplar: Option<&Exemplar>, out: &mut Vec<u8>);

    /// The lines after the samples of one row, whose labels are `labels`.
    fn after(&self, shown: &Shown, row: &Row, labels: &[u8], out: &mut Vec<u8>);
}

/// A text body. What is kept from line to line makes a line three copies and a number.
#[derive(Debug)]
pub(super) struct Lines<D> {
    dialect: D,
    /// Room for labels that are not the same to all readers.
    labels: Vec<u8>,
    /// `name_bucket{a="x",b="y",le="` of the row at hand.
    prefix: Vec<u8>,
    /// Of each bucket of the family at hand, the one above all edges included.
    edges: Vec<Edge>,
}

/// `0.25"} `, padded to a size that copies without a call.
#[derive(Debug)]
struct Edge {
    padded: [u8; Self::ROOM],
    length: usize,
}

impl<D: Dialect> Form for Lines<D> {
    fn begin(&mut self, shown: &Shown, out: &mut Vec<u8>) {
        self.dialect.head(shown, out);
        self.bound(&shown.family.bounds);
    }

    fn row(&mut self, shown: &Shown, row: &Row, out: &mut Vec<u8>) {
        let mut room = std::mem::take(&mut self.labels);
        let labels = labels::text(&row.labels, shown.scheme, &mut room);
        let name = (&*shown.name, shown.quoted);
        match &row.value {
            RowValue::Gauge(level) => sample(out, name, "", labels, *level),
            RowValue::Counter(total, exemplar) => {
                series(out, name, "", labels);
                number::value(out, *total);
                self.dialect.exemplar(exemplar.as_ref(), out);
                out.push(b'\n');
            }
            RowValue::Histogram(held) => self.histogram(shown, labels, held, out),
            RowValue::Native(native) => match &native.classic {
                Some(held) => self.histogram(shown, labels, held, out),
                None => self.histogram(shown, labels, &classic::histogram(native), out),
            },
            RowValue::Summary(held) => self.summary(name, labels, held, out),
        }
        self.dialect.after(shown, row, labels, out);
        self.labels = room;
    }

    fn end(&mut self, _: &Shown, _: &mut Vec<u8>) {}

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(D::END);
    }
}

impl Edge {
    /// Bytes of the longest double, quote, brace and space.
    const ROOM: usize = 32;

    fn new(edge: f64) -> Self {
        let text = number::edge(edge) + "\"} ";
        let mut padded = [b' '; Self::ROOM];
        padded.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
        Self { padded, length: text.len().min(Self::ROOM) }
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        out.extend_from_slice(&self.padded);
        out.truncate(end);
    }
}

impl<D: Dialect> Lines<D> {
    pub(super) fn new(dialect: D) -> Self {
        Self { dialect, labels: Vec::new(), prefix: Vec::new(), edges: Vec::new() }
    }

    fn bound(&mut self, bounds: &[f64]) {
        let edges = bounds.iter().copied().chain([f64::INFINITY]);
        self.edges.clear();
        self.edges.extend(edges.map(Edge::new));
    }

    /// Gets ready for lines that differ in one label: everything up to its value.
    fn prefix(&mut self, name: Name<'_>, suffix: &str, labels: &[u8], label: &str) {
        self.prefix.clear();
        open(&mut self.prefix, name, suffix, labels);
        let bare = !name.1 && labels.is_empty();
        self.prefix.extend_from_slice(if bare { b"{" } else { b"," });
        self.prefix.extend_from_slice(label.as_bytes());
        self.prefix.extend_from_slice(b"=\"");
    }

    fn histogram(&mut self, shown: &Shown, labels: &[u8], held: &HistogramRow, out: &mut Vec<u8>) {
        let name = (&*shown.name, shown.quoted);
        if let Some(own) = &held.bounds {
            self.bound(own);
        }
        self.prefix(name, "_bucket", labels, "le");
        let mut total = 0.0;
        for (at, (edge, count)) in self.edges.iter().zip(&held.counts).enumerate() {
            total += count;
            out.extend_from_slice(&self.prefix);
            edge.write(out);
            number::value(out, total);
            self.dialect.exemplar(held.exemplars.get(at).and_then(Option::as_ref), out);
            out.push(b'\n');
        }
        let sum = Self::sum(held.sum, held.edges(&shown.family));
        sum.into_iter().for_each(|sum| sample(out, name, "_sum", labels, sum));
        if sum.is_some() || !D::SUMS_COUNT {
            sample(out, name, "_count", labels, total);
        }
        if held.bounds.is_some() {
            self.bound(&shown.family.bounds);
        }
    }

    /// The sum, where the format may have it.
    fn sum(sum: Sum, bounds: &[f64]) -> Option<f64> {
        let may_fall = bounds.first().is_some_and(|lowest| *lowest < 0.0);
        if D::SUMS_COUNT { sum.counter().filter(|_| !may_fall) } else { sum.known() }
    }

    fn summary(&mut self, name: Name<'_>, labels: &[u8], held: &SummaryRow, out: &mut Vec<u8>) {
        self.prefix(name, "", labels, "quantile");
        for (rank, value) in held.quantiles.iter().filter(|one| !(D::SUMS_COUNT && one.1 < 0.0)) {
            out.extend_from_slice(&self.prefix);
            out.extend_from_slice(number::edge(*rank).as_bytes());
            out.extend_from_slice(b"\"} ");
            number::value(out, *value);
            out.push(b'\n');
        }
        let sum = Self::sum(held.sum, &[]);
        sum.into_iter().for_each(|sum| sample(out, name, "_sum", labels, sum));
        sample(out, name, "_count", labels, held.count as f64);
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

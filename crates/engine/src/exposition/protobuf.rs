//! Prometheus protobuf: `io.prometheus.client.MetricFamily` messages, each with its length before it:
//! <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>.
//!
//! The only format with native histograms, and with start times that cost no series.

mod fields;
mod histogram;

use crate::model::{Exemplar, Kind, Row, RowValue, SummaryRow};
use crate::timestamp::Timestamp;

use super::shown::Shown;
use super::{Form, number};

/// A protobuf body.
#[derive(Debug, Default)]
pub(super) struct Protobuf {
    /// The family at hand: its length, which stands before it, is known when all of it is.
    family: Vec<u8>,
}

impl Form for Protobuf {
    fn begin(&mut self, shown: &Shown, _: &mut Vec<u8>) {
        let out = &mut self.family;
        fields::text(out, 1, &shown.name);
        fields::text(out, 2, &shown.family.help);
        let kind = match shown.family.kind {
            Kind::Counter => 0,
            Kind::Gauge | Kind::Info => 1,
            Kind::Summary => 2,
            Kind::Unknown => 3,
            Kind::Histogram => 4,
        };
        fields::whole(out, 3, kind);
    }

    fn row(&mut self, shown: &Shown, row: &Row, _: &mut Vec<u8>) {
        let out = &mut self.family;
        let metric = fields::open(out, 4);
        for (name, value) in &row.labels.0 {
            let pair = fields::open(out, 1);
            fields::text(out, 1, &shown.scheme.label(name.as_str()));
            fields::text(out, 2, value);
            fields::close(out, pair);
        }
        let kind = match row.value {
            RowValue::Gauge(_) if shown.family.kind == Kind::Unknown => 5,
            RowValue::Gauge(_) => 2,
            RowValue::Counter(..) => 3,
            RowValue::Summary(_) => 4,
            RowValue::Histogram(_) | RowValue::Native(_) => 7,
        };
        let message = fields::open(out, kind);
        let family = &shown.family;
        match &row.value {
            RowValue::Gauge(level) => fields::double(out, 1, *level),
            RowValue::Counter(total, latest) => {
                fields::double(out, 1, *total);
                exemplar(2, latest.as_ref(), out);
                moment(3, row.start, out);
            }
            RowValue::Summary(held) => {
                summary(held, out);
                moment(4, row.start, out);
            }
            RowValue::Histogram(held) => histogram::classic(held, family, row.start, out),
            RowValue::Native(held) => histogram::native(held, family, row.start, out),
        }
        fields::close(out, message);
        fields::close(out, metric);
    }

    fn end(&mut self, shown: &Shown, out: &mut Vec<u8>) {
        fields::text(&mut self.family, 5, shown.unit().unwrap_or_default());
        fields::bare(out, &mut self.family);
    }

    fn finish(&mut self, _: &mut Vec<u8>) {}
}

fn summary(held: &SummaryRow, out: &mut Vec<u8>) {
    fields::whole(out, 1, held.count);
    fields::double(out, 2, held.sum.total());
    for (rank, value) in &held.quantiles {
        let quantile = fields::open(out, 3);
        fields::double(out, 1, *rank);
        fields::double(out, 2, *value);
        fields::close(out, quantile);
    }
}

/// A field with a record's ids, value and time; nothing for one without a trace.
fn exemplar(number: u32, exemplar: Option<&Exemplar>, out: &mut Vec<u8>) {
    let Some(exemplar) = exemplar.filter(|exemplar| exemplar.trace_id != [0; 16]) else {
        return;
    };
    let message = fields::open(out, number);
    id("trace_id", &exemplar.trace_id, out);
    if exemplar.span_id != [0; 8] {
        id("span_id", &exemplar.span_id, out);
    }
    fields::double(out, 2, exemplar.value);
    moment(3, Some(exemplar.time), out);
    fields::close(out, message);
}

fn id<const N: usize>(name: &str, bytes: &[u8; N], out: &mut Vec<u8>) {
    let pair = fields::open(out, 1);
    fields::text(out, 1, name);
    let value = fields::open(out, 2);
    number::hexadecimal(out, bytes);
    fields::close(out, value);
    fields::close(out, pair);
}

/// A `google.protobuf.Timestamp` field; nothing for a moment that is not known.
fn moment(number: u32, time: Option<Timestamp>, out: &mut Vec<u8>) {
    let Some(Timestamp(time)) = time.filter(|time| *time != Timestamp(0)) else { return };
    let message = fields::open(out, number);
    fields::whole(out, 1, time / 1_000_000_000);
    fields::whole(out, 2, time % 1_000_000_000);
    fields::close(out, message);
}

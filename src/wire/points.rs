//! Data points of metrics (metrics.proto), counted until there are series for them.

use crate::view::{LogRecord, Origin, Span, SpanEvent, Value, Visitor};

use super::cursor::{Cursor, delimited, known, varint};
use super::envelope;
use super::error::{Fault, WireError};
use super::value::check_attribute;

const NAME: u32 = delimited(1);
const DESCRIPTION: u32 = delimited(2);
const UNIT: u32 = delimited(3);
const GAUGE: u32 = delimited(5);
const SUM: u32 = delimited(7);
const HISTOGRAM: u32 = delimited(9);
const EXPONENTIAL_HISTOGRAM: u32 = delimited(10);
const SUMMARY: u32 = delimited(11);
const METADATA: u32 = delimited(12);
const METRIC: u32 = known(&[1, 2, 3, 5, 7, 9, 10, 11, 12]);

const POINTS: u32 = delimited(1);
const TEMPORALITY: u32 = varint(2);
const MONOTONIC: u32 = varint(3);

/// Counts the data points of all five kinds in an `ExportMetricsServiceRequest`. The inside of a point is not looked at.
///
/// # Errors
/// At the first fault in the framing down to the points.
pub fn count_points(body: &[u8]) -> Result<u64, WireError> {
    let mut count = 0;
    envelope::walk(body, &mut Nobody, |bytes, _| {
        count += metric(bytes)?;
        Ok(())
    })?;
    Ok(count)
}

fn metric(bytes: &[u8]) -> Result<u64, Fault> {
    // The last kind of data counts; the same kind again goes on.
    let (mut kind, mut count) = (0, 0);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            NAME | DESCRIPTION | UNIT => {
                cursor.bytes()?;
            }
            GAUGE | SUM | HISTOGRAM | EXPONENTIAL_HISTOGRAM | SUMMARY => {
                let more = data(key, cursor.bytes()?)?;
                count = if key == kind { count + more } else { more };
                kind = key;
            }
            METADATA => check_attribute(cursor.bytes()?)?,
            _ => cursor.other(key, METRIC)?,
        }
    }
    Ok(count)
}

/// All five kinds have their points in field 1.
fn data(kind: u32, bytes: &[u8]) -> Result<u64, Fault> {
    let fields = match kind {
        SUM => known(&[1, 2, 3]),
        HISTOGRAM | EXPONENTIAL_HISTOGRAM => known(&[1, 2]),
        _ => known(&[1]),
    };
    let mut count = 0;
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            POINTS => {
                cursor.bytes()?;
                count += 1;
            }
            TEMPORALITY | MONOTONIC if fields & 1 << (key >> 3) != 0 => {
                cursor.varint()?;
            }
            _ => cursor.other(key, fields)?,
        }
    }
    Ok(count)
}

/// Listens to nothing: resources and scopes are only checked.
struct Nobody;

impl<'a> Visitor<'a> for Nobody {
    fn resource(&mut self) {}
    fn scope(&mut self, _: &'a [u8], _: &'a [u8]) {}
    fn attribute(&mut self, _: Origin, _: &'a [u8], _: Value<'a>) {}
    fn span(&mut self, _: &Span<'a>) {}
    fn event(&mut self, _: &SpanEvent<'a>) {}
    fn log(&mut self, _: &LogRecord<'a>) {}
}

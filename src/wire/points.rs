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

#[cfg(test)]
mod tests {
    use crate::wire::testing::field;

    use super::*;

    /// A request of one metric.
    fn count(metric: &[u8]) -> Result<u64, WireError> {
        count_points(&field(1, field(2, field(2, metric))))
    }

    #[test]
    fn all_five_kinds_are_counted() {
        let two = [field(1, ""), field(1, "")].concat();
        for number in [5, 7, 9, 10, 11] {
            assert_eq!(count(&field(number, &two)), Ok(2), "{number}");
        }
        let resources = [field(1, field(2, field(2, field(5, &two)))), field(1, "")].concat();
        assert_eq!(count_points(&[resources.clone(), resources].concat()), Ok(4));
        assert_eq!(count_points(b""), Ok(0));
    }

    #[test]
    fn the_last_kind_counts_and_equal_kinds_add() {
        let points = |number, count: usize| field(number, field(1, "").repeat(count));
        assert_eq!(count(&[points(5, 3), points(7, 1)].concat()), Ok(1));
        assert_eq!(count(&[points(5, 3), points(5, 1)].concat()), Ok(4));
        assert_eq!(count(&[points(5, 3), points(7, 1), points(5, 2)].concat()), Ok(2));
    }

    #[test]
    fn faults_above_the_points_refuse_the_request() {
        assert!(count(&field(5, [0x08, 1])).is_err(), "a varint for points");
        assert!(count(&field(5, [0x10, 1])).is_ok(), "a gauge has no field 2");
        assert!(count(&field(7, [0x10, 1, 0x18, 1])).is_ok());
        assert!(count(&field(7, field(2, ""))).is_err(), "text for a temporality");
        assert!(count(&field(9, [0x18, 1])).is_ok(), "a histogram has no field 3");
        assert!(count(&field(12, [0x08, 1])).is_err(), "metadata");
        assert!(count(&[0x28, 1]).is_err());
        assert!(count_points(&[0x0a, 5]).is_err());
        assert!(count_points(&field(1, field(1, field(1, [0x08])))).is_err(), "a resource");
        assert_eq!(count(&field(5, field(1, [0xff]))), Ok(1), "a point is not looked into");
    }
}

//! Metrics (metrics.proto): what all points of one have in common, told before them wherever it stands.

use crate::view::{Data, Metric, Point, Temporality, Visitor};

use super::cursor::{Cursor, Fields, delimited, known, varint};
use super::envelope;
use super::error::{Fault, WireError};
use super::points;
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

/// All five kinds have their points in field 1.
const POINTS: u32 = delimited(1);
const TEMPORALITY: u32 = varint(2);
const MONOTONIC: u32 = varint(3);

/// Tells the visitor everything in an `ExportMetricsServiceRequest`, in the order [`Visitor`] promises.
///
/// # Errors
/// At the first fault in the framing; the visitor was told what stood before it.
pub fn walk_metrics<'a, V: Visitor<'a>>(body: &'a [u8], visitor: &mut V) -> Result<(), WireError> {
    envelope::walk(body, visitor, metric)
}

/// Protobuf lets a metric change its kind: the last one counts, and only pieces of the same kind in a row make up one. Points of
/// the others are checked and told to nobody.
fn metric<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<(), Fault> {
    let (mut name, mut description, mut unit) = (b"".as_slice(), b"".as_slice(), b"".as_slice());
    // The last kind's key, and which of the data is its first.
    let (mut last, mut live, mut count) = (None, 0, 0_usize);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            NAME => name = cursor.bytes()?,
            DESCRIPTION => description = cursor.bytes()?,
            UNIT => unit = cursor.bytes()?,
            GAUGE | SUM | HISTOGRAM | EXPONENTIAL_HISTOGRAM | SUMMARY => {
                let data = match last {
                    Some((kind, ref mut data)) if kind == key => data,
                    _ => {
                        live = count;
                        &mut last.insert((key, fresh(key))).1
                    }
                };
                header(cursor.bytes()?, data)?;
                count += 1;
            }
            METADATA => check_attribute(cursor.bytes()?)?,
            _ => cursor.other(key, METRIC)?,
        }
    }
    let Some((_, data)) = last else { return Ok(()) };
    let metric = Metric { name, description, unit, data };
    visitor.metric(&metric);
    for (index, (kind, bytes)) in all_data(bytes).enumerate() {
        for bytes in Fields::new(Cursor::new(bytes), POINTS) {
            if index < live {
                point(kind, bytes, &mut Nobody)?;
            } else {
                let point = point(kind, bytes, visitor)?;
                visitor.point(&metric, &point);
                Fault::unless_full(visitor)?;
            }
        }
    }
    Ok(())
}

/// Data of this kind before any of its fields.
fn fresh(kind: u32) -> Data {
    let temporality = Temporality::Unspecified;
    match kind {
        SUM => Data::Sum { temporality, monotonic: false },
        HISTOGRAM => Data::Histogram { temporality },
        EXPONENTIAL_HISTOGRAM => Data::Exponential { temporality },
        SUMMARY => Data::Summary,
        _ => Data::Gauge,
    }
}

/// Reads one occurrence of a metric's data, all but the points.
fn header(bytes: &[u8], data: &mut Data) -> Result<(), Fault> {
    let fields = match data {
        Data::Sum { .. } => known(&[1, 2, 3]),
        Data::Histogram { .. } | Data::Exponential { .. } => known(&[1, 2]),
        Data::Gauge | Data::Summary => known(&[1]),
    };
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match (key, &mut *data) {
            (POINTS, _) => {
                cursor.bytes()?;
            }
            (
                TEMPORALITY,
                Data::Sum { temporality, .. }
                | Data::Histogram { temporality }
                | Data::Exponential { temporality },
            ) => {
                // Enums are 32 bits of what a varint may carry.
                *temporality = match cursor.varint()? as u32 {
                    1 => Temporality::Delta,
                    2 => Temporality::Cumulative,
                    _ => Temporality::Unspecified,
                };
            }
            (MONOTONIC, Data::Sum { monotonic, .. }) => *monotonic = cursor.varint()? != 0,
            _ => cursor.other(key, fields)?,
        }
    }
    Ok(())
}

/// All data of a metric whose framing was checked, with the keys of their kinds.
fn all_data(metric: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut cursor = Cursor::new(metric);
    std::iter::from_fn(move || {
        loop {
            let key = cursor.key().ok()??;
            let value = cursor.run(key).ok()?;
            if matches!(key, GAUGE | SUM | HISTOGRAM | EXPONENTIAL_HISTOGRAM | SUMMARY) {
                return Some((key, value));
            }
        }
    })
}

/// Reads a point and tells its attributes.
#[inline(always)]
fn point<'a, V: Visitor<'a>>(
    kind: u32,
    bytes: &'a [u8],
    visitor: &mut V,
) -> Result<Point<'a>, Fault> {
    match kind {
        HISTOGRAM => points::histogram(bytes, visitor),
        EXPONENTIAL_HISTOGRAM => points::exponential(bytes, visitor),
        SUMMARY => points::summary(bytes, visitor),
        _ => points::number(bytes, visitor),
    }
}

/// Listens to nothing: what does not count is only checked.
struct Nobody;

impl Visitor<'_> for Nobody {}

#[cfg(test)]
mod tests {
    use prost::Message;

    use crate::view::Signal;
    use crate::wire::json_to_protobuf;
    use crate::wire::testing::{Lines, any, field, kv};

    use super::*;

    fn walk(body: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Lines::default();
        walk_metrics(body, &mut lines).map(|()| lines.0).map_err(|error| error.to_string())
    }

    /// The lines of a request of one metric, without those of its surroundings.
    fn of_metric(metric: &[u8]) -> Result<Vec<String>, String> {
        walk(&field(1, field(2, field(2, metric)))).map(|mut lines| lines.split_off(2))
    }

    /// The lines of the points of a metric of this kind.
    fn of_points(kind: u8, points: &[&[u8]]) -> Result<Vec<String>, String> {
        let points: Vec<u8> = points.iter().flat_map(|point| field(1, point)).collect();
        of_metric(&field(kind, points)).map(|mut lines| lines.split_off(1))
    }

    fn eight(number: u8, bits: u64) -> Vec<u8> {
        [&[number << 3 | 1], bits.to_le_bytes().as_slice()].concat()
    }

    fn double(number: u8, value: f64) -> Vec<u8> {
        eight(number, value.to_bits())
    }

    /// Integers in a sum.
    fn sum(points: &[u64]) -> Vec<u8> {
        points.iter().flat_map(|point| field(1, eight(6, *point))).collect()
    }

    #[test]
    fn the_order_of_calls_does_not_follow_the_order_of_fields() {
        let attribute = |key: &str| kv(key, any("v")).encode_to_vec();
        let point = [eight(6, 7), field(7, attribute("a")), field(7, attribute("b"))].concat();
        let data = [field(1, &point), field(1, eight(6, 8)), vec![0x10, 2, 0x18, 1]].concat();
        let metric = [field(7, data), field(3, "s"), field(1, "m"), field(2, "d")].concat();
        let scope = [field(3, attribute("ca")), field(2, "1"), field(1, "c")].concat();
        let scope_metrics = [field(3, "url"), field(2, metric), field(1, scope)].concat();
        let body = [field(2, scope_metrics), field(1, field(1, attribute("ra")))].concat();
        let expected = [
            "resource",
            "Resource ra=v",
            "scope c 1",
            "schema url",
            "Scope ca=v",
            "metric m,d,s Sum { temporality: Cumulative, monotonic: true }",
            "Point a=v",
            "Point b=v",
            "point m 7",
            "point m 8",
        ];
        assert_eq!(walk(&field(1, body)).unwrap(), expected);
    }

    #[test]
    fn the_last_kind_counts_and_equal_kinds_merge() {
        let delta = [sum(&[1]), vec![0x10, 1]].concat();
        let pieces = [field(7, &delta), field(7, [sum(&[2]), vec![0x18, 1]].concat())];
        let both = "metric ,, Sum { temporality: Delta, monotonic: true }";
        assert_eq!(of_metric(&pieces.concat()).unwrap(), [both, "point  1", "point  2"]);
        let changed = [field(7, &delta), field(5, sum(&[2])), field(7, sum(&[3, 4]))];
        let last = "metric ,, Sum { temporality: Unspecified, monotonic: false }";
        assert_eq!(of_metric(&changed.concat()).unwrap(), [last, "point  3", "point  4"]);
        let emptied = [field(7, &delta), field(11, "")];
        assert_eq!(of_metric(&emptied.concat()).unwrap(), ["metric ,, Summary"]);
        let broken = [field(7, field(1, [0x31])), field(5, "")];
        assert!(of_metric(&broken.concat()).is_err(), "a point that does not count");
        assert_eq!(of_metric(&field(1, "name")).unwrap(), [""; 0], "no data");
    }

    #[test]
    fn numbers_are_whole_or_double_or_missing() {
        let points = of_points(5, &[&eight(6, u64::MAX), &double(4, -0.5), &[], &double(4, 2.0)]);
        assert_eq!(points.unwrap(), ["point  -1", "point  -0.5", "point  none", "point  2.0"]);
        let twice = [double(4, 0.5), eight(6, 3)].concat();
        assert_eq!(of_points(7, &[&twice]).unwrap(), ["point  3"], "the last one counts");
    }

    #[test]
    fn repeated_numbers_come_packed_and_one_by_one() {
        let packed = field(6, [1_u64.to_le_bytes(), 2_u64.to_le_bytes()].concat());
        let histogram = [
            packed.clone(),
            double(7, 0.5),
            eight(6, 3),
            field(7, ""),
            eight(4, 9),
            packed,
            double(7, f64::INFINITY),
        ];
        let points = of_points(9, &[&histogram.concat()]).unwrap();
        assert_eq!(points, ["point  9 None [1, 2, 3, 1, 2] [0.5, inf]"]);
        // Offset -2, then 300 and 1, then offset 3 and a count alone.
        let positive = [field(8, [0x08, 3, 0x12, 3, 0xac, 2, 1]), field(8, [0x08, 6, 0x10, 7])];
        let exponential = [positive.concat(), vec![0x30, 9], double(5, 0.0), field(9, "")];
        let points = of_points(10, &[&exponential.concat()]).unwrap();
        assert_eq!(points, ["point  0 Some(0.0) -5 [(3, [300, 1, 7]), (0, [])]"]);
        let summary = [field(6, [double(1, 0.5), double(2, 7.0)].concat()), field(6, "")];
        let points = of_points(11, &[&summary.concat()]).unwrap();
        assert_eq!(points, ["point  0 0.0 [(0.5, 7.0), (0.0, 0.0)]"]);
    }

    #[test]
    fn faults_in_a_point_refuse_the_request() {
        for (kind, point) in [
            (5, vec![0x38, 0]),
            (7, vec![0x40]),
            (5, field(5, [0x11])),
            (5, field(5, field(7, [0x0a]))),
            (9, field(6, [0; 7])),
            (9, field(7, [0; 9])),
            (9, vec![0x30, 0]),
            (9, field(8, [0x22])),
            (10, field(8, field(2, [0x80]))),
            (10, field(9, [0x08])),
            (10, field(9, [0x11, 0, 0, 0, 0, 0, 0, 0, 0])),
            (10, field(11, [0x19])),
            (11, field(6, [0x09])),
            (11, field(7, field(2, [0x0a]))),
        ] {
            assert!(of_points(kind, &[&[], &point]).is_err(), "{kind} {point:x?}");
        }
        let body = field(1, field(2, field(2, field(9, field(1, field(6, [0; 7]))))));
        let expected = "byte 12: the field ends after the message that holds it";
        assert_eq!(walk(&body).unwrap_err(), expected);
    }

    #[test]
    fn faults_above_the_points_refuse_the_request() {
        assert!(of_metric(&field(5, [0x08, 1])).is_err(), "a varint for points");
        assert!(of_metric(&field(5, [0x10, 1])).is_ok(), "a gauge has no field 2");
        assert!(of_metric(&field(7, field(2, ""))).is_err(), "text for a temporality");
        assert!(of_metric(&field(9, [0x18, 1])).is_ok(), "a histogram has no field 3");
        assert!(of_metric(&field(12, [0x08, 1])).is_err(), "metadata");
        assert!(of_metric(&[0x28, 1]).is_err());
    }

    #[test]
    fn a_metric_that_changes_its_kind_all_the_time_costs_no_more() {
        let pair = [field(5, ""), field(7, "")].concat();
        let lines = of_metric(&pair.repeat(200_000)).unwrap();
        assert_eq!(lines.len(), 1);
    }

    #[test]
    fn json_has_words_for_what_is_no_number() {
        let json = br#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","histogram":{
            "aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","dataPoints":[{"sum":"NaN",
            "count":"3","bucketCounts":["1",2],"explicitBounds":["-Infinity",0.5,"Infinity"]}]}}]}]}]}"#;
        let mut body = Vec::new();
        json_to_protobuf(Signal::Metrics, json, 1 << 20, &mut body).unwrap();
        let histogram = "metric m,, Histogram { temporality: Delta }";
        let point = "point m 3 Some(NaN) [1, 2] [-inf, 0.5, inf]";
        assert_eq!(walk(&body).unwrap().split_off(2), [histogram, point]);
    }
}

//! Data points, in the four messages that metrics.proto has for them. A visitor is told a point's attributes as they come.

use crate::timestamp::Timestamp;
use crate::view::{
    Buckets, Exemplars, Exponential, Histogram, Origin, Point, PointValue, Summary, Visitor,
};

use super::cursor::{Cursor, delimited, fixed64, known, varint};
use super::error::Fault;
use super::packed::{self, begin};
use super::value::attribute;

// All four number these alike.
const START: u32 = fixed64(2);
const TIME: u32 = fixed64(3);
// All but that of gauges and sums.
const COUNT: u32 = fixed64(4);
const SUM: u32 = fixed64(5);

/// `NumberDataPoint`: of gauges and sums.
pub fn number<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<Point<'a>, Fault> {
    const AS_DOUBLE: u32 = fixed64(4);
    const EXEMPLARS: u32 = delimited(5);
    const AS_INT: u32 = fixed64(6);
    const ATTRIBUTES: u32 = delimited(7);
    const FLAGS: u32 = varint(8);
    let exemplars = Exemplars { bytes: b"", read: packed::exemplars::<5> };
    let mut point = Point { exemplars, ..Point::default() };
    let mut cursor = Cursor::new(bytes);
    loop {
        let here = cursor;
        let Some(key) = cursor.key()? else { break };
        match key {
            ATTRIBUTES => attribute(cursor.bytes()?, Origin::Point, visitor)?,
            START => point.start = Timestamp(cursor.fixed64()?),
            TIME => point.time = Timestamp(cursor.fixed64()?),
            AS_DOUBLE => point.value = PointValue::Double(cursor.double()?),
            AS_INT => point.value = PointValue::Int(cursor.fixed64()?.cast_signed()),
            EXEMPLARS => {
                packed::exemplar(cursor.bytes()?)?;
                begin(&mut point.exemplars.bytes, here);
            }
            // Only 32 bits of the varint count.
            FLAGS => point.flags = cursor.varint()? as u32,
            _ => cursor.other(key, known(&[2, 3, 4, 5, 6, 7, 8]))?,
        }
    }
    Ok(point)
}

/// `HistogramDataPoint`.
pub fn histogram<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<Point<'a>, Fault> {
    const COUNTS: u32 = delimited(6);
    const ONE_COUNT: u32 = fixed64(6);
    const BOUNDS: u32 = delimited(7);
    const ONE_BOUND: u32 = fixed64(7);
    const EXEMPLARS: u32 = delimited(8);
    const ATTRIBUTES: u32 = delimited(9);
    const FLAGS: u32 = varint(10);
    const MIN: u32 = fixed64(11);
    const MAX: u32 = fixed64(12);
    let exemplars = Exemplars { bytes: b"", read: packed::exemplars::<8> };
    let mut point = Point { exemplars, ..Point::default() };
    let (counts, bounds) =
        (packed::empty(packed::fixed64s::<6>), packed::empty(packed::doubles::<7>));
    let mut value = Histogram { counts, bounds, ..Histogram::default() };
    let mut cursor = Cursor::new(bytes);
    loop {
        let here = cursor;
        let Some(key) = cursor.key()? else { break };
        match key {
            ATTRIBUTES => attribute(cursor.bytes()?, Origin::Point, visitor)?,
            START => point.start = Timestamp(cursor.fixed64()?),
            TIME => point.time = Timestamp(cursor.fixed64()?),
            COUNT => value.count = cursor.fixed64()?,
            SUM => value.sum = Some(cursor.double()?),
            COUNTS | ONE_COUNT => {
                packed::check_fixed64s(cursor.run(key)?)?;
                begin(&mut value.counts.bytes, here);
            }
            BOUNDS | ONE_BOUND => {
                packed::check_fixed64s(cursor.run(key)?)?;
                begin(&mut value.bounds.bytes, here);
            }
            EXEMPLARS => {
                packed::exemplar(cursor.bytes()?)?;
                begin(&mut point.exemplars.bytes, here);
            }
            FLAGS => point.flags = cursor.varint()? as u32,
            MIN | MAX => {
                cursor.fixed64()?;
            }
            _ => cursor.other(key, known(&[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))?,
        }
    }
    point.value = PointValue::Histogram(value);
    Ok(point)
}

/// The field numbers of `ExponentialHistogramDataPoint` that the others don't share.
mod exponential {
    use super::*;

    pub(super) const ATTRIBUTES: u32 = delimited(1);
    pub(super) const SCALE: u32 = varint(6);
    pub(super) const ZERO_COUNT: u32 = fixed64(7);
    pub(super) const POSITIVE: u32 = delimited(8);
    pub(super) const NEGATIVE: u32 = delimited(9);
    pub(super) const FLAGS: u32 = varint(10);
    pub(super) const EXEMPLARS: u32 = delimited(11);
    pub(super) const MIN: u32 = fixed64(12);
    pub(super) const MAX: u32 = fixed64(13);
    pub(super) const ZERO_THRESHOLD: u32 = fixed64(14);
    pub(super) const ALL: u32 = known(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
}

/// `ExponentialHistogramDataPoint`.
pub fn exponential<'a, V: Visitor<'a>>(
    bytes: &'a [u8],
    visitor: &mut V,
) -> Result<Point<'a>, Fault> {
    let exemplars = Exemplars { bytes: b"", read: packed::exemplars::<11> };
    let mut point = Point { exemplars, ..Point::default() };
    let mut value = Exponential {
        positive: Buckets { offset: 0, counts: packed::empty(packed::bucket_counts::<8>) },
        negative: Buckets { offset: 0, counts: packed::empty(packed::bucket_counts::<9>) },
        ..Exponential::default()
    };
    let mut cursor = Cursor::new(bytes);
    loop {
        let here = cursor;
        let Some(key) = cursor.key()? else { break };
        match key {
            exponential::ATTRIBUTES => attribute(cursor.bytes()?, Origin::Point, visitor)?,
            START => point.start = Timestamp(cursor.fixed64()?),
            TIME => point.time = Timestamp(cursor.fixed64()?),
            COUNT => value.count = cursor.fixed64()?,
            SUM => value.sum = Some(cursor.double()?),
            exponential::SCALE => value.scale = cursor.sint32()?,
            exponential::ZERO_COUNT => value.zero_count = cursor.fixed64()?,
            exponential::ZERO_THRESHOLD => value.zero_threshold = cursor.double()?,
            exponential::POSITIVE => {
                packed::buckets(cursor.bytes()?, &mut value.positive)?;
                begin(&mut value.positive.counts.bytes, here);
            }
            exponential::NEGATIVE => {
                packed::buckets(cursor.bytes()?, &mut value.negative)?;
                begin(&mut value.negative.counts.bytes, here);
            }
            exponential::EXEMPLARS => {
                packed::exemplar(cursor.bytes()?)?;
                begin(&mut point.exemplars.bytes, here);
            }
            exponential::FLAGS => point.flags = cursor.varint()? as u32,
            exponential::MIN | exponential::MAX => {
                cursor.fixed64()?;
            }
            _ => cursor.other(key, exponential::ALL)?,
        }
    }
    point.value = PointValue::Exponential(value);
    Ok(point)
}

/// `SummaryDataPoint`.
pub fn summary<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<Point<'a>, Fault> {
    const QUANTILES: u32 = delimited(6);
    const ATTRIBUTES: u32 = delimited(7);
    const FLAGS: u32 = varint(8);
    let mut point = Point::default();
    let mut value =
        Summary { quantiles: packed::empty(packed::quantiles::<6>), ..Summary::default() };
    let mut cursor = Cursor::new(bytes);
    loop {
        let here = cursor;
        let Some(key) = cursor.key()? else { break };
        match key {
            ATTRIBUTES => attribute(cursor.bytes()?, Origin::Point, visitor)?,
            START => point.start = Timestamp(cursor.fixed64()?),
            TIME => point.time = Timestamp(cursor.fixed64()?),
            COUNT => value.count = cursor.fixed64()?,
            SUM => value.sum = cursor.double()?,
            QUANTILES => {
                packed::quantile(cursor.bytes()?)?;
                begin(&mut value.quantiles.bytes, here);
            }
            FLAGS => point.flags = cursor.varint()? as u32,
            _ => cursor.other(key, known(&[2, 3, 4, 5, 6, 7, 8]))?,
        }
    }
    point.value = PointValue::Summary(value);
    Ok(point)
}

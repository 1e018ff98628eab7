//! The repeated fields of data points: checked when a point is walked, read when somebody asks.
//!
//! Numbers come packed or one by one, in any number of fields, as protobuf has it; messages in pieces merge. A reader follows
//! a check of the same bytes, so a fault ends it early and is told to nobody.

use crate::timestamp::Timestamp;
use crate::view::{Buckets, Packed, PointExemplar, Quantile, Unread, Value};

use super::cursor::{Cursor, delimited, fixed64, known, varint};
use super::error::{Fault, What};
use super::value::check_attribute;

/// Checks a run of eight byte numbers.
#[inline]
pub fn check_fixed64s(run: &[u8]) -> Result<(), Fault> {
    let (_, torn) = run.as_chunks::<8>();
    if torn.is_empty() { Ok(()) } else { Err(Fault::new(torn, What::Truncated)) }
}

fn check_varints(run: &[u8]) -> Result<(), Fault> {
    let mut cursor = Cursor::new(run);
    while !cursor.rest().is_empty() {
        cursor.varint()?;
    }
    Ok(())
}

/// The next field with this number: its value's bytes.
fn next_field<'a>(message: &mut &'a [u8], number: u32) -> Option<&'a [u8]> {
    let mut cursor = Cursor::new(message);
    loop {
        let key = cursor.key().ok()??;
        let value = cursor.run(key).ok()?;
        if key >> 3 == number {
            *message = cursor.rest();
            return Some(value);
        }
    }
}

/// Reads whole numbers of eight bytes.
pub fn fixed64s<const NUMBER: u32>(unread: &mut Unread<'_>) -> Option<u64> {
    loop {
        if let Some((bytes, rest)) = unread.run.split_first_chunk() {
            unread.run = rest;
            return Some(u64::from_le_bytes(*bytes));
        }
        unread.run = next_field(&mut unread.outer, NUMBER)?;
    }
}

/// Reads doubles.
pub fn doubles<const NUMBER: u32>(unread: &mut Unread<'_>) -> Option<f64> {
    fixed64s::<NUMBER>(unread).map(f64::from_bits)
}

const OFFSET: u32 = varint(1);
const COUNTS: u32 = 2;

/// Reads one occurrence of `Buckets`, all but the counts: those are read with [`bucket_counts`].
pub fn buckets(bytes: &[u8], buckets: &mut Buckets<'_>) -> Result<(), Fault> {
    const PACKED: u32 = delimited(COUNTS);
    const SINGLE: u32 = varint(COUNTS);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            OFFSET => buckets.offset = cursor.sint32()?,
            PACKED => check_varints(cursor.bytes()?)?,
            SINGLE => {
                cursor.varint()?;
            }
            _ => cursor.other(key, known(&[1, COUNTS]))?,
        }
    }
    Ok(())
}

/// Reads the counts of `Buckets`, in all the pieces that a point has of them.
pub fn bucket_counts<const NUMBER: u32>(unread: &mut Unread<'_>) -> Option<u64> {
    loop {
        if !unread.run.is_empty() {
            let mut cursor = Cursor::new(unread.run);
            let count = cursor.varint().ok()?;
            unread.run = cursor.rest();
            return Some(count);
        }
        match next_field(&mut unread.inner, COUNTS) {
            Some(run) => unread.run = run,
            None => unread.inner = next_field(&mut unread.outer, NUMBER)?,
        }
    }
}

/// Reads `ValueAtQuantile`.
pub fn quantile(bytes: &[u8]) -> Result<Quantile, Fault> {
    const QUANTILE: u32 = fixed64(1);
    const VALUE: u32 = fixed64(2);
    let mut quantile = Quantile::default();
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            QUANTILE => quantile.quantile = cursor.double()?,
            VALUE => quantile.value = cursor.double()?,
            _ => cursor.other(key, known(&[1, 2]))?,
        }
    }
    Ok(quantile)
}

/// Reads the quantiles of a summary.
pub fn quantiles<const NUMBER: u32>(unread: &mut Unread<'_>) -> Option<Quantile> {
    quantile(next_field(&mut unread.outer, NUMBER)?).ok()
}

/// Reads an `Exemplar`.
pub fn exemplar(bytes: &[u8]) -> Result<PointExemplar<'_>, Fault> {
    const TIME: u32 = fixed64(2);
    const AS_DOUBLE: u32 = fixed64(3);
    const SPAN_ID: u32 = delimited(4);
    const TRACE_ID: u32 = delimited(5);
    const AS_INT: u32 = fixed64(6);
    const FILTERED: u32 = delimited(7);
    let mut exemplar = PointExemplar::default();
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            TIME => exemplar.time = Timestamp(cursor.fixed64()?),
            AS_DOUBLE => exemplar.value = Value::Double(cursor.double()?),
            AS_INT => exemplar.value = Value::Int(cursor.fixed64()?.cast_signed()),
            SPAN_ID => exemplar.span_id = cursor.bytes()?,
            TRACE_ID => exemplar.trace_id = cursor.bytes()?,
            FILTERED => check_attribute(cursor.bytes()?)?,
            _ => cursor.other(key, known(&[2, 3, 4, 5, 6, 7]))?,
        }
    }
    Ok(exemplar)
}

/// Reads the exemplars of a point.
pub fn exemplars<'a, const NUMBER: u32>(bytes: &mut &'a [u8]) -> Option<PointExemplar<'a>> {
    exemplar(next_field(bytes, NUMBER)?).ok()
}

/// Nothing yet: [`begin`] says where the first one stands.
pub fn empty<'a, T>(read: fn(&mut Unread<'_>) -> Option<T>) -> Packed<'a, T> {
    Packed { bytes: b"", read }
}

/// Begins a repeated field at its first occurrence, so that what stands before it is not read again.
#[inline(always)]
pub fn begin<'a>(bytes: &mut &'a [u8], here: Cursor<'a>) {
    if bytes.is_empty() {
        *bytes = here.rest();
    }
}

//! The fields of `AnyValue` (common.proto), one at a time: what checks an attribute and what writes it as JSON both read them.

use crate::view::Value;

use super::cursor::{Cursor, delimited, fixed64, known, varint};
use super::error::Fault;

/// `KeyValue.value`.
pub const VALUE: u32 = delimited(2);
/// `ArrayValue.values` and `KeyValueList.values`.
pub const VALUES: u32 = delimited(1);

const TEXT: u32 = delimited(1);
const BOOL: u32 = varint(2);
const INT: u32 = varint(3);
const DOUBLE: u32 = fixed64(4);
const LIST: u32 = delimited(5);
const MAP: u32 = delimited(6);
const BYTES: u32 = delimited(7);
const TEXT_STRINDEX: u32 = varint(8);
const ANY_VALUE: u32 = known(&[1, 2, 3, 4, 5, 6, 7, 8]);

/// One field of an `AnyValue`; the last one counts, and a list or map goes on where the same kind came before it.
pub enum Variant<'a> {
    /// A value that is complete.
    Scalar(Value<'a>),
    /// The bytes of an `ArrayValue`.
    List(&'a [u8]),
    /// The bytes of a `KeyValueList`.
    Map(&'a [u8]),
    /// A field this reader does not know.
    Other,
}

/// Reads the field of an `AnyValue` that has this key.
#[inline(always)]
pub fn variant<'a>(cursor: &mut Cursor<'a>, key: u32) -> Result<Variant<'a>, Fault> {
    Ok(match key {
        TEXT => Variant::Scalar(Value::Text(cursor.bytes()?)),
        BOOL => Variant::Scalar(Value::Bool(cursor.varint()? != 0)),
        INT => Variant::Scalar(Value::Int(cursor.varint()?.cast_signed())),
        DOUBLE => Variant::Scalar(Value::Double(f64::from_bits(cursor.fixed64()?))),
        BYTES => Variant::Scalar(Value::Bytes(cursor.bytes()?)),
        LIST => Variant::List(cursor.bytes()?),
        MAP => Variant::Map(cursor.bytes()?),
        // An index into the string table of profiles: common.proto says to read it as empty elsewhere.
        TEXT_STRINDEX => {
            cursor.varint()?;
            Variant::Scalar(Value::Empty)
        }
        _ => {
            cursor.other(key, ANY_VALUE)?;
            Variant::Other
        }
    })
}

//! Attributes: `KeyValue`, `AnyValue` and what may lie inside them (common.proto).

use crate::limits::VALUE_DEPTH;
use crate::view::{Nested, Origin, Value, Visitor};

use super::cursor::{Cursor, delimited, known, varint};
use super::error::{Fault, What};
use super::nested;
use super::variant::{VALUE, VALUES, Variant, variant};

const KEY: u32 = delimited(1);
const KEY_STRINDEX: u32 = varint(3);
const KEY_VALUE: u32 = known(&[1, 2, 3]);

/// Reads one occurrence of an `AnyValue` over what was there. `home` is what a list or map is left as: the message that holds
/// this value, because the value may go on in a later occurrence. `depth` is how many lists and maps may still lie within each
/// other.
///
/// # Errors
/// A [`What::TooDeep`] means that the value is missing; any other fault refuses the request.
#[inline(always)]
pub fn any_value<'a>(
    bytes: &'a [u8],
    value: &mut Value<'a>,
    home: Nested<'a>,
    depth: usize,
) -> Result<(), Fault> {
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match variant(&mut cursor, key)? {
            Variant::Scalar(scalar) => *value = scalar,
            Variant::List(list) => {
                check_list(list, depth)?;
                *value = Value::Nested(home);
            }
            Variant::Map(map) => {
                check_map(map, depth)?;
                *value = Value::Nested(home);
            }
            Variant::Other => {}
        }
    }
    Ok(())
}

/// Checks the framing of a `KeyValue`. `depth` is how many lists and maps it may still hold within each other.
#[inline(always)]
fn check_key_value(bytes: &[u8], depth: usize) -> Result<(), Fault> {
    match plain(bytes) {
        Some(_) => Ok(()),
        None => any_key_value(bytes, depth).map(|_| ()),
    }
}

/// Reads a `KeyValue` as nearly every sender writes it: a key, then a value that is a text, a truth or a small number, each once and
/// none longer than a one byte length can say. None: it has to be looked at field by field.
#[inline(always)]
fn plain(bytes: &[u8]) -> Option<(&[u8], Value<'_>)> {
    const LONGEST: usize = 0x7f;
    let [0x0a, length @ 0..=0x7f, rest @ ..] = bytes else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    let [0x12, length, value @ ..] = rest else { return None };
    if usize::from(*length) != value.len() || value.len() > LONGEST {
        return None;
    }
    let value = match value {
        [0x0a, length, text @ ..] if usize::from(*length) == text.len() => Value::Text(text),
        [0x18, a @ 0..=0x7f] => Value::Int(i64::from(*a)),
        [0x18, a @ 0x80..=0xff, b @ 0..=0x7f] => {
            Value::Int(i64::from(*a & 0x7f) | i64::from(*b) << 7)
        }
        [0x10, truth @ 0..=1] => Value::Bool(*truth != 0),
        _ => return None,
    };
    Some((key, value))
}

#[inline(never)]
fn any_key_value(bytes: &[u8], depth: usize) -> Result<(&[u8], Value<'_>), Fault> {
    let home = Nested { bytes, write_json: nested::write_attribute };
    let (mut key, mut value) = (b"".as_slice(), Value::Empty);
    let mut cursor = Cursor::new(bytes);
    while let Some(field) = cursor.key()? {
        match field {
            KEY => key = cursor.bytes()?,
            VALUE => any_value(cursor.bytes()?, &mut value, home, depth)?,
            KEY_STRINDEX => {
                cursor.varint()?;
            }
            _ => cursor.other(field, KEY_VALUE)?,
        }
    }
    Ok((key, value))
}

/// Tells the attribute in these bytes of a `KeyValue`.
#[inline(always)]
pub fn attribute<'a, V: Visitor<'a>>(
    bytes: &'a [u8],
    origin: Origin,
    visitor: &mut V,
) -> Result<(), Fault> {
    if let Some((key, value)) = plain(bytes) {
        visitor.attribute(origin, key, value);
        return Ok(());
    }
    let (key, value) = match any_key_value(bytes, VALUE_DEPTH) {
        Err(fault) if fault.is_too_deep() => (key(bytes)?, Value::Empty),
        read => read?,
    };
    visitor.attribute(origin, key, value);
    Ok(())
}

/// The key of an attribute whose value is missing because it nests too deep. The framing inside the value is not checked further.
#[cold]
fn key(bytes: &[u8]) -> Result<&[u8], Fault> {
    let mut key = b"".as_slice();
    let mut cursor = Cursor::new(bytes);
    while let Some(field) = cursor.key()? {
        match field {
            KEY => key = cursor.bytes()?,
            VALUE => {
                cursor.bytes()?;
            }
            KEY_STRINDEX => {
                cursor.varint()?;
            }
            _ => cursor.other(field, KEY_VALUE)?,
        }
    }
    Ok(key)
}

/// Checks the framing of an attribute that no visitor is given.
pub fn check_attribute(bytes: &[u8]) -> Result<(), Fault> {
    match check_key_value(bytes, VALUE_DEPTH) {
        Err(fault) if fault.is_too_deep() => key(bytes).map(|_| ()),
        checked => checked,
    }
}

/// Recursion ends with `depth`, which begins at `VALUE_DEPTH`.
#[inline(never)]
fn check_list(list: &[u8], depth: usize) -> Result<(), Fault> {
    let deeper = deeper(list, depth)?;
    let mut cursor = Cursor::new(list);
    while let Some(key) = cursor.key()? {
        match key {
            VALUES => {
                let home = Nested { bytes: list, write_json: nested::write_attribute };
                any_value(cursor.bytes()?, &mut Value::Empty, home, deeper)?;
            }
            _ => cursor.other(key, known(&[1]))?,
        }
    }
    Ok(())
}

/// Recursion ends with `depth`, which begins at `VALUE_DEPTH`.
#[inline(never)]
fn check_map(map: &[u8], depth: usize) -> Result<(), Fault> {
    let deeper = deeper(map, depth)?;
    let mut cursor = Cursor::new(map);
    while let Some(key) = cursor.key()? {
        match key {
            VALUES => {
                check_key_value(cursor.bytes()?, deeper)?;
            }
            _ => cursor.other(key, known(&[1]))?,
        }
    }
    Ok(())
}

fn deeper(at: &[u8], depth: usize) -> Result<usize, Fault> {
    depth.checked_sub(1).ok_or_else(|| Fault::new(at, What::TooDeep))
}

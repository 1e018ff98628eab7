//! Protobuf fields, appended: for transcoded requests and for replies. It knows no message. A message's length is written five bytes wide before it is known, and set when the message ends.

/// Bytes of a padded length: room for 35 bits.
const LENGTH: usize = 5;

/// The whole numbers of protobuf that OTLP uses.
#[derive(Clone, Copy)]
pub enum Integer {
    /// `int32`, varint.
    Int32,
    /// `uint32`, varint.
    Uint32,
    /// `sint32`, zigzag varint.
    Sint32,
    /// `fixed32`.
    Fixed32,
    /// `int64`, varint.
    Int64,
    /// `uint64`, varint.
    Uint64,
    /// `fixed64`.
    Fixed64,
    /// `sfixed64`.
    Sfixed64,
}

/// Appends a varint.
pub fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a field with a length.
pub fn delimited(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    header(number, bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Appends the key and the length of a field; as many bytes must follow.
pub fn header(number: u32, length: usize, out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | 2), out);
    varint(length as u64, out);
}

/// Appends a bool.
pub fn bool(number: u32, value: bool, out: &mut Vec<u8>) {
    varint(u64::from(number << 3), out);
    out.push(value.into());
}

/// Appends a double.
pub fn double(number: u32, value: f64, out: &mut Vec<u8>) {
    fixed64(number, value.to_bits(), out);
}

/// Appends a whole number; none when its type has no room for it.
pub fn integer(number: u32, kind: Integer, value: i128, out: &mut Vec<u8>) -> Option<()> {
    let as_varint = match kind {
        // Negative ones take ten bytes, as protobuf says.
        Integer::Int32 => i64::from(i32::try_from(value).ok()?).cast_unsigned(),
        Integer::Uint32 => u32::try_from(value).ok()?.into(),
        Integer::Sint32 => {
            let value = i32::try_from(value).ok()?;
            u64::from((value << 1 ^ value >> 31).cast_unsigned())
        }
        Integer::Int64 => i64::try_from(value).ok()?.cast_unsigned(),
        Integer::Uint64 => u64::try_from(value).ok()?,
        Integer::Fixed32 => {
            let value = u32::try_from(value).ok()?;
            varint(u64::from(number << 3 | 5), out);
            out.extend_from_slice(&value.to_le_bytes());
            return Some(());
        }
        Integer::Fixed64 => {
            fixed64(number, u64::try_from(value).ok()?, out);
            return Some(());
        }
        Integer::Sfixed64 => {
            fixed64(number, i64::try_from(value).ok()?.cast_unsigned(), out);
            return Some(());
        }
    };
    varint(u64::from(number << 3), out);
    varint(as_varint, out);
    Some(())
}

fn fixed64(number: u32, value: u64, out: &mut Vec<u8>) {
    varint(u64::from(number << 3 | 1), out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Begins a message; what it returns ends it.
pub fn open(number: u32, out: &mut Vec<u8>) -> usize {
    varint(u64::from(number << 3 | 2), out);
    out.extend_from_slice(&[0; LENGTH]);
    out.len()
}

/// Ends the message that [`open`] began.
pub fn close(start: usize, out: &mut [u8]) {
    let mut length = out.len().saturating_sub(start);
    let places = start.checked_sub(LENGTH).and_then(|from| out.get_mut(from..start));
    for (index, byte) in places.into_iter().flatten().enumerate() {
        let more = if index + 1 < LENGTH { 0x80 } else { 0 };
        *byte = (length & 0x7f) as u8 | more;
        length >>= 7;
    }
}

#[cfg(test)]
mod tests {
    use prost::encoding::decode_varint;

    use super::*;

    #[test]
    fn padded_lengths_are_varints() {
        for length in [0, 1, 127, 128, 20_000] {
            let mut out = Vec::new();
            let start = open(1, &mut out);
            out.resize(out.len() + length, 7);
            close(start, &mut out);
            assert_eq!(decode_varint(&mut &out[1..]).unwrap(), length as u64);
            assert_eq!(out.len(), start + length);
        }
    }

    #[test]
    fn whole_numbers_keep_to_their_type() {
        let fits = |kind, value| integer(1, kind, value, &mut Vec::new()).is_some();
        for (kind, low, high) in [
            (Integer::Int32, i32::MIN.into(), i32::MAX.into()),
            (Integer::Uint32, 0, u32::MAX.into()),
            (Integer::Sint32, i32::MIN.into(), i32::MAX.into()),
            (Integer::Fixed32, 0, u32::MAX.into()),
            (Integer::Int64, i64::MIN.into(), i64::MAX.into()),
            (Integer::Uint64, 0, u64::MAX.into()),
            (Integer::Fixed64, 0, u64::MAX.into()),
            (Integer::Sfixed64, i64::MIN.into(), i64::MAX.into()),
        ] {
            assert!(fits(kind, low) && fits(kind, high));
            assert!(!fits(kind, low - 1) && !fits(kind, high + 1));
        }
    }
}

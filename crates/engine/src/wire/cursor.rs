//! The one place that takes protobuf apart: keys, varints, fixed numbers, lengths. It knows no message.
//!
//! Source: protobuf.dev, "Encoding".

use super::error::{Fault, What};

/// The key of a varint field.
pub const fn varint(number: u32) -> u32 {
    number << 3
}

/// The key of an eight byte field.
pub const fn fixed64(number: u32) -> u32 {
    number << 3 | 1
}

/// The key of a field with a length: bytes, text or a message.
pub const fn delimited(number: u32) -> u32 {
    number << 3 | 2
}

/// The key of a four byte field.
pub const fn fixed32(number: u32) -> u32 {
    number << 3 | 5
}

/// The known fields of a message, one bit for each number under 32.
pub const fn known(numbers: &[u32]) -> u32 {
    let (mut bits, mut left) = (0, numbers);
    while let [number, rest @ ..] = left {
        bits |= 1 << *number;
        left = rest;
    }
    bits
}

/// What is left of a message. What is rare is done by functions that are given the bytes and give back what is left: a walk's cursor
/// then stays in registers, where one whose address is known elsewhere is written and read again for each field.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// At the begin of a message.
    #[inline(always)]
    pub fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field's key, `number << 3 | wire type`; none at the end. Only [`Cursor::other`] judges it.
    #[inline(always)]
    pub fn key(&mut self) -> Result<Option<u32>, Fault> {
        match *self.rest {
            [] => Ok(None),
            [a, ref rest @ ..] if a < 0x80 => {
                self.rest = rest;
                Ok(Some(u32::from(a)))
            }
            _ => {
                let (key, rest) = long_key(self.rest)?;
                self.rest = rest;
                Ok(Some(key))
            }
        }
    }

    /// A varint; one and two bytes are the rule.
    #[inline(always)]
    pub fn varint(&mut self) -> Result<u64, Fault> {
        match *self.rest {
            [a, ref rest @ ..] if a < 0x80 => {
                self.rest = rest;
                Ok(u64::from(a))
            }
            [a, b, ref rest @ ..] if b < 0x80 => {
                self.rest = rest;
                Ok(u64::from(a & 0x7f) | u64::from(b) << 7)
            }
            _ => {
                let (value, rest) = long_varint(self.rest)?;
                self.rest = rest;
                Ok(value)
            }
        }
    }

    /// Eight bytes, little endian.
    #[inline(always)]
    pub fn fixed64(&mut self) -> Result<u64, Fault> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Four bytes, little endian.
    #[inline(always)]
    pub fn fixed32(&mut self) -> Result<u32, Fault> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| self.truncated())?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// Eight bytes as a double.
    #[inline(always)]
    pub fn double(&mut self) -> Result<f64, Fault> {
        self.fixed64().map(f64::from_bits)
    }

    /// A varint that alternates between positive and negative; only 32 bits of it count.
    #[inline]
    pub fn sint32(&mut self) -> Result<i32, Fault> {
        let bits = self.varint()? as u32;
        Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
    }

    /// A length and as many bytes.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let at = self.rest;
        let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
        let Some((bytes, rest)) = self.rest.split_at_checked(length) else {
            return Err(Fault::new(at, What::Truncated));
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// The bytes of the value of a field with this key, without its length: one number, or a run of them.
    #[inline]
    pub fn run(&mut self, key: u32) -> Result<&'a [u8], Fault> {
        if key & 7 == 2 {
            return self.bytes();
        }
        let before = self.rest;
        self.other(key, 0)?;
        Ok(before.get(..before.len() - self.rest.len()).unwrap_or_default())
    }

    /// What is left.
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips a field nobody asked for. `known` are the numbers the message has with another wire type than this key's.
    #[inline(always)]
    pub fn other(&mut self, key: u32, known: u32) -> Result<(), Fault> {
        self.rest = skip(*self, key, known)?.rest;
        Ok(())
    }

    #[cold]
    fn truncated(self) -> Fault {
        Fault::new(self.rest, What::Truncated)
    }
}

#[inline(never)]
fn long_key(at: &[u8]) -> Result<(u32, &[u8]), Fault> {
    let mut cursor = Cursor::new(at);
    let key = u32::try_from(cursor.varint()?).map_err(|_| Fault::new(at, What::FieldNumber))?;
    Ok((key, cursor.rest))
}

#[inline(never)]
fn long_varint(at: &[u8]) -> Result<(u64, &[u8]), Fault> {
    let mut value = 0;
    for (index, byte) in at.iter().take(10).enumerate() {
        // The tenth byte has room for the 64th bit alone.
        if index == 9 && *byte > 1 {
            break;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Ok((value, at.get(index + 1..).unwrap_or_default()));
        }
    }
    let what = if at.len() < 10 { What::Truncated } else { What::LongVarint };
    Err(Fault::new(at, what))
}

#[inline(never)]
fn skip(mut cursor: Cursor<'_>, key: u32, known: u32) -> Result<Cursor<'_>, Fault> {
    let number = key >> 3;
    if number == 0 {
        return Err(Fault::new(cursor.rest, What::FieldNumber));
    }
    if number < 32 && known & 1 << number != 0 {
        return Err(Fault::new(cursor.rest, What::OtherType));
    }
    match key & 7 {
        0 => cursor.varint().map(|_| ())?,
        1 => cursor.fixed64().map(|_| ())?,
        2 => cursor.bytes().map(|_| ())?,
        5 => cursor.fixed32().map(|_| ())?,
        _ => return Err(Fault::new(cursor.rest, What::WireType)),
    }
    Ok(cursor)
}

/// The occurrences of one field with a length, in a message whose framing was checked: it ends at what it can't read.
pub struct Fields<'a> {
    cursor: Cursor<'a>,
    key: u32,
}

impl<'a> Fields<'a> {
    /// Those with this key from the cursor on.
    pub fn new(cursor: Cursor<'a>, key: u32) -> Self {
        Self { cursor, key }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let key = self.cursor.key().ok()??;
            if key == self.key {
                return self.cursor.bytes().ok();
            }
            self.cursor.other(key, 0).ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault<T: std::fmt::Debug>(result: Result<T, Fault>, body: &[u8]) -> String {
        result.unwrap_err().within(body).to_string()
    }

    #[test]
    fn varints_are_read_to_their_last_bit_and_no_further() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            prost::encoding::encode_varint(value, &mut bytes);
            bytes.push(7);
            let mut cursor = Cursor::new(&bytes);
            assert_eq!(cursor.varint(), Ok(value));
            assert_eq!(cursor.rest, [7]);
        }
        let wide = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(Cursor::new(&wide).varint(), Ok(0), "padding up to ten bytes is legal");
        let bits_65 = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        let bytes_11 = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        for long in [bits_65.as_slice(), bytes_11.as_slice()] {
            assert_eq!(
                fault(Cursor::new(long).varint(), long),
                "byte 0: a varint of more than 64 bits"
            );
        }
        assert!(Cursor::new(&[0x80]).varint().is_err());
        assert!(Cursor::new(&[]).varint().is_err());
    }

    #[test]
    fn lengths_and_numbers_stay_inside_the_message() {
        assert_eq!(Cursor::new(&[2, b'a', b'b', b'c']).bytes(), Ok(b"ab".as_slice()));
        let (short, huge) =
            ([3, b'a', b'b'], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        assert!(Cursor::new(&short).bytes().is_err());
        assert!(Cursor::new(&huge).bytes().is_err());
        assert!(Cursor::new(&[0; 7]).fixed64().is_err());
        assert!(Cursor::new(&[0; 3]).fixed32().is_err());
        assert_eq!(Cursor::new(&[1, 0, 0, 0, 0, 0, 0, 2]).fixed64(), Ok(1 | 2 << 56));
        assert_eq!(Cursor::new(&[1, 0, 0, 2]).fixed32(), Ok(1 | 2 << 24));
    }

    #[test]
    fn other_fields_are_skipped_unless_protobuf_forbids_them() {
        let skip = |body: &[u8], known| {
            let mut cursor = Cursor::new(body);
            let key = cursor.key().unwrap().unwrap();
            cursor.other(key, known).map(|()| cursor.rest.len()).map_err(|f| f.within(body))
        };
        assert_eq!(skip(&[0x78, 0x80, 0x01, 9], 0), Ok(1));
        assert_eq!(skip(&[0x79, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0), Ok(1));
        assert_eq!(skip(&[0x7a, 2, 1, 1, 9], 0), Ok(1));
        assert_eq!(skip(&[0x7d, 1, 2, 3, 4, 9], 0), Ok(1));
        assert!(skip(&[0x78, 1], known(&[15])).is_err(), "field 15 is no varint");
        assert!(skip(&[0x78, 1], known(&[1, 14, 16])).is_ok());
        assert!(skip(&[0x80, 0x02, 1], known(&[0])).is_ok(), "field 32 has no bit");
        for forbidden in [[0x7b, 0x7c], [0x7c, 0], [0x7e, 0], [0x7f, 0], [0x02, 0], [0x00, 0]] {
            assert!(skip(&forbidden, 0).is_err(), "{forbidden:x?}");
        }
        let wide_key = [0x80, 0x80, 0x80, 0x80, 0x10, 0];
        assert_eq!(
            fault(Cursor::new(&wide_key).key(), &wide_key),
            "byte 0: no field has this number"
        );
    }
}

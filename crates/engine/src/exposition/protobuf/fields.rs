//! Protobuf fields, appended in canonical form: no defaults, no longer length than needed.
//!
//! A message's length stands before it and is known after it. One byte is kept free for it, which is
//! enough for nearly all; a longer message moves up.

/// Where an open message's content begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open(usize);

/// A whole message that is a field of no other; nothing is left of it. A large one is not copied where nothing stands before it.
pub(super) fn bare(out: &mut Vec<u8>, message: &mut Vec<u8>) {
    let mut length = Vec::new();
    varint(&mut length, message.len() as u64);
    if out.is_empty() {
        std::mem::swap(out, message);
        out.splice(..0, length);
    } else {
        out.append(&mut length);
        out.append(message);
    }
}

/// Begins a message, or a packed list, that is a field of another.
pub(super) fn open(out: &mut Vec<u8>, number: u32) -> Open {
    key(out, number, 2);
    out.push(0);
    Open(out.len())
}

/// Ends the message begun last.
pub(super) fn close(out: &mut Vec<u8>, Open(start): Open) {
    let (end, mut length) = (out.len(), out.len().saturating_sub(start) as u64);
    let spare = (varint_size(length) - 1).min(9);
    if spare > 0 {
        out.extend_from_slice(&[0; 9][..spare]);
        out.copy_within(start..end, start + spare);
    }
    let place = start.checked_sub(1).and_then(|from| out.get_mut(from..start + spare));
    for byte in place.into_iter().flatten() {
        *byte = (length & 0x7f) as u8;
        length >>= 7;
        *byte |= if length > 0 { 0x80 } else { 0 };
    }
}

/// A text field.
pub(super) fn text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        key(out, number, 2);
        varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
}

/// A double field.
pub(super) fn double(out: &mut Vec<u8>, number: u32, value: f64) {
    if value != 0.0 {
        key(out, number, 1);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// An `uint64`, `uint32`, enum, or not negative `int64` field.
pub(super) fn whole(out: &mut Vec<u8>, number: u32, value: u64) {
    if value != 0 {
        key(out, number, 0);
        varint(out, value);
    }
}

/// A `sint32` or `sint64` field.
pub(super) fn signed(out: &mut Vec<u8>, number: u32, value: i64) {
    whole(out, number, zigzag(value));
}

/// One of a packed list of `sint64`.
pub(super) fn signed_item(out: &mut Vec<u8>, value: i64) {
    varint(out, zigzag(value));
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn key(out: &mut Vec<u8>, number: u32, wire: u32) {
    varint(out, (number << 3 | wire).into());
}

#[inline]
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_size(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_short_as_they_can_be() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let mut out = vec![9];
            let message = open(&mut out, 2);
            out.extend((0..length).map(|at| at as u8));
            close(&mut out, message);
            let mut expected = vec![9, 0x12];
            varint(&mut expected, length);
            assert_eq!(expected.len(), 2 + varint_size(length));
            expected.extend((0..length).map(|at| at as u8));
            assert!(out == expected, "{length}");
        }
    }

    #[test]
    fn fields_are_as_the_standard_has_them() {
        let mut out = Vec::new();
        text(&mut out, 1, "hi");
        double(&mut out, 2, 0.5);
        whole(&mut out, 16, 300);
        signed(&mut out, 4, -2);
        assert_eq!(
            out,
            [0x0a, 2, b'h', b'i', 0x11, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0x80, 1, 0xac, 2, 0x20, 3]
        );
        let before = out.clone();
        text(&mut out, 1, "");
        double(&mut out, 2, 0.0);
        whole(&mut out, 3, 0);
        signed(&mut out, 4, 0);
        assert_eq!(out, before);
        assert_eq!(zigzag(i64::MIN), u64::MAX);
    }
}

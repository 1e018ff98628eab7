//! The JSON form of lists and maps, for whoever asks for an attribute's text.
//!
//! Source: OpenTelemetry "Common specification concepts", AnyValue representation for non-OTLP protocols. The bytes come from a
//! walk that checked their framing, so a fault in them ends a list early and is told to nobody.

use crate::limits::VALUE_DEPTH;
use crate::view::{Value, write_double};

use super::cursor::{Cursor, Fields, delimited};
use super::variant::{VALUE, VALUES, Variant, variant};

const KEY: u32 = delimited(1);
/// `LogRecord.body`.
pub const BODY: u32 = delimited(5);

/// Appends the value of a `KeyValue` as JSON.
pub fn write_attribute(key_value: &[u8], out: &mut String) {
    write_value(Fields::new(Cursor::new(key_value), VALUE), VALUE_DEPTH, out);
}

/// Appends the body of a `LogRecord` as JSON.
pub fn write_body(record: &[u8], out: &mut String) {
    write_value(Fields::new(Cursor::new(record), BODY), VALUE_DEPTH, out);
}

/// Appends text as a JSON string; what is no UTF-8 becomes replacement characters.
pub fn write_text(text: &[u8], out: &mut String) {
    out.push('"');
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' => {
                out.push_str("\\u00");
                for digit in [character as u32 >> 4, character as u32 & 15] {
                    out.extend(char::from_digit(digit, 16));
                }
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// What the occurrences of one `AnyValue` come to: of a list or map its first part, and further ones, which nearly none has.
enum Merged<'a> {
    Scalar(Value<'a>),
    List(&'a [u8], Vec<&'a [u8]>),
    Map(&'a [u8], Vec<&'a [u8]>),
}

fn merge<'a>(occurrences: impl Iterator<Item = &'a [u8]>) -> Merged<'a> {
    let mut merged = Merged::Scalar(Value::Empty);
    for occurrence in occurrences {
        let mut cursor = Cursor::new(occurrence);
        while let Ok(Some(key)) = cursor.key() {
            match (variant(&mut cursor, key), &mut merged) {
                (Ok(Variant::Scalar(value)), _) => merged = Merged::Scalar(value),
                (Ok(Variant::List(more)), Merged::List(_, lists)) => lists.push(more),
                (Ok(Variant::List(first)), _) => merged = Merged::List(first, Vec::new()),
                (Ok(Variant::Map(more)), Merged::Map(_, maps)) => maps.push(more),
                (Ok(Variant::Map(first)), _) => merged = Merged::Map(first, Vec::new()),
                (Ok(Variant::Other), _) => {}
                (Err(_), _) => return merged,
            }
        }
    }
    merged
}

/// Recursion ends with `depth`.
fn write_value<'a>(occurrences: impl Iterator<Item = &'a [u8]>, depth: usize, out: &mut String) {
    match (merge(occurrences), depth.checked_sub(1)) {
        (Merged::Scalar(value), _) => write_scalar(value, out),
        (Merged::List(first, more), Some(deeper)) => {
            write_all((first, more), ('[', ']'), out, |item, out| {
                write_value(std::iter::once(item), deeper, out);
            });
        }
        (Merged::Map(first, more), Some(deeper)) => {
            write_all((first, more), ('{', '}'), out, |entry, out| {
                let key = Fields::new(Cursor::new(entry), KEY).last().unwrap_or_default();
                write_text(key, out);
                out.push(':');
                write_value(Fields::new(Cursor::new(entry), VALUE), deeper, out);
            });
        }
        (Merged::List(..) | Merged::Map(..), None) => out.push_str("null"),
    }
}

fn write_all(
    (first, more): (&[u8], Vec<&[u8]>),
    (open, close): (char, char),
    out: &mut String,
    mut write: impl FnMut(&[u8], &mut String),
) {
    out.push(open);
    let parts = std::iter::once(first).chain(more);
    let items = parts.flat_map(|part| Fields::new(Cursor::new(part), VALUES));
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

fn write_scalar(value: Value<'_>, out: &mut String) {
    match value {
        Value::Empty => out.push_str("null"),
        Value::Text(text) => write_text(text, out),
        Value::Bytes(_) => {
            out.push('"');
            value.write_text(out);
            out.push('"');
        }
        // JSON has no number for these.
        Value::Double(number) if !number.is_finite() => {
            out.push('"');
            write_double(number, out);
            out.push('"');
        }
        Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Nested(_) => {
            value.write_text(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use crate::wire::testing::{any, kv, list, map};

    use super::*;

    fn json(value: opentelemetry_proto::tonic::common::v1::AnyValue) -> String {
        let mut out = String::new();
        write_attribute(&kv("k", value).encode_to_vec(), &mut out);
        out
    }

    #[test]
    fn lists_and_maps_are_written_as_json() {
        assert_eq!(json(list([any("a"), any(1), any(true), list([])])), r#"["a",1,true,[]]"#);
        assert_eq!(
            json(map([kv("k", any(1.5)), kv("n", list([any("x")]))])),
            r#"{"k":1.5,"n":["x"]}"#
        );
        assert_eq!(json(list([any(vec![0_u8, 1, 2]), Default::default()])), r#"["AAEC",null]"#);
        assert_eq!(
            json(list([any(f64::NAN), any(f64::NEG_INFINITY), any(1e21)])),
            r#"["NaN","-Infinity",1e21]"#
        );
        assert_eq!(
            json(map([kv("a\"\\\n\u{1}\u{1f}é", any("\r\t"))])),
            r#"{"a\"\\\n\u0001\u001fé":"\r\t"}"#
        );
    }

    #[test]
    fn a_value_in_several_pieces_is_put_together() {
        let mut bytes = kv("k", list([any("a")])).encode_to_vec();
        bytes.extend(kv("k", list([any("b")])).encode_to_vec());
        let mut out = String::new();
        write_attribute(&bytes, &mut out);
        assert_eq!(out, r#"["a","b"]"#);

        bytes.extend(kv("k", map([])).encode_to_vec());
        bytes.extend(kv("k", list([any("c")])).encode_to_vec());
        out.clear();
        write_attribute(&bytes, &mut out);
        assert_eq!(out, r#"["c"]"#, "a map between them began anew");
    }

    #[test]
    fn bytes_nobody_checked_do_no_harm() {
        let deep = (0..VALUE_DEPTH + 10).fold(any(1), |inner, _| list([inner]));
        assert!(json(deep).contains("null"));
        let whole = kv("k", map([kv("a", list([any("b"), any(2)]))])).encode_to_vec();
        for end in 0..whole.len() {
            write_attribute(&whole[..end], &mut String::new());
            write_body(&whole[..end], &mut String::new());
        }
    }
}

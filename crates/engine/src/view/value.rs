//! An attribute's value, and the one text form it has in labels and comparisons.

use std::fmt::Write;

use base64::Engine;

/// `AnyValue` (common.proto), borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub enum Value<'a> {
    /// No value was sent.
    #[default]
    Empty,
    /// UTF-8 by contract, unchecked until it is used.
    Text(&'a [u8]),
    /// True or false.
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// Raw bytes; base64 as text.
    Bytes(&'a [u8]),
    /// A list or a map, left as it came until somebody looks.
    Nested(Nested<'a>),
}

/// A list or map in its wire form, and how to read it: `view` knows no encoding, so whoever made it brings the reader.
#[derive(Clone, Copy, Debug)]
pub struct Nested<'a> {
    /// The undecoded bytes; their framing was checked.
    pub bytes: &'a [u8],
    /// Appends the bytes' JSON form.
    pub write_json: fn(&[u8], &mut String),
}

impl Value<'_> {
    /// Appends the text form: the OpenTelemetry rule for attribute values that are no strings ("Common specification
    /// concepts", AnyValue representation for non-OTLP protocols). Text that is not UTF-8 gets replacement characters.
    pub fn write_text(&self, out: &mut String) {
        match self {
            Value::Empty => {}
            Value::Text(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
            Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => out.push_str(itoa::Buffer::new().format(*value)),
            Value::Double(value) => write_double(*value, out),
            Value::Bytes(bytes) => {
                base64::engine::general_purpose::STANDARD.encode_string(bytes, out)
            }
            Value::Nested(nested) => (nested.write_json)(nested.bytes, out),
        }
    }

    /// The number this is, or the number its text spells. Infinite and NaN count; text may be surrounded by white space.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Double(value) => Some(*value),
            Value::Text(bytes) => std::str::from_utf8(bytes).ok()?.trim().parse().ok(),
            Value::Empty | Value::Bool(_) | Value::Bytes(_) | Value::Nested(_) => None,
        }
    }

    /// Whether it counts as missing: no value, or an empty string.
    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Empty | Value::Text([]))
    }
}

/// A double as JSON and ECMAScript spell it: shortest digits, `1e21` and `1e-7` with an exponent.
pub fn write_double(value: f64, out: &mut String) {
    let size = value.abs();
    let written = if value.is_nan() {
        out.write_str("NaN")
    } else if value.is_infinite() {
        out.write_str(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
    debug_assert!(written.is_ok(), "a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Value<'_>) -> String {
        let mut out = String::new();
        value.write_text(&mut out);
        out
    }

    #[test]
    fn every_kind_has_one_text_form() {
        assert_eq!(text(Value::Text(b"a b")), "a b");
        assert_eq!(text(Value::Text(b"a\xffb")), "a\u{fffd}b");
        assert_eq!(text(Value::Bool(true)), "true");
        assert_eq!(text(Value::Int(-429)), "-429");
        assert_eq!(text(Value::Double(429.0)), "429");
        assert_eq!(text(Value::Double(99.99)), "99.99");
        assert_eq!(text(Value::Double(1e21)), "1e21");
        assert_eq!(text(Value::Double(1.5e-7)), "1.5e-7");
        assert_eq!(text(Value::Double(f64::NAN)), "NaN");
        assert_eq!(text(Value::Bytes(&[0, 1, 2])), "AAEC");
    }

    #[test]
    fn numbers_are_read_from_numbers_and_from_text() {
        assert_eq!(Value::Int(7).number(), Some(7.0));
        assert_eq!(Value::Text(b" 2.5 ").number(), Some(2.5));
        assert_eq!(Value::Text(b"two").number(), None);
        assert_eq!(Value::Bool(true).number(), None);
    }
}

//! Numbers, ids and bytes as JSON writes them: the tolerant half of ProtoJSON.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, CONFIG);

/// The whole number a double is, as far as protobuf has room for one.
pub fn whole(value: f64) -> Option<i128> {
    (value.fract() == 0.0 && value.abs() <= 2_f64.powi(64)).then_some(value as i128)
}

/// The whole number a text spells, `1e3` and `5.0` too.
pub fn integer(text: &str) -> Option<i128> {
    text.parse().ok().or_else(|| double(text).and_then(whole))
}

/// The double a text spells, by ProtoJSON: Rust's other words for what is no number are none.
pub fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ if text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) =>
        {
            text.parse().ok().filter(|value: &f64| value.is_finite())
        }
        _ => None,
    }
}

/// Appends the bytes of hex digits of either case.
pub fn hex(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks();
    for [high, low] in pairs {
        out.push((digit(*high)? << 4 | digit(*low)?) as u8);
    }
    rest.is_empty().then_some(())
}

/// The bytes of base64 in either alphabet, padded or not.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_look_like_doubles() {
        for (text, value) in [
            ("0", 0),
            ("-7", -7),
            ("1e3", 1000),
            ("5.0", 5),
            ("18446744073709551615", i128::from(u64::MAX)),
            ("-9223372036854775808", i128::from(i64::MIN)),
        ] {
            assert_eq!(integer(text), Some(value), "{text}");
        }
        for text in ["", " 1", "1.5", "0x10", "NaN", "inf", "1e30", "Infinity", "ten"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn doubles_have_three_words_besides_digits() {
        assert!(double("NaN").unwrap().is_nan());
        assert_eq!(double("Infinity"), Some(f64::INFINITY));
        assert_eq!(double("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(double("-1.5e-7"), Some(-1.5e-7));
        for text in ["", "nan", "inf", "infinity", "+Infinity", "1e999", "1,5", " 1"] {
            assert_eq!(double(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_hex_of_either_case() {
        let bytes = |text| {
            let mut out = Vec::new();
            hex(text, &mut out).map(|()| out)
        };
        assert_eq!(bytes("00fFaB"), Some(vec![0, 0xff, 0xab]));
        assert_eq!(bytes(""), Some(vec![]));
        for text in ["0", "0g", "+1", " 1", "é", "0x10"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn base64_comes_in_four_forms() {
        let bytes = Some(vec![0xfb, 0xff, 0xbf, 0xfe]);
        for text in ["+/+//g==", "+/+//g", "-_-__g==", "-_-__g"] {
            assert_eq!(base64(text), bytes, "{text}");
        }
        assert_eq!(base64(""), Some(vec![]));
        for text in ["+_", "a", "a b=", "===="] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}

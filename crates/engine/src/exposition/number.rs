//! Numbers as the text formats spell them.

use crate::timestamp::Timestamp;

/// Whole numbers below this size are exact in a double, so their digits may be written without a
/// point.
const EXACT: u64 = 1 << 53;
/// Whole numbers below this have at most eight digits.
const SHORT: i64 = 100_000_000;

/// A sample's value: digits alone when it is whole and exact, else the shortest text that reads
/// back as the same double.
#[inline]
pub(super) fn value(out: &mut Vec<u8>, value: f64) {
    let whole = value as i64; // saturates, and is 0 for NaN: the comparison below tells
    if whole as f64 == value && (0..SHORT).contains(&whole) {
        short(out, whole.unsigned_abs());
    } else if whole as f64 == value && whole.unsigned_abs() < EXACT {
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else if value.is_finite() {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    } else {
        out.extend_from_slice(special(value).as_bytes());
    }
}

/// Most counts by far: up to eight digits, put together in one word, which copies without a call.
#[inline]
fn short(out: &mut Vec<u8>, mut whole: u64) {
    let (mut word, mut end) = (0, out.len());
    loop {
        word = (word << 8) | (u64::from(b'0') + whole % 10);
        end += 1;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(end);
}

/// Whether a number of observations fits a whole number of any reader.
#[inline]
pub(super) fn is_whole(count: f64) -> bool {
    count.trunc() == count && count < EXACT as f64
}

/// Bytes as lower-case digits.
pub(super) fn hexadecimal<const N: usize>(out: &mut Vec<u8>, bytes: &[u8; N]) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    let digits = bytes.map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    out.extend_from_slice(digits.as_flattened());
}

/// A moment as decimal seconds since the epoch, with every nanosecond it has.
pub(super) fn seconds(out: &mut Vec<u8>, time: Timestamp) {
    let (seconds, nanoseconds) = (time.0 / 1_000_000_000, time.0 % 1_000_000_000);
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    if nanoseconds > 0 {
        // A leading 1 keeps the zeros behind the point, then makes room for the point itself.
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(1_000_000_000 + nanoseconds).trim_end_matches('0');
        out.push(b'.');
        out.extend_from_slice(digits.as_bytes().get(1..).unwrap_or_default());
    }
}

/// A bucket's edge as the value of `le` (and a rank as that of `quantile`): in the float form that
/// Prometheus 3 makes of any other (`45.0`, `0.25`, `1e+06`, `+Inf`), so that what is shown is what
/// is stored and what a query has to say.
pub fn edge(value: f64) -> String {
    if !value.is_finite() {
        return special(value).into();
    }
    let short = format!("{value:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => format!("{value:?}"),
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

fn special(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: f64) -> String {
        let mut out = Vec::new();
        value(&mut out, number);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whole_numbers_have_no_point_as_long_as_they_are_exact() {
        assert_eq!(text(0.0), "0");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(-17.0), "-17");
        for whole in [1_u64, 9, 10, 42, 100, 9_999_999, 99_999_999, 100_000_000, 123_456_789_012] {
            assert_eq!(text(whole as f64), whole.to_string());
        }
        assert_eq!(text(9_007_199_254_740_991.0), "9007199254740991");
        assert_eq!(text(9_007_199_254_740_992.0), "9007199254740992.0");
        assert_eq!(text(9.223372036854776e18), "9.223372036854776e+18");
        assert_eq!(text(f64::MAX), "1.7976931348623157e+308");
    }

    #[test]
    fn others_are_the_shortest_that_read_back() {
        assert_eq!(text(0.1 + 0.2), "0.30000000000000004");
        assert_eq!(text(1e-9), "1e-9");
        assert_eq!(text(-2.5), "-2.5");
        assert_eq!(text(f64::NAN), "NaN");
        assert_eq!(text(f64::INFINITY), "+Inf");
        assert_eq!(text(f64::NEG_INFINITY), "-Inf");
    }

    #[test]
    fn edges_have_the_float_form() {
        for (number, expected) in [
            (0.0, "0.0"),
            (1.0, "1.0"),
            (45.0, "45.0"),
            (0.25, "0.25"),
            (0.005, "0.005"),
            (-1.0, "-1.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (0.000_012_5, "1.25e-05"),
            (999_999.5, "999999.5"),
            (1_000_000.0, "1e+06"),
            (1_048_576.0, "1.048576e+06"),
            (1e100, "1e+100"),
            (-f64::MIN_POSITIVE, "-2.2250738585072014e-308"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(edge(number), expected);
        }
    }

    #[test]
    fn moments_keep_their_nanoseconds() {
        for (nanoseconds, expected) in [
            (0, "0"),
            (1, "0.000000001"),
            (1_500_000_000, "1.5"),
            (1_700_000_000_123_456_789, "1700000000.123456789"),
            (1_700_000_000_020_000_000, "1700000000.02"),
        ] {
            let mut out = Vec::new();
            seconds(&mut out, Timestamp(nanoseconds));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}

//! Numbers with units: `45s`, `1h30m`, `64MiB`, `400kB`, `99%`.

/// Seconds of each unit of time, as a factor and a divisor, so that `250ms` is exactly a quarter.
const TIMES: [(&str, f64, f64); 8] = [
    ("ns", 1.0, 1e9),
    ("us", 1.0, 1e6),
    ("ms", 1.0, 1e3),
    ("s", 1.0, 1.0),
    ("m", 60.0, 1.0),
    ("h", 3600.0, 1.0),
    ("d", 86_400.0, 1.0),
    ("w", 604_800.0, 1.0),
];

/// Bytes of each unit; `k` is 1000 and `Ki` is 1024.
const SIZES: [(&str, f64); 9] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// A time in seconds, of one or more parts.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() || text.is_empty() {
        let (number, after) = number(rest)?;
        let length = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(length);
        let (_, factor, divisor) = TIMES.iter().find(|(name, ..)| *name == unit)?;
        total += number * factor / divisor;
        rest = after;
    }
    Some(total)
}

/// A size in bytes.
pub(super) fn bytes(text: &str) -> Option<f64> {
    let (number, unit) = number(text)?;
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == unit)?;
    Some(number * factor)
}

/// A share between 0 and 1 from per cent.
pub(super) fn share(text: &str) -> Option<f64> {
    let (number, unit) = number(text)?;
    // By way of a whole number, so that 99.9% is the double nearest to 0.999.
    (unit == "%" && number <= 100.0).then_some((number * 1e10).round() / 1e12)
}

/// The unsigned decimal number in front, and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (digits, rest) = text.split_at(length);
    let number: f64 = digits.parse().ok()?;
    number.is_finite().then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sizes_and_shares_carry_units() {
        assert_eq!(seconds("250ms"), Some(0.25));
        assert_eq!(seconds("700ms"), Some(0.7));
        assert_eq!(seconds("1h30m"), Some(5400.0));
        assert_eq!(seconds("1.5d"), Some(129_600.0));
        assert_eq!(bytes("64MiB"), Some(67_108_864.0));
        assert_eq!(bytes("400kB"), Some(400_000.0));
        assert_eq!(share("99.9%"), Some(0.999));
        for bad in ["", "5", "s", "5 s", "5S", "-5s", "1h30", "5min", "..s", "1e3s"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        for bad in ["", "5", "5mb", "5K", "5kb", "5MiBs"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
        assert_eq!((share("101%"), share("0.99")), (None, None));
    }
}

//! Which native bucket a number is in, and which one a bucket becomes at a coarser scale.

/// The finest scale Prometheus knows.
pub(super) const FINEST: i32 = 8;

/// The bucket that `index` is part of after the scale was halved so often.
pub(super) fn coarse(index: i64, steps: u32) -> i64 {
    ((index - 1) >> steps.min(62)) + 1
}

/// The native bucket of a positive number: the `i` for which it is above `base^(i-1)` and at most `base^i`.
pub(super) fn index(value: f64, scale: i32) -> i64 {
    let (fraction, exponent) = split(value);
    if scale <= 0 {
        // A whole power of two is the upper edge of its bucket.
        let power = exponent - i64::from(fraction == 0.5);
        return coarse(power, scale.unsigned_abs());
    }
    let parts = f64::from(1 << scale.min(FINEST));
    // The logarithm may be off by one at an edge, so the edges decide.
    let guess = ((fraction.log2() + 1.0) * parts).ceil();
    let edge = |part: f64| (part / parts - 1.0).exp2();
    let part = match () {
        () if fraction <= edge(guess - 1.0) => guess - 1.0,
        () if fraction > edge(guess) => guess + 1.0,
        () => guess,
    };
    part as i64 + (exponent - 1) * parts as i64
}

/// A positive finite number as a fraction from 0.5 to below 1 and a power of two.
fn split(value: f64) -> (f64, i64) {
    const SUBNORMAL: i64 = 64;
    let (value, less) =
        if value.is_normal() { (value, 0) } else { (value * (SUBNORMAL as f64).exp2(), SUBNORMAL) };
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1022 - less;
    (f64::from_bits(bits & !(0x7ff << 52) | (1022 << 52)), exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lies_above_its_buckets_lower_edge_and_not_above_its_upper() {
        for scale in -4..=FINEST {
            let edge = |index: i64| index as f64 * f64::from(-scale).exp2();
            for value in
                [5e-324, 1e-300, 0.1, 0.5, 1.0, 1.0 + f64::EPSILON, 2.0, 12.8, 300.0, f64::MAX]
            {
                let (at, log) = (index(value, scale), value.log2());
                assert!(edge(at - 1) < log + 1e-12 && log - 1e-12 <= edge(at), "{scale} {value}");
            }
        }
    }

    #[test]
    fn whole_powers_are_the_upper_edges_of_their_buckets() {
        for (scale, value, expected) in [
            (0, 1.0, 0),
            (0, 2.0, 1),
            (0, 2.1, 2),
            (3, 2.0, 8),
            (3, 1.0, 0),
            (3, 0.5, -8),
            (-1, 4.0, 1),
            (-1, 4.1, 2),
        ] {
            assert_eq!(index(value, scale), expected, "{scale} {value}");
        }
    }
}

//! For how many spans a sampled span stands.
//!
//! Source: OpenTelemetry specification, "TraceState: Probability Sampling": `ot=th:T` keeps a span when its randomness is at
//! least the threshold T, so the span stands for 1 / (1 - T / 2^56).

/// Hexadecimal digits of a full threshold: 56 bits.
const DIGITS: usize = 14;

/// The span's weight by its W3C tracestate: 1 when nothing, or nothing readable, is said.
pub fn weight(trace_state: &[u8]) -> f64 {
    if trace_state.is_empty() {
        return 1.0;
    }
    threshold(trace_state).map_or(1.0, |threshold| {
        let whole = 1_u64 << (4 * DIGITS);
        whole as f64 / (whole - threshold) as f64
    })
}

fn threshold(trace_state: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(trace_state).ok()?;
    let ours = text.split(',').find_map(|member| member.trim().strip_prefix("ot="))?;
    let digits = ours.split(';').find_map(|field| field.strip_prefix("th:"))?;
    let fits = (1..=DIGITS).contains(&digits.len())
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    // Trailing zeros are left out on the wire.
    fits.then(|| u64::from_str_radix(&format!("{digits:0<DIGITS$}"), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_becomes_an_exact_weight() {
        for (state, expected) in [
            (&b""[..], 1.0),
            (b"ot=th:0", 1.0),
            (b"ot=th:8", 2.0),
            (b"ot=th:c", 4.0),
            (b"ot=th:5", 16.0 / 11.0),
            (b"vendor=x, ot=rv:aa;th:c;p:2 ", 4.0),
            (b"ot=th:ffffffffffffff", 72_057_594_037_927_936.0),
        ] {
            assert_eq!(weight(state), expected, "{}", String::from_utf8_lossy(state));
        }
    }

    #[test]
    fn what_cannot_be_read_weighs_one() {
        for state in
            [&b"ot=th:"[..], b"ot=th:xyz", b"ot=th:C", b"ot=th:000000000000001", b"th:8", b"\xff"]
        {
            assert_eq!(weight(state), 1.0, "{}", String::from_utf8_lossy(state));
        }
    }
}

//! The one door through which text from outside reaches an exposition.
//!
//! Values and help texts may hold anything; names may not and are written as they are. A scheme
//! that changes names on their way out (`escaping=`) has its place in [`name`].

/// A metric or label name. The classic grammar needs no escape in any scheme.
#[inline]
pub(super) fn name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(name.as_bytes());
}

/// What stands between the quotes of a label value, the same in every text format.
#[inline]
pub(super) fn label_value(out: &mut Vec<u8>, value: &str) {
    escape::<true>(out, value);
}

/// A help text in text 0.0.4 and 1.0.0, where a quote stands for itself.
pub(super) fn help(out: &mut Vec<u8>, text: &str) {
    escape::<false>(out, text);
}

/// A help text in OpenMetrics, where a quote is escaped as in a value.
pub(super) fn help_open(out: &mut Vec<u8>, text: &str) {
    escape::<true>(out, text);
}

/// Escapes backslash and line feed, and the quote too when `QUOTE`. All three are ASCII, so no
/// character is ever split.
#[inline]
fn escape<const QUOTE: bool>(out: &mut Vec<u8>, text: &str) {
    let special = |byte: &u8| matches!(byte, b'\\' | b'\n') || (QUOTE && *byte == b'"');
    for part in text.as_bytes().split_inclusive(special) {
        match part.split_last() {
            Some((last, plain)) if special(last) => {
                out.extend_from_slice(plain);
                out.extend_from_slice(&[b'\\', if *last == b'\n' { b'n' } else { *last }]);
            }
            _ => out.extend_from_slice(part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: fn(&mut Vec<u8>, &str), text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_value_can_not_leave_its_quotes() {
        for (raw, escaped) in [
            ("", ""),
            ("plain", "plain"),
            ("\"", "\\\""),
            ("a\\", "a\\\\"),
            ("a\nb\n", "a\\nb\\n"),
            ("\\n", "\\\\n"),
            ("\"} 1\nx{a=\"", "\\\"} 1\\nx{a=\\\""),
            ("h\u{e9} \u{1f980}\r\t", "h\u{e9} \u{1f980}\r\t"),
        ] {
            assert_eq!(written(label_value, raw), escaped, "{raw:?}");
        }
    }

    #[test]
    fn the_formats_disagree_about_the_quote_in_a_help_text() {
        let text = "a \"b\" \\ c\nd";
        assert_eq!(written(help, text), "a \"b\" \\\\ c\\nd");
        assert_eq!(written(help_open, text), "a \\\"b\\\" \\\\ c\\nd");
    }
}

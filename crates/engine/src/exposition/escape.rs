//! The escaping of label values, help texts and quoted names, which may hold anything. What becomes of names for scrapers that
//! can't read them is [`crate::model::Escaping`].

/// A name, and whether it must be quoted.
pub(super) type Name<'a> = (&'a str, bool);

/// What stands between the quotes of a label value or of a name, the same in every text format.
#[inline]
pub(super) fn quoted(out: &mut Vec<u8>, text: &str) {
    escape::<true>(out, text);
}

/// A name as it is, or between quotes.
pub(super) fn write_name(out: &mut Vec<u8>, (name, is_quoted): Name<'_>, suffix: &str) {
    if is_quoted {
        out.push(b'"');
        quoted(out, name);
    } else {
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(suffix.as_bytes());
    if is_quoted {
        out.push(b'"');
    }
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
            assert_eq!(written(quoted, raw), escaped, "{raw:?}");
        }
    }

    #[test]
    fn the_formats_disagree_about_the_quote_in_a_help_text() {
        let text = "a \"b\" \\ c\nd";
        assert_eq!(written(help, text), "a \"b\" \\\\ c\\nd");
        assert_eq!(written(help_open, text), "a \\\"b\\\" \\\\ c\\nd");
    }
}

//! The one door through which text from outside reaches an exposition.
//!
//! Values and help texts may hold anything. Names that are not classic are changed to what the scraper
//! can read (`escaping=`), or quoted where it reads any:
//! <https://prometheus.io/docs/instrumenting/escaping_schemes/>.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::negotiate::Escaping;

/// A name, and whether it must be quoted.
pub(super) type Name<'a> = (&'a str, bool);

/// A metric name as a scheme shows it. Classic names, those with underscores too, are the same in all.
pub(super) fn metric_name(name: &str, scheme: Escaping) -> Cow<'_, str> {
    shown::<true>(name, scheme)
}

/// A label name as a scheme shows it: as for metrics, but no label name may have colons.
pub(super) fn label_name(name: &str, scheme: Escaping) -> Cow<'_, str> {
    shown::<false>(name, scheme)
}

/// Whether a metric name fits the grammar that every reader knows.
pub(super) fn is_classic_metric(name: &str) -> bool {
    is_classic::<true>(name)
}

/// Whether a label name does.
pub(super) fn is_classic_label(name: &str) -> bool {
    is_classic::<false>(name)
}

#[inline]
fn is_classic<const COLON: bool>(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| fits::<COLON>(byte.into()))
}

#[inline]
fn fits<const COLON: bool>(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || (COLON && character == ':')
}

fn shown<const COLON: bool>(name: &str, scheme: Escaping) -> Cow<'_, str> {
    if scheme == Escaping::AllowUtf8 || name.is_empty() || is_classic::<COLON>(name) {
        return name.into();
    }
    let mut out = String::with_capacity(2 * name.len());
    if scheme == Escaping::Values {
        out.push_str("U__");
    }
    for (at, character) in name.char_indices() {
        let fits = fits::<COLON>(character) && !(at == 0 && character.is_ascii_digit());
        match (scheme, character) {
            (Escaping::Dots | Escaping::Values, '_') => out.push_str("__"),
            _ if fits => out.push(character),
            (Escaping::Dots, '.') => out.push_str("_dot_"),
            (Escaping::Dots, _) => out.push_str("__"),
            (Escaping::Values, _) => {
                let _ = write!(out, "_{:x}_", u32::from(character)); // a String takes all
            }
            (Escaping::Underscores | Escaping::AllowUtf8, _) => out.push('_'),
        }
    }
    out.into()
}

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

    #[test]
    fn every_scheme_has_its_way_with_a_name() {
        for (name, underscores, dots, values) in [
            ("a_b:c_total", "a_b:c_total", "a_b:c_total", "a_b:c_total"),
            ("foo.bar_total", "foo_bar_total", "foo_dot_bar__total", "U__foo_2e_bar__total"),
            ("a b", "a_b", "a__b", "U__a_20_b"),
            ("9a9", "_a9", "__a9", "U___39_a9"),
            ("h\u{e9}\u{1f980}", "h__", "h____", "U__h_e9__1f980_"),
            ("", "", "", ""),
        ] {
            assert_eq!(metric_name(name, Escaping::Underscores), underscores);
            assert_eq!(metric_name(name, Escaping::Dots), dots);
            assert_eq!(metric_name(name, Escaping::Values), values);
            assert_eq!(metric_name(name, Escaping::AllowUtf8), name);
        }
    }

    #[test]
    fn labels_have_no_colons() {
        assert_eq!(label_name("http.method", Escaping::Values), "U__http_2e_method");
        assert_eq!(label_name("a:b", Escaping::Underscores), "a_b");
        assert_eq!(label_name("a:b", Escaping::Values), "U__a_3a_b");
        assert_eq!(label_name("a_b", Escaping::Dots), "a_b");
    }

    #[test]
    fn grammar() {
        assert!(is_classic_metric("a:b_9") && is_classic_label("_"));
        for bad in ["", "9", "a b", "a.b", "\u{e9}", "a\"", "a\n", "a{"] {
            assert!(!is_classic_metric(bad) && !is_classic_label(bad), "{bad:?}");
        }
        assert!(!is_classic_label("a:b"));
    }
}

//! What becomes of names for scrapers that can't read them: <https://prometheus.io/docs/instrumenting/escaping_schemes/>.
//!
//! Different names may become one. [`Claims`](super::Claims) of metric names and the label sets of a family are therefore compared
//! under every scheme, before anything is shown.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What a scraper wants done to names it can't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// Nothing: names come as they are.
    AllowUtf8,
    /// `_` for what is not classic.
    Underscores,
    /// `_dot_` for a dot, `__` for `_` and the rest.
    Dots,
    /// `U__` and the code point of each.
    Values,
}

impl Escaping {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// The word in `Accept` and `Content-Type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// A metric name as the scheme shows it. Classic names, those with underscores too, are the same in all.
    pub fn metric(self, name: &str) -> Cow<'_, str> {
        if is_classic_metric(name) { name.into() } else { self.escaped::<true>(name) }
    }

    /// A label name as the scheme shows it: as for metrics, but no label name may have colons. One that would become a reserved
    /// name, which begins with `__`, gets `key` before it, as the attribute keys of OpenTelemetry do: strict readers refuse a whole
    /// body over a reserved name.
    pub fn label(self, name: &str) -> Cow<'_, str> {
        if is_classic_label(name) {
            return name.into();
        }
        let escaped = self.escaped::<false>(name);
        let is_reserved = escaped.starts_with("__") && !name.starts_with("__");
        if is_reserved { format!("key{escaped}").into() } else { escaped }
    }

    fn escaped<const COLON: bool>(self, name: &str) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || name.is_empty() {
            return name.into();
        }
        let mut out = String::with_capacity(2 * name.len());
        if self == Self::Values {
            out.push_str("U__");
        }
        for (at, character) in name.char_indices() {
            let fits = fits::<COLON>(character) && !(at == 0 && character.is_ascii_digit());
            match (self, character) {
                (Self::Dots | Self::Values, '_') => out.push_str("__"),
                _ if fits => out.push(character),
                (Self::Dots, '.') => out.push_str("_dot_"),
                (Self::Dots, _) => out.push_str("__"),
                (Self::Values, _) => {
                    let _ = write!(out, "_{:x}_", u32::from(character)); // a String takes all
                }
                (Self::Underscores | Self::AllowUtf8, _) => out.push('_'),
            }
        }
        out.into()
    }
}

/// Whether a metric name fits the grammar that every reader knows.
pub fn is_classic_metric(name: &str) -> bool {
    is_classic::<true>(name)
}

/// Whether a label name does.
pub fn is_classic_label(name: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_has_its_own_form_of_a_name() {
        for (name, underscores, dots, values) in [
            ("a_b:c_total", "a_b:c_total", "a_b:c_total", "a_b:c_total"),
            ("foo.bar_total", "foo_bar_total", "foo_dot_bar__total", "U__foo_2e_bar__total"),
            ("a b", "a_b", "a__b", "U__a_20_b"),
            ("9a9", "_a9", "__a9", "U___39_a9"),
            ("h\u{e9}\u{1f980}", "h__", "h____", "U__h_e9__1f980_"),
            ("", "", "", ""),
        ] {
            assert_eq!(Escaping::Underscores.metric(name), underscores);
            assert_eq!(Escaping::Dots.metric(name), dots);
            assert_eq!(Escaping::Values.metric(name), values);
            assert_eq!(Escaping::AllowUtf8.metric(name), name);
        }
    }

    #[test]
    fn labels_have_no_colons() {
        assert_eq!(Escaping::Values.label("http.method"), "U__http_2e_method");
        assert_eq!(Escaping::Underscores.label("a:b"), "a_b");
        assert_eq!(Escaping::Values.label("a:b"), "U__a_3a_b");
        assert_eq!(Escaping::Dots.label("a_b"), "a_b");
    }

    #[test]
    fn no_label_becomes_a_reserved_one() {
        assert_eq!(Escaping::Underscores.label(".-name.."), "key__name__");
        assert_eq!(Escaping::Underscores.label("\u{e9}a"), "_a");
        assert_eq!(Escaping::Dots.label("9a"), "key__a");
        assert_eq!(Escaping::AllowUtf8.label("__a"), "__a", "that is the caller's to refuse");
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

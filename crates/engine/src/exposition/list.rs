//! Header fields that are lists of choices with weights (RFC 9110, sections 5.6 and 12.4.2).
//!
//! The header comes from anyone. What is malformed is no choice; nothing here fails, copies or
//! takes longer than the header is.

/// One choice: `text/plain;version=0.0.4;q=0.3`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Choice<'a> {
    /// What stands before the first semicolon.
    pub(super) value: &'a str,
    /// Thousandths: 0 is "not at all", 1000 the default.
    pub(super) weight: u16,
    parameters: &'a str,
}

impl<'a> Choice<'a> {
    /// The value of a parameter, without its quotes; none when it is missing or empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        let pairs = split(self.parameters, ';').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(key, _)| key.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().trim_matches('"'))
            .find(|value| !value.is_empty())
    }
}

/// The choices of a header in the order of listing.
pub(super) fn choices(header: &str) -> impl Iterator<Item = Choice<'_>> {
    split(header, ',').filter_map(|item| {
        let (value, parameters) = item.split_once(';').unwrap_or((item, ""));
        let choice = Choice { value: value.trim(), weight: 1000, parameters };
        let weight = choice.parameter("q").map_or(Some(choice.weight), thousandths)?;
        (!choice.value.is_empty()).then_some(Choice { weight, ..choice })
    })
}

/// A weight from 0 to 1. More digits than the three of the standard are rounded.
fn thousandths(text: &str) -> Option<u16> {
    let weight: f32 = text.parse().ok()?;
    (0.0..=1.0).contains(&weight).then(|| (weight * 1000.0).round() as u16)
}

/// Splits at every separator outside a quoted string.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character| {
        let plain = !quoted && character == separator;
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ => {}
        }
        plain
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_have_values_weights_and_parameters() {
        let header = "a/b ; Version=\"1;,0\" ; Q=0.25 , c , ;q=1,, d;q=0, e;q=0.3339";
        let found: Vec<_> = choices(header).map(|one| (one.value, one.weight)).collect();
        assert_eq!(found, [("a/b", 250), ("c", 1000), ("d", 0), ("e", 334)]);
        let first = choices(header).next().unwrap();
        assert_eq!(first.parameter("version"), Some("1;,0"));
        assert_eq!(first.parameter("charset"), None);
    }

    #[test]
    fn a_malformed_weight_is_no_choice() {
        for weight in ["x", "-1", "1.1", "nan", "inf", "1e9", "0.5x"] {
            assert_eq!(choices(&format!("a;q={weight}")).count(), 0, "{weight}");
        }
        assert_eq!(choices("a;q=").count(), 1);
    }

    #[test]
    fn quotes_that_never_close_swallow_the_rest_and_nothing_else() {
        assert_eq!(choices("a;x=\"b, c\\\", d").count(), 1);
        assert_eq!(choices("\"").count(), 1);
        assert_eq!(choices("").count(), 0);
    }
}

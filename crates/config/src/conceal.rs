//! Keeps the values of environment variables out of what people are shown: they may be secrets in the wrong place.

use std::collections::BTreeMap;

/// Bytes of a value from which any part of a message that begins like it is taken for it.
const LONG: usize = 8;
/// Bytes of a value from which it is looked for anywhere in a message. A shorter one is replaced where it stands alone in backticks.
const SHORT: usize = 4;

/// The variables that a config uses.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// Values by name.
    values: BTreeMap<String, String>,
}

impl Variables {
    /// A variable was looked up.
    pub(super) fn used(&mut self, name: &str, value: &str) {
        if !value.is_empty() && !self.values.contains_key(name) {
            self.values.insert(name.to_owned(), value.to_owned());
        }
    }

    /// A message with `${NAME}` in place of each value, and of the start of one that is cut.
    pub(super) fn conceal(&self, message: &mut String) {
        for (name, value) in &self.values {
            let shown = format!("${{{name}}}");
            if value.len() < SHORT {
                *message = message.replace(&format!("`{value}`"), &format!("`{shown}`"));
            } else if value.len() < LONG {
                *message = message.replace(value, &shown);
            } else if let Some(without) = without(message, value, &shown) {
                *message = without;
            }
        }
    }
}

/// A message with another text in place of a value and of its starts; none: there are none.
fn without(message: &str, value: &str, shown: &str) -> Option<String> {
    let start = value.get(..value.floor_char_boundary(LONG)).filter(|start| !start.is_empty())?;
    let (mut out, mut rest) = (String::new(), message);
    while let Some((before, after)) = rest.split_once(start) {
        out.push_str(before);
        out.push_str(shown);
        let more = value.get(start.len()..).unwrap_or_default();
        let same = after.chars().zip(more.chars()).take_while(|(one, other)| one == other);
        let length = same.map(|(one, _)| one.len_utf8()).sum();
        rest = after.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    (out != message).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_whole_cut_and_alone() {
        let mut variables = Variables::default();
        for (name, value) in
            [("LONG", "s3cr3t-\u{e4}nd-long"), ("MIDDLE", "abcde"), ("SHORT", "7"), ("NONE", "")]
        {
            variables.used(name, value);
        }
        for (message, shown) in [
            ("found the text `s3cr3t-\u{e4}nd-long`", "found the text `${LONG}`"),
            (
                "found `x s3cr3t-\u{e4}nd...`, twice s3cr3t-\u{e4}x",
                "found `x ${LONG}...`, twice ${LONG}x",
            ),
            ("`abcde` in xabcdex", "`${MIDDLE}` in x${MIDDLE}x"),
            ("at least 7, found the number `7`", "at least 7, found the number `${SHORT}`"),
            ("nothing of it", "nothing of it"),
        ] {
            let mut message = message.to_owned();
            variables.conceal(&mut message);
            assert_eq!(message, shown);
        }
    }
}

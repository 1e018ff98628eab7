//! A label set as bytes: what `rules` writes, `series` finds by, and neither takes apart on the way.
//!
//! The values in the order of the family's labels, each followed by [`END`]; a missing one is empty. Equal bytes, equal set.

/// Ends each value: a byte that no UTF-8 text has.
pub const END: u8 = 0xff;

/// The key of these values.
pub fn of<S: AsRef<str>>(values: &[S]) -> Vec<u8> {
    let mut key = Vec::with_capacity(values.iter().map(|value| value.as_ref().len() + 1).sum());
    for value in values {
        key.extend_from_slice(value.as_ref().as_bytes());
        key.push(END);
    }
    key
}

/// The values of a key.
pub fn values(key: &[u8]) -> impl Iterator<Item = &str> {
    let all = key.strip_suffix(&[END]).map(|all| all.split(|byte| *byte == END));
    all.into_iter().flatten().map(|value| std::str::from_utf8(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_apart_as_it_was_made() {
        for set in [&[][..], &[""], &["", ""], &["a"], &["a", "", "\u{e9}\0b"]] {
            assert_eq!(values(&of(set)).collect::<Vec<_>>(), set);
        }
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
    }
}

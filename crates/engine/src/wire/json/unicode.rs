//! Repairs text that is not valid Unicode: halves of surrogate pairs, which JavaScript writes when a string was cut inside a
//! character, and bytes that are not UTF-8. One such value must not refuse its neighbours.

use std::borrow::Cow;

use crate::wire::WireError;

/// The document with replacement characters (U+FFFD) instead; none when it has nothing to repair.
///
/// # Errors
/// When it takes more than `limit` bytes then.
pub(super) fn repaired(json: &[u8], limit: usize) -> Result<Option<Vec<u8>>, WireError> {
    let mut text = match utf8(json, limit)? {
        Cow::Borrowed(text) => {
            if surrogate(text, 0).is_none() {
                return Ok(None);
            }
            text.to_vec()
        }
        Cow::Owned(text) => text,
    };
    let mut from = 0;
    while let Some(at) = surrogate(&text, from) {
        from = at + ESCAPE;
        if let Some(digits) = text.get_mut(at + 2..from) {
            digits.copy_from_slice(b"fffd");
        }
    }
    Ok(Some(text))
}

fn utf8(json: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, WireError> {
    if str::from_utf8(json).is_ok() {
        return Ok(Cow::Borrowed(json));
    }
    let mut text = Vec::with_capacity(json.len());
    for chunk in json.utf8_chunks() {
        text.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            text.extend_from_slice("\u{fffd}".as_bytes());
        }
        if text.len() > limit {
            return Err(WireError::TooLarge { limit });
        }
    }
    Ok(Cow::Owned(text))
}

/// Bytes of an escape such as `\ud83d`.
const ESCAPE: usize = 6;

/// The position of the next escaped half of a surrogate pair without the other half. JSON has escapes in text only.
fn surrogate(json: &[u8], mut from: usize) -> Option<usize> {
    loop {
        from += json.get(from..)?.iter().position(|byte| *byte == b'\\')?;
        match (unit(json, from), unit(json, from + ESCAPE)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => from += 2 * ESCAPE,
            (Some(0xd800..=0xdfff), _) => return Some(from),
            (Some(_), _) => from += ESCAPE,
            (None, _) => from += 2,
        }
    }
}

/// The UTF-16 unit escaped at this position.
fn unit(json: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = json.get(at..at + ESCAPE)? else { return None };
    let digit = |unit: u32, digit: &u8| Some(unit << 4 | char::from(*digit).to_digit(16)?);
    digits.iter().try_fold(0, digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repair(json: &[u8]) -> Option<String> {
        repaired(json, 100).unwrap().map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn replaces_halves_of_characters() {
        for (json, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE00x""#, r#""\ufffdx""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\n\udE00""#, r#""\ufffd\n\ufffd""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(repair(json.as_bytes()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn replaces_what_is_no_utf8() {
        assert_eq!(repair(b"\"a\xffb\xf0\x9f\x98\"").as_deref(), Some("\"a\u{fffd}b\u{fffd}\""));
        assert_eq!(repair(b"\"\xff\\ud800\"").as_deref(), Some("\"\u{fffd}\\ufffd\""));
        let grown = repaired(&[0xff; 50], 100);
        assert_eq!(grown, Err(WireError::TooLarge { limit: 100 }));
    }

    #[test]
    fn leaves_whole_text_alone() {
        let whole =
            [r#""\ud83d\ude00 \u0041 é""#, r#""\\ud83d""#, r#""\ud8""#, r#""\ug83d""#, "", "\\"];
        for json in whole {
            assert_eq!(repair(json.as_bytes()), None, "{json}");
        }
    }
}

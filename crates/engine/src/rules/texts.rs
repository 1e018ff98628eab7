//! Texts of a request that were found to be UTF-8: rules ask for few of them, and for each many times.

/// By some bits of their address. It is only a memory: what it lacks is looked at again.
#[derive(Default)]
pub(super) struct Texts<'a>([Option<&'a str>; PLACES]);

const PLACES: usize = 32;

impl<'a> Texts<'a> {
    /// The text that some bytes are; none: they are not UTF-8.
    #[inline]
    pub(super) fn read(&mut self, bytes: &'a [u8]) -> Option<&'a str> {
        // What lies at the same place for the whole of `'a` is the same.
        let place = &mut self.0[bytes.as_ptr().addr() / 8 % PLACES];
        if let Some(known) = place
            && std::ptr::eq(known.as_bytes(), bytes)
        {
            return *place;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        *place = Some(text);
        *place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_its_bytes_are_whoever_was_there_before() {
        let bytes = "caf\u{e9} au lait".as_bytes();
        let mut texts = Texts::default();
        for _ in 0..2 {
            for start in 0..bytes.len() {
                for end in start..=bytes.len() {
                    let part = &bytes[start..end];
                    assert_eq!(texts.read(part), std::str::from_utf8(part).ok());
                }
            }
        }
    }
}

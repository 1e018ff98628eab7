//! Personal values as keyed hashes.
//!
//! SipHash-2-4 (Aumasson and Bernstein, 2012) of the value's text under 16 bytes of SHA-256 of the operator's secret. Whoever
//! lacks the secret can't tell whose hash one is, not even by trying all names; replicas that share it agree. The test vectors
//! below are published: another implementation may be held against them.

use std::fmt;
use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher24;

use super::Pseudonym;

/// Changes when the same text under the same secret would become another hash, or another register.
const VERSION: &str = "1";

/// The key personal values are hashed with. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// From a secret of any length; what stands around it as white space does not count, so that a file may end with a line feed.
    pub fn from_secret(secret: &[u8]) -> Self {
        let digest = Sha256::digest(secret.trim_ascii());
        let mut key = [0; 16];
        key.iter_mut().zip(digest.iter()).for_each(|(key, byte)| *key = *byte);
        Self(key)
    }

    /// A value's hash.
    pub fn hash(&self, text: &str) -> Pseudonym {
        Pseudonym(self.of(text.as_bytes()))
    }

    /// Tells sketches of different making apart: by key, hash and number of registers. Says nothing of the key itself.
    pub fn fingerprint(&self, registers: usize) -> String {
        let made = self.of(format!("oscar-metrics sketch {VERSION} {registers}").as_bytes());
        format!("{:08x}", made >> 32)
    }

    fn of(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("HashKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors() {
        let key = HashKey::from_secret(b"a secret\n");
        for (text, hash) in [
            ("", 0xa826_6ca7_3517_f77d),
            ("U0123ABC", 0x725c_e21b_fe5a_f297),
            ("ada@example.org", 0x6544_fa55_2f3f_d821),
            ("\u{e9}", 0x6fa0_bed6_3b19_0c78_u64),
        ] {
            assert_eq!(key.hash(text), Pseudonym(hash), "{text}");
        }
        assert_eq!(key.fingerprint(512), "20beb0fa");
    }

    #[test]
    fn the_key_decides_and_is_never_shown() {
        let (one, other) = (HashKey::from_secret(b"a"), HashKey::from_secret(b"b"));
        assert_eq!(one, HashKey::from_secret(b" a\r\n"));
        assert_ne!(one.hash("x"), other.hash("x"));
        assert_ne!(one.fingerprint(512), other.fingerprint(512));
        assert_ne!(one.fingerprint(512), one.fingerprint(256));
        assert_eq!(format!("{one:?}"), "HashKey(..)");
    }
}

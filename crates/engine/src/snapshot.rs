//! What survives a restart, as bytes: a head that says what it is, and a checksum over what follows.
//!
//! Whatever is not exactly what this version wrote is refused with a reason, and never half read. This room knows no file and no
//! clock, and not what is kept: anything that serde can write.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// What every snapshot begins with.
const MAGIC: &[u8; 8] = b"OSCARMET";
/// Changes with anything that is kept.
const VERSION: u32 = 2;
/// Magic, version, length, checksum.
const HEAD: usize = MAGIC.len() + 4 + 8 + 32;

/// Why bytes are no snapshot of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Something else altogether.
    #[error("it is not a snapshot of oscar-metrics")]
    Foreign,
    /// Of another version.
    #[error("it is of version {0}, and this is version {VERSION}")]
    Version(u32),
    /// Shorter or longer than it says.
    #[error("it is cut short or has more at its end")]
    Length,
    /// Changed since it was written.
    #[error("its checksum does not fit")]
    Checksum,
    /// It can't be written or read for a fault of ours.
    #[error("its content can't be read: {0}")]
    Content(String),
}

/// Everything in one piece.
///
/// # Errors
/// [`SnapshotError::Content`] for what serde can't write.
pub fn encode<T: Serialize>(kept: &T) -> Result<Vec<u8>, SnapshotError> {
    let body = postcard::to_allocvec(kept).map_err(content)?;
    let mut bytes = Vec::with_capacity(HEAD + body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

/// What was kept.
///
/// # Errors
/// When the bytes are not exactly what [`encode`] of this version makes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SnapshotError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(SnapshotError::Foreign)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(SnapshotError::Length)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(SnapshotError::Length)?;
    let (checksum, body) = rest.split_first_chunk::<32>().ok_or(SnapshotError::Length)?;
    if u64::from_le_bytes(*length) != body.len() as u64 {
        return Err(SnapshotError::Length);
    }
    if Sha256::digest(body).as_slice() != checksum {
        return Err(SnapshotError::Checksum);
    }
    let (kept, left) = postcard::take_from_bytes(body).map_err(content)?;
    if left.is_empty() { Ok(kept) } else { Err(SnapshotError::Length) }
}

fn content(error: postcard::Error) -> SnapshotError {
    SnapshotError::Content(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Kept = Vec<(String, f64)>;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let kept: Kept = vec![("a".into(), 1.5), ("b".into(), f64::INFINITY)];
        let bytes = encode(&kept).unwrap();
        assert_eq!(decode::<Kept>(&bytes), Ok(kept));
        for end in 0..bytes.len() {
            assert!(decode::<Kept>(&bytes[..end]).is_err(), "cut at {end}");
        }
        for at in 0..bytes.len() {
            let mut spoiled = bytes.clone();
            spoiled[at] ^= 0x10;
            assert!(decode::<Kept>(&spoiled).is_err(), "byte {at} flipped");
        }
    }

    #[test]
    fn each_fault_has_its_reason() {
        let mut bytes = encode(&Kept::new()).unwrap();
        assert_eq!(decode::<Kept>(b"").err(), Some(SnapshotError::Foreign));
        assert_eq!(decode::<Kept>(b"a text file").err(), Some(SnapshotError::Foreign));
        assert_eq!(decode::<Kept>(&bytes[..20]).err(), Some(SnapshotError::Length));
        bytes.push(0);
        assert_eq!(decode::<Kept>(&bytes).err(), Some(SnapshotError::Length));
        bytes[8] = 1;
        assert_eq!(decode::<Kept>(&bytes).err(), Some(SnapshotError::Version(1)));
        let other = encode(&(7_u8, "x")).unwrap();
        assert!(matches!(
            decode::<Vec<Kept>>(&other),
            Err(SnapshotError::Content(_) | SnapshotError::Length)
        ));
    }
}

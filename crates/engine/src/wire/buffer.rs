//! Bytes of a request's body as they come. Large bodies lie in memory of their own, which goes back to the system when they do: an
//! allocator keeps what was large once, so that a single large request would take its memory for good.

use std::io::{self, Read};
use std::ops::Deref;

use bytes::Bytes;
use memmap2::MmapMut;

use crate::limits::KEPT_MEMORY;

/// Bytes that grow to a limit.
pub struct Buffer {
    /// All bytes, while there are few.
    few: Vec<u8>,
    /// All bytes, once there are more than [`KEPT_MEMORY`].
    many: Option<Mapped>,
    limit: usize,
}

/// Memory of a whole limit, of which no page is there before it is written to.
struct Mapped {
    map: MmapMut,
    len: usize,
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.map.get(..self.len).unwrap_or_default()
    }
}

impl Mapped {
    /// Appends what fits, and returns how much that was.
    fn append(&mut self, bytes: &[u8]) -> usize {
        let spare = self.map.get_mut(self.len..).unwrap_or_default();
        let fits = spare.len().min(bytes.len());
        if let Some((to, from)) = spare.get_mut(..fits).zip(bytes.get(..fits)) {
            to.copy_from_slice(from);
        }
        self.len += fits;
        fits
    }
}

impl Buffer {
    /// Room for `limit` bytes, of which so many are expected.
    pub fn new(expected: usize, limit: usize) -> Self {
        let mut buffer = Self { few: Vec::new(), many: None, limit };
        if expected.min(limit) > KEPT_MEMORY {
            buffer.move_out();
        } else {
            buffer.few.reserve_exact(expected.min(limit));
        }
        buffer
    }

    /// Moves what is there to memory of its own. When the system has none, the allocator may have some.
    fn move_out(&mut self) {
        if let Ok(map) = MmapMut::map_anon(self.limit.max(1)) {
            let mut mapped = Mapped { map, len: 0 };
            mapped.append(&std::mem::take(&mut self.few));
            self.many = Some(mapped);
        }
    }

    /// Appends bytes; false: there are more than fit within the limit, and it ends at the limit.
    pub fn append(&mut self, bytes: &[u8]) -> bool {
        let room = self.limit.saturating_sub(self.len());
        let few = self.few.len() + bytes.len().min(room);
        if self.many.is_none() && few > KEPT_MEMORY {
            self.move_out();
        }
        match &mut self.many {
            Some(mapped) => mapped.append(bytes) == bytes.len(),
            None => {
                let fits = bytes.get(..bytes.len().min(room)).unwrap_or_default();
                self.few.extend_from_slice(fits);
                fits.len() == bytes.len()
            }
        }
    }

    /// Lets `write` fill spare room, of which there is some unless the limit is reached. It returns how much it has written, and this
    /// does too: 0 at the end.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn fill<E>(
        &mut self,
        mut write: impl FnMut(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.many.is_none() && self.few.len() >= KEPT_MEMORY {
            self.move_out();
        }
        if let Some(Mapped { map, len }) = &mut self.many {
            let written = write(map.get_mut(*len..).unwrap_or_default())?;
            *len = (*len + written).min(map.len());
            return Ok(written);
        }
        let len = self.few.len();
        let more = len.max(LEAST).min(self.limit.saturating_sub(len));
        let more = if self.few.capacity() > len { self.few.capacity() - len } else { more };
        self.few.resize((len + more).min(self.limit.max(len)), 0);
        let written = write(self.few.get_mut(len..).unwrap_or_default());
        self.few.truncate(len + *written.as_ref().unwrap_or(&0));
        written
    }

    /// Appends all that `reader` has, up to the limit.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn read_to_end(&mut self, mut reader: impl Read) -> io::Result<()> {
        // The allocator's memory need not be cleared first.
        let few = KEPT_MEMORY.min(self.limit);
        if self.many.is_none() {
            reader.by_ref().take(few as u64).read_to_end(&mut self.few)?;
        }
        while self.len() < self.limit && (self.many.is_some() || self.few.len() >= few) {
            if self.fill(|room| reader.read(room))? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// The bytes, not copied.
    pub fn into_bytes(self) -> Bytes {
        match self.many {
            Some(mapped) => Bytes::from_owner(mapped),
            None => self.few.into(),
        }
    }
}

/// Bytes by which a full buffer grows at least.
const LEAST: usize = 4096;

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.many {
            Some(mapped) => mapped.as_ref(),
            None => &self.few,
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_the_same_wherever_they_lie() {
        let all: Vec<u8> = (0..3 * KEPT_MEMORY).map(|nth| (nth % 251) as u8).collect();
        for length in [0, 1, KEPT_MEMORY - 1, KEPT_MEMORY, KEPT_MEMORY + 1, 3 * KEPT_MEMORY] {
            let bytes = &all[..length];
            for expected in [0, length, usize::MAX] {
                let mut read = Buffer::new(expected, all.len());
                read.read_to_end(bytes).unwrap();
                assert!(*read == *bytes, "{length} of {expected}");
                let mut appended = Buffer::new(expected, all.len());
                assert!(bytes.chunks(77_777).all(|piece| appended.append(piece)));
                assert!(appended.into_bytes() == bytes, "{length} of {expected}");
            }
        }
    }

    #[test]
    fn it_ends_at_the_limit() {
        let many = vec![7; 2 * KEPT_MEMORY];
        for limit in [0, 10, KEPT_MEMORY, KEPT_MEMORY + 10] {
            let mut buffer = Buffer::new(0, limit);
            assert!(!buffer.append(&many) && buffer.len() == limit);
            let mut buffer = Buffer::new(0, limit);
            buffer.read_to_end(&*many).unwrap();
            assert_eq!(buffer.len(), limit);
        }
    }
}

//! The yardstick: a bare walk over a trace request that reads every field down to the attribute's value and does nothing with it.
//!
//! Its source stands here, apart from the product's own reader, and stays as it is: a ratio to it means the same in every version.

/// What a walk cannot pass: the framing is broken.
#[derive(Debug)]
pub struct Broken;

/// Walks an `ExportTraceServiceRequest` and returns a sum over all it read, so that no compiler leaves the reading out.
pub fn walk(body: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut request = Reader(body);
    while let Some(key) = request.key()? {
        match key {
            (1, 2) => sum ^= resource_spans(request.bytes()?)?,
            (_, kind) => request.skip(kind)?,
        }
    }
    Ok(sum)
}

fn resource_spans(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        match key {
            (1, 2) => sum ^= attributes(reader.bytes()?, 1)?,
            (2, 2) => sum ^= scope_spans(reader.bytes()?)?,
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(sum)
}

fn scope_spans(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        match key {
            (1, 2) => sum ^= attributes(reader.bytes()?, 3)?,
            (2, 2) => sum ^= span(reader.bytes()?)?,
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(sum)
}

fn span(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        sum ^= match key {
            (9, 2) => attribute(reader.bytes()?)?,
            (11, 2) => event(reader.bytes()?)?,
            (15, 2) => status(reader.bytes()?)?,
            (1..=5, 2) => ends(reader.bytes()?),
            (6, 0) => reader.varint()?,
            (7 | 8, 1) => reader.fixed64()?,
            (_, kind) => {
                reader.skip(kind)?;
                0
            }
        };
    }
    Ok(sum)
}

fn event(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        sum ^= match key {
            (1, 1) => reader.fixed64()?,
            (2, 2) => ends(reader.bytes()?),
            (3, 2) => attribute(reader.bytes()?)?,
            (_, kind) => {
                reader.skip(kind)?;
                0
            }
        };
    }
    Ok(sum)
}

fn status(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        match key {
            (3, 0) => sum ^= reader.varint()?,
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(sum)
}

/// A message that holds attributes in one of its fields.
fn attributes(bytes: &[u8], field: u64) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some((number, kind)) = reader.key()? {
        if (number, kind) == (field, 2) {
            sum ^= attribute(reader.bytes()?)?;
        } else {
            reader.skip(kind)?;
        }
    }
    Ok(sum)
}

fn attribute(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        match key {
            (1, 2) => sum ^= ends(reader.bytes()?),
            (2, 2) => sum ^= value(reader.bytes()?)?,
            (_, kind) => reader.skip(kind)?,
        }
    }
    Ok(sum)
}

fn value(bytes: &[u8]) -> Result<u64, Broken> {
    let mut sum = 0;
    let mut reader = Reader(bytes);
    while let Some(key) = reader.key()? {
        sum ^= match key {
            (2 | 3, 0) => reader.varint()?,
            (4, 1) => reader.fixed64()?,
            (_, 2) => ends(reader.bytes()?),
            (_, kind) => {
                reader.skip(kind)?;
                0
            }
        };
    }
    Ok(sum)
}

/// The least that reads a text: its length and its first byte.
fn ends(bytes: &[u8]) -> u64 {
    bytes.len() as u64 + u64::from(bytes.first().copied().unwrap_or_default())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    #[inline(always)]
    fn key(&mut self) -> Result<Option<(u64, u64)>, Broken> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        Ok(Some((key >> 3, key & 7)))
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Broken> {
        match *self.0 {
            [a, ref rest @ ..] if a < 0x80 => {
                self.0 = rest;
                Ok(u64::from(a))
            }
            _ => self.long(),
        }
    }

    fn long(&mut self) -> Result<u64, Broken> {
        let mut value = 0;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.0 = self.0.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Broken)
    }

    #[inline(always)]
    fn fixed64(&mut self) -> Result<u64, Broken> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(Broken)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    #[inline(always)]
    fn bytes(&mut self) -> Result<&'a [u8], Broken> {
        let length = usize::try_from(self.varint()?).map_err(|_| Broken)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn skip(&mut self, kind: u64) -> Result<(), Broken> {
        match kind {
            0 => self.varint().map(|_| ()),
            1 => self.fixed64().map(|_| ()),
            2 => self.bytes().map(|_| ()),
            5 => {
                self.0 = self.0.split_at_checked(4).ok_or(Broken)?.1;
                Ok(())
            }
            _ => Err(Broken),
        }
    }
}

//! Stand-in of this branch for the one door to inflated bytes; the merge takes the other file.
#![allow(clippy::disallowed_types)]

use std::io::Read;

/// Why bytes could not be inflated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InflateError {
    /// More than the limit.
    TooLarge {
        /// Bytes.
        limit: usize,
    },
    /// Not in this coding.
    Malformed(String),
}

/// Inflates gzip.
pub fn gzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    bounded(flate2::read::MultiGzDecoder::new(bytes), limit)
}

/// Inflates zstd.
pub fn zstd(bytes: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    let decoder = zstd::stream::read::Decoder::new(bytes);
    bounded(decoder.map_err(|error| InflateError::Malformed(error.to_string()))?, limit)
}

fn bounded(decoder: impl Read, limit: usize) -> Result<Vec<u8>, InflateError> {
    let mut out = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut out);
    read.map_err(|error| InflateError::Malformed(error.to_string()))?;
    if out.len() > limit { Err(InflateError::TooLarge { limit }) } else { Ok(out) }
}

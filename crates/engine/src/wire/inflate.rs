//! The one door for compressed bytes: whatever they claim, no more than the limit comes out.

use std::io::Read;

use flate2::{DecompressError, FlushDecompress, Status};

use super::buffer::Buffer;

/// Why bytes can't be inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// More would come out than the limit.
    #[error("more than {limit} bytes when inflated")]
    TooLarge {
        /// Bytes it may take.
        limit: usize,
    },
    /// Cut short, or not in this encoding.
    #[error("not what the content encoding says: {0}")]
    Malformed(String),
}

/// Inflates gzip (RFC 1952); its members share the limit.
///
/// # Errors
/// When it holds more than `limit` bytes, or is no gzip to its end.
#[allow(clippy::disallowed_types)] // this is the door, and it has a limit
pub fn gzip(bytes: &[u8], limit: usize) -> Result<Buffer, InflateError> {
    // The last member says how long it is (RFC 1952, 2.3.1, "ISIZE"), and mostly it is the only one.
    let told = bytes.last_chunk().map(|size| u32::from_le_bytes(*size) as usize);
    read(flate2::read::MultiGzDecoder::new(bytes), told, (bytes.len(), limit))
}

/// Inflates HTTP's deflate: a zlib stream (RFC 1950), or raw deflate (RFC 1951), which some clients send instead.
///
/// # Errors
/// When it holds more than `limit` bytes, or is neither to its end.
#[allow(clippy::disallowed_types)] // this is the door, and it has a limit
pub fn deflate(bytes: &[u8], limit: usize) -> Result<Buffer, InflateError> {
    let malformed = |what: &str| InflateError::Malformed(what.to_owned());
    let mut inflater = flate2::Decompress::new(is_zlib(bytes));
    // One byte more shows that the limit is exceeded.
    let most = limit.saturating_add(1);
    let mut out = Buffer::new(guess(bytes.len(), most), most);
    loop {
        let taken = inflater.total_in();
        let rest = bytes.get(usize::try_from(taken).unwrap_or(usize::MAX)..).unwrap_or_default();
        let mut status = Status::Ok;
        let written = out.fill(|room| {
            let before = inflater.total_out();
            status = inflater.decompress(rest, room, FlushDecompress::None)?;
            Ok(usize::try_from(inflater.total_out() - before).unwrap_or(usize::MAX))
        });
        let written =
            written.map_err(|error: DecompressError| InflateError::Malformed(error.to_string()))?;
        if out.len() > limit {
            return Err(InflateError::TooLarge { limit });
        }
        if status == Status::StreamEnd {
            let whole = inflater.total_in() == bytes.len() as u64;
            return if whole { Ok(out) } else { Err(malformed("bytes after the end")) };
        }
        if written == 0 && taken == inflater.total_in() {
            return Err(malformed("the stream ends too early"));
        }
    }
}

/// Whether it begins with a zlib header. Raw deflate does not: its first bits would be a stored block with padding that is not 0,
/// which no encoder writes.
fn is_zlib(bytes: &[u8]) -> bool {
    const METHOD: u8 = 0x0f;
    const DEFLATE: u8 = 8;
    let Some(&[method, flags]) = bytes.first_chunk() else { return true };
    method & METHOD == DEFLATE && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

/// Inflates zstd (RFC 8878); its frames share the limit.
///
/// # Errors
/// When it holds more than `limit` bytes, is no zstd to its end, or needs a window beyond the limit.
#[allow(clippy::disallowed_types)] // this is the door, and it has a limit
pub fn zstd(bytes: &[u8], limit: usize) -> Result<Buffer, InflateError> {
    let malformed = |error: std::io::Error| InflateError::Malformed(error.to_string());
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(malformed)?;
    decoder.window_log_max(window_log(limit)).map_err(malformed)?;
    if bytes.is_empty() {
        return Err(InflateError::Malformed("no frame".into()));
    }
    // The first frame may say how long it is (RFC 8878, 3.1.1.1.4), and mostly it is the only one.
    let told = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
    let told = told.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    read(decoder, told, (bytes.len(), limit))
}

/// The largest window to allow: it need not be larger than what may come out, but 8 MiB must be taken from anybody (RFC 8878,
/// 3.1.1.1.2), and 128 MiB is as far as zstd's own tools go.
fn window_log(limit: usize) -> u32 {
    limit.checked_next_power_of_two().map_or(27, usize::ilog2).clamp(23, 27)
}

/// Reads to the end. What the sender says of the length is only room: if it is wrong, nothing is lost but a copy.
fn read(
    decoder: impl Read,
    told: Option<usize>,
    (deflated, limit): (usize, usize),
) -> Result<Buffer, InflateError> {
    // One byte more shows that the limit is exceeded.
    let most = limit.saturating_add(1);
    let mut out = Buffer::new(told.unwrap_or_else(|| guess(deflated, most)), most);
    out.read_to_end(decoder).map_err(|error| InflateError::Malformed(error.to_string()))?;
    if out.len() > limit { Err(InflateError::TooLarge { limit }) } else { Ok(out) }
}

/// Room for what comes out. Telemetry shrinks to a fifth or less, so most bodies need no second allocation.
fn guess(deflated: usize, most: usize) -> usize {
    deflated.saturating_mul(6).min(most)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        ::zstd::stream::encode_all(bytes, 3).unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn gzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
        super::gzip(bytes, limit).map(|out| out.to_vec())
    }

    fn deflate(bytes: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
        super::deflate(bytes, limit).map(|out| out.to_vec())
    }

    fn zstd(bytes: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
        super::zstd(bytes, limit).map(|out| out.to_vec())
    }

    type Inflate = fn(&[u8], usize) -> Result<Vec<u8>, InflateError>;
    type Deflate = fn(&[u8]) -> Vec<u8>;
    const BOTH: [(Inflate, Deflate); 2] = [(gzip, gzipped), (zstd, zstandard)];
    const ALL: [(Inflate, Deflate); 4] =
        [(gzip, gzipped), (zstd, zstandard), (deflate, zlib), (deflate, raw)];

    #[test]
    fn the_limit_is_the_last_size_that_passes() {
        for (inflate, deflate) in ALL {
            let bytes = deflate(&[7; 1000]);
            assert_eq!(inflate(&bytes, 1000), Ok(vec![7; 1000]));
            assert_eq!(inflate(&bytes, 999), Err(InflateError::TooLarge { limit: 999 }));
            assert_eq!(inflate(&deflate(b""), 0), Ok(vec![]));
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 64 << 20];
        for (inflate, deflate) in ALL {
            let bomb = deflate(&zeros);
            assert_eq!(inflate(&bomb, 4096), Err(InflateError::TooLarge { limit: 4096 }));
        }
    }

    #[test]
    fn members_and_frames_share_the_limit() {
        for (inflate, deflate) in BOTH {
            let two = [deflate(b"ab"), deflate(b"cd")].concat();
            assert_eq!(inflate(&two, 4), Ok(b"abcd".to_vec()));
            assert_eq!(inflate(&two, 3), Err(InflateError::TooLarge { limit: 3 }));
        }
    }

    #[test]
    fn cut_and_foreign_bytes_are_malformed() {
        let text: Vec<u8> = (0..2000_u32).flat_map(|n| n.to_le_bytes()).collect();
        for (inflate, deflate) in ALL {
            let whole = deflate(&text);
            for end in 0..whole.len() {
                let cut = inflate(&whole[..end], 1 << 20);
                assert!(matches!(cut, Err(InflateError::Malformed(_))), "{end}: {cut:?}");
            }
            let foreign = inflate(b"{\"resourceSpans\":[]}", 1 << 20);
            assert!(matches!(foreign, Err(InflateError::Malformed(_))), "{foreign:?}");
            let tail = inflate(&[whole, b"tail".to_vec()].concat(), 1 << 20);
            assert!(matches!(tail, Err(InflateError::Malformed(_))), "{tail:?}");
        }
    }

    #[test]
    fn deflate_is_one_stream_of_zlib_or_raw() {
        for compress in [zlib, raw] {
            let mut bytes = compress(b"text");
            assert_eq!(deflate(&bytes, 4), Ok(b"text".to_vec()));
            bytes.extend(compress(b"text"));
            assert!(matches!(deflate(&bytes, 100), Err(InflateError::Malformed(_))));
        }
        let mut wrong_sum = zlib(b"text");
        *wrong_sum.last_mut().unwrap() ^= 1;
        assert!(matches!(deflate(&wrong_sum, 100), Err(InflateError::Malformed(_))));
        for level in 0..=9 {
            let level = flate2::Compression::new(level);
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(&[7; 100_000]).unwrap();
            let bytes = encoder.finish().unwrap();
            assert_eq!(deflate(&bytes, 100_000).map(|out| out.len()), Ok(100_000), "{level:?}");
        }
    }

    #[test]
    fn a_window_beyond_the_limit_is_refused() {
        let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(26).unwrap();
        encoder.write_all(b"small").unwrap();
        let bytes = encoder.finish().unwrap();
        assert!(matches!(zstd(&bytes, 16 << 20), Err(InflateError::Malformed(_))));
        assert_eq!(zstd(&bytes, 64 << 20), Ok(b"small".to_vec()));
        assert_eq!([window_log(0), window_log(16 << 20), window_log(usize::MAX)], [23, 24, 27]);
    }
}

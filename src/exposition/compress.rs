//! The coding of a body on its way (RFC 9110, section 12.5.3).

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::list::choices;

/// The lowest level of either: an exposition repeats itself so much that more work gains little.
const LEVEL: u8 = 1;

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// The best coding for an `Accept-Encoding` header: one it names, if that weighs no less than
/// leaving the body alone. A wildcard is no wish to have a body compressed.
pub fn encoding(accept: Option<&str>) -> ContentEncoding {
    let weight = |names: &[&str]| {
        choices(accept.unwrap_or_default())
            .find(|choice| names.iter().any(|name| choice.value.eq_ignore_ascii_case(name)))
            .map(|choice| choice.weight)
    };
    let gzip = weight(&["gzip", "x-gzip"]).unwrap_or(0);
    let zstd = weight(&["zstd"]).unwrap_or(0);
    let identity = weight(&["identity"]).or_else(|| weight(&["*"])).unwrap_or(0);
    if gzip.max(zstd) == 0 || identity > gzip.max(zstd) {
        ContentEncoding::Identity
    } else if gzip >= zstd {
        ContentEncoding::Gzip
    } else {
        ContentEncoding::Zstd
    }
}

impl ContentEncoding {
    /// The word in `Content-Encoding`; none for identity, which is not said.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// A body in this coding.
    ///
    /// # Errors
    ///
    /// Those of the compressor, which has none to speak of when it writes to memory. Identity
    /// always works.
    pub fn compress(self, body: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => {
                let room = Vec::with_capacity(body.len() / 8);
                let mut encoder = GzEncoder::new(room, Compression::new(LEVEL.into()));
                encoder.write_all(&body)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(&body, LEVEL.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ContentEncoding::{Gzip, Identity, Zstd};
    use super::*;

    #[test]
    fn the_heaviest_coding_we_have_wins() {
        assert_eq!(encoding(None), Identity);
        for (header, expected) in [
            ("", Identity),
            ("identity", Identity),
            ("gzip", Gzip),
            ("GZip", Gzip),
            ("x-gzip", Gzip),
            ("gzip;q=0,br", Identity),
            ("gzip;q=0", Identity),
            ("br, deflate", Identity),
            ("*", Identity),
            ("*;q=0", Identity),
            ("gzip, *;q=0", Gzip),
            ("deflate, gzip, br, zstd", Gzip),
            ("zstd, gzip", Gzip),
            ("zstd;q=0.9, gzip;q=0.8", Zstd),
            ("zstd", Zstd),
            ("gzip;q=0.5, identity", Identity),
            ("gzip;q=0.5, identity;q=0.5", Gzip),
            ("gzip;q=0.5, *", Identity),
            ("gzip;q=x", Identity),
        ] {
            assert_eq!(encoding(Some(header)), expected, "{header}");
        }
    }

    #[test]
    fn bodies_survive() {
        let body = b"a_total{b=\"c\"} 1\n".repeat(1000);
        assert_eq!(Identity.compress(body.clone()).unwrap(), body);

        let packed = Gzip.compress(body.clone()).unwrap();
        let mut decoder = flate2::write::GzDecoder::new(Vec::new());
        decoder.write_all(&packed).unwrap();
        assert_eq!(decoder.finish().unwrap(), body);

        let packed = Zstd.compress(body.clone()).unwrap();
        assert_eq!(zstd::bulk::decompress(&packed, body.len()).unwrap(), body);
        assert_eq!((Gzip.as_str(), Zstd.as_str()), (Some("gzip"), Some("zstd")));
    }
}

//! A whole request as its sender wrote it: what is passed on.

use bytes::Bytes;

use crate::view::Signal;

use super::buffer::Buffer;
use super::inflate::{self, InflateError};
use super::{Encoding, WireError, json_to_protobuf};

/// How bytes are compressed on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, and RFC 1951 as some clients understand the name.
    Deflate,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// By its name in a header; nothing is identity. None: not one of ours.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Some(Self::Identity),
            b"gzip" | b"x-gzip" => Some(Self::Gzip),
            // The Collector's exporters call it zlib.
            b"deflate" | b"zlib" => Some(Self::Deflate),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Its name in a header; none for identity, which needs no header.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The inflated bytes; none for identity.
    ///
    /// # Errors
    /// When they hold more than `limit` bytes, or are not in this coding to their end.
    pub fn inflate(self, bytes: &[u8], limit: usize) -> Result<Option<Buffer>, InflateError> {
        match self {
            Self::Identity => Ok(None),
            Self::Gzip => inflate::gzip(bytes, limit).map(Some),
            Self::Deflate => inflate::deflate(bytes, limit).map(Some),
            Self::Zstd => inflate::zstd(bytes, limit).map(Some),
        }
    }
}

/// One export request.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// What it carries.
    pub signal: Signal,
    /// How it is written.
    pub encoding: Encoding,
    /// How it is compressed.
    pub coding: Coding,
    /// How often instances of this program have forwarded it.
    pub hops: u8,
    /// Its body, still compressed and without any framing of its transport.
    pub bytes: Bytes,
}

/// A request that can't be written in another encoding.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// It can't be inflated.
    #[error(transparent)]
    Inflate(#[from] InflateError),
    /// It is not what it claims to be.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl ExportRequest {
    /// The same request for a receiver of OTLP/gRPC: in protobuf, and without deflate, which few of them support. A request that is so
    /// already stays as it is; another one is inflated and transcoded.
    ///
    /// # Errors
    /// When it takes more than `limit` bytes on the way, or is not what it claims to be.
    pub fn into_protobuf(self, limit: usize) -> Result<Self, RewriteError> {
        if self.encoding == Encoding::Protobuf && self.coding != Coding::Deflate {
            return Ok(self);
        }
        let inflated = self.coding.inflate(&self.bytes, limit)?.map(Buffer::into_bytes);
        let plain = inflated.unwrap_or(self.bytes);
        let bytes = match self.encoding {
            Encoding::Protobuf => plain,
            Encoding::Json => {
                let mut out = Vec::with_capacity(plain.len() / 2);
                json_to_protobuf(self.signal, &plain, limit, &mut out)?;
                out.into()
            }
        };
        Ok(Self { encoding: Encoding::Protobuf, coding: Coding::Identity, bytes, ..self })
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message;

    use super::*;

    #[test]
    fn json_becomes_protobuf_and_protobuf_stays_as_it_is() {
        let request = |encoding, coding, bytes: &'static [u8]| ExportRequest {
            signal: Signal::Traces,
            encoding,
            coding,
            hops: 0,
            bytes: Bytes::from_static(bytes),
        };
        let same = request(Encoding::Protobuf, Coding::Gzip, b"whatever").into_protobuf(1).unwrap();
        assert_eq!((same.coding, &same.bytes[..]), (Coding::Gzip, &b"whatever"[..]));

        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}"#;
        let whole = request(Encoding::Json, Coding::Identity, json).into_protobuf(1000).unwrap();
        assert_eq!((whole.encoding, whole.coding), (Encoding::Protobuf, Coding::Identity));
        let decoded = ExportTraceServiceRequest::decode(whole.bytes).unwrap();
        assert_eq!(decoded.resource_spans[0].scope_spans[0].spans[0].name, "x");
        let deflated = b"\x78\x9c\xab\x00\x00\x00\x79\x00\x79"; // the one byte `x`
        let plain =
            request(Encoding::Protobuf, Coding::Deflate, deflated).into_protobuf(1).unwrap();
        assert_eq!((plain.coding, &plain.bytes[..]), (Coding::Identity, &b"x"[..]));
        let bad = request(Encoding::Json, Coding::Zstd, json).into_protobuf(1000);
        assert!(matches!(bad, Err(RewriteError::Inflate(_))), "{bad:?}");
    }
}

//! A whole request as its sender wrote it: what is passed on.

use bytes::Bytes;

use crate::view::Signal;

use super::inflate::{self, InflateError};
use super::{Encoding, WireError, json_to_protobuf};

/// How bytes are compressed on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// By its name in a header; nothing is identity. None: not one of ours.
    pub fn named(name: &[u8]) -> Option<Self> {
        match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Some(Self::Identity),
            b"gzip" | b"x-gzip" => Some(Self::Gzip),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Its name in a header; none for identity, which needs no header.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
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
    /// The same request in protobuf: as it is when it is that already, else transcoded and no longer compressed.
    ///
    /// # Errors
    /// When it takes more than `limit` bytes on the way, or is not what it claims to be.
    pub fn into_protobuf(self, limit: usize) -> Result<Self, RewriteError> {
        if self.encoding == Encoding::Protobuf {
            return Ok(self);
        }
        let inflated = match self.coding {
            Coding::Identity => None,
            Coding::Gzip => Some(inflate::gzip(&self.bytes, limit)?),
            Coding::Zstd => Some(inflate::zstd(&self.bytes, limit)?),
        };
        let json = inflated.as_deref().unwrap_or(&self.bytes);
        let mut out = Vec::with_capacity(json.len() / 2);
        json_to_protobuf(self.signal, json, limit, &mut out)?;
        let (encoding, coding) = (Encoding::Protobuf, Coding::Identity);
        Ok(Self { encoding, coding, bytes: out.into(), ..self })
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
            bytes: Bytes::from_static(bytes),
        };
        let same = request(Encoding::Protobuf, Coding::Gzip, b"whatever").into_protobuf(1).unwrap();
        assert_eq!((same.coding, &same.bytes[..]), (Coding::Gzip, &b"whatever"[..]));

        let json = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}"#;
        let whole = request(Encoding::Json, Coding::Identity, json).into_protobuf(1000).unwrap();
        assert_eq!((whole.encoding, whole.coding), (Encoding::Protobuf, Coding::Identity));
        let decoded = ExportTraceServiceRequest::decode(whole.bytes).unwrap();
        assert_eq!(decoded.resource_spans[0].scope_spans[0].spans[0].name, "x");
        let bad = request(Encoding::Json, Coding::Zstd, json).into_protobuf(1000);
        assert!(matches!(bad, Err(RewriteError::Inflate(_))), "{bad:?}");
    }
}

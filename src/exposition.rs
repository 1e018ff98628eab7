//! Stand-in of this branch for the exposition; the merge takes the other file.

use std::io::{self, Write};

use crate::model::{FamilySnapshot, RowValue};

/// Text.
#[derive(Clone, Copy, Debug)]
pub struct Format;

/// What an operator may choose about a body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `_created` lines.
    pub created_lines: bool,
}

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
}

/// The best format.
pub fn format(_accept: Option<&str>) -> Format {
    Format
}

/// The best coding.
pub fn encoding(accept: Option<&str>) -> ContentEncoding {
    match accept {
        Some(accept) if accept.contains("gzip") => ContentEncoding::Gzip,
        _ => ContentEncoding::Identity,
    }
}

/// Text of counters.
pub fn write(families: &[FamilySnapshot], _: Format, _: Options, out: &mut Vec<u8>) {
    for family in families {
        for row in &family.rows {
            let RowValue::Counter(value, _) = row.value else { continue };
            let labels = row.labels.0.iter().map(|(n, v)| format!("{}=\"{v}\"", n.as_str()));
            let labels = labels.collect::<Vec<_>>().join(",");
            let name = family.family.name.as_str();
            out.extend(format!("{name}{{{labels}}} {value}\n").bytes());
        }
    }
}

impl Format {
    /// The `Content-Type`.
    pub fn content_type(&self) -> String {
        "text/plain; version=0.0.4; charset=utf-8".into()
    }
}

impl ContentEncoding {
    /// The word in `Content-Encoding`; none for identity, which is not said.
    pub fn as_str(self) -> Option<&'static str> {
        (self == Self::Gzip).then_some("gzip")
    }

    /// A body in this coding.
    pub fn compress(self, body: Vec<u8>) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(body),
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
                encoder.write_all(&body)?;
                encoder.finish()
            }
        }
    }
}

//! What is wrong with a request's bytes, and where: for the sender's answer and for the log, never with content in it.

use std::borrow::Cow;
use std::fmt;

use crate::view::Visitor;

/// Why a request can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not the message it claims to be.
    #[error("{at}: {what}")]
    Malformed {
        /// Where.
        at: Place,
        /// What is wrong there.
        what: Cow<'static, str>,
    },
    /// The request grew over the limit while it was transcoded.
    #[error("the request takes more than {limit} bytes as protobuf")]
    TooLarge {
        /// Bytes it may take.
        limit: usize,
    },
    /// The request has more items than may be evaluated at once.
    #[error("evaluating the request's items takes more than {limit} bytes; send fewer at a time")]
    TooManyItems {
        /// Bytes that evaluation may be charged with.
        limit: usize,
    },
    /// The visitor stopped the walk before the request's end.
    #[error("the request was not read to its end")]
    Stopped,
}

/// A place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Offset in protobuf, from 0.
    Byte(usize),
    /// Place in JSON.
    Line {
        /// From 1.
        line: usize,
        /// From 1, in bytes; 0 is the end of the line before.
        column: usize,
        /// Known keys from the top to the value, joined by dots; empty at the top.
        path: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(offset) => write!(out, "byte {offset}"),
            Self::Line { line, column, path } if path.is_empty() => {
                write!(out, "line {line} column {column}")
            }
            Self::Line { line, column, path } => {
                write!(out, "line {line} column {column}, {path}")
            }
        }
    }
}

/// A fault in the framing, small enough for the hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Address of the byte; where in the body is told by [`Fault::within`], so a cursor need not know where it began.
    address: usize,
    what: What,
}

/// The ways in which framing can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A field or a message ends after what holds it.
    Truncated,
    /// A varint of more than 64 bits.
    LongVarint,
    /// A field key of more than 32 bits, or field 0.
    FieldNumber,
    /// A wire type that does not exist, or a group.
    WireType,
    /// A known field with another wire type than its own.
    OtherType,
    /// No fault: the visitor is full.
    Stopped,
    /// Lists and maps beyond `VALUE_DEPTH`: the value is missing, and the request is read on.
    TooDeep,
}

impl Fault {
    /// A fault at the first of these bytes.
    #[cold]
    pub fn new(at: &[u8], what: What) -> Self {
        Self { address: at.as_ptr() as usize, what }
    }

    /// The end of a walk whose visitor is full.
    #[inline]
    pub fn unless_full<'a>(visitor: &impl Visitor<'a>) -> Result<(), Self> {
        if visitor.is_full() { Err(Self::new(b"", What::Stopped)) } else { Ok(()) }
    }

    /// Whether only an attribute's value is lost, because it nests too deep.
    pub fn is_too_deep(self) -> bool {
        self.what == What::TooDeep
    }

    /// The fault as people see it. `body` is what was walked.
    #[cold]
    pub fn within(self, body: &[u8]) -> WireError {
        let at = Place::Byte(self.address.saturating_sub(body.as_ptr() as usize));
        let what = match self.what {
            What::Stopped => return WireError::Stopped,
            What::TooDeep => "lists and maps nest too deep",
            What::Truncated => "the field ends after the message that holds it",
            What::LongVarint => "a varint of more than 64 bits",
            What::FieldNumber => "no field has this number",
            What::WireType => "a group, or a wire type that does not exist",
            What::OtherType => "a known field with a wrong wire type",
        };
        WireError::Malformed { at, what: Cow::Borrowed(what) }
    }
}

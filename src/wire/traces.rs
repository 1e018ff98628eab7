//! Spans, their events and links (trace.proto).

use crate::clock::Timestamp;
use crate::view::{Origin, Span, SpanEvent, SpanKind, Status, Visitor};

use super::cursor::{Cursor, Fields, delimited, fixed32, fixed64, known, varint};
use super::envelope;
use super::error::{Fault, WireError};
use super::value::{attribute, check_attribute};

/// Tells the visitor everything in an `ExportTraceServiceRequest`, in the order [`Visitor`] promises.
///
/// # Errors
/// At the first fault in the framing; the visitor was told what stood before it.
pub fn walk_traces<'a, V: Visitor<'a>>(body: &'a [u8], visitor: &mut V) -> Result<(), WireError> {
    envelope::walk(body, visitor, span)
}

/// The field numbers of `Span`.
mod fields {
    use super::*;

    pub(super) const TRACE_ID: u32 = delimited(1);
    pub(super) const SPAN_ID: u32 = delimited(2);
    pub(super) const TRACE_STATE: u32 = delimited(3);
    pub(super) const PARENT_SPAN_ID: u32 = delimited(4);
    pub(super) const NAME: u32 = delimited(5);
    pub(super) const KIND: u32 = varint(6);
    pub(super) const START: u32 = fixed64(7);
    pub(super) const END: u32 = fixed64(8);
    pub(super) const ATTRIBUTES: u32 = delimited(9);
    pub(super) const DROPPED_ATTRIBUTES: u32 = varint(10);
    pub(super) const EVENTS: u32 = delimited(11);
    pub(super) const DROPPED_EVENTS: u32 = varint(12);
    pub(super) const LINKS: u32 = delimited(13);
    pub(super) const DROPPED_LINKS: u32 = varint(14);
    pub(super) const STATUS: u32 = delimited(15);
    pub(super) const FLAGS: u32 = fixed32(16);
    pub(super) const ALL: u32 = known(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
}

/// Events are told after the span, so the walk goes back to the first of them: that costs a length for each field after it and
/// needs no memory, however many events a span has.
fn span<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<(), Fault> {
    let mut span = Span::default();
    let mut events = None;
    let mut cursor = Cursor::new(bytes);
    loop {
        let here = cursor;
        let Some(key) = cursor.key()? else { break };
        match key {
            fields::ATTRIBUTES => attribute(cursor.bytes()?, Origin::Span, visitor)?,
            fields::TRACE_ID => span.trace_id = cursor.bytes()?,
            fields::SPAN_ID => span.span_id = cursor.bytes()?,
            fields::PARENT_SPAN_ID => span.parent_span_id = cursor.bytes()?,
            fields::TRACE_STATE => span.trace_state = cursor.bytes()?,
            fields::NAME => span.name = cursor.bytes()?,
            fields::KIND => span.kind = kind(cursor.varint()?),
            fields::START => span.start = Timestamp(cursor.fixed64()?),
            fields::END => span.end = Timestamp(cursor.fixed64()?),
            fields::STATUS => status(cursor.bytes()?, &mut span.status)?,
            fields::EVENTS => {
                cursor.bytes()?;
                events.get_or_insert(here);
            }
            fields::LINKS => check_link(cursor.bytes()?)?,
            fields::FLAGS => {
                cursor.fixed32()?;
            }
            fields::DROPPED_ATTRIBUTES | fields::DROPPED_EVENTS | fields::DROPPED_LINKS => {
                cursor.varint()?;
            }
            _ => cursor.other(key, fields::ALL)?,
        }
    }
    visitor.span(&span);
    for bytes in events.into_iter().flat_map(|first| Fields::new(first, fields::EVENTS)) {
        event(bytes, visitor)?;
    }
    Ok(())
}

fn event<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<(), Fault> {
    const TIME: u32 = fixed64(1);
    const NAME: u32 = delimited(2);
    const ATTRIBUTES: u32 = delimited(3);
    const DROPPED: u32 = varint(4);
    let mut event = SpanEvent::default();
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            TIME => event.time = Timestamp(cursor.fixed64()?),
            NAME => event.name = cursor.bytes()?,
            ATTRIBUTES => attribute(cursor.bytes()?, Origin::Event, visitor)?,
            DROPPED => {
                cursor.varint()?;
            }
            _ => cursor.other(key, known(&[1, 2, 3, 4]))?,
        }
    }
    visitor.event(&event);
    Ok(())
}

/// Nobody is told of links; a broken one still refuses the request.
fn check_link(bytes: &[u8]) -> Result<(), Fault> {
    const TRACE_ID: u32 = delimited(1);
    const SPAN_ID: u32 = delimited(2);
    const TRACE_STATE: u32 = delimited(3);
    const ATTRIBUTES: u32 = delimited(4);
    const DROPPED: u32 = varint(5);
    const FLAGS: u32 = fixed32(6);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            TRACE_ID | SPAN_ID | TRACE_STATE => {
                cursor.bytes()?;
            }
            ATTRIBUTES => check_attribute(cursor.bytes()?)?,
            DROPPED => {
                cursor.varint()?;
            }
            FLAGS => {
                cursor.fixed32()?;
            }
            _ => cursor.other(key, known(&[1, 2, 3, 4, 5, 6]))?,
        }
    }
    Ok(())
}

fn status(bytes: &[u8], status: &mut Status) -> Result<(), Fault> {
    const MESSAGE: u32 = delimited(2);
    const CODE: u32 = varint(3);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            MESSAGE => {
                cursor.bytes()?;
            }
            // Enums are 32 bits of what a varint may carry.
            CODE => {
                *status = match cursor.varint()? as u32 {
                    1 => Status::Ok,
                    2 => Status::Error,
                    _ => Status::Unset,
                }
            }
            _ => cursor.other(key, known(&[2, 3]))?,
        }
    }
    Ok(())
}

/// Enums are 32 bits of what a varint may carry.
fn kind(value: u64) -> SpanKind {
    match value as u32 {
        1 => SpanKind::Internal,
        2 => SpanKind::Server,
        3 => SpanKind::Client,
        4 => SpanKind::Producer,
        5 => SpanKind::Consumer,
        _ => SpanKind::Unspecified,
    }
}

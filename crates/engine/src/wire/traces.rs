//! Spans, their events and links (trace.proto).

use crate::timestamp::Timestamp;
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
    while let Some(key) = cursor.key()? {
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
                let first = cursor.bytes()?;
                events.get_or_insert((first, cursor));
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
    if let Some((first, rest)) = events {
        event(first, visitor)?;
        for bytes in Fields::new(rest, fields::EVENTS) {
            event(bytes, visitor)?;
            Fault::unless_full(visitor)?;
        }
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

#[cfg(test)]
mod tests {
    use prost::Message;

    use crate::wire::testing::{Lines, any, field, kv, list, map};

    use super::*;

    fn walk(body: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Lines::default();
        walk_traces(body, &mut lines).map(|()| lines.0).map_err(|error| error.to_string())
    }

    /// A request of one span.
    fn request(span: &[u8]) -> Vec<u8> {
        field(1, field(2, field(2, span)))
    }

    /// The lines of a request of one span, without those of its surroundings.
    fn of_span(span: &[u8]) -> Result<Vec<String>, String> {
        walk(&request(span)).map(|mut lines| lines.split_off(2))
    }

    fn attribute_bytes(key: &str) -> Vec<u8> {
        kv(key, any("v")).encode_to_vec()
    }

    #[test]
    fn the_order_of_calls_does_not_follow_the_order_of_fields() {
        let event =
            [field(3, attribute_bytes("ea")), field(2, "e"), vec![9, 7, 0, 0, 0, 0, 0, 0, 0]];
        let span = [field(11, event.concat()), field(9, attribute_bytes("sa")), field(5, "s")];
        let scope = [field(3, attribute_bytes("ca")), field(2, "1"), field(1, "c")];
        let scope_spans = [field(2, span.concat()), field(1, scope.concat())];
        let resource = field(1, attribute_bytes("ra"));
        let body = field(1, [field(2, scope_spans.concat()), field(1, resource)].concat());
        assert_eq!(
            walk(&body).unwrap(),
            [
                "resource",
                "Resource ra=v",
                "scope c 1",
                "Scope ca=v",
                "Span sa=v",
                "span s Unspecified Unset",
                "Event ea=v",
                "event e 7",
            ]
        );
    }

    #[test]
    fn every_resource_and_scope_is_told_even_when_it_is_not_there() {
        assert_eq!(walk(b"").unwrap(), [""; 0]);
        assert_eq!(walk(&field(1, "")).unwrap(), ["resource"]);
        assert_eq!(walk(&field(1, field(2, ""))).unwrap(), ["resource", "scope  "]);
        let two = [field(2, field(1, field(1, "a"))), field(2, field(1, field(1, "b")))].concat();
        assert_eq!(walk(&field(1, two)).unwrap(), ["resource", "scope a ", "scope b "]);
    }

    #[test]
    fn occurrences_of_one_message_merge() {
        let twice = |key: &str| field(1, field(1, attribute_bytes(key)));
        let resource = field(1, [twice("a"), field(2, ""), twice("b")].concat());
        assert_eq!(
            walk(&resource).unwrap(),
            ["resource", "Resource a=v", "Resource b=v", "scope  "]
        );
        let scope = [
            field(1, [field(1, "a"), field(2, "1"), field(3, attribute_bytes("x"))].concat()),
            field(1, [field(1, "b"), field(3, attribute_bytes("y"))].concat()),
        ];
        assert_eq!(
            walk(&field(1, field(2, scope.concat()))).unwrap(),
            ["resource", "scope b 1", "Scope x=v", "Scope y=v"]
        );
        let status = [field(15, [0x18, 2]), field(15, field(2, "message")), field(5, "n")];
        assert_eq!(of_span(&status.concat()).unwrap(), ["span n Unspecified Error"]);
        let scalars = [field(5, "a"), vec![0x30, 2], field(5, "b"), vec![0x30, 3]];
        assert_eq!(of_span(&scalars.concat()).unwrap(), ["span b Client Unset"]);
    }

    #[test]
    fn values_in_pieces_merge_too() {
        let value = |value| field(2, any_bytes(value));
        let any_bytes_of = |pieces: &[Vec<u8>]| {
            let key_value = [&[field(1, "k")], pieces].concat().concat();
            of_span(&field(9, key_value)).unwrap().remove(0)
        };
        let (a, b) = (value(list([any("a")])), value(list([any("b")])));
        assert_eq!(any_bytes_of(&[a.clone(), b.clone()]), r#"Span k=["a","b"]"#);
        assert_eq!(any_bytes_of(&[a.clone(), value(any(7)), b]), r#"Span k=["b"]"#);
        assert_eq!(any_bytes_of(&[a, value(any(7))]), "Span k=7");
        assert_eq!(any_bytes_of(&[value(any(7)), field(2, "")]), "Span k=7");
        assert_eq!(any_bytes_of(&[]), "Span k=");
        assert_eq!(any_bytes_of(&[value(map([kv("x", any(1))]))]), r#"Span k={"x":1}"#);
        assert_eq!(any_bytes_of(&[field(2, [0x40, 3])]), "Span k=", "an index of profiles");
    }

    fn any_bytes(value: opentelemetry_proto::tonic::common::v1::AnyValue) -> Vec<u8> {
        value.encode_to_vec()
    }

    #[test]
    fn enums_beyond_the_known_are_the_default() {
        for (kind, code, expected) in [
            (5, 1, "span  Consumer Ok"),
            (6, 3, "span  Unspecified Unset"),
            (0x7f, 0x7f, "span  Unspecified Unset"),
        ] {
            let span = [vec![0x30, kind], field(15, [0x18, code])].concat();
            assert_eq!(of_span(&span).unwrap(), [expected]);
        }
        // Only 32 bits of the varint are the enum, as in prost.
        assert_eq!(of_span(&[0x30, 0x82, 0x80, 0x80, 0x80, 0x10]).unwrap(), ["span  Server Unset"]);
    }

    #[test]
    fn unknown_fields_are_skipped_in_every_message() {
        // Field 100 in the four wire types.
        let unknown = [
            vec![0xa0, 6, 0x80, 1],
            vec![0xa1, 6, 1, 2, 3, 4, 5, 6, 7, 8],
            vec![0xa2, 6, 2, 1, 1],
            vec![0xa5, 6, 1, 2, 3, 4],
        ]
        .concat();
        let with = |fields: Vec<u8>| [unknown.clone(), fields, unknown.clone()].concat();
        let value = with(field(1, "v"));
        let attribute = with([field(1, "k"), field(2, value)].concat());
        let event = with([field(2, "e"), field(3, &attribute)].concat());
        let link = with(field(4, &attribute));
        let status = with(vec![0x18, 1]);
        let span = with(
            [field(11, event), field(13, link), field(9, &attribute), field(15, status)].concat(),
        );
        let scope = with([field(1, "c"), field(3, &attribute)].concat());
        let scope_spans = with([field(2, span), field(1, scope)].concat());
        let resource = with([field(1, &attribute), field(3, with(field(2, "t")))].concat());
        let body = with(field(1, with([field(2, scope_spans), field(1, resource)].concat())));
        assert_eq!(
            walk(&body).unwrap(),
            [
                "resource",
                "Resource k=v",
                "scope c ",
                "Scope k=v",
                "Span k=v",
                "span  Unspecified Ok",
                "Event k=v",
                "event e 0",
            ]
        );
    }

    #[test]
    fn known_fields_keep_their_wire_type() {
        for number in 1..=15_u8 {
            for wire_type in [0, 1, 2, 5] {
                let legal = match number {
                    6 | 10 | 12 | 14 => 0,
                    7 | 8 => 1,
                    _ => 2,
                };
                let span = [number << 3 | wire_type, 0, 0, 0, 0, 0, 0, 0, 0];
                let length = match wire_type {
                    1 => 9,
                    5 => 5,
                    _ => 2,
                };
                let walked = of_span(&span[..length]);
                assert_eq!(walked.is_ok(), wire_type == legal, "field {number} as {wire_type}");
            }
        }
        assert!(of_span(&[0x85, 1, 0, 0, 0, 0]).is_ok(), "flags");
        assert!(of_span(&[0x80, 1, 0]).is_err(), "flags");
    }

    #[test]
    fn faults_are_found_where_they_are() {
        assert_eq!(
            walk(&[0x0a, 3, 0x12, 9, 0]).unwrap_err(),
            "byte 3: the field ends after the message that holds it"
        );
        let group = request(&[0x0b, 0x0c]);
        assert_eq!(walk(&group).unwrap_err(), "byte 7: a known field with a wrong wire type");
        assert!(walk(&request(&[0xa3, 6, 0xa4, 6])).unwrap_err().contains("group"));
        assert!(walk(&request(&[0, 0])).unwrap_err().contains("number"));
        for broken in [
            field(11, [0x0a, 0]),
            field(13, field(4, field(2, field(1, "x").split_at(2).0))),
            field(15, [0x1a, 0]),
            field(9, field(2, field(5, field(1, [0x08, 0])))),
            field(9, field(2, field(6, field(1, [0x08, 0])))),
        ] {
            assert!(of_span(&broken).is_err(), "{broken:?}");
        }
        assert!(walk(&field(1, field(1, field(3, [0x08, 0])))).is_err(), "an entity's text");
    }

    #[test]
    fn a_value_beyond_the_depth_is_missing_and_its_neighbours_are_not() {
        use crate::limits::VALUE_DEPTH;
        let lists = |depth| (0..depth).fold(any(1), |inner, _| list([inner]));
        let maps = |depth| (0..depth).fold(any(1), |inner, _| map([kv("k", inner)]));
        let beside = field(9, attribute_bytes("beside"));
        for (whole, deep) in [
            (lists(VALUE_DEPTH), lists(VALUE_DEPTH + 1)),
            (maps(VALUE_DEPTH), maps(VALUE_DEPTH + 1)),
            (lists(VALUE_DEPTH), list([any(1), maps(VALUE_DEPTH), any(2)])),
        ] {
            let span = |value| field(9, kv("deep", value).encode_to_vec());
            assert!(of_span(&span(whole)).unwrap()[0].contains('1'));
            let link = field(13, field(4, kv("deep", deep.clone()).encode_to_vec()));
            let lines = of_span(&[span(deep), link, beside.clone()].concat()).unwrap();
            assert_eq!(lines[..2], ["Span deep=", "Span beside=v"]);
        }
    }

    #[test]
    fn a_value_of_any_depth_is_cheap() {
        // Written from the inside, each length once: a hundred thousand lists within each other.
        let mut inside_out: Vec<u8> = Vec::new();
        let mut length = 0_u64;
        for key in [0x0a, 0x2a].repeat(100_000) {
            let mut header = vec![key];
            prost::encoding::encode_varint(length, &mut header);
            length += header.len() as u64;
            inside_out.extend(header.iter().rev());
        }
        inside_out.reverse();
        let attribute = [field(1, "deep"), field(2, inside_out)].concat();
        assert_eq!(of_span(&field(9, attribute)).unwrap()[0], "Span deep=");
    }

    #[test]
    fn text_is_not_checked() {
        assert_eq!(of_span(&field(5, [0xff])).unwrap(), ["span \\xff Unspecified Unset"]);
    }
}

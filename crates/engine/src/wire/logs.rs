//! Log records (logs.proto).

use crate::limits::VALUE_DEPTH;
use crate::timestamp::Timestamp;
use crate::view::{LogRecord, Nested, Origin, Value, Visitor};

use super::cursor::{Cursor, delimited, fixed32, fixed64, known, varint};
use super::envelope;
use super::error::{Fault, WireError};
use super::nested::{self, BODY};
use super::value::{any_value, attribute};

const TIME: u32 = fixed64(1);
const SEVERITY_NUMBER: u32 = varint(2);
const SEVERITY_TEXT: u32 = delimited(3);
const ATTRIBUTES: u32 = delimited(6);
const DROPPED: u32 = varint(7);
const FLAGS: u32 = fixed32(8);
const TRACE_ID: u32 = delimited(9);
const SPAN_ID: u32 = delimited(10);
const OBSERVED: u32 = fixed64(11);
const EVENT_NAME: u32 = delimited(12);
const ALL: u32 = known(&[1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]);

/// Tells the visitor everything in an `ExportLogsServiceRequest`, in the order [`Visitor`] promises.
///
/// # Errors
/// At the first fault in the framing; the visitor was told what stood before it.
pub fn walk_logs<'a, V: Visitor<'a>>(body: &'a [u8], visitor: &mut V) -> Result<(), WireError> {
    envelope::walk(body, visitor, record)
}

fn record<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<(), Fault> {
    let home = Nested { bytes, write_json: nested::write_body };
    let mut record = LogRecord::default();
    let mut body_is_missing = false;
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            TIME => record.time = Timestamp(cursor.fixed64()?),
            OBSERVED => record.observed = Timestamp(cursor.fixed64()?),
            // Enums are 32 bits of what a varint may carry.
            SEVERITY_NUMBER => record.severity_number = cursor.varint()? as i32,
            SEVERITY_TEXT => record.severity_text = cursor.bytes()?,
            BODY => match any_value(cursor.bytes()?, &mut record.body, home, VALUE_DEPTH) {
                Err(fault) if fault.is_too_deep() => body_is_missing = true,
                read => read?,
            },
            ATTRIBUTES => attribute(cursor.bytes()?, Origin::Log, visitor)?,
            TRACE_ID => record.trace_id = cursor.bytes()?,
            SPAN_ID => record.span_id = cursor.bytes()?,
            EVENT_NAME => record.event_name = cursor.bytes()?,
            DROPPED => {
                cursor.varint()?;
            }
            FLAGS => {
                cursor.fixed32()?;
            }
            _ => cursor.other(key, ALL)?,
        }
    }
    if body_is_missing {
        record.body = Value::Empty;
    }
    visitor.log(&record);
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use crate::wire::testing::{Lines, any, field, kv, list};

    use super::*;

    fn walk(record: &[u8]) -> Result<Vec<String>, String> {
        let mut lines = Lines::default();
        let body = field(1, field(2, field(2, record)));
        let walked = walk_logs(&body, &mut lines);
        walked.map(|()| lines.0.split_off(2)).map_err(|error| error.to_string())
    }

    fn body(value: opentelemetry_proto::tonic::common::v1::AnyValue) -> Vec<u8> {
        field(5, value.encode_to_vec())
    }

    #[test]
    fn attributes_come_before_their_record() {
        let attribute = field(6, kv("k", any(7)).encode_to_vec());
        let record = [field(12, "name"), body(any("text")), attribute].concat();
        assert_eq!(walk(&record).unwrap(), ["Log k=7", "log name text"]);
    }

    #[test]
    fn a_body_in_pieces_is_put_together() {
        let pieces = [body(list([any("a")])), field(12, "n"), body(list([any(2)]))].concat();
        assert_eq!(walk(&pieces).unwrap(), [r#"log n ["a",2]"#]);
        assert_eq!(walk(&body(Default::default())).unwrap(), ["log  "]);
    }

    #[test]
    fn a_body_beyond_the_depth_is_missing() {
        let deep = (0..=VALUE_DEPTH).fold(any(1), |inner, _| list([inner]));
        let pieces = [body(deep), field(12, "n"), body(list([any(2)]))].concat();
        assert_eq!(walk(&pieces).unwrap(), ["log n "], "whatever comes after");
    }

    #[test]
    fn known_fields_keep_their_wire_type() {
        for (key, legal) in [(0x09, true), (0x08, false), (0x12, false), (0x20, true), (0x2a, true)]
        {
            let record = [key, 0, 0, 0, 0, 0, 0, 0, 0];
            let length = if key & 7 == 1 { 9 } else { 2 };
            assert_eq!(walk(&record[..length]).is_ok(), legal, "{key:x}");
        }
    }
}

//! One value: what its field allows, written as protobuf; what its field has no room for, skipped, kept or refused by the schema.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::limits::VALUE_DEPTH;
use crate::wire::writer::{self, Integer};

use super::schema::{Field, Kind, Misfit};
use super::{Object, State, scalar};

/// The place of a value: its field, or one entry of the field's list.
pub(super) struct Slot<'s, 'o> {
    /// What it is.
    pub(super) field: &'static Field,
    /// Whether it is an entry of the list.
    pub(super) listed: bool,
    /// Where it goes.
    pub(super) state: &'s mut State<'o>,
}

/// A scalar as JSON has it.
#[derive(Clone, Copy)]
enum Scalar<'t> {
    Bool(bool),
    Integer(i128),
    Double(f64),
    Text(&'t str),
}

impl Slot<'_, '_> {
    /// Whether a list is due here, and not its entries.
    fn is_list(&self) -> bool {
        self.field.many && !self.listed
    }

    fn refuse<E: Error>(&self) -> E {
        E::custom(format_args!("expected {self}"))
    }

    /// Writes a scalar; one that is no value of the field is handled by its [`Misfit`].
    fn scalar<E: Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        if self.is_list() {
            return Err(self.refuse());
        }
        let (field, begin) = (self.field, self.state.out.len());
        if write(field, scalar, self.state.out).is_none() {
            self.state.out.truncate(begin);
            match field.misfit {
                Misfit::Refuse => return Err(self.refuse()),
                Misfit::Skip => {}
                Misfit::Keep => keep(field.kind, scalar, self.state.out),
            }
        }
        self.state.check_size()
    }
}

/// Writes a field with this scalar. None: it is no value of the field, and `out` may end in a torn field.
fn write(field: &Field, scalar: Scalar<'_>, out: &mut Vec<u8>) -> Option<()> {
    let number = field.number;
    match (field.kind, scalar) {
        (Kind::Text, Scalar::Text(text)) => writer::delimited(number, text.as_bytes(), out),
        (Kind::Hex, Scalar::Text(text)) => {
            writer::header(number, text.len() / 2, out);
            scalar::hex(text, out)?;
        }
        (Kind::Base64, Scalar::Text(text)) => {
            writer::delimited(number, &scalar::base64(text)?, out);
        }
        (Kind::Bool, Scalar::Bool(value)) => writer::bool(number, value, out),
        (Kind::Bool, Scalar::Text(text)) => writer::bool(number, text.parse().ok()?, out),
        (Kind::Double, Scalar::Double(value)) => writer::double(number, value, out),
        (Kind::Double, Scalar::Integer(value)) => writer::double(number, value as f64, out),
        (Kind::Double, Scalar::Text(text)) => writer::double(number, scalar::double(text)?, out),
        (Kind::Integer(kind), scalar) => {
            writer::integer(number, kind, whole(scalar)?, out)?;
        }
        (Kind::Enum(names), scalar) => {
            let named = |text| names.iter().position(|name| *name == text);
            let value = match scalar {
                Scalar::Text(text) => named(text).map(|at| at as i128),
                _ => None,
            };
            writer::integer(number, Integer::Int32, value.or_else(|| whole(scalar))?, out)?;
        }
        _ => return None,
    }
    Some(())
}

/// The whole number a scalar is or spells.
fn whole(scalar: Scalar<'_>) -> Option<i128> {
    match scalar {
        Scalar::Integer(value) => Some(value),
        Scalar::Double(value) => scalar::whole(value),
        Scalar::Text(text) => scalar::integer(text),
        Scalar::Bool(_) => None,
    }
}

/// Writes a scalar of an attribute value by its JSON type, because it is no value of the key it has. A number that is no 64-bit
/// integer becomes a double: JavaScript writes hashes so.
fn keep(kind: Kind, scalar: Scalar<'_>, out: &mut Vec<u8>) {
    const TEXT: u32 = 1;
    const BOOL: u32 = 2;
    const INT: u32 = 3;
    const DOUBLE: u32 = 4;
    let number = match (kind, scalar) {
        (Kind::Integer(_), Scalar::Text(text)) => scalar::double(text),
        _ => None,
    };
    match (number, scalar) {
        (Some(value), _) | (None, Scalar::Double(value)) => writer::double(DOUBLE, value, out),
        (None, Scalar::Integer(value)) => {
            if writer::integer(INT, Integer::Int64, value, out).is_none() {
                writer::double(DOUBLE, value as f64, out);
            }
        }
        (None, Scalar::Text(text)) => writer::delimited(TEXT, text.as_bytes(), out),
        (None, Scalar::Bool(value)) => writer::bool(BOOL, value, out),
    }
}

impl fmt::Display for Slot<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self.field.kind {
            _ if self.is_list() => "a list",
            Kind::Text => "text",
            Kind::Hex => "hex digits",
            Kind::Base64 => "base64",
            Kind::Bool => "true or false",
            Kind::Double => "a number",
            Kind::Integer(_) => "a whole number that fits",
            Kind::Enum(_) => "a number or name of this enum",
            Kind::Message(_) | Kind::Nested(_) => "an object",
        })
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }

    /// `null` is as good as absent, everywhere.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(Scalar::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(Scalar::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.scalar(Scalar::Double(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar(Scalar::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.is_list() {
            return Err(self.refuse());
        }
        let Self { field, state, .. } = self;
        while list.next_element_seed(Slot { field, listed: true, state: &mut *state })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let (message, deeper) = match self.field.kind {
            Kind::Message(message) => (message, 0),
            Kind::Nested(message) => (message, 1),
            _ => return Err(self.refuse()),
        };
        if self.is_list() {
            return Err(self.refuse());
        }
        let state = self.state;
        state.charge(self.field.charge)?;
        let start = writer::open(self.field.number, state.out);
        state.depth += deeper;
        if state.depth > VALUE_DEPTH {
            // The walk counts one level too many and reports the value as missing; deeper ones need not be written.
            skip(map)?;
        } else {
            Object { message, state: &mut *state }.fields(map)?;
        }
        state.depth = state.depth.saturating_sub(deeper);
        writer::close(start, state.out);
        state.check_size()
    }
}

/// Skips an object without recursion: serde_json skips ignored values in a loop.
fn skip<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::view::Signal;
    use crate::wire::json::json_to_protobuf;
    use crate::wire::json::schema::Message;

    use super::*;

    /// A message in a request: the JSON before its fields and after them.
    type Place = (String, String);

    /// Visits every scalar field of a request.
    fn scalars(message: &Message, (open, close): &Place, visit: &mut dyn FnMut(&Field, &Place)) {
        for field in message.0 {
            let (Kind::Message(inner) | Kind::Nested(inner)) = field.kind else {
                visit(field, &(open.clone(), close.clone()));
                continue;
            };
            let (before, after) = if field.many { ("[{", "}]") } else { ("{", "}") };
            let place = (format!("{open}\"{}\":{before}", field.json), format!("{after}{close}"));
            // Values in values have no other fields.
            if !matches!(field.kind, Kind::Nested(_)) {
                scalars(inner, &place, visit);
            }
        }
    }

    #[test]
    fn a_misfit_in_an_unread_field_never_refuses_its_neighbours() {
        let misfits =
            ["-1", "1.5", "18446744073709551616", "true", "\"\"", "\"no hex, no number\""];
        let mut unread = Vec::new();
        for signal in Signal::ALL {
            let top = ("{".to_owned(), "}".to_owned());
            scalars(Message::request(signal), &top, &mut |field, (open, close)| {
                let read = |value: String| {
                    let json = format!("{open}\"{}\":{value}{close}", field.json);
                    let mut out = Vec::new();
                    json_to_protobuf(signal, json.as_bytes(), 1000, &mut out).map(|()| out)
                };
                if field.misfit == Misfit::Skip {
                    unread.push(format!("{open}{}", field.json));
                }
                for misfit in misfits {
                    let listed =
                        |value: &str| if field.many { format!("[{value}]") } else { value.into() };
                    let taken = read(listed(misfit));
                    let scalar = match misfit {
                        "-1" => Scalar::Integer(-1),
                        "1.5" => Scalar::Double(1.5),
                        "18446744073709551616" => Scalar::Double(2_f64.powi(64)),
                        "true" => Scalar::Bool(true),
                        text => Scalar::Text(text.trim_matches('"')),
                    };
                    let fits = write(field, scalar, &mut Vec::new()).is_some();
                    let refused = !fits && field.misfit == Misfit::Refuse;
                    assert_eq!(taken.is_err(), refused, "{open}{}: {misfit}", field.json);
                    if !fits && field.misfit == Misfit::Skip {
                        assert_eq!(taken, read(listed("null")), "{}", field.json);
                    }
                    // A list instead of a scalar, or the other way round, is broken structure.
                    let broken = if field.many { misfit.to_owned() } else { format!("[{misfit}]") };
                    assert!(read(broken).is_err(), "{open}{}", field.json);
                }
            });
        }
        assert!(unread.iter().any(|path| path.ends_with("\"links\":[{traceId")), "{unread:?}");
        assert!(unread.iter().any(|path| path.ends_with("\"exemplars\":[{spanId")), "{unread:?}");
        assert!(unread.iter().all(|path| !path.ends_with("\"spans\":[{traceId")), "{unread:?}");
    }
}

//! One value: what its field allows, written as protobuf; everything else refused in a few words.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::wire::writer::{self, Integer};

use super::schema::{Field, Kind};
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

impl Slot<'_, '_> {
    /// Whether a list is due here, and not its entries.
    fn is_list(&self) -> bool {
        self.field.many && !self.listed
    }

    fn refuse<E: Error>(&self) -> E {
        E::custom(format_args!("expected {self}"))
    }

    /// Ends a visit that wrote something, or did not.
    fn wrote<E: Error>(self, written: Option<()>) -> Result<(), E> {
        match written {
            Some(()) => self.state.check_size(),
            None => Err(self.refuse()),
        }
    }

    fn integer<E: Error>(self, value: Option<i128>) -> Result<(), E> {
        let (is_list, number) = (self.is_list(), self.field.number);
        let out = &mut *self.state.out;
        let written = value.filter(|_| !is_list).and_then(|value| match self.field.kind {
            Kind::Integer(kind) => writer::integer(number, kind, value, out),
            Kind::Enum(_) => writer::integer(number, Integer::Int32, value, out),
            Kind::Double => {
                writer::double(number, value as f64, out);
                Some(())
            }
            _ => None,
        });
        self.wrote(written)
    }

    fn text(&mut self, text: &str) -> Option<()> {
        let (number, out) = (self.field.number, &mut *self.state.out);
        match self.field.kind {
            Kind::Text => writer::delimited(number, text.as_bytes(), out),
            Kind::Hex => {
                writer::header(number, text.len() / 2, out);
                scalar::hex(text, out)?;
            }
            Kind::Base64 => writer::delimited(number, &scalar::base64(text)?, out),
            Kind::Bool => writer::bool(number, text.parse().ok()?, out),
            Kind::Double => writer::double(number, scalar::double(text)?, out),
            Kind::Integer(kind) => {
                return writer::integer(number, kind, scalar::integer(text)?, out);
            }
            Kind::Enum(names) => {
                let known = names.iter().position(|name| *name == text);
                let value = known.map_or_else(|| scalar::integer(text), |at| Some(at as i128))?;
                return writer::integer(number, Integer::Int32, value, out);
            }
            Kind::Message(_) => return None,
        }
        Some(())
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
            Kind::Message(_) => "an object",
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
        let fits = matches!(self.field.kind, Kind::Bool) && !self.is_list();
        let number = self.field.number;
        let written = fits.then(|| writer::bool(number, value, self.state.out));
        self.wrote(written)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(Some(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(Some(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if matches!(self.field.kind, Kind::Double) && !self.is_list() {
            writer::double(self.field.number, value, self.state.out);
            self.wrote(Some(()))
        } else {
            self.integer(scalar::whole(value))
        }
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let written = if self.is_list() { None } else { self.text(text) };
        self.wrote(written)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !self.is_list() {
            return Err(self.refuse());
        }
        let Self { field, state, .. } = self;
        state.enter()?;
        while list.next_element_seed(Slot { field, listed: true, state: &mut *state })?.is_some() {}
        state.leave();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Kind::Message(message) = self.field.kind else { return Err(self.refuse()) };
        if self.is_list() {
            return Err(self.refuse());
        }
        let state = self.state;
        let start = writer::open(self.field.number, state.out);
        Object { message, state: &mut *state }.fields(map)?;
        writer::close(start, state.out);
        state.check_size()
    }
}

//! What every OTLP request has around its items: resources and scopes, told before what they hold wherever they stand.

use crate::view::{Origin, Visitor};

use super::cursor::{Cursor, Fields, delimited, known, varint};
use super::error::{Fault, WireError};
use super::value::attribute;

// Export*ServiceRequest, Resource{Spans,Logs,Metrics} and Scope{Spans,Logs,Metrics} number their fields alike.
const RESOURCES: u32 = delimited(1);
const RESOURCE: u32 = delimited(1);
const SCOPES: u32 = delimited(2);
const SCOPE: u32 = delimited(1);
const ITEMS: u32 = delimited(2);
const SCHEMA_URL: u32 = delimited(3);

/// Walks a request: resources and scopes to the visitor, every item's bytes to `item`.
pub fn walk<'a, V: Visitor<'a>>(
    body: &'a [u8],
    visitor: &mut V,
    mut item: impl FnMut(&'a [u8], &mut V) -> Result<(), Fault>,
) -> Result<(), WireError> {
    request(body, visitor, &mut item).map_err(|fault| fault.within(body))
}

fn request<'a, V: Visitor<'a>>(
    body: &'a [u8],
    visitor: &mut V,
    item: &mut impl FnMut(&'a [u8], &mut V) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut cursor = Cursor::new(body);
    while let Some(key) = cursor.key()? {
        match key {
            RESOURCES => resource_items(cursor.bytes()?, visitor, item)?,
            _ => cursor.other(key, known(&[1]))?,
        }
    }
    Ok(())
}

/// A first pass tells the resource and skips the scopes, a second one walks them: skipping costs a length each.
fn resource_items<'a, V: Visitor<'a>>(
    bytes: &'a [u8],
    visitor: &mut V,
    item: &mut impl FnMut(&'a [u8], &mut V) -> Result<(), Fault>,
) -> Result<(), Fault> {
    visitor.resource();
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            RESOURCE => resource(cursor.bytes()?, visitor)?,
            SCOPES | SCHEMA_URL => {
                cursor.bytes()?;
            }
            _ => cursor.other(key, known(&[1, 2, 3]))?,
        }
    }
    for scope in Fields::new(Cursor::new(bytes), SCOPES) {
        scope_items(scope, visitor, item)?;
    }
    Fault::unless_full(visitor)
}

fn scope_items<'a, V: Visitor<'a>>(
    bytes: &'a [u8],
    visitor: &mut V,
    item: &mut impl FnMut(&'a [u8], &mut V) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let (mut scope, mut schema_url) = (Scope::default(), b"".as_slice());
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            SCOPE => scope.merge(cursor.bytes()?)?,
            ITEMS => {
                cursor.bytes()?;
            }
            SCHEMA_URL => schema_url = cursor.bytes()?,
            _ => cursor.other(key, known(&[1, 2, 3]))?,
        }
    }
    visitor.scope(scope.name, scope.version);
    if !schema_url.is_empty() {
        visitor.schema(schema_url);
    }
    if scope.has_attributes {
        let parts = Fields::new(Cursor::new(bytes), SCOPE);
        let attributes = parts.flat_map(|part| Fields::new(Cursor::new(part), Scope::ATTRIBUTES));
        for bytes in attributes {
            attribute(bytes, Origin::Scope, visitor)?;
        }
    }
    for bytes in Fields::new(Cursor::new(bytes), ITEMS) {
        item(bytes, visitor)?;
        Fault::unless_full(visitor)?;
    }
    Fault::unless_full(visitor)
}

fn resource<'a, V: Visitor<'a>>(bytes: &'a [u8], visitor: &mut V) -> Result<(), Fault> {
    const ATTRIBUTES: u32 = delimited(1);
    const DROPPED: u32 = varint(2);
    const ENTITY_REFS: u32 = delimited(3);
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        match key {
            ATTRIBUTES => attribute(cursor.bytes()?, Origin::Resource, visitor)?,
            DROPPED => {
                cursor.varint()?;
            }
            ENTITY_REFS => check_texts(cursor.bytes()?, known(&[1, 2, 3, 4]))?,
            _ => cursor.other(key, known(&[1, 2, 3]))?,
        }
    }
    Ok(())
}

/// Checks a message whose known fields are all text.
fn check_texts(bytes: &[u8], known: u32) -> Result<(), Fault> {
    let mut cursor = Cursor::new(bytes);
    while let Some(key) = cursor.key()? {
        if key & 7 == 2 && key >> 3 < 32 && known & 1 << (key >> 3) != 0 {
            cursor.bytes()?;
        } else {
            cursor.other(key, known)?;
        }
    }
    Ok(())
}

/// `InstrumentationScope`, without its attributes.
#[derive(Default)]
struct Scope<'a> {
    name: &'a [u8],
    version: &'a [u8],
    has_attributes: bool,
}

impl<'a> Scope<'a> {
    const NAME: u32 = delimited(1);
    const VERSION: u32 = delimited(2);
    const ATTRIBUTES: u32 = delimited(3);
    const DROPPED: u32 = varint(4);

    fn merge(&mut self, bytes: &'a [u8]) -> Result<(), Fault> {
        let mut cursor = Cursor::new(bytes);
        while let Some(key) = cursor.key()? {
            match key {
                Self::NAME => self.name = cursor.bytes()?,
                Self::VERSION => self.version = cursor.bytes()?,
                Self::ATTRIBUTES => {
                    cursor.bytes()?;
                    self.has_attributes = true;
                }
                Self::DROPPED => {
                    cursor.varint()?;
                }
                _ => cursor.other(key, known(&[1, 2, 3, 4]))?,
            }
        }
        Ok(())
    }
}

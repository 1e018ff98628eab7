//! From the bytes of an OTLP file to its requests: one JSON request a line, JSON that was pretty-printed, or one request in
//! protobuf.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use engine::explain::Request;
use engine::view::Signal;
use engine::wire::{Encoding, Place, WireError};

use super::proof;

/// What a request of each signal is called in JSON.
const KEYS: [(&str, Signal); 3] = [
    ("resourceSpans", Signal::Traces),
    ("resourceMetrics", Signal::Metrics),
    ("resourceLogs", Signal::Logs),
];

/// The requests of a file.
#[derive(Debug)]
pub(super) struct Documents<'b> {
    pub(super) list: Vec<Document<'b>>,
    /// What people should know of how it was read.
    pub(super) note: Option<String>,
}

/// One request, and where in the file it begins: line and column, from 0; none in protobuf.
#[derive(Debug)]
pub(super) struct Document<'b> {
    pub(super) request: Request<'b>,
    begins: Option<(usize, usize)>,
}

impl Document<'_> {
    /// Where it begins, for people.
    pub(super) fn place(&self) -> String {
        match self.begins {
            Some((line, column)) => format!("line {} column {}", line + 1, column + 1),
            None => "byte 0".to_owned(),
        }
    }

    /// What is wrong with it, its place counted from the beginning of the file.
    pub(super) fn fault(&self, error: &WireError) -> String {
        let moved = |at: &Place| match (at, self.begins) {
            (Place::Line { line, column, path }, Some((before, left))) => {
                let column = if *line <= 1 { column + left } else { *column };
                Place::Line { line: line + before, column, path: path.clone() }
            }
            _ => at.clone(),
        };
        match error {
            WireError::Malformed { at, what } => format!("{}: {what}", moved(at)),
            _ => format!("{}: {error}", self.place()),
        }
    }
}

/// Finds the requests of a file.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn documents(bytes: &[u8], only: Option<Signal>) -> Result<Documents<'_>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.trim_ascii_start() {
        [] => Err("there is nothing in it".to_owned()),
        // A protobuf request may begin like JSON: its first byte is a line feed, and the second a length.
        [b'{' | b'[', ..] => match json(bytes, only) {
            Err(fault) => protobuf(bytes, only).map_err(|_| fault),
            found => found,
        },
        _ => protobuf(bytes, only),
    }
}

fn protobuf(bytes: &[u8], only: Option<Signal>) -> Result<Documents<'_>, String> {
    let (signal, note) = match only {
        Some(signal) => (signal, None),
        None => proof::signal(bytes).map(|(signal, note)| (signal, Some(note)))?,
    };
    let request = Request { signal, encoding: Encoding::Protobuf, body: bytes };
    Ok(Documents { list: vec![Document { request, begins: None }], note })
}

fn json(bytes: &[u8], only: Option<Signal>) -> Result<Documents<'_>, String> {
    let mut list = Vec::new();
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Top>();
    let (mut end, mut line, mut line_begin) = (0, 0, 0);
    while let Some(top) = stream.next() {
        let top = top.map_err(|error| {
            let text = error.to_string();
            let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
            format!("line {} column {}: {what}", error.line(), error.column().max(1))
        })?;
        let body = bytes.get(end..stream.byte_offset()).unwrap_or_default();
        let begin = end + body.len() - body.trim_ascii_start().len();
        for (at, _) in
            body.iter().enumerate().filter(|(at, byte)| **byte == b'\n' && end + at < begin)
        {
            (line, line_begin) = (line + 1, end + at + 1);
        }
        let begins = (line, begin - line_begin);
        let body = body.trim_ascii_start();
        for (at, _) in body.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            (line, line_begin) = (line + 1, begin + at + 1);
        }
        end = stream.byte_offset();
        let found = KEYS.iter().zip(top.0).filter(|(_, there)| *there);
        let mut found: Vec<Signal> = found.map(|((_, signal), _)| *signal).collect();
        match only {
            // An empty request says nothing of its signal.
            Some(only) if found.is_empty() => found.push(only),
            Some(only) => found.retain(|signal| *signal == only),
            None if found.is_empty() => {
                let (line, column) = (begins.0 + 1, begins.1 + 1);
                let keys = KEYS.map(|(key, _)| key).join(", ");
                return Err(format!(
                    "line {line} column {column}: no OTLP request: none of {keys}"
                ));
            }
            None => {}
        }
        list.extend(found.into_iter().map(|signal| {
            let request = Request { signal, encoding: Encoding::Json, body };
            Document { request, begins: Some(begins) }
        }));
    }
    Ok(Documents { list, note: None })
}

/// Which of [`KEYS`] an object has.
struct Top([bool; KEYS.len()]);

impl<'de> Deserialize<'de> for Top {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Top;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an OTLP request, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top, A::Error> {
        let mut top = Top([false; KEYS.len()]);
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            let known = KEYS.iter().zip(&mut top.0).find(|((name, _), _)| *name == key);
            known.into_iter().for_each(|(_, there)| *there = true);
        }
        Ok(top)
    }
}

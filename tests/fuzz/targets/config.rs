//! Any text as a config: never a panic, never long (libFuzzer's timeout), and what loads prints and loads again to the same.
//!
//! A text that `serde_json` reads too must be the same document to both parsers.
#![no_main]

use std::collections::BTreeMap;
use std::fmt;

use config::content::Content;
use config::{Kind, Loaded, Node, Settings, Source, load};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Sections whose entries `null` removes, and those that are kept as they stand.
const NAMED: [&str; 6] = ["labels", "tables", "attributes", "records", "metrics", "objectives"];
const SETTINGS: [&str; 6] = ["server", "limits", "state", "privacy", "sessions", "datapoints"];

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let loaded = read(text);
    let _ = loaded.render();
    if let Some(settings) = &loaded.settings {
        let printed = loaded.print();
        let again = read(&printed);
        assert!(again.settings.is_some(), "{printed}\n{}", again.render());
        // The sections for people are not printed.
        let series =
            |settings: &Settings| Settings { content: Content::default(), ..settings.clone() };
        assert_eq!(again.settings.as_ref().map(series), Some(series(settings)), "{printed}");
        assert_eq!(again.print(), printed);
    } else {
        assert!(!loaded.diagnostics.is_empty(), "refused without a word");
    }
    match serde_json::from_str::<Json>(text) {
        Ok(json) => same_document(&json),
        // YAML has no such rule for other mistakes, but a key that comes twice is one in both.
        Err(error) if error.to_string().contains(TWICE) => assert!(loaded.settings.is_none()),
        Err(_) => {}
    }
});

fn read(text: &str) -> Loaded {
    let source = Source { name: "fuzz.yaml".to_owned(), text: text.to_owned() };
    let environment = |name: &str| (name.len() < 4).then(|| format!("[{name}"));
    load(Some(source), &environment, &|_| Ok("a: b\n".to_owned()))
}

/// JSON in one line is YAML for the same document. Line breaks are not compared: YAML allows none after a key.
fn same_document(json: &Json) {
    let Json::Map(entries) = json else { return };
    if json.depth() > 30 || json.is_odd() || entries.contains_key("use") {
        return;
    }
    let mut text = String::new();
    json.write(&mut text);
    let loaded = read(&text);
    let entry = |name: &str| entries.get(name).filter(|one| matches!(one, Json::Map(_)));
    for name in SETTINGS {
        if let Some(json) = entry(name) {
            assert_eq!(section(&loaded, name).as_ref(), Some(json), "{name} of {text}");
        }
    }
    for name in NAMED {
        if let Some(Json::Map(entries)) = entry(name) {
            let kept = entries.iter().filter(|(_, value)| **value != Json::Null);
            let kept = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
            assert_eq!(section(&loaded, name), Some(Json::Map(kept)), "{name} of {text}");
        }
    }
}

fn section(loaded: &Loaded, name: &str) -> Option<Json> {
    let entries = loaded.merged.entries().iter();
    entries.filter(|entry| entry.key == name).map(|entry| Json::of(&entry.value)).next()
}

/// Characters that JSON has in texts as they are, as YAML has in quotes (1.2.2, section 5.1), and that our YAML library takes nowhere
/// unless they are escaped. The reader refuses them with a position.
fn is_unprintable(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

const TWICE: &str = "a key comes twice";

/// JSON, strict: each key once. Numbers by their value.
#[derive(Clone, Debug, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

impl Json {
    fn of(node: &Node) -> Self {
        match &node.kind {
            Kind::Null => Self::Null,
            Kind::Bool(value) => Self::Bool(*value),
            Kind::Number(text) => Self::Number(text.parse().expect("a number is a number")),
            Kind::Text(text) => Self::Text(text.clone()),
            Kind::List(nodes) => Self::List(nodes.iter().map(Self::of).collect()),
            Kind::Map(entries) => {
                let entry = |entry: &config::Entry| (entry.key.clone(), Self::of(&entry.value));
                Self::Map(entries.iter().map(entry).collect())
            }
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(list) => 1 + list.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(map) => 1 + map.values().map(Self::depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether the config language gives it a meaning of its own: variables, keys that are too long, and what our YAML
    /// library refuses.
    fn is_odd(&self) -> bool {
        match self {
            Self::Text(text) => text.contains("${") || text.contains(is_unprintable),
            Self::List(list) => list.iter().any(Self::is_odd),
            Self::Map(map) => map.iter().any(|(key, value)| {
                let key_is_odd = key.contains("${") || key.contains(is_unprintable);
                key_is_odd || key.chars().count() > 500 || value.is_odd()
            }),
            _ => false,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(&value.to_string()),
            Self::Number(value) => out.push_str(&serde_json::to_string(value).expect("finite")),
            Self::Text(text) => out.push_str(&serde_json::to_string(text).expect("a text")),
            Self::List(list) => {
                out.push('[');
                for (at, value) in list.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    value.write(out);
                }
                out.push(']');
            }
            Self::Map(map) => {
                out.push('{');
                for (at, (key, value)) in map.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    Self::Text(key.clone()).write(out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut values = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            if values.insert(key, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Json::Map(values))
    }
}

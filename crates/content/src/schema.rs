//! The JSON Schema of configs: what editors complete and explain, and what the chart holds its `config` to.
//!
//! Draft-07, because Helm 3 and editors read it. It tells shapes, words and units; what only the whole config can tell (names that
//! must exist, labels that fit) is `check`'s to say. The keys are tested against the reader of configs: neither has one that
//! the other lacks.

use serde_json::{Map, Value, json};

use super::{Artifact, MARK};

mod language;
mod people;
mod reference;
mod service;

/// The schema, and the reference of the sections for people.
pub fn artifacts() -> Vec<Artifact> {
    let mut text = format!("{:#}", document());
    text.push('\n');
    vec![Artifact::new("schema.json", text), Artifact::new("reference.md", reference::page())]
}

/// The whole schema.
pub fn document() -> Value {
    let mut config = config();
    if let Value::Object(fields) = &mut config {
        fields.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
        fields.insert("$comment".into(), json!(format!("Written by `{MARK} schema`.")));
        fields.insert("title".into(), json!("A config of oscar-metrics"));
        fields.insert("definitions".into(), definitions());
    }
    config
}

/// A config, without the definitions that it refers to.
pub fn config() -> Value {
    let packs = json!({"type": "array", "items": {"type": "string"},
        "description": "Built-in packs, applied in order: oscar, genai, openinference, span_metrics. This file comes on top."});
    let mut fields = vec![("use", packs)];
    fields.extend(service::sections());
    fields.extend(language::sections());
    fields.extend(people::sections());
    closed("What is counted, by which labels, and how it is served.", &fields)
}

/// What [`config()`] refers to: `#/definitions/NAME`.
pub fn definitions() -> Value {
    let all = service::definitions()
        .into_iter()
        .chain(language::definitions())
        .chain(people::definitions());
    Value::Object(all.map(|(name, schema)| (name.to_owned(), schema)).collect())
}

/// A map with these keys and no others.
fn closed(about: &str, fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|(key, schema)| ((*key).to_owned(), schema.clone())).collect();
    json!({"description": about, "type": "object", "additionalProperties": false, "properties": properties})
}

/// A map with keys of the operator's choice; `null` removes what a pack has under that name.
fn named(about: &str, entry: Value) -> Value {
    json!({"description": about, "type": "object", "additionalProperties": {"anyOf": [{"type": "null"}, entry]}})
}

/// A section, or `null` to remove it.
fn section(schema: Value) -> Value {
    json!({"anyOf": [{"type": "null"}, schema]})
}

/// What a definition says.
fn refer(name: &str) -> Value {
    json!({"$ref": format!("#/definitions/{name}")})
}

/// The same, explained. (Draft-07 ignores what stands beside a `$ref`.)
fn told(schema: Value, about: &str) -> Value {
    json!({"description": about, "allOf": [schema]})
}

/// A list of these, or one alone.
fn some(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "array", "items": schema}]})
}

/// A list of these.
fn list(schema: Value) -> Value {
    json!({"type": "array", "items": schema})
}

fn boolean(about: &str) -> Value {
    json!({"description": about, "type": "boolean"})
}

fn text(about: &str) -> Value {
    json!({"description": about, "type": "string"})
}

fn count(about: &str, least: u64) -> Value {
    json!({"description": about, "type": "integer", "minimum": least})
}

fn words(about: &str, words: &[&str]) -> Value {
    json!({"description": about, "enum": words})
}

#[cfg(test)]
mod tests;

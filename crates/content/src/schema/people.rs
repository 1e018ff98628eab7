//! The sections for people, from the table that their reader uses: queries, boards, alerts, the report.

use config::content::fields::{self, Field, SHAPES, Shape, Takes};
use serde_json::{Map, Value, json};

use super::{named, refer, section, told};

pub(super) fn sections() -> Vec<(&'static str, Value)> {
    vec![
        (
            "queries",
            section(named(
                "Queries that boards, alerts and the report share.",
                refer("named_query"),
            )),
        ),
        (
            "dashboards",
            section(named("Boards; an entry of a pack is changed key by key.", refer("board"))),
        ),
        (
            "alerts",
            section(named("Alerts; an entry of a pack is changed key by key.", refer("alert"))),
        ),
        ("report", section(told(refer("report"), fields::REPORT.about))),
    ]
}

pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    SHAPES.iter().map(|shape| (shape.name, map(shape))).collect()
}

fn map(shape: &Shape) -> Value {
    let field = |field: &Field| {
        // An entry that changes one of a pack removes a key with null.
        (
            field.key.to_owned(),
            json!({"description": field.about, "anyOf": [{"type": "null"}, schema(field.takes)]}),
        )
    };
    let properties: Map<String, Value> = shape.fields.iter().map(field).collect();
    json!({"description": shape.about, "type": "object", "additionalProperties": false, "properties": properties})
}

fn schema(takes: Takes) -> Value {
    match takes {
        Takes::Text | Takes::Name => json!({"type": "string"}),
        Takes::Count(least) => json!({"type": "integer", "minimum": least}),
        Takes::Number => json!({"type": "number"}),
        Takes::Quantity => json!({"type": ["number", "string"]}),
        Takes::Time => refer("time"),
        Takes::Boolean => json!({"type": "boolean"}),
        Takes::Scalar => refer("scalar"),
        Takes::Words(words) => json!({"enum": words}),
        Takes::Of(name) => refer(name),
        Takes::Named(inner) => {
            let entry = json!({"anyOf": [{"type": "null"}, schema(*inner)]});
            json!({"type": "object", "additionalProperties": entry})
        }
        Takes::List(inner) => json!({"type": "array", "items": schema(*inner)}),
        Takes::Some(inner) => super::some(schema(*inner)),
        Takes::Either(all) => {
            json!({"anyOf": all.iter().map(|one| schema(*one)).collect::<Vec<_>>()})
        }
    }
}

//! What the charts say of the config: its part of their `values.schema.json`.
//!
//! The rest of those files is written by hand and stays as it is: they are read from the source tree, filled in, and written again.
//! Dashboards and rules need no copy, the chart links to their folders. Definitions of the chart's own begin with `chart.`.

use serde_json::{Value, json};

use super::{Artifact, MARK, schema};

const CHARTS: [(&str, &str); 2] = [
    (
        "oscar-metrics/values.schema.json",
        include_str!("../../../helm/oscar-metrics/values.schema.json"),
    ),
    (
        "oscar-metrics-sidecar/values.schema.json",
        include_str!("../../../helm/oscar-metrics-sidecar/values.schema.json"),
    ),
];

/// The schemas of both charts.
pub fn artifacts() -> Vec<Artifact> {
    CHARTS.iter().map(|(path, own)| Artifact::new(*path, filled(own))).collect()
}

/// The chart's own words with those of the config at their place.
fn filled(own: &str) -> String {
    let mut values: Value = serde_json::from_str(own).unwrap_or_default();
    if let Some(place) = values.pointer_mut("/properties/config") {
        *place = schema::config();
        place["$comment"] = json!(format!("Written by `{MARK} helm`."));
    }
    let theirs = values.pointer_mut("/definitions").and_then(Value::as_object_mut);
    if let (Some(definitions), Value::Object(ours)) = (theirs, schema::definitions()) {
        definitions.retain(|name, _| name.starts_with("chart."));
        definitions.extend(ours);
    }
    format!("{values:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_config_is_filled_in_and_the_rest_stays() {
        for (path, own) in CHARTS {
            let (before, after): (Value, Value) =
                (serde_json::from_str(own).unwrap(), serde_json::from_str(&filled(own)).unwrap());
            assert!(after["properties"]["config"]["properties"]["metrics"].is_object(), "{path}");
            assert!(after["properties"].as_object().unwrap().len() > 15, "{path}");
            for (name, value) in before["properties"].as_object().unwrap() {
                assert!(name == "config" || *value == after["properties"][name], "{path}: {name}");
            }
            assert!(after["definitions"]["chart.image"].is_object(), "{path}");
            assert_eq!(filled(&filled(own)), filled(own), "{path}: once is enough");
        }
    }

    #[test]
    fn every_reference_is_to_something() {
        for Artifact { path, text } in artifacts() {
            let schema: Value = serde_json::from_str(&text).unwrap();
            let names =
                text.split("#/definitions/").skip(1).filter_map(|rest| rest.split('"').next());
            let missing: Vec<_> =
                names.filter(|name| schema["definitions"].get(*name).is_none()).collect();
            assert!(missing.is_empty(), "{path}: {missing:?}");
        }
    }
}

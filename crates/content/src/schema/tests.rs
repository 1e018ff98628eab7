use std::collections::BTreeSet;

use serde_json::Value;

use super::document;
use config::{Kind, Node, Source, load};

/// Each closed map of a config: one with a key that nobody knows, and where the schema describes it.
const MAPS: [(&str, &str); 49] = [
    ("ZZZ: 1", ""),
    ("server: {ZZZ: 1}", "/properties/server/anyOf/1"),
    ("server: {otlp: {ZZZ: 1}}", "/properties/server/anyOf/1/properties/otlp"),
    ("server: {web: {ZZZ: 1}}", "/properties/server/anyOf/1/properties/web"),
    ("limits: {ZZZ: 1}", "/properties/limits/anyOf/1"),
    ("limits: {dedupe: {ZZZ: 1}}", "/properties/limits/anyOf/1/properties/dedupe"),
    ("state: {ZZZ: 1}", "/properties/state/anyOf/1"),
    ("forward: [{ZZZ: 1}]", "/properties/forward/anyOf/1/allOf/0/items"),
    (
        "forward: [{endpoint: 'https://a', tls: {ZZZ: 1}}]",
        "/properties/forward/anyOf/1/allOf/0/items/properties/tls",
    ),
    ("privacy: {ZZZ: 1}", "/properties/privacy/anyOf/1"),
    ("datapoints: {ZZZ: 1}", "/properties/datapoints/anyOf/1"),
    ("sessions: {ZZZ: 1}", "/properties/sessions/anyOf/1"),
    ("sampling: {ZZZ: 1}", "/properties/sampling/anyOf/1"),
    ("attributes: {a: {ZZZ: 1}}", "/definitions/alias/anyOf/1"),
    ("attributes: {a: {any_of: [{ZZZ: 1}]}}", "/definitions/step/anyOf/1"),
    ("labels: {a: {ZZZ: 1}}", "/definitions/label/anyOf/1"),
    ("records: {a: {ZZZ: 1}}", "/definitions/record"),
    ("records: {a: {from: span, where: {b: {ZZZ: 1}}}}", "/definitions/test/anyOf/2"),
    (
        "records: {a: {from: span, where: {b: [{ZZZ: 1}]}}}",
        "/definitions/test/anyOf/1/items/anyOf/1",
    ),
    ("metrics: {a_total: {ZZZ: 1}}", "/definitions/metric"),
    ("metrics: {a_total: {from: span, labels: {a: {ZZZ: 1}}}}", "/definitions/label/anyOf/1"),
    ("metrics: {a_total: {from: span, parts: [{ZZZ: 1}]}}", "/definitions/part"),
    ("metrics: {a_total: {from: span, value: {ZZZ: 1}}}", "/definitions/amount/anyOf/1/anyOf/1"),
    (
        "metrics: {a_total: {from: span, value: {from: b, scale: {ZZZ: 1}}}}",
        "/definitions/amount/anyOf/1/anyOf/1/properties/scale/anyOf/1/anyOf/1",
    ),
    (
        "metrics: {a_total: {type: distinct, from: span, labels: {a: {ZZZ: 1}}}}",
        "/definitions/label/anyOf/1",
    ),
    ("metrics: {a: {from: span, where: [{b: {not: {ZZZ: 1}}}]}}", "/definitions/test/anyOf/2"),
    ("objectives: {a: {ZZZ: 1}}", "/definitions/objective"),
    ("alerting: {ZZZ: 1}", "/properties/alerting/anyOf/1"),
    ("queries: {a: {ZZZ: 1}}", "/definitions/named_query"),
    ("queries: {a: {count: up, record: {ZZZ: 1}}}", "/definitions/recorded"),
    ("report: {checks: {a: {query: {ZZZ: 1}}}}", "/definitions/query"),
    ("queries: {a: {count: up, where: {b: {ZZZ: 1}}}}", "/definitions/label_condition"),
    (
        "metrics: {a_s: {help: A., type: histogram, from: span, value: x, buckets: [1]}}\nqueries: {a: {under: a_s, bound: {ZZZ: 1}}}",
        "/definitions/bound",
    ),
    ("queries: {a: {count: up, compare: {ZZZ: 1}}}", "/definitions/compare"),
    ("queries: {a: {count: up, compare: {usual: {ZZZ: 1}}}}", "/definitions/usual"),
    ("dashboards: {a: {ZZZ: 1}}", "/definitions/board"),
    ("dashboards: {a: {rows: {b: {ZZZ: 1}}}}", "/definitions/row"),
    ("dashboards: {a: {rows: {b: {panels: {c: {ZZZ: 1}}}}}}", "/definitions/panel"),
    ("report: {tables: {a: {by: b, columns: {c: {ZZZ: 1}}}}}", "/definitions/column"),
    (
        "dashboards: {a: {rows: {b: {panels: {c: {title: C, about: C., show: text, see: {ZZZ: 1}}}}}}}",
        "/definitions/see",
    ),
    (
        "dashboards: {a: {rows: {b: {panels: {c: {title: C, about: C., show: text, thresholds: {ZZZ: 1}}}}}}}",
        "/definitions/thresholds",
    ),
    ("alerts: {A: {ZZZ: 1}}", "/definitions/alert"),
    ("alerts: {A: {query: {count: up, over: 1h}, above: {ZZZ: 1}}}", "/definitions/limit"),
    (
        "alerts: {A: {query: {count: up, over: 1h}, above: 1, severity: info, summary: A, description: A, runbook: A, tests: [{ZZZ: 1}]}}",
        "/definitions/alert_test",
    ),
    (
        "alerts: {A: {query: {count: up, over: 1h}, above: 1, severity: info, summary: A, description: A, runbook: A, tests: [{fires: {ZZZ: 1}}]}}",
        "/definitions/fires",
    ),
    ("report: {ZZZ: 1}", "/definitions/report"),
    ("report: {figures: {a: {ZZZ: 1}}}", "/definitions/figure"),
    ("report: {tables: {a: {ZZZ: 1}}}", "/definitions/report_table"),
    ("report: {checks: {a: {ZZZ: 1}}}", "/definitions/report_check"),
];

#[test]
fn the_schema_knows_the_keys_that_the_reader_knows() {
    let document = document();
    for (config, pointer) in MAPS {
        let told = testkit::load(config).render();
        let known = told.lines().find_map(|line| line.split_once("= help: known are: "));
        let known: BTreeSet<&str> =
            known.unwrap_or_else(|| panic!("{config}: {told}")).1.split(", ").collect();
        let map = document.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        assert_eq!(map["additionalProperties"], Value::Bool(false), "{pointer}");
        let keys: BTreeSet<&str> =
            map["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, known, "{config}");
    }
}

/// Whatever is closed is in the list above, so that a new map can't be forgotten.
#[test]
fn every_closed_map_is_compared() {
    fn closed(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                if fields.get("additionalProperties") == Some(&Value::Bool(false)) {
                    found.insert(path.to_owned());
                }
                for (key, inner) in fields {
                    closed(inner, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(items) => {
                for (at, inner) in items.iter().enumerate() {
                    closed(inner, &format!("{path}/{at}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    closed(&document(), "", &mut found);
    let compared: BTreeSet<String> =
        MAPS.iter().map(|(_, pointer)| (*pointer).to_owned()).collect();
    assert_eq!(found, compared);
}

/// A node as JSON, as whoever reads YAML into JSON has it.
fn json(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(yes) => Value::Bool(*yes),
        Kind::Number(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
        }
        Kind::Text(text) => Value::String(text.clone()),
        Kind::List(nodes) => Value::Array(nodes.iter().map(json).collect()),
        Kind::Map(entries) => Value::Object(
            entries.iter().map(|entry| (entry.key.clone(), json(&entry.value))).collect(),
        ),
    }
}

fn merged(text: &str) -> Value {
    let source = Source { name: "config.yaml".to_owned(), text: text.to_owned() };
    json(&load(Some(source), &|_| None, &|_| Ok("U1: test".to_owned())).merged)
}

#[test]
fn good_configs_fit_and_slips_do_not() {
    let schema = jsonschema::validator_for(&document()).unwrap();
    let good = [
        include_str!("../../../../config/oscar-metrics.yaml"),
        include_str!("../../../../config/examples/design.yaml"),
        "use: [span_metrics]",
    ];
    for text in good {
        let config = merged(text);
        let faults: Vec<String> = schema
            .iter_errors(&config)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
    for slip in [
        "limits: {series: many}",
        "limits: {idle: 24}",
        "sampling: {most: 0}",
        "records: {a: {from: span, most: 1/100}}",
        "server: {web: {zero_first: 2 minutes}}",
        "metrics: {a_total: {help: A., type: count, from: span}}",
        "metrics: {a_total: {help: A., from: span}}",
        "forward: [{signals: [traces]}]",
        "objectives: {a: {metric: b_total, target: 0.99, window: 28d}}",
        "records: {a: {from: span, where: {}}}",
        "attributes: {a: {any_of: [{when: {b: 1}}]}}",
        "datapoints: {translation: Underscores}",
        "alerting: {off: [BotSlotBusy]}",
        "alerts: {A: {severity: high}}",
        "dashboards: {a: {rows: {b: {panels: {c: {show: pie}}}}}}",
    ] {
        assert!(!schema.is_valid(&merged(slip)), "{slip}");
    }
}

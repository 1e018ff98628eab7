//! The query language as a whole: whatever a configuration may ask, the PromQL that is written of it parses.

use std::time::Duration;

use config::Source;
use content::report::{Draft, Period};
use content::{Catalogue, Product};
use engine::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use crate::dashboards::queries::plain;

const METRICS: &str = "labels: {service: service}
attributes: {user: {from: user.id, hash: true}}
metrics:
  a_total: &a {help: A., type: counter, from: span, labels: {kind: {from: k, values: [x, y, z]}, name: {from: n, limit: 9}}}
  b_seconds: {help: B., type: histogram, from: span, value: duration, buckets: [1s, 5s], labels: {kind: {from: k, values: [x, y, z]}, name: {from: n, limit: 9}}}
  c_bytes: {help: C., type: histogram, from: span, value: v, unit: bytes, buckets: [1kB], native: only, labels: {kind: {from: k, values: [x, y, z]}, name: {from: n, limit: 9}}}
  d_level: {help: D., type: gauge, from: span, value: v, labels: {kind: {from: k, values: [x, y, z]}, name: {from: n, limit: 9}}}
  e_people: {help: E., type: distinct, from: span, of: user, windows: [1d, 7d], registers: 64, labels: {name: {from: n, limit: 9}}}
";

fn measure() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("count: a_total"),
        Just("count: b_seconds"),
        Just("count: c_bytes"),
        Just("sum: a_total"),
        Just("sum: b_seconds"),
        Just("sum: c_bytes"),
        Just("quantile: b_seconds, q: 0.9"),
        Just("quantile: c_bytes, q: 0.95"),
        Just("under: b_seconds, bound: 5s"),
        Just("level: d_level, agg: sum"),
    ]
}

fn conditions() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(""),
        Just(", where: {kind: x}"),
        Just(", where: {kind: [x, y], name: {not: \"a\\\"b\"}}"),
        Just(", where: {name: \"*m.n*\"}"),
        Just(", where: {name: [\"/a.*(b|c)/\", \"d\\\\e\"]}"),
        Just(", where: {kind: {not: [x, y]}, name: {not: \"/x/\"}}"),
    ]
}

/// A query without its closing brace.
fn query() -> impl Strategy<Value = String> {
    let of = prop_oneof![
        Just(""),
        Just(", of: {count: a_total, where: {kind: [x, z]}}, min: 20"),
        Just(", of: {sum: b_seconds, where: {kind: x}}"),
        Just(", of: {count: c_bytes, where: {kind: z}}, min: 5"),
    ];
    let minus = prop_oneof![3 => Just(""), 1 => Just(", minus: {under: b_seconds, bound: 1s}")];
    let scale = prop_oneof![Just(""), Just(", scale: 30/7"), Just(", scale: 0.5")];
    (measure(), conditions(), of, minus, scale).prop_map(
        |(measure, conditions, of, minus, scale)| {
            format!("{{{measure}{conditions}{of}{minus}{scale}")
        },
    )
}

/// A configuration that asks this everywhere.
fn everywhere(query: &str) -> String {
    let panel = |show: &str, rest: &str| {
        format!(
            "          {show}: {{title: The {show}, about: A., show: {show}, query: {query}{rest}}}}}\n"
        )
    };
    let panels = [
        panel("stat", ", compare: previous"),
        panel("lines", ""),
        panel("bars", ", by: name"),
        panel("ranking", ", by: name"),
    ];
    format!(
        "{METRICS}dashboards:\n  asked:\n    rows:\n      row:\n        panels:\n{}          table: {{title: T, about: A., show: table, by: kind, \
         columns: {{a: {{query: {query}}}}}, b: {{query: {{count: a_total}}}}}}}}\n\
         alerts:\n  Asked: {{severity: info, query: {query}, by: name, over: 1h, compare: [previous, {{usual: {{days: 7}}}}]}}, \
         above: [1, {{times: 2, of: usual}}, {{times: 2, of: previous}}], summary: A, description: A, runbook: A}}\n\
         report: {{figures: {{a: {{title: A, about: A, query: {query}}}}}}}, tables: {{t: {{title: T, by: name, columns: {{a: {{query: {query}}}}}}}}}}}}}\n",
        panels.concat()
    )
}

/// Every expression of a generated file.
fn expressions(path: &str, text: &str) -> Vec<String> {
    if path.ends_with(".json") {
        let mut found = Vec::new();
        collect(&serde_json::from_str(text).unwrap(), &mut found);
        return found;
    }
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(rest) = line.trim_start().strip_prefix("expr: ") else { continue };
        let depth = line.len() - line.trim_start().len();
        let mut expression =
            if rest == "|-" { String::new() } else { rest.trim_matches('\'').to_owned() };
        while rest == "|-"
            && lines.peek().is_some_and(|next| next.len() - next.trim_start().len() > depth)
        {
            expression.push_str(lines.next().unwrap());
            expression.push('\n');
        }
        found.push(expression);
    }
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|inner| collect(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

fn parses(expression: &str) {
    if let Err(error) = promql_parser::parser::parse(&plain(expression)) {
        panic!("{error}: {expression}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_query_becomes_promql_that_parses(query in query()) {
        let source = Source { name: "config.yaml".to_owned(), text: everywhere(&query) };
        let loaded = config::load(Some(source), &|_| None, &|_| Err(std::io::ErrorKind::NotFound.into()));
        let settings = testkit::settings_of(loaded);
        let catalogue = Catalogue::new(&settings);
        prop_assert!(settings.content.omitted.iter().all(|one| one.place.starts_with("pack ")), "{:?}", settings.content.omitted);
        for product in [Product::Dashboards, Product::Rules] {
            for file in product.artifacts(&catalogue, &[]) {
                expressions(&file.path, &file.text).iter().for_each(|one| parses(one));
            }
        }
        let period = Period { end: Timestamp(1_795_608_000_000_000_000), length: Duration::from_secs(7 * 86_400) };
        for question in Draft::new(&catalogue, period, &["env=\"prod\"".to_owned()]).questions() {
            parses(&question.query);
        }
    }
}

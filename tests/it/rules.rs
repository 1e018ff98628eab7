//! Generated rules: a second parser reads every expression, and what a reviewer would look for holds for each of them.

use std::collections::{BTreeMap, BTreeSet};

use content::{Catalogue, Product};
use engine::rules::SkipReason;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use serde_json::Value;
use server::self_metrics::Telemetry;
use testkit::settings;

const CONFIGS: [&str; 4] =
    ["use: [oscar]", "use: [span_metrics]", "{}", include_str!("../rules/own.yaml")];

/// A rule as it stands in a file.
struct Rule {
    name: String,
    alert: bool,
    expr: Expr,
    all: Value,
}

/// Labels by the names of series: what may be asked for, and what is kept.
struct World {
    rules: Vec<Rule>,
    labels: BTreeMap<String, BTreeSet<String>>,
    runbooks: String,
}

fn set<S: ToString>(labels: impl IntoIterator<Item = S>) -> BTreeSet<String> {
    labels.into_iter().map(|label| label.to_string()).collect()
}

fn world(config: &str) -> World {
    let settings = settings(config);
    let catalogue = Catalogue::new(&settings);
    let mut labels = own();
    for entry in &catalogue.metrics {
        let mut all = set(entry.labels.iter().map(|label| label.name));
        all.extend(["job", "instance", "le", "key", "register", "window"].map(str::to_owned));
        for suffix in ["", "_bucket", "_count", "_sum", "_register"] {
            labels.insert(format!("{}{suffix}", entry.name()), all.clone());
        }
    }
    let artifacts = Product::Rules.artifacts(&catalogue, &[]);
    let mut world = World { rules: Vec::new(), labels, runbooks: String::new() };
    for file in artifacts {
        if file.path == "runbooks.md" {
            world.runbooks = file.text;
        } else if !file.path.starts_with("tests/") {
            let text: Value = serde_saphyr::from_str(&file.text).unwrap();
            for group in text["groups"].as_array().unwrap() {
                world.read(group["rules"].as_array().unwrap());
            }
        }
    }
    world
}

/// The exporter's own series and their labels, as it makes them.
fn own() -> BTreeMap<String, BTreeSet<String>> {
    let counters = std::sync::Arc::<engine::counters::Counters>::default();
    let telemetry = Telemetry::new("1", counters.clone(), Timestamp(1));
    counters.declare([("m", SkipReason::NoRow)], ["r"]);
    let _target = telemetry.target("t:1", &Signal::ALL);
    let mut all: BTreeMap<String, BTreeSet<String>> = telemetry
        .gather(&engine::pipeline::State::default())
        .iter()
        .map(|family| (family.family.name.as_str().to_owned(), BTreeSet::new()))
        .collect();
    for name in ["up", "oscar_metrics_series", "oscar_metrics_series_overflow_total"] {
        all.insert(name.to_owned(), BTreeSet::new());
    }
    for labels in all.values_mut() {
        let own =
            ["job", "instance", "environment", "signal", "reason", "metric", "target", "protocol"];
        labels.extend(own.map(str::to_owned));
    }
    all
}

impl World {
    fn read(&mut self, rules: &[Value]) {
        for rule in rules {
            let expr = rule["expr"].as_str().unwrap();
            let parsed = parser::parse(expr).unwrap_or_else(|error| panic!("{error}: {expr}"));
            let alert = rule["record"].is_null();
            let name = rule[if alert { "alert" } else { "record" }].as_str().unwrap().to_owned();
            if !alert {
                let added =
                    rule["labels"].as_object().into_iter().flat_map(|map| map.keys().cloned());
                let mut kept = self.kept(&parsed);
                kept.extend(added);
                self.labels.entry(name.clone()).or_default().extend(kept);
            }
            self.rules.push(Rule { name, alert, expr: parsed, all: rule.clone() });
        }
    }

    /// Labels that a result may have.
    fn kept(&self, expr: &Expr) -> BTreeSet<String> {
        match expr {
            Expr::Aggregate(one) => match &one.modifier {
                Some(LabelModifier::Include(labels)) => set(&labels.labels),
                Some(LabelModifier::Exclude(labels)) => {
                    let mut all = self.kept(&one.expr);
                    all.retain(|label| !labels.labels.contains(label));
                    all
                }
                None => BTreeSet::new(),
            },
            Expr::Binary(one) => {
                let (left, right) = (self.kept(&one.lhs), self.kept(&one.rhs));
                let scalar = |expr: &Expr| expr.value_type() == parser::value::ValueType::Scalar;
                let word = one.op.to_string();
                match (word.as_str(), scalar(&one.lhs), scalar(&one.rhs)) {
                    ("or", ..) | (_, true, false) => left.union(&right).cloned().collect(),
                    _ => left,
                }
            }
            Expr::Paren(one) => self.kept(&one.expr),
            Expr::Unary(one) => self.kept(&one.expr),
            Expr::Subquery(one) => self.kept(&one.expr),
            Expr::VectorSelector(one) => self.of(one),
            Expr::MatrixSelector(one) => self.of(&one.vs),
            Expr::Call(one) if one.func.name == "absent" => BTreeSet::new(),
            Expr::Call(one) => one.args.args.iter().flat_map(|arg| self.kept(arg)).collect(),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => BTreeSet::new(),
        }
    }

    fn of(&self, selector: &VectorSelector) -> BTreeSet<String> {
        let name = selector.name.as_deref().expect("a name is said");
        let known = self.labels.get(name).unwrap_or_else(|| panic!("no series is called {name}"));
        for matcher in &selector.matchers.matchers {
            assert!(known.contains(&matcher.name), "{name} has no label {}", matcher.name);
        }
        known.clone()
    }
}

/// Whether something in an expression is so.
fn any(expr: &Expr, is: &dyn Fn(&Expr) -> bool) -> bool {
    is(expr)
        || match expr {
            Expr::Aggregate(one) => any(&one.expr, is),
            Expr::Binary(one) => any(&one.lhs, is) || any(&one.rhs, is),
            Expr::Paren(one) => any(&one.expr, is),
            Expr::Unary(one) => any(&one.expr, is),
            Expr::Subquery(one) => any(&one.expr, is),
            Expr::Call(one) => one.args.args.iter().any(|arg| any(arg, is)),
            _ => false,
        }
}

fn calls(expr: &Expr, name: &str) -> bool {
    any(expr, &|one| matches!(one, Expr::Call(call) if call.func.name == name))
}

/// The labels that a template asks for.
fn asked(text: &str) -> BTreeSet<String> {
    let after = text.split("$labels.").skip(1);
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    after.map(word).collect()
}

#[test]
fn every_expression_is_read_by_a_second_parser_and_names_only_what_there_is() {
    for config in CONFIGS {
        let world = world(config);
        assert!(world.rules.len() > 10, "{config}");
        for rule in &world.rules {
            world.kept(&rule.expr);
            let young =
                ["holt_winters", "double_exponential_smoothing", "info", "limitk", "mad_over_time"];
            assert!(
                young.iter().all(|name| !calls(&rule.expr, name)),
                "{} is not portable",
                rule.name
            );
        }
    }
}

#[test]
fn alerts_are_such_as_a_reviewer_lets_pass() {
    for config in CONFIGS {
        let world = world(config);
        let mut names = BTreeSet::new();
        for rule in world.rules.iter().filter(|rule| rule.alert) {
            let Rule { name, expr, all, .. } = rule;
            assert!(names.insert(name.clone()), "{name} twice");
            let compares = |one: &Expr| {
                matches!(one, Expr::Binary(one)
                    if one.op.is_comparison_operator() || one.op.to_string() == "unless")
            };
            assert!(any(expr, &compares) || calls(expr, "absent"), "{name} compares nothing");
            let waits = all["for"].is_string();
            let absence = calls(expr, "absent")
                || any(
                    expr,
                    &|one| matches!(one, Expr::Binary(one) if one.op.to_string() == "unless"),
                );
            assert!(waits || !absence, "{name} does not wait");
            let labels = all["labels"].as_object().unwrap();
            let word = |name: &str| labels[name].as_str().unwrap().to_owned();
            assert!(["critical", "warning", "info"].contains(&&*word("severity")), "{name}");
            assert!(["objective", "health", "trend"].contains(&&*word("kind")), "{name}");
            assert!(labels.values().all(|value| !value.as_str().unwrap().contains('$')), "{name}");
            let kept = world.kept(expr);
            for annotation in ["summary", "description", "runbook_url", "dashboard_url"] {
                let text = all["annotations"][annotation].as_str().unwrap();
                assert!(!text.is_empty(), "{name} has no {annotation}");
                let lost: Vec<_> = asked(text).difference(&kept).cloned().collect();
                assert!(
                    lost.is_empty(),
                    "{name}: {annotation} asks for {lost:?}, kept are {kept:?}"
                );
            }
            let heading = format!("\n## {name}\n");
            assert!(world.runbooks.contains(&heading), "{name} has no runbook");
            let link = all["annotations"]["runbook_url"].as_str().unwrap();
            assert!(link.ends_with(&format!("#{}", name.to_lowercase())), "{link}");
        }
    }
}

#[test]
fn recorded_series_are_named_level_metric_operations() {
    let world = world(CONFIGS[0]);
    let recorded: Vec<&Rule> = world.rules.iter().filter(|rule| !rule.alert).collect();
    assert!(recorded.len() > 50);
    for rule in recorded {
        let parts: Vec<&str> = rule.name.split(':').collect();
        assert!(parts.len() == 3 && parts[0] == "service_environment", "{}", rule.name);
        assert!(!rule.name.contains("_total"), "{}", rule.name);
    }
}

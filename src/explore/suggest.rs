//! What is unused as lines of a config: counters for the most frequent unmatched names, and data points to let pass.

use std::collections::HashSet;
use std::fmt::Write;

use engine::inventory::told::{Inventory, KeyCount, RecordKind, RecordName};
use engine::limits;
use engine::model::{LabelName, MetricName};

/// Names that become a rule, and names of data points that are let pass: enough to see how it is done.
const NAMES: usize = 3;
/// Labels of such a rule.
const LABELS: usize = 3;
/// Values of an attribute that becomes a label: fewer say nothing, more cost too much to be proposed.
const VALUES: std::ops::RangeInclusive<u64> = 2..=20;
/// Labels that a config, Prometheus or a type of metric has for itself.
const TAKEN: [&str; 9] =
    ["le", "quantile", "window", "register", "key", "job", "instance", "service", "environment"];

/// Rules for the most frequent names that no rule takes, as a config by themselves; none: there is nothing that could be said so.
pub fn suggest(inventory: &Inventory) -> Option<String> {
    let mut unmatched: Vec<&RecordName> = inventory
        .records
        .iter()
        .filter(|one| one.kind.is_record() && one.judged > 0 && one.unmatched == one.judged)
        .filter(|one| is_sayable(&one.name))
        .collect();
    unmatched.sort_by_key(|one| u64::MAX - one.unmatched);
    let (points, records): (Vec<&RecordName>, Vec<&RecordName>) =
        unmatched.into_iter().partition(|one| one.kind == RecordKind::Datapoint);
    let mut out = String::new();
    let mut taken: HashSet<String> =
        inventory.metrics.iter().map(|metric| metric.name.clone()).collect();
    for (at, record) in records.into_iter().take(NAMES).enumerate() {
        if at == 0 {
            out.push_str("metrics:\n");
        }
        rule(inventory, record, &mut taken, &mut out);
    }
    let plain = |one: &&RecordName| !one.name.contains('*') && !one.name.starts_with('/');
    let names: Vec<String> =
        points.into_iter().filter(plain).take(NAMES).map(|one| quoted(&one.name)).collect();
    if !names.is_empty() {
        let _ = writeln!(
            out,
            "datapoints:\n  pass: [{}]  # beside what passes already",
            names.join(", ")
        );
    }
    (!out.is_empty()).then_some(out)
}

fn rule(inventory: &Inventory, record: &RecordName, taken: &mut HashSet<String>, out: &mut String) {
    let (from, what) = match record.kind {
        RecordKind::SpanEvent => ("span_event", "Span events"),
        RecordKind::Log => ("log", "Log records"),
        _ => ("span", "Spans"),
    };
    let name = metric_name(&record.name, taken);
    let help = quoted(&format!("{what} named {}.", record.name));
    // A star or a slash would be a pattern; `is` takes any text as it is.
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:- ".contains(c);
    let test = match record.name.chars().all(plain) {
        true => quoted(&record.name),
        false => format!("{{is: {}}}", quoted(&record.name)),
    };
    let _ = writeln!(
        out,
        "  {name}:\n    help: {help}\n    type: counter\n    from: {from}\n    where: {{name: {test}}}"
    );
    taken.insert(name);
    let origin = record.kind.origin();
    let mut labels: Vec<(String, &KeyCount)> = Vec::new();
    for key in record.keys.iter().filter(|key| is_label(record, key)) {
        let private = inventory
            .attributes
            .iter()
            .any(|one| one.private && one.origin == origin && one.count.key == key.key);
        let label = slug(&key.key);
        let free = !TAKEN.contains(&&*label) && labels.iter().all(|(other, _)| *other != label);
        if !private && free && LabelName::new(&label).is_ok() && labels.len() < LABELS {
            labels.push((label, key));
        }
    }
    if !labels.is_empty() {
        out.push_str("    labels:\n");
    }
    for (label, key) in labels {
        let limit = (2 * key.values).max(10);
        let _ = writeln!(out, "      {label}: {{from: {origin}.{}, limit: {limit}}}", key.key);
    }
}

/// Whether an attribute says something of most of these records, in few words, and can be referred to.
fn is_label(record: &RecordName, key: &KeyCount) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    VALUES.contains(&key.values)
        && !key.values_at_least
        && key.records.saturating_mul(2) >= record.seen
        && key.types.iter().all(|one| ["text", "bool"].contains(&&**one))
        && key.key.chars().all(plain)
        && key.key.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a name can stand in a config and fits the records that had it: it was not cut, and every character can be written.
fn is_sayable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    !name.is_empty() && name.len() < limits::INVENTORY_TEXT && name.chars().all(plain)
}

/// A name for a counter that nobody has.
fn metric_name(name: &str, taken: &HashSet<String>) -> String {
    let mut slug = slug(name.trim_end_matches("_total"));
    slug.truncate(48);
    let slug = slug.trim_matches('_');
    let full = format!("{slug}_total");
    let base = match MetricName::new(&full) {
        Ok(_) if !slug.is_empty() => slug.to_owned(),
        _ => format!("seen_{slug}").trim_end_matches('_').to_owned(),
    };
    let numbered = (2..).map(|number| format!("{base}_{number}_total"));
    let mut names = [format!("{base}_total")].into_iter().chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// Lower letters, digits and single `_`.
fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if slug.ends_with('_') => {}
            _ => slug.push('_'),
        }
    }
    slug
}

/// A text as a scalar of YAML, in which nothing stands for anything else.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "$${");
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::inventory::told::{Attribute, MetricCost};
    use testkit::settings;

    fn record(kind: RecordKind, name: &str, seen: u64, keys: Vec<KeyCount>) -> RecordName {
        RecordName {
            kind,
            name: name.into(),
            other: false,
            seen,
            judged: seen,
            unmatched: seen,
            metrics: Vec::new(),
            passes: false,
            keys,
            attributes_left_out: 0,
        }
    }

    fn key(key: &str, records: u64, values: u64, kind: &str) -> KeyCount {
        let types = vec![kind.to_owned()];
        KeyCount { key: key.into(), records, values, types, ..KeyCount::default() }
    }

    #[test]
    fn what_is_unmatched_becomes_rules_that_pass_check() {
        let keys = vec![
            key("webhook.kind", 9, 4, "text"),
            key("webhook.ok", 9, 2, "bool"),
            key("user.id", 9, 5, "text"),
            key("service", 9, 3, "text"),
            key("rare", 1, 3, "text"),
            key("constant", 9, 1, "text"),
            key("many", 9, 200, "text"),
            key("size", 9, 5, "number"),
            key("odd key", 9, 5, "text"),
        ];
        let private = Attribute {
            origin: "span".into(),
            count: key("user.id", 9, 5, "text"),
            private: true,
            ..Attribute::default()
        };
        let told = Inventory {
            records: vec![
                record(RecordKind::Span, "slack.webhook", 9, keys),
                record(RecordKind::SpanEvent, "GET /api/*", 8, Vec::new()),
                record(RecordKind::Log, "caf\u{e9} ${HOME} \"x\" \\", 7, Vec::new()),
                record(RecordKind::Log, "rarer", 1, Vec::new()),
                record(RecordKind::Datapoint, "my.points", 5, Vec::new()),
                record(RecordKind::Datapoint, "a*", 5, Vec::new()),
            ],
            attributes: vec![private],
            metrics: vec![MetricCost {
                name: "slack_webhook_total".into(),
                ..MetricCost::default()
            }],
            ..Inventory::default()
        };
        let rules = suggest(&told).unwrap();
        insta::assert_snapshot!(rules, @r#"
        metrics:
          slack_webhook_2_total:
            help: "Spans named slack.webhook."
            type: counter
            from: span
            where: {name: "slack.webhook"}
            labels:
              webhook_kind: {from: span.webhook.kind, limit: 10}
              webhook_ok: {from: span.webhook.ok, limit: 10}
          get_api_total:
            help: "Span events named GET /api/*."
            type: counter
            from: span_event
            where: {name: {is: "GET /api/*"}}
          caf_home_x_total:
            help: "Log records named café $${HOME} \"x\" \\."
            type: counter
            from: log
            where: {name: {is: "café $${HOME} \"x\" \\"}}
        datapoints:
          pass: ["my.points"]  # beside what passes already
        "#);
        for text in [rules.clone(), format!("use: [oscar]\n{rules}")] {
            let settings = settings(&text);
            let names = settings.definitions.metrics.iter().map(|metric| metric.name.as_str());
            assert_eq!(names.filter(|name| name.ends_with("_2_total")).count(), 1);
        }
    }

    #[test]
    fn names_that_nobody_could_write_down_are_left_alone() {
        let long = "x".repeat(limits::INVENTORY_TEXT);
        for name in ["", "a\nb", "\u{fffd}", "\u{202e}", "\u{1b}[0m", &long] {
            let records = vec![record(RecordKind::Span, name, 9, Vec::new())];
            assert_eq!(suggest(&Inventory { records, ..Inventory::default() }), None, "{name:?}");
        }
    }

    #[test]
    fn any_name_becomes_one_that_is_free() {
        let mut taken = HashSet::new();
        for name in ["process_x", "5xx", "!!", "ALERTS", "up", "x_total", "X", "\u{e9}", "a b"] {
            let name = metric_name(name, &taken);
            assert!(MetricName::new(&name).is_ok() && name.ends_with("_total"), "{name}");
            assert!(taken.insert(name.clone()), "{name}");
        }
        assert!(taken.contains("x_total") && taken.contains("x_2_total"), "{taken:?}");
    }
}

//! Everything at once: the books, each name, each attribute, the metrics by size, and what could be done with what is unused.

use std::fmt::Write;

use content::report::Unit;
use engine::inventory::told::{Attribute, Inventory, MetricCost, RecordKind, RecordName};

use super::table::Table;
use super::{Question, suggest, words};

/// Rows of a table, unless all are asked for.
const ROWS: usize = 20;

/// Characters of a metric's name beside others.
const TAKER: usize = 36;

/// What it is, since when, and how much of it is known.
pub(super) fn head(inventory: &Inventory, question: &Question, out: &mut String) {
    let (now, since) = (inventory.now_timestamp_seconds, inventory.since_timestamp_seconds);
    let age = Unit::Seconds.told((now - since).max(0.0));
    let (instance, begin) = (words::safe(&question.instance), words::time(since));
    let _ = writeln!(out, "{instance}: what arrived since {begin}, {age} ago\n");
    let mut table = Table::new(2, &["", "#received", "#unmatched", "#rejected", "looked at"]);
    for signal in &inventory.signals {
        let what = match &*signal.signal {
            "traces" => "spans",
            "logs" => "log records",
            "metrics" => "data points",
            other => other,
        };
        let looked_at = match signal.received {
            0 => String::new(),
            all if signal.seen >= all => "all".to_owned(),
            all => format!("a sample, {} of them", words::share(signal.seen, all)),
        };
        table.row([
            words::safe(what),
            words::count(signal.received),
            words::share(signal.unmatched, signal.received),
            words::count(signal.rejected),
            looked_at,
        ]);
    }
    table.write(out);
    if inventory.signals.iter().all(|signal| signal.received == 0) {
        out.push_str(
            "\nNothing has arrived yet: point the bot's OTLP exporter at this instance.\n",
        );
    }
    if inventory.rules_timestamp_seconds > since {
        let reload = words::time(inventory.rules_timestamp_seconds);
        let _ = writeln!(
            out,
            "\nThe rules were loaded at {reload}; below, `unmatched` and `taken by` are since then."
        );
    }
    if inventory.bounded {
        out.push_str("\nThere are more names or keys than are told apart here; the others are only counted.\n");
    }
}

/// All of it.
pub(super) fn write(inventory: &Inventory, question: &Question, out: &mut String) {
    for kind in RecordKind::ALL.into_iter().filter(|kind| kind.is_record()) {
        let records: Vec<&RecordName> =
            inventory.records.iter().filter(|record| record.kind == kind).collect();
        if !records.is_empty() {
            names(inventory, (title(kind), &records), question, out);
        }
    }
    attributes(inventory, question, out);
    metrics(inventory, question, out);
    if let Some(rules) = suggest(inventory) {
        out.push_str("\nAs rules the largest of the unmatched could be; `oscar-metrics check` says what they would make:\n\n");
        out.push_str(&rules);
    }
}

/// The plural of a kind of record, as a title.
pub(super) fn title(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Span => "Spans",
        RecordKind::SpanEvent => "Span events",
        RecordKind::Log => "Log records",
        RecordKind::Datapoint => "Data points",
        RecordKind::Scope => "Scopes",
        RecordKind::Resource => "Resources",
    }
}

fn names(
    inventory: &Inventory,
    (title, records): (&str, &[&RecordName]),
    question: &Question,
    out: &mut String,
) {
    out.push('\n');
    let mut table = Table::new(2, &[title, "#seen", "#unmatched", "#keys", "taken by"]);
    for record in records.iter().take(rows(question)) {
        let keys = words::at_least(record.keys.len() as u64, record.attributes_left_out > 0);
        table.row([
            words::name(&record.name, record.other),
            words::count(record.seen),
            words::share(record.unmatched, record.judged),
            keys,
            takers(inventory, record),
        ]);
    }
    table.write(out);
    let hidden = records.iter().skip(rows(question));
    let unused = hidden.filter(|one| one.judged > 0 && one.unmatched == one.judged).count();
    let note = if unused > 0 { format!(", {unused} of them unmatched") } else { String::new() };
    more(records.len(), &note, question, out);
}

/// The metrics that take a record: the largest by its name, the others by their number.
fn takers(inventory: &Inventory, record: &RecordName) -> String {
    let largest = inventory.metrics.iter().find(|metric| record.metrics.contains(&metric.name));
    let largest = largest.map(|metric| &metric.name).or(record.metrics.first());
    let largest = largest.map(|name| words::cut(&words::safe(name), TAKER)).unwrap_or_default();
    match (record.metrics.len(), record.passes) {
        _ if record.judged == 0 => "(none since the reload)".to_owned(),
        (0, true) => "passes".to_owned(),
        (0, false) => "-".to_owned(),
        (1, false) => largest,
        (some, false) => format!("{largest} +{}", some - 1),
        (some, true) => format!("passes, {largest} +{}", some - 1),
    }
}

fn attributes(inventory: &Inventory, question: &Question, out: &mut String) {
    for kind in RecordKind::ALL {
        let fits = |one: &&Attribute| one.origin == kind.origin();
        let all: Vec<&Attribute> = inventory.attributes.iter().filter(fits).collect();
        if all.is_empty() {
            continue;
        }
        out.push('\n');
        let title = format!("Attributes of {}", title(kind).to_lowercase());
        let mut table = Table::new(2, &[&title, "#carried by", "#values", "type", "rules"]);
        for one in all.iter().take(rows(question)) {
            table.row([
                words::safe(&format!("{}.{}", one.origin, one.count.key)),
                words::share(one.count.records, one.of),
                words::at_least(one.count.values, one.count.values_at_least),
                words::safe(&one.count.types.join(", ").replace("list_or_map", "list")),
                rules(one),
            ]);
        }
        table.write(out);
        more(all.len(), "", question, out);
    }
    if !inventory.attributes.is_empty() {
        out.push_str("\nAs a label, an attribute multiplies label sets by its values at most: --name NAME works it out.\n");
    }
}

/// What the config does with an attribute.
pub(super) fn rules(one: &Attribute) -> String {
    let labels = one.labels.join(", ");
    let used = match (one.read, labels.is_empty()) {
        (true, false) => format!("label {labels}"),
        (true, true) => "read".to_owned(),
        (false, _) => "-".to_owned(),
    };
    match (one.private, one.read) {
        (true, true) => format!("private, {}", words::safe(&used)),
        (true, false) => "private".to_owned(),
        (false, _) => words::safe(&used),
    }
}

fn metrics(inventory: &Inventory, question: &Question, out: &mut String) {
    let metrics: Vec<&MetricCost> =
        inventory.metrics.iter().filter(|metric| metric.label_sets > 0).collect();
    if metrics.is_empty() {
        return;
    }
    out.push('\n');
    let titles = ["Metrics", "#label sets", "#folded", "the label that makes the most of them"];
    let mut table = Table::new(2, &titles);
    for metric in metrics.iter().take(rows(question)) {
        let costly = metric.labels.iter().min_by_key(|label| label.without);
        let costly = costly.filter(|label| label.without < metric.label_sets);
        let costly = costly.map(|label| {
            let (values, without) = (words::count(label.values), words::count(label.without));
            format!("{}: {values} values, {without} without it", words::safe(&label.name))
        });
        let folded = if metric.folded == 0 { "-".to_owned() } else { words::count(metric.folded) };
        let (name, sets) = (words::safe(&metric.name), words::count(metric.label_sets));
        table.row([name, sets, folded, costly.unwrap_or_default()]);
    }
    table.write(out);
    let left_out = usize::try_from(inventory.metrics_left_out).unwrap_or(usize::MAX);
    more(metrics.len().saturating_add(left_out), "", question, out);
    let (now, most) = (inventory.label_sets, inventory.label_sets_limit);
    let (now, most) = (words::sets(now), words::count(most));
    let each = words::count(metrics.first().map_or(0, |metric| metric.limit));
    let _ = writeln!(out, "  {now} in all; the limits are {each} a metric and {most} in all.");
}

fn rows(question: &Question) -> usize {
    if question.all { usize::MAX } else { ROWS }
}

fn more(all: usize, note: &str, question: &Question, out: &mut String) {
    if let Some(hidden @ 1..) = all.checked_sub(rows(question)) {
        let hidden = words::count(hidden as u64);
        let _ = writeln!(out, "  and {hidden} more{note}: --all shows them");
    }
}

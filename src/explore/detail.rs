//! All there is to say of records of some names: who takes them, each of their attributes, and what it would cost as a label.

use std::fmt::Write;

use engine::inventory::told::{Attribute, Inventory, MetricCost, RecordName};
use engine::rules::pattern::Pattern;

use super::table::Table;
use super::{Question, overview, words};

/// Metrics that are named for one record, unless all are asked for.
const METRICS: usize = 4;

/// Of each record whose name fits.
pub(super) fn write(inventory: &Inventory, name: &Pattern, question: &Question, out: &mut String) {
    let fits = |record: &&RecordName| !record.other && name.fits(&record.name);
    let mut records = inventory.records.iter().filter(fits).peekable();
    if records.peek().is_none() {
        out.push_str("\nNo record has such a name; without --name all names are shown.\n");
    }
    for record in records {
        one(inventory, record, question, out);
    }
}

fn one(inventory: &Inventory, record: &RecordName, question: &Question, out: &mut String) {
    let title = overview::title(record.kind);
    let (name, seen) = (words::name(&record.name, record.other), words::count(record.seen));
    let unmatched = match (record.kind.is_record(), record.unmatched) {
        (false, _) => String::new(),
        (true, 0) if record.judged == 0 => ", none since the rules were loaded".to_owned(),
        (true, 0) => ", all matched".to_owned(),
        (true, some) => format!(", {} unmatched", words::share(some, record.judged)),
    };
    let named = if record.name.is_empty() { name } else { format!("named \"{name}\"") };
    let _ = writeln!(out, "\n{title} {}: {seen} seen{unmatched}", words::cut(&named, 60));
    let takers = takers(inventory, record);
    let shown = if question.all { usize::MAX } else { METRICS };
    for (at, taker) in takers.iter().take(shown).enumerate() {
        let (name, sets) = (words::safe(&taker.name), words::sets(taker.label_sets));
        let note = if at == 0 { "; `as a label` is worked out for it" } else { "" };
        let _ = writeln!(out, "  taken by {}, {sets} now{note}", words::cut(&name, 40));
    }
    if takers.len() > shown {
        let _ = writeln!(out, "  and by {} more: --all names them", takers.len() - shown);
    }
    if record.passes {
        out.push_str("  passes through: its attributes are labels of its own series\n");
    }
    if record.keys.is_empty() {
        return;
    }
    let largest = takers.first().copied();
    let titles = ["attribute", "#share", "#values", "rules", "as a label"];
    let mut table = Table::new(4, &titles);
    for key in &record.keys {
        let same =
            |one: &&Attribute| one.origin == record.kind.origin() && one.count.key == key.key;
        let attribute = inventory.attributes.iter().find(same);
        table.row([
            words::safe(&key.key),
            words::share(key.records, record.seen),
            words::at_least(key.values, key.values_at_least),
            attribute.map(overview::rules).unwrap_or_default(),
            attribute.map(|one| cost(one, key.records < record.seen, largest)).unwrap_or_default(),
        ]);
    }
    table.write(out);
    if record.attributes_left_out > 0 {
        let left_out = words::count(record.attributes_left_out);
        let _ = writeln!(out, "    and others, {left_out} times: too many to be told apart");
    }
}

/// The metrics that take a record, the largest first.
fn takers<'i>(inventory: &'i Inventory, record: &RecordName) -> Vec<&'i MetricCost> {
    inventory.metrics.iter().filter(|metric| record.metrics.contains(&metric.name)).collect()
}

/// By how much label sets would multiply if the attribute became a label, and what the largest metric would come to. Where some
/// records are `without` it, they make a label set too.
fn cost(one: &Attribute, without: bool, largest: Option<&MetricCost>) -> String {
    if one.private || !one.labels.is_empty() || one.count.values == 0 {
        return String::new();
    }
    let times = one.count.values + u64::from(without);
    if times == 1 {
        return "no more".to_owned();
    }
    let shown = words::at_least(times, one.count.values_at_least);
    let Some(metric) = largest else { return format!("x{shown}") };
    let sets = metric.label_sets.saturating_mul(times);
    let verdict = match (one.count.values_at_least, sets > metric.limit) {
        (_, true) => "past limit".to_owned(),
        (true, false) => format!("{} or more", words::count(sets)),
        (false, false) => format!("{} at most", words::count(sets)),
    };
    format!("x{shown}: {verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::inventory::told::KeyCount;

    #[test]
    fn a_label_costs_its_values_times_the_label_sets_there_are() {
        let attribute = |values, values_at_least| Attribute {
            count: KeyCount { records: 9, values, values_at_least, ..KeyCount::default() },
            of: 9,
            ..Attribute::default()
        };
        let metric = MetricCost { label_sets: 100, limit: 1_000, ..MetricCost::default() };
        let told = |values, more, without| cost(&attribute(values, more), without, Some(&metric));
        assert_eq!(told(1, false, false), "no more");
        assert_eq!(told(1, false, true), "x2: 200 at most");
        assert_eq!(told(10, false, false), "x10: 1,000 at most");
        assert_eq!(told(10, false, true), "x11: past limit");
        assert_eq!(told(5, true, false), "x5+: 500 or more");
        assert_eq!(cost(&attribute(5, false), true, None), "x6");
        for free in [
            Attribute { private: true, ..attribute(5, false) },
            Attribute { labels: vec!["a".into()], ..attribute(5, false) },
            attribute(0, false),
        ] {
            assert_eq!(cost(&free, true, Some(&metric)), "");
        }
    }
}

//! Queries, boards, alerts and the report are changed by name: an entry of a later layer states only what differs.
//!
//! Keys that hold entries of their own (`rows`, `panels`, `columns`, ...) are changed entry by entry; any other key is replaced as
//! a whole. `null` removes. `after: NAME` says where an entry stands.

use engine::limits;

use super::diagnostic::Report;
use super::document::{Entry, Kind, Node};
use super::fields;

/// Keys that hold named entries.
const NESTED: [&str; 7] = ["rows", "panels", "columns", "queries", "figures", "tables", "checks"];

/// Alerts made from `objectives`, which no pack declares: `null` keeps them from being written.
pub const BUDGET_ALERTS: [&str; 5] = [
    "BotBudgetSpentAtOnce",
    "BotBudgetSpentFast",
    "BotBudgetSpentInADay",
    "BotBudgetSpentSlowly",
    "BotBudgetGone",
];

/// Keys that `alerts` had in 0.1.0, and what to write now.
const MOVED: [(&str, &str); 7] = [
    ("runbooks", ""),
    ("grafana", ""),
    ("labels", ""),
    ("slots", ""),
    ("cost_per_day", ""),
    ("off", "leave an alert out with `alerts: {NAME: null}`"),
    ("thresholds", "change an alert with `alerts: {NAME: {above: 5%}}` or `at_least`"),
];

/// Reports settings that `alerts` had in 0.1.0; whether there was one.
pub(super) fn moved(section: &Node, report: &mut Report<'_>) -> bool {
    let mut found = false;
    for entry in section.entries() {
        let Some((key, instead)) = MOVED.iter().find(|(key, _)| *key == entry.key) else {
            continue;
        };
        found = true;
        if instead.is_empty() {
            report.error(entry.at, format!("`alerts.{key}` moved to `alerting`"));
        } else {
            report.error(entry.at, format!("`alerts.{key}` is gone")).help(*instead);
        }
    }
    found
}

/// Changes named entries.
pub(super) fn entries(from: &Node, onto: &mut Node, report: &mut Report<'_>) {
    onto.at = from.at;
    let all = from.entries();
    if all.len() > limits::ENTRIES {
        report.error(from.at, format!("more than {} entries", limits::ENTRIES));
    }
    for entry in all.iter().take(limits::ENTRIES) {
        let Kind::Map(there) = &mut onto.kind else { return };
        let below = there.iter().position(|below| below.key == entry.key);
        match (below, entry.value.is_null()) {
            (Some(at), true) => drop(there.remove(at)),
            (None, true) if BUDGET_ALERTS.contains(&&*entry.key) => there.push(entry.clone()),
            (None, true) => {
                let message =
                    format!("nothing to remove: no pack has `{}` here", fields::cut(&entry.key));
                let near = report.nearest(&entry.key, there.iter().map(|below| &*below.key));
                report.warning(entry.at, message).suggest(near);
            }
            (Some(at), false) => {
                if let Some(below) = there.get_mut(at) {
                    keys(&entry.value, &mut below.value, report);
                }
                place(entry, at, there, report);
            }
            (None, false) => {
                there.push(entry.clone());
                place(entry, there.len() - 1, there, report);
            }
        }
    }
}

/// Keys of an alert that decide when it fires.
const DECIDING: [&str; 6] = ["query", "above", "below", "changed_by", "at_least", "usual_at_least"];

/// Drops the tests of an alert that is changed to fire at other times: they were written for what it was.
fn forget_tests(from: &Node, onto: &mut Node) {
    let decides = from.entries().iter().any(|entry| DECIDING.contains(&&*entry.key));
    if decides
        && from.get("tests").is_none()
        && let Some(tests) = onto.get_mut("tests")
    {
        tests.kind = Kind::List(Vec::new());
    }
}

/// Changes the keys of one entry.
pub(super) fn keys(from: &Node, onto: &mut Node, report: &mut Report<'_>) {
    forget_tests(from, onto);
    let (Kind::Map(above), Kind::Map(below)) = (&from.kind, &mut onto.kind) else {
        *onto = from.clone();
        return;
    };
    for entry in above {
        let same = below.iter().position(|one| one.key == entry.key);
        let nested = NESTED.contains(&&*entry.key) && matches!(entry.value.kind, Kind::Map(_));
        match same {
            Some(at) if entry.value.is_null() => drop(below.remove(at)),
            Some(at) => {
                let Some(one) = below.get_mut(at) else { continue };
                match (&one.value.kind, nested) {
                    (Kind::Map(_), true) => entries(&entry.value, &mut one.value, report),
                    _ => *one = entry.clone(),
                }
            }
            None if nested => {
                let mut value = Node { kind: Kind::Map(Vec::new()), at: entry.value.at };
                entries(&entry.value, &mut value, report);
                below.push(Entry { key: entry.key.clone(), at: entry.at, value });
            }
            None => below.push(entry.clone()),
        }
    }
}

/// Moves an entry behind the one that `after` names.
fn place(entry: &Entry, at: usize, entries: &mut Vec<Entry>, report: &mut Report<'_>) {
    let Some(after) = entry.value.get("after") else { return };
    let Some(name) = fields::text(after, report) else { return };
    let moved = entries.remove(at.min(entries.len() - 1));
    match entries.iter().position(|one| one.key == name) {
        Some(before) => entries.insert(before + 1, moved),
        None => {
            entries.push(moved);
            if !report.is_lenient(after.at) {
                let near =
                    report.nearest(name, entries.iter().map(|one| &*one.key)).map(str::to_owned);
                let message = format!("there is no `{}` to stand after", fields::cut(name));
                report.error(after.at, message).suggest(near.as_deref());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic::Source;
    use super::super::{document, print};
    use super::*;

    /// A text changed by another, printed, and the number of diagnostics.
    fn changed(text: &str, by: &str) -> (String, usize) {
        let mut report = Report::new(&|_| None);
        let mut parse = |text: &str| {
            let source = Source { name: "text".to_owned(), text: text.to_owned() };
            document::parse(source, &mut report).unwrap()
        };
        let (mut onto, from) = (parse(text), parse(by));
        entries(&from, &mut onto, &mut report);
        (print::yaml(&onto), report.finish().diagnostics.len())
    }

    #[test]
    fn an_entry_states_only_what_differs_and_null_removes() {
        let board =
            "b: {title: B, rows: {r: {title: R, panels: {p: {a: 1, b: {c: 2}}, q: {a: 3}}}}}";
        let change = "b: {rows: {r: {panels: {p: {b: {d: 4}}, q: null, s: {a: 5}}}}}";
        let wanted =
            "b: {title: B, rows: {r: {title: R, panels: {p: {a: 1, b: {d: 4}}, s: {a: 5}}}}}";
        assert_eq!(changed(board, change), changed(wanted, "{}"));
        assert_eq!(changed("a: {x: 1, y: 2}", "a: {y: null}"), changed("a: {x: 1}", "{}"));
        assert_eq!(changed("a: {x: 1}", "b: null").1, 1, "nothing to remove");
        assert_eq!(changed("a: {x: 1}", "BotBudgetGone: null").1, 0, "made from objectives");
    }

    #[test]
    fn an_entry_stands_after_the_one_it_names() {
        let order = |by: &str| {
            let (text, faults) = changed("{a: {x: 1}, b: {x: 2}, c: {x: 3}}", by);
            let keys = text.lines().filter_map(|line| line.split_once(':')).map(|(key, _)| key);
            (keys.collect::<String>(), faults)
        };
        assert_eq!(order("d: {after: a}"), ("adbc".to_owned(), 0));
        assert_eq!(order("c: {after: a}"), ("acb".to_owned(), 0));
        assert_eq!(order("d: {after: z}"), ("abcd".to_owned(), 1));
    }

    #[test]
    fn settings_that_moved_are_named_at_their_line() {
        let mut report = Report::new(&|_| None);
        let source = Source {
            name: "text".to_owned(),
            text: "slots: 3\noff: [a]\nBotTimeouts: {}".to_owned(),
        };
        let node = document::parse(source, &mut report).unwrap();
        assert!(moved(&node, &mut report));
        let messages: Vec<_> =
            report.finish().diagnostics.into_iter().map(|one| one.message).collect();
        assert_eq!(messages, ["`alerts.slots` moved to `alerting`", "`alerts.off` is gone"]);
    }
}

//! Queries, boards, alerts and the report: from the merged document to [`Content`].
//!
//! It comes after the metrics, whose names it checks.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use engine::limits;
use engine::rules::pattern::Pattern;

use super::catalogue::Catalogue;
use super::content::fields::Shape;
use super::content::{Content, Names, Omitted};
use super::diagnostic::{Origin, Place, Report};
use super::document::{Entry, Node};
use super::fields::{self as read, Fields};

mod alert;
mod board;
mod names;
mod promql;
mod query;
mod report;

/// Why there is nothing.
#[derive(Debug)]
pub(super) enum Gone {
    /// It is wrong, and was reported.
    Fault,
    /// A pack names what the configuration does not have.
    Absent(String),
}

/// What was read, or why there is nothing.
pub(super) type Read<T> = Result<T, Gone>;

/// The document, the names in it, and what was found out so far.
pub(super) struct Reader<'n, 'c, 'r, 'a> {
    pub root: &'n Node,
    pub catalogue: &'c Catalogue<'c>,
    /// Metrics that have faults of their own.
    pub failed: HashSet<&'n str>,
    pub report: &'r mut Report<'a>,
    /// How deep queries are nested where it reads.
    pub depth: usize,
    /// Whether it reads the report, whose period decides how long `window: fit` is.
    pub in_report: bool,
    /// How many queries were read.
    pub queries: usize,
    regexes: usize,
    omitted: Vec<Omitted>,
}

/// Reads the sections of a merged document that people look at. `catalogue`: the metrics of the same document.
pub(super) fn read(root: &Node, catalogue: &Catalogue<'_>, report: &mut Report<'_>) -> Content {
    let known: BTreeSet<&str> = catalogue.metrics.iter().map(|entry| entry.name()).collect();
    let metrics = root.get("metrics").map_or(&[][..], Node::entries);
    let failed =
        metrics.iter().map(|entry| &*entry.key).filter(|name| !known.contains(name)).collect();
    let own = metrics.iter().filter(|entry| report.origin(entry.at) != Origin::BuiltIn);
    let own_metrics = own.map(|entry| entry.key.clone()).collect();
    let mut reader = Reader {
        root,
        catalogue,
        failed,
        report,
        depth: 0,
        in_report: false,
        queries: 0,
        regexes: 0,
        omitted: Vec::new(),
    };
    let recorded = reader.recorded();
    let boards = reader.boards();
    let alerts = reader.alerts();
    reader.in_report = true;
    let report = reader.report_sections();
    let removed = reader.section("alerts").iter().filter(|entry| entry.value.is_null());
    let silenced = removed.map(|entry| entry.key.clone()).collect();
    Content {
        own_metrics,
        value_names: value_names(root),
        silenced,
        recorded,
        boards,
        alerts,
        report,
        omitted: reader.omitted,
    }
}

/// Names of label values, by metric and label. They were checked with the labels.
fn value_names(root: &Node) -> BTreeMap<(String, String), Names> {
    let mut all = BTreeMap::new();
    let mut add = |metric: &str, labels: Option<&Node>| {
        for label in labels.map_or(&[][..], Node::entries) {
            let names = label.value.get("names").map_or(&[][..], Node::entries);
            let text = |entry: &Entry| Some((entry.key.clone(), entry.value.text_form()?));
            let names: Names = names.iter().filter_map(text).collect();
            if !names.is_empty() {
                all.entry((metric.to_owned(), label.key.clone()))
                    .or_insert_with(Names::new)
                    .extend(names);
            }
        }
    };
    add("", root.get("labels"));
    for metric in root.get("metrics").map_or(&[][..], Node::entries) {
        add(&metric.key, metric.value.get("labels"));
        for part in metric.value.get("parts").map_or(&[][..], Node::items) {
            add(&metric.key, part.get("labels"));
        }
    }
    all
}

impl<'n> Reader<'n, '_, '_, '_> {
    /// The entries of a section.
    pub(super) fn section(&self, name: &str) -> &'n [Entry] {
        self.root.get(name).map_or(&[], Node::entries)
    }

    /// The fields of a map.
    pub(super) fn fields(&mut self, node: &'n Node, what: &str, shape: &Shape) -> Fields<'n> {
        Fields::of(node, what, &shape.keys(), self.report)
    }

    /// That a name is not in the configuration: an error in the operator's file, a reason to leave something out in a pack.
    pub(super) fn unknown(&mut self, node: &Node, message: String, near: Option<&str>) -> Gone {
        if self.report.is_lenient(node.at) {
            return Gone::Absent(message);
        }
        self.report.error(node.at, message).suggest(near);
        Gone::Fault
    }

    /// The fault that a key is missing.
    pub(super) fn missing(&mut self, at: Place, what: &str, key: &str) -> Gone {
        self.report.error(at, format!("{what} has no `{key}`"));
        Gone::Fault
    }

    /// Notes that a part of a pack was left out, unless it has a fault.
    pub(super) fn kept<T>(
        &mut self,
        found: Read<T>,
        at: Place,
        what: impl FnOnce() -> String,
    ) -> Option<T> {
        match found {
            Ok(found) => Some(found),
            Err(Gone::Fault) => None,
            Err(Gone::Absent(why)) => {
                let place = self.report.line(at);
                self.omitted.push(Omitted { place, what: what(), why });
                None
            }
        }
    }

    /// A text that has to be there.
    pub(super) fn text(&mut self, fields: &Fields<'n>, key: &str, what: &str) -> Read<String> {
        match fields.get(key) {
            Some(node) => read::text(node, self.report).map(str::to_owned).ok_or(Gone::Fault),
            None => Err(self.missing(fields.at, what, key)),
        }
    }

    /// A text that may be there.
    pub(super) fn optional(&mut self, fields: &Fields<'n>, key: &str) -> Read<Option<String>> {
        match fields.get(key) {
            Some(node) => {
                read::text(node, self.report).map(|text| Some(text.to_owned())).ok_or(Gone::Fault)
            }
            None => Ok(None),
        }
    }

    /// One of some words, if it is there.
    pub(super) fn word<T: Copy>(
        &mut self,
        fields: &Fields<'n>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Read<Option<T>> {
        match fields.get(key) {
            Some(node) => read::word(node, words, self.report).map(Some).ok_or(Gone::Fault),
            None => Ok(None),
        }
    }

    /// A whole number of at least 1, if it is there.
    pub(super) fn count(&mut self, fields: &Fields<'n>, key: &str) -> Read<Option<usize>> {
        match fields.get(key) {
            Some(node) => read::count(node, 1, self.report).map(Some).ok_or(Gone::Fault),
            None => Ok(None),
        }
    }

    /// Whether a key says `true`.
    pub(super) fn flag(&mut self, fields: &Fields<'n>, key: &str) -> Read<bool> {
        match fields.get(key) {
            Some(node) => read::boolean(node, self.report).ok_or(Gone::Fault),
            None => Ok(false),
        }
    }

    /// A text, a glob or a regular expression.
    pub(super) fn pattern(&mut self, text: &str, node: &Node) -> Read<Pattern> {
        self.regexes += usize::from(text.starts_with('/'));
        if self.regexes > limits::REGEXES {
            let message = format!("more than {} regular expressions", limits::REGEXES);
            self.report.error(node.at, message);
            return Err(Gone::Fault);
        }
        Pattern::parse(text).map_err(|error| {
            self.report.error(node.at, error.to_string());
            Gone::Fault
        })
    }
}

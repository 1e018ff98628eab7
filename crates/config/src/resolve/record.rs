//! `records`, and every `from` that names records.

use engine::limits;
use engine::rules::definition::{From, RecordClass, Source};

use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self, Fields};
use super::Resolver;
use super::names::{SOURCES, text_of};

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn records(&mut self) -> Vec<RecordClass> {
        let entries = self.names.records.entries;
        entries.iter().map(|entry| self.record(entry)).collect()
    }

    fn record(&mut self, entry: &'n Entry) -> RecordClass {
        let what = format!("the record `{}`", entry.key);
        if SOURCES.iter().any(|(source, _)| *source == entry.key) {
            self.report.error(entry.at, format!("`{}` is a kind of record already", entry.key));
        }
        let known = ["from", "where", "unique", "most"];
        let fields = Fields::of(&entry.value, &what, &known, self.report);
        let (from, sources) = self.from(&fields, entry, &what);
        let condition = fields.get("where").map(|node| self.condition(node, &sources));
        let unique = fields.get("unique").map_or(&[][..], fields::one_or_more);
        let unique = unique.iter().filter_map(|node| {
            let word = fields::text(node, self.report)?;
            Some(self.reference(word, node.at, &sources))
        });
        let unique = unique.collect();
        RecordClass {
            name: entry.key.clone(),
            from,
            condition: condition.unwrap_or_default(),
            unique,
            most: fields.read("most", fields::weight, self.report),
        }
    }

    /// The `from` of a block that needs one, and the kinds of record behind it.
    pub(super) fn from(
        &mut self,
        fields: &Fields<'n>,
        entry: &'n Entry,
        what: &str,
    ) -> (Vec<From>, Vec<Source>) {
        let Some(node) = fields.get("from") else {
            let fault = self.report.error(entry.at, format!("{what} lacks `from`"));
            fault.help("span, span_event, log, datapoint, session, or a record");
            return (Vec::new(), super::EVERY.to_vec());
        };
        self.froms(node)
    }

    /// A list of records, and the kinds of record behind it.
    pub(super) fn froms(&mut self, node: &'n Node) -> (Vec<From>, Vec<Source>) {
        let nodes = fields::one_or_more(node);
        if nodes.is_empty() {
            self.report.error(node.at, "an empty `from`: no record is meant");
        }
        if nodes.len() > limits::BLOCK {
            let message = format!("more than {} names in a `from`", limits::BLOCK);
            self.report.error(node.at, message);
        }
        let nodes = nodes.get(..limits::BLOCK).unwrap_or(nodes);
        let mut froms = Vec::new();
        for node in nodes {
            let Some(from) = self.source_word(node) else { continue };
            if froms.contains(&from) {
                let twice = text_of(node).unwrap_or_default();
                self.report.error(node.at, format!("`{twice}` comes twice"));
            }
            froms.push(from);
        }
        let mut sources = self.names.kinds(nodes.iter().filter_map(text_of));
        if sources.is_empty() {
            sources = super::EVERY.to_vec();
        }
        (froms, sources)
    }

    fn source_word(&mut self, node: &'n Node) -> Option<From> {
        let Kind::Text(word) = &node.kind else {
            fields::expected("a kind of record or the name of one", node, self.report);
            return None;
        };
        if let Some((_, source)) = SOURCES.iter().find(|(name, _)| name == word) {
            return Some(From::Source(*source));
        }
        let found = self.names.records.find(word).map(From::Record);
        if found.is_none() {
            let sources = SOURCES.iter().map(|(name, _)| *name);
            let near = self.report.nearest(word, sources.chain(self.names.records.names()));
            let message = format!("there is no record `{}`", fields::cut(word));
            let fault = self.report.error(node.at, message);
            fault.help("span, span_event, log, datapoint, session, or one of `records`");
            fault.suggest(near);
        }
        found
    }
}

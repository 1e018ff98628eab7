//! WHERE: which records are meant.

use engine::rules::definition::{Comparison, Condition, Reference, Source, Test};
use engine::rules::pattern::Pattern;

use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self, Fields};
use super::super::quantity;
use super::Resolver;
use super::names::Secret;

const TESTS: [&str; 7] = ["not", "exists", "gt", "ge", "lt", "le", "is"];
const COMPARISONS: [(&str, Comparison); 4] = [
    ("gt", Comparison::Gt),
    ("ge", Comparison::Ge),
    ("lt", Comparison::Lt),
    ("le", Comparison::Le),
];

impl<'n> Resolver<'n, '_, '_> {
    /// A map (all lines hold) or a list of maps (any of them).
    pub(super) fn condition(&mut self, node: &'n Node, sources: &[Source]) -> Condition {
        let groups = match &node.kind {
            Kind::Map(_) => std::slice::from_ref(node),
            Kind::List(nodes) if !nodes.is_empty() => &nodes[..],
            _ => {
                let what = "a map of conditions, or a list of such maps";
                fields::expected(what, node, self.report);
                &[]
            }
        };
        let any = groups.iter().map(|group| self.group(group, sources)).collect();
        Condition { any }
    }

    fn group(&mut self, node: &'n Node, sources: &[Source]) -> Vec<(Reference, Test)> {
        let Kind::Map(entries) = &node.kind else {
            fields::expected("a map of conditions", node, self.report);
            return Vec::new();
        };
        if entries.is_empty() {
            self.report.error(node.at, "a condition without a line: leave it out");
        }
        entries.iter().filter_map(|entry| self.line(entry, sources)).collect()
    }

    fn line(&mut self, entry: &'n Entry, sources: &[Source]) -> Option<(Reference, Test)> {
        let reference = self.reference(&entry.key, entry.at, sources);
        let secret = match &reference {
            Reference::Alias(alias) => self.names.secrets.get(*alias).cloned().flatten(),
            _ => None,
        };
        if matches!(secret, Some(Secret::Hashed(_))) && !is_presence(&entry.value) {
            let message = format!("`{}` is a keyed hash: it can only be there or not", entry.key);
            self.report.error(entry.value.at, message).help("write `{exists: true}`");
            return None;
        }
        let word = Node { kind: Kind::Text(entry.key.clone()), at: entry.at };
        let seconds = self.names.is_seconds(&word, sources);
        self.test(&entry.value, seconds).map(|test| (reference, test))
    }

    fn test(&mut self, node: &'n Node, seconds: bool) -> Option<Test> {
        match &node.kind {
            Kind::Map(_) => self.tests(node, seconds),
            Kind::Null => {
                let fault = fields::expected("a text, a list or a test", node, self.report);
                fault.help("that there is none is `{exists: false}`");
                None
            }
            _ => self.any_of(node),
        }
    }

    /// A text, glob, regular expression, number or boolean, or a list of them.
    pub(super) fn any_of(&mut self, node: &'n Node) -> Option<Test> {
        let nodes = fields::one_or_more(node);
        if nodes.is_empty() {
            self.report.error(node.at, "an empty list: nothing is one of none");
        }
        let patterns: Vec<Pattern> = nodes.iter().filter_map(|one| self.one(one)).collect();
        (patterns.len() == nodes.len()).then_some(Test::AnyOf(patterns))
    }

    fn one(&mut self, node: &'n Node) -> Option<Pattern> {
        match &node.kind {
            Kind::Text(text) => self.pattern(text, node.at),
            Kind::Map(_) => {
                let fields = Fields::of(node, "a value in a list", &["is"], self.report);
                let literal = fields.read("is", fields::scalar, self.report);
                literal.map(|text| Pattern::exact(&text))
            }
            _ => fields::scalar(node, self.report).map(|text| Pattern::exact(&text)),
        }
    }

    fn tests(&mut self, node: &'n Node, seconds: bool) -> Option<Test> {
        let fields = Fields::of(node, "a condition", &TESTS, self.report);
        let mut all = Vec::new();
        if let Some(inner) = fields.get("not") {
            all.push(Test::Not(Box::new(self.test(inner, seconds)?)));
        }
        all.extend(fields.read("exists", fields::boolean, self.report).map(Test::Exists));
        let literal = fields.read("is", fields::scalar, self.report);
        all.extend(literal.map(|text| Test::AnyOf(vec![Pattern::exact(&text)])));
        for (key, comparison) in COMPARISONS {
            let bound = fields.get(key).and_then(|bound| self.bound(bound, seconds));
            all.extend(bound.map(|bound| Test::Number(comparison, bound)));
        }
        match (all.len(), node.entries().is_empty()) {
            (0, true) => {
                let fault = self.report.error(node.at, "a condition that says nothing");
                fault.help(format!("say one of: {}", TESTS.join(", ")));
                None
            }
            (0, false) => None,
            (1, _) => all.pop(),
            _ => Some(Test::All(all)),
        }
    }

    /// Times carry units; what another attribute counts is its own affair, so sizes and times may be written with units.
    fn bound(&mut self, node: &'n Node, seconds: bool) -> Option<f64> {
        match &node.kind {
            _ if seconds => fields::seconds(node, self.report),
            Kind::Text(text) => match quantity::bytes(text).or_else(|| quantity::seconds(text)) {
                Some(number) => Some(number),
                None => fields::number(node, self.report),
            },
            _ => fields::number(node, self.report),
        }
    }
}

/// Whether a test only asks if there is a value.
fn is_presence(node: &Node) -> bool {
    let only = |key: &str| node.entries().len() == 1 && node.get(key).is_some();
    only("exists") || (only("not") && node.get("not").is_some_and(is_presence))
}

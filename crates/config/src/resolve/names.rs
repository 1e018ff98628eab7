//! The names a config gives to tables, aliases and record classes, and what a word in it refers to.

use std::collections::HashMap;

use engine::limits;
use engine::rules::definition::{Intrinsic, Reference, Source};
use engine::rules::pattern::Pattern;
use engine::view::Origin;

use super::super::diagnostic::{Place, Report};
use super::super::document::{Entry, Kind, Node};
use super::super::fields::one_or_more;
use super::graph;
use super::{EVERY, Resolver};

/// A section of named entries.
pub(super) struct Index<'n> {
    /// In written order.
    pub(super) entries: &'n [Entry],
    by_name: HashMap<&'n str, usize>,
}

/// All names, and what can be said about them before anything is resolved.
pub(super) struct Names<'n> {
    pub(super) tables: Index<'n>,
    pub(super) aliases: Index<'n>,
    pub(super) records: Index<'n>,
    /// Whether an alias yields seconds.
    pub(super) seconds: Vec<bool>,
    /// Why an alias must not become a label.
    pub(super) secrets: Vec<Option<Secret>>,
    /// Which kinds of record a class holds.
    pub(super) sources: Vec<Vec<Source>>,
    /// Attributes that hashed aliases read, and the alias.
    pub(super) personal: HashMap<String, Vec<(Option<Origin>, usize)>>,
}

/// Why a value is none for a label.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Secret {
    /// An alias with `hash: true`.
    Hashed(usize),
    /// An attribute that a hashed alias reads.
    Personal(String, usize),
    /// An attribute under `privacy.drop`.
    Dropped(String),
    /// `trace_id` or `span_id`.
    Id(&'static str),
    /// `body`, not mapped to an end.
    Body,
}

const ORIGINS: [(&str, Origin); 6] = [
    ("span.", Origin::Span),
    ("resource.", Origin::Resource),
    ("scope.", Origin::Scope),
    ("event.", Origin::Event),
    ("log.", Origin::Log),
    ("point.", Origin::Point),
];

/// The intrinsics, and the only kind of record that has one where not all have it.
const INTRINSICS: [(&str, Intrinsic, Option<Source>); 15] = [
    ("name", Intrinsic::Name, None),
    ("kind", Intrinsic::Kind, None),
    ("status", Intrinsic::Status, None),
    ("duration", Intrinsic::Duration, None),
    ("time", Intrinsic::Time, None),
    ("root", Intrinsic::Root, None),
    ("service", Intrinsic::Service, None),
    ("scope_name", Intrinsic::ScopeName, None),
    ("trace_id", Intrinsic::TraceId, None),
    ("span_id", Intrinsic::SpanId, None),
    ("span_name", Intrinsic::SpanName, Some(Source::SpanEvent)),
    ("since_start", Intrinsic::SinceStart, Some(Source::SpanEvent)),
    ("severity", Intrinsic::Severity, Some(Source::Log)),
    ("body", Intrinsic::Body, Some(Source::Log)),
    ("value", Intrinsic::Value, Some(Source::Datapoint)),
];

/// The words for kinds of record.
pub(super) const SOURCES: [(&str, Source); 5] = [
    ("span", Source::Span),
    ("span_event", Source::SpanEvent),
    ("log", Source::Log),
    ("datapoint", Source::Datapoint),
    ("session", Source::Session),
];

impl<'n> Index<'n> {
    fn new(root: &'n Node, section: &str) -> Self {
        let entries = root.get(section).map_or(&[][..], Node::entries);
        let by_name = entries.iter().enumerate().map(|(at, entry)| (&*entry.key, at)).collect();
        Self { entries, by_name }
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'n str> + use<'n> {
        self.entries.iter().map(|entry| &*entry.key)
    }

    /// The name of an entry, for messages.
    pub(super) fn name(&self, index: usize) -> &'n str {
        self.entries.get(index).map_or("", |entry| &entry.key)
    }
}

impl<'n> Names<'n> {
    pub(super) fn new(root: &'n Node, dropped: &[Pattern], report: &mut Report<'_>) -> Self {
        let mut names = Self {
            tables: Index::new(root, "tables"),
            aliases: Index::new(root, "attributes"),
            records: Index::new(root, "records"),
            seconds: Vec::new(),
            secrets: Vec::new(),
            sources: Vec::new(),
            personal: HashMap::new(),
        };
        names.aliases(dropped, report);
        names.records(report);
        names
    }

    fn aliases(&mut self, dropped: &[Pattern], report: &mut Report<'_>) {
        let edges: Vec<Vec<usize>> =
            self.aliases.entries.iter().map(|entry| self.reads(&entry.value)).collect();
        let order = graph::order(&edges);
        for circle in &order.circles {
            let Some(first) = circle.first() else { continue };
            let Some(entry) = self.aliases.entries.get(*first) else { continue };
            let name = &entry.key;
            let message = match circle.len() {
                1 => format!("the alias `{name}` reads itself"),
                _ => format!("aliases in a circle: {}", circle_text(circle, &self.aliases)),
            };
            let help = format!("for the attribute of that name write its origin: `span.{name}`");
            report.error(entry.at, message).help(help);
        }
        deep(&edges, &order.nodes, &self.aliases, report);
        self.learn(&order.nodes, dropped);
    }

    /// The aliases that a VALUE reads, conditions included.
    fn reads(&self, value: &Node) -> Vec<usize> {
        let steps = value.get("any_of").into_iter().flat_map(one_or_more);
        let whens = steps.filter_map(|step| step.get("when")).flat_map(one_or_more);
        let conditions = whens.flat_map(Node::entries).map(|entry| &*entry.key);
        references(value).chain(conditions).filter_map(|word| self.aliases.find(word)).collect()
    }

    fn records(&mut self, report: &mut Report<'_>) {
        let froms = |entry: &'n Entry| {
            let from = entry.value.get("from").into_iter().flat_map(one_or_more);
            from.filter_map(text_of)
        };
        let edges: Vec<Vec<usize>> = self
            .records
            .entries
            .iter()
            .map(|entry| froms(entry).filter_map(|word| self.records.find(word)).collect())
            .collect();
        let order = graph::order(&edges);
        for circle in &order.circles {
            let entry = circle.first().and_then(|first| self.records.entries.get(*first));
            let Some(entry) = entry else { continue };
            let circle = circle_text(circle, &self.records);
            report.error(entry.at, format!("records in a circle: {circle}"));
        }
        deep(&edges, &order.nodes, &self.records, report);
        self.sources = vec![Vec::new(); edges.len()];
        for index in order.nodes {
            let Some(entry) = self.records.entries.get(index) else { continue };
            let found = self.kinds(froms(entry));
            if let Some(sources) = self.sources.get_mut(index) {
                *sources = found;
            }
        }
    }

    /// The kinds of record behind some words of a `from`.
    pub(super) fn kinds<'w>(&self, words: impl Iterator<Item = &'w str>) -> Vec<Source> {
        let mut found = Vec::new();
        for word in words {
            let source = SOURCES.iter().find(|(name, _)| *name == word).map(|(_, source)| *source);
            let record = self.records.find(word).and_then(|record| self.sources.get(record));
            found.extend(source.into_iter().chain(record.into_iter().flatten().copied()));
        }
        EVERY.iter().copied().filter(|source| found.contains(source)).collect()
    }

    /// What a word refers to in records of these kinds. An intrinsic that none of them has is an attribute.
    pub(super) fn refer(&self, word: &str, sources: &[Source]) -> Reference {
        for (prefix, origin) in ORIGINS {
            if let Some(key) = word.strip_prefix(prefix) {
                return Reference::Attribute(Some(origin), key.to_owned());
            }
        }
        if let Some(alias) = self.aliases.find(word) {
            return Reference::Alias(alias);
        }
        let known = INTRINSICS.iter().find(|(name, ..)| *name == word);
        match known {
            Some((_, intrinsic, only)) if only.is_none_or(|only| sources.contains(&only)) => {
                Reference::Intrinsic(*intrinsic)
            }
            _ => Reference::Attribute(None, word.to_owned()),
        }
    }
}

impl Resolver<'_, '_, '_> {
    /// A reference, with a doubt when it looks like a slip.
    pub(super) fn reference(&mut self, word: &str, at: Place, sources: &[Source]) -> Reference {
        let found = self.names.refer(word, sources);
        if let Reference::Attribute(_, key) = &found
            && key.is_empty()
        {
            self.report.error(at, "a reference without a name");
        }
        if let Reference::Attribute(None, key) = &found
            && !key.contains('.')
        {
            let intrinsics = INTRINSICS.iter().filter(|(.., only)| only.is_none());
            let known = self.names.aliases.names().chain(intrinsics.map(|(name, ..)| *name));
            if let Some(near) = self.report.nearest(key, known.filter(|word| word.len() > 4)) {
                let message = format!("`{key}` is read as an attribute of that name");
                self.report.warning(at, message).suggest(Some(near));
            }
        }
        found
    }
}

/// The words a VALUE refers to.
pub(super) fn references(value: &Node) -> impl Iterator<Item = &str> {
    let from = value.get("from").into_iter();
    let steps = value.get("any_of").into_iter().flat_map(one_or_more);
    std::iter::once(value).chain(from).chain(steps).filter_map(text_of)
}

pub(super) fn text_of(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Text(text) => Some(text),
        _ => None,
    }
}

/// Faults for names that build on too many others.
fn deep(edges: &[Vec<usize>], order: &[usize], index: &Index<'_>, report: &mut Report<'_>) {
    let mut depths = vec![0_usize; edges.len()];
    for node in order {
        let below = edges.get(*node).into_iter().flatten().filter_map(|next| depths.get(*next));
        let depth = below.max().map_or(1, |below| below + 1);
        if let Some(own) = depths.get_mut(*node) {
            *own = depth;
        }
        // Only the first one too deep: those above it are deeper still.
        if depth == limits::NAME_DEPTH + 1
            && let Some(entry) = index.entries.get(*node)
        {
            let (name, most) = (&entry.key, limits::NAME_DEPTH);
            let message = format!("`{name}` builds on names that build on names, {most} deep");
            report.error(entry.at, message);
        }
    }
}

fn circle_text(circle: &[usize], index: &Index<'_>) -> String {
    const SHOWN: usize = 8;
    let names = circle.iter().take(SHOWN).map(|one| format!("`{}`", index.name(*one)));
    let mut names: Vec<String> = names.collect();
    names.extend((circle.len() > SHOWN).then(|| "...".to_owned()));
    names.extend(circle.first().map(|one| format!("`{}`", index.name(*one))));
    names.join(" reads ")
}

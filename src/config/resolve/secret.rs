//! What must not become a label: personal values, dropped keys, ids and texts without end.
//!
//! Said of documents, before anything is resolved, so that it holds whatever order aliases stand in.

use crate::rules::definition::{Intrinsic, Reference, Source};
use crate::rules::pattern::Pattern;
use crate::view::Origin;

use super::super::document::{Kind, Node};
use super::names::{Names, references};
use super::{EVERY, Resolver};

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

impl Names<'_> {
    /// Learns about an alias what follows from its document and from the aliases it reads, which come first.
    pub(super) fn learn(&mut self, index: usize) {
        let Some(entry) = self.aliases.entries.get(index) else { return };
        let hashed =
            matches!(entry.value.get("hash").map(|node| &node.kind), Some(Kind::Bool(true)));
        if hashed {
            self.collect(index);
        }
        let secret = if hashed {
            Some(Secret::Hashed(index))
        } else {
            // What is personal may only be known after all aliases: `personal` is asked where labels are.
            self.secret(&entry.value, EVERY)
        };
        let seconds = self.is_seconds(&entry.value, EVERY);
        if let (Some(one), Some(two)) = (self.secrets.get_mut(index), self.seconds.get_mut(index)) {
            (*one, *two) = (secret, seconds);
        }
    }

    /// Keeps the attributes a hashed alias reads, through other aliases too.
    fn collect(&mut self, index: usize) {
        let (mut open, mut seen) = (vec![index], vec![index]);
        while let Some(alias) = open.pop() {
            let Some(entry) = self.aliases.entries.get(alias) else { continue };
            for word in references(&entry.value) {
                match self.refer(word, EVERY) {
                    Reference::Alias(next) if !seen.contains(&next) => {
                        seen.push(next);
                        open.push(next);
                    }
                    Reference::Attribute(origin, key) => self.personal.push((origin, key, index)),
                    _ => {}
                }
            }
        }
    }

    /// The first reason why a VALUE must not become a label, attributes aside.
    pub(super) fn secret(&self, value: &Node, sources: &[Source]) -> Option<Secret> {
        references(value)
            .find_map(|word| match self.refer(word, sources) {
                Reference::Alias(alias) => self.secrets.get(alias).cloned().flatten(),
                Reference::Intrinsic(Intrinsic::TraceId) => Some(Secret::Id("trace_id")),
                Reference::Intrinsic(Intrinsic::SpanId) => Some(Secret::Id("span_id")),
                Reference::Intrinsic(Intrinsic::Body) => Some(Secret::Body),
                _ => None,
            })
            .filter(|secret| *secret != Secret::Body || !is_closed(value))
    }

    /// Whether a VALUE is a time in seconds: one reference, unchanged.
    pub(super) fn is_seconds(&self, value: &Node, sources: &[Source]) -> bool {
        let mut words = references(value);
        let (Some(word), None) = (words.next(), words.next()) else { return false };
        value.get("map").is_none()
            && match self.refer(word, sources) {
                Reference::Intrinsic(Intrinsic::Duration | Intrinsic::SinceStart) => true,
                Reference::Alias(alias) => self.seconds.get(alias).copied().unwrap_or(false),
                _ => false,
            }
    }

    /// An attribute of a VALUE that is personal or dropped, through aliases too.
    pub(super) fn attribute(&self, value: &Node, dropped: &[Pattern]) -> Option<Secret> {
        let mut open: Vec<&Node> = vec![value];
        let mut seen = Vec::new();
        while let Some(value) = open.pop() {
            for word in references(value) {
                match self.refer(word, EVERY) {
                    Reference::Alias(alias) if !seen.contains(&alias) => {
                        seen.push(alias);
                        open.extend(self.aliases.entries.get(alias).map(|entry| &entry.value));
                    }
                    Reference::Attribute(origin, key) => {
                        let same = |(other, name, _): &&(Option<Origin>, String, usize)| {
                            *name == key
                                && (origin.is_none() || other.is_none() || *other == origin)
                        };
                        if let Some((.., alias)) = self.personal.iter().find(same) {
                            return Some(Secret::Personal(key, *alias));
                        }
                        if dropped.iter().any(|pattern| pattern.fits(&key)) {
                            return Some(Secret::Dropped(key));
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }
}

/// Whether a map leaves nothing of what came in: `"*"` is there and no row repeats a part of it, or it is a table.
fn is_closed(value: &Node) -> bool {
    match value.get("map").map(|map| &map.kind) {
        Some(Kind::Text(_)) => true,
        Some(Kind::Map(rows)) => {
            let plain = |text: Option<String>| !text.unwrap_or_default().contains('$');
            rows.iter().any(|row| row.key == "*")
                && rows.iter().all(|row| plain(row.value.text_form()))
        }
        _ => false,
    }
}

impl Resolver<'_, '_, '_> {
    /// A fault when a VALUE must not become a label.
    pub(super) fn refuse_secret(&mut self, value: &Node, sources: &[Source], dropped: &[Pattern]) {
        let names = &self.names;
        let Some(secret) = names.secret(value, sources).or_else(|| names.attribute(value, dropped))
        else {
            return;
        };
        let alias = |alias: &usize| names.aliases.name(*alias);
        let (message, help) = match &secret {
            Secret::Hashed(one) => (
                format!("`{}` is personal (`hash: true`) and never a label", alias(one)),
                "count different ones with `type: distinct`",
            ),
            Secret::Personal(key, one) => (
                format!(
                    "`{key}` is personal, the alias `{}` hashes it: it is never a label",
                    alias(one)
                ),
                "count different ones with `type: distinct`",
            ),
            Secret::Dropped(key) => (
                format!("`{key}` is under `privacy.drop`: it is never a label"),
                "remove one of both",
            ),
            Secret::Id(id) => (
                format!("`{id}` is different for every record and never a label"),
                "exemplars carry the ids of an example",
            ),
            Secret::Body => (
                "`body` is a text without end: a label needs a `map` that ends it".to_owned(),
                "add a row such as `\"*\": other`, and no `$` in any row",
            ),
        };
        self.report.error(value.at, message).help(help);
    }
}

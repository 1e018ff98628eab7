//! What must not become a label: personal values, dropped keys, ids and texts without end.
//!
//! Said of documents, before anything is resolved, so that it holds whatever order aliases stand in.

use engine::rules::definition::{Intrinsic, Reference, Source};
use engine::rules::pattern::Pattern;
use engine::view::Origin;

use super::super::document::{Kind, Node};
use super::names::{Names, Secret, references};
use super::{EVERY, Resolver};

impl Names<'_> {
    /// Learns about each alias what follows from its document and from the aliases it reads, which come first in `order`.
    pub(super) fn learn(&mut self, order: &[usize], dropped: &[Pattern]) {
        self.personal();
        self.seconds = vec![false; self.aliases.entries.len()];
        self.secrets = vec![None; self.aliases.entries.len()];
        for index in order {
            let Some(entry) = self.aliases.entries.get(*index) else { continue };
            let secret = match is_hashed(&entry.value) {
                true => Some(Secret::Hashed(*index)),
                false => self.secret(&entry.value, EVERY, dropped),
            };
            let seconds = self.is_seconds(&entry.value, EVERY);
            let known = (self.secrets.get_mut(*index), self.seconds.get_mut(*index));
            if let (Some(one), Some(two)) = known {
                (*one, *two) = (secret, seconds);
            }
        }
    }

    /// Collects the attributes that hashed aliases read, through other aliases too; each alias is looked at once.
    fn personal(&mut self) {
        let entries = self.aliases.entries;
        let hashed = |index: &usize| entries.get(*index).is_some_and(|one| is_hashed(&one.value));
        let mut owners: Vec<Option<usize>> =
            (0..entries.len()).map(|index| hashed(&index).then_some(index)).collect();
        let mut open: Vec<usize> = (0..entries.len()).filter(hashed).collect();
        while let Some(alias) = open.pop() {
            let Some(entry) = entries.get(alias) else { continue };
            let Some(owner) = owners.get(alias).copied().flatten() else { continue };
            for word in references(&entry.value) {
                match self.refer(word, EVERY) {
                    Reference::Alias(next) => {
                        if let Some(free @ None) = owners.get_mut(next) {
                            *free = Some(owner);
                            open.push(next);
                        }
                    }
                    Reference::Attribute(origin, key) => {
                        self.personal.entry(key).or_default().push((origin, owner));
                    }
                    Reference::Intrinsic(_) => {}
                }
            }
        }
    }

    /// The first reason why a VALUE must not become a label.
    pub(super) fn secret(
        &self,
        value: &Node,
        sources: &[Source],
        dropped: &[Pattern],
    ) -> Option<Secret> {
        let secret = |word| match self.refer(word, sources) {
            Reference::Alias(alias) => self.secrets.get(alias).cloned().flatten(),
            Reference::Intrinsic(Intrinsic::TraceId) => Some(Secret::Id("trace_id")),
            Reference::Intrinsic(Intrinsic::SpanId) => Some(Secret::Id("span_id")),
            Reference::Intrinsic(Intrinsic::Body) => Some(Secret::Body),
            Reference::Intrinsic(_) => None,
            Reference::Attribute(origin, key) => self.attribute(origin, key, dropped),
        };
        let open = |secret: &Secret| *secret != Secret::Body || !is_closed(value);
        references(value).filter_map(secret).find(open)
    }

    fn attribute(
        &self,
        origin: Option<Origin>,
        key: String,
        dropped: &[Pattern],
    ) -> Option<Secret> {
        let same = |other: Option<Origin>| origin.is_none() || other.is_none() || other == origin;
        let personal = self.personal.get(&key);
        let owner = personal.and_then(|all| all.iter().find(|(other, _)| same(*other)));
        match owner {
            Some((_, alias)) => Some(Secret::Personal(key, *alias)),
            None => dropped.iter().any(|glob| glob.fits(&key)).then_some(Secret::Dropped(key)),
        }
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
}

fn is_hashed(value: &Node) -> bool {
    matches!(value.get("hash").map(|node| &node.kind), Some(Kind::Bool(true)))
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
        let Some(secret) = names.secret(value, sources, dropped) else { return };
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

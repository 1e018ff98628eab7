//! The rules of one config, ready to run.

use std::sync::Arc;

use crate::limits;
use crate::model::{Declaration, HashKey, Pseudonym};

use super::definition::{From, Source};
use super::expression::{Expression, TextMap};
use super::index::Index;
use super::keys::{KeyId, Keys};
use super::lasting::Lasting;
use super::need::{Need, Needs};
use super::rule::{Class, Follow, Group, Label, LabelSet, Rule};
use super::update::SkipReason;

/// Compiled rules. Shared by all requests; a reload makes another.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) keys: Keys,
    pub(super) aliases: Vec<Expression>,
    pub(super) classes: Vec<Class>,
    /// Label values, each once however many metrics have it.
    pub(super) labels: Vec<Label>,
    /// Label sets, likewise.
    pub(super) sets: Vec<LabelSet>,
    pub(super) rules: Vec<Rule>,
    /// Rules that read the same records.
    pub(super) groups: Vec<Group>,
    /// For each kind of record, the set of rules that may take one.
    pub(super) by_source: [Box<[u64]>; 5],
    pub(super) index: Index,
    pub(super) alias_lasting: Vec<Lasting>,
    /// Where a log record without an event name has its name, if any rule asks for names.
    pub(super) event_name: Option<KeyId>,
    /// Conversations. In sets of rules they stand behind the last rule.
    pub(super) follow: Option<Follow>,
    pub(super) declarations: Vec<Arc<Declaration>>,
    pub(super) class_names: Vec<String>,
    /// What personal values are hashed with.
    pub(super) key: Option<HashKey>,
    /// Who is never counted as somebody.
    pub(super) opt_out: Option<Arc<TextMap>>,
    pub(super) weights: Weights,
}

/// The highest sampling weights that are accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// Of records whose class sets no lower one.
    pub(super) most: f64,
    /// The lowest there is: a weight up to this is accepted of every record.
    pub(super) least: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { most: limits::SAMPLING_MOST, least: limits::SAMPLING_MOST }
    }
}

impl RuleSet {
    pub(super) fn with_people(self, key: HashKey, opt_out: Option<Arc<TextMap>>) -> Self {
        Self { key: Some(key), opt_out, ..self }
    }

    pub(super) fn with_weights(self, most: f64) -> Self {
        let classes = self.classes.iter().filter_map(|class| class.most);
        Self { weights: Weights { most, least: classes.fold(most, f64::min) }, ..self }
    }

    /// Names of the metrics whose rules are asked for every record, because nothing of their conditions can be indexed.
    pub fn unindexed(&self) -> Vec<&str> {
        let mut needs = Needs::new(&self.aliases, &self.classes);
        let asked = self.rules.iter().zip(self.declarations());
        let asked = asked.filter(|(rule, _)| needs.rule(rule) == Need::Nothing);
        asked.map(|(_, one)| one.family.name.as_str()).collect()
    }

    /// The same rules, each asked for every record.
    pub(crate) fn without_index(mut self) -> Self {
        let needs = vec![Need::Nothing; self.rules.len() + usize::from(self.follow.is_some())];
        self.index = Index::new(&needs, self.keys.len());
        self
    }

    /// Whether a class or source list can hold a record of this kind at all.
    pub(super) fn may_take(&self, from: &[From], source: Source) -> bool {
        from.iter().any(|one| match one {
            From::Source(kind) => *kind == source,
            From::Record(class) => {
                self.classes.get(*class).is_some_and(|class| self.may_take(&class.from, source))
            }
        })
    }

    /// The families, in the order of [`super::Update::family`].
    pub fn declarations(&self) -> &[Arc<Declaration>] {
        &self.declarations
    }

    /// Tells what was hashed with another key from what was hashed with this one; says nothing of the key itself.
    pub fn key_mark(&self) -> Option<Pseudonym> {
        self.key.as_ref().map(|key| key.hash("oscar-metrics state"))
    }

    /// The record classes' names, in the order of [`super::Guard::class`].
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The ways in which each metric may fail to use a record it took.
    pub fn possible_skips(&self) -> impl Iterator<Item = (&str, SkipReason)> {
        let named = self.rules.iter().zip(&self.declarations);
        named.flat_map(|(rule, declaration)| {
            let name = declaration.family.name.as_str();
            let mut sampled = [Source::Span, Source::SpanEvent].into_iter();
            let sampled = sampled.any(|source| self.may_take(&rule.from, source));
            rule.possible_skips(sampled).into_iter().map(move |reason| (name, reason))
        })
    }

    /// The names of the classes whose records count once.
    pub fn unique_classes(&self) -> impl Iterator<Item = &str> {
        let named = self.classes.iter().zip(&self.class_names);
        named.filter(|(class, _)| !class.unique.is_empty()).map(|(_, name)| &**name)
    }
}

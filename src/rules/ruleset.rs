//! The rules of one config, ready to run.

use std::sync::Arc;

use crate::model::{Declaration, HashKey};

use super::definition::{From, Source};
use super::expression::{Condition, Expression, Reference, TextMap};
use super::slots::Keys;
use super::update::SkipReason;

/// Compiled rules. Shared by all requests; a reload makes another.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) keys: Keys,
    pub(super) aliases: Vec<Expression>,
    pub(super) classes: Vec<Class>,
    /// Label values, each once however many metrics have it.
    pub(super) labels: Vec<Label>,
    pub(super) rules: Vec<Rule>,
    /// For each kind of record, the rules that may take one.
    pub(super) by_source: [Vec<u32>; 5],
    declarations: Vec<Arc<Declaration>>,
    class_names: Vec<String>,
    unserved: Vec<String>,
    /// What personal values are hashed with.
    pub(super) key: Option<HashKey>,
    /// Who is never counted as somebody.
    pub(super) opt_out: Option<Arc<TextMap>>,
}

#[derive(Debug)]
pub(super) struct Class {
    pub(super) from: Vec<From>,
    pub(super) condition: Condition,
    pub(super) unique: Vec<Reference>,
}

/// One metric.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) family: u32,
    pub(super) from: Vec<From>,
    pub(super) kind: OpKind,
    /// Whom a distinct count counts.
    pub(super) of: Option<Reference>,
    pub(super) weighted: bool,
    pub(super) width: usize,
    pub(super) parts: Vec<Part>,
}

impl Rule {
    fn possible_skips(&self) -> Vec<SkipReason> {
        let measures = || self.parts.iter().map(|part| &part.measure);
        let reads = measures().any(|measure| matches!(measure, Measure::Value(..)));
        let joins = measures().any(|measure| matches!(measure, Measure::Value(_, Scale::Value(_))));
        let (adds, sets) = (matches!(self.kind, OpKind::Add), matches!(self.kind, OpKind::Set));
        [
            (SkipReason::NotANumber, reads),
            (SkipReason::NoRow, joins),
            (SkipReason::Negative, reads && adds),
            (SkipReason::GaugeLimit, sets),
        ]
        .into_iter()
        .filter_map(|(reason, possible)| possible.then_some(reason))
        .collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum OpKind {
    Add,
    Set,
    Observe,
    See,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) conditions: Vec<Condition>,
    pub(super) measure: Measure,
    /// For each label its position among the family's, and its value's index in the rule set.
    pub(super) labels: Vec<(usize, usize)>,
}

#[derive(Debug)]
pub(super) enum Measure {
    Constant(f64),
    Value(Expression, Scale),
}

#[derive(Debug)]
pub(super) enum Scale {
    Constant(f64),
    Value(Expression),
}

#[derive(Debug)]
pub(super) struct Label {
    pub(super) value: Expression,
    /// Declared values, sorted; others become `other`.
    pub(super) values: Option<Vec<Box<str>>>,
    pub(super) default: Option<Box<str>>,
}

impl RuleSet {
    pub(super) fn assemble(
        (keys, aliases, classes, labels): (Keys, Vec<Expression>, Vec<Class>, Vec<Label>),
        rules: Vec<(Rule, Arc<Declaration>)>,
        class_names: Vec<String>,
        unserved: Vec<String>,
    ) -> Self {
        let (rules, declarations) = rules.into_iter().unzip();
        let mut set = Self {
            keys,
            aliases,
            classes,
            labels,
            rules,
            declarations,
            class_names,
            unserved,
            ..Self::default()
        };
        for source in [Source::Span, Source::SpanEvent, Source::Log, Source::Datapoint] {
            set.by_source[source as usize] = (0_u32..)
                .zip(&set.rules)
                .filter(|(_, rule)| set.may_take(&rule.from, source))
                .map(|(at, _)| at)
                .collect();
        }
        set
    }

    pub(super) fn with_people(self, key: HashKey, opt_out: Option<Arc<TextMap>>) -> Self {
        Self { key: Some(key), opt_out, ..self }
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

    /// The record classes' names, in the order of [`super::Guard::class`].
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The ways in which each metric may fail to use a record it took.
    pub fn possible_skips(&self) -> impl Iterator<Item = (&str, SkipReason)> {
        let named = self.rules.iter().zip(&self.declarations);
        named.flat_map(|(rule, declaration)| {
            let name = declaration.family.name.as_str();
            rule.possible_skips().into_iter().map(move |reason| (name, reason))
        })
    }

    /// The names of the classes whose records count once.
    pub fn unique_classes(&self) -> impl Iterator<Item = &str> {
        let named = self.classes.iter().zip(&self.class_names);
        named.filter(|(class, _)| !class.unique.is_empty()).map(|(_, name)| &**name)
    }

    /// Metrics the config declares and this version does not serve.
    pub fn unserved(&self) -> &[String] {
        &self.unserved
    }
}

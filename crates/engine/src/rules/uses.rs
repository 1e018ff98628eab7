//! What rules do with attributes: which ones they read at all, and which ones become which labels.

use std::collections::{BTreeSet, HashMap};

use crate::view::Origin;

use super::definition::{
    Condition, Definitions, Expression, Intrinsic, Measure, MetricKind, Part, Reference, Scale,
    Step,
};

/// The attributes that rules read, and the labels they make of them.
#[derive(Clone, Debug, Default)]
pub struct Uses(HashMap<String, Vec<Use>>);

/// What is done with a key of one origin; no origin: wherever it stands.
#[derive(Clone, Debug)]
struct Use {
    origin: Option<Origin>,
    labels: BTreeSet<String>,
}

/// An attribute as a config names it.
type Key<'d> = (Option<Origin>, &'d str);

/// The attributes behind an expression: those it may yield, and those that only decide what it yields.
#[derive(Clone, Default)]
struct Behind<'d> {
    yields: BTreeSet<Key<'d>>,
    asks: BTreeSet<Key<'d>>,
}

struct Collector<'d> {
    definitions: &'d Definitions,
    /// What is behind each alias, once it was asked.
    aliases: Vec<Option<Behind<'d>>>,
    uses: Uses,
}

impl Uses {
    /// Those of a config. An alias or a class that nothing refers to is no use.
    pub fn new(definitions: &Definitions) -> Self {
        let aliases = vec![None; definitions.aliases.len()];
        let mut collector = Collector { definitions, aliases, uses: Self::default() };
        for class in &definitions.records {
            collector.read(of_condition(&class.condition).chain(&class.unique));
        }
        for metric in &definitions.metrics {
            if let MetricKind::Distinct { of, .. } = &metric.kind {
                collector.read([of]);
            }
            metric.parts.iter().for_each(|part| collector.part(part));
        }
        if let Some(sessions) = &definitions.sessions {
            collector.read([&sessions.key].into_iter().chain(&sessions.outcome));
        }
        collector.uses
    }

    /// The labels that an attribute is part of, none of them when it only decides something; none: no rule reads it.
    pub fn of(&self, origin: Origin, key: &str) -> Option<Vec<&str>> {
        let uses = self.0.get(key)?.iter();
        let mut uses = uses.filter(|one| one.origin.is_none_or(|only| only == origin)).peekable();
        uses.peek()?;
        let labels: BTreeSet<&str> = uses.flat_map(|one| &one.labels).map(String::as_str).collect();
        Some(labels.into_iter().collect())
    }

    fn entry(&mut self, (origin, key): Key<'_>) -> Option<&mut Use> {
        let uses = self.0.entry(key.to_owned()).or_default();
        let known = uses.iter().position(|one| one.origin == origin);
        let at = known.unwrap_or_else(|| {
            uses.push(Use { origin, labels: BTreeSet::new() });
            uses.len() - 1
        });
        uses.get_mut(at)
    }
}

impl<'d> Collector<'d> {
    fn part(&mut self, part: &'d Part) {
        self.read(part.conditions.iter().flat_map(of_condition));
        if let Measure::Value(value, scale) = &part.measure {
            self.read(of_expression(value));
            if let Scale::Value(scale) = scale {
                self.read(of_expression(scale));
            }
        }
        for label in &part.labels {
            let Behind { yields, asks } = self.behind(&label.value);
            for key in yields {
                if let Some(entry) = self.uses.entry(key) {
                    entry.labels.insert(label.name.as_str().to_owned());
                }
            }
            for key in asks {
                self.uses.entry(key);
            }
        }
    }

    fn read(&mut self, references: impl IntoIterator<Item = &'d Reference>) {
        for reference in references {
            let Behind { yields, asks } = self.reference(reference);
            for key in yields.into_iter().chain(asks) {
                self.uses.entry(key);
            }
        }
    }

    fn behind(&mut self, expression: &'d Expression) -> Behind<'d> {
        let mut all = Behind::default();
        for step in &expression.steps {
            match step {
                Step::From(reference) => {
                    let Behind { yields, asks } = self.reference(reference);
                    all.yields.extend(yields);
                    all.asks.extend(asks);
                }
                Step::When(condition, _) => {
                    for reference in of_condition(condition) {
                        let Behind { yields, asks } = self.reference(reference);
                        all.asks.extend(yields.into_iter().chain(asks));
                    }
                }
            }
        }
        all
    }

    fn reference(&mut self, reference: &'d Reference) -> Behind<'d> {
        let key = match reference {
            Reference::Alias(alias) => return self.alias(*alias),
            Reference::Attribute(origin, key) => Some((*origin, &**key)),
            Reference::Intrinsic(Intrinsic::Service) => {
                Some((Some(Origin::Resource), "service.name"))
            }
            Reference::Intrinsic(Intrinsic::Name) => Some((Some(Origin::Log), "event.name")),
            Reference::Intrinsic(_) => None,
        };
        Behind { yields: key.into_iter().collect(), asks: BTreeSet::new() }
    }

    /// No alias reaches itself, and none builds on more than [`crate::limits::NAME_DEPTH`] others.
    fn alias(&mut self, at: usize) -> Behind<'d> {
        if let Some(Some(known)) = self.aliases.get(at) {
            return known.clone();
        }
        let definitions = self.definitions;
        let Some(alias) = definitions.aliases.get(at) else { return Behind::default() };
        let behind = self.behind(&alias.value);
        if let Some(known) = self.aliases.get_mut(at) {
            *known = Some(behind.clone());
        }
        behind
    }
}

/// What an expression reads, its conditions included.
pub(super) fn of_expression(expression: &Expression) -> impl Iterator<Item = &Reference> {
    expression.steps.iter().flat_map(|step| match step {
        Step::From(reference) => vec![reference],
        Step::When(condition, _) => of_condition(condition).collect(),
    })
}

fn of_condition(condition: &Condition) -> impl Iterator<Item = &Reference> {
    condition.any.iter().flatten().map(|(reference, _)| reference)
}

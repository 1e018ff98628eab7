//! Why rules take a record or leave it: each condition, and what was found there. For people who ask; serving never comes here.
//!
//! A definition and its compiled form are walked side by side, and every test, class and amount is asked of the evaluation that
//! serves, so that no second reading of the config can drift from the first. An account is data without words; what is private
//! is [`Found::Hidden`] in it.

mod private;
mod reason;

pub use private::Private;
pub use reason::{Place, Reason};

use crate::limits;
use crate::model::{LabelName, OTHER, Op};

use super::definition::{
    self, Definitions, Metric, MetricKind, RecordClass, Reference, Step, Test,
};
use super::evaluate::Evaluation;
use super::expression::{Condition, Expression};
use super::lasting::Lasting;
use super::memos::Holds;
use super::rule::{Measure, Part, Rule, Scale};
use super::subject::Subject;
use super::update::{IgnoredWeight, SkipReason};

/// What the rules have to say of one record. Classes and metrics that never hold records of its kind are left out.
#[derive(Debug)]
pub struct Account<'d> {
    /// In the order of the config.
    pub classes: Vec<ClassAccount<'d>>,
    /// In the order of the config.
    pub rules: Vec<RuleAccount<'d>>,
}

/// What one record class has to say.
#[derive(Debug)]
pub struct ClassAccount<'d> {
    /// Its index in [`Definitions::records`].
    pub index: usize,
    /// The class.
    pub class: &'d RecordClass,
    /// Whether the record is one of it.
    pub held: bool,
    /// Its own condition.
    pub condition: Groups<'d>,
}

/// What one metric has to say.
#[derive(Debug)]
pub struct RuleAccount<'d> {
    /// The metric.
    pub metric: &'d Metric,
    /// The index of its family in the rule set.
    pub family: u32,
    /// Whether the record is one of those it reads.
    pub read: bool,
    /// The record's sampling weight, when it is over the highest that is accepted; only of a metric that it would change.
    pub ignored_weight: Option<IgnoredWeight>,
    /// Each of its parts.
    pub parts: Vec<PartAccount<'d>>,
}

/// What one part of a metric has to say.
#[derive(Debug)]
pub struct PartAccount<'d> {
    /// The block's condition and the part's own.
    pub conditions: Vec<Groups<'d>>,
    /// Whether the record is read and all conditions hold.
    pub held: bool,
    /// What it does to its series, when it holds: nothing when the record has no value.
    pub op: Result<Option<Op<'static>>, SkipReason>,
    /// What its amount is made of.
    pub inputs: Vec<(&'d Reference, Found)>,
    /// Labels whose values are not among the declared ones, and what was found.
    pub strangers: Vec<(&'d LabelName, Found)>,
}

/// The lines of a condition by group: any group, all of whose lines hold; none: always.
pub type Groups<'d> = Vec<Vec<Line<'d>>>;

/// One line of a condition.
#[derive(Debug)]
pub struct Line<'d> {
    /// Where it looks.
    pub reference: &'d Reference,
    /// What it asks.
    pub test: &'d Test,
    /// What it found.
    pub found: Found,
    /// Whether it holds.
    pub held: bool,
}

/// What stands somewhere in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing, or an empty text.
    Missing,
    /// Something that must not be seen.
    Hidden,
    /// Its text form, at most [`limits::EXPLAINED_VALUE`] bytes of it.
    Text(String),
}

/// What a config says, and what of it must not be seen.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'d> {
    /// What the rules were compiled from.
    pub definitions: &'d Definitions,
    /// What must not be seen.
    pub private: &'d Private,
}

impl<'a> Evaluation<'a> {
    /// What the rules have to say of a record whose attributes are in the slots. Of what comes out of it nothing counts.
    pub fn explain<'d>(
        &mut self,
        asked: Asked<'d>,
        subject: Subject<'_, 'a>,
        weight: f64,
    ) -> Account<'d> {
        self.begin(Lasting::Record);
        let (rules, source) = (self.rules, subject.source());
        let mut classes = Vec::new();
        for (index, class) in asked.definitions.records.iter().enumerate() {
            let Some(compiled) = rules.classes.get(index) else { continue };
            if rules.may_take(&class.from, source) {
                let held = self.holds(&compiled.from, subject)
                    && self.condition(&compiled.condition, subject);
                let condition =
                    self.groups(asked, (&class.condition, &compiled.condition), subject);
                classes.push(ClassAccount { index, class, held, condition });
            }
        }
        let mut accounts = Vec::new();
        for (metric, rule) in asked.definitions.metrics.iter().zip(&rules.rules) {
            if rules.may_take(&rule.from, source) {
                accounts.push(self.account(asked, (metric, rule), subject, weight));
            }
        }
        Account { classes, rules: accounts }
    }

    fn holds(&mut self, from: &'a [definition::From], subject: Subject<'_, 'a>) -> bool {
        matches!(self.from(from, subject), Holds::Yes(_))
    }

    fn account<'d>(
        &mut self,
        asked: Asked<'d>,
        (metric, rule): (&'d Metric, &'a Rule),
        subject: Subject<'_, 'a>,
        weight: f64,
    ) -> RuleAccount<'d> {
        let read = self.holds(&rule.from, subject);
        let (weight, ignored_weight) = match read {
            true => self.accepted(rule, subject, weight),
            false => (weight, None),
        };
        let mut parts = Vec::new();
        for (defined, part) in metric.parts.iter().zip(&rule.parts) {
            let conditions = defined.conditions.iter().zip(&part.conditions);
            let conditions = conditions.map(|pair| self.groups(asked, pair, subject)).collect();
            let mut all = part.conditions.iter();
            let held = read && all.all(|condition| self.condition(condition, subject));
            let op = match held {
                true => self.op(rule, part, subject, weight),
                false => Ok(None),
            };
            let inputs = match (&metric.kind, &rule.of) {
                (MetricKind::Distinct { of, .. }, Some(place)) => {
                    vec![(of, self.found(asked, (of, place), subject).hidden())]
                }
                _ => self.inputs(asked, (&defined.measure, &part.measure), subject),
            };
            let strangers = match held {
                true => self.strangers(asked, (defined, part, rule.family), subject),
                false => Vec::new(),
            };
            parts.push(PartAccount { conditions, held, op, inputs, strangers });
        }
        let used = parts.iter().any(|part| matches!(part.op, Ok(Some(_))));
        let ignored_weight = ignored_weight.filter(|_| used);
        RuleAccount { metric, family: rule.family, read, ignored_weight, parts }
    }

    fn groups<'d>(
        &mut self,
        asked: Asked<'d>,
        (defined, compiled): (&'d definition::Condition, &'a Condition),
        subject: Subject<'_, 'a>,
    ) -> Groups<'d> {
        let mut groups = Vec::new();
        for (group, compiled) in defined.any.iter().zip(&compiled.0) {
            let mut lines = Vec::new();
            for ((reference, test), (place, asks)) in group.iter().zip(compiled) {
                let held = self.test(place, asks, subject);
                let found = self.found(asked, (reference, place), subject);
                lines.push(Line { reference, test, found, held });
            }
            groups.push(lines);
        }
        groups
    }

    fn found(
        &mut self,
        asked: Asked<'_>,
        (reference, place): (&Reference, &'a super::expression::Reference),
        subject: Subject<'_, 'a>,
    ) -> Found {
        match self.resolve(place, subject) {
            None => Found::Missing,
            Some(_) if asked.private.hides(reference) => Found::Hidden,
            Some(found) => {
                let text = self.text(found);
                Found::text(self.updates.text(text))
            }
        }
    }

    /// What an amount is made of: what its value and its scale refer to.
    fn inputs<'d>(
        &mut self,
        asked: Asked<'d>,
        (defined, compiled): (&'d definition::Measure, &'a Measure),
        subject: Subject<'_, 'a>,
    ) -> Vec<(&'d Reference, Found)> {
        let (definition::Measure::Value(value, scale), Measure::Value(reads, times)) =
            (defined, compiled)
        else {
            return Vec::new();
        };
        let mut inputs = self.steps(asked, (value, reads), subject);
        if let (definition::Scale::Value(scale), Scale::Value(times)) = (scale, times) {
            inputs.extend(self.steps(asked, (scale, times), subject));
        }
        inputs
    }

    fn steps<'d>(
        &mut self,
        asked: Asked<'d>,
        (defined, compiled): (&'d definition::Expression, &'a Expression),
        subject: Subject<'_, 'a>,
    ) -> Vec<(&'d Reference, Found)> {
        let mut found = Vec::new();
        for pair in defined.steps.iter().zip(&compiled.steps) {
            if let (Step::From(reference), super::expression::Step::From(place)) = pair {
                found.push((reference, self.found(asked, (reference, place), subject)));
            }
        }
        found
    }

    fn strangers<'d>(
        &mut self,
        asked: Asked<'d>,
        (defined, part, family): (&'d definition::Part, &'a Part, u32),
        subject: Subject<'_, 'a>,
    ) -> Vec<(&'d LabelName, Found)> {
        let rules = self.rules;
        let mut strangers = Vec::new();
        let (set, names) = (rules.sets.get(part.set), rules.declarations().get(family as usize));
        let Some((set, family)) = set.zip(names) else { return strangers };
        for label in defined.labels.iter().filter(|label| label.values.is_some()) {
            let place = family.family.labels.iter().position(|name| *name == label.name);
            let at = place.and_then(|place| set.labels.get(place).copied().flatten());
            let Some((at, compiled)) = at.and_then(|at| Some((at, rules.labels.get(at)?))) else {
                continue;
            };
            let text = self.label(at, subject);
            let is_other = self.updates.text(text) == OTHER;
            let Some(found) = self.expression(&compiled.value, subject).filter(|_| is_other) else {
                continue;
            };
            let found = self.text(found);
            let found = match asked.private.hides_any(&label.value) {
                true => Found::Hidden,
                false => Found::text(self.updates.text(found)),
            };
            strangers.push((&label.name, found));
        }
        strangers
    }
}

impl Found {
    /// The same, not to be seen.
    fn hidden(self) -> Self {
        match self {
            Self::Missing => Self::Missing,
            Self::Hidden | Self::Text(_) => Self::Hidden,
        }
    }

    /// A text, cut when it is long.
    pub fn text(text: &str) -> Self {
        let end = text.floor_char_boundary(limits::EXPLAINED_VALUE);
        let shown = text.get(..end).unwrap_or_default().to_owned();
        match (text.is_empty(), end < text.len()) {
            (true, _) => Self::Missing,
            (false, true) => Self::Text(shown + "\u{2026}"),
            (false, false) => Self::Text(shown),
        }
    }
}

//! One request's run through the rules: attributes in, records in, updates out.
//!
//! A record class and an alias are evaluated once for a record, however many rules use them: each has a memo that belongs to
//! the record's number.

use crate::model::{OTHER, Op};
use crate::view::Origin;

use super::definition::{From, Source};
use super::expression::{Found, Reference};
use super::ruleset::{Label, Measure, OpKind, Part, Rule, RuleSet, Scale};
use super::slots::Slots;
use super::subject::Subject;
use super::update::{Skip, SkipReason, Text, Update, Updates};

/// The state of one request's run.
pub struct Evaluation<'a> {
    pub(super) rules: &'a RuleSet,
    /// The attributes of what is being looked at.
    pub slots: Slots<'a>,
    /// What has come out so far.
    pub updates: Updates<'a>,
    pub(super) scope_name: &'a [u8],
    label_bytes: usize,
    pub(super) record: u32,
    pub(super) aliases: Vec<(u32, Option<Found<'a>>)>,
    classes: Vec<(u32, Holds)>,
    pub(super) scratch: String,
}

/// Whether a record belongs to a class, and what must not have come before.
#[derive(Clone, Copy)]
enum Holds {
    No,
    Yes(Option<u32>),
}

impl<'a> Evaluation<'a> {
    /// A run with nothing seen. Label values are cut to `label_bytes`.
    pub fn new(rules: &'a RuleSet, label_bytes: usize) -> Self {
        Self {
            rules,
            slots: Slots::new(&rules.keys),
            updates: Updates::default(),
            scope_name: b"",
            label_bytes,
            record: 0,
            aliases: vec![(0, None); rules.aliases.len()],
            classes: vec![(0, Holds::No); rules.classes.len()],
            scratch: String::new(),
        }
    }

    /// A new instrumentation scope.
    pub fn scope(&mut self, name: &'a [u8]) {
        self.slots.clear(Origin::Scope);
        self.scope_name = name;
    }

    /// Whether any rule reads this kind of record.
    pub fn reads(&self, source: Source) -> bool {
        !self.rules.by_source[source as usize].is_empty()
    }

    /// Asks each rule that reads this kind of record. Whether any took it.
    pub fn record(&mut self, subject: Subject<'_, 'a>, item: u32, weight: f64) -> bool {
        self.record += 1;
        let rules = self.rules;
        let mut matched = false;
        for at in &rules.by_source[subject.source() as usize] {
            let Some(rule) = rules.rules.get(*at as usize) else { continue };
            if let Holds::Yes(guard) = self.from(&rule.from, subject) {
                matched |= self.rule(rule, subject, (item, guard, weight));
            }
        }
        matched
    }

    fn from(&mut self, from: &'a [From], subject: Subject<'_, 'a>) -> Holds {
        for one in from {
            let holds = match one {
                From::Source(source) if *source == subject.source() => Holds::Yes(None),
                From::Source(_) => Holds::No,
                From::Record(class) => self.class(*class, subject),
            };
            if let Holds::Yes(_) = holds {
                return holds;
            }
        }
        Holds::No
    }

    fn class(&mut self, at: usize, subject: Subject<'_, 'a>) -> Holds {
        if let Some((record, holds)) = self.classes.get(at)
            && *record == self.record
        {
            return *holds;
        }
        let rules = self.rules;
        let Some(class) = rules.classes.get(at) else { return Holds::No };
        let mut holds = self.from(&class.from, subject);
        if let Holds::Yes(inner) = holds {
            if !self.condition(&class.condition, subject) {
                holds = Holds::No;
            } else if inner.is_none() && !class.unique.is_empty() {
                holds = Holds::Yes(self.guard(at, &class.unique, subject));
            }
        }
        if let Some(memo) = self.classes.get_mut(at) {
            *memo = (self.record, holds);
        }
        holds
    }

    /// The identity of a record of a class whose records count once: its references' texts, each with its length.
    fn guard(
        &mut self,
        class: usize,
        unique: &'a [Reference],
        subject: Subject<'_, 'a>,
    ) -> Option<u32> {
        let mut identity = String::new();
        for reference in unique {
            let found = self.resolve(reference, subject);
            let text = found.map_or(Text::Missing, |found| self.text(found));
            let text = self.updates.text(text);
            identity.push_str(itoa::Buffer::new().format(text.len()));
            identity.push(':');
            identity.push_str(text);
        }
        let identity = self.updates.make(|out| out.push_str(&identity));
        Some(self.updates.guard(u32::try_from(class).ok()?, identity))
    }

    fn rule(
        &mut self,
        rule: &'a Rule,
        subject: Subject<'_, 'a>,
        (item, guard, weight): (u32, Option<u32>, f64),
    ) -> bool {
        let mut matched = false;
        for (shape, part) in (0_u32..).zip(&rule.parts) {
            if !part.conditions.iter().all(|condition| self.condition(condition, subject)) {
                continue;
            }
            matched = true;
            let value = match self.measure(&part.measure, subject) {
                Ok(Some(value)) => value,
                Ok(None) => continue,
                Err(reason) => {
                    self.updates.skips.push(Skip { family: rule.family, item, reason });
                    continue;
                }
            };
            let weight = if rule.weighted { weight } else { 1.0 };
            let op = match rule.kind {
                OpKind::Add if value < 0.0 => {
                    let reason = SkipReason::Negative;
                    self.updates.skips.push(Skip { family: rule.family, item, reason });
                    continue;
                }
                OpKind::Add => Op::Add(value * weight),
                OpKind::Set => Op::Set(value),
                OpKind::Observe => Op::Observe { value, weight },
            };
            let labels = self.labels(rule.width, part, subject);
            let (family, time) = (rule.family, subject.time());
            self.updates.list.push(Update { family, shape, item, guard, labels, op, time });
        }
        matched
    }

    /// The part's number; none when the record has no value.
    fn measure(
        &mut self,
        measure: &'a Measure,
        subject: Subject<'_, 'a>,
    ) -> Result<Option<f64>, SkipReason> {
        let (value, scale) = match measure {
            Measure::Constant(number) => return Ok(Some(*number)),
            Measure::Value(value, scale) => (value, scale),
        };
        let Some(found) = self.expression(value, subject) else { return Ok(None) };
        let number = self.number(found).ok_or(SkipReason::NotANumber)?;
        let factor = match scale {
            Scale::Constant(factor) => *factor,
            Scale::Value(scale) => {
                let found = self.expression(scale, subject).ok_or(SkipReason::NoRow)?;
                self.number(found).ok_or(SkipReason::NotANumber)?
            }
        };
        let product = number * factor;
        if product.is_finite() { Ok(Some(product)) } else { Err(SkipReason::NotANumber) }
    }

    fn labels(&mut self, width: usize, part: &'a Part, subject: Subject<'_, 'a>) -> u32 {
        let place = self.updates.open(width);
        for label in &part.labels {
            let text = self.label(label, subject);
            self.updates.put(place, label.position, text);
        }
        place
    }

    fn label(&mut self, label: &'a Label, subject: Subject<'_, 'a>) -> Text<'a> {
        let found = self.expression(&label.value, subject);
        let text = found.map_or(Text::Missing, |found| self.text(found));
        let value = self.updates.text(text);
        if value.is_empty() {
            return label.default.as_deref().map_or(Text::Missing, Text::Borrowed);
        }
        match &label.values {
            Some(values) => match values.binary_search_by(|one| (**one).cmp(value)) {
                Ok(at) => values.get(at).map_or(text, |value| Text::Borrowed(value)),
                Err(_) => Text::Borrowed(OTHER),
            },
            None => self.cut(text),
        }
    }

    /// Cuts a long value at a character.
    fn cut(&mut self, text: Text<'a>) -> Text<'a> {
        let value = self.updates.text(text);
        if value.len() <= self.label_bytes {
            return text;
        }
        let end = value.floor_char_boundary(self.label_bytes);
        match text {
            Text::Borrowed(value) => Text::Borrowed(value.get(..end).unwrap_or_default()),
            Text::Made(start, _) => Text::Made(start, start + u32::try_from(end).unwrap_or(0)),
            Text::Missing => text,
        }
    }
}

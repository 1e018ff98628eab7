//! What a reference, an expression or a condition of the config finds in the record that is being looked at.

use crate::limits;
use crate::view::{Origin, Value};

use super::definition::{Intrinsic, Row};
use super::evaluate::Evaluation;
use super::expression::{Condition, Expression, Found, Mapping, Reference, Step, Test};
use super::memos::Mapped;
use super::pattern::{Pattern, Template};
use super::subject::{Property, Subject};
use super::update::Text;

impl<'a> Evaluation<'a> {
    pub(super) fn condition(&mut self, condition: &'a Condition, subject: Subject<'_, 'a>) -> bool {
        condition.0.is_empty()
            || condition.0.iter().any(|group| {
                group.iter().all(|(reference, test)| self.test(reference, test, subject))
            })
    }

    pub(super) fn test(
        &mut self,
        reference: &'a Reference,
        test: &Test,
        subject: Subject<'_, 'a>,
    ) -> bool {
        let Some(found) = self.resolve(reference, subject) else {
            return test.holds_for_missing();
        };
        match found {
            Found::Text(text) => test.holds(self.updates.text(text), &|| self.number(found)),
            Found::Value(Value::Text(bytes)) if let Some(text) = self.texts.read(bytes) => {
                test.holds(text, &|| self.number(found))
            }
            Found::Value(value) => {
                let mut text = std::mem::take(&mut self.scratch);
                text.clear();
                if test.reads_text() {
                    value.write_text(&mut text);
                }
                let holds = test.holds(&text, &|| self.number(found));
                self.scratch = text;
                holds
            }
        }
    }

    pub(super) fn expression(
        &mut self,
        expression: &'a Expression,
        subject: Subject<'_, 'a>,
    ) -> Option<Found<'a>> {
        // Most say only where to look.
        if let Some(reference) = &expression.only {
            return self.resolve(reference, subject);
        }
        let found = expression.steps.iter().find_map(|step| match step {
            Step::From(reference) => self.resolve(reference, subject),
            Step::When(condition, then) => self
                .condition(condition, subject)
                .then_some(Found::Text(Text::Borrowed(then)))
                .filter(|_| !then.is_empty()),
        });
        let mapped = match (&expression.map, found) {
            (Some(mapping), Some(found)) => self.map(mapping, found),
            (_, found) => found,
        };
        mapped.or_else(|| {
            let default = expression.default.as_deref()?;
            Some(Found::Text(Text::Borrowed(default)))
        })
    }

    fn map(&mut self, mapping: &'a Mapping, found: Found<'a>) -> Option<Found<'a>> {
        let text = self.text(found);
        let value = self.updates.text(text);
        let mapped = match mapping {
            Mapping::Table(table) => Text::Borrowed(table.get(value)?),
            Mapping::Rows { exact, rest } => match exact.get(value) {
                Some(text) => Text::Borrowed(text),
                None => match self.row(rest, text, found) {
                    Some(mapped) => mapped,
                    None => return Some(found),
                },
            },
        };
        (!self.updates.text(mapped).is_empty()).then_some(Found::Text(mapped))
    }

    /// What the first row that takes a value makes of it. Regular expressions are asked once for the same text.
    fn row(
        &mut self,
        rows: &'a [(Row, Template)],
        text: Text<'a>,
        found: Found<'a>,
    ) -> Option<Text<'a>> {
        // Equal texts may be unequal numbers.
        let is_slow = |(row, _): &(Row, _)| matches!(row, Row::Text(Pattern::Regex(_)));
        let is_range = |(row, _): &(Row, _)| matches!(row, Row::Range(..));
        if !rows.iter().any(is_slow) || rows.iter().any(is_range) {
            return self.first_row(rows, text, found);
        }
        let value = self.updates.text(text);
        let same = |(of, input, _): &&Mapped<'a>| {
            std::ptr::eq(*of, rows) && self.updates.text(*input) == value
        };
        if let Some((_, _, mapped)) = self.memos.mapped.iter().find(same) {
            return *mapped;
        }
        let mapped = self.first_row(rows, text, found);
        if self.memos.mapped.len() < limits::MAPPED {
            self.memos.mapped.push((rows, text, mapped));
        }
        mapped
    }

    fn first_row(
        &mut self,
        rows: &'a [(Row, Template)],
        text: Text<'a>,
        found: Found<'a>,
    ) -> Option<Text<'a>> {
        let mut filled = std::mem::take(&mut self.scratch);
        filled.clear();
        let value = self.updates.text(text);
        let taken = rows.iter().find_map(|(row, template)| match (row, template.plain()) {
            (Row::Text(pattern), Some(plain)) => pattern.fits_value(value).then_some(Some(plain)),
            (Row::Text(pattern), None) => {
                pattern.write(value, template, &mut filled).then_some(None)
            }
            (Row::Range(low, high), plain) => self
                .number(found)
                .is_some_and(|number| *low <= number && number <= *high)
                .then(|| Some(plain.unwrap_or_default())),
        });
        let mapped = taken.map(|plain| match plain {
            Some(plain) => Text::Borrowed(plain),
            None => self.updates.make(|out| out.push_str(&filled)),
        });
        self.scratch = filled;
        mapped
    }

    pub(super) fn resolve(
        &mut self,
        reference: &'a Reference,
        subject: Subject<'_, 'a>,
    ) -> Option<Found<'a>> {
        if let Subject::Session(session) = subject {
            return self.recall(reference, session);
        }
        match reference {
            Reference::Alias(alias) => self.alias(*alias, subject),
            Reference::Anywhere(key) => self.slots.first(subject.origins(), *key).map(Found::Value),
            Reference::At(origin, key) if subject.sees(*origin) => {
                self.slots.get(*origin, *key).map(Found::Value)
            }
            Reference::At(..) => None,
            Reference::Service(key) => self.slots.get(Origin::Resource, *key).map(Found::Value),
            Reference::ScopeName => {
                let name = Value::Text(self.scope_name);
                (!name.is_missing()).then_some(Found::Value(name))
            }
            Reference::Name(fallback) => match subject {
                Subject::Log(record) if record.event_name.is_empty() => {
                    self.slots.get(Origin::Log, *fallback).map(Found::Value)
                }
                _ => self.property(Intrinsic::Name, subject),
            },
            Reference::Intrinsic(intrinsic) => self.property(*intrinsic, subject),
        }
    }

    pub(super) fn property(
        &mut self,
        intrinsic: Intrinsic,
        subject: Subject<'_, 'a>,
    ) -> Option<Found<'a>> {
        if let Some(seconds) = subject.clock(intrinsic, self.now) {
            return seconds.ok().map(|seconds| Found::Value(Value::Double(seconds)));
        }
        match subject.property(intrinsic)? {
            Property::Value(value) => (!value.is_missing()).then_some(Found::Value(value)),
            Property::Word(word) => Some(Found::Text(Text::Borrowed(word))),
            // An id that is all zero is none (W3C Trace Context).
            Property::Hex(bytes) if bytes.iter().all(|byte| *byte == 0) => None,
            Property::Hex(bytes) => Some(Found::Text(self.updates.make(|out| {
                for byte in bytes {
                    for digit in [byte >> 4, byte & 15] {
                        out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                    }
                }
            }))),
        }
    }

    fn alias(&mut self, at: usize, subject: Subject<'_, 'a>) -> Option<Found<'a>> {
        let rules = self.rules;
        let stamp = self.stamp(*rules.alias_lasting.get(at)?);
        match self.memos.aliases.get(at)? {
            (made, found) if *made == stamp => *found,
            _ => {
                let found = self.expression(rules.aliases.get(at)?, subject);
                *self.memos.aliases.get_mut(at)? = (stamp, found);
                found
            }
        }
    }

    pub(super) fn text(&mut self, found: Found<'a>) -> Text<'a> {
        match found {
            Found::Text(text) => text,
            Found::Value(Value::Text(bytes)) if let Some(text) = self.texts.read(bytes) => {
                Text::Borrowed(text)
            }
            Found::Value(Value::Bool(value)) => {
                Text::Borrowed(if value { "true" } else { "false" })
            }
            Found::Value(value) => self.updates.make(|out| value.write_text(out)),
        }
    }

    pub(super) fn number(&self, found: Found<'a>) -> Option<f64> {
        match found {
            Found::Value(value) => value.number(),
            Found::Text(text) => self.updates.text(text).trim().parse().ok(),
        }
    }
}

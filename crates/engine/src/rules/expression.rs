//! Compiled expressions and conditions: keys as slots, exact texts as hash lookups.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::view::{Origin, Value};

use super::definition::{Comparison, Intrinsic, Row};
use super::keys::KeyId;
use super::pattern::{Pattern, Template};
use super::update::Text;

/// Texts looked up by hash; the keys are the operator's, so a fast hash is safe.
pub(super) type TextMap = HashMap<Box<str>, Box<str>, foldhash::fast::RandomState>;

/// What an expression found: a value as it came, or a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a> {
    Value(Value<'a>),
    Text(Text<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reference {
    Alias(usize),
    Intrinsic(Intrinsic),
    /// `resource.service.name`.
    Service(KeyId),
    ScopeName,
    /// The name, for a log record without an event name the attribute `event.name`.
    Name(KeyId),
    At(Origin, KeyId),
    Anywhere(KeyId),
}

#[derive(Debug, Default)]
pub(super) struct Expression {
    pub(super) steps: Vec<Step>,
    pub(super) map: Option<Mapping>,
    pub(super) default: Option<Box<str>>,
    /// The one place where it looks, when it does nothing else.
    pub(super) only: Option<Reference>,
}

impl Expression {
    pub(super) fn new(steps: Vec<Step>, map: Option<Mapping>, default: Option<Box<str>>) -> Self {
        let only = match (&*steps, &map, &default) {
            ([Step::From(reference)], None, None) => Some(*reference),
            _ => None,
        };
        Self { steps, map, default, only }
    }

    /// The same, and nothing instead of what is missing.
    pub(super) fn without_default(self) -> Self {
        Self::new(self.steps, self.map, None)
    }
}

#[derive(Debug)]
pub(super) enum Step {
    From(Reference),
    When(Condition, Box<str>),
}

#[derive(Debug)]
pub(super) enum Mapping {
    Rows { exact: TextMap, rest: Vec<(Row, Template)> },
    Table(Arc<TextMap>),
}

/// The declared values of a label, by length: that tells most of them apart, and costs less than a look at their letters.
#[derive(Debug)]
pub(super) struct Values(Vec<Box<str>>);

impl Values {
    pub(super) fn new(values: &[String]) -> Self {
        let mut values: Vec<Box<str>> = values.iter().map(|value| value.as_str().into()).collect();
        values.sort_unstable_by(|one, other| by_length(one, other));
        Self(values)
    }

    /// The declared value that a text is.
    pub(super) fn find(&self, text: &str) -> Option<&str> {
        let place = self.0.binary_search_by(|one| by_length(one, text)).ok()?;
        self.0.get(place).map(|value| &**value)
    }
}

fn by_length(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// Any group, all of whose lines hold; none: always.
#[derive(Debug, Default)]
pub(super) struct Condition(pub(super) Vec<Vec<(Reference, Test)>>);

#[derive(Debug)]
pub(super) enum Test {
    AnyOf(Vec<Pattern>),
    Exists(bool),
    Number(Comparison, f64),
    Not(Box<Test>),
    All(Vec<Test>),
}

impl Test {
    /// Whether it needs the value's text form.
    pub(super) fn reads_text(&self) -> bool {
        match self {
            Self::AnyOf(_) => true,
            Self::Exists(_) | Self::Number(..) => false,
            Self::Not(inner) => inner.reads_text(),
            Self::All(all) => all.iter().any(Self::reads_text),
        }
    }

    /// Whether it holds for a missing value: only what asks for absence does.
    pub(super) fn holds_for_missing(&self) -> bool {
        match self {
            Self::AnyOf(_) | Self::Number(..) => false,
            Self::Exists(wanted) => !wanted,
            Self::Not(_) => true,
            Self::All(all) => all.iter().all(Self::holds_for_missing),
        }
    }

    /// Whether it holds for a value in its text form and as a number. A number is only read from it when a test compares numbers.
    pub(super) fn holds(&self, text: &str, number: &dyn Fn() -> Option<f64>) -> bool {
        match self {
            Self::AnyOf(patterns) => patterns.iter().any(|pattern| pattern.fits_value(text)),
            Self::Exists(wanted) => *wanted,
            Self::Number(comparison, bound) => number().is_some_and(|number| match comparison {
                Comparison::Gt => number > *bound,
                Comparison::Ge => number >= *bound,
                Comparison::Lt => number < *bound,
                Comparison::Le => number <= *bound,
            }),
            Self::Not(inner) => !inner.holds(text, number),
            Self::All(all) => all.iter().all(|test| test.holds(text, number)),
        }
    }
}

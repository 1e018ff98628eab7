//! What a record must show for a rule to take it, read off the rule's conditions: the reason to ask the rule at all.
//!
//! A need may say too little (the rule is then asked for nothing), never too much. It is worked out once, when rules are compiled.

use crate::limits;

use super::definition::{Comparison, From, Source};
use super::expression::{Condition, Expression, Mapping, Reference, Step, Test};
use super::keys::KeyId;
use super::pattern::Pattern;
use super::rule::{Class, Follow, Rule};

/// One thing a record can show.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Sign {
    /// Its name is this.
    Name(Box<str>),
    /// Its name begins so.
    Prefix(Box<str>),
    /// It has the attribute, whatever it says.
    Key(KeyId),
    /// It has the attribute with this text.
    Value(KeyId, Box<str>),
    /// It has the attribute with this number or a larger one.
    AtLeast(KeyId, f64),
    /// It has the attribute with this number or a smaller one.
    AtMost(KeyId, f64),
}

/// What a record must show.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Need {
    /// Nothing: the rule has to be asked.
    Nothing,
    /// One of these signs; none: no record can fulfil it.
    OneOf(Vec<Sign>),
}

impl Need {
    const NEVER: Self = Self::OneOf(Vec::new());

    /// This or that.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::OneOf(mut signs), Self::OneOf(more)) => {
                signs.extend(more);
                if signs.len() > limits::SIGNS { Self::Nothing } else { Self::OneOf(signs) }
            }
            _ => Self::Nothing,
        }
    }

    /// This and that: the rarer one is enough.
    fn and(self, other: Self) -> Self {
        if other.often() < self.often() { other } else { self }
    }

    /// How often it is seen, roughly: a name or a value seldom, a key more often.
    fn often(&self) -> usize {
        let often = |sign: &Sign| match sign {
            Sign::Name(_) | Sign::Value(..) => 1,
            Sign::Prefix(_) => 2,
            Sign::AtLeast(..) | Sign::AtMost(..) => 4,
            Sign::Key(_) => 8,
        };
        match self {
            Self::Nothing => usize::MAX,
            Self::OneOf(signs) => signs.iter().map(often).sum(),
        }
    }
}

/// Works out needs, looking through aliases and classes, for so many looks: what is nested deeper is not worth it.
pub(super) struct Needs<'r> {
    pub(super) aliases: &'r [Expression],
    pub(super) classes: &'r [Class],
    looks: usize,
}

impl<'r> Needs<'r> {
    pub(super) fn new(aliases: &'r [Expression], classes: &'r [Class]) -> Self {
        Self { aliases, classes, looks: 0 }
    }

    pub(super) fn rule(&mut self, rule: &Rule) -> Need {
        self.looks = limits::NEED_LOOKS;
        if self.is_of_sessions(&rule.from) {
            return Need::NEVER; // nothing that is sent can be one
        }
        let from = self.from(&rule.from);
        let parts = rule.parts.iter().map(|part| {
            let all = part.conditions.iter().map(|condition| self.condition(condition));
            all.fold(Need::Nothing, Need::and)
        });
        parts.fold(Need::NEVER, Need::or).and(from)
    }

    /// Of a record that says something of a conversation.
    pub(super) fn follow(&mut self, follow: &Follow) -> Need {
        self.looks = limits::NEED_LOOKS;
        let all = follow.all();
        let from = all.into_iter().map(|from| self.from(from)).fold(Need::NEVER, Need::or);
        from.and(self.presence(&follow.key))
    }

    fn is_of_sessions(&self, from: &[From]) -> bool {
        from.iter().all(|one| match one {
            From::Source(source) => *source == Source::Session,
            From::Record(class) => {
                let class = self.classes.get(*class);
                class.is_none_or(|class| self.is_of_sessions(&class.from))
            }
        })
    }

    fn from(&mut self, from: &[From]) -> Need {
        let one = |one: &From| match one {
            From::Source(_) => Need::Nothing,
            From::Record(class) => self.class(*class),
        };
        from.iter().map(one).fold(Need::NEVER, Need::or)
    }

    fn class(&mut self, at: usize) -> Need {
        match self.classes.get(at) {
            Some(class) if self.looks() => {
                let condition = self.condition(&class.condition);
                self.from(&class.from).and(condition)
            }
            _ => Need::Nothing,
        }
    }

    fn condition(&mut self, condition: &Condition) -> Need {
        if condition.0.is_empty() {
            return Need::Nothing;
        }
        let group = |group: &Vec<(Reference, Test)>| {
            let lines = group.iter().map(|(reference, test)| self.line(reference, test));
            lines.fold(Need::Nothing, Need::and)
        };
        condition.0.iter().map(group).fold(Need::NEVER, Need::or)
    }

    fn line(&mut self, reference: &Reference, test: &Test) -> Need {
        match test {
            Test::AnyOf(patterns) => self.text(reference, patterns),
            Test::Exists(true) => self.presence(reference),
            Test::Number(comparison, bound) => match reference {
                Reference::At(_, key) | Reference::Anywhere(key) | Reference::Service(key)
                    if !bound.is_nan() =>
                {
                    Need::OneOf(vec![match comparison {
                        Comparison::Gt | Comparison::Ge => Sign::AtLeast(*key, *bound),
                        Comparison::Lt | Comparison::Le => Sign::AtMost(*key, *bound),
                    }])
                }
                _ => self.presence(reference),
            },
            Test::Exists(false) | Test::Not(_) => Need::Nothing,
            Test::All(all) => {
                all.iter().map(|test| self.line(reference, test)).fold(Need::Nothing, Need::and)
            }
        }
    }

    /// For the reference to yield anything.
    fn presence(&mut self, reference: &Reference) -> Need {
        match reference {
            Reference::At(_, key) | Reference::Anywhere(key) | Reference::Service(key) => {
                Need::OneOf(vec![Sign::Key(*key)])
            }
            Reference::Alias(alias) => self.alias(*alias, None),
            Reference::Intrinsic(_) | Reference::ScopeName | Reference::Name(_) => Need::Nothing,
        }
    }

    /// For the reference to yield a text that fits one of these.
    fn text(&mut self, reference: &Reference, patterns: &[Pattern]) -> Need {
        match reference {
            Reference::Name(_) => patterns.iter().map(name).fold(Need::NEVER, Need::or),
            Reference::At(_, key) | Reference::Anywhere(key) | Reference::Service(key) => {
                let values = patterns.iter().map(|pattern| match pattern {
                    Pattern::Exact(text) => Sign::Value(*key, text.clone()),
                    _ => Sign::Key(*key),
                });
                values.map(|sign| Need::OneOf(vec![sign])).fold(Need::NEVER, Need::or)
            }
            Reference::Alias(alias) => self.alias(*alias, Some(patterns)),
            Reference::Intrinsic(_) | Reference::ScopeName => Need::Nothing,
        }
    }

    fn alias(&mut self, at: usize, patterns: Option<&[Pattern]>) -> Need {
        match self.aliases.get(at) {
            Some(expression) if self.looks() => self.expression(expression, patterns),
            _ => Need::Nothing,
        }
    }

    /// For the expression to yield a text that fits; without patterns: to yield anything.
    fn expression(&mut self, expression: &Expression, patterns: Option<&[Pattern]>) -> Need {
        let fits = |text: &str| patterns.is_none_or(|all| all.iter().any(|one| one.fits(text)));
        if expression.default.as_deref().is_some_and(fits) {
            return Need::Nothing;
        }
        let found = patterns.and_then(|patterns| unmapped(expression.map.as_ref(), patterns));
        let step = |step: &Step| match (step, &found) {
            (Step::From(reference), Some(found)) => self.text(reference, found),
            (Step::From(reference), None) => self.presence(reference),
            (Step::When(_, then), Some(found)) if !found.iter().any(|one| one.fits(then)) => {
                Need::NEVER
            }
            (Step::When(condition, _), _) => self.condition(condition),
        };
        expression.steps.iter().map(step).fold(Need::NEVER, Need::or)
    }

    fn looks(&mut self) -> bool {
        self.looks = self.looks.saturating_sub(1);
        self.looks > 0
    }
}

fn name(pattern: &Pattern) -> Need {
    let sign = match pattern {
        Pattern::Exact(text) => Sign::Name(text.clone()),
        Pattern::Glob(pieces) => match pieces.first() {
            Some(first) if !first.is_empty() => Sign::Prefix(first.clone()),
            _ => return Need::Nothing,
        },
        Pattern::Regex(_) => return Need::Nothing,
    };
    Need::OneOf(vec![sign])
}

/// What must be found for the map to make of it what fits these; none when the map says too much to tell.
fn unmapped(map: Option<&Mapping>, patterns: &[Pattern]) -> Option<Vec<Pattern>> {
    match map {
        None => Some(patterns.to_vec()),
        Some(Mapping::Rows { exact, rest }) if rest.is_empty() => {
            let fits = |text: &str| patterns.iter().any(|pattern| pattern.fits(text));
            let rows = exact.iter().filter(|(_, text)| fits(text));
            let rows = rows.map(|(found, _)| Pattern::Exact(found.clone()));
            // What no row takes passes unchanged.
            let own = patterns.iter().filter(
                |pattern| !matches!(pattern, Pattern::Exact(text) if exact.contains_key(text)),
            );
            Some(rows.chain(own.cloned()).collect())
        }
        Some(Mapping::Rows { .. } | Mapping::Table(_)) => None,
    }
}

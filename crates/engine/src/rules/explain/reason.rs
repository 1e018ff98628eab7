//! The first condition that keeps a record from a metric, and how near it came.
//!
//! A rule has many ways to take a record: any of several classes, any group of a condition, any part. The one that is told is
//! the one of which most holds.

use super::super::definition::{From, Intrinsic, RecordClass, Reference, Source, Test};
use super::{Account, ClassAccount, Groups, Line, RuleAccount};

/// Why a metric does not take a record.
#[derive(Debug)]
pub struct Reason<'r, 'd> {
    /// Where the condition stands.
    pub place: Place<'d>,
    /// The condition that fails.
    pub line: &'r Line<'d>,
    /// How much speaks for it all the same: 0 when it has nothing to do with the record.
    pub nearness: usize,
}

/// Where a condition stands.
#[derive(Clone, Copy, Debug)]
pub enum Place<'d> {
    /// In a record class.
    Class(&'d RecordClass),
    /// In the metric itself, in this part of it.
    Part(usize),
}

/// The best way through some conditions: what fails first, if anything, and what holds.
struct Way<'r, 'd> {
    fails: Option<(Place<'d>, &'r Line<'d>)>,
    nearness: usize,
}

impl<'d> Account<'d> {
    /// Why a metric does not take the record; none: it does.
    pub fn reason<'r>(
        &'r self,
        rule: &'r RuleAccount<'d>,
        source: Source,
    ) -> Option<Reason<'r, 'd>> {
        if rule.parts.iter().any(|part| part.held) {
            return None;
        }
        let from = self.from(&rule.metric.from, source)?;
        let way = match from.fails {
            Some(_) => from,
            None => after(from, parts(rule)?),
        };
        let (place, line) = way.fails?;
        Some(Reason { place, line, nearness: way.nearness })
    }

    fn class(&self, index: usize) -> Option<&ClassAccount<'d>> {
        self.classes.iter().find(|class| class.index == index)
    }

    fn from<'r>(&'r self, from: &[From], source: Source) -> Option<Way<'r, 'd>> {
        let ways = from.iter().filter_map(|one| match one {
            From::Source(only) => (*only == source).then_some(Way { fails: None, nearness: 0 }),
            From::Record(index) => self.through(self.class(*index)?, source),
        });
        ways.reduce(better)
    }

    fn through<'r>(&'r self, class: &'r ClassAccount<'d>, source: Source) -> Option<Way<'r, 'd>> {
        let inner = self.from(&class.class.from, source)?;
        if inner.fails.is_some() {
            return Some(inner);
        }
        let own = best(&class.condition, Place::Class(class.class));
        let whole = usize::from(own.fails.is_none());
        Some(after(Way { nearness: inner.nearness + whole, ..inner }, own))
    }
}

fn parts<'r, 'd>(rule: &'r RuleAccount<'d>) -> Option<Way<'r, 'd>> {
    let parts = rule.parts.iter().enumerate().map(|(at, part)| {
        let all = part.conditions.iter().map(|groups| best(groups, Place::Part(at)));
        all.fold(Way { fails: None, nearness: 0 }, after)
    });
    parts.reduce(better)
}

/// The group of which most holds.
fn best<'r, 'd>(groups: &'r Groups<'d>, place: Place<'d>) -> Way<'r, 'd> {
    let ways = groups.iter().map(|group| {
        let fails = group.iter().find(|line| !line.held).map(|line| (place, line));
        Way { fails, nearness: group.iter().map(Line::evidence).sum() }
    });
    ways.reduce(better).unwrap_or(Way { fails: None, nearness: 0 })
}

fn after<'r, 'd>(first: Way<'r, 'd>, then: Way<'r, 'd>) -> Way<'r, 'd> {
    Way { fails: first.fails.or(then.fails), nearness: first.nearness + then.nearness }
}

/// A way that is free, else the one with more to be said for it; the first of equals.
fn better<'r, 'd>(one: Way<'r, 'd>, other: Way<'r, 'd>) -> Way<'r, 'd> {
    let rank = |way: &Way<'_, '_>| (way.fails.is_none(), way.nearness);
    if rank(&other) > rank(&one) { other } else { one }
}

impl Line<'_> {
    /// How much it says for a record that it holds. What every third record is (`kind: client`), or is not, says nothing.
    fn evidence(&self) -> usize {
        let common = matches!(
            self.reference,
            Reference::Intrinsic(
                Intrinsic::Kind | Intrinsic::Status | Intrinsic::Root | Intrinsic::Severity
            )
        );
        match self.reference {
            _ if !self.held || common || !asks_for_something(self.test) => 0,
            Reference::Intrinsic(Intrinsic::Name) => 2,
            _ => 1,
        }
    }
}

/// Whether a test holds only for a value that is there.
fn asks_for_something(test: &Test) -> bool {
    match test {
        Test::AnyOf(_) | Test::Number(..) => true,
        Test::Exists(wanted) => *wanted,
        Test::Not(_) => false,
        Test::All(all) => all.iter().any(asks_for_something),
    }
}

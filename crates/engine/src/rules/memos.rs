//! What a run has worked out already, so that it is not worked out again for the same resource, scope or record.

use super::definition::Row;
use super::expression::Found;
use super::index::Possible;
use super::looks::Looks;
use super::pattern::Template;
use super::recycle::recycled;
use super::ruleset::RuleSet;
use super::update::Text;

/// What was worked out, and for which resource, scope or record.
#[derive(Default)]
pub(super) struct Memos<'a> {
    pub(super) aliases: Vec<(u32, Option<Found<'a>>)>,
    pub(super) classes: Vec<(u32, Holds)>,
    pub(super) groups: Vec<(u32, Holds)>,
    pub(super) labels: Vec<(u32, Text<'a>)>,
    pub(super) sets: Vec<(u32, u32)>,
    pub(super) looks: Looks<'a>,
    /// What slow maps made of texts, for the whole request.
    pub(super) mapped: Vec<Mapped<'a>>,
    pub(super) possible: Possible,
}

/// A map's rows, a text, and what they made of it.
pub(super) type Mapped<'a> = (&'a [(Row, Template)], Text<'a>, Option<Text<'a>>);

/// Whether a record belongs to a class, and what must not have come before.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    No,
    Yes(Option<u32>),
}

impl<'a> Memos<'a> {
    /// Room for these rules, nothing worked out.
    pub(super) fn reborn(self, rules: &RuleSet) -> Memos<'a> {
        let Self {
            mut aliases,
            mut classes,
            mut groups,
            mut labels,
            mut sets,
            looks,
            mapped,
            mut possible,
        } = self;
        aliases.resize(rules.aliases.len(), (0, None));
        labels.resize(rules.labels.len(), (0, Text::Missing));
        renew(&mut classes, rules.classes.len(), (0, Holds::No));
        renew(&mut groups, rules.groups.len(), (0, Holds::No));
        renew(&mut sets, rules.sets.len(), (0, 0));
        possible.resize(rules.index.words());
        Memos { aliases, classes, groups, labels, sets, looks, mapped, possible }
    }

    /// Only the room.
    pub(super) fn empty(self) -> Memos<'static> {
        let Self { aliases, classes, groups, labels, sets, looks, mapped, possible } = self;
        let (aliases, labels, mapped) = (recycled(aliases), recycled(labels), recycled(mapped));
        Memos { aliases, classes, groups, labels, sets, looks: looks.empty(), mapped, possible }
    }
}

fn renew<T: Copy>(memo: &mut Vec<T>, length: usize, value: T) {
    memo.clear();
    memo.resize(length, value);
}

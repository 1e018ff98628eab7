//! What of a record must not be shown to people: values under `privacy.drop`, and whatever a hashed alias reads.

use std::collections::HashSet;

use crate::view::Origin;

use super::super::definition::{Definitions, Expression, Intrinsic, Reference};
use super::super::pattern::Pattern;
use super::super::uses::of_expression;

/// The keys and aliases whose values are hidden.
#[derive(Clone, Debug, Default)]
pub struct Private {
    drop: Vec<Pattern>,
    personal: HashSet<(Option<Origin>, String)>,
    /// By index of the alias.
    aliases: Vec<bool>,
}

impl Private {
    /// What a config hides.
    pub fn new(definitions: &Definitions) -> Self {
        let drop = definitions.private.clone();
        let mut private = Self { drop, ..Self::default() };
        private.personal(definitions);
        private.spread(definitions);
        private
    }

    /// Collects the attributes that hashed aliases read, through other aliases too; each alias is looked at once.
    fn personal(&mut self, definitions: &Definitions) {
        let aliases = &definitions.aliases;
        let mut seen: Vec<bool> = aliases.iter().map(|alias| alias.hash).collect();
        let mut open: Vec<usize> =
            (0..seen.len()).filter(|at| seen.get(*at) == Some(&true)).collect();
        while let Some(alias) = open.pop().and_then(|at| aliases.get(at)) {
            for reference in of_expression(&alias.value) {
                match reference {
                    Reference::Alias(next) => {
                        if let Some(free @ false) = seen.get_mut(*next) {
                            *free = true;
                            open.push(*next);
                        }
                    }
                    Reference::Attribute(origin, key) => {
                        self.personal.insert((*origin, key.clone()));
                    }
                    Reference::Intrinsic(_) => {}
                }
            }
        }
        self.aliases = seen;
    }

    /// An alias that reads what is hidden is hidden: as often as there are aliases to build on, and no more.
    fn spread(&mut self, definitions: &Definitions) {
        for _ in 0..crate::limits::NAME_DEPTH {
            let hidden = definitions.aliases.iter().zip(&self.aliases);
            let hidden = hidden.map(|(alias, before)| *before || self.hides_any(&alias.value));
            let hidden: Vec<bool> = hidden.collect();
            if hidden == self.aliases {
                return;
            }
            self.aliases = hidden;
        }
    }

    /// Whether what a reference yields is hidden. A log record's body is what somebody said.
    pub fn hides(&self, reference: &Reference) -> bool {
        match reference {
            Reference::Alias(alias) => self.aliases.get(*alias).copied().unwrap_or(true),
            Reference::Intrinsic(intrinsic) => *intrinsic == Intrinsic::Body,
            Reference::Attribute(origin, key) => self.hides_key(*origin, key),
        }
    }

    /// Whether an attribute is hidden; no origin: wherever it may stand.
    pub fn hides_key(&self, origin: Option<Origin>, key: &str) -> bool {
        let same = |(other, name): &(Option<Origin>, String)| {
            name == key && (origin.is_none() || other.is_none() || *other == origin)
        };
        self.drop.iter().any(|glob| glob.fits(key)) || self.personal.iter().any(same)
    }

    /// Whether an expression reads anything that is hidden.
    pub fn hides_any(&self, expression: &Expression) -> bool {
        of_expression(expression).any(|reference| self.hides(reference))
    }
}

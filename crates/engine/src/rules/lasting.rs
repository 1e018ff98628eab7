//! How long what was found stays true: what reads only the resource is worked out once for all its records.

use crate::view::Origin;

use super::expression::{Condition, Expression, Reference, Step};

/// Until another one of these begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lasting {
    Resource,
    Scope,
    #[default]
    Record,
}

/// For each alias. One that reads aliases nested deeper than there are passes is taken to read the record: that is always true.
pub(super) fn of_aliases(aliases: &[Expression]) -> Vec<Lasting> {
    let mut known = vec![Lasting::Record; aliases.len()];
    for _ in 0..crate::limits::NAME_DEPTH {
        let next: Vec<_> = aliases.iter().map(|alias| of_expression(alias, &known)).collect();
        if next == known {
            break;
        }
        known = next;
    }
    known
}

/// Of an expression over these aliases.
pub(super) fn of_expression(expression: &Expression, aliases: &[Lasting]) -> Lasting {
    let step = |step: &Step| match step {
        Step::From(reference) => of_reference(reference, aliases),
        Step::When(condition, _) => of_condition(condition, aliases),
    };
    expression.steps.iter().map(step).max().unwrap_or(Lasting::Resource)
}

fn of_condition(condition: &Condition, aliases: &[Lasting]) -> Lasting {
    let lines = condition.0.iter().flatten();
    lines.map(|(reference, _)| of_reference(reference, aliases)).max().unwrap_or(Lasting::Resource)
}

fn of_reference(reference: &Reference, aliases: &[Lasting]) -> Lasting {
    match reference {
        Reference::Alias(alias) => aliases.get(*alias).copied().unwrap_or_default(),
        Reference::At(Origin::Resource, _) | Reference::Service(_) => Lasting::Resource,
        Reference::At(Origin::Scope, _) | Reference::ScopeName => Lasting::Scope,
        Reference::At(..)
        | Reference::Anywhere(_)
        | Reference::Intrinsic(_)
        | Reference::Name(_) => Lasting::Record,
    }
}

//! Conditions of a config on labels, as matchers of PromQL.

use crate::Entry;
use crate::promql::{Selector, alternatives, quoted};
use config::Match;
use engine::rules::definition::Test;
use engine::rules::pattern::Pattern;

/// Adds matchers for conditions that all have to hold.
pub fn all(selector: Selector, matches: &[Match]) -> Selector {
    matches.iter().fold(selector, |selector, one| add(selector, one, false))
}

/// Adds a matcher that holds where this one condition doesn't.
pub fn not(selector: Selector, one: &Match) -> Selector {
    add(selector, one, true)
}

fn add(selector: Selector, one: &Match, turned: bool) -> Selector {
    let (patterns, negated) = unwrapped(&one.test);
    let exact: Option<Vec<&str>> = patterns
        .iter()
        .map(|pattern| match pattern {
            Pattern::Exact(text) => Some(&**text),
            _ => None,
        })
        .collect();
    match (exact, negated != turned) {
        (Some(values), false) => selector.any_of(&one.label, &values),
        (Some(values), true) => selector.none_of(&one.label, &values),
        (None, negated) => {
            let any = patterns.iter().map(expression).collect::<Vec<_>>().join("|");
            let operator = if negated { "!~" } else { "=~" };
            selector.matching(format!("{}{operator}{}", one.label, quoted(&any)))
        }
    }
}

/// The patterns of a test, and whether none of them may fit.
fn unwrapped(test: &Test) -> (&[Pattern], bool) {
    match test {
        Test::AnyOf(patterns) => (patterns, false),
        Test::Not(inner) => match &**inner {
            Test::AnyOf(patterns) => (patterns, true),
            _ => (&[], true),
        },
        _ => (&[], true),
    }
}

/// A pattern as a regular expression over the whole value.
fn expression(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(text) => alternatives(&[text]),
        Pattern::Glob(pieces) => {
            pieces.iter().map(|piece| alternatives(&[piece])).collect::<Vec<_>>().join(".*")
        }
        Pattern::Regex(regex) => format!("(?s:{})", regex.as_written()),
    }
}

/// Whether a value fulfils a condition.
fn fits(one: &Match, value: &str) -> bool {
    let (patterns, negated) = unwrapped(&one.test);
    patterns.iter().any(|pattern| pattern.fits(value)) != negated
}

/// Values for the labels that conditions speak of, so that all of `wanted` hold and, where there are any, not all of `unwanted`.
pub fn example(
    entry: &Entry<'_>,
    wanted: &[Match],
    unwanted: &[&[Match]],
) -> Option<Vec<(String, String)>> {
    let mut labels: Vec<&str> = Vec::new();
    for one in wanted.iter().chain(unwanted.iter().copied().flatten()) {
        if !labels.contains(&&*one.label) {
            labels.push(&one.label);
        }
    }
    let value = |label: &&str| {
        let on = |one: &&Match| one.label == **label;
        let fit = candidates(entry, label, wanted, unwanted).into_iter().find(|value| {
            let good = wanted.iter().filter(on).all(|one| fits(one, value));
            let bad = unwanted.iter().any(|all| all.iter().filter(on).any(|one| fits(one, value)));
            good && !bad
        });
        fit.map(|value| ((*label).to_owned(), value))
    };
    labels.iter().map(value).collect()
}

/// What a label could be: its declared values, else what patterns say, else anything.
fn candidates(
    entry: &Entry<'_>,
    label: &str,
    wanted: &[Match],
    unwanted: &[&[Match]],
) -> Vec<String> {
    if let Some(values) = entry.label(label).and_then(|label| label.values.as_ref()) {
        return values.iter().map(|value| (*value).to_owned()).collect();
    }
    let all = wanted.iter().chain(unwanted.iter().copied().flatten());
    let patterns = all.filter(|one| one.label == label).flat_map(|one| unwrapped(&one.test).0);
    let mut texts: Vec<String> = patterns
        .filter_map(|pattern| match pattern {
            Pattern::Exact(text) => Some(text.to_string()),
            Pattern::Glob(pieces) => Some(pieces.concat()),
            Pattern::Regex(_) => None,
        })
        .filter(|text| !text.is_empty())
        .collect();
    texts.extend(["ok", "error", "some"].map(str::to_owned));
    texts
}

//! A number with its change and its sample.

use config::content;
use engine::query::{Compare, Measure, Window};

use crate::expression::Expression;
use crate::promql::{share, weeks};
use crate::series::Over;

use super::super::panel::{ENOUGH, Panel, Query, Unit, View};
use super::{aged, in_words, unit_of};

/// Names of the numbers of a figure.
const NOW: &str = "This period";
const CHANGE: &str = "Change";
const OUT_OF: &str = "Out of";

/// One number, its change and what it rests on.
pub(super) fn stat(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let query = one.query;
    let by = one.by();
    let over = one.over(Over::Range);
    let unit = unit_of(one, declared.unit);
    let compared =
        query.compare.iter().any(|one| matches!(one, Compare::Previous | Compare::Ago(_)));
    let now = aged(one.value(&by, &over), declared);
    let mut queries = vec![Query::new(if compared { NOW } else { &declared.title }, now)];
    if compared {
        queries.push(change(one, &by, unit, &over));
    }
    let whole = one.whole();
    if let Some(whole) = whole
        && !matches!(whole.query.measure, Measure::Level(..))
    {
        let amount = matches!(whole.query.measure, Measure::Sum(_));
        let unit = if amount { Unit::Amount } else { Unit::Count };
        queries.push(Query::new(OUT_OF, whole.measure(&by, &over)).in_unit(unit));
    } else if whole.is_none() && query.min.is_some() {
        queries.push(Query::new(OUT_OF, one.events(&by, &over)).in_unit(Unit::Count));
    }
    let previous = query.compare.contains(&Compare::Previous);
    let how = if previous && query.over.is_empty() { computed(one, unit) } else { String::new() };
    Panel::new(&declared.title, View::Stat, unit, queries).about(format!("{}{how}", declared.about))
}

/// The change of a number against the period before.
fn change(one: Expression<'_>, by: &[&str], unit: Unit, over: &Over) -> Query {
    let window = if let Over::Last(window) = over { window } else { "$__range" };
    let before = match (one.query.compare.first(), over) {
        (Some(Compare::Ago(length)), _) => Over::Earlier(window.to_owned(), weeks(*length)),
        (_, Over::Last(_)) => Over::Earlier(window.to_owned(), window.to_owned()),
        _ => Over::Before,
    };
    let (now, before) = (one.unscaled(by, over), one.unscaled(by, &before));
    let gated = one.query.min.is_some();
    let expression = match (&one.query.measure, one.query.of.is_some()) {
        (_, true) if unit == Unit::Share => format!("100 * ({now} - {before})"),
        (Measure::Quantile(..), _) if gated => format!("({now}) / ({before}) - 1"),
        (_, true) => format!("{now} / ({before}) - 1"),
        (Measure::Sum(_), _) => format!("{now} / ({before} > 0) - 1"),
        _ => format!("{} - 1", share(now, before, ENOUGH)),
    };
    let points = unit == Unit::Share && one.query.of.is_some();
    Query::new(CHANGE, expression).in_unit(if points { Unit::Points } else { Unit::Change })
}

/// How a number with a change is computed, in a sentence.
fn computed(one: Expression<'_>, unit: Unit) -> String {
    let least = one.query.min.unwrap_or(ENOUGH);
    let distinct = matches!(one.query.measure, Measure::Distinct(..));
    match (&one.query.measure, one.query.of.is_some()) {
        (_, true) if distinct => String::new(),
        (_, true) if unit == Unit::Share => format!(
            " The share of all that are counted under `Out of`; hidden when those are fewer than {least}. `Change` is in points of a \
             hundred against as much time just before."
        ),
        (_, true) => {
            format!(" The sum divided by the number under `Out of`; hidden when that is below {least}.")
        }
        (Measure::Quantile(_, ranks), _) => format!(
            " {} of all stay below it: read between the edges of a histogram, so it is near and not exact. Hidden when there are \
             fewer than {least}.",
            in_words(ranks.first().copied().unwrap_or_default())
        ),
        (Measure::Distinct(_, Window::Named(window)), _) => people(one, window),
        (Measure::Sum(_), _) => " Added up over the time chosen at the top right; `Change` compares with as much time just before it.".to_owned(),
        _ => format!(
            " Counted over the time chosen at the top right; `Change` compares with as much time just before it and is hidden when that \
             had fewer than {least}."
        ),
    }
}

/// How distinct ones are counted.
fn people(one: Expression<'_>, window: &str) -> String {
    if window == "today" {
        return format!(
            " Each is counted once since midnight in the config's `time_zone`. It is the largest count of one replica, which is exact \
             when there is one. Services are added up. `Change` compares with yesterday at the same time and is hidden when those were \
             fewer than {ENOUGH}."
        );
    }
    let replicas = match one.series().merges() {
        true => {
            "With the recording rules it is merged over all replicas (an estimate, 4 % off at most times); without them it is the \
             largest count of one replica, which is exact when there is one."
        }
        false => "It is the largest count of one replica, which is exact when there is one.",
    };
    format!(
        " Each is counted once in the {window} before the end of the chosen time. {replicas} Services are added up. `Change` compares \
         with {window} earlier and is hidden when those were fewer than {ENOUGH}."
    )
}

//! Values over time.

use config::content;
use engine::query::{Compare, Measure};

use crate::expression::Expression;
use crate::recorded;
use crate::series::Over;

use super::super::panel::{Colour, Panel, Query, View};
use super::{LARGEST, in_words, plain, unit_of};

/// Values over time.
pub(super) fn lines(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let query = one.query;
    if query.compare.iter().any(|compare| matches!(compare, Compare::UsualWeeks(_))) {
        return usual(declared, one);
    }
    match (&query.measure, query.of.is_some()) {
        (Measure::Quantile(_, ranks), _) if ranks.len() > 1 => quantiles(declared, one, ranks),
        (Measure::Quantile(..), _) if query.by.is_some() => quantile_by(declared, one),
        (Measure::Count(_) | Measure::Sum(_), true) => ratio(declared, one),
        (Measure::Count(_) | Measure::Sum(_), false)
            if query.per_second && one.entry().is_none() =>
        {
            let mut panel = plain(one.scope, declared);
            if declared.often_empty {
                panel.queries.iter_mut().for_each(|query| query.expr.push_str(" > 0"));
            }
            let about =
                format!("{} A second's worth, averaged over a few scrapes.", panel.description);
            panel.about(about)
        }
        _ => plain(one.scope, declared),
    }
}

/// How a share went, step by step.
fn ratio(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let least = one.query.min.unwrap_or_default();
    let value = one.value(&one.by(), &Over::Step);
    let panel = Panel::new(
        &declared.title,
        View::Lines,
        unit_of(one, declared.unit),
        vec![Query::new(&declared.title, value)],
    );
    panel.about(format!(
        "{} One point for each step of time that had at least {least}; gaps had fewer. How many: see the bars beside it.",
        declared.about
    ))
}

/// How large most were, step by step.
fn quantiles(declared: &content::Panel, one: Expression<'_>, ranks: &[f64]) -> Panel {
    let least = one.query.min.unwrap_or_default();
    let series = one.series();
    let enough = format!("({} >= {least})", one.events(&[], &Over::Step));
    let line = |rank: &f64| {
        let value = format!("{} and on () {enough}", series.quantile(*rank, &[], &Over::Step));
        Query::new(format!("{} are below", in_words(*rank)), value)
    };
    let queries = ranks.iter().map(line).collect();
    let panel = Panel::new(&declared.title, View::Lines, unit_of(one, declared.unit), queries);
    panel.with_exemplars().about(format!(
        "{} The upper line is what the unlucky ones had. Steps of time with fewer than {least} are left out; dots are single cases that \
         lead to their traces.",
        declared.about
    ))
}

/// How large 9 in 10 were at most by the values of a label, step by step.
fn quantile_by(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let label = one.query.by.as_deref().unwrap_or_default();
    let (top, least) = (one.query.top.unwrap_or(LARGEST), one.query.min.unwrap_or_default());
    let mut value = one.value(&[label], &Over::Step);
    let open = one
        .entry()
        .and_then(|entry| entry.label(label))
        .is_some_and(|label| label.values.is_none());
    if open {
        let whole = one.events(&[label], &Over::Whole);
        value.push_str(&format!(" and on ({label}) topk({top}, {whole})"));
    }
    let query = Query::new(format!("{{{{{label}}}}}"), value);
    let panel = Panel::new(&declared.title, View::Lines, unit_of(one, declared.unit), vec![query]);
    panel.with_exemplars().about(format!(
        "{} 9 in 10 are below the line; at most {top} lines, those with the most cases. Steps of time with fewer than {least} are left \
         out; dots are single cases that lead to their traces.",
        declared.about
    ))
}

/// A count beside a week ago and what is usual, from recorded series.
fn usual(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let catalogue = one.scope.catalogue;
    let name = one.query.metric().unwrap_or_default();
    let sum = |name: String, offset: &str| format!("sum({}{offset})", one.scope.recorded(name));
    let hour = recorded::increase(catalogue, name, "1h");
    let lines = vec![
        Query::new("this week", sum(hour.clone(), "")),
        Query::new("last week", sum(hour, " offset 1w")),
        Query::new("usual, at least", sum(recorded::expected_lower(catalogue, name), "")),
        Query::new("usual, at most", sum(recorded::expected_upper(catalogue, name), "")),
    ];
    let title = one.entry().map(|entry| entry.title()).unwrap_or_default();
    let mut panel = Panel::new(&declared.title, View::Lines, unit_of(one, declared.unit), lines);
    let usual = ["usual, at most", "usual, at least"];
    panel.colours = usual.map(|line| (line.to_owned(), Colour::Faint)).into();
    panel.band = Some(usual);
    panel.about(declared.about.replace("{metric}", &title))
}

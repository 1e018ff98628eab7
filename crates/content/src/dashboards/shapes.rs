//! The few forms that nearly all panels have, each with the sentence that says how it is computed.
//!
//! Low traffic decides: counts in wide bars and never rates, ratios and quantiles only over enough events and with their number
//! beside them, changes only against a period that had enough.

use config::content::{self, Show, Titled};
use engine::query::{Measure, Query as Asked};

use crate::expression::Expression;
use crate::series::{Over, Scope};

use super::panel::{Colour, Link, Panel, Query, Unit, View};

/// Colours in one pile that can be told apart.
const LARGEST: usize = 7;
/// Names in one ranking.
const LONGEST: usize = 12;

/// What is not among the largest.
const OTHERS: &str = "all others";

mod lines;
mod stat;

use lines::lines;
use stat::stat;

/// A panel of a configuration.
pub fn panel(scope: Scope<'_>, declared: &content::Panel) -> Panel {
    let mut panel = drawn(scope, declared);
    panel.links = declared
        .see
        .iter()
        .map(|see| Link {
            title: see.title.clone(),
            uid: uid(&see.board),
            label: see.label.clone(),
        })
        .collect();
    if let Some((width, height)) = declared.size {
        panel = panel.size(width, height);
    }
    panel.since.clone_from(&declared.since);
    panel.empty_when_healthy = declared.often_empty;
    panel.thresholds = thresholds(scope, declared);
    panel.names = names(scope, declared);
    panel
}

/// What people call the values by which a panel is split.
fn names(scope: Scope<'_>, declared: &content::Panel) -> Vec<(String, String)> {
    let Some(first) = declared.queries.first() else { return Vec::new() };
    let Some(by) = first.query.by.as_deref() else { return Vec::new() };
    let names = first.query.metric().and_then(|metric| scope.catalogue.value_names(metric, by));
    let names = names.into_iter().flatten();
    names.map(|(value, text)| (value.clone(), text.clone())).collect()
}

/// A board's address by its name.
pub fn uid(board: &str) -> String {
    format!("oscar-{board}")
}

fn drawn(scope: Scope<'_>, declared: &content::Panel) -> Panel {
    let single = match &*declared.queries {
        [one] if one.title.is_none() => Some(Expression::new(scope, &one.query)),
        _ => None,
    };
    match (declared.show, single) {
        (Show::Text, _) => {
            let view = View::Text(declared.about.clone());
            let panel = Panel::new(&declared.title, view, Unit::Number, Vec::new());
            panel.about("What is counted, and what is not.")
        }
        (Show::Table, _) => table(scope, declared),
        (Show::Stat, Some(one)) => stat(declared, one),
        (Show::Lines, Some(one)) => lines(declared, one),
        (Show::Bars, Some(one)) => bars(declared, one),
        (Show::Ranking, Some(one)) => ranking(declared, one),
        (Show::Heatmap, Some(one)) => heatmap(declared, one),
        _ => plain(scope, declared),
    }
}

/// Queries as they are, each under its own name.
fn plain(scope: Scope<'_>, declared: &content::Panel) -> Panel {
    let first = declared
        .queries
        .first()
        .map(|one| unit_of(Expression::new(scope, &one.query), declared.unit));
    let unit = first.unwrap_or(Unit::Number);
    let (view, over) = match declared.show {
        Show::Stat => (View::Stat, Over::Range),
        Show::Bars => (View::Bars, Over::Step),
        Show::Ranking => (View::Ranking, Over::Range),
        Show::Gauge => (View::Gauge, Over::Range),
        Show::States => {
            let [one, zero] =
                declared.words.clone().unwrap_or_else(|| ["yes", "no"].map(str::to_owned));
            (View::Timeline(one, zero), Over::Step)
        }
        _ => (View::Lines, Over::Step),
    };
    let query = |one: &Titled| {
        let expression = Expression::new(scope, &one.query);
        let legend = match (&one.title, &one.query.by) {
            (Some(title), _) => title.clone(),
            (None, Some(by)) => format!("{{{{{by}}}}}"),
            (None, None) => declared.title.clone(),
        };
        let value =
            aged(expression.value(&expression.by(), &expression.over(over.clone())), declared);
        let value =
            if declared.show == Show::Ranking { format!("sort_desc({value})") } else { value };
        Query::new(legend, value)
    };
    let queries = declared.queries.iter().map(query).collect();
    let unit = if unit == Unit::Ago && declared.show == Show::Lines { Unit::Seconds } else { unit };
    let unit = if declared.show == Show::States { Unit::Number } else { unit };
    Panel::new(&declared.title, view, unit, queries).about(&declared.about)
}

/// A moment as its age: Grafana has a unit for it, charts need seconds.
fn aged(value: String, declared: &content::Panel) -> String {
    match (declared.unit, declared.show) {
        (Some(content::Unit::Ago), Show::Lines) => format!("time() - {value}"),
        (Some(content::Unit::Ago), _) => format!("{value} * 1000"),
        _ => value,
    }
}

/// What the numbers of a query are.
fn unit_of(expression: Expression<'_>, said: Option<content::Unit>) -> Unit {
    if let Some(unit) = said {
        return unit.into();
    }
    let query = expression.query;
    let of_metric = || match expression.entry().map(|entry| &*entry.shown.unit) {
        Some("seconds") => Some(Unit::Seconds),
        Some("bytes") => Some(Unit::Bytes),
        Some("usd") => Some(Unit::Usd),
        Some("ratio") => Some(Unit::Share),
        _ => None,
    };
    match (&query.measure, query.of.as_deref()) {
        (Measure::Count(_), Some(Asked { measure: Measure::Count(_), .. }))
        | (Measure::Under(..), Some(_))
        | (Measure::Distinct(..), Some(_)) => Unit::Share,
        (Measure::Sum(one), Some(Asked { measure: Measure::Sum(other), .. })) if one == other => {
            Unit::Share
        }
        _ if query.per_second => Unit::PerSecond,
        (
            Measure::Count(_)
            | Measure::Under(..)
            | Measure::Distinct(..)
            | Measure::FirstVisits(_),
            _,
        ) => Unit::Count,
        (Measure::Sum(_), _) => of_metric().unwrap_or(Unit::Amount),
        (Measure::Quantile(..) | Measure::Level(..), _) => of_metric().unwrap_or(Unit::Number),
        (Measure::PromQl(_), _) => Unit::Number,
    }
}

fn thresholds(scope: Scope<'_>, declared: &content::Panel) -> Vec<(f64, Colour)> {
    let said = &declared.thresholds;
    let metric = declared
        .queries
        .first()
        .and_then(|one| one.query.of.as_deref().unwrap_or(&one.query).metric());
    let (mut warning, mut bad) = (said.warning, said.bad);
    if said.objective
        && let Some(most) = metric.and_then(|metric| super::promises::allowed(scope, metric))
    {
        (warning, bad) = (Some(most), Some(2.0 * most));
    }
    let good = said.good.map(|from| [(f64::MIN, Colour::Bad), (from, Colour::Good)]);
    let steps = good.into_iter().flatten();
    let steps = steps.chain(warning.map(|from| (from, Colour::Warning)));
    let mut steps: Vec<(f64, Colour)> = steps.chain(bad.map(|from| (from, Colour::Bad))).collect();
    steps.sort_by(|one, other| one.0.total_cmp(&other.0));
    steps
}

/// Counts or amounts in bars, by a label; by one that the metric lacks: in total.
fn bars(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let entry = one.entry();
    let label = one.query.by.as_deref();
    let name = label.map(|label| format!("{{{{{label}}}}}")).unwrap_or_default();
    let sum = |by: &[&str], over: &Over| one.value(by, over);
    let known = label.and_then(|label| entry?.label(label).map(|known| (label, known)));
    let queries = match known {
        None => {
            let title = entry.map_or_else(|| declared.title.clone(), |entry| entry.title());
            vec![Query::new(title, sum(&[], &Over::Step))]
        }
        // What never happened would only fill the legend.
        Some((label, known)) if known.values.is_some() => {
            vec![Query::new(name, format!("{} > 0", sum(&[label], &Over::Step)))]
        }
        // The largest of the whole time, so that a colour means the same in every bar.
        Some((label, _)) => {
            let top = one.query.top.unwrap_or(LARGEST);
            let (each, whole) = (sum(&[label], &Over::Step), sum(&[label], &Over::Whole));
            let largest = format!("{each} and on ({label}) topk({top}, {whole})");
            let others = format!("{} - sum({largest}) > 0.001", sum(&[], &Over::Step));
            vec![Query::new(name, format!("({largest}) > 0")), Query::new(OTHERS, others)]
        }
    };
    let mut panel = Panel::new(&declared.title, View::Bars, unit_of(one, declared.unit), queries);
    panel.colours =
        entry.zip(label).map(|(entry, label)| super::palette::of(entry, label)).unwrap_or_default();
    if panel.queries.len() > 1 {
        panel.colours.push((OTHERS.to_owned(), Colour::Faint));
    }
    panel.about(format!(
        "{} Each bar is the time before its mark; how wide bars are is chosen at the top.",
        declared.about
    ))
}

/// Values of a label, largest first.
fn ranking(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let label = one.query.by.as_deref().unwrap_or_default();
    let over = one.over(Over::Range);
    let top = one.query.top.unwrap_or(LONGEST);
    let value = one.value(&[label], &over);
    let (expression, how) = match one.query.measure {
        Measure::Quantile(..) => {
            let least = one.query.min.unwrap_or_default();
            let how = format!(
                " 9 in 10 are below the end of the bar, over the time chosen at the top right. Left out are those with fewer than {least}."
            );
            (format!("sort_desc(topk({top}, {value}))"), how)
        }
        Measure::Count(_) | Measure::Sum(_) => {
            let few = one
                .entry()
                .and_then(|entry| entry.label(label))
                .and_then(|label| label.values.as_ref());
            let expression = match few {
                Some(values) if values.len() <= top => format!("sort_desc({value})"),
                _ => format!("sort_desc(topk({top}, {value} > 0))"),
            };
            (
                expression,
                format!(
                    " Added up over the time chosen at the top right; at most {top} are shown."
                ),
            )
        }
        _ => (format!("sort_desc({value})"), String::new()),
    };
    let query = Query::new(format!("{{{{{label}}}}}"), expression);
    let mut panel =
        Panel::new(&declared.title, View::Ranking, unit_of(one, declared.unit), vec![query]);
    if matches!(one.query.measure, Measure::Count(_) | Measure::Sum(_))
        && let Some(entry) = one.entry()
    {
        panel.colours = super::palette::of(entry, label);
    }
    panel.about(format!("{}{how}", declared.about))
}

/// How many of which size.
fn heatmap(declared: &content::Panel, one: Expression<'_>) -> Panel {
    let query = Query::new("{{le}}", one.series().sizes(&Over::Step));
    let unit = declared.unit.unwrap_or(content::Unit::Number);
    Panel::new(&declared.title, View::Heatmap, unit.into(), vec![query]).with_exemplars().about(format!(
        "{} The more a field stands out from the background, the more of that size; dots are single cases that lead to their traces.",
        declared.about
    ))
}

/// Values of a label with several numbers each.
fn table(scope: Scope<'_>, declared: &content::Panel) -> Panel {
    let first = declared.queries.first().map(|one| Expression::new(scope, &one.query));
    let column = |(at, one): (usize, &Titled)| {
        let expression = Expression::new(scope, &one.query);
        let expression = match first {
            Some(first) if at > 0 => expression.beside(first),
            _ => expression,
        };
        let by = expression.by();
        let over = expression.over(Over::Range);
        let mut value = expression.value(&by, &over);
        let measure = &one.query.measure;
        if at == 0 && matches!(measure, Measure::Count(_))
            || matches!(measure, Measure::Distinct(..))
        {
            value.push_str(" > 0");
        } else if let Some(first) = first
            && one.query.of.is_none()
        {
            value = expression.or_none(value, first, &first.value(&by, &over));
        }
        let said = one.unit.or(declared.unit);
        let unit = unit_of(expression, said);
        let value = if unit == Unit::Ago { format!("{value} * 1000") } else { value };
        let column = Query::new(one.title.clone().unwrap_or_default(), value);
        // PromQL says nothing of its unit: then the panel's holds.
        if said.is_none() && expression.query.metric().is_none() {
            column
        } else {
            column.in_unit(unit)
        }
    };
    let columns: Vec<Query> = declared.queries.iter().enumerate().map(column).collect();
    let (label, heading) = declared.rows.clone().unwrap_or_default();
    let unit = declared.unit.map_or(Unit::Count, Unit::from);
    Panel::new(&declared.title, View::Table(label, heading), unit, columns).about(&declared.about)
}

fn in_words(rank: f64) -> &'static str {
    match rank {
        0.5 => "Half",
        0.9 => "9 in 10",
        0.95 => "19 in 20",
        _ => "99 in 100",
    }
}

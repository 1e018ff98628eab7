//! The few forms that nearly all panels have, each with the sentence that says how it is computed.
//!
//! Low traffic decides: counts in wide bars and never rates, ratios and quantiles only over enough events and with their number
//! beside them, changes only against a period that had enough.

use crate::promql::share;

use super::panel::{Colour, Panel, Query, Unit, View};
use super::series::{ENOUGH, ENOUGH_A_STEP, Over, Series};

/// Names of the numbers of a figure.
const NOW: &str = "This period";
const CHANGE: &str = "Change";
const OUT_OF: &str = "Out of";
/// What is not among the largest.
const OTHERS: &str = "all others";
/// Colours in one pile that can be told apart.
const LARGEST: usize = 7;
/// Names in one ranking.
const LONGEST: usize = 12;

/// How many, and how many more than in the period before.
pub fn total(title: &str, what: &str, series: &Series<'_>) -> Panel {
    let (now, before) = (series.events(&[], Over::Range), series.events(&[], Over::Before));
    let change = format!("{} - 1", share(&now, before, ENOUGH));
    figure(title, Unit::Count, now, vec![Query::new(CHANGE, change).in_unit(Unit::Change)]).about(
        format!(
            "{what} Counted over the time chosen at the top right; `Change` compares with as much \
             time just before it and is hidden when that had fewer than {ENOUGH}."
        ),
    )
}

/// How much, and how much more than in the period before.
pub fn amount(title: &str, what: &str, unit: Unit, series: &Series<'_>) -> Panel {
    let (now, before) = (series.amount(&[], Over::Range), series.amount(&[], Over::Before));
    let change = format!("{now} / ({before} > 0) - 1");
    figure(title, unit, now, vec![Query::new(CHANGE, change).in_unit(Unit::Change)]).about(format!(
        "{what} Added up over the time chosen at the top right; `Change` compares with as much \
         time just before it."
    ))
}

/// Which share, how many points more than in the period before, and out of how many.
pub fn ratio(title: &str, what: &str, part: &Series<'_>, whole: &Series<'_>) -> Panel {
    let of = |over| share(part.events(&[], over), whole.events(&[], over), ENOUGH);
    ratio_of(title, what, of, whole)
}

/// The same of any share in a period, out of these.
pub fn ratio_of(title: &str, what: &str, of: impl Fn(Over) -> String, whole: &Series<'_>) -> Panel {
    let change = format!("100 * ({} - {})", of(Over::Range), of(Over::Before));
    let side = vec![
        Query::new(CHANGE, change).in_unit(Unit::Points),
        Query::new(OUT_OF, whole.events(&[], Over::Range)).in_unit(Unit::Count),
    ];
    figure(title, Unit::Share, of(Over::Range), side).about(format!(
        "{what} The share of all that are counted under `Out of`; hidden when those are fewer \
         than {ENOUGH}. `Change` is in points of a hundred against as much time just before."
    ))
}

/// So much for each of these, and out of how many.
pub fn each(
    title: &str,
    what: &str,
    unit: Unit,
    amount: impl Fn(Over) -> String,
    whole: &Series<'_>,
) -> Panel {
    let of = |over| share(amount(over), whole.events(&[], over), ENOUGH);
    let change = format!("{} / ({}) - 1", of(Over::Range), of(Over::Before));
    let side = vec![
        Query::new(CHANGE, change).in_unit(Unit::Change),
        Query::new(OUT_OF, whole.events(&[], Over::Range)).in_unit(Unit::Count),
    ];
    figure(title, unit, of(Over::Range), side).about(format!(
        "{what} The sum divided by the number under `Out of`; hidden when that is below {ENOUGH}."
    ))
}

/// The size that this share of all observations does not exceed, and out of how many.
pub fn quantile(title: &str, what: &str, unit: Unit, of: (f64, &Series<'_>)) -> Panel {
    let (rank, series) = of;
    let (quantile, events) =
        (|over| series.quantile(rank, &[], over), |over| series.events(&[], over));
    let gated = |over| format!("{} and on () ({} >= {ENOUGH})", quantile(over), events(over));
    let change = format!("({}) / ({}) - 1", gated(Over::Range), gated(Over::Before));
    let side = vec![
        Query::new(CHANGE, change).in_unit(Unit::Change),
        Query::new(OUT_OF, events(Over::Range)).in_unit(Unit::Count),
    ];
    figure(title, unit, gated(Over::Range), side).about(format!(
        "{what} {} of all stay below it: read between the edges of a histogram, so it is near and \
         not exact. Hidden when there are fewer than {ENOUGH}.",
        in_words(rank)
    ))
}

/// Different ones in a window before now, and how many more than a window ago.
pub fn people(title: &str, what: &str, series: &Series<'_>, window: &str) -> Option<Panel> {
    let replicas = match series.merges() {
        true => {
            "With the recording rules it is merged over all replicas (an estimate, 4 % off at \
             most times); without them it is the largest count of one replica, which is exact \
             when there is one."
        }
        false => "It is the largest count of one replica, which is exact when there is one.",
    };
    Some(distinct(title, series, window)?.about(format!(
        "{what} Each is counted once in the {window} before the end of the chosen time. \
         {replicas} Services are added up. `Change` compares with {window} earlier and is hidden \
         when those were fewer than {ENOUGH}."
    )))
}

/// Different ones since midnight, and how many more than yesterday by this time.
pub fn people_today(title: &str, what: &str, series: &Series<'_>) -> Option<Panel> {
    Some(distinct(title, series, "today")?.about(format!(
        "{what} Each is counted once since midnight in the config's `time_zone`. It is the largest \
         count of one replica, which is exact when there is one. Services are added up. `Change` \
         compares with yesterday at the same time and is hidden when those were fewer than \
         {ENOUGH}."
    )))
}

fn distinct(title: &str, series: &Series<'_>, window: &str) -> Option<Panel> {
    let now = series.distinct(window, false)?;
    let change = format!("{now} / ({} >= {ENOUGH}) - 1", series.distinct(window, true)?);
    let side = vec![Query::new(CHANGE, change).in_unit(Unit::Change)];
    Some(figure(title, Unit::Count, now, side))
}

/// A number with what belongs to it.
pub fn figure(title: &str, unit: Unit, now: String, side: Vec<Query>) -> Panel {
    let mut queries = vec![Query::new(NOW, now)];
    queries.extend(side);
    Panel::new(title, View::Stat, unit, queries)
}

/// Counts in bars, by a label; by one that the metric lacks: in total.
pub fn bars(title: &str, what: &str, series: &Series<'_>, label: &str) -> Panel {
    let counts = |by: &[&str], over| series.events(by, over);
    stacked(title, what, Unit::Count, (series, label, &counts))
}

/// Amounts in bars, by a label; by one that the metric lacks: in total.
pub fn amount_bars(title: &str, what: &str, unit: Unit, of: (&Series<'_>, &str)) -> Panel {
    let amounts = |by: &[&str], over| of.0.amount(by, over);
    stacked(title, what, unit, (of.0, of.1, &amounts))
}

/// A series, the label to tell by, and what is added up by labels and over a time.
type Pile<'p> = (&'p Series<'p>, &'p str, &'p dyn Fn(&[&str], Over) -> String);

fn stacked(title: &str, what: &str, unit: Unit, (series, label, sum): Pile<'_>) -> Panel {
    let name = format!("{{{{{label}}}}}");
    let queries = match series.entry.label(label) {
        None => vec![Query::new(series.entry.title(), sum(&[], Over::Step))],
        // What never happened would only fill the legend.
        Some(known) if known.values.is_some() => {
            vec![Query::new(name, format!("{} > 0", sum(&[label], Over::Step)))]
        }
        // The largest of the whole time, so that a colour means the same in every bar.
        Some(_) => {
            let (each, whole) = (sum(&[label], Over::Step), sum(&[label], Over::Whole));
            let largest = format!("{each} and on ({label}) topk({LARGEST}, {whole})");
            let others = format!("{} - sum({largest}) > 0.001", sum(&[], Over::Step));
            vec![Query::new(name, format!("({largest}) > 0")), Query::new(OTHERS, others)]
        }
    };
    let mut panel = Panel::new(title, View::Bars, unit, queries);
    panel.colours = super::palette::of(series.entry, label);
    if panel.queries.len() > 1 {
        panel.colours.push((OTHERS.to_owned(), Colour::Faint));
    }
    panel.about(format!(
        "{what} Each bar is the time before its mark; how wide bars are is chosen at the top."
    ))
}

/// How many by the values of a label, most first. None when the metric lacks the label.
pub fn ranking(title: &str, what: &str, series: &Series<'_>, label: &str) -> Option<Panel> {
    ranked(title, what, Unit::Count, (series, label), series.events(&[label], Over::Range))
}

/// How much by the values of a label, most first. None when the metric lacks the label.
pub fn amount_ranking(
    title: &str,
    what: &str,
    unit: Unit,
    of: (&Series<'_>, &str),
) -> Option<Panel> {
    ranked(title, what, unit, of, of.0.amount(&[of.1], Over::Range))
}

fn ranked(
    title: &str,
    what: &str,
    unit: Unit,
    of: (&Series<'_>, &str),
    counts: String,
) -> Option<Panel> {
    let (series, label) = of;
    let known = series.entry.label(label)?;
    let expr = match &known.values {
        Some(values) if values.len() <= LONGEST => format!("sort_desc({counts})"),
        _ => format!("sort_desc(topk({LONGEST}, {counts} > 0))"),
    };
    let query = Query::new(format!("{{{{{label}}}}}"), expr);
    let mut panel = Panel::new(title, View::Ranking, unit, vec![query]);
    panel.colours = super::palette::of(series.entry, label);
    Some(panel.about(format!(
        "{what} Added up over the time chosen at the top right; at most {LONGEST} are shown."
    )))
}

/// How a share went, step by step.
pub fn ratio_lines(title: &str, what: &str, part: &Series<'_>, whole: &Series<'_>) -> Panel {
    let of = share(part.events(&[], Over::Step), whole.events(&[], Over::Step), ENOUGH_A_STEP);
    let panel = Panel::new(title, View::Lines, Unit::Share, vec![Query::new(title, of)]);
    panel.about(format!(
        "{what} One point for each step of time that had at least {ENOUGH_A_STEP}; gaps had \
         fewer. How many: see the bars beside it."
    ))
}

/// How large most were, step by step.
pub fn quantile_lines(title: &str, what: &str, unit: Unit, series: &Series<'_>) -> Panel {
    let enough = format!("({} >= {ENOUGH_A_STEP})", series.events(&[], Over::Step));
    let line = |rank: f64| {
        let expr = format!("{} and on () {enough}", series.quantile(rank, &[], Over::Step));
        Query::new(format!("{} are below", in_words(rank)), expr)
    };
    let panel = Panel::new(title, View::Lines, unit, vec![line(0.5), line(0.9), line(0.99)]);
    panel.with_exemplars().about(format!(
        "{what} The upper line is what the unlucky ones had. Steps of time with fewer than \
         {ENOUGH_A_STEP} are left out; dots are single cases that lead to their traces."
    ))
}

/// How large 9 in 10 were at most by the values of a label, step by step. None when the metric lacks the label.
pub fn quantile_by(title: &str, what: &str, unit: Unit, of: (&Series<'_>, &str)) -> Option<Panel> {
    let (series, label) = of;
    let known = series.entry.label(label)?;
    let enough = format!("{} >= {ENOUGH_A_STEP}", series.events(&[label], Over::Step));
    let mut expr =
        format!("{} and on ({label}) ({enough})", series.quantile(0.9, &[label], Over::Step));
    if known.values.is_none() {
        let whole = series.events(&[label], Over::Whole);
        expr.push_str(&format!(" and on ({label}) topk({LARGEST}, {whole})"));
    }
    let query = Query::new(format!("{{{{{label}}}}}"), expr);
    let panel = Panel::new(title, View::Lines, unit, vec![query]).with_exemplars();
    Some(panel.about(format!(
        "{what} 9 in 10 are below the line; at most {LARGEST} lines, those with the most cases. \
         Steps of time with fewer than {ENOUGH_A_STEP} are left out; dots are single cases that \
         lead to their traces."
    )))
}

/// How large 9 in 10 were at most by the values of a label, largest first. None when the metric lacks the label.
pub fn quantile_ranking(
    title: &str,
    what: &str,
    unit: Unit,
    of: (&Series<'_>, &str),
) -> Option<Panel> {
    let (series, label) = of;
    series.entry.label(label)?;
    let quantile = series.quantile(0.9, &[label], Over::Range);
    let enough = format!("{} >= {ENOUGH}", series.events(&[label], Over::Range));
    let expr = format!("sort_desc(topk({LONGEST}, {quantile} and on ({label}) ({enough})))");
    let query = Query::new(format!("{{{{{label}}}}}"), expr);
    let panel = Panel::new(title, View::Ranking, unit, vec![query]);
    Some(panel.about(format!(
        "{what} 9 in 10 are below the end of the bar, over the time chosen at the top right. Left \
         out are those with fewer than {ENOUGH}."
    )))
}

/// How many of which size.
pub fn heatmap(title: &str, what: &str, unit: Unit, series: &Series<'_>) -> Panel {
    let query = Query::new("{{le}}", series.sizes(Over::Step));
    Panel::new(title, View::Heatmap, unit, vec![query]).with_exemplars().about(format!(
        "{what} The more a field stands out from the background, the more of that size; dots are \
         single cases that lead to their traces."
    ))
}

fn in_words(rank: f64) -> &'static str {
    match rank {
        0.5 => "Half",
        0.9 => "9 in 10",
        0.95 => "19 in 20",
        _ => "99 in 100",
    }
}

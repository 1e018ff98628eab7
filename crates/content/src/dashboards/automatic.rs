//! Panels for metrics that no board speaks of: whoever adds a metric to the config gets its panel, on the board of its role.

use std::collections::BTreeSet;

use engine::rules::definition::MetricKind;

use super::super::Entry;
use super::grafana::MORE;
use super::panel::{Board, Panel, Query, Row, Unit, View};
use super::series::{Scope, Series};
use super::shapes;

/// Closed labels with more values than this make no bars that can be told apart.
const TELLABLE: usize = 12;

/// Adds a row for the metrics of these roles that the board lacks.
pub fn complete(board: &mut Board, scope: Scope<'_>, role: impl Fn(&str) -> bool) {
    let shown = names(board);
    let missing = scope
        .catalogue
        .metrics
        .iter()
        .filter(|entry| role(&entry.shown.role) && !shown.contains(entry.name()));
    let panels: Vec<Option<Panel>> = missing.map(|entry| Some(panel(&scope.of(entry)))).collect();
    let lone = board.rows.iter().all(|row| row.panels.is_empty());
    let mut row = Row::new(if lone { "What there is" } else { MORE }, panels);
    let titles: BTreeSet<&str> =
        board.rows.iter().flat_map(|row| &row.panels).map(|panel| &*panel.title).collect();
    for panel in &mut row.panels {
        if titles.contains(&*panel.title) {
            panel.title.push_str(", more");
        }
    }
    board.rows.push(row);
}

/// The metrics that a board's queries name.
fn names(board: &Board) -> BTreeSet<String> {
    let queries = board.rows.iter().flat_map(|row| &row.panels).flat_map(|panel| &panel.queries);
    let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let words = queries.flat_map(|query| query.expr.split(word));
    let bare = |word: &str| {
        let suffix =
            ["_bucket", "_count", "_sum"].iter().find_map(|suffix| word.strip_suffix(suffix));
        [Some(word.to_owned()), suffix.map(str::to_owned)]
    };
    words.flat_map(bare).flatten().collect()
}

/// In the form that its type, unit and labels ask for.
fn panel(series: &Series<'_>) -> Panel {
    let entry = series.entry;
    let (title, what, unit) = (entry.title(), &*entry.metric.help, unit(entry));
    let label = told(series);
    let panel = match entry.metric.kind {
        MetricKind::Counter => {
            let panel = match label {
                Some((label, false)) => shapes::amount_ranking(&title, what, unit, (series, label)),
                Some((label, true)) => {
                    Some(shapes::amount_bars(&title, what, unit, (series, label)))
                }
                None => None,
            };
            panel.unwrap_or_else(|| shapes::amount_bars(&title, what, unit, (series, "")))
        }
        MetricKind::Histogram { .. } => {
            let by = label
                .and_then(|(label, _)| shapes::quantile_by(&title, what, unit, (series, label)));
            by.unwrap_or_else(|| shapes::quantile_lines(&title, what, unit, series))
        }
        MetricKind::Gauge => gauge(series, label.map(|(label, _)| label)),
        MetricKind::Distinct { ref windows, .. } => {
            let line = |window: &str| {
                Some(Query::new(format!("in {window}"), series.distinct(window, false)?))
            };
            let lines = windows.iter().filter_map(|window| line(&window.name)).collect();
            Panel::new(title, View::Lines, Unit::Count, lines)
                .about(format!("{what} Each is counted once in the time before each moment."))
        }
    }
    .empty_when_healthy();
    match label {
        // Its help may name more labels than can be told apart.
        Some((label, _)) if panel.queries.iter().any(|query| query.legend.contains(label)) => {
            let about = format!("{} Told apart by `{label}`.", panel.description);
            panel.about(about)
        }
        _ => panel,
    }
}

fn gauge(series: &Series<'_>, label: Option<&str>) -> Panel {
    let entry = series.entry;
    let by: Vec<&str> = label.into_iter().collect();
    let legend = label.map_or_else(|| entry.title(), |label| format!("{{{{{label}}}}}"));
    let (expr, unit) = match entry.name().ends_with("_timestamp_seconds") {
        true => (format!("time() - {}", series.level("max", &by)), Unit::Seconds),
        false => (series.level("max", &by), unit(entry)),
    };
    let view = View::Lines;
    Panel::new(entry.title(), view, unit, vec![Query::new(legend, expr)])
        .about(format!("{} The highest of all that have the same name here.", entry.metric.help))
}

/// The label to tell by, and whether all its values fit beside each other: the closed one with the most values that do, else the
/// open one with the fewest.
fn told<'c>(series: &Series<'c>) -> Option<(&'c str, bool)> {
    let own = || series.entry.labels.iter().filter(|label| !series.is_common(label.name));
    let closed = |label: &&super::super::Label<'_>| {
        label.values.as_ref().is_some_and(|values| (2..=TELLABLE).contains(&values.len()))
    };
    let closed = own().filter(closed).max_by_key(|label| label.values.as_ref().map(Vec::len));
    let open = || {
        own()
            .filter(|label| label.values.is_none())
            .min_by_key(|label| label.limit.unwrap_or(usize::MAX))
    };
    closed.map(|label| (label.name, true)).or_else(|| open().map(|label| (label.name, false)))
}

fn unit(entry: &Entry<'_>) -> Unit {
    match &*entry.shown.unit {
        "seconds" => Unit::Seconds,
        "bytes" => Unit::Bytes,
        "ratio" => Unit::Share,
        "usd" => Unit::Usd,
        _ if matches!(entry.metric.kind, MetricKind::Gauge) => Unit::Number,
        _ => Unit::Amount,
    }
}

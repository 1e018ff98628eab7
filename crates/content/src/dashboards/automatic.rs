//! Panels for metrics that no board speaks of: whoever adds a metric to the config gets its panel, on the board of its role.

use std::collections::BTreeSet;

use config::content::{self, Show, Titled};
use engine::query::{Aggregate, Compare, Measure, Query as Asked, Window};
use engine::rules::definition::MetricKind;

use crate::Entry;
use crate::series::Scope;

use super::grafana::MORE;
use super::panel::{Board, Panel, Row};

/// Fewer events than this in one step of time make no point of a line.
const ENOUGH_A_STEP: u32 = 5;
/// Closed labels with more values than this make no bars that can be told apart.
const TELLABLE: usize = 12;

/// Adds panels for those of these metrics that the board lacks: the operator's own on its first row, those of packs on a closed
/// row at its end.
pub fn complete(board: &mut Board, scope: Scope<'_>, wanted: impl Fn(&Entry<'_>) -> bool) {
    let shown = names(board);
    let all = scope.catalogue.metrics.iter();
    let missing = all.filter(|entry| wanted(entry) && !shown.contains(entry.name()));
    let (own, packed): (Vec<_>, Vec<_>) = missing.partition(|entry| scope.catalogue.is_own(entry));
    let mut titles: BTreeSet<String> =
        board.rows.iter().flat_map(|row| &row.panels).map(|panel| panel.title.clone()).collect();
    let mut panels = |entries: Vec<&Entry<'_>>, tiles: bool| {
        let mut all: Vec<Panel> = Vec::new();
        all.extend(entries.iter().filter(|_| tiles).filter_map(|entry| tile(scope, entry)));
        all.extend(entries.iter().map(|entry| panel(scope, entry)));
        for panel in &mut all {
            while !titles.insert(panel.title.clone()) {
                panel.title.push_str(", more");
            }
        }
        all
    };
    let (own, packed) = (panels(own, true), panels(packed, false));
    match board.rows.iter_mut().find(|row| !row.panels.is_empty()) {
        Some(first) => first.panels.extend(own),
        None => board.rows.push(Row { title: "What there is".to_owned(), panels: own }),
    }
    let lone = board.rows.iter().all(|row| row.panels.is_empty());
    let title = if lone { "What there is" } else { MORE };
    board.rows.push(Row { title: title.to_owned(), panels: packed });
}

/// A number for a distinct metric: how many in its longest sliding window, and the change against the window before.
fn tile(scope: Scope<'_>, entry: &Entry<'_>) -> Option<Panel> {
    let MetricKind::Distinct { windows, .. } = &entry.metric.kind else { return None };
    let slides = windows.iter().filter_map(|window| Some((window.length()?, &window.name)));
    let (_, window) = slides.max_by_key(|(length, _)| *length)?;
    let measure = Measure::Distinct(entry.name().to_owned(), Window::Named(window.to_string()));
    let query = Asked { compare: vec![Compare::Previous], ..Asked::new(measure) };
    let queries = vec![Titled { title: None, query, unit: None }];
    let title = format!("{} in {window}", entry.title());
    Some(super::shapes::panel(
        scope,
        &bare(title, entry.metric.help.to_string(), Show::Stat, queries),
    ))
}

/// A panel without extras.
fn bare(title: String, about: String, show: Show, queries: Vec<Titled>) -> content::Panel {
    content::Panel {
        title,
        about,
        show,
        unit: None,
        queries,
        rows: None,
        thresholds: content::Thresholds::default(),
        see: Vec::new(),
        size: None,
        since: None,
        often_empty: true,
        words: None,
    }
}

/// The metrics that a board's queries name.
pub fn names(board: &Board) -> BTreeSet<String> {
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
fn panel(scope: Scope<'_>, entry: &Entry<'_>) -> Panel {
    let label = split_label(scope, entry);
    let name = entry.name().to_owned();
    let gauge = matches!(entry.metric.kind, MetricKind::Gauge);
    let (show, measure) = match &entry.metric.kind {
        MetricKind::Counter if matches!(label, Some((_, false))) => {
            (Show::Ranking, Measure::Sum(name))
        }
        MetricKind::Counter => (Show::Bars, Measure::Sum(name)),
        MetricKind::Histogram { .. } if label.is_some() => {
            (Show::Lines, Measure::Quantile(name, vec![0.9]))
        }
        MetricKind::Histogram { .. } => {
            (Show::Lines, Measure::Quantile(name, vec![0.5, 0.9, 0.99]))
        }
        MetricKind::Gauge => (Show::Lines, Measure::Level(name, Aggregate::Max)),
        MetricKind::Distinct { .. } => (Show::Lines, Measure::Distinct(name, Window::Fit)),
    };
    let by = label.map(|(label, _)| label.to_owned());
    let query = Asked { min: Some(ENOUGH_A_STEP), by, ..Asked::new(measure) };
    let queries = match &entry.metric.kind {
        MetricKind::Distinct { windows, .. } => {
            windows.iter().map(|window| people(entry, &window.name)).collect()
        }
        _ => vec![Titled { title: None, query, unit: None }],
    };
    let help = &entry.metric.help;
    let about = match &entry.metric.kind {
        MetricKind::Gauge => format!("{help} The highest of all that have the same name here."),
        MetricKind::Distinct { .. } => {
            format!("{help} Each is counted once in the time before each moment.")
        }
        _ => help.to_string(),
    };
    let age = gauge && entry.name().ends_with("_timestamp_seconds");
    let unit = Some(if age { content::Unit::Ago } else { unit(entry) });
    let bare = bare(entry.title(), about, show, queries);
    let panel = super::shapes::panel(scope, &content::Panel { unit, ..bare });
    match label {
        // Its help may name more labels than can be told apart.
        Some((label, _)) if panel.queries.iter().any(|query| query.legend.contains(label)) => {
            let about = format!("{} Told apart by `{label}`.", panel.description);
            panel.about(about)
        }
        _ => panel,
    }
}

/// Distinct ones in a window.
fn people(entry: &Entry<'_>, window: &str) -> Titled {
    let measure = Measure::Distinct(entry.name().to_owned(), Window::Named(window.to_owned()));
    Titled { title: Some(format!("in {window}")), query: Asked::new(measure), unit: None }
}

/// The label to tell by, and whether all its values fit beside each other: the closed one with the most values that do, else the
/// open one with the fewest.
fn split_label<'c>(scope: Scope<'_>, entry: &'c Entry<'_>) -> Option<(&'c str, bool)> {
    let own = || entry.labels.iter().filter(|label| !scope.catalogue.is_common(label.name));
    let closed = |label: &&config::catalogue::Label<'_>| {
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

fn unit(entry: &Entry<'_>) -> content::Unit {
    match &*entry.shown.unit {
        "seconds" => content::Unit::Seconds,
        "bytes" => content::Unit::Bytes,
        "ratio" => content::Unit::Share,
        "usd" => content::Unit::Usd,
        _ if matches!(entry.metric.kind, MetricKind::Distinct { .. }) => content::Unit::Count,
        _ if matches!(entry.metric.kind, MetricKind::Gauge) => content::Unit::Number,
        _ => content::Unit::Amount,
    }
}

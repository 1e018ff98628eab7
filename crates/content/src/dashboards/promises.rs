//! The objectives of the config as panels. They read recorded series, which are told apart by the label `objective`.

use std::collections::BTreeSet;

use crate::promql::{grouped, share, span, sum};
use crate::recorded;
use config::Indicator;

use super::panel::{Colour, ENOUGH, Panel, Query, Row, Unit, View};
use crate::series::Scope;

const BY: &[&str] = &["objective"];

/// Windows in which the spending of a budget is watched.
pub const SPENDING: [&str; 2] = ["1d", "3d"];

/// The share of bad events that an objective on this metric allows; the largest when there are several.
pub fn allowed(scope: Scope<'_>, metric: &str) -> Option<f64> {
    let bounds = |indicator: &Indicator| match indicator {
        Indicator::Bad { metric, .. } | Indicator::Under { metric, .. } => Some(*metric),
        Indicator::Ratio { .. } => None,
    };
    let of_metric = scope.catalogue.objectives.iter().filter(|objective| {
        let known = bounds(&objective.indicator).and_then(|at| scope.catalogue.metrics.get(at));
        known.is_some_and(|known| known.name() == metric)
    });
    // As it is written in the config, and not as binary fractions have it.
    let allowed = of_metric.map(|objective| ((1.0 - objective.target) * 1e6).round() / 1e6);
    allowed.reduce(f64::max)
}

/// Whether promises are kept; no panel when there are none.
pub fn row(scope: Scope<'_>, title: &str) -> Row {
    if scope.catalogue.objectives.is_empty() {
        return Row::new(title, []);
    }
    Row::new(title, [Some(kept(scope)), Some(left(scope)), Some(spent(scope))])
}

fn kept(scope: Scope<'_>) -> Panel {
    let catalogue = scope.catalogue;
    let add = |name: fn(&crate::Catalogue<'_>, &str) -> String| {
        let windows: BTreeSet<String> =
            catalogue.objectives.iter().map(|objective| span(objective.window)).collect();
        let sums = windows.iter().map(|window| sum(BY, scope.recorded(name(catalogue, window))));
        sums.collect::<Vec<_>>().join(" or ")
    };
    let (events, bad) = (add(recorded::objective_events), add(recorded::objective_bad));
    // A number of the config's and of nobody's: it has no job.
    let target = grouped("max", BY, recorded::objective_target(catalogue));
    let left = grouped("min", BY, scope.recorded(recorded::budget_left(catalogue)));
    let columns = vec![
        Query::new("Promised", target).in_unit(Unit::Share),
        Query::new(
            "Kept",
            format!("1 - {}", share(format!("({bad})"), format!("({events})"), ENOUGH)),
        )
        .in_unit(Unit::Share),
        Query::new("Cases", events).in_unit(Unit::Count),
        Query::new("Bad ones", bad).in_unit(Unit::Count),
        Query::new("Room left", left).in_unit(Unit::Share),
    ];
    let what = format!(
        "What was promised, and what was kept over the promise's own window, with the number of \
         cases it is founded on. Room left is the share of the bad cases that the promise allows \
         and that have not happened; below 0 % it is broken. `Kept` is left out below {ENOUGH} \
         cases. Needs the recording rules; it has nothing to do with the time chosen at the top."
    );
    Panel::new(
        "Promises",
        View::Table("objective".to_owned(), "Promise".to_owned()),
        Unit::Count,
        columns,
    )
    .about(what)
    .size(12, 7)
}

fn left(scope: Scope<'_>) -> Panel {
    let left = grouped("min", BY, scope.recorded(recorded::budget_left(scope.catalogue)));
    let what = "The share of the bad cases that a promise allows and that have not happened yet. \
                100 % is untouched, below 0 % the promise is broken. Below 25 %: be careful with \
                changes. The worst service counts. Needs the recording rules.";
    Panel::new("Room left", View::Gauge, Unit::Share, vec![Query::new("{{objective}}", left)])
        .about(what)
        .size(4, 7)
        .thresholds(&[(f64::MIN, Colour::Bad), (0.0, Colour::Warning), (0.25, Colour::Good)])
}

fn spent(scope: Scope<'_>) -> Panel {
    let line = |window: &str| {
        let name = recorded::budget_spent(scope.catalogue, window);
        Query::new(
            format!("{{{{objective}}}} in {window}"),
            grouped("max", BY, scope.recorded(name)),
        )
    };
    let what = "How much of the whole room was used up in the days before each moment. Good is \
                near 0 %; 10 % in a day are much. The worst service counts. Needs the recording \
                rules.";
    Panel::new("Room used up", View::Lines, Unit::Share, SPENDING.map(line).to_vec())
        .about(what)
        .size(8, 7)
}

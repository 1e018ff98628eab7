//! What the bot promises: events and bad events by window, the share of the budget they spent, and alerts on that share.
//!
//! A budget is what may go wrong in an objective's whole window. Alerts look at the share of it that a shorter window spent, with a
//! floor of events, because for a bot with a few messages an hour a rate of failures says nothing: one failure at night is 100 %.
//! The four windows and shares are those of the SRE workbook ("Alerting on SLOs"), without the one of an hour where traffic is low.

use std::time::Duration;

use crate::promql::span;
use crate::recorded;
use config::{Objective, Traffic};

use super::alert::{self, Alert, Kind, Severity, Shown};
use super::group::{Group, Record};
use super::indicator::{self, Events};
use super::scope::{Scope, number};

mod cases;

/// The board that shows objectives.
const BOARD: &str = "oscar-reliability";
/// Windows read from raw counters; the first two where traffic is not low.
const RAW: [&str; 5] = ["5m", "1h", "30m", "2h", "6h"];
/// Windows put together from hours.
const LONG: [(&str, u64); 2] = [("1d", 86_400), ("3d", 259_200)];
/// An hour, which all longer windows are made of.
const HOUR: &str = "1h";
/// Fewer events a week than this: nobody is paged for a share of them.
const QUIET: f64 = 100.0;

/// An alert on the share of a budget.
struct Burn {
    name: &'static str,
    severity: Severity,
    /// The window, and a shorter one in which it has to go on.
    window: &'static str,
    still: &'static str,
    /// The share of the whole budget that the window spent.
    share: f64,
    /// Bad events in it.
    floor: u32,
    /// How many times faster than the budget allows, or [`FAR`] more of all than it allows.
    factor: u32,
    hold: &'static str,
    /// How long it is quiet before it is over: a promise that is broken slowly is one ticket, and not one for each morning.
    keep: &'static str,
}

/// Where a promise is loose, several times what it allows is more than anything short of an outage: a tenth of all events on top of
/// what it allows is enough.
const FAR: f64 = 0.1;

impl Burn {
    /// The share of bad events above which this is fast for an objective.
    fn pace(&self, objective: &Objective) -> f64 {
        let allowed = 1.0 - objective.target;
        (f64::from(self.factor) * allowed).min(allowed + FAR)
    }

    /// Whether an objective is so loose that [`FAR`] decides.
    fn is_loose(&self, objective: &Objective) -> bool {
        self.pace(objective) < f64::from(self.factor) * (1.0 - objective.target)
    }
}

const BURNS: [Burn; 4] = [
    Burn {
        name: "BotBudgetSpentAtOnce",
        severity: Severity::Critical,
        window: "1h",
        still: "5m",
        share: 0.02,
        floor: 10,
        factor: 14,
        hold: "2m",
        keep: "10m",
    },
    Burn {
        name: "BotBudgetSpentFast",
        severity: Severity::Critical,
        window: "6h",
        still: "30m",
        share: 0.05,
        floor: 5,
        factor: 6,
        hold: "2m",
        keep: "10m",
    },
    Burn {
        name: "BotBudgetSpentInADay",
        severity: Severity::Warning,
        window: "1d",
        still: "2h",
        share: 0.1,
        floor: 5,
        factor: 3,
        hold: "5m",
        keep: "2h",
    },
    Burn {
        name: "BotBudgetSpentSlowly",
        severity: Severity::Warning,
        window: "3d",
        still: "6h",
        share: 0.1,
        floor: 3,
        factor: 1,
        hold: "15m",
        keep: "12h",
    },
];

/// The recorded series: short windows, then long ones made of them.
pub fn groups(scope: &Scope<'_>) -> Vec<Group> {
    let objectives = scope.catalogue.objectives;
    if objectives.is_empty() {
        return Vec::new();
    }
    let short = objectives.iter().flat_map(|one| short(scope, one)).collect();
    let long = objectives.iter().flat_map(|one| long(scope, one)).collect();
    vec![
        Group {
            name: "oscar-metrics-objective-hours",
            about: "Events that objectives count, and bad ones among them.",
            interval: "1m",
            records: short,
        },
        Group {
            name: "oscar-metrics-objective-days",
            about: "The same over days, made of hours, and what it means for the budgets.",
            interval: "2m",
            records: long,
        },
    ]
}

fn short(scope: &Scope<'_>, objective: &Objective) -> Vec<Record> {
    let catalogue = scope.catalogue;
    let skipped = |window: &&str| objective.traffic == Traffic::Low && **window == *"5m";
    let mut records = Vec::new();
    for window in RAW.iter().filter(|window| !skipped(window)) {
        let Some(Events { all, bad }) = indicator::events(scope, objective, window) else {
            continue;
        };
        let pairs = [
            (recorded::objective_events(catalogue, window), all),
            (recorded::objective_bad(catalogue, window), bad),
        ];
        records
            .extend(pairs.map(|(name, expr)| {
                Record::new(name, expr).labelled("objective", &objective.name)
            }));
    }
    records
}

fn long(scope: &Scope<'_>, objective: &Objective) -> Vec<Record> {
    let catalogue = scope.catalogue;
    let this = format!("{{objective={}}}", crate::promql::quoted(&objective.name));
    let whole = span(objective.window);
    let mut windows: Vec<&str> = LONG
        .iter()
        .filter(|(_, seconds)| Duration::from_secs(*seconds) < objective.window)
        .map(|(window, _)| *window)
        .collect();
    windows.push(&whole);
    let mut records = Vec::new();
    for window in &windows {
        for of in [recorded::objective_events, recorded::objective_bad] {
            let hours = of(catalogue, HOUR);
            let sum = format!("sum_over_time({hours}{this}[{window}:{HOUR}])");
            records.push(Record::new(of(catalogue, window), sum));
        }
    }
    let budget = budget(scope, objective, &this, &whole);
    let spent = |window: &str| {
        let bad = recorded::objective_bad(catalogue, window);
        format!("{bad}{this}\n/\n  {budget}")
    };
    let low = objective.traffic == Traffic::Low;
    for window in ["1h", "6h"].into_iter().filter(|window| !(low && *window == "1h")).chain(windows)
    {
        records.push(Record::new(recorded::budget_spent(catalogue, window), spent(window)));
    }
    let spent = recorded::budget_spent(catalogue, &whole);
    records.push(Record::new(recorded::budget_left(catalogue), format!("1 - {spent}{this}")));
    let target = format!("vector({})", number(objective.target));
    records.push(Record::new(recorded::objective_target(catalogue), target));
    // They have the label of what they are made of; said here too, it tells one rule from the other.
    records.into_iter().map(|record| record.labelled("objective", &objective.name)).collect()
}

/// How many events may be bad: of those there were, or of those that are expected when a bot is new or quiet.
fn budget(scope: &Scope<'_>, objective: &Objective, this: &str, whole: &str) -> String {
    let events = recorded::objective_events(scope.catalogue, whole);
    let least = number(objective.expected.unwrap_or(1.0).max(1.0));
    format!("({} * clamp_min({events}{this}, {least}))", number(1.0 - objective.target))
}

/// Objectives with so few events that a share of them pages nobody.
fn quiet(objective: &Objective) -> bool {
    let weeks = objective.window.as_secs_f64() / 604_800.0;
    objective.expected.is_some_and(|expected| expected / weeks < QUIET)
}

/// The alerts.
pub fn alerts(scope: &Scope<'_>) -> Vec<Alert> {
    let burns = BURNS.iter().filter_map(|burn| burning(scope, burn));
    burns.chain(gone(scope)).collect()
}

/// The objectives that a burn speaks of.
fn spoken<'c>(scope: &Scope<'c>, burn: &Burn) -> Vec<&'c Objective> {
    let seconds = match burn.window {
        "3d" => 259_200,
        "1d" => 86_400,
        _ => 21_600,
    };
    let paged = |one: &&Objective| burn.severity != Severity::Critical || !quiet(one);
    let busy = |one: &&Objective| burn.window != "1h" || one.traffic == Traffic::Normal;
    let long = |one: &&Objective| one.window > Duration::from_secs(seconds);
    let known = |one: &&Objective| indicator::events(scope, one, HOUR).is_some();
    scope
        .catalogue
        .objectives
        .iter()
        .filter(paged)
        .filter(busy)
        .filter(long)
        .filter(known)
        .collect()
}

fn burning(scope: &Scope<'_>, burn: &Burn) -> Option<Alert> {
    let objectives = spoken(scope, burn);
    if objectives.is_empty() {
        return None;
    }
    let catalogue = scope.catalogue;
    let left_out: Vec<&str> = catalogue
        .objectives
        .iter()
        .filter(|one| !objectives.contains(one))
        .map(|one| &*one.name)
        .collect();
    let spent = crate::promql::Selector::new(recorded::budget_spent(catalogue, burn.window));
    let spent = if left_out.is_empty() { spent } else { spent.none_of("objective", &left_out) };
    let bad = |window| recorded::objective_bad(catalogue, window);
    let events = recorded::objective_events(catalogue, burn.window);
    let target = recorded::objective_target(catalogue);
    let Burn { window, still, share, floor, factor, .. } = burn;
    let ratio = format!("{} / {events}\n  > on (objective) group_left ()", bad(window));
    let mut fast = format!("{ratio} {factor} * (1 - {target})");
    if objectives.iter().any(|one| burn.is_loose(one)) {
        fast = format!("({fast}\n  or {ratio} {} - {target})", number(1.0 + FAR));
    }
    let expr = format!(
        "{spent} > {share}\n\
         and {} >= {floor}\n\
         and {} > 0\n\
         and {fast}",
        bad(window),
        bad(still),
        share = number(*share),
    );
    let whom = scope.whom();
    Some(Alert {
        name: burn.name.to_owned(),
        kind: Kind::Objective,
        severity: burn.severity,
        expr,
        hold: burn.hold.to_owned(),
        keep: burn.keep.to_owned(),
        shown: Shown::Share,
        summary: format!("{whom} breaks its promise `{{objective}}` too fast."),
        description: format!(
            "{{value}} of what may go wrong in the objective's whole window went wrong in the last {window}, \
             at least {floor} times, and it goes on."
        ),
        board: BOARD.to_owned(),
        runbook: runbook(burn),
        cases: objectives
            .iter()
            .flat_map(|objective| cases::burn(scope, objective, burn))
            .collect(),
    })
}

fn runbook(burn: &Burn) -> String {
    let Burn { window, still, share, floor, factor, .. } = burn;
    let share = share * 100.0;
    alert::runbook(
        &format!(
            "In {window} at least {floor} events were bad, more than {factor} times as many as the objective allows (or a tenth of all on top of that), {share} % of its \
             whole budget, and there was one in the last {still}. The label `objective` says which promise."
        ),
        [
            "The board's row of outcomes and causes: which outcome, which feature, since when. `bot_interaction_errors_total` has the \
             cause where the `oscar` pack is used.",
            "What changed when it began: a deployment, a model, a dependency (`bot_dependency_requests_total`, `bot_throttles_total`).",
            "An exemplar of a bad bucket or counter: the trace of one message that went wrong.",
        ],
        "the cause is known and being worked on, by `objective` and for no longer than the work takes. If nobody minds that the \
         promise is broken, change the promise: `target` in the config.",
    )
}

fn gone(scope: &Scope<'_>) -> Option<Alert> {
    let first = scope.catalogue.objectives.first()?;
    let left = recorded::budget_left(scope.catalogue);
    Some(Alert {
        name: "BotBudgetGone".to_owned(),
        kind: Kind::Objective,
        severity: Severity::Info,
        expr: format!("{left} < 0"),
        hold: "1h".to_owned(),
        keep: String::new(),
        shown: Shown::Share,
        summary: format!("{} has broken its promise `{{objective}}`.", scope.whom()),
        description:
            "More went wrong in the objective's window than may: {value} of the budget is left."
                .to_owned(),
        board: BOARD.to_owned(),
        runbook: alert::runbook(
            "The objective's whole window has had more bad events than it allows. Nothing needs to be wrong right now.",
            [
                "When the budget was spent: one outage, or a little every day?",
                "The causes of the largest share, on the board's row of causes.",
                "Whether the target is one that somebody needs: a promise that is always broken is none.",
            ],
            "the budget was spent by something that is over, until the window has passed.",
        ),
        cases: cases::gone(scope, first),
    })
}

//! The proofs: everything fails for long enough; and the cases that fool a rate of failures.

use crate::rules::case::Case;
use crate::rules::indicator;
use crate::rules::scope::Scope;
use config::Objective;

use super::Burn;

/// When a burn is looked at: between two full hours, so that a window has as many of them in every version of Prometheus, how
/// far apart values are, how many there are in an hour, and how many whole hours of all there were, and of the window.
struct Timing {
    at: &'static str,
    interval: &'static str,
    in_an_hour: f64,
    hours: f64,
    window: f64,
}

fn timing(window: &str) -> Timing {
    let (at, interval, in_an_hour) = match window {
        "1h" => ("150m", "1m", 60.0),
        "6h" => ("750m", "5m", 12.0),
        "1d" => ("1830m", "5m", 12.0),
        _ => ("4830m", "15m", 4.0),
    };
    let (hours, window) = match window {
        "1h" => (2.0, 1.0),
        "6h" => (12.0, 6.0),
        "1d" => (30.0, 24.0),
        _ => (80.0, 72.0),
    };
    Timing { at, interval, in_an_hour, hours, window }
}

/// The least that may have gone wrong before a budget is spent, and how much of it `hours` of failures are.
fn outage(objective: &Objective, timing: &Timing, share: f64, floor: f64) -> (f64, f64) {
    let allowed = 1.0 - objective.target;
    let expected = objective.expected.unwrap_or(1.0).max(1.0);
    let in_window = timing.in_an_hour * timing.window;
    let needed = (1.5 * share * allowed * expected).max(2.0 * floor) / in_window;
    let step = needed.ceil().max(1.0);
    let events = (step * timing.in_an_hour * timing.hours).max(expected);
    (step, step * in_window / (allowed * events))
}

/// A case, in which other objectives are not looked at when they read the same series.
fn case(
    scope: &Scope<'_>,
    objective: &Objective,
    what: &str,
    interval: &'static str,
    at: &'static str,
) -> Case {
    let case = Case::new(format!("`{}`, {what}", objective.name), interval, at);
    match indicator::is_shared(scope, objective) {
        true => case.only("objective", &objective.name),
        false => case,
    }
}

/// The cases of one objective.
pub fn burn(scope: &Scope<'_>, objective: &Objective, burn: &Burn) -> Vec<Case> {
    let name = &objective.name;
    let timing = timing(burn.window);
    let Timing { at, interval, .. } = timing;
    let (step, spent) = outage(objective, &timing, burn.share, f64::from(burn.floor));
    let mut cases = Vec::new();
    let add = |what: &str, bad: &str, good: &str| {
        let case = case(scope, objective, what, interval, at);
        indicator::example(scope, objective, case, (bad, good))
    };
    let outage = add("everything fails", &format!("0+{step}x400"), "0x400");
    if spent > burn.share && burn.pace(objective) < 0.99 {
        let labels = scope.labels(&[("objective", name)]);
        cases.extend(outage.map(|case| case.fires(labels, spent)));
    }
    if burn.window == "6h" {
        cases.extend(third(scope, objective, burn, &timing));
        // So many more as the objective allows of them.
        let good = (step * objective.target / (1.0 - objective.target)).ceil();
        cases.extend(add(
            "a busy day on which no larger share fails than is promised",
            &format!("0+{step}x400"),
            &format!("0+{good}x400"),
        ));
    }
    // `floor - 1` of them, the last one a moment ago.
    let few = burn.floor - 1;
    let before = match burn.window {
        "1h" => 120,
        "6h" => 90,
        "1d" => 180,
        _ => 200,
    };
    let rising = format!("0x{before} 0+1x{few} {few}x400");
    cases.extend(add("one failure less than the floor, and nothing else", &rising, "0x400"));
    if burn.window == "6h" {
        cases.extend(add("one failure at night", "0x145 1x400", "90x400"));
        cases.extend(add("the first error of a new bot, born at 1", "_x145 1x400", "0x400"));
        cases.extend(add(
            "many errors at once, which a counter is born with",
            "_x145 500x400",
            "0x400",
        ));
        cases.extend(add("a quiet weekend", "70x400", "9000x400"));
        cases.extend(add("a restart", "70x140 0x400", "9000x140 0x400"));
        let gaps = "0x100 _x4 0x20 _x2 1x400";
        cases.extend(add("missing scrapes", gaps, "0+2x100 _x4 210+2x20 _x2 256+2x400"));
        cases.extend(add(
            "failures that are over",
            &format!("0x72 0+{step}x40 {}x400", step * 40.0),
            "0x400",
        ));
    }
    cases
}

/// A third of all fails: no outage, and yet far from what a loose objective promises.
fn third(scope: &Scope<'_>, objective: &Objective, burn: &Burn, timing: &Timing) -> Option<Case> {
    let (step, _) = outage(objective, timing, burn.share, f64::from(burn.floor));
    let expected = objective.expected.unwrap_or(1.0).max(1.0);
    let events = (3.0 * step * timing.in_an_hour * timing.hours).max(expected);
    let spent = step * timing.in_an_hour * timing.window / ((1.0 - objective.target) * events);
    if !burn.is_loose(objective) || burn.pace(objective) >= 1.0 / 3.0 || spent <= burn.share {
        return None;
    }
    let case = case(scope, objective, "a third fails", timing.interval, timing.at);
    let values = (&*format!("0+{step}x400"), &*format!("0+{}x400", 2.0 * step));
    let case = indicator::example(scope, objective, case, values)?;
    Some(case.fires(scope.labels(&[("objective", &objective.name)]), spent))
}

/// The cases of the whole budget.
pub fn gone(scope: &Scope<'_>, objective: &Objective) -> Vec<Case> {
    let timing = timing("3d");
    let allowed = 1.0 - objective.target;
    let expected = objective.expected.unwrap_or(1.0).max(1.0);
    let in_all = timing.in_an_hour * timing.hours;
    let days = objective.window.as_secs_f64() / 86_400.0;
    if days < 4.0 {
        return Vec::new();
    }
    let step = (2.0 * allowed * expected / in_all).ceil().max(1.0);
    let left = 1.0 - step * in_all / (allowed * (step * in_all).max(expected));
    let add = |what: &str, bad: &str, good: &str| {
        let case = case(scope, objective, what, timing.interval, timing.at);
        indicator::example(scope, objective, case, (bad, good))
    };
    let fires = add("more than may fail has failed", &format!("0+{step}x400"), "0x400");
    let fires = fires.map(|case| case.fires(scope.labels(&[("objective", &objective.name)]), left));
    let silent = add("nothing has happened at all", "3x400", "300x400");
    fires.into_iter().chain(silent).collect()
}

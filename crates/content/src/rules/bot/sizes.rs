//! What is too large, and a bot that is too full.

use crate::observations;
use crate::promql::Selector;
use crate::recorded;
use crate::rules::alert::{Alert, Board, Severity, Shown};
use crate::rules::case::Case;
use crate::rules::scope::{Scope, number};
use engine::exposition::edge;
use engine::rules::definition::MetricKind;

const RESULTS: &str = "bot_tool_result_bytes";
/// What has hung the agent, and what a stored item may not exceed.
const TOO_LARGE: f64 = 400_000.0;

/// The alerts.
pub fn alerts(scope: &Scope<'_>) -> Vec<Alert> {
    [results(scope), slots(scope)].into_iter().flatten().collect()
}

fn results(scope: &Scope<'_>) -> Option<Alert> {
    let name = "BotToolResultTooLarge";
    let entry = scope.find(RESULTS, &[("tool", "")])?;
    let MetricKind::Histogram { bounds, .. } = &entry.metric.kind else { return None };
    if !bounds.contains(&TOO_LARGE) {
        return None;
    }
    let all = Selector::new(RESULTS);
    let count = observations::of(&all, entry);
    let bucket = all.of(format!("{RESULTS}_bucket")).is("le", &edge(TOO_LARGE));
    let threshold = scope.catalogue.alerts.threshold(name);
    let sum = |selector: &Selector| scope.sum_and(&["tool"], selector.increase("1h"));
    let expr = format!("{}\n- {} >= {}", sum(&count), sum(&bucket), number(threshold));
    let told = ("tool", "search");
    let all = scope.series(RESULTS).is(told.0, told.1);
    let bucket = all.of(format!("{RESULTS}_bucket")).is("le", &edge(TOO_LARGE));
    let count = observations::of(&all, entry);
    let step = (threshold / 60.0).ceil().max(1.0);
    let case = |what: &str, all: &str, small: &str| {
        Case::new(what, "1m", "150m").series(&count, all).series(&bucket, small)
    };
    let few = ((threshold * 0.9).ceil() - 1.0).max(0.0);
    Some(Alert {
        summary: format!("The tool {{tool}} of {} gives back more than fits.", scope.whom()),
        description: "{value} results of the last hour were larger than 400 kB. Such results have hung the agent until it timed out."
            .to_owned(),
        cases: vec![
            case("it goes on", &format!("0+{step}x200"), "0x200")
                .fires(scope.labels(&[told]), 60.0 * step),
            case("large ones, but few", &format!("0x120 {few}x100"), "0x250"),
            case("many, and none of them large", "0+9x200", "0+9x200"),
            case("a restart", "900x130 0x100", "100x130 0x100"),
        ],
        ..super::alert(name, Severity::Warning, expr)
    })
}

fn slots(scope: &Scope<'_>) -> Option<Alert> {
    let name = "BotSlotsBusy";
    let slots = scope.catalogue.alerts.slots?;
    let entry = scope.find(recorded::DURATION, &[])?;
    if !matches!(entry.metric.kind, MetricKind::Histogram { .. }) {
        return None;
    }
    let busy = recorded::in_flight(scope.catalogue, "10m");
    let threshold = scope.catalogue.alerts.threshold(name);
    let series = scope.series(&format!("{}_sum", recorded::DURATION));
    let minute = 60 * slots;
    let case = |what: &str, values: String| Case::new(what, "1m", "60m").series(&series, values);
    Some(Alert {
        hold: "5m",
        shown: Shown::Share,
        summary: format!("The bot {} is nearly full.", scope.whom()),
        description: format!(
            "{{value}} of its {slots} slots were taken over the last 10 minutes. The next burst finds none, and its messages are lost."
        ),
        board: Board::RELIABILITY,
        cases: vec![
            case("every slot is taken", format!("0+{minute}x100")).fires(scope.labels(&[]), 1.0),
            case("one very long message", format!("0x55 {}x60", minute / 2)),
            case("half of the slots are taken", format!("0+{}x100", minute / 2)),
            case("a restart", format!("{}x55 0x60", minute * 100)),
        ],
        ..super::alert(name, Severity::Warning, format!("{busy} / {slots} > {}", number(threshold)))
    })
}

//! Reliability and latency: for those on call. Are the promises kept, what fails, how long do people wait, and on whom?

use crate::promql::share;
use config::Indicator;

use super::super::panel::{Board, Panel, Query, Row, Unit, View};
use super::super::series::{ENOUGH, Over, Scope};
use super::super::shapes::{
    amount_bars, bars, heatmap, quantile, quantile_by, quantile_lines, ranking, ratio, ratio_lines,
    ratio_of, total,
};
use super::{COST, SIDECAR, known, promises};

pub fn board(scope: Scope<'_>) -> Board {
    Board {
        uid: super::RELIABILITY,
        title: "Reliability and latency",
        description: "Whether promises are kept, what fails, how long people wait, and on whom.",
        range: "7d",
        refresh: "1m",
        variables: Vec::new(),
        rows: vec![
            promises::row(scope),
            glance(scope),
            failures(scope),
            waiting(scope),
            time(scope),
            dependencies(scope),
            fullness(scope),
            deliveries(scope),
        ],
    }
}

fn glance(scope: Scope<'_>) -> Row {
    let wait = scope.series("bot_interaction_duration_seconds");
    Row::new(
        "At a glance",
        [
            known::used(scope).map(|all| {
                total(
                    "Messages handled",
                    "Messages the bot worked on, refused and repeated ones left out.",
                    &all,
                )
            }),
            known::failed(scope).zip(known::used(scope)).map(|(part, whole)| {
                let what = "Messages that failed, timed out or met an overload. Good is below \
                            what the promise leaves, where the colour changes.";
                let colours = promises::thresholds(scope, whole.entry.name(), [0.01, 0.05]);
                ratio("Failed", what, &part, &whole).thresholds(&colours)
            }),
            wait.as_ref().map(|all| {
                quantile(
                    "9 in 10 wait less than",
                    "Time from message to reply.",
                    Unit::Seconds,
                    (0.9, all),
                )
            }),
            wait.as_ref().and_then(|all| slow(scope, all)),
        ],
    )
}

/// The share over the edge that an objective promises.
fn slow(scope: Scope<'_>, all: &super::super::series::Series<'_>) -> Option<Panel> {
    let edge =
        scope.catalogue.objectives.iter().find_map(|objective| match objective.indicator {
            Indicator::Under { metric, under, .. } => {
                let known = scope.catalogue.metrics.get(metric)?;
                (known.name() == all.entry.name()).then_some(under)
            }
            _ => None,
        })?;
    all.under(edge, &[], Over::Range)?;
    let of = |over| {
        let quick = all.under(edge, &[], over).unwrap_or_default();
        format!("1 - {}", share(quick, all.events(&[], over), ENOUGH))
    };
    let what = format!(
        "Replies that took longer than {edge} s, which is what is promised; the number is exact. \
         Good is near 0 %."
    );
    let panel = ratio_of(
        &format!("Waited longer than {edge} s"),
        &what,
        |over| format!("({})", of(over)),
        all,
    );
    Some(panel.thresholds(&promises::thresholds(scope, all.entry.name(), [0.05, 0.1])))
}

fn failures(scope: Scope<'_>) -> Row {
    Row::new(
        "What fails?",
        [
            known::used(scope).map(|all| {
                let what = "Messages by how they ended. Good is green with a little orange.";
                bars("How messages ended", what, &all, "outcome")
            }),
            known::failed(scope).zip(known::used(scope)).map(|(part, whole)| {
                let what = "Messages that failed, timed out or met an overload. Good is a line \
                            near 0 %.";
                ratio_lines("Share that failed", what, &part, &whole)
            }),
            scope.series("bot_interaction_errors_total").map(|all| {
                bars(
                    "Failures by cause",
                    "Messages that failed, by the error's own name. Good is nothing.",
                    &all,
                    "error_type",
                )
                .empty_when_healthy()
            }),
            scope.series("bot_interaction_errors_total").and_then(|all| {
                let what = "Which features the failed messages were about.";
                ranking("Failures by feature", what, &all, "feature").map(Panel::empty_when_healthy)
            }),
            scope.series("bot_agent_attempts_total").map(|all| {
                let what = "Attempts to get an answer from the agent. A second or third one means \
                            that the one before failed and people waited for nothing. Good is \
                            hardly anything but `1`.";
                bars("Attempts", what, &all, "number")
            }),
            scope.series("bot_exceptions_total").and_then(|all| {
                let what = "Exceptions anywhere in the bot, handled ones too, by type. Good is a \
                            short list that you know.";
                ranking("Exceptions", what, &all, "type").map(Panel::empty_when_healthy)
            }),
        ],
    )
}

fn waiting(scope: Scope<'_>) -> Row {
    let wait = scope.series("bot_interaction_duration_seconds");
    Row::new(
        "How long do people wait?",
        [
            wait.as_ref().map(|all| {
                quantile_lines("Time to reply", "Time from message to reply.", Unit::Seconds, all)
            }),
            wait.as_ref().map(|all| {
                let what = "Every reply by how long it took. Good is all at the bottom; a field \
                            that stands out at the top is a timeout that hits many.";
                heatmap("Every reply by its time", what, Unit::Seconds, all)
            }),
            scope.series("bot_feature_duration_seconds").and_then(|all| {
                quantile_by(
                    "Time to reply by feature",
                    "Time from message to reply.",
                    Unit::Seconds,
                    (&all, "feature"),
                )
            }),
            scope.series("bot_time_to_acknowledge_seconds").map(|all| {
                let what = "Time until people see that the bot has noticed them. Good is below 3 \
                            s: then they don't ask twice.";
                quantile_lines("Time to first sign", what, Unit::Seconds, &all).empty_when_healthy()
            }),
            scope.series("bot_slow_replies_total").map(|all| {
                let what = "Replies so late that people were shown an hourglass, by feature. Good \
                            is nothing.";
                bars("Hourglasses", what, &all, "feature").empty_when_healthy()
            }),
        ],
    )
}

fn time(scope: Scope<'_>) -> Row {
    let slow = |name: &str, title: &str, what: &str, label: &'static str| {
        quantile_by(title, what, Unit::Seconds, (&scope.series(name)?, label))
    };
    Row::new(
        "Where does the time go?",
        [
            scope.series("bot_stage_seconds_total").map(|all| {
                let what = "Seconds spent in models, tools, knowledge, storage and the chat \
                            platform, added up over all messages. What is highest is where work \
                            pays.";
                amount_bars("Time by stage", what, Unit::Seconds, (&all, "stage"))
            }),
            slow(
                "bot_model_call_duration_seconds",
                "Models",
                "Time a model took for all of its answer.",
                "model",
            ),
            slow(
                "bot_model_time_to_first_chunk_seconds",
                "First words",
                "Time until a streaming model began to answer.",
                "model",
            )
            .map(Panel::empty_when_healthy),
            slow(
                "bot_agent_call_duration_seconds",
                "Agents",
                "Time an agent took, with all that it asked others.",
                "agent",
            ),
            slow("bot_tool_call_duration_seconds", "Tools", "Time a tool took.", "tool"),
            slow(
                "bot_retrieval_duration_seconds",
                "Knowledge",
                "Time a search for knowledge took.",
                "source",
            ),
            slow(
                "bot_search_duration_seconds",
                "Index searches",
                "Time of searches in indices.",
                "mode",
            ),
            slow(
                "bot_context_duration_seconds",
                "Loads and stores of memory",
                "Time to load or store what was said before.",
                "operation",
            ),
        ],
    )
}

fn dependencies(scope: Scope<'_>) -> Row {
    let calls = scope.series("bot_dependency_requests_total");
    Row::new(
        "On whom does it lean?",
        [
            dependency_table(scope),
            tool_table(scope),
            calls.map(|all| {
                let failed = all.except("error_type", &["none"]);
                let what = "Failed calls by whom they went to. Good is nothing.";
                bars("Failed calls", what, &failed, "dependency").empty_when_healthy()
            }),
            scope.series("bot_throttles_total").map(|all| {
                let what = "Times somebody said that the bot asks too often. Good is nothing; a \
                            little more means a limit to raise.";
                bars("Told to slow down", what, &all, "dependency").empty_when_healthy()
            }),
        ],
    )
}

fn dependency_table(scope: Scope<'_>) -> Option<Panel> {
    let all = scope.series("bot_dependency_requests_total")?;
    all.entry.label("dependency")?;
    let by: &[&str] = &["dependency"];
    let calls = all.events(by, Over::Range);
    let mut columns = vec![Query::new("Calls", format!("{calls} > 0")).in_unit(Unit::Count)];
    if all.has("error_type") {
        let failed = all.except("error_type", &["none"]).events(by, Over::Range);
        // Who never failed has no series of failures, and 0 of them.
        let failed = format!("({failed} or 0 * {calls})");
        columns.push(Query::new("Failed", &failed).in_unit(Unit::Count));
        columns
            .push(Query::new("Share failed", share(failed, &calls, ENOUGH)).in_unit(Unit::Share));
    }
    if let Some(time) = scope.series("bot_dependency_duration_seconds") {
        let (time, timed) = (time.quantile(0.9, by, Over::Range), time.events(by, Over::Range));
        let time = format!("{time} and on (dependency) ({timed} >= {ENOUGH})");
        columns.push(Query::new("9 in 10 take less than", time).in_unit(Unit::Seconds));
    }
    let what = format!(
        "Databases, services and MCP servers that the bot calls. Shares and times are left out \
         below {ENOUGH} calls. Good is no failures and times you know."
    );
    Some(
        Panel::new("Dependencies", View::Table("dependency", "Who"), Unit::Count, columns)
            .about(what)
            .size(12, 9),
    )
}

fn tool_table(scope: Scope<'_>) -> Option<Panel> {
    let all = scope.series("bot_tool_calls_total")?;
    all.entry.label("tool")?;
    let by: &[&str] = &["tool"];
    let calls = all.events(by, Over::Range);
    let mut columns = vec![Query::new("Calls", format!("{calls} > 0")).in_unit(Unit::Count)];
    if all.has("outcome") {
        let failed = all.except("outcome", &["ok"]);
        columns.push(Query::new("Not well", failed.events(by, Over::Range)).in_unit(Unit::Count));
        let failed = share(failed.events(by, Over::Range), &calls, ENOUGH);
        columns.push(Query::new("Share not well", failed).in_unit(Unit::Share));
    }
    if let Some(time) = scope.series("bot_tool_call_duration_seconds") {
        let (time, timed) = (time.quantile(0.9, by, Over::Range), time.events(by, Over::Range));
        let time = format!("{time} and on (tool) ({timed} >= {ENOUGH})");
        columns.push(Query::new("9 in 10 take less than", time).in_unit(Unit::Seconds));
    }
    let what = format!(
        "Tools that agents use. Not well is a failed call and also a good one whose result says \
         that it failed. Shares and times are left out below {ENOUGH} calls."
    );
    Some(
        Panel::new("Tools side by side", View::Table("tool", "Tool"), Unit::Count, columns)
            .about(what)
            .size(12, 9),
    )
}

fn fullness(scope: Scope<'_>) -> Row {
    Row::new(
        "Is it full?",
        [
            scope.series("bot_interaction_duration_seconds").map(|all| {
                let busy = format!("{} / $__interval_ms * 1000", all.amount(&[], Over::Step));
                let what = "Messages in progress at the same time, on average over a step: the \
                            seconds that all of them took, divided by the seconds that went by. \
                            Good is well below the number the bot can take at once.";
                let lines = vec![Query::new("in progress", busy)];
                Panel::new("Messages in progress", View::Lines, Unit::Number, lines).about(what)
            }),
            scope.series("bot_cold_starts_total").map(|all| {
                let what = "Requests that met a function which had to start first. Good is few, \
                            unless the bot is seldom used.";
                bars("Cold starts", what, &all, "function").empty_when_healthy()
            }),
        ],
    )
}

fn deliveries(scope: Scope<'_>) -> Row {
    Row::new(
        "Do messages come and go?",
        [
            scope.series("bot_ingress_total").map(|all| {
                let what = "Deliveries from the chat platform, by the status they were answered \
                            with. Good is 200.";
                bars("Deliveries", what, &all, "status").see("Does the sidecar get them", SIDECAR)
            }),
            scope.series("bot_ingress_duration_seconds").map(|all| {
                let what = "Time to answer a delivery. Good is below 3 s: after that the platform \
                            delivers again.";
                quantile_lines("Time to answer a delivery", what, Unit::Seconds, &all)
            }),
            scope.series("bot_redeliveries_total").map(|all| {
                let what = "Messages the platform delivered again, and why. Good is nothing.";
                bars("Repeated deliveries", what, &all, "reason").empty_when_healthy()
            }),
            scope.series("bot_sends_total").map(|all| {
                let what = "Replies, reactions and announcements sent to the platform. Good is \
                            green.";
                bars("Sends", what, &all, "result")
            }),
            scope.series("bot_send_duration_seconds").map(|all| {
                quantile_lines(
                    "Time to send",
                    "Time a send to the platform took. Good is below 1 s.",
                    Unit::Seconds,
                    &all,
                )
            }),
            scope.series("bot_model_calls_total").map(|all| {
                let failed = all.except("error_type", &["none"]);
                let what = "Model calls that failed, by the error's own name. Good is nothing.";
                bars("Failed model calls", what, &failed, "error_type")
                    .see("What they cost", COST)
                    .empty_when_healthy()
            }),
        ],
    )
}

//! Safety and actions: for those who answer for what the bot does. Who is refused, who tries to misuse it, what did it change?

use super::super::panel::{Board, Colour, Panel, Query, Row, Unit, View};
use super::super::series::Scope;
use super::super::shapes::{bars, quantile_lines, ranking, ratio, ratio_lines, total};
use super::RELIABILITY;

pub fn board(scope: Scope<'_>) -> Board {
    Board {
        uid: super::SAFETY,
        title: "Safety and actions",
        description: "Who is refused, who tries to misuse the bot, and what it changed in the \
                      world.",
        range: "28d",
        refresh: "5m",
        variables: Vec::new(),
        rows: vec![
            glance(scope),
            refused(scope),
            misuse(scope),
            changed(scope),
            approved(scope),
            jobs(scope),
        ],
    }
}

fn glance(scope: Scope<'_>) -> Row {
    let count =
        |name: &str, title: &str, what: &str| Some(total(title, what, &scope.series(name)?));
    let actions = scope.series("bot_actions_total");
    Row::new(
        "At a glance",
        [
            actions.as_ref().map(|all| {
                total(
                    "Actions",
                    "Things the bot did in the world, such as jobs started and requests merged.",
                    all,
                )
            }),
            actions.clone().and_then(|all| {
                let what = "Actions that were forced past a check. Good is hardly any, each with \
                            a reason somebody knows.";
                let panel = ratio("Forced", what, &all.clone().only("forced", &["true"])?, &all);
                Some(panel.thresholds(&[(0.02, Colour::Warning)]))
            }),
            scope.series("bot_tool_writes_total").map(|all| {
                let what = "Calls of tools that change something and did not end well. Good is \
                            near 0 %.";
                ratio("Changes that failed", what, &all.clone().except("outcome", &["ok"]), &all)
            }),
            scope.series("bot_authorizations_total").and_then(|all| {
                let what = "Decisions on who may do something that ended with no. Good is a share \
                            that does not jump.";
                Some(ratio("Refused access", what, &all.clone().only("decision", &["deny"])?, &all))
            }),
            count(
                "bot_authorization_denials_total",
                "Requests denied",
                "Requests that were refused for lack of rights.",
            ),
            count(
                "bot_security_events_total",
                "Attempts at misuse",
                "Injected prompts, forged identities, replayed and forged deliveries. Good is 0; \
                 a few are curiosity.",
            ),
            count(
                "bot_guardrail_interventions_total",
                "Guardrail stepped in",
                "Messages in which a guardrail stepped in.",
            ),
            scope.series("bot_input_checks_total").and_then(|all| {
                let what = "Messages refused before anybody thought about them. Good is near 0 %.";
                Some(ratio(
                    "Refused input",
                    what,
                    &all.clone().only("verdict", &["rejected"])?,
                    &all,
                ))
            }),
        ],
    )
}

fn refused(scope: Scope<'_>) -> Row {
    let decisions = scope.series("bot_authorizations_total");
    Row::new(
        "Who is refused, and why?",
        [
            scope.series("bot_authorization_denials_total").map(|all| {
                let what = "Requests refused for lack of rights, by reason. `unlinked` people \
                            need a hint, not a refusal.";
                bars("Denied requests by reason", what, &all, "reason").empty_when_healthy()
            }),
            decisions.as_ref().map(|all| {
                bars("Access decisions", "Decisions on who may do something.", all, "decision")
            }),
            decisions.as_ref().and_then(|all| {
                let denied = all.clone().only("decision", &["deny"])?;
                let what = "Refused decisions by what people may do. Many from the `privileged` \
                            are a fault in the rules.";
                ranking("Refused access by tier", what, &denied, "tier")
            }),
            scope.series("bot_invalid_inputs_total").map(|all| {
                let what = "Messages refused before anybody thought about them: empty, too long, \
                            or looking like an attack.";
                bars("Refused messages by reason", what, &all, "reason").empty_when_healthy()
            }),
            scope.series("bot_identity_events_total").map(|all| {
                let what = "Accounts linked to the bot, unlinked, refused, or asked to be linked \
                            (`prompted`). Good is a `linked` for most of those.";
                bars("Account links", what, &all, "change").empty_when_healthy()
            }),
        ],
    )
}

fn misuse(scope: Scope<'_>) -> Row {
    let checks = scope.series("bot_guardrail_checks_total");
    Row::new(
        "Does somebody try to misuse it?",
        [
            scope.series("bot_security_events_total").map(|all| {
                let what = "Attempts to misuse the bot, by kind. Good is nothing; a few of a kind \
                            within five minutes raise an alert.";
                bars("Attempts at misuse by kind", what, &all, "kind").empty_when_healthy()
            }),
            scope.series("bot_guardrail_interventions_total").map(|all| {
                let what = "Messages in which a guardrail stepped in: at what people wrote \
                            (`input`), or at what the bot was about to say.";
                bars("Guardrail interventions", what, &all, "stage").empty_when_healthy()
            }),
            checks.and_then(|all| {
                let what = "Guardrail checks that stepped in. A jump is an attack, or a guardrail \
                            that became too strict.";
                Some(ratio_lines(
                    "Share of checks that stepped in",
                    what,
                    &all.clone().only("action", &["intervened"])?,
                    &all,
                ))
            }),
        ],
    )
}

fn changed(scope: Scope<'_>) -> Row {
    let actions = scope.series("bot_actions_total");
    Row::new(
        "What did it change?",
        [
            actions.as_ref().map(|all| {
                bars("Actions by kind", "Things the bot did in the world.", all, "action")
            }),
            actions
                .as_ref()
                .and_then(|all| ranking("Actions by result", "How actions ended.", all, "result")),
            scope.series("bot_tool_writes_total").map(|all| {
                let what =
                    "Calls of tools that change something, by how they ended. Good is green.";
                bars("Changes by how they ended", what, &all, "outcome").see("Tools", RELIABILITY)
            }),
            scope.series("bot_tool_writes_total").and_then(|all| {
                ranking("Changes by tool", "Calls of tools that change something.", &all, "tool")
            }),
        ],
    )
}

fn approved(scope: Scope<'_>) -> Row {
    Row::new(
        "Who said yes?",
        [
            scope.series("bot_confirmations_total").and_then(|all| {
                let what = "From question to deed: asked for, given, carried out. A gap between \
                            the first two is people who had second thoughts, one after that is a \
                            bot that did not do it.";
                ranking("Confirmations", what, &all, "stage")
            }),
            scope.series("bot_approvals_total").map(|all| {
                let what = "Approvals by what was decided. Good is few that expire.";
                bars("Approvals by decision", what, &all, "result").empty_when_healthy()
            }),
            scope.series("bot_approvals_total").and_then(|all| {
                let what = "How many people an approval took; `self_rejected` is somebody who \
                            wanted to approve their own request.";
                ranking("Approvals by people needed", what, &all, "approval")
            }),
            scope.series("bot_approval_wait_seconds").map(|all| {
                let what = "Time people took to approve or reject. Good is before the question is \
                            forgotten.";
                quantile_lines("Time to approve", what, Unit::Seconds, &all).empty_when_healthy()
            }),
        ],
    )
}

fn jobs(scope: Scope<'_>) -> Row {
    Row::new(
        "Do the background jobs run?",
        [
            scope.series("bot_jobs_total").map(|all| {
                let what = "Runs of background jobs by result. Good is green, at the usual pace.";
                bars("Background jobs", what, &all, "result")
            }),
            last_success(scope),
            scope.series("bot_webhooks_total").map(|all| {
                let what =
                    "Webhook deliveries, and whether people were told. Good is nothing refused.";
                bars("Webhooks", what, &all, "result").empty_when_healthy()
            }),
        ],
    )
}

fn last_success(scope: Scope<'_>) -> Option<Panel> {
    let all = scope.series("bot_job_last_success_timestamp_seconds")?;
    all.entry.label("job_name")?;
    let query = Query::new("Last success", format!("{} * 1000", all.level("max", &["job_name"])))
        .in_unit(Unit::Ago);
    let what = "When each background job last succeeded. Good is not longer ago than its pace.";
    Some(
        Panel::new("Last success of jobs", View::Table("job_name", "Job"), Unit::Ago, vec![query])
            .about(what)
            .size(12, 8)
            .empty_when_healthy(),
    )
}

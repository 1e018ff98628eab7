//! What is not as it used to be: against the same hour of three weeks, the week before, the usual day.
//!
//! Counts of a quiet bot are Poisson: what is expected within three square roots of itself is no surprise. A band around a mean of a
//! day, the usual way, would take every evening for an outage.

use crate::recorded;

use super::alert::{Alert, Board, Kind, Runbook, Severity, Shown};
use super::case::Case;
use super::scope::{Scope, median, number};

mod costs;

/// Fewer than this in an hour: that there are none says nothing.
const SPEAKS: u32 = 10;

/// The alerts.
pub fn alerts(scope: &Scope<'_>) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = headline(scope).unwrap_or_default();
    alerts.extend(feedback(scope));
    alerts.extend(costs::alerts(scope));
    alerts
}

fn alert(name: &'static str, severity: Severity, expr: String, runbook: Runbook) -> Alert {
    Alert {
        name,
        kind: Kind::Trend,
        severity,
        expr,
        hold: "30m",
        keep: "30m",
        shown: Shown::Count,
        summary: String::new(),
        description: String::new(),
        board: Board::ADOPTION,
        runbook,
        cases: Vec::new(),
    }
}

/// Values of a quarter of an hour in a week.
const WEEK: u32 = 7 * 24 * 4;

fn headline(scope: &Scope<'_>) -> Option<Vec<Alert>> {
    let metric = scope.headline()?.name();
    let catalogue = scope.catalogue;
    let now = recorded::increase(catalogue, metric, "1h");
    let expected = recorded::expected(catalogue, metric);
    Some(vec![
        stopped(scope, metric, &now, &expected),
        below(scope, metric, &now, &expected),
        above(scope, metric, &now),
        changed(scope, metric),
    ])
}

fn case(what: &str, at: &'static str, scope: &Scope<'_>, metric: &str, values: String) -> Case {
    Case::new(what, "15m", at).series(&scope.series(metric), values)
}

/// So many in a quarter of an hour until a moment, then so many.
fn turn(before: u32, until: u32, after: u32) -> String {
    format!("0+{before}x{until} {}+{after}x800", before * until + after)
}

fn stopped(scope: &Scope<'_>, metric: &str, now: &str, expected: &str) -> Alert {
    let usual = median(&scope.by, &["1w", "2w", "3w"], |offset| {
        scope.sum(format!("increase({metric}[6h] offset {offset})"))
    });
    let expr = format!(
        "({now} == 0 and {expected} >= {SPEAKS})\nor\n({} == 0 and {usual} >= {SPEAKS})",
        scope.sum(format!("increase({metric}[6h])"))
    );
    let runbook = Runbook::new(
        format!(
            "Nothing at all came, for an hour in which there are usually at least {SPEAKS}, or for six such hours. Compared is with the \
             same hours of the last three weeks, so nights and weekends are quiet and no surprise."
        ),
        [
            "Ask the bot something. Does it answer?",
            "`oscar_metrics_received_items_total`: does its telemetry still come? If not, OscarMetricsNothingReceived says more.",
            "The chat platform's status page, and whether its events reach the bot (`bot_ingress_total`).",
        ],
        "it is a holiday or an announced maintenance, until it is over.",
    );
    Alert {
        hold: "15m",
        summary: format!("Nobody reaches the bot {} any more.", scope.whom()),
        description: "Not one message came, in hours that usually have at least ten.".to_owned(),
        cases: vec![
            case("a busy bot falls silent", "8d", scope, metric, turn(6, WEEK + 86, 0))
                .fires(scope.labels(&[]), 0.0),
            case(
                "a bot with four messages an hour falls silent",
                "8d",
                scope,
                metric,
                turn(1, WEEK + 66, 0),
            )
            .fires(scope.labels(&[]), 0.0),
            case("a quiet weekend, as every week", "8d", scope, metric, "70x1500".to_owned()),
            case(
                "one hour without a message, of a quiet bot",
                "8d",
                scope,
                metric,
                turn(1, WEEK + 90, 0),
            ),
            case("a new bot, of which nothing is known yet", "2d", scope, metric, turn(6, 170, 0)),
            case("a restart", "8d", scope, metric, format!("0+6x{} 0+6x600", WEEK + 90)),
        ],
        ..alert("BotTrafficStopped", Severity::Warning, expr, runbook)
    }
}

fn below(scope: &Scope<'_>, metric: &str, now: &str, expected: &str) -> Alert {
    let lower = recorded::expected_lower(scope.catalogue, metric);
    let runbook = Runbook::new(
        "The last hour had fewer messages than three standard deviations below what the same hour usually has. Somebody may be unable to \
         reach the bot, or has something better to do.",
        [
            "`bot_interactions_total` by `kind` and `feature`: is one way in or one feature missing, or is it all of them a little?",
            "Outcomes: are messages denied, ignored or duplicates that used to be answered?",
            "The calendar: holidays, conferences, the week after a release.",
        ],
        "the calendar explains it, until that day is over.",
    );
    Alert {
        summary: format!("The bot {} is used less than usual at this hour.", scope.whom()),
        description: "{value} messages in the last hour; the same hour usually has more than three standard deviations as many.".to_owned(),
        cases: vec![
            case("half as many as usual", "8d", scope, metric, turn(12, WEEK + 66, 3)).fires(scope.labels(&[]), 12.0),
            case("a few less than usual", "8d", scope, metric, turn(12, WEEK + 66, 9)),
            case("less than usual, of hardly anything", "8d", scope, metric, turn(1, WEEK + 66, 0)),
            case("the first week of a bot", "5d", scope, metric, turn(12, 400, 3)),
        ],
        ..alert(
            "BotTrafficBelowExpected",
            Severity::Info,
            format!("{now} < {lower}\nand {expected} >= {SPEAKS}"),
            runbook,
        )
    }
}

fn above(scope: &Scope<'_>, metric: &str, now: &str) -> Alert {
    let upper = recorded::expected_upper(scope.catalogue, metric);
    let runbook = Runbook::new(
        "The last hour had more messages than three standard deviations above what the same hour usually has. A release day looks like \
         this, and so does a loop between two bots.",
        [
            "Who: `bot_active_users` against messages. Many messages of few people are a script or a loop.",
            "What: `bot_interactions_total` by `feature` and `kind`.",
            "Whether it holds: slots in use, time to reply, cost of the day.",
        ],
        "a release or an announcement explains it, until that day is over.",
    );
    Alert {
        summary: format!("The bot {} is used more than usual at this hour.", scope.whom()),
        description: "{value} messages in the last hour; the same hour usually has fewer than three standard deviations as many.".to_owned(),
        cases: vec![
            case("three times as many as usual", "8d", scope, metric, turn(3, WEEK + 66, 9)).fires(scope.labels(&[]), 36.0),
            case("a few more than usual", "8d", scope, metric, turn(12, WEEK + 66, 15)),
            case("two messages at night, when there are none", "8d", scope, metric, format!("0x{} 1x1 2x600", WEEK + 92)),
            case("a counter that is born high", "8d", scope, metric, "0x1500".to_owned())
                .series(&scope.series(metric).is("instance", "b"), format!("_x{} 900x600", WEEK + 92)),
        ],
        ..alert("BotTrafficAboveExpected", Severity::Info, format!("{now} > {upper}"), runbook)
    }
}

fn changed(scope: &Scope<'_>, metric: &str) -> Alert {
    let name = "BotUseChanged";
    let change = recorded::change(scope.catalogue, metric, "7d");
    let limit = number(scope.catalogue.alerts.threshold(name));
    let runbook = Runbook::new(
        "The last seven days had that much more, or less, than the seven before, and there were at least 50 messages then.",
        [
            "People or habits: did `bot_active_users{window=\"7d\"}` change as well?",
            "Which feature: `bot_interactions_total` by `feature`, this week and last.",
            "Quality at the time: outcomes, time to reply, thumbs. Fewer questions after bad answers is what it looks like when people leave.",
        ],
        "the release calendar explains it.",
    );
    Alert {
        hold: "1h",
        keep: "",
        shown: Shown::Share,
        summary: format!("The use of the bot {} changed within a week.", scope.whom()),
        description: "{value} against the week before.".to_owned(),
        cases: vec![
            case(
                "twice as many as the week before",
                "20910m",
                scope,
                metric,
                turn(3, WEEK + 48, 6),
            )
            .fires(scope.labels(&[]), 1.0),
            case("a fifth more", "20910m", scope, metric, turn(15, WEEK + 48, 18)),
            case(
                "twice as many of hardly anything",
                "20910m",
                scope,
                metric,
                format!("0x333 20x{WEEK} 60x1000"),
            ),
            case("the first weeks of a bot", "9d", scope, metric, turn(3, 333, 9)),
        ],
        ..alert(name, Severity::Info, format!("{change} > {limit} or {change} < -{limit}"), runbook)
    }
}

fn feedback(scope: &Scope<'_>) -> Option<Alert> {
    scope.find("bot_feedback_total", &[("label", "up"), ("label", "down")])?;
    let name = "BotFeedbackWorse";
    let share = recorded::thumbs_down_share(scope.catalogue, "7d");
    let hour = recorded::thumbs(scope.catalogue, "1h");
    let limit = number(1.0 + scope.catalogue.alerts.threshold(name));
    let runbook = Runbook::new(
        "Of the thumbs of the last seven days more point down than of the seven before, in weeks with at least 20 thumbs each.",
        [
            "Which feature: `bot_feedback_total` by `feature`.",
            "What changed: a model (`bot_model_calls_total` by `model`), a prompt, a knowledge base (`bot_retrievals_total{result=\"empty\"}`).",
            "The conversations themselves, where you may read them.",
        ],
        "the cause is known and its repair is planned.",
    );
    let [up, down] =
        ["up", "down"].map(|label| scope.series("bot_feedback_total").is("label", label));
    let thumbs = |what: &str, good: String, bad: String| {
        Case::new(what, "15m", "20910m").series(&up, good).series(&down, bad)
    };
    let half = WEEK + 48;
    Some(Alert {
        hold: "1h",
        keep: "",
        shown: Shown::Share,
        summary: format!("The answers of {} are liked less than a week ago.", scope.whom()),
        description: "{value} of the thumbs of the last seven days point down.".to_owned(),
        board: Board::QUALITY,
        cases: vec![
            thumbs(
                "every second thumb is down, last week every fourth",
                "0+3x1500".to_owned(),
                turn(1, half, 3),
            )
            .fires(scope.labels(&[]), 0.5),
            thumbs("as many as last week", "0+3x1500".to_owned(), "0+1x1500".to_owned()),
            thumbs("two thumbs", "0x1500".to_owned(), format!("0x{half} 2x800")),
        ],
        ..alert(
            name,
            Severity::Info,
            format!(
                "{share} > {limit} * {share} offset 1w\nand {share} > 0.1\nand last_over_time({hour}[1d] offset 13d)"
            ),
            runbook,
        )
    })
}

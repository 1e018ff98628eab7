//! Too many of something in a short time.

use crate::rules::alert::{Alert, Board, Severity};
use crate::rules::case::Case;
use crate::rules::scope::{Scope, number};

use super::{On, Part, Told};

/// An alarm on a number of events. In its texts WHOM is who is spoken of and WINDOW the window.
pub struct Count {
    name: &'static str,
    severity: Severity,
    part: Part,
    by: Told,
    window: Window,
    board: Board,
    summary: &'static str,
    description: &'static str,
}

/// A window, and how it is shown in tests.
struct Window {
    promql: &'static str,
    words: &'static str,
    /// Between two values.
    interval: &'static str,
    /// Values in a window.
    steps: f64,
    /// When it is looked at, and the value before which something happens once so that it is in the window then.
    at: &'static str,
    before: u32,
}

const MINUTES_5: Window = Window {
    promql: "5m",
    words: "5 minutes",
    interval: "15s",
    steps: 20.0,
    at: "20m",
    before: 70,
};
const MINUTES_15: Window = Window {
    promql: "15m",
    words: "a quarter of an hour",
    interval: "15s",
    steps: 60.0,
    at: "40m",
    before: 130,
};
const HOURS_6: Window =
    Window { promql: "6h", words: "6 hours", interval: "5m", steps: 72.0, at: "750m", before: 120 };

/// All, OSCAR's own first.
pub const ALL: [Count; 13] = [
    Count {
        name: "BotStrangersTurnedAway",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_authorization_denials_total",
            on: &[On::Is("reason", &["dm_not_allowed", "channel_not_allowed"])],
        },
        by: Some(("reason", "dm_not_allowed")),
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "People who may not talk to the bot WHOM try to: {reason}.",
        description: "{value} messages were turned away within WINDOW.",
    },
    Count {
        name: "BotGuardrailStepsIn",
        severity: Severity::Warning,
        part: Part { metric: "bot_guardrail_interventions_total", on: &[] },
        by: Some(("stage", "input")),
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "The guardrail of WHOM steps in again and again, at the {stage}.",
        description: "{value} messages within WINDOW were stopped by it.",
    },
    Count {
        name: "BotPromptInjection",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_security_events_total",
            on: &[On::Is("kind", &["prompt_injection"])],
        },
        by: None,
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "Somebody tries to make the bot WHOM do what it should not.",
        description: "{value} prompt injections were found within WINDOW. Those that were not found are not in this number.",
    },
    Count {
        name: "BotIdentitySpoofing",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_security_events_total",
            on: &[On::Is("kind", &["identity_spoofing"])],
        },
        by: None,
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "Somebody poses as somebody else to the bot WHOM.",
        description: "{value} messages within WINDOW claimed an identity that is not their sender's.",
    },
    Count {
        name: "BotWebhookReplay",
        severity: Severity::Warning,
        part: Part { metric: "bot_security_events_total", on: &[On::Is("kind", &["replay"])] },
        by: None,
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "Deliveries to the bot WHOM are played back.",
        description: "{value} deliveries within WINDOW had been seen before or were too old.",
    },
    Count {
        name: "BotSignatureInvalid",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_security_events_total",
            on: &[On::Is("kind", &["bad_signature"])],
        },
        by: None,
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "Deliveries to the bot WHOM have bad signatures.",
        description: "{value} deliveries within WINDOW were not signed by the platform, or the signing secret is no longer right.",
    },
    Count {
        name: "BotForcedActions",
        severity: Severity::Critical,
        part: Part { metric: "bot_actions_total", on: &[On::Is("forced", &["true"])] },
        by: Some(("action", "merge")),
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "The bot WHOM forces one {action} after the other.",
        description: "{value} within WINDOW went around the checks that others have to pass.",
    },
    Count {
        name: "BotBulkMerges",
        severity: Severity::Critical,
        part: Part {
            metric: "bot_actions_total",
            on: &[On::Like("action", "(?i:.*merge.*)", "merge_pr")],
        },
        by: None,
        window: MINUTES_5,
        board: Board::SAFETY,
        summary: "The bot WHOM merges more than anybody can look at.",
        description: "{value} merges within WINDOW.",
    },
    Count {
        name: "BotAdvisoriesFail",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_interaction_errors_total",
            on: &[On::Is("feature", &["advisories"])],
        },
        by: None,
        window: MINUTES_15,
        board: Board::RELIABILITY,
        summary: "Questions about security advisories fail at WHOM.",
        description: "{value} of them within WINDOW.",
    },
    Count {
        name: "BotStorageThrottled",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_throttles_total",
            on: &[On::Is("dependency", &["aws.dynamodb"])],
        },
        by: None,
        window: MINUTES_5,
        board: Board::RELIABILITY,
        summary: "The database of WHOM says that it is asked too often.",
        description: "{value} times within WINDOW. Conversations lose their memory, and locks are not taken.",
    },
    Count {
        name: "BotStorageFails",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_dependency_requests_total",
            on: &[On::Is("type", &["db"]), On::Not("error_type", &["none"], "timeout")],
        },
        by: Some(("dependency", "aws.dynamodb")),
        window: MINUTES_5,
        board: Board::RELIABILITY,
        summary: "Calls of WHOM to {dependency} fail.",
        description: "{value} within WINDOW.",
    },
    Count {
        name: "BotThrottled",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_throttles_total",
            on: &[On::Not("dependency", &["aws.dynamodb"], "model")],
        },
        by: Some(("dependency", "model")),
        window: MINUTES_15,
        board: Board::RELIABILITY,
        summary: "{dependency} tells WHOM that it asks too often.",
        description: "{value} times within WINDOW. Each one is a second attempt or a message that fails.",
    },
    Count {
        name: "BotJobFails",
        severity: Severity::Warning,
        part: Part { metric: "bot_jobs_total", on: &[On::Is("result", &["failure"])] },
        by: Some(("job_name", "notifier")),
        window: HOURS_6,
        board: Board::SAFETY,
        summary: "The background job {job_name} of WHOM fails again and again.",
        description: "{value} runs failed within WINDOW.",
    },
];

/// The alert, when the config has its metric.
pub fn alert(scope: &Scope<'_>, one: &Count) -> Option<Alert> {
    let selector = one.part.selector(scope)?;
    let by = super::told(scope, one.part.metric, one.by);
    let keep: Vec<&str> = by.iter().map(|(label, _)| *label).collect();
    let threshold = scope.catalogue.alerts.threshold(one.name);
    let sum = scope.sum_and(&keep, selector.increase(one.window.promql));
    let expr = format!("{sum} >= {}", number(threshold));
    let text = |text: &str| text.replace("WHOM", &scope.whom()).replace("WINDOW", one.window.words);
    Some(Alert {
        summary: text(one.summary),
        description: text(one.description),
        board: one.board,
        cases: cases(scope, one, by, threshold),
        ..super::alert(one.name, one.severity, expr)
    })
}

/// It goes on; fewer than the threshold; a counter that is born with many and that a restart resets.
fn cases(scope: &Scope<'_>, one: &Count, by: Told, threshold: f64) -> Vec<Case> {
    let Window { interval, steps, at, before, .. } = one.window;
    let series = one.part.example(scope, by);
    let labels: Vec<(&str, &str)> = by.into_iter().collect();
    let step = (threshold / steps).ceil().max(1.0);
    // Prometheus 3 reads one value less of a window and makes up for it: a single step then counts a little more.
    let few = ((threshold * 0.9).ceil() - 1.0).max(0.0);
    let many = threshold * 10.0;
    let case = |what: &str, values: String| Case::new(what, interval, at).series(&series, values);
    vec![
        case("it goes on", format!("0+{step}x200")).fires(scope.labels(&labels), step * steps),
        case("fewer than the threshold, at once", format!("0x{before} {few}x200")),
        case(
            "a counter that is born with many, and that a restart resets",
            format!("_x{before} {many}x5 0x200"),
        ),
    ]
}

//! Too large a share of something, where there is enough of it to speak of a share.

use crate::promql::Selector;
use crate::rules::alert::{Alert, Board, Severity, Shown};
use crate::rules::case::Case;
use crate::rules::scope::{Scope, number};

use super::{On, Part, Told};

/// An alarm on a share. In its texts WHOM is who is spoken of.
pub struct Share {
    name: &'static str,
    severity: Severity,
    part: Part,
    whole: Part,
    /// Labels of a series that is in the whole and not in the part; none: the part is beside the whole.
    rest: Option<(&'static str, &'static str)>,
    by: Told,
    window: &'static str,
    /// The least number of the part.
    floor: f64,
    board: Board,
    summary: &'static str,
    description: &'static str,
}

const TRIED: &[On] = &[On::Not("outcome", &["denied", "ignored", "duplicate"], "answered")];

/// All.
pub const ALL: [Share; 10] = [
    Share {
        name: "BotMessagesLost",
        severity: Severity::Critical,
        part: Part { metric: "bot_interactions_total", on: &[On::Is("outcome", &["overloaded"])] },
        whole: Part { metric: "bot_interactions_total", on: TRIED },
        rest: Some(("outcome", "answered")),
        by: None,
        window: "1h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "The bot WHOM is overloaded: messages go unanswered.",
        description: "{value} of the messages of the last hour found no free slot, or a model that would take no more.",
    },
    Share {
        name: "BotDeliveredAgain",
        severity: Severity::Critical,
        part: Part { metric: "bot_redeliveries_total", on: &[On::Is("reason", &["http_timeout"])] },
        whole: Part { metric: "bot_ingress_total", on: &[] },
        rest: None,
        by: None,
        window: "1h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "The bot WHOM takes messages too slowly: the platform delivers them again.",
        description: "{value} of the deliveries of the last hour were repeated after a time-out. After the third one a message is lost.",
    },
    Share {
        name: "BotTimeouts",
        severity: Severity::Warning,
        part: Part { metric: "bot_interactions_total", on: &[On::Is("outcome", &["timeout"])] },
        whole: Part { metric: "bot_interactions_total", on: TRIED },
        rest: Some(("outcome", "answered")),
        by: None,
        window: "6h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "The bot WHOM gives up on too many messages.",
        description: "{value} of the messages of the last 6 hours took so long that the bot gave up.",
    },
    Share {
        name: "BotDependencyFails",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_dependency_requests_total",
            on: &[On::Not("error_type", &["none"], "timeout")],
        },
        whole: Part { metric: "bot_dependency_requests_total", on: &[] },
        rest: Some(("error_type", "none")),
        by: Some(("dependency", "jenkins")),
        window: "1h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "{dependency} fails for WHOM.",
        description: "{value} of the calls of the last hour failed.",
    },
    Share {
        name: "BotToolFails",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_tool_calls_total",
            on: &[On::Is("outcome", &["declared_error", "transport_error"])],
        },
        whole: Part { metric: "bot_tool_calls_total", on: &[] },
        rest: Some(("outcome", "ok")),
        by: Some(("tool", "search")),
        window: "6h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "The tool {tool} fails for WHOM.",
        description: "{value} of its calls in the last 6 hours failed, those included that it declares politely.",
    },
    Share {
        name: "BotSendsFail",
        severity: Severity::Warning,
        part: Part { metric: "bot_sends_total", on: &[On::Is("result", &["error", "throttled"])] },
        whole: Part { metric: "bot_sends_total", on: &[] },
        rest: Some(("result", "ok")),
        by: Some(("method", "chat.postMessage")),
        window: "1h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "Replies of WHOM do not reach the chat platform ({method}).",
        description: "{value} of the sends of the last hour failed or were told to wait.",
    },
    Share {
        name: "BotAttemptsRepeated",
        severity: Severity::Warning,
        part: Part { metric: "bot_agent_attempts_total", on: &[On::Is("number", &["2", "3"])] },
        whole: Part { metric: "bot_agent_attempts_total", on: &[On::Is("number", &["1"])] },
        rest: None,
        by: None,
        window: "6h",
        floor: 5.0,
        board: Board::RELIABILITY,
        summary: "The agent of WHOM fails at the first attempt more often than usual.",
        description: "For {value} of the first attempts of the last 6 hours there was another one: answers are late, and cost twice.",
    },
    Share {
        name: "BotFallsBack",
        severity: Severity::Warning,
        part: Part {
            metric: "bot_interactions_total",
            on: &[On::Is("outcome", &["fallback", "out_of_scope"])],
        },
        whole: Part { metric: "bot_interactions_total", on: TRIED },
        rest: Some(("outcome", "answered")),
        by: None,
        window: "6h",
        floor: 5.0,
        board: Board::QUALITY,
        summary: "The bot WHOM sends people away instead of answering.",
        description: "{value} of the messages of the last 6 hours got a canned reply.",
    },
    Share {
        name: "BotFeedbackBad",
        severity: Severity::Warning,
        part: Part { metric: "bot_feedback_total", on: &[On::Is("label", &["down"])] },
        whole: Part { metric: "bot_feedback_total", on: &[On::Is("label", &["up", "down"])] },
        rest: Some(("label", "up")),
        by: None,
        window: "1d",
        floor: 5.0,
        board: Board::QUALITY,
        summary: "People don't like the answers of WHOM.",
        description: "{value} of the thumbs of the last day point down.",
    },
    Share {
        name: "BotLoops",
        severity: Severity::Warning,
        part: Part { metric: "bot_model_calls_total", on: &[] },
        whole: Part { metric: "bot_interactions_total", on: TRIED },
        rest: None,
        by: None,
        window: "1h",
        floor: 50.0,
        board: Board::COST,
        summary: "The bot WHOM asks its models again and again for one message.",
        description: "{value} model calls for each message of the last hour.",
    },
];

/// The alert, when the config has its metrics.
pub fn alert(scope: &Scope<'_>, one: &Share) -> Option<Alert> {
    let (part, whole) = (one.part.selector(scope)?, one.whole.selector(scope)?);
    let by = super::told(scope, one.part.metric, one.by);
    let keep: Vec<&str> = by.iter().map(|(label, _)| *label).collect();
    let threshold = scope.catalogue.alerts.threshold(one.name);
    let sum = |selector: &Selector| scope.sum_and(&keep, selector.increase(one.window));
    let (part, whole) = (sum(&part), sum(&whole));
    let (limit, floor) = (number(threshold), number(one.floor));
    let text = |text: &str| text.replace("WHOM", &scope.whom());
    Some(Alert {
        hold: "5m",
        shown: if threshold > 2.0 { Shown::Times } else { Shown::Share },
        summary: text(one.summary),
        description: text(one.description),
        board: one.board,
        cases: cases(scope, one, by, threshold),
        ..super::alert(
            one.name,
            one.severity,
            format!("{part}\n/ {whole} > {limit}\nand {part} >= {floor}"),
        )
    })
}

/// It goes on; too few; many, and a small share; nothing at all, which is 0 of 0.
fn cases(scope: &Scope<'_>, one: &Share, by: Told, threshold: f64) -> Vec<Case> {
    let (interval, at, before) = match one.window {
        "1h" => ("1m", "150m", 120),
        "6h" => ("5m", "750m", 120),
        _ => ("15m", "36h", 100),
    };
    let part = one.part.example(scope, by);
    let rest = match one.rest {
        Some((label, value)) => {
            let series = scope.series(one.whole.metric).is(label, value);
            by.iter().fold(series, |series, (label, value)| series.is(label, value))
        }
        None => one.whole.example(scope, by),
    };
    let labels: Vec<(&str, &str)> = by.into_iter().collect();
    let case = |what: &str, part_values: String, rest_values: &str| {
        Case::new(what, interval, at).series(&part, part_values).series(&rest, rest_values)
    };
    // A part within the whole is all of it, one beside it twice as much as it may be.
    let step = (2.0 * threshold).ceil().max(1.0);
    let (others, value) = if one.rest.is_some() { ("0x400", 1.0) } else { ("0+1x400", step) };
    let few = ((one.floor * 0.9).ceil() - 1.0).max(1.0);
    let many = (2.0 / threshold).ceil().max(1.0);
    let under = (threshold / 2.0).floor().max(1.0);
    vec![
        case("it goes on", format!("0+{step}x400"), others).fires(scope.labels(&labels), value),
        case("too few to speak of a share", format!("0x{before} {few}x400"), "0x400"),
        case("many, and a small share", format!("0+{under}x400"), &format!("0+{many}x400")),
        case("nothing happens at all", "7x400".to_owned(), "9x400"),
    ]
}

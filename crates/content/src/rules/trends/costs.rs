//! What the bot costs, against its budget and its own usual day.

use crate::promql::Selector;
use crate::recorded;

use super::{Alert, Board, Case, Runbook, Scope, Severity, Shown, median, number, turn};

const COST: &str = "bot_cost_usd_total";
/// Days that are compared with.
const DAYS: [&str; 7] = ["1d", "2d", "3d", "4d", "5d", "6d", "7d"];

/// The alerts.
pub fn alerts(scope: &Scope<'_>) -> Vec<Alert> {
    if scope.find(COST, &[]).is_none() {
        return Vec::new();
    }
    [over_budget(scope), Some(above_usual(scope)), answers(scope)].into_iter().flatten().collect()
}

/// The median of the last seven days at this time of the day.
fn usual(scope: &Scope<'_>, series: &str) -> String {
    median(&scope.by, &DAYS, |offset| format!("{series} offset {offset}"))
}

fn series(scope: &Scope<'_>) -> Selector {
    let series = scope.series(COST);
    if scope.find(COST, &[("model", "")]).is_some() { series.is("model", "m") } else { series }
}

fn over_budget(scope: &Scope<'_>) -> Option<Alert> {
    let name = "BotCostOverBudget";
    let budget = scope.catalogue.alerts.cost_per_day?;
    let limit = budget * scope.catalogue.alerts.threshold(name);
    let day = recorded::increase(scope.catalogue, COST, "1d");
    let runbook = Runbook::new(
        format!("The last 24 hours cost more than {} USD, `alerts.cost_per_day`.", number(limit)),
        [
            "Which model and agent: `sum by (model, agent) (increase(bot_cost_usd_total[1d]))`.",
            "More messages, or dearer ones? Cost per answer tells them apart.",
            "Tokens per call: `bot_model_call_tokens`. Prompts that grow are the usual cause.",
        ],
        "somebody who may spend it said so, until that day is over.",
    );
    // Dollars in a quarter of an hour.
    let step = (2.0 * limit / 96.0).ceil().max(1.0);
    let case =
        |what: &str, values: String| Case::new(what, "15m", "1830m").series(&series(scope), values);
    Some(Alert {
        keep: "",
        shown: Shown::Usd,
        summary: format!("The bot {} costs more than its budget.", scope.whom()),
        description: format!(
            "{{value}} in the last 24 hours; the budget of a day is {} USD.",
            number(budget)
        ),
        board: Board::COST,
        cases: vec![
            case("twice the budget", format!("0+{step}x400")).fires(scope.labels(&[]), step * 96.0),
            case(
                "a counter that is born with what was spent before",
                format!("_x100 {}x400", limit * 50.0),
            ),
            case("nothing is spent", "70x400".to_owned()),
        ],
        ..super::alert(name, Severity::Warning, format!("{day} > {}", number(limit)), runbook)
    })
}

fn above_usual(scope: &Scope<'_>) -> Alert {
    let name = "BotCostAboveUsual";
    let factor = number(scope.catalogue.alerts.threshold(name));
    let day = recorded::increase(scope.catalogue, COST, "1d");
    let expr = format!(
        "{day} > {factor} * {}\nand {day} > 1\nand {day} offset 3d > 0",
        usual(scope, &day)
    );
    let runbook = Runbook::new(
        "The last 24 hours cost a multiple of the median of the seven days before, and more than a dollar.",
        [
            "More messages, or dearer ones? `BotTrafficAboveExpected` and the cost per answer tell them apart.",
            "Which model and agent: `sum by (model, agent) (increase(bot_cost_usd_total[1d]))`. A dearer model answers to the same name after an update.",
            "Model calls per message: a loop costs before it fails.",
        ],
        "a release day explains it, until that day is over.",
    );
    let case = |what: &str, at: &'static str, values: String| {
        Case::new(what, "15m", at).series(&series(scope), values)
    };
    Alert {
        shown: Shown::Usd,
        summary: format!("The bot {} costs much more than on a usual day.", scope.whom()),
        description: "{value} in the last 24 hours, against the median of the seven days before."
            .to_owned(),
        board: Board::COST,
        cases: vec![
            case("five times as much", "10830m", turn(1, 576, 5)).fires(scope.labels(&[]), 480.0),
            case("half as much again", "10830m", turn(2, 576, 3)),
            case("the second day of a bot", "2910m", turn(1, 96, 5)),
            case("a few cents instead of none", "10830m", "0x576 0+0.01x50 0.5x800".to_owned()),
        ],
        ..super::alert(name, Severity::Warning, expr, runbook)
    }
}

fn answers(scope: &Scope<'_>) -> Option<Alert> {
    let name = "BotAnswersCostMore";
    scope.find("bot_interactions_total", &[("outcome", "answered")])?;
    let factor = number(scope.catalogue.alerts.threshold(name));
    let each = recorded::cost_per_answer(scope.catalogue, "6h");
    let expr = format!("{each} > {factor} * {}\nand {each} offset 3d > 0", usual(scope, &each));
    let runbook = Runbook::new(
        "An answer of the last six hours costs a multiple of what answers cost at this time of the last seven days. It compares cost with \
         answers, so a busy day does not raise it; fewer answers for the same calls do.",
        [
            "Tokens per call: `bot_model_call_tokens`, input above all. A prompt, a tool list or a memory that grew.",
            "The model: `sum by (model) (increase(bot_model_calls_total[6h]))`, before and after.",
            "Cached tokens (`bot_token_details_total{type=\"cached\"}`) against input: a prompt that changes early is never cached.",
        ],
        "the change was meant and its price is accepted: a week later it is the usual price.",
    );
    let answered = scope.series("bot_interactions_total").is("outcome", "answered");
    let case = |what: &str, answers: String, cost: String| {
        Case::new(what, "15m", "10830m").series(&answered, answers).series(&series(scope), cost)
    };
    Some(Alert {
        shown: Shown::Usd,
        summary: format!("The answers of {} cost more than they did.", scope.whom()),
        description: "{value} for each answer of the last six hours.".to_owned(),
        board: Board::COST,
        cases: vec![
            case("each answer costs twice as much", "0+2x900".to_owned(), turn(2, 690, 4))
                .fires(scope.labels(&[]), 2.0),
            case("twice as many answers for twice as much", turn(2, 690, 4), turn(2, 690, 4)),
            case("too few answers to speak of a price", "0x700 1x200".to_owned(), turn(2, 690, 9)),
        ],
        ..super::alert(name, Severity::Warning, expr, runbook)
    })
}

//! Tokens and cost: for those who pay. What does it cost, what for, and why does it grow?

use crate::promql::share;

use super::super::panel::{Board, Colour, Panel, Query, Row, Unit, View};
use super::super::series::{ENOUGH, Over, Scope, Series};
use super::super::shapes::{
    amount, amount_bars, amount_ranking, bars, each, figure, quantile_by, quantile_ranking,
    ratio_of, total,
};
use super::{QUALITY, RELIABILITY, adoption, known};

pub fn board(scope: Scope<'_>) -> Board {
    Board {
        uid: super::COST,
        title: "Tokens and cost",
        description: "What the models cost, what for, and why it grows.",
        range: "28d",
        refresh: "15m",
        variables: Vec::new(),
        rows: vec![glance(scope), money(scope), tokens(scope), growth(scope)],
    }
}

fn glance(scope: Scope<'_>) -> Row {
    let cost = scope.series("bot_cost_usd_total");
    let tokens = scope.series("bot_tokens_total");
    Row::new(
        "At a glance",
        [
            cost.as_ref().map(|cost| {
                let what = "What the models cost at list price, before discounts for cached \
                            input. A price that changes changes only what comes after it.";
                amount("Cost", what, Unit::Usd, cost)
            }),
            cost.as_ref().map(month),
            adoption::cost_of_an_answer(scope).map(|panel| panel.thresholds(&[])),
            scope.series("bot_cost_saved_usd_total").map(|saved| {
                let what = "What cached input would have cost more. Take it from `Cost` to have \
                            what is paid. Good is a number that grows with the cost.";
                amount("Saved by caching", what, Unit::Usd, &saved)
            }),
            tokens.as_ref().map(|tokens| {
                let what = "Tokens that models read and wrote. Each counts once, at the call of \
                            the model itself.";
                amount("Tokens", what, Unit::Amount, tokens)
            }),
            tokens.as_ref().zip(known::used(scope)).map(|(tokens, used)| {
                let what = "Tokens for each message. When it rises, prompts, memories or tool \
                            results grow.";
                each("Tokens a message", what, Unit::Amount, |over| tokens.amount(&[], over), &used)
            }),
            cached(scope),
            scope.series("bot_model_calls_total").map(|all| {
                let what = "Calls of models. Several for a message are normal; many more than \
                            last month are a loop.";
                total("Model calls", what, &all).see("How they fail", RELIABILITY)
            }),
        ],
    )
}

fn month(cost: &Series<'_>) -> Panel {
    let week = |offset: &str| {
        let text = cost.amount(&[], Over::Range);
        text.replace("[$__range]", &format!("[7d]{offset}"))
    };
    let now = format!("{} / 7 * 30", week(""));
    let change = format!("{} / ({} > 0) - 1", week(""), week(" offset 7d"));
    let what = "The cost of the last 7 days, times 30 / 7: what a month costs if it goes on like \
                this. `Change` compares with the 7 days before. Not bound to the time chosen at \
                the top.";
    let side = vec![Query::new("Change", change).in_unit(Unit::Change)];
    figure("A month at this pace", Unit::Usd, now, side).about(what)
}

fn cached(scope: Scope<'_>) -> Option<Panel> {
    let cached = scope.series("bot_token_details_total")?.only("type", &["cached"])?;
    let input =
        scope.series("bot_tokens_total")?.only("type", &["input"])?.no_narrower_than(&cached);
    let of = |over| share(cached.amount(&[], over), input.amount(&[], over), ENOUGH);
    let what = "Input tokens that came from a prompt cache and cost a tenth. Good is a high share \
                where prompts begin alike. `Out of` are input tokens.";
    let panel = ratio_of("Read from cache", what, of, &input);
    Some(Panel { queries: panel.queries.into_iter().map(large).collect(), ..panel })
}

fn large(query: Query) -> Query {
    match query.unit {
        Some(Unit::Count) => query.in_unit(Unit::Amount),
        _ => query,
    }
}

fn money(scope: Scope<'_>) -> Row {
    let cost = scope.series("bot_cost_usd_total");
    Row::new(
        "What does it cost, and what for?",
        [
            cost.as_ref().map(|cost| {
                amount_bars(
                    "Cost by model",
                    "Cost at list price, by model.",
                    Unit::Usd,
                    (cost, "model"),
                )
            }),
            cost.as_ref().and_then(|cost| {
                let what = "Cost at list price by the agent that asked the model. What is on top \
                            is where a smaller model pays.";
                amount_ranking("Cost by agent", what, Unit::Usd, (cost, "agent"))
            }),
            models(scope),
        ],
    )
}

fn models(scope: Scope<'_>) -> Option<Panel> {
    let calls = scope.series("bot_model_calls_total")?;
    calls.entry.label("model")?;
    let by: &[&str] = &["model"];
    let called = calls.events(by, Over::Range);
    let mut columns = vec![Query::new("Calls", format!("{called} > 0")).in_unit(Unit::Count)];
    if calls.has("error_type") {
        let failed = calls.clone().except("error_type", &["none"]).events(by, Over::Range);
        // A model that never failed has no series of failures, and 0 of them.
        let failed = format!("({failed} or 0 * {called})");
        columns.push(Query::new("Failed", share(failed, &called, ENOUGH)).in_unit(Unit::Share));
    }
    if let Some(time) =
        scope.series("bot_model_call_duration_seconds").filter(|time| time.has("model"))
    {
        let (wait, timed) = (time.quantile(0.9, by, Over::Range), time.events(by, Over::Range));
        let wait = format!("{wait} and on (model) ({timed} >= {ENOUGH})");
        columns.push(Query::new("9 in 10 take less than", wait).in_unit(Unit::Seconds));
    }
    // All columns of a row are about the same calls.
    let of_model = |name| {
        let all = scope.series(name).filter(|all| all.has("model"));
        all.map(|all| all.no_narrower_than(&calls))
    };
    if let Some(tokens) = of_model("bot_tokens_total") {
        columns.push(Query::new("Tokens", tokens.amount(by, Over::Range)).in_unit(Unit::Amount));
    }
    if let Some(cost) = of_model("bot_cost_usd_total") {
        let cost = cost.amount(by, Over::Range);
        columns.push(Query::new("Cost", &cost).in_unit(Unit::Usd));
        columns.push(
            Query::new("Cost of a call", share(cost, &called, ENOUGH)).in_unit(Unit::SmallUsd),
        );
    }
    let what = format!(
        "Every model with what it did and what it cost. Shares, times and costs of a call are \
         left out below {ENOUGH} calls. A model without cost has no row in the price table."
    );
    let view = View::Table("model", "Model");
    Some(
        Panel::new("Models side by side", view, Unit::Count, columns)
            .about(what)
            .size(24, 6)
            .see("How they fail", RELIABILITY),
    )
}

fn tokens(scope: Scope<'_>) -> Row {
    let tokens = scope.series("bot_tokens_total");
    Row::new(
        "Where do the tokens go?",
        [
            tokens.as_ref().map(|all| {
                let what = "Tokens read (`input`) and written (`output`); written ones cost about \
                            five times as much.";
                amount_bars("Tokens read and written", what, Unit::Amount, (all, "type"))
            }),
            tokens.as_ref().map(|all| {
                amount_bars(
                    "Tokens by model",
                    "Tokens read and written, by model.",
                    Unit::Amount,
                    (all, "model"),
                )
            }),
            tokens.as_ref().and_then(|all| {
                amount_ranking(
                    "Tokens by agent",
                    "Tokens by the agent that asked the model.",
                    Unit::Amount,
                    (all, "agent"),
                )
            }),
            scope.series("bot_token_details_total").map(|all| {
                let what = "Parts of the tokens: read from or written to a cache (of the input), \
                            spent on reasoning (of the output).";
                amount_bars("Cached and reasoning tokens", what, Unit::Amount, (&all, "type"))
            }),
        ],
    )
}

fn growth(scope: Scope<'_>) -> Row {
    Row::new(
        "Why does it grow?",
        [
            scope.series("bot_model_call_tokens").and_then(|all| {
                let what = "Tokens of one model call. An `input` line that climbs means prompts \
                            that grow.";
                quantile_by("Tokens in a call", what, Unit::Amount, (&all, "type"))
            }),
            scope.series("bot_context_bytes").and_then(|all| {
                let what = "Memory carried into a message, by its place in the conversation. Good \
                            is a line that flattens.";
                quantile_by("Conversation memory", what, Unit::Bytes, (&all, "turn"))
                    .map(|panel| panel.see("Long ways", QUALITY))
            }),
            scope.series("bot_tool_result_bytes").and_then(|all| {
                let what = "What tools give back, all of which the model reads. Good is far below \
                            400 kB, which has hung the agent.";
                let panel =
                    quantile_ranking("Size of tool results", what, Unit::Bytes, (&all, "tool"))?;
                Some(panel.thresholds(&[(400_000.0, Colour::Warning)]))
            }),
            scope.series("bot_embedding_tokens_total").map(|all| {
                bars("Embedding tokens", "Tokens turned into embeddings, by model.", &all, "model")
                    .empty_when_healthy()
            }),
        ],
    )
}

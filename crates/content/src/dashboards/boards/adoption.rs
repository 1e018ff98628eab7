//! Adoption: for those who decide whether the bot is worth its while. Who uses it, for what, and is it getting more?

use crate::promql::share;

use super::super::panel::{Board, Colour, Panel, Query, Row, Unit, View};
use super::super::series::{ENOUGH, Over, Scope};
use super::super::shapes::{
    bars, each, figure, people, people_today, quantile, quantile_lines, ranking, ratio, total,
};
use super::{COST, QUALITY, RELIABILITY, known, text};
use crate::recorded;

pub fn board(scope: Scope<'_>) -> Board {
    Board {
        uid: super::ADOPTION,
        title: "Adoption",
        description: "Who uses the bot, for what, and whether it is getting more.",
        range: "28d",
        refresh: "15m",
        variables: Vec::new(),
        rows: vec![glance(scope), growth(scope), purpose(scope), reach(scope)],
    }
}

fn glance(scope: Scope<'_>) -> Row {
    let users = scope.series("bot_active_users");
    let users = users.as_ref();
    let title = |window: &str| format!("People in {}", window.replace('d', " days"));
    let active = |window: &str, what: &str| {
        people(&title(window), what, users?, window)
            .map(|panel| panel.see("What they get from it", QUALITY))
    };
    Row::new(
        "At a glance",
        [
            known::used(scope).map(|_| text(INTRODUCTION)),
            users.and_then(|users| {
                let what = "Different people who have used the bot today.";
                people_today("People today", what, users)
            }),
            active(
                "28d",
                "Different people who used the bot in four weeks. Good is a number that rises.",
            ),
            active(
                "7d",
                "Different people who used the bot in a week. Good is a number that rises.",
            ),
            known::used(scope).map(|all| {
                let what = "Messages that people sent and the bot worked on; refused, ignored and \
                            repeated ones don't count.";
                total("Messages", what, &all).see("How they ended", RELIABILITY)
            }),
            known::answered(scope).zip(known::used(scope)).map(|(part, whole)| {
                let what = "Messages that got an answer, or a question back whether to go ahead. \
                            Good is near 100 %.";
                ratio("Answered", what, &part, &whole).see("What went wrong", RELIABILITY)
            }),
            satisfaction(scope),
            scope.series("bot_interaction_duration_seconds").map(|all| {
                let what = "How long people typically wait for a reply. Good is a number people \
                            have patience for.";
                quantile("Typical wait", what, Unit::Seconds, (0.5, &all))
                    .see("Where the time goes", RELIABILITY)
            }),
            cost_of_an_answer(scope),
            known::used(scope).map(|_| super::freshness()),
        ],
    )
}

const INTRODUCTION: &str = "**How to read this.** A *message* is something a person wrote to the \
                            bot; tests, other bots, repeated deliveries and refused requests are \
                            left out. A *person* is counted by a code that can't be turned back \
                            into a name. A number that is missing had too few cases to say \
                            anything. Choose the time at the top right; click the **i** of a \
                            panel for what it means. Mark release phases with Grafana annotations \
                            tagged `release-phase`, and they appear on every chart.";

pub(super) fn satisfaction(scope: Scope<'_>) -> Option<Panel> {
    let feedback = scope.series("bot_feedback_total")?;
    let (up, rated) =
        (feedback.clone().only("label", &["up"])?, feedback.only("label", &["up", "down"])?);
    let what = "Thumbs up among thumbs up and down. Few people vote, so look at `Out of` before \
                you believe it.";
    Some(ratio("Liked", what, &up, &rated).see("What people say", QUALITY))
}

pub(super) fn cost_of_an_answer(scope: Scope<'_>) -> Option<Panel> {
    let cost = scope.series("bot_cost_usd_total")?;
    let answered = known::answered(scope)?.no_narrower_than(&cost);
    let what = "What the models cost for each message that was answered, at list price. Good is \
                below what the answer is worth.";
    let panel =
        each("Cost of an answer", what, Unit::SmallUsd, |over| cost.amount(&[], over), &answered);
    Some(panel.see("What makes the cost", COST))
}

fn growth(scope: Scope<'_>) -> Row {
    let users = scope.series("bot_active_users");
    Row::new(
        "Is it used more?",
        [
            known::used(scope).map(|all| {
                let what = "Messages by what they were about. Good is a pile that grows over the \
                            weeks.";
                bars("Messages by feature", what, &all, "feature").see_clicked(
                    "How this feature does",
                    RELIABILITY,
                    "feature",
                )
            }),
            users.as_ref().and_then(|users| {
                let line = |window: &str, legend: &str| {
                    Some(Query::new(legend, users.distinct(window, false)?))
                };
                let lines =
                    [line("1d", "in a day"), line("7d", "in 7 days"), line("28d", "in 28 days")];
                let what = "Different people in the day, week or four weeks before each moment. \
                            Good are lines that rise; a day's line far below the week's means \
                            that people come now and then.";
                let lines: Vec<Query> = lines.into_iter().flatten().collect();
                (!lines.is_empty()).then(|| {
                    Panel::new("People over time", View::Lines, Unit::Count, lines).about(what)
                })
            }),
            users.as_ref().and_then(|users| {
                let query = Query::new("new people", users.first_visits(Over::Step)?);
                let what = "People whose first message this was, as far back as the longest \
                            window. Good is that there are always some. Each bar is the time \
                            before its mark.";
                Some(Panel::new("New people", View::Bars, Unit::Count, vec![query]).about(what))
            }),
            usual_week(scope),
        ],
    )
}

/// The first counter of use is what rules expect something of.
fn usual_week(scope: Scope<'_>) -> Option<Panel> {
    let first = scope.catalogue.of_role("usage").find(|entry| entry.kind() == "counter")?;
    let name = first.name();
    let sum = |name: String, offset: &str| format!("sum({}{offset})", scope.recorded(name));
    let hour = recorded::increase(scope.catalogue, name, "1h");
    let lines = vec![
        Query::new("this week", sum(hour.clone(), "")),
        Query::new("last week", sum(hour, " offset 1w")),
        Query::new("usual, at least", sum(recorded::expected_lower(scope.catalogue, name), "")),
        Query::new("usual, at most", sum(recorded::expected_upper(scope.catalogue, name), "")),
    ];
    let what = format!(
        "{} in an hour, beside the same hour a week ago and the span that is usual for it: the \
         median of three weeks, and as much to both sides as chance explains. Outside of it \
         something is going on: a release, an outage, a campaign. Needs the recording rules; all \
         are in it, refused ones too. Always the last 7 days.",
        first.title()
    );
    let mut panel = Panel::new("Against a usual week", View::Lines, Unit::Count, lines);
    let usual = ["usual, at most", "usual, at least"];
    panel.colours = usual.map(|line| (line.to_owned(), Colour::Faint)).into();
    panel.band = Some(usual);
    Some(panel.since("7d").about(what))
}

fn purpose(scope: Scope<'_>) -> Row {
    let commands = scope.series("bot_commands_total");
    Row::new(
        "What is it used for?",
        [
            features(scope),
            scope.series("bot_feature_users").and_then(|users| {
                let expr = format!("sort_desc({})", users.distinct_by("28d", false, &["feature"])?);
                let what = "Different people who used a feature in 28 days; one person may be in \
                            several. A feature with many messages and few people has a few \
                            friends.";
                let query = Query::new("{{feature}}", expr);
                Some(
                    Panel::new("People by feature", View::Ranking, Unit::Count, vec![query])
                        .about(what),
                )
            }),
            commands.and_then(|all| {
                let what = "Slash commands by use. One at 0 is a command that nobody found, or \
                            nobody needs.";
                ranking("Commands", what, &all, "command")
            }),
            known::used(scope).and_then(|all| {
                let what = "The ways messages come: a mention, a direct message, a reply in a \
                            thread, a command.";
                ranking("How people ask", what, &all, "kind")
            }),
            scope.series("bot_channel_interactions_total").map(|all| {
                let what = "Messages by kind of channel: public ones teach others, private ones \
                            don't.";
                bars("Where people ask", what, &all, "channel_type")
            }),
        ],
    )
}

fn features(scope: Scope<'_>) -> Option<Panel> {
    let used = known::used(scope)?;
    used.entry.label("feature")?;
    let by: &[&str] = &["feature"];
    let messages = used.events(by, Over::Range);
    let mut columns = vec![Query::new("Messages", format!("{messages} > 0")).in_unit(Unit::Count)];
    if let Some(users) =
        scope.series("bot_feature_users").and_then(|all| all.distinct_by("28d", false, by))
    {
        columns.push(Query::new("People in 28 days", format!("{users} > 0")).in_unit(Unit::Count));
    }
    if let Some(answered) = known::answered(scope) {
        let answered = share(answered.events(by, Over::Range), &messages, ENOUGH);
        columns.push(Query::new("Answered", answered).in_unit(Unit::Share));
    }
    if let Some(wait) =
        scope.series("bot_feature_duration_seconds").filter(|wait| wait.has("feature"))
    {
        let (wait, waited) = (wait.quantile(0.9, by, Over::Range), wait.events(by, Over::Range));
        let wait = format!("{wait} and on (feature) ({waited} >= {ENOUGH})");
        columns.push(Query::new("9 in 10 wait less than", wait).in_unit(Unit::Seconds));
    }
    let what = format!(
        "Every feature with how often it was used, by how many, and how well it went. Shares and \
         times are left out below {ENOUGH} messages. Good is a feature with many people and near \
         100 % answered."
    );
    let panel = Panel::new(
        "Features side by side",
        View::Table("feature", "Feature"),
        Unit::Count,
        columns,
    );
    Some(panel.about(what).size(24, 11).see_clicked(
        "How this feature does",
        RELIABILITY,
        "feature",
    ))
}

fn reach(scope: Scope<'_>) -> Row {
    let reached = |name: &str, title: &str, what: &str| {
        Some(people(title, what, &scope.series(name)?, "28d")?.empty_when_healthy())
    };
    Row::new(
        "How far does it reach?",
        [
            reached(
                "bot_active_channels",
                "Channels",
                "Channels in which the bot was used. Good is a number that rises.",
            ),
            reached("bot_active_workspaces", "Workspaces", "Workspaces in which the bot was used."),
            stickiness(scope),
            scope.series("bot_commands_total").and_then(|all| {
                let what = "Slash commands that did what they should.";
                Some(ratio(
                    "Commands that worked",
                    what,
                    &all.clone().only("result", &["ok"])?,
                    &all,
                ))
            }),
            scope.series("bot_active_users_by_tier").and_then(|users| {
                let query = Query::new("{{tier}}", users.distinct_by("7d", false, &["tier"])?);
                let what = "Different people in 7 days by what they may do. Someone whose rights \
                            changed is in both.";
                Some(
                    Panel::new("People by access", View::Lines, Unit::Count, vec![query])
                        .about(what),
                )
            }),
            scope.series("bot_query_characters").map(|all| {
                let what = "Characters in what people write. Questions that grow are asked by \
                            people who trust it with more.";
                quantile_lines("Length of questions", what, Unit::Count, &all)
            }),
        ],
    )
}

fn stickiness(scope: Scope<'_>) -> Option<Panel> {
    let users = scope.series("bot_active_users")?;
    let (day, month) = (users.distinct("1d", false)?, users.distinct("28d", false)?);
    let (day_before, month_before) = (users.distinct("1d", true)?, users.distinct("28d", true)?);
    let now = share(&day, &month, ENOUGH);
    let change = format!("100 * ({now} - {})", share(day_before, month_before, ENOUGH));
    let side = vec![
        Query::new("Change", change).in_unit(Unit::Points),
        Query::new("Out of", month).in_unit(Unit::Count),
    ];
    let what = format!(
        "The people of one day among the people of 28 days. 20 % means that each comes every \
         fifth day; a tool for work days is good above that. Hidden below {ENOUGH} people; \
         `Change` compares with the day and the 28 days before."
    );
    Some(figure("Come back daily", Unit::Share, now, side).about(what))
}

//! Series explorer: for those who pay for series. Which metric has how many, which label makes them, which grows?

use crate::rules::definition::{MetricKind, Native};

use super::super::panel::{Board, Colour, Panel, Query, Row, Unit, Variable, View};
use super::super::series::Scope;
use super::SIDECAR;

const CHOSEN: &str = "job=~\"$job\"";

pub fn board(scope: Scope<'_>) -> Board {
    let names = scope.catalogue.metrics.iter().map(|entry| {
        let histogram = matches!(
            entry.metric.kind,
            MetricKind::Histogram { native: Native::No | Native::Both, .. }
        );
        format!("{}{}", entry.name(), if histogram { "_count" } else { "" })
    });
    let names: Vec<String> = names.collect();
    let variables = match names.is_empty() {
        true => Vec::new(),
        false => vec![Variable::OneOf("metric", names), Variable::LabelNames],
    };
    let rows = if variables.is_empty() { vec![all()] } else { vec![all(), one()] };
    Board {
        uid: super::EXPLORER,
        title: "Series explorer",
        description: "Which metric has how many series, which label makes them, and which grows.",
        range: "24h",
        refresh: "5m",
        variables,
        rows,
    }
}

fn all() -> Row {
    let series = format!("oscar_metrics_series{{{CHOSEN}}}");
    let limit = format!("oscar_metrics_series_limit{{{CHOSEN}}}");
    let total = format!("sum by (instance) ({series})");
    let share = |series: &str| format!("max({series} / on (instance) max by (instance) ({limit}))");
    let stat = |title: &str, what: &str, unit, expr: String| {
        Some(Panel::new(title, View::Stat, unit, vec![Query::new(title, expr)]).about(what))
    };
    let tomorrow = format!("predict_linear(oscar_metrics_series{{{CHOSEN}}}[6h], 86400)");
    let tomorrow = format!("sum by (instance) ({tomorrow})");
    let warning = [(0.8, Colour::Warning), (0.95, Colour::Bad)];
    let overflow = format!(
        "sum by (metric) (increase(oscar_metrics_series_overflow_total{{{CHOSEN}}}[$__range]))"
    );
    Row::new(
        "Which metrics have how many series?",
        [
            stat(
                "Label sets",
                "Label sets of all metrics in the fullest sidecar. A histogram with 16 edges is \
                 one label set and 19 lines.",
                Unit::Count,
                format!("max({total})"),
            ),
            stat(
                "Share of the limit",
                "Label sets in the fullest sidecar, as a share of `limits.series`. Good is below \
                 80 %.",
                Unit::Share,
                share(&total),
            )
            .map(|panel| panel.thresholds(&warning).see("The sidecar", SIDECAR)),
            stat(
                "Share in a day",
                "The same in 24 hours, if it goes on as in the last 6. Good is below 80 %.",
                Unit::Share,
                share(&tomorrow),
            )
            .map(|panel| panel.thresholds(&warning)),
            stat(
                "New series in an hour",
                "Series that Prometheus saw for the first time in the last hour. Good is near 0: \
                 what comes and goes is churn, and costs memory there.",
                Unit::Amount,
                format!("sum(sum_over_time(scrape_series_added{{{CHOSEN}}}[1h]))"),
            ),
            Some(
                Panel::new(
                    "Largest metrics",
                    View::Table("metric", "Metric"),
                    Unit::Count,
                    vec![
                        Query::new("Label sets", format!("topk(25, sum by (metric) ({series}))")),
                        Query::new("Folded to other", overflow.clone()),
                    ],
                )
                .about(
                    "The metrics with the most label sets, and how many updates found no room and \
                     were folded to `other`. Good is no surprise at the top.",
                )
                .size(12, 10),
            ),
            Some(
                Panel::new(
                    "Growth",
                    View::Lines,
                    Unit::Count,
                    vec![Query::new(
                        "{{metric}}",
                        format!(
                            "max by (metric) ({series}) and on (metric) topk(10, max by (metric) \
                             ({series} @ end()))"
                        ),
                    )],
                )
                .about(
                    "Label sets of the largest metrics over time. Good are lines that flatten; \
                     one that climbs has a label that should not be one.",
                )
                .size(12, 10),
            ),
        ],
    )
}

fn one() -> Row {
    let chosen = "{__name__=\"$metric\", job=~\"$job\"}";
    Row::new(
        "What is in the chosen metric?",
        [
            Some(
                Panel::new(
                    "Values of the chosen label",
                    View::Ranking,
                    Unit::Count,
                    vec![Query::new(
                        "{{$label}}",
                        format!("sort_desc(topk(25, count by ($label) ({chosen})))"),
                    )],
                )
                .about(
                    "The values of the label chosen at the top, by how many series of the chosen \
                     metric have them. Good are values you know.",
                ),
            ),
            Some(
                Panel::new(
                    "Different values",
                    View::Lines,
                    Unit::Count,
                    vec![
                        Query::new(
                            "values of $label",
                            format!("count(count by ($label) ({chosen}))"),
                        ),
                        Query::new("series", format!("count({chosen})")),
                    ],
                )
                .about(
                    "How many different values the chosen label has, and how many series the \
                     metric. Where the lines climb together, the label makes the series.",
                ),
            ),
        ],
    )
}

//! Series explorer: for those who pay for series. Which metric has how many, which label makes them, which grows?

use crate::observations;
use engine::rules::definition::{MetricKind, Native};

use super::panel::{Board, Colour, Panel, Query, Row, Unit, Variable, View};
use crate::series::Scope;

use super::shapes::uid;

/// Its name.
const NAME: &str = "series";
const CHOSEN: &str = "job=~\"$job\"";

pub fn board(scope: Scope<'_>) -> Board {
    let names = scope.catalogue.metrics.iter().map(|entry| {
        let histogram = matches!(
            entry.metric.kind,
            MetricKind::Histogram { native: Native::No | Native::Both, .. }
        );
        if histogram { observations::name(entry) } else { entry.name().to_owned() }
    });
    let names: Vec<String> = names.collect();
    let variables = match names.is_empty() {
        true => Vec::new(),
        false => vec![Variable::OneOf("metric", names), Variable::LabelNames],
    };
    let rows = if variables.is_empty() { vec![all()] } else { vec![all(), one()] };
    Board {
        uid: uid(NAME),
        title: "Series explorer".to_owned(),
        description: "Which metric has how many series, which label makes them, and which grows."
            .to_owned(),
        range: "24h".to_owned(),
        refresh: "5m".to_owned(),
        variables,
        rows,
    }
}

/// A number of the sidecar's, of the chosen jobs.
fn own(name: &str) -> String {
    format!("oscar_metrics_{name}{{{CHOSEN}}}")
}

fn all() -> Row {
    let total = format!("sum by (instance) ({})", own("series"));
    let tomorrow = format!("sum by (instance) (predict_linear({}[6h], 86400))", own("series"));
    let limit = format!("max by (instance) ({})", own("series_limit"));
    let share = |series: &str| format!("max({series} / on (instance) {limit})");
    let stat = |title: &str, what: &str, unit, expr: String| {
        Some(Panel::new(title, View::Stat, unit, vec![Query::new(title, expr)]).about(what))
    };
    let warning = [(0.8, Colour::Warning), (0.95, Colour::Bad)];
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
            .map(|panel| panel.thresholds(&warning).see("The sidecar", &uid("sidecar"))),
            stat(
                "Share of the limit in a day",
                "The same 24 hours from now, if it goes on as in the last 6. Good is below 80 %.",
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
            Some(largest()),
            Some(growth()),
        ],
    )
}

fn largest() -> Panel {
    let series = format!("topk(25, sum by (metric) ({}))", own("series"));
    let folded = format!("sum by (metric) (increase({}[$__range]))", own("series_overflow_total"));
    let columns = vec![Query::new("Label sets", series), Query::new("Folded to other", folded)];
    let what = "The metrics with the most label sets, and how many updates found no room and were \
                folded to `other`. Good is no surprise at the top.";
    let view = View::Table("metric".to_owned(), "Metric".to_owned());
    Panel::new("Largest metrics", view, Unit::Count, columns).about(what).size(12, 10)
}

fn growth() -> Panel {
    let series = own("series");
    let each = format!("max by (metric) ({series})");
    let expr = format!("{each} and on (metric) topk(10, max by (metric) ({series} @ end()))");
    let what = "Label sets of the largest metrics over time. Good are lines that flatten; one \
                that climbs has a label that should not be one.";
    let lines = vec![Query::new("{{metric}}", expr)];
    Panel::new("Growth", View::Lines, Unit::Count, lines).about(what).size(12, 10)
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

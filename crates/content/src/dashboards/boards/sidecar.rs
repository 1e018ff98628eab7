//! The sidecar itself: for those who run it. Does it get everything, does it keep it, does it cost what it should?

use crate::promql::{Selector, grouped, sum};

use super::super::panel::{Board, Colour, Panel, Query, Row, Unit, View};
use super::super::series::Scope;
use super::EXPLORER;

pub fn board(_: Scope<'_>) -> Board {
    Board {
        uid: super::SIDECAR,
        title: "The sidecar itself",
        description: "Whether the sidecar gets everything, keeps it, and costs what it should.",
        range: "6h",
        refresh: "1m",
        variables: Vec::new(),
        rows: vec![glance(), income(), refusals(), outcome(), forwarding(), process()],
    }
}

/// One of the sidecar's own series, of the chosen instances.
fn own(name: &str) -> Selector {
    let all = if name.starts_with("process_")
        || name.contains("scrape") && !name.ends_with("_total")
        || name == "up"
    {
        Selector::new(name)
    } else {
        Selector::new(format!("oscar_metrics_{name}"))
    };
    all.matching("job=~\"$job\"").matching("instance=~\"$instance\"")
}

fn rate(by: &[&str], name: &str) -> String {
    sum(by, own(name).rate("$__rate_interval"))
}

fn increase(by: &[&str], name: &str) -> String {
    sum(by, own(name).increase("$__range"))
}

/// Lines of something a second.
fn rates(title: &str, what: &str, by: &'static [&'static str], name: &str) -> Panel {
    let legend = by.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ");
    Panel::new(title, View::Lines, Unit::PerSecond, vec![Query::new(legend, rate(by, name))])
        .about(format!("{what} A second's worth, averaged over a few scrapes."))
}

/// Only what was not 0.
fn faults(title: &str, what: &str, by: &'static [&'static str], name: &str) -> Panel {
    let mut panel = rates(title, what, by, name).size(6, 6).empty_when_healthy();
    panel.queries.iter_mut().for_each(|query| query.expr.push_str(" > 0"));
    panel
}

fn stat(title: &str, what: &str, unit: Unit, expr: String) -> Panel {
    Panel::new(title, View::Stat, unit, vec![Query::new(title, expr)]).about(what)
}

fn glance() -> Row {
    let (series, limit) = (own("series"), own("series_limit"));
    let used =
        format!("max(sum by (instance) ({series}) / on (instance) max by (instance) ({limit}))");
    let rejected = own("rejected_items_total").is_not("reason", "duplicate").increase("$__range");
    let rejected =
        format!("{} / ({} > 0)", sum(&[], rejected), increase(&[], "received_items_total"));
    Row::new(
        "At a glance",
        [
            Some(stat(
                "Sidecars",
                "How many run, as Prometheus sees it. Good is as many as bots.",
                Unit::Count,
                format!("count({})", own("build_info")),
            )),
            Some(stat(
                "Last news",
                "When a bot last sent something, of any kind. Good is moments ago while the bot \
                 is used.",
                Unit::Ago,
                format!("max({}) * 1000", own("last_received_timestamp_seconds")),
            )),
            Some(
                stat(
                    "Accepted",
                    "Items that were accepted or had come before, of all items received, requests refused and \
                     connections closed below the requests. Good is 100 %.",
                    Unit::Share,
                    accepted_share(),
                )
                .thresholds(&[(f64::MIN, Colour::Bad), (0.99, Colour::Warning), (0.999, Colour::Good)]),
            ),
            Some(
                ratio("Turned away", rejected)
                    .thresholds(&[(0.001, Colour::Warning), (0.01, Colour::Bad)]),
            ),
            Some(
                stat(
                    "Series used",
                    "The fullest sidecar's series, as a share of its limit. Good is below 80 %: \
                     past 100 % new values are folded to `other`.",
                    Unit::Share,
                    used,
                )
                .see("Which ones", EXPLORER)
                .thresholds(&[(0.8, Colour::Warning), (0.95, Colour::Bad)]),
            ),
            Some(
                stat(
                    "Config in force",
                    "Yes when every sidecar runs the config that was last asked for; no when one \
                     could not take it and runs on with the one before.",
                    Unit::YesNo,
                    format!("min({})", own("config_last_reload_successful")),
                )
                .thresholds(&[(f64::MIN, Colour::Bad), (1.0, Colour::Good)]),
            ),
            Some(
                stat(
                    "Faults of its own",
                    "Tasks that died and rows left out of a scrape. Good is 0: each is a bug \
                     worth a report.",
                    Unit::Count,
                    format!(
                        "{} + {}",
                        increase(&[], "panics_total"),
                        increase(&[], "quarantined_rows_total")
                    ),
                )
                .thresholds(&[(1.0, Colour::Bad)]),
            ),
            Some(versions()),
            Some(up()),
        ],
    )
}

/// What was accepted of everything that senders tried. A refused request or a closed connection is one thing lost, however much was in it.
fn accepted_share() -> String {
    const BELOW: &str = "reason=~\"connection_limit|protocol|wrong_protocol\"";
    let duplicates = own("rejected_items_total").is("reason", "duplicate").increase("$__range");
    let closed = own("closed_connections_total").matching("listener=~\"otlp_.*\"").matching(BELOW);
    format!(
        "({} + {}) / (({} + {} + {}) > 0)",
        increase(&[], "accepted_items_total"),
        sum(&[], duplicates),
        increase(&[], "received_items_total"),
        increase(&[], "refused_requests_total"),
        sum(&[], closed.increase("$__range")),
    )
}

fn ratio(title: &str, now: String) -> Panel {
    let received =
        Query::new("Out of", increase(&[], "received_items_total")).in_unit(Unit::Amount);
    let what = "Spans, log records and data points that were not used, of all that came in the \
                chosen time; those that had come before are not among them. Good is 0 %: why they \
                were not, is below.";
    let queries = vec![Query::new("Turned away", now), received];
    Panel::new(title, View::Stat, Unit::Share, queries).about(what)
}

fn versions() -> Panel {
    let expr = grouped("count", &["version"], own("build_info"));
    let query = Query::new("Sidecars", expr);
    Panel::new("Versions", View::Table("version", "Version"), Unit::Count, vec![query])
        .about(
            "Which versions run, and how many of each. Good is one, except while a deploy is \
             under way.",
        )
        .size(6, 4)
}

fn up() -> Panel {
    let expr = grouped("min", &["instance"], own("up"));
    Panel::new(
        "Reached by Prometheus",
        View::Timeline("reached", "not reached"),
        Unit::Number,
        vec![Query::new("{{instance}}", expr)],
    )
    .about(
        "Whether Prometheus could scrape each sidecar. Good is green without holes; while it is \
         red nothing is lost but detail.",
    )
    .size(6, 4)
}

fn income() -> Row {
    Row::new(
        "Does everything come in?",
        [
            Some(rates(
                "Received",
                "Spans (traces), log records and data points (metrics) of requests that were \
                 taken.",
                &["signal"],
                "received_items_total",
            )),
            Some(rates(
                "Asked for by no rule",
                "Items that were taken and that no rule of the config asked for. Normal for spans \
                 in between; all of them mean that names differ from the config's: try `explain`.",
                &["signal"],
                "unmatched_items_total",
            )),
            Some(faults(
                "Rejected items",
                "Items of taken requests that were not used, by reason. Good is nothing, or \
                 `duplicate` where senders repeat.",
                &["signal", "reason"],
                "rejected_items_total",
            )),
            Some(faults(
                "Refused requests",
                "Requests refused as a whole, by door and reason. Good is nothing; `overload` \
                 means that the sender was told to come again.",
                &["protocol", "reason"],
                "refused_requests_total",
            )),
        ],
    )
}

fn refusals() -> Row {
    Row::new(
        "Do the rules use what comes?",
        [
            Some(faults(
                "Values that could not be used",
                "Records whose value or sampling weight a rule could not use, by metric and reason. \
                 Good is nothing.",
                &["metric", "reason"],
                "rule_skips_total",
            )),
            Some(
                faults(
                    "Folded to other",
                    "Updates past a limit of series, by metric: their open labels became `other`. \
                     Good is nothing; else raise the limit or drop a label.",
                    &["metric"],
                    "series_overflow_total",
                )
                .see("Which label", EXPLORER),
            ),
            Some(faults(
                "Came before",
                "Records left out because the same had come before, by the record's name in the \
                 config. Normal where both a span event and a log record are sent.",
                &["record"],
                "repeated_items_total",
            )),
            Some(faults(
                "Connections ended",
                "Connections that the sidecar closed before their peer ended them, by listener and reason. `evicted` \
                 are idle ones that made room, `wrong_protocol` are clients at the wrong port.",
                &["listener", "reason"],
                "closed_connections_total",
            )),
            Some(faults(
                "Web requests refused",
                "Requests to the web port that were refused, by reason. `wrong_credentials` may be somebody who \
                 guesses passwords; `busy` are scrapes for which there was no slot.",
                &["reason"],
                "web_refused_requests_total",
            )),
        ],
    )
}

fn outcome() -> Row {
    let line = |title: &str, what: &str, unit: Unit, expr: String| {
        Panel::new(title, View::Lines, unit, vec![Query::new("{{instance}}", expr)]).about(what)
    };
    let by: &[&str] = &["instance"];
    Row::new(
        "Does Prometheus get it?",
        [
            Some(line(
                "Time of a scrape",
                "How long Prometheus took to fetch the series. Good is far below the scrape \
                 timeout.",
                Unit::Seconds,
                grouped("max", by, own("scrape_duration_seconds")),
            )),
            Some(line(
                "Lines in a scrape",
                "How many samples a scrape has. Good is a line that flattens.",
                Unit::Amount,
                grouped("max", by, own("scrape_samples_scraped")),
            )),
            Some(rates(
                "Scrapes",
                "Scrapes answered, of all scrapers.",
                &["instance"],
                "scrapes_total",
            )),
            Some(line(
                "Age of the config",
                "How long ago a config was last taken up.",
                Unit::Seconds,
                format!(
                    "time() - {}",
                    grouped("max", by, own("config_last_reload_success_timestamp_seconds"))
                ),
            )),
        ],
    )
}

fn forwarding() -> Row {
    Row::new(
        "Do traces get to their other homes?",
        [
            Some(
                rates(
                    "Passed on",
                    "Requests that a forward target has taken.",
                    &["target", "signal"],
                    "forwarded_requests_total",
                )
                .size(6, 6)
                .empty_when_healthy(),
            ),
            Some(faults(
                "Not passed on",
                "Requests that a forward target did not get, and why. Good is nothing.",
                &["target", "reason"],
                "forward_dropped_requests_total",
            )),
            Some(faults(
                "Tried again",
                "Attempts that failed for now. A few are a restart over there.",
                &["target"],
                "forward_retries_total",
            )),
            Some(
                Panel::new(
                    "Waiting to be passed on",
                    View::Lines,
                    Unit::Bytes,
                    vec![Query::new("{{target}}", sum(&["target"], own("forward_queue_bytes")))],
                )
                .about(
                    "What waits for a forward target or is on its way. Good is near 0; a line \
                     that climbs is a target that is too slow.",
                )
                .size(6, 6)
                .empty_when_healthy(),
            ),
        ],
    )
}

fn process() -> Row {
    let line = |title: &str, what: &str, unit: Unit, expr: String| {
        Some(
            Panel::new(title, View::Lines, unit, vec![Query::new("{{instance}}", expr)])
                .about(what)
                .size(8, 7),
        )
    };
    let by: &[&str] = &["instance"];
    Row::new(
        "Does it cost what it should?",
        [
            line(
                "Processor",
                "Processor cores in use: 1 is a whole core. Good is a few per cent.",
                Unit::Share,
                rate(by, "process_cpu_seconds_total"),
            ),
            line(
                "Memory",
                "Memory in use. Good is a line that flattens below the limit of its container.",
                Unit::Bytes,
                grouped("max", by, own("process_resident_memory_bytes")),
            ),
            line(
                "Open files",
                "Open files and connections, as a share of what is allowed. Good is below 80 %.",
                Unit::Share,
                format!(
                    "max by (instance) ({}) / max by (instance) ({})",
                    own("process_open_fds"),
                    own("process_max_fds")
                ),
            ),
            line(
                "Running for",
                "How long each sidecar has been running. A saw is a crash loop.",
                Unit::Seconds,
                format!("time() - {}", grouped("max", by, own("process_start_time_seconds"))),
            ),
            line(
                "Threads",
                "Threads of each sidecar. Good is a flat line.",
                Unit::Count,
                grouped("max", by, own("process_threads")),
            ),
            line(
                "Reserved addresses",
                "Virtual memory: addresses in use, not memory. Good is a flat line.",
                Unit::Bytes,
                grouped("max", by, own("process_virtual_memory_bytes")),
            ),
        ],
    )
}

//! Whether the sidecar is there, hears something, and keeps what it hears. On its own metrics alone, so for every config.
//!
//! A target is known by `oscar_metrics_build_info`, not by the name of a job: whatever it is scraped as, it is found.

use super::alert::{Alert, Board, Kind, Runbook, Severity, Shown};
use super::case::Case;
use super::scope::{Scope, median, number};
use crate::promql::{Selector, sum};

mod counts;

const BUILD: &str = "oscar_metrics_build_info";
const RECEIVED: &str = "oscar_metrics_received_items_total";

/// The alerts.
pub fn alerts(scope: &Scope<'_>) -> Vec<Alert> {
    let mut alerts = vec![gone(scope), absent(), down(), nothing_received(scope)];
    alerts.extend(counts::alerts(scope));
    alerts.extend([near_limit(scope), not_loaded(), restarts(), watchdog()]);
    alerts
}

fn alert(name: &'static str, severity: Severity, expr: impl Into<String>) -> Alert {
    Alert {
        name,
        kind: Kind::Health,
        severity,
        expr: expr.into(),
        hold: "",
        keep: "",
        shown: Shown::Count,
        summary: String::new(),
        description: String::new(),
        board: Board::SIDECAR,
        runbook: Runbook::new("", [""; 3], ""),
        cases: Vec::new(),
    }
}

const DEPLOYING: &str =
    "a deployment or a drain takes longer than the alert waits, until it is over.";

fn own(metric: &str) -> Selector {
    Selector::new(metric).is("job", "bot").is("instance", "a:9464")
}

const OWN: [(&str, &str); 2] = [("job", "bot"), ("instance", "a:9464")];

/// A job, and where it runs, when the target says so.
fn job(scope: &Scope<'_>) -> Vec<&'static str> {
    let environment = scope.catalogue.is_common("environment").then_some("environment");
    ["job"].into_iter().chain(environment).collect()
}

fn gone(scope: &Scope<'_>) -> Alert {
    let keep = job(scope).join(", ");
    let expr = format!(
        "group by ({keep}) (last_over_time({BUILD}[1d]))\nunless\n  group by ({keep}) ({BUILD})"
    );
    let build = own(BUILD).is("version", "1");
    let other = Selector::new(BUILD).is("job", "other").is("instance", "b:9464").is("version", "1");
    let case = Case::new("the last sidecar of a job goes", "1m", "30m");
    Alert {
        hold: "5m",
        summary: "No sidecar of {job} is left: nothing counts what the bot does.".to_owned(),
        description: "Prometheus scraped at least one within a day, and now scrapes none. Every alert about this bot is blind."
            .to_owned(),
        runbook: Runbook::new(
            "Prometheus had oscar-metrics of this job, and now has none: the process is gone, or unreachable, or no longer a target. \
             After a day the alert forgets the job, as after a bot was taken away for good.",
            [
                "`up` of the job, and its page Status > Targets: what does the last scrape say?",
                "The sidecar's pod or container: is it there, why did it end, what are its last lines?",
                "Prometheus' own configuration: did the job, a label or a network policy change?",
            ],
            "the bot is being taken away; add its `job` to the silence.",
        ),
        cases: vec![
            case.series(&build, "1x10 stale _x30").series(&other, "1x60").fires([("job", "bot")], 1.0),
            Case::new("one missing scrape", "1m", "30m").series(&build, "1x24 stale 1x30"),
            Case::new("another pod took over", "1m", "30m")
                .series(&build, "1x10 stale _x30")
                .series(&build.clone().is("pod", "b"), "_x11 1x30"),
        ],
        ..alert("OscarMetricsGone", Severity::Critical, expr)
    }
}

fn absent() -> Alert {
    let build = own(BUILD);
    Alert {
        hold: "15m",
        summary: "Prometheus knows no oscar-metrics at all.".to_owned(),
        description: "Nothing exposes oscar_metrics_build_info: no bot is watched from here."
            .to_owned(),
        runbook: Runbook::new(
            "There is no sidecar that this Prometheus scrapes, and was none for a quarter of an hour. With rules loaded that can only \
             mean that something is set up wrong, or that all of them are gone.",
            [
                "Status > Targets: is there a job for the sidecar, and what does its scrape say?",
                "The port: the sidecar listens on 127.0.0.1:9464 until `--web.listen-address` says otherwise.",
                "Service discovery: the labels or annotations of the pods.",
            ],
            "the rules are loaded before the first bot is deployed.",
        ),
        cases: vec![
            Case::new("nobody is there", "1m", "20m").fires([], 1.0),
            Case::new("one scrape is missing", "1m", "20m").series(&build, "1x18 stale 1x9"),
        ],
        ..alert("OscarMetricsAbsent", Severity::Critical, format!("absent({BUILD})"))
    }
}

fn down() -> Alert {
    let expr = format!("up == 0\nand on (job, instance)\n  last_over_time({BUILD}[1h])");
    let up = own("up");
    let stranger = Selector::new("up").is("job", "db").is("instance", "b");
    Alert {
        hold: "10m",
        summary: "The sidecar {instance} of {job} can't be scraped.".to_owned(),
        description: "It was scraped within the last hour. What it counts meanwhile is seen once it is back, unless it restarts without a state directory."
            .to_owned(),
        runbook: Runbook::new(
            "A target that was an oscar-metrics is still a target and does not answer. Others of the job may.",
            [
                "The error beside the target on Status > Targets: refused, timed out, or not authorised?",
                "Its log, and whether `/-/ready` answers from beside it.",
                "Memory and CPU of its container: a scrape that takes longer than `scrape_timeout` fails too.",
            ],
            DEPLOYING,
        ),
        cases: vec![
            Case::new("a sidecar that was scraped fails", "1m", "30m")
                .series(&up, "1x10 0x30")
                .series(&own(BUILD), "1x10 stale _x30")
                .fires(OWN, 0.0),
            Case::new("one scrape fails", "1m", "30m").series(&up, "1x24 0 1x30").series(&own(BUILD), "1x24 stale 1x30"),
            Case::new("somebody else's target fails", "1m", "30m").series(&stranger, "0x60").series(&own(BUILD), "1x60"),
        ],
        ..alert("OscarMetricsDown", Severity::Warning, expr)
    }
}

/// Items are expected when there were as many in the same hour of the last weeks.
fn nothing_received(scope: &Scope<'_>) -> Alert {
    let by = job(scope);
    let metric = Selector::new(RECEIVED);
    let usual = median(&by, &["1w", "2w", "3w"], |offset| {
        sum(&by, format!("increase({RECEIVED}[1h] offset {offset})"))
    });
    let expr = format!(
        "{} == 0\nand\n  {} >= 20",
        sum(&by, metric.increase("1h")),
        usual.replace('\n', "\n  ")
    );
    let received = own(RECEIVED).is("signal", "traces");
    let week = 7 * 24 * 4;
    Alert {
        hold: "15m",
        keep: "5m",
        summary: "The bot of {job} sends no telemetry any more.".to_owned(),
        description: "Not one span, log record or data point came in the last hour. At this hour of the week there usually are some."
            .to_owned(),
        runbook: Runbook::new(
            "The sidecar is there and hears nothing, in an hour in which it usually hears at least 20 items. Either nobody uses the bot, \
             or it is down, or it can't reach the sidecar. All counters stand still, so nothing else will fire.",
            [
                "Does the bot answer? Ask it something.",
                "The bot's log for failed exports: wrong endpoint, wrong port, a proxy between (`OTEL_EXPORTER_OTLP_ENDPOINT`).",
                "`oscar_metrics_refused_requests_total`: does it knock and is turned away?",
            ],
            "it is a holiday, or the bot is switched off on purpose, until it is on again.",
        ),
        cases: vec![
            Case::new("a bot falls silent", "15m", "8d")
                .series(&received, format!("0+30x{} {}x400", week + 88, 30 * (week + 88)))
                .fires([("job", "bot")], 0.0),
            Case::new("a quiet weekend, as every week", "15m", "8d").series(&received, format!("5x{}", 2 * week)),
            Case::new("a new bot, of which nothing is known yet", "15m", "1d").series(&received, "0+30x80 2400x100"),
            Case::new("a restart", "15m", "8d").series(&received, format!("0+30x{} 0+30x400", week + 94)),
        ],
        ..alert("OscarMetricsNothingReceived", Severity::Critical, expr)
    }
}

fn near_limit(scope: &Scope<'_>) -> Alert {
    let share = scope.catalogue.alerts.threshold("OscarMetricsSeriesNearLimit");
    let series = sum(&["job", "instance"], "oscar_metrics_series");
    let expr = format!(
        "{series}\n/ {} > {}",
        sum(&["job", "instance"], "oscar_metrics_series_limit"),
        number(share)
    );
    let of = own("oscar_metrics_series").is("metric", "a_total");
    let limit = own("oscar_metrics_series_limit");
    Alert {
        hold: "15m",
        shown: Shown::Share,
        summary: "The sidecar {instance} of {job} has nearly all the series it may have."
            .to_owned(),
        description:
            "{value} of `limits.series` is used. Past it new label sets are counted as `other`."
                .to_owned(),
        runbook: Runbook::new(
            "All metrics together come near `limits.series`. Nothing is lost yet.",
            [
                "The largest metrics: `topk(5, oscar_metrics_series)`, and how they grew over a week.",
                "The largest label of the largest metric: `count by (LABEL) (METRIC)`.",
                "Whether that label has a `limit`, and whether somebody reads it at all.",
            ],
            "it has been so for long and does not grow; better, raise `limits.series`: a label set costs about 3 kB.",
        ),
        cases: vec![
            Case::new("nearly full", "1m", "30m")
                .series(&of, "95x60")
                .series(&limit, "100x60")
                .fires(OWN, 0.95),
            Case::new("half full", "1m", "30m").series(&of, "50x60").series(&limit, "100x60"),
        ],
        ..alert("OscarMetricsSeriesNearLimit", Severity::Warning, expr)
    }
}

fn not_loaded() -> Alert {
    let metric = "oscar_metrics_config_last_reload_successful";
    let of = own(metric);
    Alert {
        hold: "10m",
        summary: "The sidecar {instance} of {job} runs with an old config.".to_owned(),
        description: "The config it was asked to load has faults, so the one before it runs on, or the embedded one.".to_owned(),
        runbook: Runbook::new(
            "A reload or a start met a config with faults. The last good one serves, so numbers go on, and what was changed is not there.",
            [
                "The sidecar's log: every fault with line and column.",
                "`oscar-metrics check --config.file=FILE` with the very file of the container.",
                "What changed last: the config, a table file beside it, an environment variable in it.",
            ],
            "the repaired config is on its way.",
        ),
        cases: vec![
            Case::new("a bad config", "1m", "30m").series(&of, "1x10 0x30").fires(OWN, 0.0),
            Case::new("a bad one, and a good one soon after", "1m", "30m").series(&of, "1x18 0x3 1x30"),
            Case::new("missing scrapes", "1m", "30m").series(&of, "1x10 _x12 1x30"),
        ],
        ..alert("OscarMetricsConfigNotLoaded", Severity::Warning, format!("max_over_time({metric}[5m]) == 0"))
    }
}

fn restarts() -> Alert {
    let expr =
        format!("changes(process_start_time_seconds[30m]) > 2\nand on (job, instance)\n  {BUILD}");
    let start = own("process_start_time_seconds");
    let labels = OWN;
    Alert {
        keep: "10m",
        summary: "The sidecar {instance} of {job} starts again and again.".to_owned(),
        description: "It started {value} times in half an hour.".to_owned(),
        runbook: Runbook::new(
            "The process ends and is started again. Without a state directory every start is a reset: counters go on right, open \
             conversations and distinct users of the day are forgotten.",
            [
                "Why it ended: the container's last state (killed for memory, failed probe, exit code 65 for a bad config).",
                "Its last log lines before the end.",
                "`process_resident_memory_bytes` against the container's limit.",
            ],
            "somebody restarts it on purpose.",
        ),
        cases: vec![
            Case::new("four starts in half an hour", "1m", "30m")
                .series(&start, "100x5 400x5 700x5 1000x5 1300x20")
                .series(&own(BUILD), "1x60")
                .fires(labels, 4.0),
            Case::new("one restart", "1m", "30m")
                .series(&start, "100x20 400x20")
                .series(&own(BUILD), "1x60"),
            Case::new("another program restarts", "1m", "30m")
                .series(&start, "100x5 400x5 700x5 1000x5 1300x20"),
        ],
        ..alert("OscarMetricsRestarts", Severity::Warning, expr)
    }
}

fn watchdog() -> Alert {
    Alert {
        summary: "Prometheus and Alertmanager work.".to_owned(),
        description:
            "This one always fires. Send it to a dead man's switch, which calls when it stops."
                .to_owned(),
        runbook: Runbook::new(
            "It always fires: that is its job. Whoever receives it knows that rules are evaluated and alerts are delivered; when it \
             stops coming, they are not.",
            [
                "It fires: nothing to do.",
                "It stopped: is Prometheus up, does it load the rules (Status > Rules)?",
                "Is Alertmanager up, and does its route send `OscarMetricsWatchdog` somewhere?",
            ],
            "never; leave it out with `alerts: {off: [OscarMetricsWatchdog]}` if another one does the same.",
        ),
        cases: vec![Case::new("always", "1m", "5m").fires([], 1.0)],
        ..alert("OscarMetricsWatchdog", Severity::Info, "vector(1) == 1")
    }
}

//! What people look at, as a configuration declares it: named queries, boards, alerts and the report.
//!
//! Every name in it was checked against the metrics. What a pack declares on a metric, label or value that the configuration does
//! not have is left out and listed in [`Content::omitted`]; in the operator's own file it is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::query::{Compare, Query};

pub mod fields;

/// Names for people, by value.
pub type Names = BTreeMap<String, String>;

/// Everything people look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Alerts made from objectives that are not written.
    pub silenced: Vec<String>,
    /// Metrics that no built-in pack declares: those of the operator.
    pub own_metrics: BTreeSet<String>,
    /// Names of label values for people, by metric (empty: of labels that all metrics have) and label.
    pub value_names: BTreeMap<(String, String), Names>,
    /// Queries whose results are recorded, in the order of the packs and the file.
    pub recorded: Vec<Recorded>,
    /// Boards in the order of the packs and the file.
    pub boards: Vec<Board>,
    /// Alerts in the order of the packs and the file.
    pub alerts: Vec<Alert>,
    /// What a report holds.
    pub report: Report,
    /// What was left out because its names are not in the configuration.
    pub omitted: Vec<Omitted>,
}

/// A part of a pack that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Omitted {
    /// Where it stands, such as `pack oscar/alerts.yaml:12`.
    pub place: String,
    /// What it is, such as "alert `BotTimeouts`".
    pub what: String,
    /// The name that is missing.
    pub why: String,
}

/// A query whose result is recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The middle part of the recorded series' name; none: that of the metric.
    pub name: Option<String>,
    /// What is recorded.
    pub query: Query,
    /// Over which times, besides an hour for counts and amounts.
    pub windows: Vec<Duration>,
    /// Whether what is usual for the hour is recorded too.
    pub usual: bool,
}

/// A board.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Its name: the last part of its address.
    pub name: String,
    /// Its heading.
    pub title: String,
    /// For whom it is and what it answers.
    pub about: String,
    /// The time it shows at first, such as `28d`.
    pub range: String,
    /// How often it is refreshed.
    pub refresh: String,
    /// Labels that can be selected, besides those of all metrics.
    pub filters: Vec<String>,
    /// Roles whose metrics get a panel here when no other panel shows them.
    pub roles: Vec<String>,
    /// From the general to the special.
    pub rows: Vec<Row>,
}

/// A row of panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its heading.
    pub title: String,
    /// Whether it shows the objectives of the configuration.
    pub objectives: bool,
    /// Its panels.
    pub panels: Vec<Panel>,
}

/// A panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its heading.
    pub title: String,
    /// What it shows and what is good; for a text, the text.
    pub about: String,
    /// How it is drawn.
    pub show: Show,
    /// What its numbers are; none: what the query implies.
    pub unit: Option<Unit>,
    /// Its queries: one for most kinds, several lines or columns for others. Without a title the kind decides.
    pub queries: Vec<Titled>,
    /// The label that gives a table its rows, and the heading of that column.
    pub rows: Option<(String, String)>,
    /// Values from which on a colour asks for attention.
    pub thresholds: Thresholds,
    /// Links to other boards.
    pub see: Vec<See>,
    /// Columns of 24 and grid rows; none: those of its kind.
    pub size: Option<(u8, u8)>,
    /// The time it always shows, such as `7d`, whatever is selected.
    pub since: Option<String>,
    /// Whether an empty panel is the normal state.
    pub often_empty: bool,
    /// Words for the values 1 and 0.
    pub words: Option<[String; 2]>,
}

/// A query with the name of its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Titled {
    /// The name; none: the panel's kind decides.
    pub title: Option<String>,
    /// The query.
    pub query: Query,
    /// What its numbers are; none: what the query implies.
    pub unit: Option<Unit>,
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// One large number with its change and its sample.
    Stat,
    /// Values over time.
    Lines,
    /// Counts in steps of time, stacked.
    Bars,
    /// Values of a label by size.
    Ranking,
    /// Values of a label with several numbers each.
    Table,
    /// Observations by size, over time.
    Heatmap,
    /// A share between two ends.
    Gauge,
    /// Two states over time.
    States,
    /// Words.
    Text,
}

/// What numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the configuration's own words
pub enum Unit {
    Count,
    Amount,
    Share,
    Seconds,
    Usd,
    SmallUsd,
    Bytes,
    PerSecond,
    Ago,
    Number,
    YesNo,
    Times,
}

/// Values from which on a colour asks for attention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// Whether an objective on the panel's metric decides where there is one.
    pub objective: bool,
    /// From here on it is good, and below it bad.
    pub good: Option<f64>,
    /// From here on it deserves a look.
    pub warning: Option<f64>,
    /// From here on somebody has to act.
    pub bad: Option<f64>,
}

/// A link to a board.
#[derive(Clone, Debug, PartialEq)]
pub struct See {
    /// What is there.
    pub title: String,
    /// The board's name.
    pub board: String,
    /// The label whose clicked value is selected there.
    pub label: Option<String>,
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// The rule file it is written to.
    pub group: AlertGroup,
    /// How urgent it is.
    pub severity: Severity,
    /// What is watched.
    pub query: Query,
    /// When it fires: all hold.
    pub limits: Vec<Limit>,
    /// The least number of events: of the numerator of a share.
    pub at_least: Option<f64>,
    /// The least number of events that are usual at this time.
    pub usual_at_least: Option<u32>,
    /// How long the condition holds before it fires.
    pub hold: Option<Duration>,
    /// How long it goes on firing after the condition ended.
    pub keep: Option<Duration>,
    /// What its value is; none: what the query implies.
    pub unit: Option<Unit>,
    /// One sentence; `{whom}`, `{value}`, `{window}` and `{LABEL}` are filled in.
    pub summary: String,
    /// More of it.
    pub description: String,
    /// The board to look at.
    pub see: String,
    /// What to do, in Markdown.
    pub runbook: String,
    /// Values of labels in generated tests.
    pub examples: BTreeMap<String, String>,
    /// Unit tests; empty: generated ones.
    pub tests: Vec<AlertTest>,
}

/// The rule file of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertGroup {
    /// What the bot suffers and does.
    Bot,
    /// What is not as it used to be.
    Trends,
    /// The sidecar itself.
    Health,
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody has to act now.
    Critical,
    /// Somebody has to act today.
    Warning,
    /// Worth a look.
    Info,
}

/// A bound on an alert's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// More than a number.
    Above(f64),
    /// Less than a number.
    Below(f64),
    /// More than so many times an earlier value.
    AboveTimes(f64, Compare),
    /// Less than so many times an earlier value.
    BelowTimes(f64, Compare),
    /// Above what is usual for the hour.
    AboveUsual,
    /// Below what is usual for the hour.
    BelowUsual,
    /// Changed by more than this share of the previous period, up or down.
    ChangedBy(f64),
}

/// A unit test of an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertTest {
    /// What it shows.
    pub about: String,
    /// The time between two values, such as `1m`.
    pub every: String,
    /// When the alert is evaluated, such as `30m`.
    pub at: String,
    /// Series and their values in promtool's notation.
    pub series: Vec<(String, String)>,
    /// The labels and the value with which it fires; none: it stays silent.
    pub fires: Option<(Vec<(String, String)>, f64)>,
}

/// What a report holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Single numbers.
    pub figures: Vec<Figure>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Counts that should be 0.
    pub checks: Vec<Check>,
}

/// A single number of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name.
    pub title: String,
    /// What it is.
    pub about: String,
    /// What its numbers are; none: what the query implies.
    pub unit: Option<Unit>,
    /// The query.
    pub query: Query,
    /// Whether a rise is bad; none: neither.
    pub worse_up: Option<bool>,
}

/// A table of a report; its first column decides which rows come first.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// The label of its rows.
    pub by: String,
    /// The heading of their names.
    pub heading: String,
    /// Its columns.
    pub columns: Vec<Titled>,
}

/// A count that should be 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The query.
    pub query: Query,
    /// What is wrong when it is not 0, after the number.
    pub says: String,
}

//! The keys of queries, boards, alerts and reports: one table that the reader, the JSON Schema and the reference share.

mod alert;
mod board;
mod query;
mod report;

pub use alert::{ALERT, ALERT_TEST, FIRES, LIMIT};
pub use board::{BOARD, COLUMN, PANEL, ROW, SEE, THRESHOLDS};
pub use query::{BOUND, COMPARE, CONDITION, NAMED_QUERY, QUERY, RECORD, USUAL};
pub use report::{CHECK, FIGURE, REPORT, TABLE};

/// What stands behind a key.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Words for people.
    Text,
    /// The name of something in the configuration.
    Name,
    /// A whole number of at least this.
    Count(u64),
    /// A number without a unit.
    Number,
    /// A number, a share such as `5%`, a time, a size or the name of a setting of `alerting`.
    Quantity,
    /// A time such as `5m`.
    Time,
    /// `true` or `false`.
    Boolean,
    /// Any scalar.
    Scalar,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A map of the shape of this name.
    Of(&'static str),
    /// A map from names to one of these.
    Named(&'static Takes),
    /// A list of these.
    List(&'static Takes),
    /// One of these, or a list of them.
    Some(&'static Takes),
    /// Any of these.
    Either(&'static [Takes]),
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub key: &'static str,
    /// What stands behind it.
    pub takes: Takes,
    /// What it means, in one sentence.
    pub about: &'static str,
}

/// A map with known keys.
#[derive(Debug)]
pub struct Shape {
    /// Its name in the schema.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its keys.
    pub fields: &'static [Field],
}

impl Shape {
    /// The names of its keys.
    pub fn keys(&self) -> Vec<&'static str> {
        self.fields.iter().map(|field| field.key).collect()
    }
}

const fn field(key: &'static str, takes: Takes, about: &'static str) -> Field {
    Field { key, takes, about }
}

/// Every shape, in the order of the reference.
pub const SHAPES: [&Shape; 21] = [
    &QUERY,
    &NAMED_QUERY,
    &RECORD,
    &CONDITION,
    &BOUND,
    &USUAL,
    &COMPARE,
    &BOARD,
    &ROW,
    &PANEL,
    &COLUMN,
    &SEE,
    &THRESHOLDS,
    &ALERT,
    &LIMIT,
    &ALERT_TEST,
    &FIRES,
    &REPORT,
    &FIGURE,
    &TABLE,
    &CHECK,
];

const AN_ENTRY: Takes = Takes::Either(&[Takes::Name, Takes::Of("query")]);
const AFTER: Field = field(
    "after",
    Takes::Name,
    "The entry that this one follows; without it a new entry comes last.",
);

/// The measures, of which a query has exactly one.
pub const MEASURES: [&str; 8] =
    ["count", "sum", "quantile", "under", "level", "distinct", "promql", "query"];
/// How values of several gauges become one.
pub const AGGREGATES: [&str; 4] = ["max", "min", "sum", "avg"];
/// How panels are drawn.
pub const SHOWS: [&str; 9] =
    ["stat", "lines", "bars", "ranking", "table", "heatmap", "gauge", "states", "text"];
/// What numbers are.
pub const UNITS: [&str; 12] = [
    "count",
    "amount",
    "share",
    "seconds",
    "usd",
    "small_usd",
    "bytes",
    "per_second",
    "ago",
    "number",
    "yes_no",
    "times",
];
/// Rule files.
pub const GROUPS: [&str; 3] = ["bot", "trends", "health"];
/// Times between the values of a test.
pub const INTERVALS: [&str; 5] = ["15s", "30s", "1m", "5m", "15m"];
/// How urgent alerts are.
pub const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

const UNIT: Field =
    field("unit", Takes::Words(&UNITS), "What the numbers are; without it the query decides.");

//! Rules as a config declares them, names resolved and texts parsed: the input of compilation.
//!
//! Indices (`usize`) point into the vectors of [`Definitions`]. Whoever builds one vouches that they are in range, that no alias
//! or record class reaches itself, and that names fit the Prometheus rules (the `model` types see to the latter).

use std::collections::HashMap;
use std::time::Duration;

use crate::model::{LabelName, MetricName, Window};
use crate::view::Origin;

use super::pattern::{Pattern, Template};

/// Everything the rules of one config say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Definitions {
    /// Lookup tables.
    pub tables: Vec<Table>,
    /// One name for what emitters spell many ways.
    pub aliases: Vec<Alias>,
    /// Named answers to "which records".
    pub records: Vec<RecordClass>,
    /// The series to make.
    pub metrics: Vec<Metric>,
    /// Keys that never leave: globs over attribute keys (`privacy.drop`).
    pub private: Vec<Pattern>,
    /// Which records make up conversations; none: they are not followed.
    pub sessions: Option<SessionDefinition>,
    /// The table whose keys are people who are never counted as such (`privacy.opt_out`).
    pub opt_out: Option<usize>,
    /// The highest sampling weight that is accepted (`sampling.most`), at least 1; none: [`crate::limits::SAMPLING_MOST`].
    pub most: Option<f64>,
}

/// Which records make up conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionDefinition {
    /// Their turns.
    pub turns: Vec<From>,
    /// What tells one conversation from another.
    pub key: Reference,
    /// How a turn ended.
    pub outcome: Option<Reference>,
    /// Records that say that a conversation is over.
    pub end: Vec<From>,
    /// Records that say that it was good.
    pub liked: Vec<From>,
    /// Records that say that it was not.
    pub disliked: Vec<From>,
    /// Records that say that a human took over.
    pub handover: Vec<From>,
}

/// Rows of a lookup table: what a key joins to.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Name in the config.
    pub name: String,
    /// Key to value, both in text form.
    pub rows: HashMap<String, String>,
}

/// A named expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Alias {
    /// Name in the config.
    pub name: String,
    /// What it yields.
    pub value: Expression,
    /// Whether what it yields is personal and only ever used as a keyed hash.
    pub hash: bool,
}

/// Where a value comes from: the first step that yields something, through the map, else the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expression {
    /// Tried in order. Empty: only the default.
    pub steps: Vec<Step>,
    /// Renames or joins what a step yielded.
    pub map: Option<Mapping>,
    /// When nothing was found, or the table had no row.
    pub default: Option<String>,
}

/// One try of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// What this refers to.
    From(Reference),
    /// A constant, when a condition holds.
    When(Condition, String),
}

/// What a word in the config refers to.
#[derive(Clone, Debug, PartialEq)]
pub enum Reference {
    /// An alias.
    Alias(usize),
    /// A property every record of some kind has.
    Intrinsic(Intrinsic),
    /// An attribute of one origin, or of the record, then (for a span event) its span, then scope, then resource.
    Attribute(Option<Origin>, String),
}

/// Properties that are no attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the config's own words
pub enum Intrinsic {
    Name,
    Kind,
    Status,
    Duration,
    Time,
    Root,
    Service,
    ScopeName,
    TraceId,
    SpanId,
    SpanName,
    SinceStart,
    Severity,
    Body,
    Value,
}

/// How a found value is changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapping {
    /// Rows in the order they are tried: exact ones first. What no row takes passes unchanged.
    Rows(Vec<(Row, Template)>),
    /// A join: what the table lacks is missing.
    Table(usize),
}

/// What a map row takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A text: exact, glob or regular expression.
    Text(Pattern),
    /// A number between two ends, both in.
    Range(f64, f64),
}

/// Any of these groups; a group holds when all its lines hold. No group at all: always.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// Alternatives. Empty: no condition.
    pub any: Vec<Vec<(Reference, Test)>>,
}

/// The right side of a condition line.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The text form fits one of these.
    AnyOf(Vec<Pattern>),
    /// There is a value, or there is none.
    Exists(bool),
    /// The number lies so. A value that is no number fails.
    Number(Comparison, f64),
    /// The inner test fails; a missing value fulfils it.
    Not(Box<Test>),
    /// All hold.
    All(Vec<Test>),
}

/// Numeric comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the config's own words
pub enum Comparison {
    Gt,
    Ge,
    Lt,
    Le,
}

/// What a rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the config's own words
pub enum Source {
    Span,
    SpanEvent,
    Log,
    Datapoint,
    Session,
}

/// An entry of `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// All records of a kind.
    Source(Source),
    /// The records of a class.
    Record(usize),
}

/// A named set of records.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordClass {
    /// Name in the config.
    pub name: String,
    /// Any of these.
    pub from: Vec<From>,
    /// And this.
    pub condition: Condition,
    /// Records that agree in all of these count once.
    pub unique: Vec<Reference>,
    /// The highest sampling weight that is accepted of these records, at least 1. Of this and [`Definitions::most`], and those of
    /// the classes that it is made from, the smallest holds.
    pub most: Option<f64>,
}

/// One metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The name, as written.
    pub name: MetricName,
    /// One line for people.
    pub help: String,
    /// OpenMetrics unit; empty: none.
    pub unit: String,
    /// What is made of the records.
    pub kind: MetricKind,
    /// Any of these records.
    pub from: Vec<From>,
    /// At least one; each may raise the metric once for one record.
    pub parts: Vec<Part>,
    /// Whether a sampled record counts for those it stands for, as far as its weight is accepted.
    pub weighted: bool,
    /// Idle time of its own.
    pub idle: Option<Duration>,
}

/// What is made of the records.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricKind {
    /// Adds.
    Counter,
    /// Keeps the newest.
    Gauge,
    /// Sorts into buckets with these upper edges, rising, without `+Inf`.
    Histogram {
        /// Upper edges.
        bounds: Vec<f64>,
        /// Whether native buckets are kept beside the classic ones, or alone.
        native: Native,
    },
    /// Counts different values in sliding windows.
    Distinct {
        /// Of what.
        of: Reference,
        /// Window lengths.
        windows: Vec<Window>,
        /// HyperLogLog registers shown as series; 0: none.
        registers: usize,
    },
}

/// Native histogram buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the config's own words
pub enum Native {
    #[default]
    No,
    Both,
    Only,
}

/// One increment of a metric, everything inherited filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which of the metric's records, by the block's condition and the part's own: each must hold.
    pub conditions: Vec<Condition>,
    /// By how much.
    pub measure: Measure,
    /// All labels: the common ones, the block's, the part's, each name once.
    pub labels: Vec<Label>,
}

/// By how much a record raises a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A fixed number.
    Constant(f64),
    /// A number found in the record, times a scale.
    Value(Expression, Scale),
}

/// What a measure is multiplied with.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// A fixed number; 1 when nothing is said.
    Constant(f64),
    /// A number found by an expression, mostly a table.
    Value(Expression),
}

/// One label of a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Its name.
    pub name: LabelName,
    /// Where its value comes from.
    pub value: Expression,
    /// Its declared values; others become `other`. None: open-ended.
    pub values: Option<Vec<String>>,
    /// How many different values an open-ended label may have before new ones become `other`.
    pub limit: Option<usize>,
}

impl Label {
    /// The values it is known to have: the declared ones and its default; none of an open-ended one.
    pub fn known(&self) -> Option<Vec<&str>> {
        let constant = self.value.steps.is_empty();
        let mut all: Vec<&str> = match &self.values {
            Some(values) => values.iter().map(String::as_str).collect(),
            None if constant => Vec::new(),
            None => return None,
        };
        let default = self.value.default.as_deref();
        all.extend(default.filter(|default| !all.contains(default)));
        Some(all)
    }
}

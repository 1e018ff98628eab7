//! The inventory as it is told: the JSON of `GET /api/v1/inventory`, which `explore` reads.
//!
//! A reader of another version finds what it knows: fields it lacks are empty, fields it does not know are passed over.

use serde::{Deserialize, Serialize};

/// Everything an instance can say of what arrives and of what its labels cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// When this was told, in seconds since 1970.
    pub now_timestamp_seconds: f64,
    /// Since when records are noted: the start of the process.
    pub since_timestamp_seconds: f64,
    /// Since when the rules are what they are: the start, or the last reload.
    pub rules_timestamp_seconds: f64,
    /// Each signal.
    #[serde(default)]
    pub signals: Vec<SignalCount>,
    /// Each name of each kind of record, resources and instrumentation scopes among them; the most frequent first.
    #[serde(default)]
    pub records: Vec<RecordName>,
    /// Each attribute, over all names of its kind of record; the most frequent first.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// The metrics with the most label sets, those of senders too; the largest first.
    #[serde(default)]
    pub metrics: Vec<MetricCost>,
    /// Metrics that are not among them.
    #[serde(default)]
    pub metrics_left_out: u64,
    /// Label sets of all metrics now.
    #[serde(default)]
    pub label_sets: u64,
    /// Label sets of all metrics there may be (`limits.series`).
    #[serde(default)]
    pub label_sets_limit: u64,
    /// Whether there were more names or keys than are told apart.
    #[serde(default)]
    pub bounded: bool,
}

/// The books of a signal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SignalCount {
    /// `traces`, `metrics` or `logs`.
    pub signal: String,
    /// Spans, data points or log records of taken requests.
    pub received: u64,
    /// Those that no rule asked for.
    pub unmatched: u64,
    /// Those that were not used: resent, late or faulty.
    pub rejected: u64,
    /// Those of the received that this inventory looked at: all of them, or a sample.
    pub seen: u64,
}

/// What kind of thing was told with attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the config's own words
pub enum RecordKind {
    Span,
    SpanEvent,
    Log,
    Datapoint,
    Scope,
    Resource,
}

impl RecordKind {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 6] =
        [Self::Span, Self::SpanEvent, Self::Log, Self::Datapoint, Self::Scope, Self::Resource];

    /// The prefix by which a config refers to its attributes.
    pub fn origin(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::SpanEvent => "event",
            Self::Log => "log",
            Self::Datapoint => "point",
            Self::Scope => "scope",
            Self::Resource => "resource",
        }
    }

    /// Whether rules take such things: resources and scopes only lend records their attributes.
    pub fn is_record(self) -> bool {
        !matches!(self, Self::Scope | Self::Resource)
    }
}

/// Records of one kind and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordName {
    /// What kind.
    pub kind: RecordKind,
    /// The name, cut when it is long; of a log record its event name, of a resource nothing.
    pub name: String,
    /// Whether these are all that have a name past the bound, and `name` is nobody's.
    #[serde(default)]
    pub other: bool,
    /// How many were seen.
    pub seen: u64,
    /// How many of them since the rules are what they are.
    #[serde(default)]
    pub judged: u64,
    /// How many of those no rule took, asked as if none came late. In the books a span is matched by its events too, here they
    /// speak for themselves.
    #[serde(default)]
    pub unmatched: u64,
    /// The metrics that took some.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Whether they pass through as series of their own (`datapoints.pass`).
    #[serde(default)]
    pub passes: bool,
    /// Their attributes, the most frequent first.
    #[serde(default)]
    pub keys: Vec<KeyCount>,
    /// Attributes that were not told apart, for want of room.
    #[serde(default)]
    pub attributes_left_out: u64,
}

/// One key of some records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyCount {
    /// The key, cut when it is long.
    pub key: String,
    /// Records that carried it.
    pub records: u64,
    /// How many different values it had. The values themselves are known to nobody.
    pub values: u64,
    /// Whether there were more than could be told apart.
    #[serde(default)]
    pub values_at_least: bool,
    /// What kinds of value: text, number, bool, bytes, list_or_map, empty.
    #[serde(default)]
    pub types: Vec<String>,
}

/// One attribute over all records of its origin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    /// By which a config refers to it: span, event, log, point, scope, resource.
    pub origin: String,
    /// How often it came, and with how many values.
    #[serde(flatten)]
    pub count: KeyCount,
    /// Records that could have carried it.
    pub of: u64,
    /// Names of records that carried it.
    pub names: u64,
    /// Whether the config hides it: it becomes no label (`privacy.drop`, an alias with `hash: true`).
    #[serde(default)]
    pub private: bool,
    /// Whether some rule reads it.
    #[serde(default)]
    pub read: bool,
    /// The labels that rules make of it.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// A metric and what its labels cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricCost {
    /// Its name.
    pub name: String,
    /// Whether it is a sender's own, passed through.
    #[serde(default)]
    pub passed: bool,
    /// Label sets now. A histogram is one.
    pub label_sets: u64,
    /// Label sets it may have (`limits.series_per_metric`).
    pub limit: u64,
    /// Changes that a limit folded to `other`.
    #[serde(default)]
    pub folded: u64,
    /// Its labels, that with the most values first.
    #[serde(default)]
    pub labels: Vec<LabelCost>,
}

/// A label and what it costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LabelCost {
    /// Its name.
    pub name: String,
    /// Different values now; label sets without it count as none.
    pub values: u64,
    /// Label sets there would be without it.
    pub without: u64,
}

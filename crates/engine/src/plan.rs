//! What a configuration decides for the engine.

use std::time::Duration;

use crate::limits::Limits;
use crate::model::HashKey;
use crate::rules::definition::Definitions;
use crate::rules::pattern::Pattern;
use crate::view::Origin;

/// What a config says to the arrow.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'s> {
    /// The rules.
    pub definitions: &'s Definitions,
    /// The bounds.
    pub limits: &'s Limits,
    /// What becomes of senders' own metrics.
    pub datapoints: &'s Datapoints,
    /// What must not be seen.
    pub privacy: &'s Privacy,
    /// How long conversations last; none: they are not followed.
    pub sessions: Option<&'s Sessions>,
    /// What personal values are hashed with.
    pub key: &'s HashKey,
}

/// `privacy`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Privacy {
    /// File of the key that personal values are hashed with; none: a random one.
    pub hash_key_file: Option<String>,
    /// Globs over attribute keys that are dropped; also in `definitions.private`.
    pub drop: Vec<Pattern>,
    /// Index of the table whose keys are the people who opted out.
    pub opt_out: Option<usize>,
    /// Attributes that hashed aliases read: they are personal wherever they turn up.
    pub personal: Vec<(Option<Origin>, String)>,
}

/// `datapoints`.
#[derive(Clone, Debug, PartialEq)]
pub struct Datapoints {
    /// Globs over the names that pass.
    pub pass: Vec<Pattern>,
    /// How names become Prometheus names.
    pub translation: Translation,
    /// Put in front of every passed name, with `_` between; empty: nothing.
    pub namespace: String,
    /// Whether the scope becomes labels.
    pub scope_labels: bool,
    /// Whether writers stay apart by `instance`.
    pub instance_label: bool,
    /// Globs over resource attributes that are copied onto every passed series.
    pub resource_labels: Vec<Pattern>,
    /// After how long without metrics a writer's gauges end; none: never.
    pub stale: Option<Duration>,
}

/// `sessions`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sessions {
    /// How long it is quiet before it has ended.
    pub idle: Duration,
    /// How many may be open.
    pub max: usize,
}

/// How senders' names become Prometheus names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Translation {
    /// Classic characters only; unit and type suffixes.
    #[default]
    UnderscoreEscapingWithSuffixes,
    /// Classic characters only, nothing added.
    UnderscoreEscapingWithoutSuffixes,
    /// Any UTF-8; unit and type suffixes.
    NoUtf8EscapingWithSuffixes,
    /// As sent.
    NoTranslation,
}

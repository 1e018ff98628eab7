//! What a config promises about a family's label sets: which are there from boot, which may come, and when they fold.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Family, Kind, Zone, claims};

/// The value that stands for all values beyond a limit.
pub const OTHER: &str = "other";

/// A family and the shapes of its label sets. A reload keeps the series of a declaration that did not change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Declaration {
    /// Name, kind, labels.
    pub family: Arc<Family>,
    /// One for each part of the metric; at least one. Each has a dimension for each label of the family.
    pub shapes: Vec<Vec<Dimension>>,
    /// Idle time after which sets with an open-ended value are forgotten; none: the process's default.
    pub idle: Option<Duration>,
    /// How a histogram's observations are kept; of no meaning to other kinds.
    pub buckets: BucketKind,
    /// A count of different ones, shown as a level for each window; none: the family is what its kind says.
    pub distinct: Option<DistinctPlan>,
}

/// How different ones are counted and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DistinctPlan {
    /// The windows, each a level of its own.
    pub windows: Vec<Window>,
    /// Registers shown as series, to be merged by whoever reads them; 0: none.
    pub registers: usize,
    /// Under which key and in how many registers they were made: what differs never merges.
    pub key: Box<str>,
}

/// One window. It ends now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// As the config spells it, and as the label `window` says it.
    pub name: Box<str>,
    /// How far back it reaches.
    pub reach: Reach,
}

/// Where a window begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Reach {
    /// So long ago: it slides.
    Back(Duration),
    /// When the day began somewhere: a calendar day.
    Midnight(Zone),
}

/// How a histogram keeps its observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum BucketKind {
    /// In the family's buckets.
    #[default]
    Classic,
    /// In native buckets alone.
    Native,
    /// In both.
    Both,
    /// As senders keep theirs: a data point brings its buckets with it.
    Sent,
}

/// One label of one shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Dimension {
    /// This shape has no such label.
    Absent,
    /// One of these, or `other`, or missing.
    Declared(Vec<Box<str>>),
    /// Whatever comes.
    Open {
        /// How many different values before new ones become `other`.
        limit: Option<usize>,
        /// Stands for a missing value; never folds and never counts.
        default: Option<Box<str>>,
    },
}

impl Dimension {
    /// The first declared value, or nothing.
    pub fn first(&self) -> &str {
        match self {
            Self::Declared(values) => values.first().map_or("", |value| value),
            Self::Absent | Self::Open { .. } => "",
        }
    }
}

/// The longest day there is: the one on which clocks are put back.
const LONGEST_DAY: Duration = Duration::from_hours(25);

impl DistinctPlan {
    /// As long as the longest window, at most.
    pub fn longest(&self) -> Duration {
        let reach = |window: &Window| window.length().unwrap_or(LONGEST_DAY);
        self.windows.iter().map(reach).max().unwrap_or_default()
    }
}

impl Window {
    /// How long it always is; none: a calendar day, which changes.
    pub fn length(&self) -> Option<Duration> {
        match self.reach {
            Reach::Back(length) => Some(length),
            Reach::Midnight(_) => None,
        }
    }
}

impl Declaration {
    /// What of it has to be the same for series to live on over a restart, as SHA-256 of what serde makes of it: name, kind,
    /// labels and their values, buckets, and how different ones are counted. Not what it says to people, nor for how long
    /// and how far back it remembers. None: it can't be told.
    pub fn digest(&self) -> Option<[u8; 32]> {
        let mut told = self.clone();
        let unsaid = Family { help: String::new(), ..(*told.family).clone() };
        (told.family, told.idle) = (unsaid.into(), None);
        told.distinct.iter_mut().for_each(|plan| plan.windows.clear());
        Some(Sha256::digest(postcard::to_allocvec(&told).ok()?).into())
    }

    /// Name and kind of each family that it is shown by.
    pub fn families(&self) -> Vec<(String, Kind)> {
        let name = self.family.name.as_str();
        match &self.distinct {
            Some(_) => claims::distinct(name).into(),
            None => vec![(name.into(), self.family.kind)],
        }
    }

    /// Whether it holds levels: they have no honest 0 and can't be added up, so they are neither declared nor folded.
    pub fn is_level(&self) -> bool {
        self.family.kind == Kind::Gauge && self.distinct.is_none()
    }

    /// How many label sets one open-ended combination of a shape brings: the product of its declared values.
    pub fn product(shape: &[Dimension]) -> usize {
        let size = |dimension: &Dimension| match dimension {
            Dimension::Declared(values) => values.len().max(1),
            Dimension::Absent | Dimension::Open { .. } => 1,
        };
        shape.iter().map(size).fold(1, usize::saturating_mul)
    }

    /// Whether a shape has open-ended labels.
    pub fn is_open(shape: &[Dimension]) -> bool {
        shape.iter().any(|dimension| matches!(dimension, Dimension::Open { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LabelName, MetricName};

    fn declaration() -> Declaration {
        let family = Family {
            name: MetricName::own("x_seconds"),
            help: "X.".into(),
            unit: "seconds".into(),
            kind: Kind::Histogram,
            labels: vec![LabelName::own("a")],
            bounds: vec![1.0, 2.0],
        };
        let shapes = vec![vec![Dimension::Declared(vec!["ok".into()])]];
        let (idle, buckets) = (None, BucketKind::Classic);
        Declaration { family: family.into(), shapes, idle, buckets, distinct: None }
    }

    #[test]
    fn what_series_hold_tells_declarations_apart_and_words_do_not() {
        let one = declaration();
        let changed = |change: &dyn Fn(&mut Declaration, &mut Family)| {
            let mut other = one.clone();
            let mut family = (*other.family).clone();
            change(&mut other, &mut family);
            other.family = family.into();
            assert_ne!(other, one);
            other.digest() != one.digest()
        };
        assert!(one.digest().is_some());
        assert!(changed(&|_, family| family.name = MetricName::own("y_seconds")));
        assert!(changed(&|_, family| family.kind = Kind::Counter));
        assert!(changed(&|_, family| family.labels = vec![LabelName::own("b")]));
        assert!(changed(&|_, family| family.bounds = vec![1.0, 3.0]));
        assert!(changed(&|other, _| other.buckets = BucketKind::Both));
        assert!(changed(&|other, _| other.shapes = vec![vec![Dimension::Absent]]));
        let plan = |key: &str| DistinctPlan { windows: Vec::new(), registers: 0, key: key.into() };
        assert!(changed(&|other, _| other.distinct = Some(plan("k"))));
        assert!(!changed(&|_, family| family.help = "Y.".into()));
        assert!(!changed(&|other, _| other.idle = Some(Duration::from_secs(1))));
    }
}

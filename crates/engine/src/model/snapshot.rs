//! What one scrape sees of a family: values copied out under a short lock, for `exposition` to write in any format.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use crate::timestamp::Timestamp;

use super::amount::Sum;
use super::{Family, LabelName};

/// A family and its series at one moment, or a piece of them: the pieces of a family follow each other and share its `Arc`.
#[derive(Clone, Debug)]
pub struct FamilySnapshot {
    /// Shared with the store that made it.
    pub family: Arc<Family>,
    /// One row for each label set, each set once in all pieces together.
    pub rows: Vec<Row>,
}

/// One series.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its labels, shared with the store.
    pub labels: Arc<Labels>,
    /// When it began to count, where that is known.
    pub start: Option<Timestamp>,
    /// When we began it; none: somebody else did, and it has no 0 of ours.
    pub born: Option<Timestamp>,
    /// What it holds.
    pub value: RowValue,
}

/// A series' value, of the kind its family says.
#[derive(Clone, Debug)]
pub enum RowValue {
    /// A total, and the latest record that raised it.
    Counter(f64, Option<Exemplar>),
    /// A level; also of infos and of what is of unknown kind.
    Gauge(f64),
    /// Observations in classic buckets.
    Histogram(HistogramRow),
    /// Observations in native buckets, perhaps in classic ones too.
    Native(Box<NativeRow>),
    /// Ranks.
    Summary(SummaryRow),
}

impl RowValue {
    /// Back to its beginning, where it has one: a gauge stays. Returns whether it held anything.
    pub fn reset(&mut self) -> bool {
        match self {
            Self::Counter(total, exemplar) => {
                *exemplar = None;
                std::mem::take(total) != 0.0
            }
            Self::Histogram(histogram) => histogram.reset(),
            Self::Native(native) => {
                let NativeRow { schema, zero_threshold, count, sum, mut classic, .. } =
                    std::mem::take(&mut **native);
                if let Some(classic) = &mut classic {
                    classic.reset();
                }
                let sum = sum.emptied();
                **native =
                    NativeRow { schema, zero_threshold, sum, classic, ..NativeRow::default() };
                count != 0.0
            }
            Self::Gauge(_) | Self::Summary(_) => false,
        }
    }
}

impl HistogramRow {
    /// Its upper edges.
    pub fn edges<'a>(&'a self, family: &'a Family) -> &'a [f64] {
        self.bounds.as_deref().unwrap_or(&family.bounds)
    }

    fn reset(&mut self) -> bool {
        let held = self.counts.iter().any(|count| *count != 0.0);
        self.counts.fill(0.0);
        (self.sum, self.exemplars) = (self.sum.emptied(), Box::default());
        held
    }
}

/// A classic histogram. `counts` has one entry more than there are bounds: the last is above them all.
#[derive(Clone, Debug, Default)]
pub struct HistogramRow {
    /// Upper edges of its own, rising, without `+Inf`; none: the family's.
    pub bounds: Option<Arc<[f64]>>,
    /// Observations in each bucket alone, not cumulative.
    pub counts: Box<[f64]>,
    /// Sum of the observations.
    pub sum: Sum,
    /// The latest record of each bucket; empty, or as many as `counts`.
    pub exemplars: Box<[Option<Exemplar>]>,
}

/// A native (exponential) histogram. Bucket `i` of `positive` is above `base^(i-1)` and not above `base^i`, where `base` is
/// `2^(2^-schema)`; `negative` mirrors it.
#[derive(Clone, Debug, Default)]
pub struct NativeRow {
    /// Resolution, -4 to 8.
    pub schema: i32,
    /// The zero bucket's edge: it holds what is not further than this from 0.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// Index and observations of each populated bucket above zero; the indexes rise.
    pub positive: Box<[(i32, f64)]>,
    /// The same below zero, by absolute value; the indexes rise.
    pub negative: Box<[(i32, f64)]>,
    /// All observations.
    pub count: f64,
    /// Sum of the observations.
    pub sum: Sum,
    /// Some of the latest records.
    pub exemplars: Box<[Exemplar]>,
    /// The same observations in the family's classic buckets; none: native alone.
    pub classic: Option<HistogramRow>,
}

/// A summary as its sender worked it out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SummaryRow {
    /// Rank, 0 to 1 and rising, and the value there.
    pub quantiles: Box<[(f64, f64)]>,
    /// Sum of the observations.
    pub sum: Sum,
    /// How many there were.
    pub count: u64,
}

/// A label set: non-empty values only, in the family's order, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels(pub Box<[(LabelName, Arc<str>)]>, Kept);

impl Labels {
    /// The set as a text that `write` makes of it: by the first who asks, then kept for as long as the set lives.
    pub fn text(&self, write: impl FnOnce(&Self) -> Option<Box<str>>) -> Option<&str> {
        self.1.0.get_or_init(|| write(self)).as_deref()
    }
}

impl FromIterator<(LabelName, Arc<str>)> for Labels {
    fn from_iter<I: IntoIterator<Item = (LabelName, Arc<str>)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect(), Kept::default())
    }
}

/// What was worked out of a label set and is kept beside it. It is no part of the value: all are equal.
#[derive(Default)]
struct Kept(OnceLock<Option<Box<str>>>);

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl fmt::Debug for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("_")
    }
}

/// A record that stands for a number. It always has a trace id.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exemplar {
    /// W3C trace id, not all zero.
    pub trace_id: [u8; 16],
    /// W3C span id; all zero: none.
    pub span_id: [u8; 8],
    /// What the record added or observed.
    pub value: f64,
    /// When.
    pub time: Timestamp,
}

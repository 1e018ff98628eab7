//! The parts of a rule set: compiled rules, record classes and label sets.

use super::definition::{From, Intrinsic};
use super::expression::{Condition, Expression, Reference, Values};
use super::keys::KeyId;
use super::lasting::Lasting;
use super::update::SkipReason;
use super::words::Words;

#[derive(Debug)]
pub(super) struct Class {
    pub(super) from: Vec<From>,
    pub(super) condition: Condition,
    pub(super) unique: Vec<Reference>,
    /// The highest sampling weight that is accepted; none: it sets none.
    pub(super) most: Option<f64>,
}

/// One metric.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) family: u32,
    pub(super) from: Vec<From>,
    /// The index of its group.
    pub(super) group: usize,
    pub(super) kind: OpKind,
    /// Whom a distinct count counts.
    pub(super) of: Option<Reference>,
    /// Whether a record's sampling weight changes what it does.
    pub(super) weighted: bool,
    pub(super) parts: Vec<Part>,
}

impl Rule {
    /// The ways in which it may fail to use a record. `sampled`: some of its records may have a weight.
    pub(super) fn possible_skips(&self, sampled: bool) -> Vec<SkipReason> {
        let measures = || self.parts.iter().map(|part| &part.measure);
        let reads = measures().any(|measure| matches!(measure, Measure::Value(..)));
        let joins = measures().any(|measure| matches!(measure, Measure::Value(_, Scale::Value(_))));
        let clocks = || self.parts.iter().flat_map(|part| &part.clocks);
        let (adds, sets) = (matches!(self.kind, OpKind::Add), matches!(self.kind, OpKind::Set));
        [
            (SkipReason::NotANumber, reads),
            (SkipReason::NoRow, joins),
            (SkipReason::Negative, reads && adds),
            (SkipReason::GaugeLimit, sets),
            (SkipReason::Weight, self.weighted && sampled),
            (SkipReason::NoTime, clocks().next().is_some()),
            (SkipReason::TooLong, clocks().any(|clock| *clock != Intrinsic::Time)),
            (SkipReason::TooLarge, reads && !sets),
        ]
        .into_iter()
        .filter_map(|(reason, possible)| possible.then_some(reason))
        .collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum OpKind {
    Add,
    Set,
    Observe,
    See,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) conditions: Vec<Condition>,
    pub(super) measure: Measure,
    /// What its value may be that clocks tell, by itself or through aliases.
    pub(super) clocks: Box<[Intrinsic]>,
    /// The index of its label set.
    pub(super) set: usize,
}

/// For each label of a family its value's index in the rule set; none: the set lacks the label.
#[derive(Debug)]
pub(super) struct LabelSet {
    pub(super) labels: Vec<Option<usize>>,
    pub(super) lasting: Lasting,
    /// Of a span it reads nothing but name, kind and status.
    pub(super) is_plain: bool,
}

/// Rules that read the same records: when one finds that the record is none of them, the others need not ask.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) from: Vec<From>,
    /// It takes every record of its kinds: a rule that may take one takes it.
    pub(super) is_plain: bool,
    /// The set of its rules.
    pub(super) rules: Box<[u64]>,
}

#[derive(Debug)]
pub(super) enum Measure {
    Constant(f64),
    Value(Box<Expression>, Scale),
}

#[derive(Debug)]
pub(super) enum Scale {
    Constant(f64),
    Value(Expression),
}

#[derive(Debug)]
pub(super) struct Label {
    pub(super) value: Expression,
    /// Declared values; others become `other`.
    pub(super) values: Option<Values>,
    pub(super) default: Option<Box<str>>,
    pub(super) lasting: Lasting,
    /// What comes of each word there is, when the label is made of nothing but a span's kind or status.
    pub(super) words: Option<Words>,
}

impl Label {
    /// Whether nothing but a span's name, kind or status, its scope and its resource decides it.
    pub(super) fn is_plain(&self) -> bool {
        self.lasting < Lasting::Record
            || self.words.is_some()
            || matches!(
                self.value.only,
                Some(Reference::Name(_) | Reference::Intrinsic(Intrinsic::Name))
            )
    }
}

/// Which records make up conversations, ready to run.
#[derive(Debug)]
pub(super) struct Follow {
    pub(super) turns: Vec<From>,
    pub(super) key: Reference,
    pub(super) outcome: Option<Reference>,
    pub(super) end: Vec<From>,
    pub(super) liked: Vec<From>,
    pub(super) disliked: Vec<From>,
    pub(super) handover: Vec<From>,
    /// `turns`, `resolution`, `ended_by`, `reasks`, `handover`: what a conversation has of its own.
    pub(super) own: [KeyId; 5],
    /// What has to be remembered of the turns.
    pub(super) words: Vec<Reference>,
}

impl Follow {
    /// All records that say something of a conversation.
    pub(super) fn all(&self) -> [&[From]; 5] {
        [&self.turns, &self.end, &self.liked, &self.disliked, &self.handover]
    }
}

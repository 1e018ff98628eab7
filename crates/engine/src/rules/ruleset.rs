//! The rules of one config, ready to run.

use std::sync::Arc;

use crate::limits;
use crate::model::{Declaration, HashKey, Pseudonym};

use super::conversation::Follow;
use super::definition::{From, Intrinsic, Source};
use super::expression::{Condition, Expression, Reference, TextMap, Values};
use super::index::{self, Index};
use super::lasting::{self, Lasting};
use super::need::{Need, Needs};
use super::slots::{KeyId, Keys};
use super::update::SkipReason;
use super::words::Words;

/// Every kind of record.
const SOURCES: [Source; 5] =
    [Source::Span, Source::SpanEvent, Source::Log, Source::Datapoint, Source::Session];

/// Compiled rules. Shared by all requests; a reload makes another.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub(super) keys: Keys,
    pub(super) aliases: Vec<Expression>,
    pub(super) classes: Vec<Class>,
    /// Label values, each once however many metrics have it.
    pub(super) labels: Vec<Label>,
    /// Label sets, likewise.
    pub(super) sets: Vec<LabelSet>,
    pub(super) rules: Vec<Rule>,
    /// Rules that read the same records.
    pub(super) groups: Vec<Group>,
    /// For each kind of record, the set of rules that may take one.
    pub(super) by_source: [Box<[u64]>; 5],
    pub(super) index: Index,
    pub(super) alias_lasting: Vec<Lasting>,
    /// Where a log record without an event name has its name, if any rule asks for names.
    pub(super) event_name: Option<KeyId>,
    /// Conversations. In sets of rules they stand behind the last rule.
    pub(super) follow: Option<Follow>,
    declarations: Vec<Arc<Declaration>>,
    class_names: Vec<String>,
    /// What personal values are hashed with.
    pub(super) key: Option<HashKey>,
    /// Who is never counted as somebody.
    pub(super) opt_out: Option<Arc<TextMap>>,
    pub(super) weights: Weights,
}

/// The highest sampling weights that are accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// Of records whose class sets no lower one.
    pub(super) most: f64,
    /// The lowest there is: a weight up to this is accepted of every record.
    pub(super) least: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { most: limits::SAMPLING_MOST, least: limits::SAMPLING_MOST }
    }
}

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
    fn possible_skips(&self, sampled: bool) -> Vec<SkipReason> {
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
    fn is_plain(&self) -> bool {
        self.lasting < Lasting::Record
            || self.words.is_some()
            || matches!(
                self.value.only,
                Some(Reference::Name(_) | Reference::Intrinsic(Intrinsic::Name))
            )
    }
}

/// What rules are made of, before it is known how they hang together.
pub(super) struct Pieces {
    pub(super) keys: Keys,
    pub(super) event_name: Option<KeyId>,
    pub(super) aliases: Vec<Expression>,
    pub(super) classes: Vec<Class>,
    pub(super) labels: Vec<Label>,
    pub(super) sets: Vec<Vec<Option<usize>>>,
    pub(super) follow: Option<Follow>,
}

impl RuleSet {
    pub(super) fn assemble(
        pieces: Pieces,
        rules: Vec<(Rule, Arc<Declaration>)>,
        class_names: Vec<String>,
    ) -> Self {
        let Pieces { keys, event_name, aliases, classes, mut labels, sets, follow } = pieces;
        let alias_lasting = lasting::of_aliases(&aliases);
        for label in &mut labels {
            label.lasting = lasting::of_expression(&label.value, &alias_lasting);
        }
        let set = |set: Vec<Option<usize>>| {
            let values = set.iter().flatten().filter_map(|at| labels.get(*at));
            let lasting = values.map(|label| label.lasting).max().unwrap_or(Lasting::Resource);
            LabelSet { labels: set, lasting, is_plain: false }
        };
        let sets = sets.into_iter().map(set).collect();
        let (rules, declarations): (Vec<Rule>, _) = rules.into_iter().unzip();
        let mut set = Self {
            keys,
            aliases,
            classes,
            labels,
            sets,
            rules,
            declarations,
            class_names,
            alias_lasting,
            event_name,
            follow,
            ..Self::default()
        };
        set.group();
        let words: Vec<_> = set.labels.iter().map(|label| Words::new(&set, label)).collect();
        set.labels.iter_mut().zip(words).for_each(|(label, words)| label.words = words);
        let labels = &set.labels;
        for one in &mut set.sets {
            let mut values = one.labels.iter().flatten().filter_map(|at| labels.get(*at));
            one.is_plain = one.lasting == Lasting::Record && values.all(Label::is_plain);
        }
        let mut needs = Needs::new(&set.aliases, &set.classes);
        let rules = set.rules.iter().map(|rule| needs.rule(rule));
        let mut all: Vec<Need> = rules.collect();
        all.extend(set.follow.as_ref().map(|follow| needs.follow(follow)));
        set.index = Index::new(&all, set.keys.len());
        set.remember();
        for source in SOURCES {
            let takes = |rule: &Rule| set.may_take(&rule.from, source);
            let mut some = set.those(takes);
            if set.follows(source)
                && let Some(word) = some.get_mut(set.rules.len() / 64)
            {
                *word |= 1 << (set.rules.len() % 64);
            }
            set.by_source[source as usize] = some;
        }
        set
    }

    /// What rules on conversations need to know of their turns.
    fn remember(&mut self) {
        let words = self.follow.as_ref().map(|follow| self.words(follow.own));
        if let Some((follow, words)) = self.follow.as_mut().zip(words) {
            follow.words = words;
        }
    }

    /// Whether a record of this kind can say anything of a conversation.
    fn follows(&self, source: Source) -> bool {
        let records = matches!(source, Source::Span | Source::SpanEvent | Source::Log);
        self.follow.as_ref().is_some_and(|follow| {
            let all = follow.all();
            records && all.into_iter().any(|from| self.may_take(from, source))
        })
    }

    pub(super) fn with_people(self, key: HashKey, opt_out: Option<Arc<TextMap>>) -> Self {
        Self { key: Some(key), opt_out, ..self }
    }

    pub(super) fn with_weights(self, most: f64) -> Self {
        let classes = self.classes.iter().filter_map(|class| class.most);
        Self { weights: Weights { most, least: classes.fold(most, f64::min) }, ..self }
    }

    fn group(&mut self) {
        let mut froms: Vec<Vec<From>> = Vec::new();
        for rule in &mut self.rules {
            let known = froms.iter().position(|from| *from == rule.from);
            rule.group = known.unwrap_or(froms.len());
            if known.is_none() {
                froms.push(rule.from.clone());
            }
        }
        let group = |(at, from): (usize, Vec<From>)| Group {
            is_plain: from.iter().all(|one| matches!(one, From::Source(_))),
            rules: self.those(|rule| rule.group == at),
            from,
        };
        self.groups = froms.into_iter().enumerate().map(group).collect();
    }

    /// The set of the rules that a test holds for.
    fn those(&self, test: impl Fn(&Rule) -> bool) -> Box<[u64]> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| test(rule));
        index::bits(rules.map(|(at, _)| at), (self.rules.len() + 1).div_ceil(64))
    }

    /// Names of the metrics whose rules are asked for every record, because nothing of their conditions can be indexed.
    pub fn unindexed(&self) -> Vec<&str> {
        let mut needs = Needs::new(&self.aliases, &self.classes);
        let asked = self.rules.iter().zip(self.declarations());
        let asked = asked.filter(|(rule, _)| needs.rule(rule) == Need::Nothing);
        asked.map(|(_, one)| one.family.name.as_str()).collect()
    }

    /// The same rules, each asked for every record.
    pub(crate) fn without_index(mut self) -> Self {
        let needs = vec![Need::Nothing; self.rules.len() + usize::from(self.follow.is_some())];
        self.index = Index::new(&needs, self.keys.len());
        self
    }

    /// Whether a class or source list can hold a record of this kind at all.
    pub(super) fn may_take(&self, from: &[From], source: Source) -> bool {
        from.iter().any(|one| match one {
            From::Source(kind) => *kind == source,
            From::Record(class) => {
                self.classes.get(*class).is_some_and(|class| self.may_take(&class.from, source))
            }
        })
    }

    /// The families, in the order of [`super::Update::family`].
    pub fn declarations(&self) -> &[Arc<Declaration>] {
        &self.declarations
    }

    /// Tells what was hashed with another key from what was hashed with this one; says nothing of the key itself.
    pub fn key_mark(&self) -> Option<Pseudonym> {
        self.key.as_ref().map(|key| key.hash("oscar-metrics state"))
    }

    /// The record classes' names, in the order of [`super::Guard::class`].
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The ways in which each metric may fail to use a record it took.
    pub fn possible_skips(&self) -> impl Iterator<Item = (&str, SkipReason)> {
        let named = self.rules.iter().zip(&self.declarations);
        named.flat_map(|(rule, declaration)| {
            let name = declaration.family.name.as_str();
            let mut sampled = [Source::Span, Source::SpanEvent].into_iter();
            let sampled = sampled.any(|source| self.may_take(&rule.from, source));
            rule.possible_skips(sampled).into_iter().map(move |reason| (name, reason))
        })
    }

    /// The names of the classes whose records count once.
    pub fn unique_classes(&self) -> impl Iterator<Item = &str> {
        let named = self.classes.iter().zip(&self.class_names);
        named.filter(|(class, _)| !class.unique.is_empty()).map(|(_, name)| &**name)
    }
}

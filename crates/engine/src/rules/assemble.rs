//! The last step of compilation: works out how compiled rules hang together.
//!
//! Some labels have so few values that all are evaluated here, so this stands above evaluation.

use std::sync::Arc;

use crate::model::Declaration;
use crate::timestamp::Timestamp;
use crate::view::Span;

use super::definition::{From, Intrinsic, Source};
use super::evaluate::Evaluation;
use super::expression::{Expression, Reference, Step};
use super::index::{self, Index};
use super::keys::{KeyId, Keys};
use super::lasting::{self, Lasting};
use super::need::{Need, Needs};
use super::rule::{Class, Follow, Group, Label, LabelSet, Rule};
use super::ruleset::RuleSet;
use super::scratch::Scratch;
use super::subject::Subject;
use super::words::{KINDS, STATUSES, Words};

/// Every kind of record.
const SOURCES: [Source; 5] =
    [Source::Span, Source::SpanEvent, Source::Log, Source::Datapoint, Source::Session];

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
        let words: Vec<_> = set.labels.iter().map(|label| words(&set, label)).collect();
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
}

/// A label's values for every kind or status, when it is made of nothing else.
fn words(rules: &RuleSet, label: &Label) -> Option<Words> {
    let [Step::From(Reference::Intrinsic(intrinsic))] = &*label.value.steps else {
        return None;
    };
    let text = |span: Span<'_>| {
        let mut evaluation =
            Evaluation::new(rules, (usize::MAX, Timestamp::default()), Scratch::default());
        let text = evaluation.value(label, Subject::Span(&span));
        Box::from(evaluation.updates.text(text))
    };
    match intrinsic {
        Intrinsic::Kind => {
            Some(Words::OfKind(KINDS.map(|kind| text(Span { kind, ..Span::default() }))))
        }
        Intrinsic::Status => {
            let text = |status| text(Span { status, ..Span::default() });
            Some(Words::OfStatus(STATUSES.map(text)))
        }
        _ => None,
    }
}

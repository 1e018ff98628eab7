//! Conversations: what a record says of one while it lasts, and what rules find in one that has ended.
//!
//! Rules on conversations may use what only their turns have, such as the service. So every reference of theirs is looked up at
//! each turn and remembered as a word, in the order of [`Follow::words`].

use crate::view::{Origin, Session, Value, Word};

use super::definition::{Definitions, Intrinsic, Reference as Asked};
use super::evaluate::Evaluation;
use super::explain::Private;
use super::expression::{Condition, Expression, Found, Reference, Step};
use super::keys::KeyId;
use super::memos::Holds;
use super::rule::{Follow, Measure, Scale};
use super::ruleset::RuleSet;
use super::subject::Subject;
use super::update::{Remark, Said, Text};

impl RuleSet {
    /// What is remembered of each turn, by the names it has in these definitions; nothing when conversations are not followed.
    /// What the operator hides is not to be written down.
    pub fn session_words(&self, definitions: &Definitions) -> Vec<Word> {
        let Some(follow) = &self.follow else { return Vec::new() };
        let private = Private::new(definitions);
        let word = |compiled: &Reference| {
            let reference = self.written(*compiled);
            let name = match &reference {
                Asked::Alias(at) => definitions
                    .aliases
                    .get(*at)
                    .map_or_else(String::new, |alias| alias.name.clone()),
                reference => format!("{reference:?}"),
            };
            Word { name, private: private.hides(&reference) }
        };
        follow.words.iter().map(word).collect()
    }

    /// A reference as the definitions have it.
    fn written(&self, compiled: Reference) -> Asked {
        let key = |key| self.keys.name(key).unwrap_or_default().to_owned();
        match compiled {
            Reference::Alias(at) => Asked::Alias(at),
            Reference::Intrinsic(intrinsic) => Asked::Intrinsic(intrinsic),
            Reference::ScopeName => Asked::Intrinsic(Intrinsic::ScopeName),
            Reference::Name(_) => Asked::Intrinsic(Intrinsic::Name),
            Reference::Service(name) => Asked::Attribute(Some(Origin::Resource), key(name)),
            Reference::At(origin, name) => Asked::Attribute(Some(origin), key(name)),
            Reference::Anywhere(name) => Asked::Attribute(None, key(name)),
        }
    }

    /// Every reference that rules on conversations have, but those a conversation answers itself.
    pub(super) fn words(&self, own: [KeyId; 5]) -> Vec<Reference> {
        let mut words = Words { own, found: Vec::new() };
        let source = super::definition::Source::Session;
        for rule in self.rules.iter().filter(|rule| self.may_take(&rule.from, source)) {
            words.add_all(rule.of.iter());
            for part in &rule.parts {
                part.conditions.iter().for_each(|one| words.condition(one));
                if let Measure::Value(value, scale) = &part.measure {
                    words.expression(value);
                    if let Scale::Value(scale) = scale {
                        words.expression(scale);
                    }
                }
                let set = self.sets.get(part.set).into_iter().flat_map(|set| &set.labels);
                let labels = set.flatten().filter_map(|at| self.labels.get(*at));
                labels.for_each(|label| words.expression(&label.value));
            }
        }
        words.found
    }
}

struct Words {
    own: [KeyId; 5],
    found: Vec<Reference>,
}

impl Words {
    fn add_all<'r>(&mut self, references: impl Iterator<Item = &'r Reference>) {
        for reference in references {
            let own = match reference {
                Reference::Anywhere(key) => self.own.contains(key),
                Reference::Intrinsic(Intrinsic::Duration | Intrinsic::Time) => true,
                _ => false,
            };
            if !own && !self.found.contains(reference) {
                self.found.push(*reference);
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        self.add_all(condition.0.iter().flatten().map(|(reference, _)| reference));
    }

    fn expression(&mut self, expression: &Expression) {
        for step in &expression.steps {
            match step {
                Step::From(reference) => self.add_all(std::iter::once(reference)),
                Step::When(condition, _) => self.condition(condition),
            }
        }
    }
}

impl<'a> Evaluation<'a> {
    /// What a record says of a conversation. Whether it says anything.
    pub(super) fn remark(&mut self, subject: Subject<'_, 'a>) -> bool {
        let rules = self.rules;
        let Some(follow) = &rules.follow else { return false };
        let Some((said, guard)) = self.said(follow, subject) else { return false };
        let Some(found) = self.resolve(&follow.key, subject) else { return false };
        let text = self.text(found);
        let text = self.updates.text(text);
        let Some(key) = rules.key.as_ref().map(|key| key.hash(text)) else { return false };
        let mut words = u32::MAX;
        if let Said::Turn(..) = said {
            self.word(follow.outcome.as_ref(), subject);
            for reference in &follow.words {
                self.word(Some(reference), subject);
            }
            words = self.updates.close();
        }
        let item = self.item;
        self.updates.remarks.push(Remark { item, guard, key, said, words });
        true
    }

    fn word(&mut self, reference: Option<&'a Reference>, subject: Subject<'_, 'a>) {
        let found = reference.and_then(|reference| self.resolve(reference, subject));
        let text = found.map_or(Text::Missing, |found| self.text(found));
        self.updates.push(text);
    }

    fn said(
        &mut self,
        follow: &'a Follow,
        subject: Subject<'_, 'a>,
    ) -> Option<(Said, Option<u32>)> {
        let time = subject.time();
        let begin = subject.span().map_or(time, |span| span.start);
        for (from, said) in [
            (&follow.turns, Said::Turn(begin, time)),
            (&follow.end, Said::End),
            (&follow.liked, Said::Liked(true)),
            (&follow.disliked, Said::Liked(false)),
            (&follow.handover, Said::Handover),
        ] {
            if let Holds::Yes(guard) = self.from(from, subject) {
                return Some((said, guard));
            }
        }
        None
    }

    /// What a reference finds in a conversation that has ended.
    pub(super) fn recall(&mut self, reference: &Reference, session: &Session) -> Option<Found<'a>> {
        let follow = self.rules.follow.as_ref()?;
        let [turns, resolution, ended_by, reasks, handover] = follow.own;
        match reference {
            Reference::Anywhere(key) if *key == turns => {
                Some(Found::Value(Value::Int(session.turns.into())))
            }
            Reference::Anywhere(key) if *key == resolution => {
                Some(Found::Text(Text::Borrowed(session.resolution)))
            }
            Reference::Anywhere(key) if *key == ended_by => {
                Some(Found::Text(Text::Borrowed(session.ended_by)))
            }
            Reference::Anywhere(key) if *key == reasks => {
                Some(Found::Value(Value::Int(session.reasks.into())))
            }
            Reference::Anywhere(key) if *key == handover => {
                Some(Found::Value(Value::Bool(session.handover)))
            }
            Reference::Intrinsic(intrinsic @ (Intrinsic::Duration | Intrinsic::Time)) => {
                self.property(*intrinsic, Subject::Session(session))
            }
            _ => {
                let at = follow.words.iter().position(|word| word == reference)?;
                let word = session.words.get(at)?.as_deref()?;
                Some(Found::Text(self.updates.make(|out| out.push_str(word))))
            }
        }
    }
}

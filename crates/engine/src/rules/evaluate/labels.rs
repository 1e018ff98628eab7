//! The label set a rule gives a record, each value and each set worked out once.

use crate::model::OTHER;
use crate::view::Span;

use super::Evaluation;
use crate::rules::lasting::Lasting;
use crate::rules::looks::Look;
use crate::rules::rule::{Label, LabelSet, Part};
use crate::rules::subject::Subject;
use crate::rules::update::Text;

impl<'a> Evaluation<'a> {
    /// The part's label set, the same index for all parts that have it in common.
    pub(super) fn key(&mut self, part: &'a Part, subject: Subject<'_, 'a>) -> u32 {
        let rules = self.rules;
        let Some(set) = rules.sets.get(part.set) else { return u32::MAX };
        let stamp = self.stamp(set.lasting);
        match self.memos.sets.get(part.set) {
            Some((made, key)) if *made == stamp => return *key,
            _ => {}
        }
        let key = match subject {
            Subject::Span(span) if set.is_plain => self.plain(set, (part.set, span), subject),
            _ => self.write(set, subject),
        };
        if let Some(memo) = self.memos.sets.get_mut(part.set) {
            *memo = (stamp, key);
        }
        key
    }

    fn write(&mut self, set: &'a LabelSet, subject: Subject<'_, 'a>) -> u32 {
        for label in &set.labels {
            let value = label.map_or(Text::Missing, |label| self.label(label, subject));
            self.updates.push(value);
        }
        self.updates.close()
    }

    /// The key of a span that looks like one that was before it.
    fn plain(
        &mut self,
        set: &'a LabelSet,
        (at, span): (usize, &Span<'a>),
        subject: Subject<'_, 'a>,
    ) -> u32 {
        let Span { name, kind, status, .. } = *span;
        let look = Look { set: at, scope: self.stamp(Lasting::Scope), name, kind, status };
        let place = self.memos.looks.place(&look);
        if let Some(key) = self.memos.looks.key(place, &look) {
            return key;
        }
        let key = self.write(set, subject);
        self.memos.looks.keep(place, look, key);
        key
    }

    pub(in crate::rules) fn label(&mut self, at: usize, subject: Subject<'_, 'a>) -> Text<'a> {
        let rules = self.rules;
        let Some(label) = rules.labels.get(at) else { return Text::Missing };
        if let Some((words, span)) = label.words.as_ref().zip(subject.span()) {
            return words.of(span).map_or(Text::Missing, |word| self.cut(Text::Borrowed(word)));
        }
        let stamp = self.stamp(label.lasting);
        match self.memos.labels.get(at) {
            Some((made, text)) if *made == stamp => return *text,
            _ => {}
        }
        let text = self.value(label, subject);
        if let Some(memo) = self.memos.labels.get_mut(at) {
            *memo = (stamp, text);
        }
        text
    }

    pub(in crate::rules) fn value(
        &mut self,
        label: &'a Label,
        subject: Subject<'_, 'a>,
    ) -> Text<'a> {
        let found = self.expression(&label.value, subject);
        let text = found.map_or(Text::Missing, |found| self.text(found));
        let value = self.updates.text(text);
        if value.is_empty() {
            return label.default.as_deref().map_or(Text::Missing, Text::Borrowed);
        }
        match &label.values {
            Some(values) => Text::Borrowed(values.find(value).unwrap_or(OTHER)),
            None => self.cut(text),
        }
    }

    /// Cuts a long value at a character.
    #[inline]
    fn cut(&mut self, text: Text<'a>) -> Text<'a> {
        let value = self.updates.text(text);
        if value.len() <= self.label_bytes {
            return text;
        }
        let end = value.floor_char_boundary(self.label_bytes);
        match text {
            Text::Borrowed(value) => Text::Borrowed(value.get(..end).unwrap_or_default()),
            Text::Made(start, _) => Text::Made(start, start + u32::try_from(end).unwrap_or(0)),
            Text::Missing => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{HashKey, LabelName, MetricName, key};
    use crate::rules::definition::{self as from, Intrinsic, Reference};
    use crate::rules::{RuleSet, Scratch};
    use crate::timestamp::Timestamp;
    use crate::view::{Origin, SpanKind, Status, Value};

    use super::*;

    fn rules() -> RuleSet {
        let label = |(name, reference)| from::Label {
            name: LabelName::own(name),
            value: from::Expression {
                steps: vec![from::Step::From(reference)],
                ..Default::default()
            },
            values: None,
            limit: None,
        };
        let references = [
            ("name", Reference::Intrinsic(Intrinsic::Name)),
            ("kind", Reference::Intrinsic(Intrinsic::Kind)),
            ("status", Reference::Intrinsic(Intrinsic::Status)),
            ("team", Reference::Attribute(Some(Origin::Resource), "team".into())),
        ];
        let part = from::Part {
            conditions: Vec::new(),
            measure: from::Measure::Constant(1.0),
            labels: references.into_iter().map(label).collect(),
        };
        let metric = from::Metric {
            name: MetricName::own("x_total"),
            help: "X.".into(),
            unit: String::new(),
            kind: from::MetricKind::Counter,
            from: vec![from::From::Source(from::Source::Span)],
            parts: vec![part],
            weighted: true,
            idle: None,
        };
        let definitions = from::Definitions { metrics: vec![metric], ..Default::default() };
        RuleSet::new(&definitions, &HashKey::from_secret(b"key"))
    }

    #[test]
    fn spans_that_look_alike_share_a_key_and_no_others_do() {
        let rules = rules();
        assert!(rules.sets.iter().all(|set| set.is_plain));
        let mut scratch = Scratch::default();
        let kinds = [SpanKind::Server, SpanKind::Client, SpanKind::Unspecified, SpanKind::Internal];
        let statuses = [Status::Unset, Status::Ok, Status::Error];
        for _ in 0..2 {
            let mut evaluation = Evaluation::new(&rules, (100, Timestamp(5)), scratch);
            let mut expected = Vec::new();
            for team in ["red", "", "blue", "red"] {
                evaluation.resource();
                let value = Value::Text(team.as_bytes());
                evaluation.attribute(Origin::Resource, b"team", value);
                evaluation.scope(b"");
                for at in 0..500 {
                    let (kind, status) = (kinds[at % 4], statuses[at % 3]);
                    let name = ["a", "b", "c\u{e9}", "", "ab"][at % 5];
                    let span = Span { name: name.as_bytes(), kind, status, ..Span::default() };
                    evaluation.record(Subject::Span(&span), 0, 1.0);
                    let kind = ["server", "client", "internal", "internal"][at % 4];
                    let status = ["unset", "ok", "error"][at % 3];
                    expected.push([name, kind, status, team]);
                }
            }
            let updates = &evaluation.updates;
            let made = updates.list.iter().map(|update| updates.key(update.key));
            let made: Vec<Vec<&str>> = made.map(|one| key::values(one).collect()).collect();
            assert_eq!(made, expected);
            scratch = evaluation.into_scratch();
        }
    }

    /// One after the other, so that no other look can have taken the place of theirs meanwhile.
    #[test]
    fn the_key_of_spans_that_look_alike_is_made_once() {
        let rules = rules();
        let mut evaluation = Evaluation::new(&rules, (100, Timestamp(5)), Scratch::default());
        for team in ["red", "blue"] {
            evaluation.resource();
            evaluation.attribute(Origin::Resource, b"team", Value::Text(team.as_bytes()));
            evaluation.scope(b"");
            for name in ["a", "b"] {
                let span = Span { name: name.as_bytes(), ..Span::default() };
                (0..500).for_each(|_| {
                    evaluation.record(Subject::Span(&span), 0, 1.0);
                });
            }
        }
        assert_eq!((evaluation.updates.list.len(), evaluation.updates.keys().len()), (2000, 4));
    }
}

//! The label set a rule gives a record, each value and each set worked out once.

use crate::model::OTHER;

use super::Evaluation;
use crate::rules::ruleset::{Label, Part};
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
        for label in &set.labels {
            let value = label.map_or(Text::Missing, |label| self.label(label, subject));
            self.updates.push(value);
        }
        let key = self.updates.close();
        if let Some(memo) = self.memos.sets.get_mut(part.set) {
            *memo = (stamp, key);
        }
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
            Some(values) => match values.binary_search_by(|one| (**one).cmp(value)) {
                Ok(at) => values.get(at).map_or(text, |value| Text::Borrowed(value)),
                Err(_) => Text::Borrowed(OTHER),
            },
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

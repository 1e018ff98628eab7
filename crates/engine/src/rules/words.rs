//! Labels that say a span's kind or status and nothing else: so few values that all are worked out when rules are compiled.

use crate::timestamp::Timestamp;
use crate::view::{Span, SpanKind, Status};

use super::definition::Intrinsic;
use super::evaluate::Evaluation;
use super::expression::{Reference, Step};
use super::ruleset::{Label, RuleSet};
use super::scratch::Scratch;
use super::subject::Subject;

/// A label's values, in the order of the kinds or statuses.
#[derive(Debug)]
pub(super) enum Words {
    OfKind([Box<str>; KINDS.len()]),
    OfStatus([Box<str>; STATUSES.len()]),
}

impl Words {
    /// Those of a label, if it is such a one.
    pub(super) fn new(rules: &RuleSet, label: &Label) -> Option<Self> {
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
                Some(Self::OfKind(KINDS.map(|kind| text(Span { kind, ..Span::default() }))))
            }
            Intrinsic::Status => {
                let text = |status| text(Span { status, ..Span::default() });
                Some(Self::OfStatus(STATUSES.map(text)))
            }
            _ => None,
        }
    }

    /// The value for a span.
    #[inline]
    pub(super) fn of(&self, span: &Span<'_>) -> Option<&str> {
        let word = match self {
            Self::OfKind(words) => words.get(span.kind as usize),
            Self::OfStatus(words) => words.get(span.status as usize),
        };
        word.map(|word| &**word)
    }
}

const KINDS: [SpanKind; 6] = [
    SpanKind::Unspecified,
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];
const STATUSES: [Status; 3] = [Status::Unset, Status::Ok, Status::Error];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_is_the_discriminant() {
        for (at, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
        }
        for (at, status) in STATUSES.into_iter().enumerate() {
            assert_eq!(status as usize, at);
        }
    }
}

//! Labels that say a span's kind or status and nothing else: so few values that all are worked out when rules are compiled.

use crate::view::{Span, SpanKind, Status};

/// A label's values, in the order of the kinds or statuses.
#[derive(Debug)]
pub(super) enum Words {
    OfKind([Box<str>; KINDS.len()]),
    OfStatus([Box<str>; STATUSES.len()]),
}

impl Words {
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

pub(super) const KINDS: [SpanKind; 6] = [
    SpanKind::Unspecified,
    SpanKind::Internal,
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
];
pub(super) const STATUSES: [Status; 3] = [Status::Unset, Status::Ok, Status::Error];

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

//! Which format a scraper gets (RFC 9110, section 12.5.1). There is always one: text 0.0.4.

use std::cmp::Reverse;

use super::list::{Choice, choices};

/// The grammar of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// The text every reader knows.
    Text0_0_4,
    /// The same with room for quoted names.
    Text1_0_0,
    /// An OpenMetrics draft.
    OpenMetrics0_0_1,
    /// OpenMetrics as published.
    OpenMetrics1_0_0,
}

/// What a scraper wants done to names it can't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// Nothing: names come as they are.
    AllowUtf8,
    /// `_` for what is not classic.
    Underscores,
    /// `_dot_` for a dot, `__` for `_` and the rest.
    Dots,
    /// `U__` and the code point of each.
    Values,
}

/// A syntax, and what the scraper wants done to names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The grammar.
    pub syntax: Syntax,
    /// None: the scraper did not say.
    pub escaping: Option<Escaping>,
}

/// What there is to choose from, the preferred first. The protobuf format joins here: a row, and
/// its `proto` and `encoding` in [`fit`].
const OFFERS: [(Syntax, &str, &str, &str); 4] = [
    (Syntax::Text0_0_4, "text", "plain", "0.0.4"),
    (Syntax::OpenMetrics1_0_0, "application", "openmetrics-text", "1.0.0"),
    (Syntax::OpenMetrics0_0_1, "application", "openmetrics-text", "0.0.1"),
    (Syntax::Text1_0_0, "text", "plain", "1.0.0"),
];

/// How well a choice names an offer; the higher decides whose weight counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Anything,
    Type,
    Subtype,
    Version,
}

/// The choice that speaks for an offer.
#[derive(Clone, Copy)]
struct Named<'a> {
    fit: Fit,
    at: usize,
    choice: Choice<'a>,
}

/// The best format for an `Accept` header.
///
/// An offer has the weight of the choice that names it most closely. The heaviest wins; among
/// equals the one named without a wildcard, then the one listed first, then our own order.
pub fn format(accept: Option<&str>) -> Format {
    let mut named: [Option<Named<'_>>; 4] = [None; OFFERS.len()];
    for (at, choice) in choices(accept.unwrap_or_default()).enumerate() {
        for (offer, best) in OFFERS.iter().zip(&mut named) {
            let rank = |named: &Named<'_>| (named.fit, named.choice.weight);
            let found = fit(&choice, offer).map(|fit| Named { fit, at, choice });
            if found.as_ref().map(rank) > best.as_ref().map(rank) {
                *best = found;
            }
        }
    }
    let wanted = OFFERS.iter().zip(named).filter_map(|(offer, named)| {
        let named = named.filter(|named| named.choice.weight > 0)?;
        let rank = (named.choice.weight, named.fit.min(Fit::Subtype), Reverse(named.at));
        Some((rank, offer.0, named.choice))
    });
    // `max_by_key` takes the last of equals, so our order is turned around.
    let chosen = wanted.rev().max_by_key(|(rank, ..)| *rank);
    chosen.map_or(Format { syntax: Syntax::Text0_0_4, escaping: None }, |(_, syntax, choice)| {
        Format { syntax, escaping: choice.parameter("escaping").and_then(Escaping::named) }
    })
}

/// Whether and how closely a choice names an offer.
fn fit(choice: &Choice<'_>, offer: &(Syntax, &str, &str, &str)) -> Option<Fit> {
    let (_, offered_type, offered_subtype, offered_version) = offer;
    let (main, sub) = choice.value.split_once('/')?;
    match (main, sub) {
        ("*", "*") => Some(Fit::Anything),
        (_, "*") if main.eq_ignore_ascii_case(offered_type) => Some(Fit::Type),
        _ if main.eq_ignore_ascii_case(offered_type)
            && sub.eq_ignore_ascii_case(offered_subtype) =>
        {
            match choice.parameter("version") {
                None => Some(Fit::Subtype),
                Some(version) => (version == *offered_version).then_some(Fit::Version),
            }
        }
        _ => None,
    }
}

impl Format {
    /// The `Content-Type` of a body in this format. Text 1.0.0 always says what became of its
    /// names.
    pub fn content_type(&self) -> String {
        let base = match self.syntax {
            Syntax::Text0_0_4 => "text/plain; version=0.0.4; charset=utf-8",
            Syntax::Text1_0_0 => "text/plain; version=1.0.0; charset=utf-8",
            Syntax::OpenMetrics0_0_1 => {
                "application/openmetrics-text; version=0.0.1; charset=utf-8"
            }
            Syntax::OpenMetrics1_0_0 => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        };
        let silent = (self.syntax == Syntax::Text1_0_0).then_some(Escaping::Underscores);
        match self.escaping.or(silent) {
            Some(escaping) => format!("{base}; escaping={}", escaping.as_str()),
            None => base.into(),
        }
    }
}

impl Escaping {
    const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// The word in `Accept` and `Content-Type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests;

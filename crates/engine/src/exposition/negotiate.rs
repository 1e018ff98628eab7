//! Which format a scraper gets (RFC 9110, section 12.5.1). There is always one: text 0.0.4.

use std::cmp::Reverse;

use crate::model::Escaping;

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
    /// Prometheus' own messages, each with its length before it.
    Protobuf,
}

/// A syntax, and what the scraper wants done to names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The grammar.
    pub syntax: Syntax,
    /// None: the scraper did not say.
    pub escaping: Option<Escaping>,
}

/// One row of what there is to choose from.
struct Offer {
    syntax: Syntax,
    main: &'static str,
    sub: &'static str,
    /// What a choice may say after its type, and then must say so.
    parameters: &'static [(&'static str, &'static str)],
    /// Whether only a choice that says all of it is meant: a body that people can't read is for those
    /// who ask for it.
    whole: bool,
}

/// What there is to choose from, the preferred first.
const OFFERS: [Offer; 5] = [
    readable(Syntax::Text0_0_4, "text", "plain", &[("version", "0.0.4")]),
    readable(Syntax::OpenMetrics1_0_0, "application", "openmetrics-text", &[("version", "1.0.0")]),
    readable(Syntax::OpenMetrics0_0_1, "application", "openmetrics-text", &[("version", "0.0.1")]),
    readable(Syntax::Text1_0_0, "text", "plain", &[("version", "1.0.0")]),
    Offer {
        syntax: Syntax::Protobuf,
        main: "application",
        sub: "vnd.google.protobuf",
        parameters: &[("proto", "io.prometheus.client.MetricFamily"), ("encoding", "delimited")],
        whole: true,
    },
];

const fn readable(
    syntax: Syntax,
    main: &'static str,
    sub: &'static str,
    parameters: &'static [(&'static str, &'static str)],
) -> Offer {
    Offer { syntax, main, sub, parameters, whole: false }
}

/// How well a choice names an offer; the higher decides whose weight counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Anything,
    Type,
    Subtype,
    Whole,
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
    let mut named: [Option<Named<'_>>; OFFERS.len()] = [None; OFFERS.len()];
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
        Some((rank, offer.syntax, named.choice))
    });
    // `max_by_key` takes the last of equals, so our order is turned around.
    let chosen = wanted.rev().max_by_key(|(rank, ..)| *rank);
    chosen.map_or(Format { syntax: Syntax::Text0_0_4, escaping: None }, |(_, syntax, choice)| {
        Format { syntax, escaping: choice.parameter("escaping").and_then(escaping) }
    })
}

/// Whether and how closely a choice names an offer.
fn fit(choice: &Choice<'_>, offer: &Offer) -> Option<Fit> {
    let (main, sub) = choice.value.split_once('/')?;
    let same = str::eq_ignore_ascii_case;
    let fit = match (main, sub) {
        ("*", "*") => Fit::Anything,
        (_, "*") if same(main, offer.main) => Fit::Type,
        _ if same(main, offer.main) && same(sub, offer.sub) => {
            let mut said = offer
                .parameters
                .iter()
                .map(|(name, offered)| choice.parameter(name).map(|value| same(value, offered)));
            match said.try_fold(true, |all, said| {
                (said != Some(false)).then_some(all && said.is_some())
            })? {
                true => Fit::Whole,
                false => Fit::Subtype,
            }
        }
        _ => return None,
    };
    (fit == Fit::Whole || !offer.whole).then_some(fit)
}

impl Format {
    /// What is done to names: as the scraper says, else what any can read.
    pub fn escaping(&self) -> Escaping {
        self.escaping.unwrap_or(Escaping::Underscores)
    }

    /// Whether exemplars have a place in it.
    pub fn has_exemplars(&self) -> bool {
        !matches!(self.syntax, Syntax::Text0_0_4 | Syntax::Text1_0_0)
    }

    /// The `Content-Type` of a body in this format. Text 1.0.0 and protobuf always say what became of
    /// their names.
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
            Syntax::Protobuf => {
                "application/vnd.google.protobuf; \
                 proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        };
        let says = matches!(self.syntax, Syntax::Text1_0_0 | Syntax::Protobuf);
        match self.escaping.or(says.then(|| self.escaping())) {
            Some(escaping) => format!("{base}; escaping={}", escaping.as_str()),
            None => base.into(),
        }
    }
}

fn escaping(word: &str) -> Option<Escaping> {
    Escaping::ALL.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;

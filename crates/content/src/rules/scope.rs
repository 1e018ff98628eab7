//! What all rules of a config share: the labels they keep, how series of the tests are called, who is spoken of.

use std::fmt;

use crate::promql::{self, Selector};
use crate::series::{self, Place};
use crate::{Catalogue, recorded};

/// The labels of a series in tests: what common labels are called there.
const EXAMPLES: [(&str, &str); 3] =
    [("job", "bot"), ("service", "helper"), ("environment", "test")];
const EXAMPLE: &str = "some";

/// A config, with what rules ask of it.
#[derive(Clone, Debug)]
pub struct Scope<'c> {
    /// The config.
    pub catalogue: &'c Catalogue<'c>,
    /// The labels that are kept.
    pub by: Vec<&'c str>,
    /// What narrows all series, as PromQL writes it: `environment="prod"`.
    pub matchers: &'c [String],
}

impl<'c> Scope<'c> {
    /// Of a config.
    pub fn new(catalogue: &'c Catalogue<'c>) -> Self {
        Self { catalogue, by: recorded::by(catalogue), matchers: &[] }
    }

    /// The place of its expressions.
    pub fn place(&self) -> series::Scope<'c> {
        series::Scope { catalogue: self.catalogue, place: Place::Rules }
    }

    /// Series of a metric.
    pub fn selector(&self, metric: impl Into<String>) -> Selector {
        let all = Selector::new(metric);
        self.matchers.iter().fold(all, |all, matcher| all.matching(matcher.clone()))
    }

    /// The sum by the labels that are kept.
    pub fn sum(&self, inner: impl fmt::Display) -> String {
        promql::sum(&self.by, inner)
    }

    /// The series of a metric in tests.
    pub fn series(&self, metric: &str) -> Selector {
        let selector = Selector::new(metric);
        self.labels(&[]).into_iter().fold(selector, |one, (label, value)| one.is(label, value))
    }

    /// The labels that a result has in tests, and these.
    pub fn labels<'l>(&'l self, extra: &[(&'l str, &'l str)]) -> Vec<(&'l str, &'l str)> {
        let example = |label: &&'l str| {
            let found = EXAMPLES.iter().find(|(name, _)| name == label);
            (*label, found.map_or(EXAMPLE, |(_, value)| *value))
        };
        self.by.iter().map(example).chain(extra.iter().copied()).collect()
    }

    /// Labels that every series of a test has: of the bot, or of the sidecar itself.
    pub fn test_labels(&self, own: bool) -> Vec<(String, String)> {
        let owned = |(label, value): (&str, &str)| (label.to_owned(), value.to_owned());
        match own {
            true => [("job", "bot"), ("instance", "a:9464")].map(owned).into(),
            false => self.labels(&[]).into_iter().map(owned).collect(),
        }
    }

    /// Who is spoken of, as a template.
    pub fn whom(&self) -> String {
        let who = if self.catalogue.is_common("service") { "{service}" } else { "{job}" };
        match self.catalogue.is_common("environment") {
            true => format!("{who} in {{environment}}"),
            false => who.to_owned(),
        }
    }
}

/// A number as PromQL reads it, without what adding and dividing left at its end.
pub fn number(number: f64) -> String {
    let rounded = (number * 1e12).round() / 1e12;
    format!("{rounded}")
}

/// The median of an expression at several moments of the past, each told by its offset. Without all of them, of those there are.
pub fn median(by: &[&str], offsets: &[&str], past: impl Fn(&str) -> String) -> String {
    let parts: Vec<String> = offsets
        .iter()
        .map(|offset| {
            format!("label_replace({}, \"offset\", \"{offset}\", \"\", \"\")", past(offset))
        })
        .collect();
    format!("quantile by ({}) (0.5,\n    {}\n)", by.join(", "), parts.join("\n  or\n    "))
}

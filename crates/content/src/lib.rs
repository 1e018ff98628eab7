//! Files for people and their servers, made from a config: dashboards, rules with their tests, the reference, the schema.
//!
//! Everything is a pure function from a [`Catalogue`] (what the config says, as generators need it) to [`Artifact`]s; `cli`
//! writes them. The same config makes the same bytes: no clock, no map in random order. This room knows no file and no socket,
//! and never what a series holds.

use std::fmt;

mod dashboards;
mod expression;
mod helm;
mod observations;
pub mod own;
pub mod page;
pub mod promql;
pub mod recorded;
mod reference;
pub mod report;
mod rules;
pub mod schema;
mod series;

pub use config::catalogue::{Catalogue, Entry, Label};
pub use rules::{Events, objective_events};

/// A file to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where, below the folder of its [`Product`], with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl Artifact {
    /// A file.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// A kind of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Grafana dashboards.
    Dashboards,
    /// Recording and alerting rules, their tests and runbooks.
    Rules,
    /// The page that tells every metric.
    Reference,
    /// The JSON Schema of configs.
    Schema,
    /// The config's part of the charts' schemas.
    Helm,
}

/// Words that every generated file has in it: what has them and is no more generated is left over.
pub const MARK: &str = "oscar-metrics generate";

impl Product {
    /// All, in the order they are made.
    pub const ALL: [Self; 5] =
        [Self::Dashboards, Self::Rules, Self::Reference, Self::Schema, Self::Helm];

    /// Where its files lie in a whole set of them, as in this repository.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Dashboards | Self::Reference => "dashboards",
            Self::Rules => "dashboards/rules",
            Self::Schema => "config",
            Self::Helm => "helm",
        }
    }

    /// Its files. `own` are the exporter's own metrics, by name.
    pub fn artifacts(self, catalogue: &Catalogue<'_>, own: &[own::Own]) -> Vec<Artifact> {
        match self {
            Self::Dashboards => dashboards::artifacts(catalogue),
            Self::Rules => rules::artifacts(catalogue),
            Self::Reference => vec![reference::page(catalogue, own)],
            Self::Schema => schema::artifacts(),
            Self::Helm => helm::artifacts(),
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Dashboards => "dashboards",
            Self::Rules => "rules",
            Self::Reference => "reference",
            Self::Schema => "schema",
            Self::Helm => "helm",
        })
    }
}

//! From the text of a config to settings that hold, with every fault at once.
//!
//! Three stages, three types: `document` reads YAML or JSON into a [`Node`] tree that remembers where everything stands;
//! `merge` lays the built-in packs and the operator's file over each other; `resolve` turns the result into [`Settings`]. Faults
//! are collected as [`Diagnostic`]s and never stop the search for the next one. This room knows no file, no environment and no
//! clock: whoever calls hands in texts and two closures. Only `document` knows which YAML library reads them.

use std::io;

mod budget;
mod diagnostic;
mod document;
mod fields;
mod merge;
mod packs;
mod print;
mod quantity;
mod resolve;
mod settings;
mod suggest;
mod variables;

pub use budget::{Budget, Dimension, MetricBudget};
pub use diagnostic::{Diagnostic, Place, Severity, Source};
pub use document::{Entry, Kind, Node};
pub use settings::{
    Datapoints, Forward, Indicator, Match, Objective, Presentation, Privacy, Selection, Server,
    Sessions, Settings, State, Traffic,
};

use diagnostic::{Findings, Report};

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;
/// Reads a file that the config names, relative to where the config lies. It may stop reading past [`crate::limits::CONFIG`].
pub type Files<'a> = &'a dyn Fn(&str) -> io::Result<String>;

/// What became of a config.
pub struct Loaded {
    /// The settings, when nothing is wrong with them.
    pub settings: Option<Settings>,
    /// The packs and the file as one document.
    pub merged: Node,
    /// Label sets by metric, for people; what faults left of them.
    pub budget: Budget,
    /// Errors and warnings in the order of the texts, at most [`crate::limits::FAULTS`].
    pub diagnostics: Vec<Diagnostic>,
    hidden: usize,
    sources: Vec<Source>,
}

/// Loads a config: `main`, or without one `use: [oscar]`.
pub fn load(main: Option<Source>, environment: Environment<'_>, files: Files<'_>) -> Loaded {
    let mut report = Report::new(environment);
    let main = main.unwrap_or_else(packs::default_config);
    let merged = merge::layers(main, &mut report);
    let (settings, budget) = resolve::resolve(&merged, files, &mut report);
    let Findings { diagnostics, hidden, failed, sources } = report.finish();
    let settings = (!failed).then_some(settings);
    Loaded { settings, merged, budget, diagnostics, hidden, sources }
}

impl Loaded {
    /// All diagnostics as text for people: file, line, column, the line itself and a caret.
    pub fn render(&self) -> String {
        diagnostic::render(&self.diagnostics, self.hidden, &self.sources)
    }

    /// The merged document as YAML that loads to the same settings.
    pub fn print(&self) -> String {
        print::yaml(&self.merged)
    }
}

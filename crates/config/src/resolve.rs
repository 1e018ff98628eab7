//! From the merged document to settings: names to indices, texts to units and patterns, and all the checks.
//!
//! Each section has its room here. Whatever is wrong is reported and replaced with a default, so that one fault never hides the
//! next; [`super::load`] throws the settings away when there was any.

use engine::model::Zone;
use engine::rules::definition::{Definitions, Source};

use super::Files;
use super::budget::{self, Budget};
use super::content::Content;
use super::diagnostic::Report;
use super::document::{Entry, Node};
use super::settings::Settings;

mod alerting;
mod condition;
mod families;
mod forward;
mod graph;
mod kind;
mod label;
mod measure;
mod metric;
mod names;
mod objective;
mod record;
mod secret;
mod service;
mod table;
mod unit;
mod value;
mod zone;

use names::Names;

/// Every kind of record, for what may be read from any.
const EVERY: &[Source] =
    &[Source::Span, Source::SpanEvent, Source::Log, Source::Datapoint, Source::Session];

/// What all sections share while they are resolved.
struct Resolver<'n, 'r, 'a> {
    root: &'n Node,
    names: Names<'n>,
    /// By whose clock days begin.
    zone: Zone,
    report: &'r mut Report<'a>,
    /// How many regular expressions were read.
    regexes: usize,
}

/// Resolves a merged document.
pub(super) fn resolve(
    root: &Node,
    files: Files<'_>,
    report: &mut Report<'_>,
) -> (Settings, Budget) {
    let drop = root.get("privacy").and_then(|privacy| privacy.get("drop"));
    let drop = drop.map(service::plain_globs).unwrap_or_default();
    let names = Names::new(root, &drop, report);
    let zone = zone::of(root, report);
    let mut resolver = Resolver { root, names, zone, report, regexes: 0 };
    let server = resolver.server();
    let (limits, sizes) = resolver.limits();
    let privacy = resolver.privacy();
    let mut definitions = Definitions {
        tables: resolver.tables(files),
        aliases: resolver.aliases(),
        records: resolver.records(),
        metrics: Vec::new(),
        private: privacy.drop.clone(),
        sessions: None,
        opt_out: privacy.opt_out,
        most: resolver.sampling(),
    };
    let (sessions, followed) = resolver.sessions().unzip();
    definitions.sessions = followed;
    let common = resolver.common(&limits, &privacy.drop);
    let (metrics, presentations): (Vec<_>, Vec<_>) =
        resolver.metrics(&common, &limits, &privacy.drop).into_iter().unzip();
    definitions.metrics = metrics;
    resolver.families(&definitions.metrics);
    let budget = budget::of(&definitions.metrics, &limits);
    resolver.budget(&budget);
    let settings = Settings {
        server,
        limits,
        sizes,
        state: resolver.state(),
        forward: resolver.forward(),
        privacy,
        datapoints: resolver.datapoints(),
        sessions,
        objectives: resolver.objectives(&definitions.metrics),
        alerting: resolver.alerting(),
        content: Content::default(),
        common: common
            .into_iter()
            .filter_map(|one| one.label)
            .map(|one| one.name.as_str().to_owned())
            .collect(),
        definitions,
        presentations,
    };
    (settings, budget)
}

impl<'n> Resolver<'n, '_, '_> {
    /// The entries of a section; none when it is not there.
    fn section(&self, name: &str) -> &'n [Entry] {
        self.root.get(name).map_or(&[], Node::entries)
    }
}

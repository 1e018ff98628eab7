//! From the text of a config to settings that hold, with every fault at once.
//!
//! Three stages, three types: `document` reads YAML or JSON into a [`Node`] tree that remembers where everything stands;
//! `merge` lays the built-in packs and the operator's file over each other; `resolve` turns the result into [`Settings`]. Faults
//! are collected as [`Diagnostic`]s and never stop the search for the next one. This room knows no file, no environment and no
//! clock: whoever calls hands in texts and two closures. Only `document` knows which YAML library reads them.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};

mod budget;
pub mod catalogue;
mod change;
mod conceal;
pub mod content;
mod content_reader;
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
mod web;

pub use budget::{Budget, Dimension, MetricBudget};
pub use change::BUDGET_ALERTS;
pub use diagnostic::{Diagnostic, Place, Severity, Source};
pub use document::{Entry, Kind, Node};
pub use packs::Folders;
pub use settings::{
    Alerting, Forward, ForwardProtocol, ForwardTls, Indicator, Match, Objective, Presentation,
    Selection, Server, Settings, State, Traffic,
};

pub use web::{Pem, TlsVersion, WebSettings, WebTls, web};

use diagnostic::{Findings, Report, Written};
use packs::{Access, Pack};

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;
/// Reads a file that the config names, relative to where the config lies. It may stop reading past [`engine::limits::CONFIG`].
pub type Files<'a> = &'a dyn Fn(&str) -> io::Result<String>;

/// What became of a config.
pub struct Loaded {
    /// The settings, when nothing is wrong with them.
    pub settings: Option<Settings>,
    /// The packs and the file as one document.
    pub merged: Node,
    /// Label sets by metric, for people; what faults left of them.
    pub budget: Budget,
    /// Errors and warnings in the order of the texts, at most [`engine::limits::FAULTS`].
    pub diagnostics: Vec<Diagnostic>,
    hidden: usize,
    sources: Vec<Source>,
    written: HashMap<Place, Written>,
    secrets: Vec<Place>,
}

/// What stands for a secret in the text of [`Loaded::without_secrets`].
pub const REMOVED: &str = "<removed>";

/// Sections for people, which `--print` leaves out.
const FOR_PEOPLE: [&str; 4] = ["queries", "dashboards", "alerts", "report"];

/// What a configuration is read with.
pub struct Reading<'a> {
    /// The environment's variables.
    pub environment: Environment<'a>,
    /// Files, relative to where the configuration lies.
    pub files: Files<'a>,
    /// Folders, likewise, for packs by path; none: there are no such packs.
    pub folders: Option<Folders<'a>>,
    /// A folder whose packs come before the built-in ones of the same name.
    pub packs: Option<&'a str>,
}

/// Loads a config: `main`, or without one `use: [oscar]`.
pub fn load(main: Option<Source>, environment: Environment<'_>, files: Files<'_>) -> Loaded {
    load_with(main, &Reading { environment, files, folders: None, packs: None })
}

/// Loads a config that may use packs outside of the program.
pub fn load_with(main: Option<Source>, reading: &Reading<'_>) -> Loaded {
    load_pack(Pack::file(main.unwrap_or_else(packs::default_config)), reading)
}

/// Loads the pack in a folder as if its files were the operator's own: nothing in it may be missing.
///
/// # Errors
///
/// What reading the folder reports.
pub fn load_folder(folder: &str, reading: &Reading<'_>) -> io::Result<Loaded> {
    Ok(load_pack(packs::read(folder, reading.access())?, reading))
}

impl<'a> Reading<'a> {
    fn access(&self) -> Access<'a> {
        Access { files: self.files, folders: self.folders, packs: self.packs }
    }
}

fn load_pack(main: Pack, reading: &Reading<'_>) -> Loaded {
    let mut report = Report::new(reading.environment);
    let merged = merge::layers(main, reading.access(), &mut report);
    let (mut settings, budget) = resolve::resolve(&merged, reading.files, &mut report);
    settings.content =
        content_reader::read(&merged, &catalogue::Catalogue::new(&settings), &mut report);
    let Findings { diagnostics, hidden, failed, sources, written, secrets } = report.finish();
    let settings = (!failed).then_some(settings);
    Loaded { settings, merged, budget, diagnostics, hidden, sources, written, secrets }
}

impl Loaded {
    /// All diagnostics as text for people: file, line, column, the line itself and a caret.
    pub fn render(&self) -> String {
        diagnostic::render(&self.diagnostics, self.hidden, &self.sources)
    }

    /// The text of the file with [`REMOVED`] in place of every secret that is written in it; a variable is none.
    pub fn without_secrets(&self, text: &str) -> String {
        let mut places: Vec<Place> =
            self.secrets.iter().copied().filter(|at| at.source == 0).collect();
        places.sort_unstable();
        places.dedup();
        let mut text = text.to_owned();
        for at in places.into_iter().rev() {
            if text.get(at.start..at.end).is_some_and(|secret| !secret.contains("${")) {
                text.replace_range(at.start..at.end, &format!("\"{REMOVED}\""));
            }
        }
        text
    }

    /// The merged document as YAML that loads to the same series and settings: variables are shown as they are written. Left out
    /// are the sections for people (queries, boards, alerts, report) and the values of headers: they may be secrets, and are shown
    /// as `<hidden>`.
    pub fn print(&self) -> String {
        let mut shown = self.merged.clone();
        print::unreplace(&mut shown, &self.written);
        if let Kind::Map(sections) = &mut shown.kind {
            sections.retain(|section| !FOR_PEOPLE.contains(&&*section.key));
        }
        for target in shown.get_mut("forward").map(Node::items_mut).unwrap_or_default() {
            for header in target.get_mut("headers").map(Node::entries_mut).unwrap_or_default() {
                header.value.kind = Kind::Text("<hidden>".to_owned());
            }
        }
        print::yaml(&shown)
    }

    /// Refuses forward targets that are doors of our own, `doors`: what comes in there would go out and come in for ever.
    /// `is_ours` says whether an address is one of this machine.
    pub fn refuse_loops(&mut self, doors: &[SocketAddr], is_ours: &dyn Fn(IpAddr) -> bool) {
        let Some(settings) = &self.settings else { return };
        let nodes = self.merged.get("forward").map(Node::items).unwrap_or_default();
        let looped = settings.forward.iter().zip(nodes).filter_map(|(target, node)| {
            let door = doors.iter().find(|door| leads_to(&target.label(), **door, is_ours))?;
            Some(diagnostic::looped(node.get("endpoint")?.at, *door))
        });
        let looped: Vec<Diagnostic> = looped.collect();
        if !looped.is_empty() {
            self.settings = None;
            self.diagnostics.extend(looped);
        }
    }
}

/// Whether `host:port` is this door.
fn leads_to(target: &str, door: SocketAddr, is_ours: &dyn Fn(IpAddr) -> bool) -> bool {
    let Some((host, port)) = target.rsplit_once(':') else { return false };
    if port.parse() != Ok(door.port()) {
        return false;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let local = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
    match host.parse::<IpAddr>() {
        Ok(ip) if ip == door.ip() => true,
        // A door on all addresses, or a target that any of them may be.
        Ok(ip) if door.ip().is_unspecified() => local(ip) || is_ours(ip),
        Ok(ip) => ip.is_unspecified() && is_ours(door.ip()) || local(ip) && door.ip().is_loopback(),
        // Another name may be ours too; only whoever resolves it knows.
        Err(_) => host.eq_ignore_ascii_case("localhost") && local(door.ip()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_is_a_door_is_known_by_all_its_names() {
        let mine: IpAddr = "192.0.2.7".parse().unwrap();
        let leads =
            |target: &str, door: &str| leads_to(target, door.parse().unwrap(), &|ip| ip == mine);
        for target in
            ["127.0.0.1:4317", "localhost:4317", "LOCALHOST:4317", "[::1]:4317", "0.0.0.0:4317"]
        {
            assert!(leads(target, "127.0.0.1:4317"), "{target}");
            assert!(leads(target, "[::]:4317"), "{target}");
            assert!(!leads(target, "127.0.0.1:4318"), "{target}");
        }
        assert!(
            leads("192.0.2.7:4317", "192.0.2.7:4317") && leads("192.0.2.7:4317", "0.0.0.0:4317")
        );
        for other in ["192.0.2.8:4317", "tempo:4317", "localhost.example:4317", "localhost"] {
            assert!(!leads(other, "0.0.0.0:4317"), "{other}");
        }
        assert!(!leads("192.0.2.7:4317", "127.0.0.1:4317"), "nobody listens there");
    }
}

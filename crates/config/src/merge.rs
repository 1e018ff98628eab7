//! Packs and file laid over each other, later ones over earlier ones.
//!
//! In sections of named entries an entry replaces the one of its name as a whole and `null` removes it; in sections of settings
//! each key stands for itself; a list replaces a list, but under `privacy`, where what a pack hides stays hidden; a section that
//! is `null` is removed as a whole. Queries, boards, alerts and the report are changed by name, see [`super::change`]. A file that
//! declares its `sampling` does so for the packs' records too: their `most` goes.

use super::change;
use super::diagnostic::{Origin, Place, Report};
use super::document::{self, Entry, Kind, Node};
use super::fields::{self, Fields};
use super::packs::{self, Access, Pack};

/// How a section of a later layer meets that of an earlier one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Entry by entry, each whole.
    Named,
    /// Key by key, all the way down.
    Settings,
    /// The same, and a list adds to the list that is there.
    Added,
    /// As a whole.
    Whole,
    /// Entry by entry, each stating only what differs.
    Changed,
    /// The same for parts that hold such entries.
    Parts,
}

/// All sections in the order they are printed.
const SECTIONS: [(&str, Way); 20] = [
    ("server", Way::Settings),
    ("limits", Way::Settings),
    ("state", Way::Settings),
    ("forward", Way::Whole),
    ("privacy", Way::Added),
    ("time_zone", Way::Whole),
    ("labels", Way::Named),
    ("tables", Way::Named),
    ("attributes", Way::Named),
    ("sampling", Way::Settings),
    ("records", Way::Named),
    ("metrics", Way::Named),
    ("sessions", Way::Settings),
    ("datapoints", Way::Settings),
    ("objectives", Way::Named),
    ("alerting", Way::Settings),
    ("queries", Way::Changed),
    ("dashboards", Way::Changed),
    ("alerts", Way::Changed),
    ("report", Way::Parts),
];

/// The file and the packs it uses as one map of sections. Below all of them lies the pack that every configuration starts with.
pub(super) fn layers(main: Pack, access: Access<'_>, report: &mut Report<'_>) -> Node {
    let mut layers = Layers {
        merged: Node { kind: Kind::Map(Vec::new()), ..Node::default() },
        path: Vec::new(),
        access,
    };
    let main = layers.parse(main, report);
    match packs::find(packs::BASE, access) {
        Ok(base) => base.into_iter().for_each(|base| layers.pack(base, packs::BASE, report)),
        Err(error) => {
            let folder = access.packs.unwrap_or_default();
            let fault = report
                .error(Place::default(), format!("cannot read the packs in `{folder}`: {error}"));
            fault.help("`--packs` names a folder that holds a folder for each pack");
        }
    }
    layers.layer(main, report);
    let mut merged = layers.merged;
    if let Kind::Map(entries) = &mut merged.kind {
        let rank = |entry: &Entry| SECTIONS.iter().position(|(name, _)| *name == entry.key);
        entries.sort_by_key(rank);
    }
    merged
}

/// A pack or a file, read into trees.
struct Parsed {
    documents: Vec<Node>,
    /// Texts by the name of the alert, and where they begin.
    runbooks: Vec<Entry>,
}

/// What was laid over each other so far.
struct Layers<'a> {
    merged: Node,
    /// The packs that are being read.
    path: Vec<String>,
    access: Access<'a>,
}

impl Layers<'_> {
    fn parse(&self, pack: Pack, report: &mut Report<'_>) -> Parsed {
        let Pack { documents, runbooks } = pack;
        let documents = documents.into_iter().filter_map(|text| document::parse(text, report));
        let documents = documents.collect();
        let runbooks = runbooks.into_iter().flat_map(|text| packs::runbooks(text, report));
        Parsed { documents, runbooks: runbooks.collect() }
    }

    /// Lays the packs that a layer uses, then the layer itself, over what is there.
    fn layer(&mut self, layer: Parsed, report: &mut Report<'_>) {
        let mut known = vec!["use"];
        known.extend(SECTIONS.iter().map(|(name, _)| *name));
        let documents = layer.documents.iter();
        let all: Vec<Fields<'_>> =
            documents.map(|node| Fields::of(node, "a config", &known, report)).collect();
        for wanted in all.iter().filter_map(|fields| fields.get("use")) {
            for name in fields::list(wanted, report).unwrap_or_default() {
                self.used(name, report);
            }
        }
        let samples = |fields: &Fields<'_>| {
            fields.get("sampling").is_some_and(|node| node.get("most").is_some())
        };
        if self.path.is_empty() && all.iter().any(samples) {
            forget_most(&mut self.merged);
        }
        for (section, way) in SECTIONS {
            for document in &layer.documents {
                if let Some(entry) = document.entries().iter().find(|entry| entry.key == section) {
                    lay(entry, way, &mut self.merged, report);
                }
            }
        }
        layer.runbooks.iter().for_each(|runbook| lay_runbook(runbook, &mut self.merged, report));
    }

    /// Lays a pack by its name in `use`.
    fn used(&mut self, name: &Node, report: &mut Report<'_>) {
        let Some(text) = fields::text(name, report) else { return };
        if self.path.iter().any(|open| open == text) {
            let chain = self.path.join("` uses `");
            report.error(name.at, format!("packs in a circle: `{chain}` uses `{text}`"));
            return;
        }
        let found = match packs::is_path(text) {
            true => packs::read(text, self.access).map(Some),
            false => packs::find(text, self.access),
        };
        match found {
            Ok(Some(pack)) => self.pack(pack, text, report),
            Ok(None) => {
                let all = packs::names().collect::<Vec<_>>().join(", ");
                let near = report.nearest(text, packs::names());
                let message = format!("there is no pack `{}`", fields::cut(text));
                let fault = report.error(name.at, message);
                fault.help(format!("packs are: {all}")).suggest(near);
            }
            Err(error) => {
                let message = format!("cannot read the pack `{}`: {error}", fields::cut(text));
                let fault = report.error(name.at, message);
                fault.help(
                    "a pack is a folder of YAML files and runbooks.md, relative to the config file",
                );
            }
        }
    }

    fn pack(&mut self, pack: Pack, name: &str, report: &mut Report<'_>) {
        let path = packs::is_path(name);
        let outer = report.enter(if path { Origin::Folder } else { Origin::BuiltIn });
        let parsed = self.parse(pack, report);
        report.enter(outer);
        self.path.push(name.to_owned());
        self.layer(parsed, report);
        self.path.pop();
    }
}

/// Takes `most` from the records that are there.
fn forget_most(merged: &mut Node) {
    for record in merged.get_mut("records").map(Node::entries_mut).unwrap_or_default() {
        if let Kind::Map(entries) = &mut record.value.kind {
            entries.retain(|entry| entry.key != "most");
        }
    }
}

/// Gives an alert its runbook.
fn lay_runbook(runbook: &Entry, merged: &mut Node, report: &mut Report<'_>) {
    let alert = merged.get_mut("alerts").and_then(|alerts| alerts.get_mut(&runbook.key));
    match alert.map(|alert| &mut alert.kind) {
        Some(Kind::Map(keys)) => {
            keys.retain(|entry| entry.key != "runbook");
            keys.push(Entry {
                key: "runbook".to_owned(),
                at: runbook.at,
                value: runbook.value.clone(),
            });
        }
        _ => {
            let message =
                format!("a runbook for `{}`, but no such alert", fields::cut(&runbook.key));
            report.error(runbook.at, message);
        }
    }
}

/// Lays one section over the section that is there.
fn lay(section: &Entry, way: Way, merged: &mut Node, report: &mut Report<'_>) {
    let Kind::Map(sections) = &mut merged.kind else { return };
    let below = sections.iter().position(|entry| entry.key == section.key);
    if section.value.is_null() {
        sections.retain(|entry| entry.key != section.key);
        return;
    }
    if section.key == "alerts" && change::moved(&section.value, report) {
        return;
    }
    let is_map = matches!(section.value.kind, Kind::Map(_));
    if way != Way::Whole && !is_map {
        fields::map(&section.value, &format!("`{}`", section.key), report);
        return;
    }
    let at = below.unwrap_or_else(|| {
        let value = Node { kind: Kind::Map(Vec::new()), at: section.value.at };
        sections.push(Entry { key: section.key.clone(), at: section.at, value });
        sections.len() - 1
    });
    let Some(target) = sections.get_mut(at) else { return };
    target.at = section.at;
    match way {
        Way::Whole => target.value = section.value.clone(),
        Way::Settings | Way::Added => over(&section.value, &mut target.value, way),
        Way::Named => named(&section.value, &mut target.value, report),
        Way::Changed => change::entries(&section.value, &mut target.value, report),
        Way::Parts => change::keys(&section.value, &mut target.value, report),
    }
}

fn named(from: &Node, onto: &mut Node, report: &mut Report<'_>) {
    onto.at = from.at;
    let Kind::Map(entries) = &mut onto.kind else { return };
    // The packs' entries come first and are few; the file's are many and each comes once.
    let mut packed = entries.len();
    for entry in from.entries() {
        let below = entries.iter().take(packed).position(|below| below.key == entry.key);
        match (below, entry.value.is_null()) {
            (Some(at), true) => {
                entries.remove(at);
                packed -= 1;
            }
            (Some(at), false) => entries.splice(at..=at, [entry.clone()]).for_each(drop),
            (None, true) => {
                let message = format!("nothing to remove: no pack has `{}` here", entry.key);
                let near = report.nearest(&entry.key, entries.iter().map(|below| &*below.key));
                report.warning(entry.at, message).suggest(near);
            }
            (None, false) => entries.push(entry.clone()),
        }
    }
}

/// Maps key by key, all else as a whole.
fn over(from: &Node, onto: &mut Node, way: Way) {
    if let (Way::Added, Kind::List(more), Kind::List(list)) = (way, &from.kind, &mut onto.kind) {
        list.extend(more.iter().cloned());
        onto.at = from.at;
        return;
    }
    let (Kind::Map(above), Kind::Map(below)) = (&from.kind, &mut onto.kind) else {
        *onto = from.clone();
        return;
    };
    onto.at = from.at;
    let packed = below.len();
    for entry in above {
        match below.iter_mut().take(packed).find(|below| below.key == entry.key) {
            Some(same) => {
                same.at = entry.at;
                over(&entry.value, &mut same.value, way);
            }
            None => below.push(entry.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostic::Source;
    use super::super::print;
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "text".to_owned(), text: text.to_owned() }
    }

    fn nothing() -> Layers<'static> {
        let merged = Node { kind: Kind::Map(Vec::new()), ..Node::default() };
        let files = &|_: &str| Err(std::io::ErrorKind::NotFound.into());
        Layers { merged, path: Vec::new(), access: Access { files, folders: None, packs: None } }
    }

    /// Some texts laid over each other, printed, and how many faults and doubts there were.
    fn laid(texts: &[&str]) -> (String, usize) {
        let mut report = Report::new(&|_| None);
        let mut layers = nothing();
        for text in texts {
            let parsed = layers.parse(Pack::file(source(text)), &mut report);
            layers.layer(parsed, &mut report);
        }
        (print::yaml(&layers.merged), report.finish().diagnostics.len())
    }

    #[test]
    fn named_entries_are_replaced_whole_and_removed_by_null() {
        let pack = "tables: {a: {x: 1, y: 2}, b: {x: 1}, c: {x: 1}}";
        let (merged, faults) = laid(&[pack, "tables: {d: {z: 1}, a: {x: 3}, b: null}"]);
        assert_eq!(merged, "tables:\n  a: {x: 3}\n  c: {x: 1}\n  d: {z: 1}\n");
        assert_eq!(faults, 0);
        assert_eq!(laid(&[pack, "tables: {e: null}"]).1, 1, "nothing to remove is a doubt");
        assert_eq!(laid(&[pack, "tables: null"]).0, "{}\n");
    }

    #[test]
    fn settings_meet_key_by_key_and_lists_whole() {
        let pack = "server: {otlp: {grpc: [a, b], cors: [c]}, web: {listen: d}}\nforward: [e]";
        let above = "server: {otlp: {grpc: [f]}, web: {listen: null}}\nforward: [g, h]";
        let (merged, faults) = laid(&[pack, above]);
        let wanted = "server:\n  otlp:\n    grpc: [f]\n    cors: [c]\n  web: {listen: null}\n\
                      forward: [g, h]\n";
        assert_eq!((&*merged, faults), (wanted, 0));
    }

    #[test]
    fn a_declared_sampling_takes_most_from_the_records_of_packs() {
        let (merged, faults) = laid(&["use: [oscar]"]);
        assert!(merged.contains("most: 1\n") && !merged.contains("sampling:"), "{merged}");
        assert_eq!(faults, 0);
        let file = "use: [oscar]\nsampling: {most: 100}\nrecords: {mine: {from: span, most: 2}}";
        let (merged, faults) = laid(&[file]);
        let most: Vec<&str> = merged.lines().filter(|line| line.contains("most: ")).collect();
        assert_eq!(most, ["  mine: {from: span, most: 2}", "sampling: {most: 100}"], "{merged}");
        assert_eq!(faults, 0);
        let (merged, _) = laid(&["use: [oscar]\nsampling: {}"]);
        assert!(merged.contains("most: 1"), "nothing was declared");
    }

    #[test]
    fn what_a_pack_hides_stays_hidden() {
        let pack = "privacy: {drop: [a, b], hash_key_file: x}";
        let (merged, faults) = laid(&[pack, "privacy: {drop: [c], hash_key_file: y}"]);
        assert_eq!(merged, "privacy:\n  drop: [a, b, c]\n  hash_key_file: \"y\"\n");
        assert_eq!(faults, 0);
        assert_eq!(
            laid(&[pack, "privacy: null", "privacy: {drop: [c]}"]).0,
            "privacy:\n  drop: [c]\n"
        );
    }

    #[test]
    fn every_pack_loads_and_packs_in_a_circle_are_refused() {
        for name in packs::names() {
            let text = format!("use: [{name}]\n");
            let loaded = super::super::load(Some(source(&text)), &|_| None, &|_| {
                Err(std::io::ErrorKind::NotFound.into())
            });
            assert!(loaded.settings.is_some(), "{name}: {}", loaded.render());
        }
        let mut report = Report::new(&|_| None);
        let again = Node { kind: Kind::Text("oscar".to_owned()), ..Node::default() };
        let mut layers = nothing();
        layers.path.push("oscar".to_owned());
        layers.used(&again, &mut report);
        let said = report.finish().diagnostics.remove(0).message;
        assert_eq!(said, "packs in a circle: `oscar` uses `oscar`");
    }
}

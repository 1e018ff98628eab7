//! Packs: folders of YAML files and runbooks, built in or read through the caller.

use std::io;

use engine::limits;

use super::Files;
use super::diagnostic::{Place, Report, Source};
use super::document::{Entry, Kind, Node};

/// Names of the files in a folder.
pub type Folders<'a> = &'a dyn Fn(&str) -> io::Result<Vec<String>>;

/// What a pack may be read with.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    /// Files, relative to the configuration.
    pub files: Files<'a>,
    /// Folders, likewise; none: packs by path can't be read.
    pub folders: Option<Folders<'a>>,
    /// A folder whose packs come before the built-in ones of the same name.
    pub packs: Option<&'a str>,
}

/// The files of a pack.
#[derive(Debug, Default)]
pub(super) struct Pack {
    /// YAML, in the order in which they are laid over each other.
    pub documents: Vec<Source>,
    /// Markdown with a heading `## NAME` for each alert.
    pub runbooks: Vec<Source>,
}

impl Pack {
    /// A single file.
    pub(super) fn file(source: Source) -> Self {
        Self { documents: vec![source], runbooks: Vec::new() }
    }
}

/// The pack that every configuration starts with: the sidecar itself, and boards for metrics of its own.
pub(super) const BASE: &str = "base";

/// The files of a built-in pack, by their names.
type BuiltIn = &'static [(&'static str, &'static str)];

macro_rules! built_in {
    ($pack:literal: $($file:literal),+) => {
        &[$(($file, include_str!(concat!("../../../config/packs/", $pack, "/", $file)))),+]
    };
}

const PACKS: [(&str, BuiltIn); 5] = [
    (
        "oscar",
        built_in!("oscar": "alerts.yaml", "boards.yaml", "metrics.yaml", "report.yaml", "runbooks.md"),
    ),
    (
        "genai",
        built_in!("genai": "alerts.yaml", "boards.yaml", "metrics.yaml", "report.yaml", "runbooks.md"),
    ),
    ("openinference", built_in!("openinference": "metrics.yaml")),
    ("span_metrics", built_in!("span_metrics": "metrics.yaml")),
    (BASE, built_in!("base": "alerts.yaml", "boards.yaml", "report.yaml", "runbooks.md")),
];

/// The names of all packs that a configuration may use.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name).filter(|name| *name != BASE)
}

/// Whether a word in `use` is a path and no name.
pub(super) fn is_path(text: &str) -> bool {
    text.contains(['/', '\\']) || text.starts_with('.')
}

/// A pack by its name: from the folder of packs, else built in; none: there is no such pack.
///
/// # Errors
///
/// What reading the folder of packs reports; that the pack is not in it is none.
pub(super) fn find(name: &str, access: Access<'_>) -> io::Result<Option<Pack>> {
    if let Some(folder) = access.packs {
        // That there is such a folder, so that a slip in its name is no silence.
        access.folders.ok_or(io::ErrorKind::Unsupported)?(folder)?;
        match read(&format!("{folder}/{name}"), access) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(Some),
        }
    }
    let found = PACKS.iter().find(|(pack, _)| *pack == name);
    Ok(found.map(|(name, files)| {
        let texts = files.iter().map(|(file, text)| (*file, (*text).to_owned()));
        sorted(texts, |file| format!("pack {name}/{file}"))
    }))
}

/// A pack in a folder.
///
/// # Errors
///
/// What reading reports; `InvalidData` when the folder has too many files or none.
pub(super) fn read(folder: &str, access: Access<'_>) -> io::Result<Pack> {
    let folders = access.folders.ok_or(io::ErrorKind::Unsupported)?;
    let mut names = folders(folder)?;
    names.retain(|name| is_document(name) || is_runbook(name));
    names.sort_unstable();
    if names.is_empty() || names.len() > limits::PACK_FILES {
        let message = format!("expected 1 to {} files ending in .yaml or .md", limits::PACK_FILES);
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let path = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
    let texts = names.iter().map(|name| Ok((&**name, (access.files)(&path(name))?)));
    let texts = texts.collect::<io::Result<Vec<_>>>()?;
    Ok(sorted(texts, path))
}

fn is_document(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

fn is_runbook(name: &str) -> bool {
    name.ends_with(".md")
}

fn sorted<'t>(
    texts: impl IntoIterator<Item = (&'t str, String)>,
    path: impl Fn(&str) -> String,
) -> Pack {
    let mut pack = Pack::default();
    for (name, text) in texts {
        let source = Source { name: path(name), text };
        if is_runbook(name) { pack.runbooks.push(source) } else { pack.documents.push(source) }
    }
    pack
}

/// The runbooks in a Markdown file: the text under each heading `## NAME`.
pub(super) fn runbooks(source: Source, report: &mut Report<'_>) -> Vec<Entry> {
    const HEADING: &str = "## ";
    let text = source.text.clone();
    let source = report.add(source);
    let mut all: Vec<Entry> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = Place { source, start, end: start + line.trim_end().len() };
        start += line.len();
        if let Some(name) = line.strip_prefix(HEADING) {
            let value = Node { kind: Kind::Text(String::new()), at };
            all.push(Entry { key: name.trim().to_owned(), at, value });
        } else if let Some(Node { kind: Kind::Text(body), .. }) =
            all.last_mut().map(|last| &mut last.value)
        {
            body.push_str(line);
        }
    }
    for entry in &mut all {
        if let Kind::Text(body) = &mut entry.value.kind {
            *body = body.trim().to_owned();
        }
    }
    all
}

/// What serves when there is no config.
pub(super) fn default_config() -> Source {
    Source { name: "built-in config".to_owned(), text: "use: [oscar]\n".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_runbooks_at_their_headings() {
        let mut report = Report::new(&|_| None);
        let text = "# Runbooks\n\nIntroduction.\n\n## One\n\nDo this.\n\n- a\n\n## Two\nThat.\n"
            .to_owned();
        let all = runbooks(Source { name: "runbooks.md".to_owned(), text }, &mut report);
        let all: Vec<_> =
            all.iter().map(|one| (&*one.key, one.value.text_form().unwrap())).collect();
        assert_eq!(all, [("One", "Do this.\n\n- a".to_owned()), ("Two", "That.".to_owned())]);
    }
}

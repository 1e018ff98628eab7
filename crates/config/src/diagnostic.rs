//! What is wrong with a config, where, and what to do about it; and how people get to see it.
//!
//! The rendering is plain ASCII around the config's own lines, stable from release to release. Lines are cropped and control
//! characters replaced, so a hostile config can neither flood nor steer a terminal.

use std::collections::HashMap;

use engine::limits;

use super::Environment;
use super::conceal::Variables;
use super::suggest::nearest;
use super::variables::{self, VariableError};

/// A text that was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// How people call it: a path, or a pack.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A piece of a source: bytes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which source, in the order they were read.
    pub source: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The config can't be used.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// One fault, or one doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub at: Place,
    /// Another place that belongs to it, and why.
    pub also: Option<(Place, &'static str)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    fn new(severity: Severity, at: Place, message: String) -> Self {
        Self { severity, message, at, also: None, help: None }
    }

    /// Says what to do about it.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Suggests a word, if there is one.
    pub(super) fn suggest(&mut self, word: Option<&str>) -> &mut Self {
        self.help = word.map(|word| format!("did you mean `{word}`?")).or(self.help.take());
        self
    }

    /// Names another place that belongs to it.
    pub(super) fn also(&mut self, at: Place, why: &'static str) -> &mut Self {
        self.also = Some((at, why));
        self
    }
}

/// The start of a text, short enough for a message.
pub(super) fn cut(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A forward target that is a door of our own.
pub(super) fn looped(at: Place, door: std::net::SocketAddr) -> Diagnostic {
    let message = format!("a forward target that is our own OTLP address {door}: a loop");
    let mut fault = Diagnostic::new(Severity::Error, at, message);
    fault.help("name another receiver, or listen elsewhere");
    fault
}

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The operator's config, or a table file of it.
    File,
    /// A pack by path.
    Folder,
    /// A pack by name.
    BuiltIn,
}

/// A scalar before its variables are replaced.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// With its variables.
    pub(super) text: String,
    /// Whether it stands without quotes.
    pub(super) is_plain: bool,
}

/// Collects sources and faults while a config is read.
pub(super) struct Report<'a> {
    environment: Environment<'a>,
    variables: Variables,
    /// Scalars with variables.
    written: HashMap<Place, Written>,
    /// Where secrets stand.
    secrets: Vec<Place>,
    sources: Vec<Source>,
    /// Of each source, where it comes from.
    origins: Vec<Origin>,
    origin: Origin,
    diagnostics: Vec<Diagnostic>,
    failed: bool,
    /// Faults beyond [`limits::FAULTS`], and the last of them.
    hidden: usize,
    last: Diagnostic,
    guesses: usize,
    /// Bytes of all sources.
    read: usize,
}

/// All there is to say about a config.
pub(super) struct Findings {
    /// In the order of the texts, the operator's file (read first) in front.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// How many more there were.
    pub(super) hidden: usize,
    /// Whether there was an error.
    pub(super) failed: bool,
    pub(super) sources: Vec<Source>,
    /// Scalars with variables.
    pub(super) written: HashMap<Place, Written>,
    /// Where secrets stand.
    pub(super) secrets: Vec<Place>,
}

impl<'a> Report<'a> {
    pub(super) fn new(environment: Environment<'a>) -> Self {
        let (sources, diagnostics) = (Vec::new(), Vec::new());
        let last = Diagnostic::new(Severity::Error, Place::default(), String::new());
        Self {
            environment,
            variables: Variables::default(),
            written: HashMap::new(),
            secrets: Vec::new(),
            sources,
            origins: Vec::new(),
            origin: Origin::File,
            diagnostics,
            failed: false,
            hidden: 0,
            last,
            guesses: 0,
            read: 0,
        }
    }

    /// Whether another text may be read.
    pub(super) fn has_room(&self) -> bool {
        self.read + limits::CONFIG <= limits::CONFIG_TOTAL
    }

    /// The word that was probably meant, as long as not too many were asked for.
    pub(super) fn nearest<'w>(
        &mut self,
        word: &str,
        words: impl IntoIterator<Item = &'w str>,
    ) -> Option<&'w str> {
        let (guesses, among) = limits::GUESSES;
        self.guesses += 1;
        if self.guesses > guesses { None } else { nearest(word, words.into_iter().take(among)) }
    }

    /// A scalar with its variables replaced; none when it has none. `is_plain`: it stands without quotes.
    pub(super) fn replace(
        &mut self,
        text: &str,
        is_plain: bool,
        at: Place,
    ) -> Result<Option<String>, VariableError> {
        let (environment, mut used) = (self.environment, Vec::new());
        let replaced = variables::replace(text, &mut |name| {
            let value = environment(name)?;
            used.push((name.to_owned(), value.clone()));
            Some(value)
        })?;
        used.iter().for_each(|(name, value)| self.variables.used(name, value));
        if replaced.is_some() {
            self.written.insert(at, Written { text: text.to_owned(), is_plain });
        }
        Ok(replaced)
    }

    /// A scalar at `from` stands at `to`, too.
    pub(super) fn alias(&mut self, from: Place, to: Place) {
        if let Some(written) = self.written.get(&from).cloned() {
            self.written.insert(to, written);
        }
    }

    /// Keeps a source and tells its number.
    pub(super) fn add(&mut self, source: Source) -> usize {
        self.read += source.text.len();
        self.sources.push(source);
        self.origins.push(self.origin);
        self.sources.len() - 1
    }

    /// Where the next sources come from; returns where the last ones did.
    pub(super) fn enter(&mut self, origin: Origin) -> Origin {
        std::mem::replace(&mut self.origin, origin)
    }

    /// Where a place's source comes from.
    pub(super) fn origin(&self, at: Place) -> Origin {
        self.origins.get(at.source).copied().unwrap_or(Origin::File)
    }

    /// Whether a place is in a pack, which may name what a configuration does not have.
    pub(super) fn is_lenient(&self, at: Place) -> bool {
        self.origin(at) != Origin::File
    }

    /// A place as `name:line`.
    pub(super) fn line(&self, at: Place) -> String {
        let Some(source) = self.sources.get(at.source) else { return String::new() };
        let before = source.text.get(..at.start).unwrap_or_default();
        format!("{}:{}", source.name, before.matches('\n').count() + 1)
    }

    /// Shows stars where a secret stands; all other places stay where they are.
    pub(super) fn hide(&mut self, at: Place) {
        self.secrets.push(at);
        if let Some(source) = self.sources.get_mut(at.source)
            && let Some(secret) = source.text.get(at.start..at.end)
        {
            let starred: String = secret.chars().map(star).collect();
            source.text.replace_range(at.start..at.end, &starred);
        }
    }

    pub(super) fn error(&mut self, at: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Error, at, message.into())
    }

    pub(super) fn warning(&mut self, at: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.push(Severity::Warning, at, message.into())
    }

    fn push(&mut self, severity: Severity, at: Place, message: String) -> &mut Diagnostic {
        self.failed |= severity == Severity::Error;
        let fault = Diagnostic::new(severity, at, message);
        if self.diagnostics.len() < limits::FAULTS {
            self.diagnostics.push(fault);
        } else {
            self.hidden += 1;
            self.last = fault;
        }
        self.diagnostics.last_mut().filter(|_| self.hidden == 0).unwrap_or(&mut self.last)
    }

    pub(super) fn finish(self) -> Findings {
        let Self { sources, mut diagnostics, failed, hidden, variables, written, secrets, .. } =
            self;
        for one in &mut diagnostics {
            variables.conceal(&mut one.message);
            one.help.iter_mut().for_each(|help| variables.conceal(help));
        }
        diagnostics.sort_by_key(|one| one.at);
        diagnostics.dedup();
        Findings { diagnostics, hidden, failed, sources, written, secrets }
    }
}

/// Errors first, at most [`limits::FAULTS_SHOWN`] of all.
pub(super) fn render(diagnostics: &[Diagnostic], hidden: usize, sources: &[Source]) -> String {
    let of = |severity| diagnostics.iter().filter(move |one| one.severity == severity);
    let ordered = of(Severity::Error).chain(of(Severity::Warning));
    let shown = ordered.take(limits::FAULTS_SHOWN);
    let mut out = shown.map(|one| one.render(sources)).collect::<Vec<_>>().join("\n");
    let hidden = diagnostics.len().saturating_sub(limits::FAULTS_SHOWN) + hidden;
    if hidden > 0 {
        out.push_str(&format!("\nand {hidden} more\n"));
    }
    out
}

impl Diagnostic {
    fn render(&self, sources: &[Source]) -> String {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let first = Excerpt::new(self.at, sources);
        let also = self.also.map(|(place, why)| (Excerpt::new(place, sources), why));
        let widest = also.iter().map(|(one, _)| one.line).fold(first.line, usize::max);
        let gutter = " ".repeat(widest.to_string().len());
        let mut out = format!("{word}: {}\n", plain(&self.message));
        first.write(&gutter, "-->", "", &mut out);
        if let Some((excerpt, why)) = also {
            excerpt.write(&gutter, ":::", why, &mut out);
        }
        if let Some(help) = &self.help {
            out.push_str(&format!("{gutter} = help: {}\n", plain(help)));
        }
        out
    }
}

/// How many characters of a line are shown, and how many of them before the caret.
const SHOWN: usize = 100;
const BEFORE: usize = 60;

/// The line a place begins on, cropped around it.
struct Excerpt {
    name: String,
    line: usize,
    column: usize,
    text: String,
    indent: usize,
    carets: usize,
}

impl Excerpt {
    fn new(at: Place, sources: &[Source]) -> Self {
        let (name, text) =
            sources.get(at.source).map_or(("", ""), |source| (&*source.name, &*source.text));
        let before = text.get(..at.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |feed| feed + 1);
        let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        let long = text.get(at.start..at.end).unwrap_or_default();
        let carets = long.lines().next().unwrap_or_default().trim_end().chars().count();
        let skipped = if column + carets.min(SHOWN - BEFORE) > SHOWN { column - BEFORE } else { 0 };
        let cropped = line.chars().skip(skipped).take(SHOWN).map(visible).collect::<String>();
        Self {
            name: plain(name),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            indent: column - skipped,
            carets: carets.clamp(1, (SHOWN + skipped).saturating_sub(column).max(1)),
            text: cropped.trim_end().to_owned(),
        }
    }

    fn write(&self, gutter: &str, arrow: &str, why: &str, out: &mut String) {
        let Self { name, line, column, text, indent, carets } = self;
        let number = format!("{line:>width$}", width = gutter.len());
        let marks = format!("{}{}", " ".repeat(*indent), "^".repeat(*carets));
        out.push_str(&format!("{gutter}{arrow} {name}:{line}:{column}\n{gutter} |\n"));
        out.push_str(format!("{number} | {text}").trim_end());
        out.push_str(format!("\n{gutter} | {marks} {why}").trim_end());
        out.push('\n');
    }
}

/// As many bytes as the character had; the ends of lines stay.
fn star(character: char) -> &'static str {
    match (character, character.len_utf8()) {
        ('\n', _) => "\n",
        (_, 1) => "*",
        (_, 2) => "**",
        (_, 3) => "***",
        _ => "****",
    }
}

/// Without control characters, and not endless.
fn plain(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut plain: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        plain.push_str("...");
    }
    plain
}

fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        // Bidirectional marks reorder what a reader sees.
        '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '?',
        _ if character.is_control() => '?',
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str, start: usize, end: usize) -> String {
        let sources = [Source { name: "a.yaml".into(), text: text.into() }];
        let at = Place { source: 0, start, end };
        Diagnostic::new(Severity::Error, at, "no".into()).render(&sources)
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        let shown = fault("one: 1\ntwo: bad\n", 12, 15);
        assert_eq!(shown, "error: no\n --> a.yaml:2:6\n  |\n2 | two: bad\n  |      ^^^\n");
    }

    #[test]
    fn long_lines_are_cropped_around_the_caret_and_controls_are_shown_as_marks() {
        let text = format!("{}\u{1b}[31mbad{}", "x".repeat(5000), "y".repeat(5000));
        let shown = fault(&text, 5000, 5008);
        assert!(shown.lines().all(|line| line.len() < 120), "{shown}");
        assert!(shown.contains("?[31mbad") && !shown.contains('\u{1b}'), "{shown}");
    }

    #[test]
    fn a_place_outside_of_its_text_is_no_panic() {
        assert!(fault("", 7, 9).starts_with("error: no\n --> a.yaml:1:1\n"));
        assert!(fault("\u{e4}", 1, 9).contains("a.yaml:1:2"), "{}", fault("\u{e4}", 1, 9));
    }
}

//! YAML or JSON text into a tree that remembers where everything stands.
//!
//! Only this file names the YAML library. It reads the parser's events instead of going through serde, because serde keeps
//! neither the place of every key and value nor whether a text was quoted. Depth, nodes and aliases are bounded; tags,
//! a second document and doubled keys are faults.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span};

use engine::limits;
use engine::view::write_double;

use super::diagnostic::{Place, Report, Source, cut};
use super::variables::VariableError;

/// A value and where it stands.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub at: Place,
}

/// What a value is.
#[derive(Clone, Debug, Default)]
pub enum Kind {
    /// Nothing.
    #[default]
    Null,
    /// `true` or `false`; `yes` is a text.
    Bool(bool),
    /// A decimal number as it was written.
    Number(String),
    /// Any other scalar.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Named values in order, each name once.
    Map(Vec<Entry>),
}

/// A named value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name, in text form.
    pub key: String,
    /// Where the name stands.
    pub at: Place,
    /// What it names.
    pub value: Node,
}

impl Node {
    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key, unless there is none.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|entry| entry.key == key)?;
        (!entry.value.is_null()).then_some(&entry.value)
    }

    /// The values of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(nodes) => nodes,
            _ => &[],
        }
    }

    /// The values of a list, to be changed.
    pub(super) fn items_mut(&mut self) -> &mut [Node] {
        match &mut self.kind {
            Kind::List(nodes) => nodes,
            _ => &mut [],
        }
    }

    /// The entries of a map, to be changed.
    pub(super) fn entries_mut(&mut self) -> &mut [Entry] {
        match &mut self.kind {
            Kind::Map(entries) => entries,
            _ => &mut [],
        }
    }

    /// The value of a key, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        let entry = self.entries_mut().iter_mut().find(|entry| entry.key == key)?;
        Some(&mut entry.value)
    }

    /// Whether there is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The form in which scalars are compared with telemetry: 429.0 is `429`. None of a list, a map or nothing.
    pub fn text_form(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Bool(yes) => Some(yes.to_string()),
            Kind::Number(text) => Some(number_form(text)),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }
}

/// Equal when they say the same, wherever it stands.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::List(one), Kind::List(two)) => one == two,
            (Kind::Map(one), Kind::Map(two)) => {
                let named = |entry: &Entry| (entry.key.clone(), entry.value.clone());
                one.iter().map(named).eq(two.iter().map(named))
            }
            (Kind::Null, Kind::Null) => true,
            (Kind::Bool(one), Kind::Bool(two)) => one == two,
            (Kind::Number(one), Kind::Number(two)) => number_form(one) == number_form(two),
            (Kind::Text(one), Kind::Text(two)) => one == two,
            _ => false,
        }
    }
}

fn number_form(text: &str) -> String {
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => whole.to_string(),
        // A long row of digits is an id: a double would change it.
        (_, Ok(number)) if text.contains(['.', 'e', 'E']) => {
            let mut out = String::new();
            write_double(number, &mut out);
            out
        }
        _ => text.to_owned(),
    }
}

/// What a plain scalar is. A leading zero makes a text: `007` is a name, not seven.
pub(super) fn plain(text: String) -> Kind {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_number(&text) => Kind::Number(text),
        _ => Kind::Text(text),
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let padded = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !padded && digits(fraction) && digits(exponent)
}

/// Reads one document. None when it is none; the report says why.
pub(super) fn parse(source: Source, report: &mut Report<'_>) -> Option<Node> {
    let (text, name) = (source.text.clone(), source.name.clone());
    let source = report.add(source);
    let start = Place { source, start: 0, end: 0 };
    if text.len() > limits::CONFIG {
        let message = format!("{name} has {} bytes: the most is {}", text.len(), limits::CONFIG);
        report.error(start, message);
        return None;
    }
    let mut options = Options::default();
    options.disallow_directives = true;
    options.flow_nesting_limit = limits::CONFIG_DEPTH;
    options.block_nesting_limit = limits::CONFIG_DEPTH;
    // Printing may need ten characters for one of the key.
    options.simple_key_max_lookahead = 10 * limits::CONFIG_KEY + 10;
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(&text, options);
    let mut builder =
        Builder { source, report, open: Vec::new(), root: None, anchors: HashMap::new(), nodes: 0 };
    for event in parser {
        match event {
            Ok((event, span)) => builder.take(event, &span)?,
            Err(error) => {
                builder.refuse(&error, text.len());
                return None;
            }
        }
    }
    Some(builder.root.unwrap_or(Node { kind: Kind::Null, at: start }))
}

/// A list or map that is still being read.
struct Open {
    at: Place,
    anchor: usize,
    holds: Holds,
}

enum Holds {
    List(Vec<Node>),
    Map(Vec<Entry>, HashMap<String, Place>, Option<(String, Place)>),
}

struct Builder<'b, 'r> {
    source: usize,
    report: &'b mut Report<'r>,
    open: Vec<Open>,
    root: Option<Node>,
    /// What an alias stands for, and how many nodes that is.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Builder<'_, '_> {
    /// None: not worth to go on.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Option<()> {
        let at = self.place(span);
        let tag = match &event {
            Event::Scalar(.., tag)
            | Event::SequenceStart(.., tag)
            | Event::MappingStart(.., tag) => tag.is_some(),
            _ => false,
        };
        if tag {
            self.report.error(at, "tags (`!...`) have no meaning here");
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let kind = self.scalar(&text, style == ScalarStyle::Plain, at);
                self.complete(Node { kind, at }, &text, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open.push(Open { at, anchor, holds: Holds::List(Vec::new()) });
                Some(())
            }
            Event::MappingStart(_, anchor, _) => {
                let holds = Holds::Map(Vec::new(), HashMap::new(), None);
                self.open.push(Open { at, anchor, holds });
                Some(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => {
                let Some((mut node, size)) = self.anchors.get(&anchor).cloned() else {
                    self.report.error(at, "an alias inside of what it stands for");
                    return None;
                };
                self.report.alias(node.at, at);
                node.at = at;
                self.complete(node, "", 0, size)
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                self.report.error(at, "a second document: a config is one");
                None
            }
            _ => Some(()),
        }
    }

    fn scalar(&mut self, text: &str, is_plain: bool, at: Place) -> Kind {
        let replaced = match self.report.replace(text, is_plain, at) {
            Ok(replaced) => replaced.unwrap_or_else(|| text.to_owned()),
            Err(VariableError::Unset(name)) => {
                let fault =
                    self.report.error(at, format!("the variable `{}` is not set", cut(&name)));
                fault.help("set it, or write `${NAME:-a text to take instead}`");
                return Kind::Null;
            }
            Err(VariableError::Open(name)) => {
                let message =
                    format!("`${{{}` goes on neither with `}}` nor with `:-`", cut(&name));
                self.report.error(at, message).help("a literal `${` is written `$${`");
                return Kind::Null;
            }
        };
        if is_plain { plain(replaced) } else { Kind::Text(replaced) }
    }

    fn close(&mut self, end: Place) -> Option<()> {
        let Open { at, anchor, holds } = self.open.pop()?;
        let at = Place { end: end.end.max(at.end), ..at };
        let kind = match holds {
            Holds::List(nodes) => Kind::List(nodes),
            Holds::Map(entries, ..) => Kind::Map(entries),
        };
        self.complete(Node { kind, at }, "", anchor, 1)
    }

    /// A node is complete: it belongs to what is open. `raw` is how a scalar was written, for keys.
    fn complete(&mut self, node: Node, raw: &str, anchor: usize, size: usize) -> Option<()> {
        // An anchored value is kept a second time.
        let kept = if anchor == 0 { 0 } else { count(&node) };
        self.nodes += size + kept;
        if self.nodes > limits::CONFIG_NODES {
            let message = format!("more than {} values", limits::CONFIG_NODES);
            self.report.error(node.at, message);
            return None;
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), kept));
        }
        match self.open.last_mut().map(|open| &mut open.holds) {
            None => self.root = Some(node),
            Some(Holds::List(nodes)) => nodes.push(node),
            Some(Holds::Map(entries, _, key @ Some(_))) => {
                let (key, at) = key.take()?;
                entries.push(Entry { key, at, value: node });
            }
            Some(Holds::Map(_, seen, key)) => {
                let name = match &node.kind {
                    Kind::List(_) | Kind::Map(_) => {
                        self.report.error(node.at, "a key must be a text or a number");
                        String::new()
                    }
                    Kind::Null => raw.to_owned(),
                    _ => node.text_form().unwrap_or_default(),
                };
                if name.chars().count() > limits::CONFIG_KEY {
                    let message = format!("a key of more than {} characters", limits::CONFIG_KEY);
                    self.report.error(node.at, message);
                }
                if let Some(first) = seen.insert(name.clone(), node.at) {
                    let fault = self.report.error(node.at, format!("the key `{name}` comes twice"));
                    fault.also(first, "first here");
                }
                *key = Some((name, node.at));
            }
        }
        Some(())
    }

    fn refuse(&mut self, error: &ScanError, length: usize) {
        let start = error.marker().byte_offset().unwrap_or_default().min(length);
        let at = Place { source: self.source, start, end: start };
        self.report.error(at, format!("not YAML: {}", error.info()));
    }

    fn place(&self, span: &Span) -> Place {
        let start = span.start.byte_offset().unwrap_or_default();
        let end = span.end.byte_offset().unwrap_or_default();
        Place { source: self.source, start, end: end.max(start) }
    }
}

fn count(node: &Node) -> usize {
    match &node.kind {
        Kind::List(nodes) => 1 + nodes.iter().map(count).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|one| 1 + count(&one.value)).sum::<usize>(),
        _ => 1,
    }
}

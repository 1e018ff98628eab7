//! A document back to YAML: stable, and read again it is the same document.

use std::collections::HashMap;

use super::diagnostic::{Place, Written};
use super::document::{Kind, Node, plain};

/// The longest collection of scalars that stays on its line.
const INLINE: usize = 80;

/// The document as YAML.
pub(super) fn yaml(node: &Node) -> String {
    let mut out = String::new();
    match &node.kind {
        Kind::Map(entries) if !entries.is_empty() => block(node, 0, &mut out),
        Kind::List(nodes) if !nodes.is_empty() => block(node, 0, &mut out),
        _ => {
            flow(node, &mut out);
            out.push('\n');
        }
    }
    out
}

/// Puts scalars with variables back as they are written.
pub(super) fn unreplace(node: &mut Node, written: &HashMap<Place, Written>) {
    if let Some(Written { text, is_plain }) = written.get(&node.at) {
        // Only a plain scalar may become a number, and one with spaces never does.
        let is_word = *is_plain && !text.contains(char::is_whitespace);
        node.kind = Kind::Number(if is_word { text.clone() } else { quoted(text) });
    }
    match &mut node.kind {
        Kind::List(nodes) => nodes.iter_mut().for_each(|node| unreplace(node, written)),
        Kind::Map(entries) => {
            entries.iter_mut().for_each(|entry| unreplace(&mut entry.value, written));
        }
        _ => {}
    }
}

/// A list or map, an item a line, beginning where a line begins.
fn block(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match &node.kind {
        Kind::List(nodes) => {
            for node in nodes {
                out.push_str(&indent);
                out.push('-');
                value(node, depth, out);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                out.push_str(&indent);
                text(&entry.key, out);
                out.push(':');
                value(&entry.value, depth, out);
            }
        }
        _ => {}
    }
}

/// What stands behind `-` or `key:`, to the end of its lines.
fn value(node: &Node, depth: usize, out: &mut String) {
    let start = out.len();
    out.push(' ');
    flow(node, out);
    let short = out.len() - start <= INLINE && !is_nested(node);
    match node.kind {
        Kind::List(_) | Kind::Map(_) if !short => {
            out.truncate(start);
            out.push('\n');
            block(node, depth + 1, out);
        }
        _ => out.push('\n'),
    }
}

/// Whether it holds a list or map that is not empty.
fn is_nested(node: &Node) -> bool {
    let holds = |node: &Node| match &node.kind {
        Kind::List(nodes) => !nodes.is_empty(),
        Kind::Map(entries) => !entries.is_empty(),
        // A plain scalar with a variable has braces, which mean another thing on one line.
        Kind::Number(written) => written.contains("${"),
        _ => false,
    };
    match &node.kind {
        Kind::List(nodes) => nodes.iter().any(holds),
        Kind::Map(entries) => entries.iter().any(|entry| holds(&entry.value)),
        _ => false,
    }
}

fn flow(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::List(nodes) => {
            out.push('[');
            for (at, node) in nodes.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                flow(node, out);
            }
            out.push(']');
        }
        Kind::Map(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                text(&entry.key, out);
                out.push_str(": ");
                flow(&entry.value, out);
            }
            out.push('}');
        }
        _ => scalar(node, out),
    }
}

fn scalar(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Kind::Number(number) => out.push_str(number),
        Kind::Text(words) => text(words, out),
        _ => out.push_str("null"),
    }
}

/// A text, plain where nothing can be mistaken, else in double quotes.
fn text(text: &str, out: &mut String) {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/+".contains(&byte);
    // YAML 1.1 readers take these for booleans.
    let word = ["y", "n", "yes", "no", "on", "off"].iter().any(|w| text.eq_ignore_ascii_case(w));
    if first && !word && text.bytes().all(safe) && matches!(plain(text.to_owned()), Kind::Text(_)) {
        out.push_str(text);
        return;
    }
    out.push('"');
    let mut rest = text;
    // What would be a variable was none any more.
    while let Some((before, after)) = rest.split_once("${") {
        escape(before, out);
        out.push_str("$${");
        rest = after;
    }
    escape(rest, out);
    out.push('"');
}

/// A text in double quotes, its variables in place.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    escape(text, &mut out);
    out.push('"');
    out
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(character),
            _ if (character as u32) < 0x1_0000 => {
                out.push_str(&format!("\\u{:04x}", character as u32));
            }
            _ => out.push_str(&format!("\\U{:08x}", character as u32)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::diagnostic::{Report, Source};
    use super::super::document::{Entry, parse};
    use super::*;

    fn read(text: &str) -> Node {
        let mut report = Report::new(&|_| None);
        let source = Source { name: "printed".to_owned(), text: text.to_owned() };
        let node = parse(source, &mut report).expect("what is printed is YAML");
        assert!(!report.finish().failed, "{text}");
        node
    }

    fn node(kind: Kind) -> Node {
        Node { kind, ..Node::default() }
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[ -~]{0,12}",
            "[$a-z{}:~-]{0,8}",
            prop_oneof![Just("yes"), Just("null"), Just("1.50"), Just("on"), Just("0x1")]
                .prop_map(str::to_owned),
        ]
    }

    fn tree() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(node(Kind::Null)),
            any::<bool>().prop_map(|yes| node(Kind::Bool(yes))),
            any::<i32>().prop_map(|number| node(Kind::Number(number.to_string()))),
            (0_u32..1_000_000).prop_map(|n| node(Kind::Number(format!("{}.5e-3", n)))),
            text().prop_map(|text| node(Kind::Text(text))),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            let list = prop::collection::vec(inner.clone(), 0..6);
            let map = prop::collection::btree_map(text(), inner, 0..6).prop_map(|map| {
                let entry = |(key, value)| Entry { key, at: Default::default(), value };
                node(Kind::Map(map.into_iter().map(entry).collect()))
            });
            prop_oneof![list.prop_map(|nodes| node(Kind::List(nodes))), map]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_printed_is_read_back_the_same(tree in tree()) {
            let printed = yaml(&tree);
            let again = read(&printed);
            prop_assert_eq!(&again, &tree, "{}", printed);
            prop_assert_eq!(yaml(&again), printed);
        }
    }

    #[test]
    fn short_collections_stay_on_their_line() {
        let shown = yaml(&read("a: {b: [1, 2], c: 'yes'}\nd: [x, 'y: z']\ne: {}\n"));
        assert_eq!(shown, "a:\n  b: [1, 2]\n  c: \"yes\"\nd: [x, \"y: z\"]\ne: {}\n");
    }
}

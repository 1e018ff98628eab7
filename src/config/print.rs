//! A document back to YAML: stable, and read again it is the same document.

use super::document::{Kind, Node, plain};

/// The longest collection of scalars that stays on its line.
const INLINE: usize = 80;

/// The document as YAML.
pub(super) fn yaml(node: &Node) -> String {
    let mut out = String::new();
    match &node.kind {
        Kind::Map(entries) if entries.is_empty() => out.push_str("{}\n"),
        Kind::Map(_) | Kind::List(_) => block(node, 0, &mut out),
        _ => {
            scalar(node, &mut out);
            out.push('\n');
        }
    }
    out
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

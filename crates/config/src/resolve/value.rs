//! VALUE: where something comes from, how it is renamed, and what stands in for it.

use engine::limits;
use engine::rules::definition::{Alias, Expression, Mapping, Row, Source, Step};
use engine::rules::pattern::{Pattern, PatternError, Template};

use super::super::diagnostic::Place;
use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self, Fields};
use super::super::quantity;
use super::{EVERY, Resolver};

/// The keys of every VALUE.
const KEYS: [&str; 4] = ["from", "any_of", "map", "default"];

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn aliases(&mut self) -> Vec<Alias> {
        let entries = self.names.aliases.entries;
        entries.iter().map(|entry| self.alias(entry)).collect()
    }

    fn alias(&mut self, entry: &'n Entry) -> Alias {
        let name = &entry.key;
        let origins = ["span.", "resource.", "scope.", "event.", "log.", "point."];
        if let Some(origin) = origins.iter().find(|origin| name.starts_with(**origin)) {
            let message = format!("an alias `{name}` is out of reach: `{origin}` is an origin");
            self.report.error(entry.at, message);
        }
        let what = format!("the alias `{name}`");
        let (value, fields) = self.value(&entry.value, &what, &["hash"], EVERY);
        let hash = fields.and_then(|fields| fields.read("hash", fields::boolean, self.report));
        Alias { name: name.clone(), value, hash: hash.unwrap_or(false) }
    }

    /// A VALUE, and its fields when it was a map: `more` are the keys it may have beyond those of every VALUE.
    pub(super) fn value(
        &mut self,
        node: &'n Node,
        what: &str,
        more: &[&'static str],
        sources: &[Source],
    ) -> (Expression, Option<Fields<'n>>) {
        match &node.kind {
            Kind::Text(word) => {
                let reference = self.reference(word, node.at, sources);
                (Expression { steps: vec![Step::From(reference)], ..Expression::default() }, None)
            }
            Kind::Map(_) => {
                let known = [&KEYS[..], more].concat();
                let fields = Fields::of(node, what, &known, self.report);
                (self.expression(&fields, what, sources), Some(fields))
            }
            _ => {
                fields::expected(&format!("a reference or a map for {what}"), node, self.report);
                (Expression::default(), None)
            }
        }
    }

    fn expression(&mut self, fields: &Fields<'n>, what: &str, sources: &[Source]) -> Expression {
        let (from, any_of) = (fields.get("from"), fields.get("any_of"));
        let default = fields.read("default", fields::scalar, self.report);
        let steps = match (from, any_of) {
            (Some(from), Some(_)) => {
                self.report.error(from.at, "`from` and `any_of` at once: one of them is enough");
                Vec::new()
            }
            (Some(from), None) => match &from.kind {
                Kind::List(_) => {
                    let fault = fields::expected("a reference", from, self.report);
                    fault.help("several are tried in order by `any_of`");
                    Vec::new()
                }
                _ => fields::text(from, self.report)
                    .map(|word| Step::From(self.reference(word, from.at, sources)))
                    .into_iter()
                    .collect(),
            },
            (None, Some(list)) => self.steps(list, sources),
            (None, None) => {
                if default.is_none() {
                    let message = format!("{what} comes from nowhere");
                    let help = "say `from`, `any_of` or, for a constant, `default`";
                    self.report.error(fields.at, message).help(help);
                } else if let Some(map) = fields.get("map") {
                    self.report.error(map.at, "a `map` of nothing: say `from` or `any_of`");
                }
                Vec::new()
            }
        };
        if default.as_deref() == Some("")
            && let Some(node) = fields.get("default")
        {
            self.report.error(node.at, "an empty `default` is none: leave it out");
        }
        let seconds = from.is_some_and(|from| self.names.is_seconds(from, sources));
        let map = fields.get("map").and_then(|map| self.mapping(map, seconds));
        Expression { steps, map, default: default.filter(|text| !text.is_empty()) }
    }

    fn steps(&mut self, node: &'n Node, sources: &[Source]) -> Vec<Step> {
        let Some(nodes) = fields::list(node, self.report) else { return Vec::new() };
        if nodes.is_empty() {
            self.report.error(node.at, "an empty `any_of` yields nothing");
        }
        nodes.iter().filter_map(|node| self.step(node, sources)).collect()
    }

    fn step(&mut self, node: &'n Node, sources: &[Source]) -> Option<Step> {
        if let Kind::Text(word) = &node.kind {
            return Some(Step::From(self.reference(word, node.at, sources)));
        }
        if !matches!(node.kind, Kind::Map(_)) {
            fields::expected("a reference or `{when: ..., then: ...}`", node, self.report);
            return None;
        }
        let fields = Fields::of(node, "a step of `any_of`", &["when", "then"], self.report);
        let (Some(when), Some(then)) = (fields.get("when"), fields.get("then")) else {
            self.report.error(node.at, "a step needs both `when` and `then`");
            return None;
        };
        let condition = self.condition(when, sources);
        fields::scalar(then, self.report).map(|then| Step::When(condition, then))
    }

    fn mapping(&mut self, node: &'n Node, seconds: bool) -> Option<Mapping> {
        match &node.kind {
            Kind::Text(name) => self.table(name, node.at).map(Mapping::Table),
            Kind::Map(entries) => Some(Mapping::Rows(self.rows(entries, seconds))),
            _ => {
                fields::expected("rows or the name of a table for `map`", node, self.report);
                None
            }
        }
    }

    /// The index of a table.
    pub(super) fn table(&mut self, name: &str, at: Place) -> Option<usize> {
        let found = self.names.tables.find(name);
        if found.is_none() {
            let near = self.report.nearest(name, self.names.tables.names());
            let message = format!("there is no table `{}`", fields::cut(name));
            self.report.error(at, message).suggest(near);
        }
        found
    }

    /// Exact rows first, then as written.
    fn rows(&mut self, entries: &'n [Entry], seconds: bool) -> Vec<(Row, Template)> {
        let mut rows = Vec::new();
        let mut caught: Option<Place> = None;
        for entry in entries {
            let Some((row, template)) = self.row(entry, seconds) else { continue };
            let exact = matches!(row, Row::Text(Pattern::Exact(_)));
            if let Some(star) = caught
                && !exact
            {
                let message = format!("the row `{}` is never reached", fields::cut(&entry.key));
                self.report.warning(entry.at, message).also(star, "this row takes all");
            }
            if entry.key == "*" {
                caught = Some(entry.at);
            }
            rows.push((row, template));
        }
        rows.sort_by_key(|(row, _)| !matches!(row, Row::Text(Pattern::Exact(_))));
        rows
    }

    fn row(&mut self, entry: &'n Entry, seconds: bool) -> Option<(Row, Template)> {
        let text = fields::scalar(&entry.value, self.report)?;
        let (row, captures) = match range(&entry.key) {
            Some((low, high)) => (self.range(entry, low, high, seconds)?, 0),
            None => {
                let pattern = self.pattern(&entry.key, entry.at)?;
                let captures = pattern.captures();
                (Row::Text(pattern), captures)
            }
        };
        match Template::parse(&text, captures) {
            Ok(template) => Some((row, template)),
            Err(PatternError::Capture(part)) => {
                let message =
                    format!("`${part}` has no part to stand for: the row captures {captures}");
                self.report.error(entry.value.at, message).also(entry.at, "this row");
                None
            }
            Err(error) => {
                self.report.error(entry.value.at, error.to_string());
                None
            }
        }
    }

    fn range(&mut self, entry: &Entry, low: &str, high: &str, seconds: bool) -> Option<Row> {
        let read = |text: &str, open: f64| match (text, text.parse::<f64>()) {
            ("", _) => Some((open, true)),
            (_, Ok(number)) => Some((number, false)),
            _ => quantity::seconds(text).or_else(|| quantity::bytes(text)).map(|n| (n, true)),
        };
        let (low, with) = read(low, f64::NEG_INFINITY)?;
        let (high, too) = read(high, f64::INFINITY)?;
        if seconds && !(with && too) {
            let fault = self.report.error(entry.at, "a range of times needs units");
            fault.help("write `1s..5s`");
        }
        if low > high {
            let message = format!("the range `{}` is empty: its ends change places", entry.key);
            self.report.error(entry.at, message);
        }
        Some(Row::Range(low, high))
    }

    /// A text pattern, with the regular expression's own words when it is none.
    pub(super) fn pattern(&mut self, text: &str, at: Place) -> Option<Pattern> {
        if text.starts_with('/') {
            self.regexes += 1;
        }
        if self.regexes > limits::REGEXES {
            let message = format!("more than {} regular expressions", limits::REGEXES);
            self.report.error(at, message);
            return None;
        }
        match Pattern::parse(text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.report.error(at, error.to_string());
                None
            }
        }
    }
}

/// The two ends of `a..b`, when both are numbers or left out, but not both left out.
fn range(key: &str) -> Option<(&str, &str)> {
    let (low, high) = key.split_once("..")?;
    let fits = |text: &str| {
        let starts = text.bytes().next().is_none_or(|byte| byte.is_ascii_digit() || byte == b'-');
        let number = text.parse().is_ok_and(f64::is_finite);
        let unit = quantity::seconds(text).or_else(|| quantity::bytes(text)).is_some();
        starts && (text.is_empty() || number || unit)
    };
    (fits(low) && fits(high) && !(low.is_empty() && high.is_empty())).then_some((low, high))
}

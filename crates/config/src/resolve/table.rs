//! `tables`: rows for lookups, inline or from a file.

use std::collections::HashMap;

use engine::limits;
use engine::rules::definition::Table;

use super::super::Files;
use super::super::diagnostic::Source;
use super::super::document::{self, Entry, Kind, Node};
use super::super::fields;
use super::Resolver;

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn tables(&mut self, files: Files<'_>) -> Vec<Table> {
        let entries = self.names.tables.entries;
        entries.iter().map(|entry| self.read_table(entry, files)).collect()
    }

    fn read_table(&mut self, entry: &'n Entry, files: Files<'_>) -> Table {
        let what = format!("the table `{}`", entry.key);
        let rows = match entry.value.entries() {
            [file] if file.key == "file" => match self.read_file(&file.value, files) {
                Some(read) => self.rows_of(&read, &what),
                None => HashMap::new(),
            },
            _ => self.rows_of(&entry.value, &what),
        };
        Table { name: entry.key.clone(), rows }
    }

    fn read_file(&mut self, path: &Node, files: Files<'_>) -> Option<Node> {
        let name = fields::text(path, self.report)?;
        if !self.report.has_room() {
            let message = format!("the tables have more than {} bytes", limits::CONFIG_TOTAL);
            self.report.error(path.at, message);
            return None;
        }
        match files(name) {
            Ok(text) => document::parse(Source { name: name.to_owned(), text }, self.report),
            Err(error) => {
                // The kind, not the system's own words: those differ from one to the next.
                let message = format!("can't read `{}`: {}", fields::cut(name), error.kind());
                self.report.error(path.at, message);
                None
            }
        }
    }

    fn rows_of(&mut self, node: &Node, what: &str) -> HashMap<String, String> {
        let entries = fields::map(node, what, self.report).unwrap_or_default();
        if entries.len() > limits::TABLE_ROWS {
            let message = format!("{what} has more than {} rows", limits::TABLE_ROWS);
            self.report.error(node.at, message);
            return HashMap::new();
        }
        let mut rows = HashMap::with_capacity(entries.len());
        for Entry { key, value, .. } in entries {
            if matches!(value.kind, Kind::Null) {
                let fault = self.report.error(value.at, format!("the row `{key}` has no value"));
                fault.help("what a table lacks is missing: leave the row out");
            } else if let Some(text) = fields::scalar(value, self.report) {
                rows.insert(key.clone(), text);
            }
        }
        rows
    }
}

//! A table no wider than a terminal: the first column gives way, then the last, then those between; numbers stand to the right.

use std::fmt::Write;

use engine::limits;

use super::words;

/// A table that is being filled.
pub(super) struct Table {
    /// What stands in front of each row.
    indent: usize,
    /// By how much less the titles are indented.
    out: usize,
    rows: Vec<Vec<String>>,
    /// Which columns are numbers, and so stand to the right.
    numbers: Vec<bool>,
}

/// What stands between two columns.
const GAP: usize = 2;
/// The least a column that gives way is cut to, and the first one as long as others can.
const LEAST: usize = 24;
const WIDE: usize = 40;

impl Table {
    /// With these titles, which stand two columns further out than the rows; those of columns of numbers begin with `#`.
    pub(super) fn new(indent: usize, titles: &[&str]) -> Self {
        let numbers = titles.iter().map(|title| title.starts_with('#')).collect();
        let titles = titles.iter().map(|title| title.trim_start_matches('#').to_owned());
        Self { indent, out: indent.min(GAP), rows: vec![titles.collect()], numbers }
    }

    /// One more row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes it.
    pub(super) fn write(&self, out: &mut String) {
        let widths = self.widths();
        for (at, row) in self.rows.iter().enumerate() {
            let out_by = if at == 0 { self.out } else { 0 };
            let mut line = " ".repeat(self.indent - out_by);
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let width = width + if column == 0 { out_by } else { 0 };
                let cell = words::cut(cell, width);
                let _ = match self.numbers.get(column) {
                    Some(true) => write!(line, "{cell:>width$}"),
                    _ => write!(line, "{cell:width$}"),
                };
                line.push_str(&" ".repeat(GAP));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }

    /// The columns' widths: as wide as they need to be, unless the line is too long for that.
    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![0; self.numbers.len()];
        for (at, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&mut widths).enumerate() {
                let beside = if at == 0 && column == 0 { self.out } else { 0 };
                *width = (*width).max(cell.chars().count().saturating_sub(beside));
            }
        }
        let all: usize = self.indent + widths.iter().map(|width| width + GAP).sum::<usize>() - GAP;
        let mut over = all.saturating_sub(limits::EXPLAINED_WIDTH);
        let last = widths.len().saturating_sub(1);
        let steps = [(0, WIDE), (last, LEAST), (0, LEAST)];
        for (column, least) in steps.into_iter().chain((1..last).map(|column| (column, LEAST))) {
            if let Some(width) = widths.get_mut(column) {
                let less = over.min(width.saturating_sub(least));
                (*width, over) = (*width - less, over - less);
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be_and_the_line_fits() {
        let mut table = Table::new(2, &["Spans", "#seen", "taken by"]);
        table.row(["chat".into(), "1,000".into(), "a".into()]);
        table.row(["x".repeat(300), "7".into(), "y".repeat(300)]);
        let mut out = String::new();
        table.write(&mut out);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines[0].starts_with("Spans  ") && lines[0].ends_with("seen  taken by"), "{out}");
        assert!(lines[1].starts_with("  chat  ") && lines[1].ends_with("1,000  a"), "{out}");
        assert!(lines.iter().all(|line| line.chars().count() <= limits::EXPLAINED_WIDTH), "{out}");
    }
}

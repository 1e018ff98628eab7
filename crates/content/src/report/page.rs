//! The report itself, before anybody decides how it looks. As JSON this is the document of `--format json`.

use serde::Serialize;

use super::Unit;

/// A report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    /// First day, `2026-11-19`, UTC.
    pub from: String,
    /// Last moment's day.
    pub until: String,
    /// How many days the period has; the one before is as long.
    pub days: f64,
    /// What deserves a look, worst first; empty: nothing does.
    pub notes: Vec<String>,
    /// The few numbers that say it all.
    pub figures: Vec<Figure>,
    /// Details.
    pub tables: Vec<Table>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What it is, in plain words.
    pub title: String,
    /// How it is made and what is left out, one sentence.
    pub about: String,
    /// Its unit.
    pub unit: Unit,
    /// The number; none: nothing was counted, or too little for a share.
    pub value: Option<f64>,
    /// The same of the period before.
    pub before: Option<f64>,
    /// What a share or a rank is founded on.
    pub events: Option<f64>,
}

/// Details by a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// What it tells.
    pub title: String,
    /// Headings.
    pub columns: Vec<String>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number.
    Number {
        /// None: there is none, or too little for a share.
        value: Option<f64>,
        /// Its unit.
        unit: Unit,
    },
}

impl Figure {
    /// The number in words.
    pub fn told(&self) -> String {
        self.value.map_or("too few to say".to_owned(), |value| self.unit.told(value))
    }

    /// How it changed, in words; none when there is nothing to compare.
    pub fn change(&self) -> Option<String> {
        self.value.zip(self.before).and_then(|(value, before)| self.unit.change(value, before))
    }
}

impl Table {
    /// Whether a column is one of numbers.
    pub fn is_number(&self, column: usize) -> bool {
        self.rows.first().and_then(|row| row.get(column)).is_some_and(Cell::is_number)
    }
}

impl Cell {
    /// What stands in it.
    pub fn told(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number { value, unit } => {
                value.map_or("\u{2013}".to_owned(), |value| unit.told(value))
            }
        }
    }

    /// Whether it stands at the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number { .. })
    }
}

//! Snapshots to bytes, in every format a scraper may ask for.
//!
//! A body has a *form*: `protobuf`, or lines (`rows`) in a *dialect* (`text`, `openmetrics`). What can't be written truthfully is quarantined: left out and counted, and the
//! scrape goes on. This room knows no store, no socket and no clock, and never learns why a value
//! is what it is.

mod check;
mod classic;
mod compress;
mod escape;
mod labels;
mod list;
mod negotiate;
mod number;
mod openmetrics;
mod protobuf;
mod rows;
mod shown;
mod text;
mod writer;

use crate::model::{MetricName, Row};

pub use crate::model::Escaping;

pub use check::Fault;
pub use compress::{Coder, ContentEncoding, encoding};
pub use negotiate::{Format, Syntax, format};
pub use number::edge;
pub use writer::{Writer, write};

use shown::Shown;

/// How a body is put together. Only what [`check`] found sound gets here.
trait Form {
    /// What stands before a family's rows, of which there is one at least.
    fn begin(&mut self, shown: &Shown, out: &mut Vec<u8>);

    /// One row.
    fn row(&mut self, shown: &Shown, row: &Row, out: &mut Vec<u8>);

    /// What stands after a family's rows.
    fn end(&mut self, shown: &Shown, out: &mut Vec<u8>);

    /// What stands at the end of the body.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// What an operator may choose about a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether OpenMetrics shows `_created` lines. Off, because a server that does not ask for them
    /// stores each as a series.
    pub created_lines: bool,
}

/// What became of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows left out, because no reader could take them or they would lie.
    pub quarantined: u64,
    /// The first of them: its family and what is wrong.
    pub first: Option<(MetricName, Fault)>,
}

impl Written {
    fn leave_out(&mut self, name: &MetricName, rows: usize, fault: Fault) {
        self.quarantined = self.quarantined.saturating_add(rows as u64);
        self.first.get_or_insert_with(|| (name.clone(), fault));
    }
}

//! Snapshots to bytes, in every format a scraper may ask for.
//!
//! A body has a *form*: `protobuf`, or lines (`rows`) in a *dialect* (`text`, `openmetrics`). What can't be written truthfully is quarantined: left out and counted, and the
//! scrape goes on. This room knows no store, no socket and no clock, and never learns why a value
//! is what it is.

mod check;
mod classic;
mod compress;
mod escape;
mod list;
mod negotiate;
mod number;
mod openmetrics;
mod protobuf;
mod rows;
mod shown;
mod text;

use crate::model::{FamilySnapshot, MetricName, Row};

pub use check::Fault;
pub use compress::{ContentEncoding, encoding};
pub use negotiate::{Escaping, Format, Syntax, format};
pub use number::edge;

use check::Names;
use openmetrics::OpenMetrics;
use protobuf::Protobuf;
use rows::Lines;
use shown::Shown;
use text::Text;

/// How a body is put together. Only what [`check`] found sound gets here.
trait Form {
    /// Every name that a reader of this form takes as belonging to the family.
    fn names(&self, shown: &Shown<'_>) -> Vec<String>;

    /// What stands before a family's rows.
    fn begin(&mut self, shown: &Shown<'_>, out: &mut Vec<u8>);

    /// One row.
    fn row(&mut self, shown: &Shown<'_>, row: &Row, out: &mut Vec<u8>);

    /// What stands after a family's rows, of which there was one at least.
    fn end(&mut self, shown: &Shown<'_>, out: &mut Vec<u8>);
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

/// Appends a whole body to `out`: the families in their order, each as one group. A family without
/// a row to show is left out.
///
/// That no label set comes twice in a family is the promise of [`FamilySnapshot`] and is not
/// checked again.
pub fn write(
    families: &[FamilySnapshot],
    format: Format,
    options: Options,
    out: &mut Vec<u8>,
) -> Written {
    let names = format.escaping();
    match format.syntax {
        Syntax::Text0_0_4 | Syntax::Text1_0_0 => body(families, names, Lines::new(Text), out),
        Syntax::OpenMetrics0_0_1 | Syntax::OpenMetrics1_0_0 => {
            let dialect = OpenMetrics { created: options.created_lines };
            let written = body(families, names, Lines::new(dialect), out);
            out.extend_from_slice(b"# EOF\n");
            written
        }
        Syntax::Protobuf => body(families, names, Protobuf::default(), out),
    }
}

fn body(
    families: &[FamilySnapshot],
    scheme: Escaping,
    mut form: impl Form,
    out: &mut Vec<u8>,
) -> Written {
    let (mut written, mut names) = (Written::default(), Names::default());
    for snapshot in families.iter().filter(|snapshot| !snapshot.rows.is_empty()) {
        let family = &*snapshot.family;
        let shown = Shown::new(family, scheme);
        let sound = check::family(family).and_then(|()| names.take(form.names(&shown)));
        if let Err(fault) = sound {
            written.leave_out(&family.name, snapshot.rows.len(), fault);
            continue;
        }
        let before = out.len();
        form.begin(&shown, out);
        let head = out.len();
        for row in &snapshot.rows {
            match check::row(&shown, row) {
                Ok(()) => form.row(&shown, row, out),
                Err(fault) => written.leave_out(&family.name, 1, fault),
            }
        }
        if out.len() == head {
            out.truncate(before);
        } else {
            form.end(&shown, out);
        }
    }
    written
}

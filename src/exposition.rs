//! Snapshots to bytes, in every format a scraper may ask for.
//!
//! A family is written by a *dialect* (`text`, `openmetrics`) over the lines both share
//! (`rows`). What can't be written truthfully is quarantined: left out and counted, and the
//! scrape goes on. This room knows no store, no socket and no clock, and never learns why a value
//! is what it is.

mod check;
mod compress;
mod escape;
mod list;
mod negotiate;
mod number;
mod openmetrics;
mod rows;
mod text;

use crate::model::{FamilySnapshot, MetricName};

pub use check::Fault;
pub use compress::{ContentEncoding, encoding};
pub use negotiate::{Escaping, Format, Syntax, format};
pub use number::edge;

use check::Names;
use openmetrics::OpenMetrics;
use rows::{Dialect, Rows};
use text::Text;

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
    match format.syntax {
        Syntax::Text0_0_4 | Syntax::Text1_0_0 => body(families, &Text, out),
        Syntax::OpenMetrics0_0_1 | Syntax::OpenMetrics1_0_0 => {
            let written = body(families, &OpenMetrics { created: options.created_lines }, out);
            out.extend_from_slice(b"# EOF\n");
            written
        }
    }
}

fn body<D: Dialect>(families: &[FamilySnapshot], dialect: &D, out: &mut Vec<u8>) -> Written {
    let (mut written, mut names, mut rows) =
        (Written::default(), Names::default(), Rows::default());
    for snapshot in families.iter().filter(|snapshot| !snapshot.rows.is_empty()) {
        let family = &*snapshot.family;
        let sound = check::family(family).and_then(|()| names.take(dialect.names(family)));
        if let Err(fault) = sound {
            written.leave_out(&family.name, snapshot.rows.len(), fault);
            continue;
        }
        let before = out.len();
        dialect.head(family, out);
        let head = out.len();
        rows.begin(family);
        for row in &snapshot.rows {
            match check::row(family, row) {
                Ok(()) => rows.write(dialect, family, row, out),
                Err(fault) => written.leave_out(&family.name, 1, fault),
            }
        }
        if out.len() == head {
            out.truncate(before);
        }
    }
    written
}

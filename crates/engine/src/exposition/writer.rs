//! A body on its way: pieces of families in, bytes out.

use std::sync::Arc;

use crate::model::{Escaping, FamilySnapshot};

use super::check::{self, Names};
use super::negotiate::{Format, Syntax};
use super::openmetrics::OpenMetrics;
use super::protobuf::Protobuf;
use super::rows::Lines;
use super::shown::Shown;
use super::text::Text;
use super::{Fault, Form, Options, Written};

/// Writes one body. What it was given may be forgotten, and what it has written sent, before the next piece comes.
pub struct Writer {
    form: Box<dyn Form + Send>,
    scheme: Escaping,
    names: Names,
    open: Option<Open>,
    written: Written,
}

/// The family whose pieces are coming.
struct Open {
    shown: Shown,
    /// Why none of it is shown.
    fault: Option<Fault>,
    /// Whether a row of it was.
    begun: bool,
}

impl Writer {
    /// An empty body.
    pub fn new(format: Format, options: Options) -> Self {
        let form: Box<dyn Form + Send> = match format.syntax {
            Syntax::Text0_0_4 | Syntax::Text1_0_0 => Box::new(Lines::new(Text)),
            Syntax::OpenMetrics0_0_1 | Syntax::OpenMetrics1_0_0 => {
                Box::new(Lines::new(OpenMetrics::new(options.created_lines)))
            }
            Syntax::Protobuf => Box::new(Protobuf::default()),
        };
        let (names, written) = (Names::default(), Written::default());
        Self { form, scheme: format.escaping(), names, open: None, written }
    }

    /// Appends a family, or one more piece of the one before, to `out`. A family without a row to show is left out.
    ///
    /// That no label set comes twice in a family is the promise of [`FamilySnapshot`] and is not checked again.
    pub fn piece(&mut self, piece: &FamilySnapshot, out: &mut Vec<u8>) {
        if piece.rows.is_empty() {
            return;
        }
        let more = self.open.take_if(|open| Arc::ptr_eq(&open.shown.family, &piece.family));
        let mut open = more.unwrap_or_else(|| self.begin(piece, out));
        let name = &piece.family.name;
        if let Some(fault) = open.fault {
            self.written.leave_out(name, piece.rows.len(), fault);
        } else {
            for row in &piece.rows {
                if let Err(fault) = check::row(&open.shown, row) {
                    self.written.leave_out(name, 1, fault);
                    continue;
                }
                if !open.begun {
                    self.form.begin(&open.shown, out);
                    open.begun = true;
                }
                self.form.row(&open.shown, row, out);
            }
        }
        self.open = Some(open);
    }

    fn begin(&mut self, piece: &FamilySnapshot, out: &mut Vec<u8>) -> Open {
        self.end(out);
        let shown = Shown::new(&piece.family, self.scheme);
        let sound = check::family(&piece.family);
        let sound = sound.and_then(|()| self.names.take(&shown));
        Open { shown, fault: sound.err(), begun: false }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = self.open.take().filter(|open| open.begun) {
            self.form.end(&open.shown, out);
        }
    }

    /// Appends the end of the body.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Written {
        self.end(out);
        self.form.finish(out);
        self.written
    }
}

/// Appends a whole body to `out`: the families in their order, each as one group.
pub fn write(
    families: &[FamilySnapshot],
    format: Format,
    options: Options,
    out: &mut Vec<u8>,
) -> Written {
    let mut writer = Writer::new(format, options);
    for family in families {
        writer.piece(family, out);
    }
    writer.finish(out)
}

//! Lines no wider than a terminal.

use std::io::{self, Write};

use engine::limits;

/// Where lines go. Who does not listen any more is not told of it.
pub(super) struct Paper<'o> {
    out: &'o mut dyn Write,
    gone: bool,
}

/// Columns of the word that a line begins with, and what follows it.
const WORD: usize = 6;

impl<'o> Paper<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out, gone: false }
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        let write = |out: &mut dyn Write| -> io::Result<()> { out.write_all(bytes) };
        self.gone = self.gone || write(self.out).is_err();
    }

    /// A line that begins with a word, wrapped between words; what follows the first line stands below its text.
    pub(super) fn line(&mut self, indent: usize, word: &str, text: &str) {
        let hang = indent + if word.is_empty() { 0 } else { WORD };
        let mut line = format!("{:indent$}{word}", "");
        if !word.is_empty() {
            line = format!("{line:hang$}");
        }
        let mut column = hang;
        for (at, piece) in text.split(' ').enumerate() {
            let width = piece.chars().count();
            if at > 0 && column + 1 + width > limits::EXPLAINED_WIDTH {
                column = fold(&mut line, hang);
            } else if at > 0 {
                line.push(' ');
                column += 1;
            }
            // A word wider than all of it is broken where the line ends.
            for character in piece.chars() {
                if column >= limits::EXPLAINED_WIDTH {
                    column = fold(&mut line, hang);
                }
                line.push(character);
                column += 1;
            }
        }
        line.push('\n');
        self.raw(line.as_bytes());
    }

    /// A blank line.
    pub(super) fn gap(&mut self) {
        self.raw(b"\n");
    }
}

/// Goes on in the next line, and says in which column.
fn fold(line: &mut String, hang: usize) -> usize {
    line.push('\n');
    line.push_str(&" ".repeat(hang + 2));
    hang + 2
}

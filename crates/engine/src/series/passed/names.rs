//! Owners of the names that senders' families may or may not have.

use crate::model::{Claims, Declaration, Kind};

/// Why a name can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// It, or a name of the family's samples, is reserved or that of another family.
    #[error("the name is declared, reserved or that of another metric's samples")]
    Name,
    /// A sender's metric has the name, and is of another kind.
    #[error("the name is that of a metric of another kind")]
    Kind,
}

/// Names that are claimed.
#[derive(Debug, Default)]
pub(super) struct Names(Claims<()>);

impl Names {
    pub(super) fn new<'d>(declared: impl Iterator<Item = &'d Declaration>) -> Self {
        let mut names = Self::default();
        for (name, kind) in declared.flat_map(Declaration::families) {
            // `check` found that they don't clash with each other.
            let _ = names.0.take(&name, kind, ());
        }
        names
    }

    /// Whether all names of such a family are free.
    pub(super) fn check(&self, name: &str, kind: Kind) -> Result<(), Taken> {
        self.0.check(name, kind).map_err(|_| Taken::Name)
    }

    /// Takes them all for a sender, or none.
    pub(super) fn take(&mut self, name: &str, kind: Kind) -> Result<(), Taken> {
        self.0.take(name, kind, ()).map_err(|_| Taken::Name)
    }

    /// Gives them back.
    pub(super) fn free(&mut self, name: &str, kind: Kind) {
        self.0.free(name, kind);
    }
}

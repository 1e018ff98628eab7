//! (being written)

use super::{Artifact, Catalogue};

/// Its files.
pub fn artifacts(_catalogue: &Catalogue<'_>) -> Vec<Artifact> {
    Vec::new()
}

//! Who somebody is without saying it.

use serde::{Deserialize, Serialize};

/// A personal value as a keyed 64-bit hash: the only form in which ids are ever held. Uniform, so it also feeds sketches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pseudonym(pub u64);

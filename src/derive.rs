//! What a record implies beyond its fields: for how many it stands, and whether it came before.
//!
//! Pure state with time as a value; it knows no rules, no series and no transport.

mod repeats;
mod weight;

pub use repeats::{Fingerprint, Repeats};
pub use weight::weight;

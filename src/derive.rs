//! What a record implies beyond its fields: for how many it stands, whether it came before, what a sender's name is called
//! here, what a sender's point adds to a series, and which turns make a conversation.
//!
//! Pure state with time as a value; it knows no rules, no series and no transport.

mod repeats;
pub mod sessions;
pub mod streams;
pub mod translate;
mod weight;

pub use repeats::{Fingerprint, KeptRepeats, Keys, Repeats};
pub use weight::weight;

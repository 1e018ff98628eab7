//! The state: label sets and their values, budgets, expiry.
//!
//! A series is its family and its label values, compared in full. Each family has its own lock, held for one batch of changes or
//! one piece of a copy. Series come in groups: all declared combinations that share the same open-ended values come, count
//! against the budgets and go together. It knows no telemetry, no rules and no format.

mod admission;
mod budget;
mod cell;
mod copies;
mod distinct;
mod family;
mod guarded;
mod kept;
mod passed;
mod state;
mod store;

pub use budget::Budget;
pub use cell::Sample;
pub use copies::Copies;
pub use distinct::{Distinct, Quarter, Registers};
pub use family::{Applied, Change, FamilyStore, Writer};
pub use kept::KeptFamily;
pub use passed::{
    Birth, Effect, First, KeptPassed, Owner, OwnerOf, Passed, PassedFamily, Place, Room, Taken,
};
pub use store::{FamilyCount, Store};

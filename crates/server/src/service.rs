//! The running service: the config that was asked for, the threads that serve it, reload, and state over restarts.
//!
//! | module | holds |
//! |---|---|
//! | `options` | what was asked for, and the config, put together |
//! | [`source`], `container`, `descriptors`, `load` | where a config comes from: files and the environment; how much memory and how many
//! descriptors there are; what was asked for, checked |
//! | [`state`] | what is kept on disk |
//! | `part`, `running` | a thread with its runtime; the three of them and what they share |
//! | `reload` | what a config that is read again changes |
//! | `session`, `signals`, `panics` | a service from its start to the signal that ends it |
//!
//! It knows no arguments: whoever starts it says what is wanted in [`Overrides`].

mod container;
mod descriptors;
mod engine_log;
mod load;
mod options;
mod panics;
mod part;
mod reload;
mod running;
mod session;
mod signals;
pub mod source;
pub mod state;

pub use options::{Overrides, ServeOptions};
pub use part::runtime;
pub use running::{Running, start};
pub use session::{Session, stop_asked};

//! Sockets with bounds and deadlines: what receivers and scrape share.
//!
//! Bytes come in and go out here under a clock and a cap; what they mean is unknown in this room: it sees no OTLP, no metric and
//! no config.

mod closer;
pub mod connection;
mod connections;
pub mod deadline;
pub mod drain;
mod events;
pub mod listener;
pub mod protocol;
pub mod tls;

pub use closer::Closer;
pub use connections::Activity;
pub use deadline::{Deadlined, Deadlines, Opening};
pub use drain::{Drain, Drained};
pub use events::ListenerEvents;
pub use listener::{Accepted, Address, BindError, Bound, Door, bind};

/// An error and what is behind it; hyper's own words are few.
pub fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

//! The running service: sockets, receivers, forwarding, the web port, the exporter's own metrics, state on disk.
//!
//! It is the only crate below the command line that opens sockets, reads files and asks what time it is; it knows no arguments.
//!
//! | modules, from the bottom to the top | hold |
//! |---|---|
//! | [`clock`], [`exit`], [`live`], [`log_limit`], [`secret`], `hops`, [`net`] | the time; how a process ends; settings that a reload changes; a
//! rate limit for log lines; random keys; the mark of forwarded requests; listening, deadlines, draining, TLS |
//! | [`self_metrics`] | the exporter's own metrics |
//! | [`receivers`], [`forwarders`], [`scrape`] | OTLP in; OTLP on; the web port |
//! | [`service`] | all of it together: threads, reload, the state directory |

pub mod clock;
pub mod exit;
pub mod forwarders;
mod hops;
pub mod live;
pub mod log_limit;
pub mod net;
pub mod receivers;
pub mod scrape;
pub mod secret;
pub mod self_metrics;
pub mod service;

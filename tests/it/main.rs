//! One integration binary: each module is one promise seen from outside.

// The whole binary is a test, helpers included.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cli;
mod drain;
mod grpc;
mod hostile;
mod http;
mod support;

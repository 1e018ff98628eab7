//! One integration binary: each module is one promise seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod cli;
mod config;
mod demo;
mod drain;
mod engine;
mod explain;
mod exposition;
mod grpc;
mod hostile;
mod http;
mod layers;
mod points;
mod support;
mod traffic;
mod wire_oracle;

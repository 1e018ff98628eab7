//! One integration binary: each module is one promise seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod config;
mod exposition;
mod layers;
mod wire_oracle;

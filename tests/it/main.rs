//! One integration binary: each module is one promise seen from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test fails by panicking

mod allocations;
mod certificates;
mod cli;
mod config;
mod conservation;
mod cycles;
mod dashboards;
mod demo;
mod drain;
mod engine;
mod explain;
mod explore;
mod exposition;
mod forward;
mod grpc;
mod hostile;
mod http;
mod inventory;
mod layers;
mod linger;
mod names;
mod packs;
mod passthrough;
mod people;
mod points;
mod privacy;
mod rule_index;
mod rules;
mod scrapers;
mod series;
mod state;
mod support;
mod traffic;
mod web;
mod wire_oracle;

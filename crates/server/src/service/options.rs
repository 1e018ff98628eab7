//! What a service is to do: what was asked for beside the config, and both put together.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::live::{Live, LiveSettings};
use crate::net::{Address, Deadlines};
use crate::scrape::{Access, MarkScrape};
use config::{Forward, Settings};

/// What was asked for beside the config, and wins over it.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The config; none: the built-in `use: [oscar]`.
    pub config_file: Option<PathBuf>,
    /// A folder whose packs come before the built-in ones of the same name.
    pub packs: Option<PathBuf>,
    /// Whether a config with faults keeps nothing from starting.
    pub config_fallback: bool,
    /// Where state is kept.
    pub state_dir: Option<PathBuf>,
    /// TLS and passwords of the web port.
    pub web_config_file: Option<PathBuf>,
    /// Addresses of the web port; none: the config's.
    pub web_listen: Vec<String>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether other machines may reload without a password.
    pub lifecycle: bool,
    /// Addresses of OTLP over gRPC; none: the config's.
    pub grpc_listen: Vec<String>,
    /// Addresses of OTLP over HTTP; none: the config's.
    pub http_listen: Vec<String>,
}

/// Everything a server needs to know, flags and config put together.
#[derive(Clone)]
pub struct ServeOptions {
    /// Where OTLP over gRPC comes in.
    pub grpc: Vec<Address>,
    /// Where OTLP over HTTP comes in.
    pub http: Vec<Address>,
    /// Where Prometheus and people look.
    pub web: Vec<Address>,
    /// Who of them may; a reload may change it.
    pub access: Arc<Access>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// Whether other machines may reload without a password.
    pub lifecycle: bool,
    /// What a reload may change.
    pub live: Live,
    /// Marks completed scrapes; none: no state is kept.
    pub mark_scrape: Option<MarkScrape>,
    /// Connections at once of each listener for OTLP; none: as many as usual.
    pub connections: Option<usize>,
    /// Where what was taken is passed on to.
    pub forward: Vec<Forward>,
    /// The patience there is.
    pub deadlines: Deadlines,
}

impl ServeOptions {
    /// What was asked for, and the config where nothing was.
    pub fn new(asked: &Overrides, settings: &Settings) -> Self {
        let server = &settings.server;
        Self {
            grpc: otlp_addresses(asked, settings).0,
            http: otlp_addresses(asked, settings).1,
            web: addresses(&asked.web_listen, vec![Address::asked(server.web.to_string())]),
            access: Arc::default(),
            telemetry_path: asked.telemetry_path.clone(),
            lifecycle: asked.lifecycle,
            live: Live::new(LiveSettings::of(settings)),
            mark_scrape: None,
            connections: server.connections,
            forward: settings.forward.clone(),
            deadlines: Deadlines::default(),
        }
    }
}

/// Where OTLP comes in, gRPC and HTTP: what was asked for, and the config where nothing was.
pub(super) fn otlp_addresses(
    asked: &Overrides,
    settings: &Settings,
) -> (Vec<Address>, Vec<Address>) {
    let server = &settings.server;
    (
        addresses(&asked.grpc_listen, configured(&server.grpc, 4317)),
        addresses(&asked.http_listen, configured(&server.http, 4318)),
    )
}

fn addresses(flags: &[String], config: Vec<Address>) -> Vec<Address> {
    match flags {
        [] => config,
        flags => flags.iter().map(Address::asked).collect(),
    }
}

/// The config's addresses. The usual two are the defaults, and a machine without IPv6 does without the second.
fn configured(addresses: &[SocketAddr], port: u16) -> Vec<Address> {
    let all: Vec<Address> =
        addresses.iter().map(|address| Address::asked(address.to_string())).collect();
    let defaults = Address::defaults(port);
    if Address::texts(&all) == Address::texts(&defaults) { defaults } else { all }
}

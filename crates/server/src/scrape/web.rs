//! What the web port shows and how: the state that all its routes share.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::live::Live;
use crate::net::{Closer, Deadlines};
use crate::self_metrics::Telemetry;
use engine::pipeline::Pipeline;

use super::access::Access;
use super::body::MarkScrape;
use super::health::Readiness;
use super::refusals::Refusals;
use super::reload::Reload;
use super::scrapers::{Client, Scrapers};
use super::slots::Slots;

/// What the web port shows, shared by its connections.
pub struct Web {
    /// Where the numbers come from.
    pub pipeline: Arc<Pipeline>,
    /// The exporter's own.
    pub telemetry: Arc<Telemetry>,
    /// Who may look, and through what.
    pub access: Arc<Access>,
    /// The path of the metrics.
    pub telemetry_path: String,
    /// How they are written and shown.
    pub live: Live,
    /// Whether telemetry is welcome.
    pub readiness: Readiness,
    /// How to reload.
    pub reload: Reload,
    /// What listens where, for the page.
    pub addresses: Vec<(&'static str, SocketAddr)>,
    /// The patience there is.
    pub deadlines: Deadlines,
    /// Who has seen what.
    pub scrapers: Arc<Scrapers>,
    /// Marks completed scrapes; none: no state is kept.
    pub mark_scrape: Option<MarkScrape>,
    /// Scrapes that may be under way at once.
    pub slots: Slots,
    /// Where refused requests are counted and logged.
    pub refusals: Refusals,
    /// Whether other machines may reload without a password.
    pub lifecycle: bool,
}

/// The connection of a request.
pub(super) struct Connection {
    /// Who is at the other end; none when it has left already.
    pub(super) peer: Option<SocketAddr>,
    /// The same for zero-first; none without a peer.
    pub(super) client: Option<Arc<Client>>,
    /// Closes it.
    pub(super) closer: Closer,
}

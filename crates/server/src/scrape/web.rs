//! What the web port shows and how: the state that all its routes share.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::live::Live;
use crate::net::Deadlines;
use crate::self_metrics::Telemetry;
use engine::limits;
use engine::pipeline::Pipeline;

use super::access::Access;
use super::body::MarkScrape;
use super::health::Readiness;
use super::reload::Reload;
use super::scrapers::Scrapers;

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
    pub seats: Arc<Semaphore>,
}

impl Web {
    /// As many seats as [`limits::SCRAPES`] says.
    pub fn seats() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(limits::SCRAPES))
    }
}

//! The web port: metrics, the inventory, health, readiness, reload, the page, and who may see them.
//!
//! It runs on a thread of its own, so that no scrape can be felt at the OTLP doors. Formats are written by `exposition`; this room
//! only asks for them and knows neither series nor rules.

mod access;
mod answer;
mod body;
mod certificates;
mod health;
mod inventory;
mod landing;
mod metrics;
mod origin;
mod refusals;
mod reload;
mod scrapers;
mod server;
mod slots;
mod users;
mod web;

pub use access::{Access, Rules};
pub use body::MarkScrape;
pub use health::Readiness;
pub use refusals::Refusals;
pub use reload::Reload;
pub use scrapers::{Client, Scrapers};
pub use server::serve;
pub use slots::Slots;
pub use web::Web;

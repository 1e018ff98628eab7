//! The web port: metrics, health, readiness, reload, the page.

//! `/-/reload`: the config once more. What a reload is, the caller of the server says.

use std::sync::Arc;

use http::StatusCode;

use super::answer::{Answer, text};

/// Reads the config again. On an error, which is told as it is, the old one stays.
pub type Reload = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// Does it, and says how it went.
pub fn reload(reload: &Reload) -> Answer {
    match reload() {
        Ok(()) => text(StatusCode::OK, "reloaded\n"),
        Err(message) => {
            let message = format!("not reloaded, the old config stays: {message}\n");
            text(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

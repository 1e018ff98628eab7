//! `/-/reload`: the config once more. What a reload is, the caller of the server says.

use std::sync::Arc;

use http::StatusCode;

use super::answer::{Answer, text};

/// Reads the config again, and returns the names of changed settings that need a restart. On an error, which is returned for people,
/// the old config stays. Both are logged.
pub type Reload = Arc<dyn Fn() -> Result<Vec<&'static str>, String> + Send + Sync>;

/// Reloads, and answers what came of it.
pub fn reload(reload: &Reload) -> Answer {
    match reload() {
        Ok(restart) if restart.is_empty() => text(StatusCode::OK, "reloaded\n"),
        Ok(restart) => {
            let message = format!("reloaded, restart to change: {}\n", restart.join(", "));
            text(StatusCode::OK, message)
        }
        Err(message) => {
            let message = format!("not reloaded, the old config stays: {message}\n");
            text(StatusCode::INTERNAL_SERVER_ERROR, message)
        }
    }
}

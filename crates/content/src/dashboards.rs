//! Grafana dashboards from the config: boards as data, and one writer that knows Grafana.
//!
//! ```text
//! content -> shapes -> boards -> (automatic, variables) -> layout -> grafana -> JSON
//! ```
//!
//! What a board shows is said by packs and configurations; here is only how. A metric that no board names gets a panel by itself.

mod automatic;
mod boards;
mod explorer;
mod grafana;
mod layout;
mod notes;
mod palette;
mod panel;
mod promises;
mod shapes;
mod variables;

use super::{Artifact, Catalogue};

/// Its files: one for each board that has a panel.
pub fn artifacts(catalogue: &Catalogue<'_>) -> Vec<Artifact> {
    let file = |board: panel::Board| {
        let name = board.uid.trim_start_matches("oscar-").to_owned();
        Artifact::new(format!("{name}.json"), grafana::write(&board))
    };
    boards::all(catalogue).into_iter().map(file).collect()
}

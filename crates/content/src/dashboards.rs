//! Grafana dashboards from the config: boards as data, and one writer that knows Grafana.
//!
//! ```text
//! catalogue -> series -> shapes -> boards -> (automatic, variables) -> layout -> grafana -> JSON
//! ```
//!
//! A board names metrics and labels through the catalogue only. What the config lacks takes its panel, its column or its breakdown
//! with it, so that no panel asks for what is not there; a metric that no board names gets a panel by itself.

mod automatic;
mod boards;
mod grafana;
mod layout;
mod notes;
mod palette;
mod panel;
mod series;
mod shapes;
mod variables;

use super::{Artifact, Catalogue};

/// Its files: one for each board that has a panel.
pub fn artifacts(catalogue: &Catalogue<'_>) -> Vec<Artifact> {
    let file = |board: panel::Board| {
        let name = board.uid.trim_start_matches("oscar-");
        Artifact::new(format!("{name}.json"), grafana::write(&board))
    };
    boards::all(catalogue).into_iter().map(file).collect()
}

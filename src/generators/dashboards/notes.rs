//! The sentences that every panel needs and no board should have to think of, and links that lead nowhere.

use std::collections::BTreeSet;

use super::grafana::title;
use super::panel::{Board, Panel, Variable};

/// Said of a panel that is empty as long as all is well: the end-to-end test reads it too.
pub const EMPTY_WHEN_HEALTHY: &str = "Empty means that there was none.";

/// Adds to the descriptions of a board.
pub fn add(board: &mut Board) {
    let choices: Vec<&str> = board
        .variables
        .iter()
        .filter_map(|variable| match variable {
            Variable::Label { label, .. } if label != "job" && label != "instance" => {
                Some(&**label)
            }
            _ => None,
        })
        .collect();
    for panel in board.rows.iter_mut().flat_map(|row| &mut row.panels) {
        if panel.empty_when_healthy {
            panel.description.push_str(&format!(" {EMPTY_WHEN_HEALTHY}"));
        }
        let deaf: Vec<String> =
            choices.iter().filter(|label| !hears(panel, label)).map(|label| title(label)).collect();
        if !deaf.is_empty() && !panel.queries.is_empty() {
            panel.description.push_str(&format!(" Not narrowed by: {}.", deaf.join(", ")));
        }
    }
}

/// Whether a panel follows what is chosen for a label.
fn hears(panel: &Panel, label: &str) -> bool {
    let chosen = format!("\"${label}\"");
    panel.queries.iter().any(|query| query.expr.contains(&chosen))
}

/// Removes links to boards that there are not.
pub fn unlink(boards: &mut [Board]) {
    let known: BTreeSet<&str> = boards.iter().map(|board| board.uid).collect();
    for panel in boards.iter_mut().flat_map(|board| &mut board.rows).flat_map(|row| &mut row.panels)
    {
        panel.links.retain(|link| known.contains(link.uid));
    }
}

//! The sentences that every panel needs and no board should have to think of, and links that lead nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::grafana::title;
use super::panel::{Board, Panel, Query, Variable};

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
        let deaf: Vec<String> = choices
            .iter()
            .filter(|label| panel.queries.iter().all(|query| !hears(query, label)))
            .map(|label| title(label))
            .collect();
        if !deaf.is_empty() && !panel.queries.is_empty() {
            panel.description.push_str(&format!(" Not narrowed by: {}.", deaf.join(", ")));
        }
        let mut partly: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for label in &choices {
            if let Some(names) = some_deaf(panel, label) {
                partly.entry(names).or_default().push(title(label));
            }
        }
        for (names, labels) in partly {
            panel
                .description
                .push_str(&format!(" Not narrowed by {}: {names}.", labels.join(", ")));
        }
    }
}

/// Whether a query follows what is chosen for a label.
fn hears(query: &Query, label: &str) -> bool {
    query.expr.contains(&format!("\"${label}\""))
}

/// The numbers that don't follow what is chosen for a label, when others beside them do.
fn some_deaf(panel: &Panel, label: &str) -> Option<String> {
    let (hearing, deaf): (Vec<_>, Vec<_>) =
        panel.queries.iter().partition(|query| hears(query, label));
    let names: Vec<String> = deaf.iter().map(|query| format!("`{}`", query.legend)).collect();
    (!hearing.is_empty() && !names.is_empty()).then(|| names.join(", "))
}

/// Removes links to boards that there are not.
pub fn unlink(boards: &mut [Board]) {
    let known: BTreeSet<String> = boards.iter().map(|board| board.uid.clone()).collect();
    for panel in boards.iter_mut().flat_map(|board| &mut board.rows).flat_map(|row| &mut row.panels)
    {
        panel.links.retain(|link| known.contains(&link.uid));
    }
}

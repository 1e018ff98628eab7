//! The boards: each a file that says what it asks and which series answer. Nothing here knows Grafana.

mod adoption;
mod cost;
mod explorer;
mod known;
mod promises;
mod quality;
mod reliability;
mod safety;
mod sidecar;

use super::panel::{Board, Panel, Query, Unit, View};
use super::series::Scope;
use crate::Catalogue;

pub const ADOPTION: &str = "oscar-adoption";
pub const QUALITY: &str = "oscar-quality";
pub const RELIABILITY: &str = "oscar-reliability";
pub const COST: &str = "oscar-cost";
pub const SAFETY: &str = "oscar-safety";
pub const SIDECAR: &str = "oscar-sidecar";
pub const EXPLORER: &str = "oscar-series";

/// How a board is made.
struct Plan {
    make: fn(Scope<'_>) -> Board,
    /// Labels that have a variable, besides the common ones.
    filters: &'static [&'static str],
    /// Roles whose metrics it has a panel for, at least.
    roles: &'static [&'static str],
}

const PLANS: [Plan; 7] = [
    Plan { make: adoption::board, filters: &["feature", "tier"], roles: &["usage"] },
    Plan { make: quality::board, filters: &["feature", "tier"], roles: &["quality"] },
    Plan {
        make: reliability::board,
        filters: &["feature"],
        roles: &["traffic", "errors", "latency"],
    },
    Plan { make: cost::board, filters: &["model", "agent"], roles: &["cost"] },
    Plan { make: safety::board, filters: &["tier"], roles: &["safety", "work"] },
    Plan { make: sidecar::board, filters: &[], roles: &[] },
    Plan { make: explorer::board, filters: &[], roles: &[] },
];

/// All that have a panel, in the order in which people read them, and the labels each filters by.
pub fn all(catalogue: &Catalogue<'_>) -> Vec<Board> {
    let roles: Vec<&str> = PLANS.iter().flat_map(|plan| plan.roles).copied().collect();
    let mut boards = Vec::new();
    for plan in &PLANS {
        let scope = Scope { catalogue, filters: plan.filters };
        let mut board = (plan.make)(scope);
        let last = board.uid == EXPLORER;
        super::automatic::complete(&mut board, scope, |role| {
            plan.roles.contains(&role) || last && !roles.contains(&role)
        });
        board.rows.retain(|row| !row.panels.is_empty());
        super::variables::choose(&mut board, scope);
        super::notes::add(&mut board);
        boards.push(board);
    }
    boards.retain(|board| {
        board.rows.iter().flat_map(|row| &row.panels).any(|panel| !panel.queries.is_empty())
    });
    super::notes::unlink(&mut boards);
    boards
}

/// Words across a board.
fn text(words: &str) -> Panel {
    Panel::new("How to read this board", View::Text(words.to_owned()), Unit::Number, Vec::new())
        .about("What is counted, and what is not.")
}

/// How old the newest number is.
fn freshness() -> Panel {
    let expr = "max(oscar_metrics_last_received_timestamp_seconds{job=~\"$job\"}) * 1000";
    Panel::new("Last news from the bot", View::Stat, Unit::Ago, vec![Query::new("last news", expr)])
        .about(
            "When the bot last sent anything. All numbers here end then. Good is moments ago \
             while the bot is used.",
        )
        .see("Is the sidecar well", SIDECAR)
}

//! The boards of a configuration, completed: panels for metrics that none shows, and the series explorer.

use std::collections::BTreeSet;

use config::content;

use crate::series::{Place, Scope};
use crate::{Catalogue, Entry};

use super::panel::{Board, Row};
use super::{explorer, promises, shapes};

/// All that have a panel, in the order in which people read them.
pub fn all(catalogue: &Catalogue<'_>) -> Vec<Board> {
    let content = &catalogue.content.boards;
    let claimed: BTreeSet<&str> =
        content.iter().flat_map(|board| &board.roles).map(String::as_str).collect();
    // A board without roles is one for certain metrics: they need no panel elsewhere.
    let shown: BTreeSet<String> = content
        .iter()
        .filter(|asked| asked.roles.is_empty())
        .flat_map(|asked| super::automatic::names(&board(scope(catalogue, asked), asked)))
        .collect();
    let missing = |entry: &Entry<'_>| !shown.contains(entry.name());
    let mut boards = Vec::new();
    for asked in content {
        let role = |entry: &Entry<'_>| {
            asked.roles.iter().any(|role| role == entry.role()) && missing(entry)
        };
        let scope = scope(catalogue, asked);
        boards.push(finished(board(scope, asked), scope, role));
    }
    let scope = Scope { catalogue, place: Place::Board(&[]) };
    let other = |entry: &Entry<'_>| !claimed.contains(entry.role()) && missing(entry);
    boards.push(finished(explorer::board(scope), scope, other));
    boards.retain(|board| {
        board.rows.iter().flat_map(|row| &row.panels).any(|panel| !panel.queries.is_empty())
    });
    super::notes::unlink(&mut boards);
    boards
}

fn scope<'c>(catalogue: &'c Catalogue<'c>, asked: &'c content::Board) -> Scope<'c> {
    Scope { catalogue, place: Place::Board(&asked.filters) }
}

fn board(scope: Scope<'_>, asked: &content::Board) -> Board {
    let row = |row: &content::Row| match row.objectives {
        true => promises::row(scope, &row.title),
        false => Row {
            title: row.title.clone(),
            panels: row.panels.iter().map(|panel| shapes::panel(scope, panel)).collect(),
        },
    };
    Board {
        uid: shapes::uid(&asked.name),
        title: asked.title.clone(),
        description: asked.about.clone(),
        range: asked.range.clone(),
        refresh: asked.refresh.clone(),
        variables: Vec::new(),
        rows: asked.rows.iter().map(row).collect(),
    }
}

/// With panels for these metrics where it lacks them, and with all that every board has.
fn finished(mut board: Board, scope: Scope<'_>, role: impl Fn(&Entry<'_>) -> bool) -> Board {
    super::automatic::complete(&mut board, scope, role);
    board.rows.retain(|row| !row.panels.is_empty());
    super::variables::choose(&mut board, scope);
    super::notes::add(&mut board);
    board
}

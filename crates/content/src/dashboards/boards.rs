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
        .filter(|declared| declared.roles.is_empty())
        .flat_map(|declared| super::automatic::names(&board(scope(catalogue, declared), declared)))
        .collect();
    let missing = |entry: &Entry<'_>| !shown.contains(entry.name());
    let mut boards = Vec::new();
    for declared in content {
        let role = |entry: &Entry<'_>| {
            declared.roles.iter().any(|role| role == entry.role()) && missing(entry)
        };
        let scope = scope(catalogue, declared);
        boards.push(finished(board(scope, declared), scope, role));
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

fn scope<'c>(catalogue: &'c Catalogue<'c>, declared: &'c content::Board) -> Scope<'c> {
    Scope { catalogue, place: Place::Board(&declared.filters) }
}

fn board(scope: Scope<'_>, declared: &content::Board) -> Board {
    let row = |row: &content::Row| match row.objectives {
        true => promises::row(scope, &row.title),
        false => Row {
            title: row.title.clone(),
            panels: row.panels.iter().map(|panel| shapes::panel(scope, panel)).collect(),
        },
    };
    Board {
        uid: shapes::uid(&declared.name),
        title: declared.title.clone(),
        description: declared.about.clone(),
        range: declared.range.clone(),
        refresh: declared.refresh.clone(),
        variables: Vec::new(),
        rows: declared.rows.iter().map(row).collect(),
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

#[cfg(test)]
mod tests {
    use testkit::settings;

    use super::*;

    const OWN: &str = "use: [oscar]
metrics:
  jobs_total:
    {help: Jobs., type: counter, from: span, role: work, labels: {result: {from: r, values: [done, lost], names: {lost: Not found}}}}
  guests: {help: Guests., type: distinct, from: span, of: user, windows: [1d, 7d]}
";

    fn titles(boards: &[Board], uid: &str) -> Vec<String> {
        let board = boards.iter().find(|board| board.uid == uid).unwrap();
        board.rows[0].panels.iter().map(|panel| panel.title.clone()).collect()
    }

    #[test]
    fn own_metrics_stand_on_the_first_row_of_the_board_of_their_role() {
        let settings = settings(OWN);
        let boards = all(&Catalogue::new(&settings));
        assert_eq!(titles(&boards, "oscar-safety").last().unwrap(), "Jobs");
        let adoption = titles(&boards, "oscar-adoption");
        assert!(
            adoption.ends_with(&["Guests in 7d".to_owned(), "Guests".to_owned()]),
            "{adoption:?}"
        );
        let more = |board: &Board| board.rows.iter().filter(|row| row.title == "More").count();
        assert_eq!(boards.iter().map(more).sum::<usize>(), 4, "metrics of packs stay there");
    }

    #[test]
    fn boards_use_the_names_of_values() {
        let settings = settings(OWN);
        let boards = all(&Catalogue::new(&settings));
        let panels = boards.iter().flat_map(|board| &board.rows).flat_map(|row| &row.panels);
        let jobs = panels.clone().find(|panel| panel.title == "Jobs").unwrap();
        assert_eq!(jobs.names, [("lost".to_owned(), "Not found".to_owned())]);
    }

    #[test]
    fn objectives_have_their_row_without_any_pack() {
        let text = "metrics: {a_total: {help: A., type: counter, from: span, labels: {r: {from: r, values: [x, y]}}}}
objectives: {good: {metric: a_total, bad: {r: x}, target: 99%, window: 7d}}";
        let settings = settings(text);
        let boards = all(&Catalogue::new(&settings));
        let titles = titles(&boards, "oscar-reliability");
        assert_eq!(titles, ["Promises", "Room left", "Room used up", "A"]);
    }
}

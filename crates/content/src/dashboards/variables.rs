//! What may be chosen at the head of a board: what its queries ask for, and nothing else.

use super::panel::{Board, Variable};
use crate::series::Scope;

/// A cheap series that every sidecar has from its start.
const DISCOVERY: &str = "oscar_metrics_build_info";

/// Puts the common variables in front of the board's own.
pub fn choose(board: &mut Board, scope: Scope<'_>) {
    let label = |label: &str, lookup: String| Variable::Label { label: label.to_owned(), lookup };
    let asked = |name: &str| {
        let name = format!("${name}");
        board
            .rows
            .iter()
            .flat_map(|row| &row.panels)
            .flat_map(|panel| &panel.queries)
            .any(|query| query.expr.contains(&name))
    };
    let mut all = vec![label("job", DISCOVERY.to_owned())];
    if asked("instance") {
        all.push(label("instance", DISCOVERY.to_owned()));
    }
    let common = scope.catalogue.common.iter().map(String::as_str);
    for name in common.chain(scope.filters().iter().map(String::as_str)) {
        if let Some(lookup) = scope.lookup(name).filter(|_| asked(name)) {
            all.push(label(name, lookup));
        }
    }
    if asked("__interval") {
        all.push(Variable::Step);
    }
    all.append(&mut board.variables);
    board.variables = all;
}

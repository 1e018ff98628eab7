//! Order among names that build on each other, and the circles that spoil it.

/// What a walk over a graph found.
pub(super) struct Order {
    /// Every node once, after those it builds on, as far as there are no circles.
    pub(super) nodes: Vec<usize>,
    /// Each circle once, by its nodes in order.
    pub(super) circles: Vec<Vec<usize>>,
}

/// Walks all edges once, without recursion: a config may chain as many names as fit into it.
pub(super) fn order(edges: &[Vec<usize>]) -> Order {
    const CIRCLES: usize = 16; // of a graph full of them
    const NEW: u8 = 0;
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![NEW; edges.len()];
    let mut found = Order { nodes: Vec::new(), circles: Vec::new() };
    for start in 0..edges.len() {
        // The way from the start: a node and which of its edges comes next.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if state.get(start) == Some(&NEW) {
            path.push((start, 0));
        }
        while let Some((node, edge)) = path.last_mut() {
            let node = *node;
            set(&mut state, node, OPEN);
            let next = edges.get(node).and_then(|edges| edges.get(*edge)).copied();
            *edge += 1;
            match next.map(|next| (next, state.get(next).copied())) {
                None => {
                    set(&mut state, node, DONE);
                    found.nodes.push(node);
                    path.pop();
                }
                Some((next, Some(NEW))) => path.push((next, 0)),
                Some((next, Some(OPEN))) if found.circles.len() < CIRCLES => {
                    let nodes = path.iter().map(|(node, _)| *node);
                    found.circles.push(nodes.skip_while(|node| *node != next).collect());
                }
                Some(_) => {}
            }
        }
    }
    found
}

fn set(state: &mut [u8], node: usize, to: u8) {
    if let Some(state) = state.get_mut(node) {
        *state = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_build_on_comes_first_and_circles_are_told_once() {
        let found = order(&[vec![1, 2], vec![2], vec![], vec![4], vec![5, 0], vec![3], vec![6]]);
        let position = |node| found.nodes.iter().position(|one| *one == node).unwrap();
        assert!(position(2) < position(1) && position(1) < position(0));
        assert_eq!(found.nodes.len(), 7);
        assert_eq!(found.circles, [vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let edges: Vec<Vec<usize>> = (1..200_000).map(|next| vec![next]).collect();
        assert_eq!(order(&edges).nodes.len(), 199_999);
    }
}

//! The exporter's own metrics, as generators need them: given by whoever runs them, so that no list of them can grow old.

use std::collections::BTreeSet;

/// One of our own metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Its name, `_total` included.
    pub name: String,
    /// One line for people.
    pub help: String,
    /// `counter` or `gauge`.
    pub kind: &'static str,
    /// Its labels, and the values of those that are closed.
    pub labels: Vec<(String, Option<BTreeSet<String>>)>,
}

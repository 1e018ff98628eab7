//! The series that counts a histogram's observations: `_count`, or the bucket `+Inf` where scrapes may lack the count.

use config::catalogue::Entry;

use crate::promql::Selector;

/// Its name.
pub fn name(entry: &Entry<'_>) -> String {
    format!("{}{}", entry.name(), if entry.has_count() { "_count" } else { "_bucket" })
}

/// The series among those that a selector narrows.
pub fn of(selector: &Selector, entry: &Entry<'_>) -> Selector {
    let selector = selector.of(name(entry));
    if entry.has_count() { selector } else { selector.is("le", "+Inf") }
}

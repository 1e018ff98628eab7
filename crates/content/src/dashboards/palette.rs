//! Colours that belong to words: what went well looks alike on every board, and so does what did not.

use super::super::Entry;
use super::panel::Colour;

const GOOD: &[&str] = &[
    "answered",
    "ok",
    "up",
    "confirmed",
    "found",
    "approved",
    "success",
    "executed",
    "allow",
    "hit",
    "linked",
    "stop",
];
const FAIR: &[&str] = &[
    "confirmation_requested",
    "implied",
    "requested",
    "notified",
    "single",
    "two_person",
    "tool_call",
];
const WARNING: &[&str] = &[
    "timeout",
    "deny",
    "overloaded",
    "throttled",
    "declared_error",
    "abandoned",
    "fallback",
    "expired",
    "session_expired",
    "empty",
    "length",
    "miss",
    "rejected",
    "out_of_scope",
    "http_timeout",
    "self_rejected",
];
const BAD: &[&str] = &[
    "error",
    "down",
    "unresolved",
    "failure",
    "transport_error",
    "blocked",
    "intervened",
    "content_filter",
    "refused",
    "prompt_injection",
    "identity_spoofing",
];
const FAINT: &[&str] = &[
    "denied",
    "invalid_input",
    "unlinked",
    "ignored",
    "duplicate",
    "none",
    "unknown",
    "other",
    "neutral",
    "skipped",
    "quiet",
];

/// The colours of the values that a closed label can have.
pub fn of(entry: &Entry<'_>, label: &str) -> Vec<(String, Colour)> {
    let values = entry.label(label).and_then(|label| label.values.clone()).unwrap_or_default();
    let known = values.into_iter().filter_map(|word| Some((word.to_owned(), colour(word)?)));
    known.collect()
}

fn colour(word: &str) -> Option<Colour> {
    let all: [(&[&str], Colour); 5] = [
        (GOOD, Colour::Good),
        (FAIR, Colour::Fair),
        (WARNING, Colour::Warning),
        (BAD, Colour::Bad),
        (FAINT, Colour::Faint),
    ];
    all.into_iter().find(|(words, _)| words.contains(&word)).map(|(_, colour)| colour)
}

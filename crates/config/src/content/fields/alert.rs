//! The keys of alerts.

use super::{AFTER, AN_ENTRY, GROUPS, INTERVALS, SEVERITIES, Shape, Takes, UNIT, field};

/// An alert.
pub static ALERT: Shape = Shape {
    name: "alert",
    about: "An alert.",
    fields: &[
        field("query", AN_ENTRY, "What is watched; `over` is required."),
        field("above", LIMITS, "It fires above this."),
        field("below", LIMITS, "It fires below this."),
        field(
            "changed_by",
            Takes::Quantity,
            "It fires when the value changed by more than this share of the previous period.",
        ),
        field(
            "at_least",
            Takes::Quantity,
            "It fires from this many events on: of the numerator of a share.",
        ),
        field("usual_at_least", Takes::Count(1), "It fires only where this many events are usual."),
        field("hold", Takes::Time, "How long the condition holds before it fires."),
        field("keep", Takes::Time, "How long it goes on firing after the condition ended."),
        field(
            "severity",
            Takes::Words(&SEVERITIES),
            "critical pages, warning goes to the team, info into the digest.",
        ),
        field("group", Takes::Words(&GROUPS), "The rule file it is written to; `bot` without it."),
        UNIT,
        field(
            "summary",
            Takes::Text,
            "One sentence; {whom}, {value}, {window} and {LABEL} are filled in.",
        ),
        field("description", Takes::Text, "More of it, with the same words in braces."),
        field("see", Takes::Name, "The board to look at."),
        field(
            "runbook",
            Takes::Text,
            "What it means, what to look at and when to silence it, in Markdown. A pack has it in runbooks.md.",
        ),
        field("examples", Takes::Named(&Takes::Scalar), "Values of labels in generated tests."),
        field(
            "tests",
            Takes::List(&Takes::Of("alert_test")),
            "Unit tests; generated for counts and shares.",
        ),
        AFTER,
    ],
};

const LIMITS: Takes =
    Takes::Some(&Takes::Either(&[Takes::Quantity, Takes::Words(&["usual"]), Takes::Of("limit")]));

/// A bound that an earlier value sets.
pub static LIMIT: Shape = Shape {
    name: "limit",
    about: "A multiple of an earlier value.",
    fields: &[
        field("times", Takes::Number, "The factor."),
        field(
            "of",
            Takes::Words(&["usual", "previous"]),
            "The value that the query is compared with.",
        ),
    ],
};

/// A unit test of an alert.
pub static ALERT_TEST: Shape = Shape {
    name: "alert_test",
    about: "A unit test of an alert.",
    fields: &[
        field("about", Takes::Text, "What it shows."),
        field("every", Takes::Words(&INTERVALS), "The time between two values."),
        field("at", Takes::Name, "When the alert is evaluated, such as 30m."),
        field(
            "series",
            Takes::Named(&Takes::Text),
            "Series and their values in promtool's notation; common labels are added.",
        ),
        field(
            "fires",
            Takes::Of("fires"),
            "With what it fires; without it the alert stays silent.",
        ),
    ],
};

/// With what an alert fires.
pub static FIRES: Shape = Shape {
    name: "fires",
    about: "With what an alert fires.",
    fields: &[
        field(
            "value",
            Takes::Either(&[Takes::Number, Takes::Text]),
            "The value of its expression.",
        ),
        field(
            "labels",
            Takes::Named(&Takes::Scalar),
            "Its labels; those that the query keeps are added.",
        ),
    ],
};

//! The keys of boards.

use super::{AFTER, AN_ENTRY, SHOWS, Shape, Takes, UNIT, field};

/// A board.
pub static BOARD: Shape = Shape {
    name: "board",
    about: "A dashboard.",
    fields: &[
        field("title", Takes::Text, "Its heading."),
        field("about", Takes::Text, "For whom it is and what it answers."),
        field("range", Takes::Name, "The time it shows at first, such as 28d."),
        field("refresh", Takes::Name, "How often it is refreshed, such as 15m."),
        field(
            "filters",
            Takes::List(&Takes::Name),
            "Labels that can be selected, besides those of all metrics.",
        ),
        field(
            "roles",
            Takes::List(&Takes::Name),
            "Roles whose metrics get a panel here when no other panel shows them.",
        ),
        field("rows", Takes::Named(&Takes::Of("row")), "Rows by name."),
        AFTER,
    ],
};

/// A row of panels.
pub static ROW: Shape = Shape {
    name: "row",
    about: "A row of panels.",
    fields: &[
        field("title", Takes::Text, "Its heading."),
        field("objectives", Takes::Boolean, "Shows the objectives of the configuration."),
        field("panels", Takes::Named(&Takes::Of("panel")), "Panels by name."),
        AFTER,
    ],
};

/// A panel.
pub static PANEL: Shape = Shape {
    name: "panel",
    about: "A panel.",
    fields: &[
        field("title", Takes::Text, "Its heading."),
        field("about", Takes::Text, "What it shows and what is good; for a text, the text."),
        field("show", Takes::Words(&SHOWS), "How it is drawn."),
        field("query", AN_ENTRY, "What it shows."),
        field("queries", Takes::Named(&AN_ENTRY), "Several lines by their names."),
        field("by", Takes::Name, "The label that gives a table its rows."),
        field("heading", Takes::Text, "The heading of that column."),
        field(
            "columns",
            Takes::Named(&Takes::Of("column")),
            "Columns of a table; its rows come from the first.",
        ),
        UNIT,
        field(
            "thresholds",
            Takes::Of("thresholds"),
            "Values from which on a colour asks for attention.",
        ),
        field("see", Takes::Some(&Takes::Of("see")), "Links to other boards."),
        field(
            "size",
            Takes::List(&Takes::Count(1)),
            "Width in columns of 24 and height in grid rows.",
        ),
        field("since", Takes::Name, "The time it always shows, such as 7d."),
        field("often_empty", Takes::Boolean, "An empty panel is the normal state."),
        field("values", Takes::Named(&Takes::Text), "Words for the values 1 and 0."),
        field(
            "needs",
            Takes::Some(&AN_ENTRY),
            "Queries without which a pack leaves the panel out.",
        ),
        AFTER,
    ],
};

/// A column of a table.
pub static COLUMN: Shape = Shape {
    name: "column",
    about: "A column of a table.",
    fields: &[
        field("title", Takes::Text, "Its heading."),
        field("query", AN_ENTRY, "Its numbers, by the label of the rows."),
        UNIT,
        AFTER,
    ],
};

/// A link to a board.
pub static SEE: Shape = Shape {
    name: "see",
    about: "A link to a board.",
    fields: &[
        field("title", Takes::Text, "What is there."),
        field("board", Takes::Name, "The name of the board."),
        field("label", Takes::Name, "The label whose clicked value is selected there."),
    ],
};

/// Values from which on a colour asks for attention.
pub static THRESHOLDS: Shape = Shape {
    name: "thresholds",
    about: "Values from which on a colour asks for attention.",
    fields: &[
        field(
            "objective",
            Takes::Boolean,
            "An objective on the metric decides where there is one.",
        ),
        field("good", Takes::Quantity, "Good from here on, and bad below."),
        field("warning", Takes::Quantity, "Worth a look from here on."),
        field("bad", Takes::Quantity, "Somebody has to act from here on."),
    ],
};

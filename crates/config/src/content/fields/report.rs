//! The keys of the report.

use super::{AFTER, AN_ENTRY, Shape, Takes, UNIT, field};

/// The report.
pub static REPORT: Shape = Shape {
    name: "report",
    about: "What a report holds.",
    fields: &[
        field("figures", Takes::Named(&Takes::Of("figure")), "Single numbers by name."),
        field("tables", Takes::Named(&Takes::Of("report_table")), "Tables by name."),
        field(
            "checks",
            Takes::Named(&Takes::Of("report_check")),
            "Counts that should be 0, by name.",
        ),
    ],
};

/// A single number of a report.
pub static FIGURE: Shape = Shape {
    name: "figure",
    about: "A single number of a report, beside the same of the period before.",
    fields: &[
        field("title", Takes::Text, "Its name; {window} is the window of a distinct metric."),
        field("about", Takes::Text, "What it is."),
        field("query", AN_ENTRY, "What it shows."),
        UNIT,
        field(
            "worse",
            Takes::Words(&["up", "down"]),
            "The direction that is mentioned as a change for the worse.",
        ),
        AFTER,
    ],
};

/// A table of a report.
pub static TABLE: Shape = Shape {
    name: "report_table",
    about: "A table of a report.",
    fields: &[
        field("title", Takes::Text, "Its heading."),
        field("by", Takes::Name, "The label of its rows."),
        field("heading", Takes::Text, "The heading of their names."),
        field(
            "columns",
            Takes::Named(&Takes::Of("column")),
            "Its columns; the rows with the largest first column come first.",
        ),
        AFTER,
    ],
};

/// A count that should be 0.
pub static CHECK: Shape = Shape {
    name: "report_check",
    about: "A count that should be 0.",
    fields: &[
        field("query", AN_ENTRY, "What is counted."),
        field("says", Takes::Text, "What is wrong when it is not 0, after the number."),
        AFTER,
    ],
};

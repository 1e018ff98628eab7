//! The keys of queries.

use super::{AFTER, AGGREGATES, AN_ENTRY, Shape, Takes, field};

macro_rules! query_fields {
    ($($more:expr),*) => {
        &[
            field("count", Takes::Name, "Events: the increase of a counter, or of a histogram's count."),
            field("sum", Takes::Name, "Amount: the increase of a counter in its unit, or of a histogram's sum."),
            field("quantile", Takes::Name, "A quantile of a histogram; `q` says which."),
            field("under", Takes::Name, "Observations of a histogram up to a bucket bound, which `bound` names."),
            field("level", Takes::Name, "The value of a gauge; `agg` joins several series."),
            field("distinct", Takes::Name, "Distinct values of a distinct metric in `window`."),
            field("promql", Takes::Text, "PromQL with $window, $step, $by and $where."),
            field("query", Takes::Name, "The name of an entry in `queries`, whose modifiers can be changed here."),
            field("q", Takes::Some(&Takes::Number), "The quantile between 0 and 1, or a list."),
            field("bound", Takes::Either(&[Takes::Quantity, Takes::Of("bound")]), "A bucket bound of the histogram, or that of an objective."),
            field("agg", Takes::Words(&AGGREGATES), "How the values of several series become one; `max` without it."),
            field("window", Takes::Name, "A window of the distinct metric, or `fit`: the longest that a report's period contains."),
            field("new", Takes::Boolean, "Only values that were not seen before."),
            field("where", Takes::Named(&WHERE), "Conditions on labels: all hold."),
            field("by", Takes::Name, "The label that splits the result."),
            field("top", Takes::Count(1), "How many values of `by` are shown."),
            field("of", AN_ENTRY, "The denominator."),
            field("minus", AN_ENTRY, "What is subtracted; the difference is never below 0."),
            field("min", Takes::Count(1), "No result below this count: of `of`, else of the query itself."),
            field("over", Takes::Some(&Takes::Either(&[Takes::Words(&["range", "step"]), Takes::Time])), "The time it covers."),
            field("per", Takes::Words(&["second"]), "Divides by the seconds it covers."),
            field("compare", Takes::Some(&Takes::Either(&[Takes::Words(&["previous"]), Takes::Time, Takes::Of("compare")])),
                "Earlier values that it is compared with."),
            field("scale", Takes::Either(&[Takes::Number, Takes::Text]), "A factor: a number, a fraction such as `30/7`, or `1/slots`."),
            $($more),*
        ]
    };
}

/// A query.
pub static QUERY: Shape = Shape {
    name: "query",
    about: "One number, or one for each value of a label.",
    fields: query_fields!(),
};

/// An entry of `queries`.
pub static NAMED_QUERY: Shape = Shape {
    name: "named_query",
    about: "A query with a name, defined once for boards, alerts and the report.",
    fields: query_fields!(
        field(
            "record",
            Takes::Of("recorded"),
            "Records the result with a Prometheus recording rule."
        ),
        AFTER
    ),
};

/// How the result of a query is recorded.
pub static RECORD: Shape = Shape {
    name: "recorded",
    about: "How the result of a query is recorded.",
    fields: &[
        field(
            "as",
            Takes::Name,
            "The middle part of the recorded name; without it that of the metric.",
        ),
        field(
            "over",
            Takes::List(&Takes::Time),
            "The times over which it is recorded, besides 1h for counts and sums.",
        ),
        field(
            "usual",
            Takes::Boolean,
            "Also records what the same hour of three weeks usually has.",
        ),
    ],
};

const WHERE: Takes = Takes::Either(&[Takes::Some(&Takes::Scalar), Takes::Of("label_condition")]);

/// A condition on a label that is turned around.
pub static CONDITION: Shape = Shape {
    name: "label_condition",
    about: "The opposite of a condition.",
    fields: &[field(
        "not",
        Takes::Some(&Takes::Scalar),
        "None of these values, globs or /regular expressions/.",
    )],
};

/// A bound that an objective sets.
pub static BOUND: Shape = Shape {
    name: "bound",
    about: "The bound of an objective.",
    fields: &[field("objective", Takes::Name, "An objective with `under` on the same metric.")],
};

/// What is usual.
pub static COMPARE: Shape = Shape {
    name: "compare",
    about: "What is usual.",
    fields: &[field(
        "usual",
        Takes::Of("usual"),
        "By the same hour of past weeks, or the same time of past days.",
    )],
};

/// How far back the usual value looks.
pub static USUAL: Shape = Shape {
    name: "usual",
    about: "How far back the usual value looks: one of these.",
    fields: &[
        field("weeks", Takes::Count(2), "The median of the same hour of this many weeks."),
        field("days", Takes::Count(2), "The median at the same time of this many days."),
    ],
};

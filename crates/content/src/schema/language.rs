//! The sections that say what is counted: labels, tables, aliases, records, metrics, conversations, objectives.

use serde_json::{Value, json};

use super::service::require;
use super::{boolean, closed, count, list, named, refer, section, some, text, told, words};

pub(super) fn sections() -> Vec<(&'static str, Value)> {
    vec![
        (
            "time_zone",
            text(
                "Where the days of `windows: [today]` begin, by its name in the IANA database: Europe/Berlin. Without: UTC.",
            ),
        ),
        ("labels", section(refer("labels"))),
        ("tables", section(named("Named rows for lookups.", refer("table")))),
        (
            "attributes",
            section(named("One name for what emitters spell many ways.", refer("alias"))),
        ),
        (
            "sampling",
            section(closed(
                "How spans are sampled before they come here.",
                &[("most", refer("weight"))],
            )),
        ),
        ("records", section(named("Named answers to \"which records\".", refer("record")))),
        ("metrics", section(named("The series to make.", refer("metric")))),
        ("sessions", section(sessions())),
        ("objectives", section(named("What the bot promises.", refer("objective")))),
        ("alerting", section(alerting())),
    ]
}

pub(super) fn definitions() -> Vec<(&'static str, Value)> {
    let scalar = json!({"type": ["string", "number", "boolean"]});
    let about =
        "span, span_event, log, datapoint, session, the name of a record, or a list of these.";
    vec![
        ("scalar", scalar),
        (
            "reference",
            text(
                "An alias, an intrinsic such as name or duration, or an attribute; span.KEY, resource.KEY, ... are attributes of that origin.",
            ),
        ),
        ("from", told(some(json!({"type": "string"})), about)),
        ("labels", named("Labels by name; null takes an inherited one away.", refer("label"))),
        (
            "weight",
            json!({"description": "The highest sampling weight that is accepted; a record with a higher one counts once.",
            "type": "number", "minimum": 1}),
        ),
        ("table", table()),
        (
            "map",
            json!({"description": "Rows (exact text, a..b, glob or /regex/, with $1), or the name of a table.",
            "anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": refer("scalar")}]}),
        ),
        ("step", step()),
        ("test", test()),
        ("where", condition()),
        (
            "alias",
            value(
                "A name for a value.",
                &[("hash", boolean("Personal: only ever used as a keyed hash."))],
            ),
        ),
        ("label", label()),
        ("amount", amount()),
        ("record", record()),
        ("part", closed("One increment; it inherits the block and adds its own.", &part())),
        ("metric", metric()),
        ("objective", objective()),
        (
            "matches",
            json!({"description": "Label values: all of these hold.", "type": "object", "additionalProperties": refer("test")}),
        ),
        (
            "selection",
            json!({"description": "One metric and which of its series.", "type": "object",
            "minProperties": 1, "maxProperties": 1, "additionalProperties": refer("matches")}),
        ),
    ]
}

fn table() -> Value {
    let rows = json!({"type": "object", "additionalProperties": refer("scalar")});
    told(rows, "Key to value, or {file: NAME}.")
}

fn step() -> Value {
    let mut when = closed(
        "A constant, when a condition holds.",
        &[("when", refer("where")), ("then", refer("scalar"))],
    );
    require(&mut when, &["when", "then"]);
    json!({"anyOf": [refer("reference"), when]})
}

/// What every VALUE may say.
fn source() -> Vec<(&'static str, Value)> {
    vec![
        ("from", refer("reference")),
        ("any_of", told(list(refer("step")), "The first step that yields something wins.")),
        ("map", refer("map")),
        ("default", told(refer("scalar"), "When nothing was found; alone: a constant.")),
    ]
}

/// A VALUE: a reference, or a map of these keys and some more.
fn value(about: &str, more: &[(&str, Value)]) -> Value {
    let mut fields = source();
    fields.extend(more.iter().cloned());
    json!({"description": about, "anyOf": [refer("reference"), closed(about, &fields)]})
}

fn label() -> Value {
    let values = told(list(refer("scalar")), "All values there can be; others become `other`.");
    let limit = count("How many values before new ones become `other`.", 1);
    let names = json!({"description": "What people call the values, on boards and in the report.",
        "type": "object", "additionalProperties": {"type": "string"}});
    value(
        "Where a label's value comes from.",
        &[("values", values), ("limit", limit), ("names", names)],
    )
}

/// A `value`, which is a number too.
fn amount() -> Value {
    let scale = json!({"description": "What it is multiplied with.", "anyOf": [{"type": "number"}, value("A factor.", &[])]});
    json!({"anyOf": [{"type": "number"}, value("By how much a record raises the metric.", &[("scale", scale)])]})
}

fn test() -> Value {
    let bound = json!({"type": ["number", "string"]});
    let mut tests: Vec<(&str, Value)> =
        ["gt", "ge", "lt", "le"].into_iter().map(|key| (key, bound.clone())).collect();
    tests.extend([
        ("not", refer("test")),
        ("exists", boolean("Whether there is a value.")),
        ("is", told(refer("scalar"), "Literally this.")),
    ]);
    let mut literal = closed("Literally this.", &[("is", refer("scalar"))]);
    require(&mut literal, &["is"]);
    let mut tests = closed("All of these hold.", &tests);
    if let Value::Object(fields) = &mut tests {
        fields.insert("minProperties".into(), json!(1));
    }
    let any =
        json!({"type": "array", "minItems": 1, "items": {"anyOf": [refer("scalar"), literal]}});
    json!({"description": "Exact text, glob or /regex/ on the whole value, a list (any of), or tests.",
        "anyOf": [refer("scalar"), any, tests]})
}

fn condition() -> Value {
    let group =
        json!({"type": "object", "minProperties": 1, "additionalProperties": refer("test")});
    json!({"description": "A map (all lines hold) or a list of maps (any).",
        "anyOf": [group, {"type": "array", "minItems": 1, "items": group}]})
}

fn record() -> Value {
    let unique = told(some(refer("reference")), "Records that agree in all of these count once.");
    let mut record = closed(
        "Which records.",
        &[
            ("from", refer("from")),
            ("where", refer("where")),
            ("unique", unique),
            ("most", refer("weight")),
        ],
    );
    require(&mut record, &["from"]);
    record
}

/// What a part and its block may both say.
fn part() -> Vec<(&'static str, Value)> {
    vec![("value", refer("amount")), ("labels", refer("labels")), ("where", refer("where"))]
}

fn metric() -> Value {
    let edge = json!({"type": ["number", "string"]});
    let native = json!({"description": "Native buckets: true beside the classic ones, only: alone.", "enum": [true, false, "true", "false", "only"]});
    let mut fields = part();
    fields.extend([
        ("help", text("One line that says to people what it counts.")),
        ("type", words("What is made of the records.", &["counter", "gauge", "histogram", "distinct"])),
        ("from", refer("from")),
        ("parts", told(list(refer("part")), "One record, several increments.")),
        ("buckets", told(list(edge), "Upper edges, rising, without +Inf; times and sizes with units.")),
        ("native", native),
        ("of", told(refer("reference"), "Of what: an alias such as user.")),
        (
            "windows",
            told(
                list(json!({"anyOf": [{"const": "today"}, refer("time")]})),
                "How far back it counts, in whole hours; today: since midnight, see time_zone.",
            ),
        ),
        ("registers", count("Registers shown as series, which merge in PromQL; 0: none.", 0)),
        ("unit", text("seconds, bytes, ratio, usd or another word.")),
        ("title", text("Heading of its panel.")),
        ("role", text("The row it belongs to: usage, quality, traffic, errors, latency, cost, safety or work.")),
        ("idle", refer("time")),
        ("weighted", boolean("Whether a sampled record counts for those it stands for.")),
    ]);
    let mut metric = closed("One metric.", &fields);
    require(&mut metric, &["help", "type", "from"]);
    metric
}

fn sessions() -> Value {
    closed(
        "Conversations: which records are their turns, and what tells them apart.",
        &[
            ("from", refer("from")),
            ("key", refer("reference")),
            ("idle", told(refer("time"), "How long it is quiet before it has ended.")),
            ("max", count("How many may be open.", 1)),
            ("end", told(refer("from"), "Records that say it is over.")),
            ("liked", told(refer("from"), "Records that say it was good.")),
            ("disliked", told(refer("from"), "Records that say it was not.")),
            ("handover", told(refer("from"), "Records that say a human took over.")),
        ],
    )
}

fn alerting() -> Value {
    let above = |about: &str| json!({"description": about, "type": ["number", "null"], "exclusiveMinimum": 0});
    let label = json!({"type": "object", "additionalProperties": refer("scalar")});
    closed(
        "What generated alerts need to know that no metric tells.",
        &[
            ("runbooks", text("Where the page of the runbooks is read.")),
            (
                "grafana",
                json!({"type": ["string", "null"], "description": "Address of the Grafana that has the boards."}),
            ),
            ("labels", told(label, "Of every alert, such as {team: release}.")),
            (
                "slots",
                json!({"type": ["integer", "null"], "minimum": 1,
                "description": "Messages that the bot can work on at once."}),
            ),
            ("cost_per_day", above("US dollars that a day may cost.")),
        ],
    )
}

fn objective() -> Value {
    let mut objective = closed(
        "One promise: `metric` with `bad`, `metric` with `under`, or `good` with `total`.",
        &[
            ("metric", text("A counter (with `bad`) or a histogram (with `under`).")),
            ("bad", told(refer("matches"), "What is bad; all else is good.")),
            (
                "under",
                told(
                    json!({"type": ["number", "string"]}),
                    "An edge of the histogram: what does not exceed it is good.",
                ),
            ),
            ("ignore", told(refer("matches"), "What doesn't count.")),
            ("good", refer("selection")),
            ("total", refer("selection")),
            ("target", told(refer("share"), "The share that must be good.")),
            ("window", told(refer("time"), "Over how long.")),
            (
                "expected",
                json!({"description": "Events in a window that alert thresholds are founded on.", "type": "number", "exclusiveMinimum": 0}),
            ),
            ("traffic", words("How busy the bot is.", &["low", "normal"])),
        ],
    );
    require(&mut objective, &["target", "window"]);
    objective
}

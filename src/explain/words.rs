//! Conditions, amounts and places in the words of the config.

use engine::counters::Rejection;
use engine::explain::Gain;
use engine::limits;
use engine::model::Op;
use engine::rules::definition::{
    Comparison, Definitions, Intrinsic, Reference, Source, Step, Test,
};
use engine::rules::explain::{Found, Line};
use engine::rules::pattern::Pattern;
use engine::rules::{IgnoredWeight, SkipReason, WeightBound};
use engine::timestamp::Timestamp;
use engine::view::Origin;

/// Names in a list, before it is cut.
const LISTED: usize = 8;

/// A text in quotes, with nothing in it that moves a terminal.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// What a reference is called in the config.
pub(super) fn reference(definitions: &Definitions, reference: &Reference) -> String {
    match reference {
        Reference::Alias(at) => {
            definitions.aliases.get(*at).map(|alias| alias.name.clone()).unwrap_or_default()
        }
        Reference::Intrinsic(intrinsic) => intrinsic_word(*intrinsic).to_owned(),
        Reference::Attribute(None, key) => key.clone(),
        Reference::Attribute(Some(origin), key) => format!("{}.{key}", origin_word(*origin)),
    }
}

/// A reference and what it found: `operation is "chat"`, `user.id is (hidden)`.
pub(super) fn found(definitions: &Definitions, what: &Reference, found: &Found) -> String {
    let name = reference(definitions, what);
    match found {
        Found::Hidden => format!("{name} is (hidden)"),
        Found::Text(text) => format!("{name} is {}", quoted(text)),
        Found::Missing => format!("{name} is missing{}", reads(definitions, what)),
    }
}

/// What an alias would read, so that whoever wonders why it is missing knows what to look for.
fn reads(definitions: &Definitions, what: &Reference) -> String {
    let Reference::Alias(at) = what else { return String::new() };
    let steps = definitions.aliases.get(*at).map_or(&[][..], |alias| &alias.value.steps);
    let names = steps.iter().filter_map(|step| match step {
        Step::From(one) => Some(reference(definitions, one)),
        Step::When(..) => None,
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { String::new() } else { format!(" (it reads {})", list(&names, "and")) }
}

/// A line of a condition: `operation is "execute_tool", wants chat or generate_content`.
pub(super) fn line(definitions: &Definitions, line: &Line<'_>) -> String {
    let found = found(definitions, line.reference, &line.found);
    format!("{found}, wants {}", wants(line.test))
}

/// What a test asks for.
fn wants(test: &Test) -> String {
    match test {
        Test::AnyOf(patterns) => list(&patterns.iter().map(pattern).collect::<Vec<_>>(), "or"),
        Test::Exists(true) => "any value".to_owned(),
        Test::Exists(false) => "none".to_owned(),
        Test::Number(comparison, bound) => format!("{} {bound}", comparison_word(*comparison)),
        Test::Not(inner) => match &**inner {
            Test::AnyOf(patterns) if patterns.len() == 1 => format!("not {}", wants(inner)),
            Test::AnyOf(_) => format!("none of {}", wants(inner).replace(" or ", ", ")),
            other => format!("not {}", wants(other)),
        },
        Test::All(all) => all.iter().map(wants).collect::<Vec<_>>().join(" and "),
    }
}

/// A pattern as it was written.
pub(super) fn pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(text) if text.contains([' ', ',', '*']) => quoted(text),
        Pattern::Exact(text) => text.to_string(),
        Pattern::Glob(pieces) => pieces.join("*"),
        Pattern::Regex(regex) => format!("/{}/", regex.as_written()),
    }
}

/// How many characters of what was found begin as something that was wanted: a slip of the pen is nearer than another word.
pub(super) fn likeness(line: &Line<'_>) -> usize {
    let (Found::Text(text), Test::AnyOf(patterns)) = (&line.found, line.test) else { return 0 };
    let begins = patterns.iter().filter_map(|pattern| match pattern {
        Pattern::Exact(wanted) => Some(&**wanted),
        Pattern::Glob(pieces) => pieces.first().map(|piece| &**piece),
        Pattern::Regex(_) => None,
    });
    let common = begins.map(|wanted| {
        wanted.chars().zip(text.chars()).take_while(|(one, other)| one == other).count()
    });
    common.max().unwrap_or(0)
}

/// The records of a kind, all of them.
pub(super) fn kind(source: Source) -> &'static str {
    match source {
        Source::Span => "spans",
        Source::SpanEvent => "span events",
        Source::Log => "log records",
        Source::Datapoint => "data points",
        Source::Session => "sessions",
    }
}

/// `a, b or c`; a long list is cut.
pub(super) fn list(names: &[String], last: &str) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [..] if names.len() > LISTED => {
            let shown = names.get(..LISTED - 1).unwrap_or(names).join(", ");
            format!("{shown} {last} {} more", names.len() + 1 - LISTED)
        }
        [front @ .., end] => format!("{} {last} {end}", front.join(", ")),
    }
}

/// A series as it is asked for.
pub(super) fn series<'l>(name: &str, labels: impl Iterator<Item = (&'l str, &'l str)>) -> String {
    let pairs = labels.map(|(name, value)| format!("{}={}", label(name), quoted(value)));
    let pairs: Vec<String> = pairs.collect();
    match (is_classic(name), pairs.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{name}{{{}}}", pairs.join(", ")),
        (false, true) => format!("{{{}}}", quoted(name)),
        (false, false) => format!("{{{}, {}}}", quoted(name), pairs.join(", ")),
    }
}

fn label(name: &str) -> String {
    if is_classic(name) { name.to_owned() } else { quoted(name) }
}

fn is_classic(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

/// By how much: `+1`, `=5`, `observe 0.25`.
pub(super) fn amount(op: Op<'_>) -> String {
    match op {
        Op::Add(number) => format!("+{number}"),
        Op::Set(level) | Op::Part { value: level, .. } => format!("={level}"),
        Op::Observe { value, weight: 1.0 } => format!("observe {value}"),
        Op::Observe { value, weight } => format!("observe {value}, counted {weight} times"),
        Op::See { .. } => "sees somebody".to_owned(),
        Op::Merge(_) => String::new(),
    }
}

/// What a skip reason means, after what the record has; empty where that says it.
pub(super) fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NoTime => " (its start or end is unknown)",
        SkipReason::TooLong => " (longer than 7 days)",
        SkipReason::TooLarge => " (value times weight is over 1e12)",
        SkipReason::NotANumber
        | SkipReason::NoRow
        | SkipReason::Negative
        | SkipReason::GaugeLimit
        | SkipReason::Weight => "",
    }
}

/// Why a record counts as 1 although its sampling weight is higher, and the line that changes it.
pub(super) fn ignored_weight(definitions: &Definitions, ignored: &IgnoredWeight) -> String {
    let IgnoredWeight { bound: WeightBound { most, class }, weight, .. } = ignored;
    let class = class.and_then(|class| definitions.records.get(class as usize));
    let whose = match class {
        Some(class) => format!("`most` of record {}", class.name),
        None => "`sampling.most`".to_owned(),
    };
    let reason = SkipReason::Weight.as_str();
    let text = format!("{reason}: counted once, its weight {weight} is over {whose}, {most}");
    match *weight <= limits::SAMPLING_MOST {
        true => format!(
            "{text}; if the bot samples, raise it: `sampling: {{most: {weight}}}` does for the packs' records"
        ),
        false => text,
    }
}

/// What a data point's series gain.
pub(super) fn gain(gain: Gain) -> String {
    let observations = |count: f64, sum: Option<f64>| match sum {
        Some(sum) => format!("{count} observations, sum {sum}"),
        None => format!("{count} observations"),
    };
    match gain {
        Gain::Nothing => "nothing new".to_owned(),
        Gain::Number(number) => format!("+{number}"),
        Gain::Level(level) => format!("={level}"),
        Gain::Observations(count, sum) => format!("+{}", observations(count, sum)),
        Gain::Anew(count, sum) => {
            format!("begins anew, for its buckets changed: {}", observations(count, sum))
        }
        Gain::End => "ends".to_owned(),
    }
}

/// Why an item was rejected. Points of a stream and records have different ways to come twice or late.
pub(super) fn why(rejection: Rejection, is_point: bool) -> &'static str {
    match (rejection, is_point) {
        (Rejection::Duplicate, false) => "a span with these ids came before",
        (Rejection::Duplicate, true) => "its stream counted this very point before",
        (Rejection::Late, false) => "it is older than `limits.late` lets count",
        (Rejection::Late, true) => "its stream has counted later points already",
        (Rejection::Name, _) => {
            "its name or a label is invalid, reserved, or clashes with another metric"
        }
        (Rejection::TypeConflict, _) => "the series of that name are of another type",
        (Rejection::Temporality, _) => "its temporality is unspecified, or not what its stream had",
        (Rejection::DeltaNonmonotonic, _) => "a delta of a sum that may fall can't be added up",
        (Rejection::Scale, _) => "its scale is coarser than a Prometheus histogram can be",
        (Rejection::Invalid, _) => "its numbers are missing or contradict each other",
        (Rejection::SeriesLimit, _) => "there is no room for another series",
        (Rejection::StreamLimit, _) => "there is no room for another stream",
        (Rejection::Loop, _) => "it came round a loop of instances that forward to each other",
    }
}

/// `2026-11-25T23:24:27.123Z`; empty when there is none.
pub(super) fn time(time: Timestamp) -> String {
    if time.0 == 0 {
        return String::new();
    }
    format!("{:.3}Z", time.utc())
}

/// An id in hexadecimal digits.
pub(super) fn hex(id: &[u8]) -> String {
    id.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn origin_word(origin: Origin) -> &'static str {
    match origin {
        Origin::Resource => "resource",
        Origin::Scope => "scope",
        Origin::Span => "span",
        Origin::Event => "event",
        Origin::Log => "log",
        Origin::Point => "point",
    }
}

fn comparison_word(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
    }
}

fn intrinsic_word(intrinsic: Intrinsic) -> &'static str {
    match intrinsic {
        Intrinsic::Name => "name",
        Intrinsic::Kind => "kind",
        Intrinsic::Status => "status",
        Intrinsic::Duration => "duration",
        Intrinsic::Time => "time",
        Intrinsic::Root => "root",
        Intrinsic::Service => "service",
        Intrinsic::ScopeName => "scope_name",
        Intrinsic::TraceId => "trace_id",
        Intrinsic::SpanId => "span_id",
        Intrinsic::SpanName => "span_name",
        Intrinsic::SinceStart => "since_start",
        Intrinsic::Severity => "severity",
        Intrinsic::Body => "body",
        Intrinsic::Value => "value",
    }
}

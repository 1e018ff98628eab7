//! `metrics`: one block, its parts, and what they inherit.

use engine::limits::{self, Limits};
use engine::model::MetricName;
use engine::rules::definition::{Condition, Metric, Part, Source};
use engine::rules::pattern::Pattern;

use super::super::document::{Entry, Node};
use super::super::fields::{self, Fields};
use super::super::settings::Presentation;
use super::kind::Type;
use super::label::{self, Context, Declared};
use super::measure::{self, Measured};
use super::{EVERY, Resolver, unit};

const TYPES: [(&str, Type); 4] = [
    ("counter", Type::Counter),
    ("gauge", Type::Gauge),
    ("histogram", Type::Histogram),
    ("distinct", Type::Distinct),
];

const KEYS: [&str; 17] = [
    "help",
    "type",
    "from",
    "where",
    "value",
    "labels",
    "parts",
    "buckets",
    "native",
    "of",
    "windows",
    "registers",
    "unit",
    "title",
    "role",
    "idle",
    "weighted",
];

/// Keys that belong to some types only.
const BELONGS: [(&str, &[Type]); 7] = [
    ("value", &[Type::Counter, Type::Gauge, Type::Histogram]),
    ("parts", &[Type::Counter, Type::Gauge, Type::Histogram]),
    ("buckets", &[Type::Histogram]),
    ("native", &[Type::Histogram]),
    ("of", &[Type::Distinct]),
    ("windows", &[Type::Distinct]),
    ("registers", &[Type::Distinct]),
];

/// What the parts of a block inherit.
struct Block<'b> {
    kind: Type,
    sources: &'b [Source],
    conditions: Vec<Condition>,
    measured: Option<Measured>,
    labels: Vec<Declared>,
}

impl<'n> Resolver<'n, '_, '_> {
    /// The labels that all metrics have.
    pub(super) fn common(&mut self, limits: &Limits, dropped: &[Pattern]) -> Vec<Declared> {
        let context = Context { limits, dropped, sources: EVERY };
        let common = self.root.get("labels").map(|node| self.labels(node, &context));
        common.unwrap_or_default()
    }

    /// All metrics that can be told apart by a name and a type.
    pub(super) fn metrics(
        &mut self,
        common: &[Declared],
        limits: &Limits,
        dropped: &[Pattern],
    ) -> Vec<(Metric, Presentation)> {
        let context = Context { limits, dropped, sources: EVERY };
        let entries = self.section("metrics");
        entries.iter().filter_map(|entry| self.metric(entry, common, &context)).collect()
    }

    fn metric(
        &mut self,
        entry: &'n Entry,
        common: &[Declared],
        context: &Context<'_>,
    ) -> Option<(Metric, Presentation)> {
        let name = MetricName::new(&entry.key);
        if let Err(error) = &name {
            let fault = self.report.error(entry.at, error.to_string());
            fault.help = spelled(&entry.key).map(|name| format!("call it `{name}`"));
        }
        let what = format!("the metric `{}`", entry.key);
        let fields = Fields::of(&entry.value, &what, &KEYS, self.report);
        let (from, sources) = self.from(&fields, entry, &what);
        let kind = self.kind_word(entry, &fields, &what);
        self.mixed(&fields, &sources);
        let help = self.help(entry, &fields, &what);
        let context = Context { sources: &sources, ..*context };
        let conditions = fields.get("where").map(|node| self.condition(node, &sources));
        let own = fields.get("labels").map(|node| self.labels(node, &context));
        let block = Block {
            kind: kind.unwrap_or(Type::Counter),
            sources: &sources,
            conditions: conditions.into_iter().collect(),
            measured: fields.get("value").map(|node| self.measured(node, kind, &sources)),
            labels: label::over(common, own.unwrap_or_default()),
        };
        let (parts, seconds) = self.parts(entry, &fields, &block, &context);
        let kind = kind?;
        let said = self.unit(&fields, seconds);
        self.name_fits(entry, kind, &said);
        let made = self.kind(entry, &fields, kind, (&said, &sources));
        let presentation = self.presentation(&fields, &said);
        let metric = Metric {
            help,
            unit: unit::told(&entry.key, &made, &said),
            kind: made,
            from,
            parts,
            weighted: fields.read("weighted", fields::boolean, self.report).unwrap_or(true),
            idle: fields.read("idle", fields::positive, self.report),
            name: name.ok()?,
        };
        Some((metric, presentation))
    }

    fn kind_word(&mut self, entry: &'n Entry, fields: &Fields<'n>, what: &str) -> Option<Type> {
        let Some(node) = fields.get("type") else {
            let fault = self.report.error(entry.at, format!("{what} lacks `type`"));
            fault.help("counter, gauge, histogram or distinct");
            return None;
        };
        let kind = fields::word(node, &TYPES, self.report)?;
        for (key, types) in BELONGS {
            if let Some(node) = fields.get(key)
                && !types.contains(&kind)
            {
                let message = format!("a {} has no `{key}`", kind.word());
                self.report.error(node.at, message);
            }
        }
        Some(kind)
    }

    /// Data points keep their own kind, so nothing else can share their metric; sessions must be followed to be counted.
    fn mixed(&mut self, fields: &Fields<'n>, sources: &[Source]) {
        let Some(from) = fields.get("from") else { return };
        let all = sources.len() == EVERY.len();
        if sources.contains(&Source::Datapoint) && sources.len() > 1 && !all {
            let message = "data points keep their own kind: they can't be mixed with other records";
            self.report.error(from.at, message).help("make two metrics");
        }
        if sources.contains(&Source::Session) && !all && self.root.get("sessions").is_none() {
            let message = "no conversation is followed: there is no `sessions`";
            let help = "say `sessions: {from: ..., key: ...}`";
            self.report.error(from.at, message).help(help);
        }
    }

    fn help(&mut self, entry: &'n Entry, fields: &Fields<'n>, what: &str) -> String {
        let Some(node) = fields.get("help") else {
            let fault = self.report.error(entry.at, format!("{what} lacks `help`"));
            fault.help("one line that says to people what it counts");
            return String::new();
        };
        let text = fields::text(node, self.report).unwrap_or("-").trim();
        if text.is_empty() {
            self.report.error(node.at, "an empty `help` helps nobody");
        } else if text.contains(['\n', '\r']) {
            self.report.error(node.at, "`help` is one line");
        }
        text.to_owned()
    }

    fn measured(&mut self, node: &'n Node, kind: Option<Type>, sources: &[Source]) -> Measured {
        let measured = self.measure(node, sources);
        if sources == [Source::Datapoint] && measured.measure != measure::unsaid(sources).measure {
            let message = "a data point brings its own number";
            self.report.error(node.at, message).help("leave `value` out");
        }
        if kind == Some(Type::Counter) {
            self.rises(node, &measured);
        }
        measured
    }

    /// The parts with all they inherit, and whether they measure times.
    fn parts(
        &mut self,
        entry: &'n Entry,
        fields: &Fields<'n>,
        block: &Block<'_>,
        context: &Context<'_>,
    ) -> (Vec<Part>, bool) {
        let Some(node) = fields.get("parts") else {
            let (part, seconds) = self.part(entry, None, block, context);
            return (vec![part], seconds);
        };
        let nodes = fields::list(node, self.report).unwrap_or_default();
        if nodes.is_empty() {
            self.report.error(node.at, "`parts` without a part");
        } else if nodes.len() > limits::BLOCK {
            self.report.error(node.at, format!("more than {} parts", limits::BLOCK));
        }
        let nodes = nodes.get(..limits::BLOCK).unwrap_or(nodes);
        let parts = nodes.iter().map(|node| self.part(entry, Some(node), block, context));
        let parts: Vec<_> = parts.collect();
        let seconds = !parts.is_empty() && parts.iter().all(|(_, seconds)| *seconds);
        (parts.into_iter().map(|(part, _)| part).collect(), seconds)
    }

    fn part(
        &mut self,
        entry: &'n Entry,
        node: Option<&'n Node>,
        block: &Block<'_>,
        context: &Context<'_>,
    ) -> (Part, bool) {
        let mut conditions = block.conditions.clone();
        let mut measured = block.measured.clone();
        let mut labels = block.labels.clone();
        let known = ["value", "labels", "where"];
        let fields = node.map(|node| Fields::of(node, "a part", &known, self.report));
        if let Some(fields) = &fields {
            let own = fields.get("where").map(|node| self.condition(node, block.sources));
            conditions.extend(own);
            let own = fields.get("value");
            measured =
                own.map(|node| self.measured(node, Some(block.kind), block.sources)).or(measured);
            let own = fields.get("labels").map(|node| self.labels(node, context));
            labels = label::over(&labels, own.unwrap_or_default());
        }
        let counts = matches!(block.kind, Type::Counter | Type::Distinct);
        if measured.is_none() && !counts && block.sources != [Source::Datapoint] {
            let message = format!("the {} `{}` lacks a `value`", block.kind.word(), entry.key);
            let at = node.map_or(entry.at, |node| node.at);
            self.report.error(at, message).help("such as `value: duration`");
        }
        self.reserved(&labels, block);
        let Measured { measure, seconds } =
            measured.unwrap_or_else(|| measure::unsaid(block.sources));
        let labels = labels.into_iter().filter_map(|one| one.label).collect();
        (Part { conditions, measure, labels }, seconds)
    }

    /// Labels that the exposition of a type needs for itself.
    fn reserved(&mut self, labels: &[Declared], block: &Block<'_>) {
        let points = block.sources == [Source::Datapoint];
        let reserved: &[&str] = match block.kind {
            _ if points => &["le", "quantile"],
            Type::Counter | Type::Gauge => &[],
            Type::Histogram => &["le"],
            Type::Distinct => &["window", "register", "key"],
        };
        for declared in labels {
            let Some(label) = &declared.label else { continue };
            if reserved.contains(&label.name.as_str()) {
                let kind = if points { "data point" } else { block.kind.word() };
                let message =
                    format!("the label `{}` is reserved in a {kind}", label.name.as_str());
                self.report.error(declared.at, message).help("call it otherwise");
            }
        }
    }

    fn presentation(&mut self, fields: &Fields<'n>, unit: &str) -> Presentation {
        let title = fields.read("title", fields::text, self.report).unwrap_or_default();
        let role = fields.read("role", fields::text, self.report).unwrap_or_default();
        Presentation { title: title.to_owned(), role: role.to_owned(), unit: unit.to_owned() }
    }
}

/// A name with `_` for what no name may have.
fn spelled(name: &str) -> Option<String> {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == ':' { c } else { '_' };
    let spelled: String = name.chars().map(fits).collect();
    (spelled != name && MetricName::new(&spelled).is_ok()).then_some(spelled)
}

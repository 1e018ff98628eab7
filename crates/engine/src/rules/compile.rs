//! From definitions to a rule set: keys become slots, tables are shared, families and their shapes are declared.

use std::sync::Arc;

use crate::limits;
use crate::model::{
    BucketKind, Declaration, Dimension, DistinctPlan, Family, HashKey, Kind, LabelName,
};

use super::assemble::Pieces;
use super::definition as from;
use super::expression::{Condition, Expression, Mapping, Reference, Step, Test, TextMap, Values};
use super::keys::{KeyId, Keys};
use super::lasting::Lasting;
use super::rule::{Class, Follow, Label, Measure, OpKind, Part, Rule, Scale};
use super::ruleset::RuleSet;

/// What a conversation has of its own, in the order of [`Follow::own`].
const OF_SESSIONS: [&str; 5] = ["turns", "resolution", "ended_by", "reasks", "handover"];
/// Where `service` and a log record's fallback name come from.
const SERVICE: &str = "service.name";
const EVENT_NAME: &str = "event.name";

struct Compiler<'d> {
    definitions: &'d from::Definitions,
    key: &'d HashKey,
    keys: Keys,
    tables: Vec<Arc<TextMap>>,
    /// Label values so far, beside what they were compiled from.
    labels: Vec<(&'d from::Label, Label)>,
    /// Label sets so far.
    sets: Vec<Vec<Option<usize>>>,
    event_name: Option<KeyId>,
    /// Which of [`CLOCKS`] each alias may yield, once it was looked at.
    alias_clocks: Vec<Option<[bool; CLOCKS.len()]>>,
}

/// What clocks tell of a record, each in its own way.
const CLOCKS: [from::Intrinsic; 3] =
    [from::Intrinsic::Duration, from::Intrinsic::SinceStart, from::Intrinsic::Time];

impl RuleSet {
    /// Compiles what a config resolved to. Personal values are hashed with the key.
    pub fn new(definitions: &from::Definitions, key: &HashKey) -> Self {
        compile(definitions, key)
    }
}

fn compile(definitions: &from::Definitions, key: &HashKey) -> RuleSet {
    let boxed = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    let table = |table: &from::Table| Arc::new(table.rows.iter().map(boxed).collect());
    let tables: Vec<Arc<TextMap>> = definitions.tables.iter().map(table).collect();
    let opt_out = definitions.opt_out.and_then(|at| tables.get(at).cloned());
    let (keys, labels, sets) = (Keys::default(), Vec::new(), Vec::new());
    let (event_name, alias_clocks) = (None, vec![None; definitions.aliases.len()]);
    let mut compiler =
        Compiler { definitions, key, keys, tables, labels, sets, event_name, alias_clocks };
    let aliases =
        definitions.aliases.iter().map(|alias| compiler.expression(&alias.value)).collect();
    let classes = definitions.records.iter().map(|class| compiler.class(class)).collect();
    let rules = (0..).zip(&definitions.metrics);
    let rules = rules.map(|(family, metric)| compiler.rule(metric, family)).collect();
    let follow = definitions.sessions.as_ref().map(|sessions| compiler.follow(sessions));
    let names = definitions.records.iter().map(|class| class.name.clone()).collect();
    let Compiler { keys, labels, sets, event_name, .. } = compiler;
    let labels = labels.into_iter().map(|(_, label)| label).collect();
    let pieces = Pieces { keys, event_name, aliases, classes, labels, sets, follow };
    RuleSet::assemble(pieces, rules, names)
        .with_people(key.clone(), opt_out)
        .with_weights(definitions.most.unwrap_or(limits::SAMPLING_MOST))
}

impl<'d> Compiler<'d> {
    fn class(&mut self, class: &from::RecordClass) -> Class {
        Class {
            from: class.from.clone(),
            condition: self.condition(&class.condition),
            unique: class.unique.iter().map(|one| self.reference(one)).collect(),
            most: class.most,
        }
    }

    fn rule(&mut self, metric: &'d from::Metric, family: u32) -> (Rule, Arc<Declaration>) {
        let (op, kind, bounds) = match &metric.kind {
            from::MetricKind::Counter => (OpKind::Add, Kind::Counter, Vec::new()),
            from::MetricKind::Gauge => (OpKind::Set, Kind::Gauge, Vec::new()),
            from::MetricKind::Histogram { bounds, .. } => {
                (OpKind::Observe, Kind::Histogram, bounds.clone())
            }
            from::MetricKind::Distinct { .. } => (OpKind::See, Kind::Gauge, Vec::new()),
        };
        let mut labels: Vec<LabelName> = Vec::new();
        for label in metric.parts.iter().flat_map(|part| &part.labels) {
            if !labels.contains(&label.name) {
                labels.push(label.name.clone());
            }
        }
        let shapes = metric.parts.iter().map(|part| shape(part, &labels)).collect();
        let parts = metric.parts.iter().map(|part| self.part(part, &labels)).collect();
        let rule = Rule {
            family,
            from: metric.from.clone(),
            kind: op,
            of: match &metric.kind {
                from::MetricKind::Distinct { of, .. } => Some(self.reference(of)),
                _ => None,
            },
            group: 0,
            weighted: metric.weighted && matches!(op, OpKind::Add | OpKind::Observe),
            parts,
        };
        let (name, help, unit) = (metric.name.clone(), metric.help.clone(), metric.unit.clone());
        let family = Arc::new(Family { name, help, unit, kind, labels, bounds });
        let buckets = match &metric.kind {
            from::MetricKind::Histogram { native: from::Native::Only, .. } => BucketKind::Native,
            from::MetricKind::Histogram { native: from::Native::Both, .. } => BucketKind::Both,
            _ if self.reads(&metric.from, &|source| source == from::Source::Datapoint) => {
                BucketKind::Sent
            }
            _ => BucketKind::Classic,
        };
        let distinct = match &metric.kind {
            from::MetricKind::Distinct { windows, registers, .. } => Some(DistinctPlan {
                windows: windows.clone(),
                registers: *registers,
                key: self.key.fingerprint(*registers).into(),
            }),
            _ => None,
        };
        let idle = metric.idle;
        (rule, Arc::new(Declaration { family, shapes, idle, buckets, distinct }))
    }

    /// Whether a list of records holds any of such a source.
    fn reads(&self, from: &[from::From], wanted: &dyn Fn(from::Source) -> bool) -> bool {
        from.iter().any(|one| match one {
            from::From::Source(source) => wanted(*source),
            from::From::Record(class) => {
                let class = self.definitions.records.get(*class);
                class.is_some_and(|class| self.reads(&class.from, wanted))
            }
        })
    }

    fn follow(&mut self, sessions: &from::SessionDefinition) -> Follow {
        Follow {
            turns: sessions.turns.clone(),
            key: self.reference(&sessions.key),
            outcome: sessions.outcome.as_ref().map(|outcome| self.reference(outcome)),
            end: sessions.end.clone(),
            liked: sessions.liked.clone(),
            disliked: sessions.disliked.clone(),
            handover: sessions.handover.clone(),
            own: OF_SESSIONS.map(|key| self.keys.intern(key)),
            words: Vec::new(),
        }
    }

    fn part(&mut self, part: &'d from::Part, labels: &[LabelName]) -> Part {
        let value = |compiler: &mut Self, name: &LabelName| {
            let label = part.labels.iter().find(|label| label.name == *name);
            label.map(|label| compiler.label(label))
        };
        let set = labels.iter().map(|name| value(self, name)).collect();
        Part {
            conditions: part.conditions.iter().map(|one| self.condition(one)).collect(),
            measure: match &part.measure {
                from::Measure::Constant(number) => Measure::Constant(*number),
                from::Measure::Value(value, scale) => {
                    Measure::Value(Box::new(self.expression(value)), self.scale(scale))
                }
            },
            clocks: self.clocks(&part.measure),
            set: self.set(set),
        }
    }

    /// What a measure's value may be that clocks tell.
    fn clocks(&mut self, measure: &from::Measure) -> Box<[from::Intrinsic]> {
        let from::Measure::Value(value, _) = measure else { return Box::default() };
        let yielded = self.yielded(value);
        CLOCKS.into_iter().zip(yielded).filter(|(_, yes)| *yes).map(|(clock, _)| clock).collect()
    }

    /// Which of [`CLOCKS`] an expression may yield, through aliases too. Each alias is looked at once.
    fn yielded(&mut self, expression: &from::Expression) -> [bool; CLOCKS.len()] {
        let mut all = [false; CLOCKS.len()];
        for step in &expression.steps {
            let step = match step {
                from::Step::From(from::Reference::Intrinsic(one)) => {
                    CLOCKS.map(|clock| clock == *one)
                }
                from::Step::From(from::Reference::Alias(at)) => self.yielded_by_alias(*at),
                from::Step::From(from::Reference::Attribute(..)) | from::Step::When(..) => continue,
            };
            all.iter_mut().zip(step).for_each(|(all, step)| *all |= step);
        }
        all
    }

    fn yielded_by_alias(&mut self, at: usize) -> [bool; CLOCKS.len()] {
        if let Some(Some(known)) = self.alias_clocks.get(at) {
            return *known;
        }
        let alias = self.definitions.aliases.get(at);
        let yielded = alias.map_or([false; CLOCKS.len()], |alias| self.yielded(&alias.value));
        if let Some(known) = self.alias_clocks.get_mut(at) {
            *known = Some(yielded);
        }
        yielded
    }

    /// The index of a label set. Parts of whatever metrics that have the same share one, so that a record writes it once.
    fn set(&mut self, set: Vec<Option<usize>>) -> usize {
        if let Some(at) = self.sets.iter().position(|other| *other == set) {
            return at;
        }
        self.sets.push(set);
        self.sets.len() - 1
    }

    /// The index of a label's value. Labels that mean the same share one, so that a record evaluates it once.
    fn label(&mut self, label: &'d from::Label) -> usize {
        let same = |(other, _): &(&from::Label, Label)| {
            other.value == label.value && other.values == label.values
        };
        if let Some(at) = self.labels.iter().position(same) {
            return at;
        }
        let compiled = Label {
            // The default comes after the declared values, so the expression itself has none.
            value: self.expression(&label.value).without_default(),
            values: label.values.as_ref().map(|values| Values::new(values)),
            default: label.value.default.as_deref().map(Box::from),
            lasting: Lasting::Record,
            words: None,
        };
        self.labels.push((label, compiled));
        self.labels.len() - 1
    }

    fn scale(&mut self, scale: &from::Scale) -> Scale {
        match scale {
            from::Scale::Constant(number) => Scale::Constant(*number),
            from::Scale::Value(value) => Scale::Value(self.expression(value)),
        }
    }

    fn expression(&mut self, expression: &from::Expression) -> Expression {
        let step = |compiler: &mut Self, step: &from::Step| match step {
            from::Step::From(reference) => Step::From(compiler.reference(reference)),
            from::Step::When(condition, then) => {
                Step::When(compiler.condition(condition), then.as_str().into())
            }
        };
        let steps = expression.steps.iter().map(|one| step(self, one)).collect();
        let map = expression.map.as_ref().and_then(|map| self.mapping(map));
        Expression::new(steps, map, expression.default.as_deref().map(Box::from))
    }

    fn mapping(&self, mapping: &from::Mapping) -> Option<Mapping> {
        match mapping {
            from::Mapping::Table(table) => self.tables.get(*table).cloned().map(Mapping::Table),
            from::Mapping::Rows(rows) => {
                let mut exact = TextMap::default();
                let mut rest = Vec::new();
                for (row, template) in rows {
                    match (row, template.plain()) {
                        (from::Row::Text(super::pattern::Pattern::Exact(key)), Some(text)) => {
                            exact.entry(key.clone()).or_insert_with(|| text.into());
                        }
                        _ => rest.push((row.clone(), template.clone())),
                    }
                }
                Some(Mapping::Rows { exact, rest })
            }
        }
    }

    fn condition(&mut self, condition: &from::Condition) -> Condition {
        let line = |compiler: &mut Self, (reference, test): &(from::Reference, from::Test)| {
            (compiler.reference(reference), compile_test(test))
        };
        let group = |compiler: &mut Self, group: &Vec<_>| {
            group.iter().map(|one| line(compiler, one)).collect()
        };
        Condition(condition.any.iter().map(|one| group(self, one)).collect())
    }

    fn reference(&mut self, reference: &from::Reference) -> Reference {
        match reference {
            from::Reference::Alias(alias) => Reference::Alias(*alias),
            from::Reference::Intrinsic(from::Intrinsic::Service) => {
                Reference::Service(self.keys.intern(SERVICE))
            }
            from::Reference::Intrinsic(from::Intrinsic::ScopeName) => Reference::ScopeName,
            from::Reference::Intrinsic(from::Intrinsic::Name) => {
                let fallback = self.keys.intern(EVENT_NAME);
                self.event_name = Some(fallback);
                Reference::Name(fallback)
            }
            from::Reference::Intrinsic(intrinsic) => Reference::Intrinsic(*intrinsic),
            from::Reference::Attribute(Some(origin), key) => {
                Reference::At(*origin, self.keys.intern(key))
            }
            from::Reference::Attribute(None, key) => Reference::Anywhere(self.keys.intern(key)),
        }
    }
}

fn compile_test(test: &from::Test) -> Test {
    match test {
        from::Test::AnyOf(patterns) => Test::AnyOf(patterns.clone()),
        from::Test::Exists(wanted) => Test::Exists(*wanted),
        from::Test::Number(comparison, bound) => Test::Number(*comparison, *bound),
        from::Test::Not(inner) => Test::Not(Box::new(compile_test(inner))),
        from::Test::All(all) => Test::All(all.iter().map(compile_test).collect()),
    }
}

/// What label sets a part may make. A label that is only a default has that one value.
fn shape(part: &from::Part, labels: &[LabelName]) -> Vec<Dimension> {
    let dimension = |name: &LabelName| {
        let Some(label) = part.labels.iter().find(|label| label.name == *name) else {
            return Dimension::Absent;
        };
        let default = label.value.default.as_deref();
        match &label.values {
            Some(values) => {
                let mut all: Vec<Box<str>> = values.iter().map(|one| one.as_str().into()).collect();
                all.extend(default.filter(|one| !values.iter().any(|v| v == one)).map(Box::from));
                Dimension::Declared(all)
            }
            None if label.value.steps.is_empty() => {
                Dimension::Declared(default.into_iter().map(Box::from).collect())
            }
            None => Dimension::Open { limit: label.limit, default: default.map(Box::from) },
        }
    };
    labels.iter().map(dimension).collect()
}

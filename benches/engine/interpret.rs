//! The same work on `opentelemetry-proto` structs for any config: owned structs, then each metric asked in turn. Written as one would
//! who does not compile rules: hash maps over attributes, classes and aliases worked out once for a record, texts borrowed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use engine::limits::{DEDUPE_ENTRIES, DEDUPE_WINDOW};
use engine::rules::definition::{
    Comparison, Condition, Definitions, Expression, From, Intrinsic, Label, Mapping, Measure,
    Metric, MetricKind, Reference, Row, Scale, Source, Step, Test,
};
use engine::timestamp::Timestamp;
use engine::view::Origin;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{Span, span};
use prost::Message;

type Fast = foldhash::fast::RandomState;
type Attributes<'a> = HashMap<&'a str, &'a AnyValue, Fast>;
type Text<'a> = Cow<'a, str>;
type Exemplar = ([u8; 16], [u8; 8], f64, u64);

/// A series: a total, or buckets and a sum.
struct Cell {
    total: f64,
    sum: f64,
    counts: Vec<f64>,
    exemplars: Vec<Option<Exemplar>>,
}

/// The metrics so far, and what came.
pub struct Interpreter<'d> {
    definitions: &'d Definitions,
    series: Vec<HashMap<Vec<String>, Cell, Fast>>,
    names: Vec<Vec<String>>,
    young: HashSet<([u8; 16], [u8; 8]), Fast>,
    elder: HashSet<([u8; 16], [u8; 8]), Fast>,
    unique: HashSet<String, Fast>,
    since: Timestamp,
}

/// What is looked at.
struct Record<'a> {
    source: Source,
    name: &'a str,
    span: &'a Span,
    event: Option<&'a span::Event>,
    own: Attributes<'a>,
    layers: [Option<&'a Attributes<'a>>; 3],
    scope_name: &'a str,
    aliases: Vec<Option<Option<Text<'a>>>>,
    classes: Vec<Option<bool>>,
    unique: Vec<String>,
}

impl<'d> Interpreter<'d> {
    pub fn new(definitions: &'d Definitions) -> Self {
        let names = definitions.metrics.iter().map(|metric| {
            let mut names: Vec<String> = Vec::new();
            for label in metric.parts.iter().flat_map(|part| &part.labels) {
                if !names.iter().any(|name| name == label.name.as_str()) {
                    names.push(label.name.as_str().to_owned());
                }
            }
            names
        });
        Self {
            definitions,
            series: definitions.metrics.iter().map(|_| HashMap::default()).collect(),
            names: names.collect(),
            young: HashSet::default(),
            elder: HashSet::default(),
            unique: HashSet::default(),
            since: Timestamp::default(),
        }
    }

    /// Decodes a request and runs every metric over its spans and their events.
    pub fn ingest(&mut self, body: &[u8], now: Timestamp) {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for resource_spans in &request.resource_spans {
            let resource = resource_spans.resource.as_ref();
            let resource = attributes(resource.map_or(&[], |resource| &resource.attributes));
            for scope_spans in &resource_spans.scope_spans {
                let scope = scope_spans.scope.as_ref();
                let scope_name = scope.map_or("", |scope| &scope.name);
                let scope = attributes(scope.map_or(&[], |scope| &scope.attributes));
                for span in &scope_spans.spans {
                    self.span(span, (&resource, &scope, scope_name), now);
                }
            }
        }
    }

    fn span<'a>(
        &mut self,
        span: &'a Span,
        (resource, scope, scope_name): (&'a Attributes<'a>, &'a Attributes<'a>, &'a str),
        now: Timestamp,
    ) {
        let trace_id: [u8; 16] = span.trace_id.as_slice().try_into().unwrap_or_default();
        let span_id: [u8; 8] = span.span_id.as_slice().try_into().unwrap_or_default();
        if self.repeated((trace_id, span_id), now) {
            return;
        }
        let blank = |own| Record {
            source: Source::Span,
            name: &span.name,
            span,
            event: None,
            own,
            layers: [None, Some(scope), Some(resource)],
            scope_name,
            aliases: vec![None; self.definitions.aliases.len()],
            classes: vec![None; self.definitions.records.len()],
            unique: Vec::new(),
        };
        let of_span = attributes(&span.attributes);
        for event in &span.events {
            let mut record = Record {
                source: Source::SpanEvent,
                name: &event.name,
                event: Some(event),
                layers: [Some(&of_span), Some(scope), Some(resource)],
                ..blank(attributes(&event.attributes))
            };
            // Texts of an event's record borrow from its span's map, which ends here.
            run(self.definitions, &mut record, &mut self.series, &self.names, &mut self.unique);
        }
        let mut record = blank(of_span);
        run(self.definitions, &mut record, &mut self.series, &self.names, &mut self.unique);
    }

    fn repeated(&mut self, ids: ([u8; 16], [u8; 8]), now: Timestamp) -> bool {
        if self.young.len() >= DEDUPE_ENTRIES || now.since(self.since) >= DEDUPE_WINDOW {
            std::mem::swap(&mut self.young, &mut self.elder);
            self.young.clear();
            self.unique.clear();
            self.since = now;
        }
        self.elder.contains(&ids) || !self.young.insert(ids)
    }

    /// The sum of each metric's series: what counters added, and what histograms counted.
    pub fn totals(&self) -> HashMap<String, f64> {
        let sum = |cells: &HashMap<Vec<String>, Cell, Fast>| {
            cells.values().map(|cell| cell.total + cell.counts.iter().sum::<f64>()).sum()
        };
        let named = self.definitions.metrics.iter().zip(&self.series);
        named.map(|(metric, cells)| (metric.name.as_str().to_owned(), sum(cells))).collect()
    }
}

fn run<'a>(
    definitions: &'a Definitions,
    record: &mut Record<'a>,
    series: &mut [HashMap<Vec<String>, Cell, Fast>],
    names: &[Vec<String>],
    unique: &mut HashSet<String, Fast>,
) {
    for (at, metric) in definitions.metrics.iter().enumerate() {
        if matches!(metric.kind, MetricKind::Distinct { .. }) {
            continue;
        }
        record.unique.clear();
        if !record.from(definitions, &metric.from) {
            continue;
        }
        if let Some(identity) = record.unique.first()
            && !unique.insert(format!("{at} {identity}"))
        {
            continue;
        }
        for part in &metric.parts {
            if !part.conditions.iter().all(|one| record.condition(definitions, one)) {
                continue;
            }
            let Some(value) = record.measure(definitions, &part.measure) else { continue };
            let label = |name: &String| {
                let label = part.labels.iter().find(|label| label.name.as_str() == name);
                label.map_or(Cow::Borrowed(""), |label| record.label(definitions, label))
            };
            let key: Vec<Text<'_>> = names[at].iter().map(label).collect();
            let cells = &mut series[at];
            // A look-up by borrowed texts would need a map of another kind; a vector of strings is what one writes.
            let key: Vec<String> = key.into_iter().map(Cow::into_owned).collect();
            let cell = cells.entry(key).or_insert_with(|| Cell::new(metric));
            cell.apply(metric, value, record.span);
        }
    }
}

impl Cell {
    fn new(metric: &Metric) -> Self {
        let buckets = match &metric.kind {
            MetricKind::Histogram { bounds, .. } => bounds.len() + 1,
            _ => 0,
        };
        let (counts, exemplars) = (vec![0.0; buckets], vec![None; buckets.max(1)]);
        Self { total: 0.0, sum: 0.0, counts, exemplars }
    }

    fn apply(&mut self, metric: &Metric, value: f64, span: &Span) {
        let trace_id: [u8; 16] = span.trace_id.as_slice().try_into().unwrap_or_default();
        let span_id: [u8; 8] = span.span_id.as_slice().try_into().unwrap_or_default();
        let exemplar = Some((trace_id, span_id, value, span.end_time_unix_nano));
        match &metric.kind {
            MetricKind::Counter => {
                self.total += value;
                self.exemplars[0] = exemplar;
            }
            MetricKind::Histogram { bounds, .. } => {
                let at = bounds.partition_point(|bound| *bound < value);
                self.counts[at] += 1.0;
                self.sum += value;
                self.exemplars[at] = exemplar;
            }
            _ => self.total = value,
        }
    }
}

impl<'a> Record<'a> {
    fn from(&mut self, definitions: &'a Definitions, from: &'a [From]) -> bool {
        from.iter().any(|one| match one {
            From::Source(source) => *source == self.source,
            From::Record(class) => self.class(definitions, *class),
        })
    }

    fn class(&mut self, definitions: &'a Definitions, at: usize) -> bool {
        let class = &definitions.records[at];
        let holds = match self.classes[at] {
            Some(holds) => holds,
            None => {
                let holds = self.from(definitions, &class.from)
                    && self.condition(definitions, &class.condition);
                self.classes[at] = Some(holds);
                holds
            }
        };
        if holds && !class.unique.is_empty() {
            let parts = class.unique.iter().map(|one| self.resolve(definitions, one));
            let parts: Option<Vec<Text<'_>>> = parts.collect();
            if let Some(parts) = parts {
                self.unique.push(format!("{}:{}", class.name, parts.join("\0")));
            }
        }
        holds
    }

    fn condition(&mut self, definitions: &'a Definitions, condition: &'a Condition) -> bool {
        condition.any.is_empty()
            || condition.any.iter().any(|group| {
                group.iter().all(|(reference, test)| {
                    let found = self.resolve(definitions, reference);
                    holds(test, found.as_deref())
                })
            })
    }

    fn measure(&mut self, definitions: &'a Definitions, measure: &'a Measure) -> Option<f64> {
        let (value, scale) = match measure {
            Measure::Constant(number) => return Some(*number),
            Measure::Value(value, scale) => (value, scale),
        };
        // A duration need not become a text first.
        let number = match &*value.steps {
            [Step::From(Reference::Intrinsic(Intrinsic::Duration))] if value.map.is_none() => {
                self.duration()?
            }
            _ => self.expression(definitions, value)?.trim().parse().ok()?,
        };
        let factor = match scale {
            Scale::Constant(factor) => *factor,
            Scale::Value(scale) => self.expression(definitions, scale)?.trim().parse().ok()?,
        };
        let product: f64 = number * factor;
        product.is_finite().then_some(product)
    }

    fn label(&mut self, definitions: &'a Definitions, label: &'a Label) -> Text<'a> {
        let found = self.found(definitions, &label.value).filter(|text| !text.is_empty());
        let Some(found) = found else {
            return label.value.default.as_deref().unwrap_or_default().into();
        };
        match &label.values {
            Some(values) if !values.iter().any(|value| **value == *found) => "other".into(),
            _ => found,
        }
    }

    fn expression(
        &mut self,
        definitions: &'a Definitions,
        expression: &'a Expression,
    ) -> Option<Text<'a>> {
        let found = self.found(definitions, expression);
        found.or_else(|| expression.default.as_deref().map(Cow::Borrowed))
    }

    fn found(
        &mut self,
        definitions: &'a Definitions,
        expression: &'a Expression,
    ) -> Option<Text<'a>> {
        let found = expression.steps.iter().find_map(|step| match step {
            Step::From(reference) => self.resolve(definitions, reference),
            Step::When(condition, then) => {
                self.condition(definitions, condition).then_some(Cow::Borrowed(then.as_str()))
            }
        })?;
        let mapped = match &expression.map {
            None => return Some(found),
            Some(Mapping::Table(table)) => {
                Cow::Borrowed(definitions.tables[*table].rows.get(&*found)?.as_str())
            }
            Some(Mapping::Rows(rows)) => {
                let number = found.trim().parse::<f64>().ok();
                let taken = rows.iter().find_map(|(row, template)| match row {
                    Row::Text(pattern) => pattern.apply(&found, template),
                    Row::Range(low, high) => number
                        .is_some_and(|number| *low <= number && number <= *high)
                        .then(|| template.plain().unwrap_or_default().into()),
                });
                taken.unwrap_or(found)
            }
        };
        (!mapped.is_empty()).then_some(mapped)
    }

    fn resolve(
        &mut self,
        definitions: &'a Definitions,
        reference: &'a Reference,
    ) -> Option<Text<'a>> {
        match reference {
            Reference::Alias(at) => {
                if let Some(found) = &self.aliases[*at] {
                    return found.clone();
                }
                let found = self.expression(definitions, &definitions.aliases[*at].value);
                self.aliases[*at] = Some(found.clone());
                found
            }
            Reference::Attribute(None, key) => {
                let layers = self.layers.iter().flatten();
                let found = self.own.get(&**key).copied().filter(|value| !is_missing(value));
                found
                    .or_else(|| {
                        layers
                            .filter_map(|map| map.get(&**key).copied())
                            .find(|value| !is_missing(value))
                    })
                    .map(text)
            }
            Reference::Attribute(Some(origin), key) => {
                let is_event = self.event.is_some();
                let map = match origin {
                    Origin::Span if !is_event => Some(&self.own),
                    Origin::Event if is_event => Some(&self.own),
                    Origin::Span => self.layers[0],
                    Origin::Scope => self.layers[1],
                    Origin::Resource => self.layers[2],
                    _ => None,
                };
                map?.get(&**key).copied().filter(|value| !is_missing(value)).map(text)
            }
            Reference::Intrinsic(intrinsic) => self.intrinsic(*intrinsic),
        }
    }

    fn intrinsic(&self, intrinsic: Intrinsic) -> Option<Text<'a>> {
        let found: Text<'a> = match intrinsic {
            Intrinsic::Name => self.name.into(),
            Intrinsic::Kind => match self.span.kind {
                2 => "server",
                3 => "client",
                4 => "producer",
                5 => "consumer",
                _ => "internal",
            }
            .into(),
            Intrinsic::Status => match self.span.status.as_ref().map_or(0, |status| status.code) {
                1 => "ok",
                2 => "error",
                _ => "unset",
            }
            .into(),
            Intrinsic::Duration => self.duration()?.to_string().into(),
            Intrinsic::SinceStart => {
                let start = Timestamp(self.span.start_time_unix_nano);
                let since = Timestamp(self.event?.time_unix_nano).seconds_since(start);
                since.ok()?.to_string().into()
            }
            Intrinsic::Root => {
                self.span.parent_span_id.iter().all(|byte| *byte == 0).to_string().into()
            }
            Intrinsic::Service => {
                self.layers[2]?.get("service.name").copied().map(text).unwrap_or_default()
            }
            Intrinsic::ScopeName => self.scope_name.into(),
            Intrinsic::SpanName => self.event.map(|_| self.span.name.as_str())?.into(),
            Intrinsic::TraceId => hex(&self.span.trace_id),
            Intrinsic::SpanId => hex(&self.span.span_id),
            _ => return None,
        };
        (!found.is_empty()).then_some(found)
    }

    fn duration(&self) -> Option<f64> {
        let end = Timestamp(self.span.end_time_unix_nano);
        end.seconds_since(Timestamp(self.span.start_time_unix_nano)).ok()
    }
}

fn attributes(all: &[KeyValue]) -> Attributes<'_> {
    let mut map = Attributes::default();
    for one in all {
        if let Some(value) = &one.value {
            map.entry(&one.key).or_insert(value);
        }
    }
    map
}

fn is_missing(value: &AnyValue) -> bool {
    match &value.value {
        None => true,
        Some(Value::StringValue(text)) => text.is_empty(),
        Some(_) => false,
    }
}

fn text(value: &AnyValue) -> Text<'_> {
    match &value.value {
        Some(Value::StringValue(text)) => text.as_str().into(),
        Some(Value::BoolValue(truth)) => if *truth { "true" } else { "false" }.into(),
        Some(Value::IntValue(number)) => number.to_string().into(),
        Some(Value::DoubleValue(number)) => number.to_string().into(),
        _ => "".into(),
    }
}

fn hex(bytes: &[u8]) -> Text<'static> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn holds(test: &Test, found: Option<&str>) -> bool {
    match (test, found) {
        (Test::Not(inner), found) => !holds(inner, found),
        (Test::All(all), found) => all.iter().all(|test| holds(test, found)),
        (Test::Exists(wanted), found) => found.is_some() == *wanted,
        (Test::AnyOf(patterns), Some(text)) => patterns.iter().any(|pattern| pattern.fits(text)),
        (Test::Number(comparison, bound), Some(text)) => {
            text.trim().parse::<f64>().is_ok_and(|number| match comparison {
                Comparison::Gt => number > *bound,
                Comparison::Ge => number >= *bound,
                Comparison::Lt => number < *bound,
                Comparison::Le => number <= *bound,
            })
        }
        (Test::AnyOf(_) | Test::Number(..), None) => false,
    }
}

//! One request on its way: the walk's visitor. It collects items and updates, and changes nothing outside itself.

use crate::clock::Timestamp;
use crate::derive::{Fingerprint, Keys, weight};
use crate::rules::definition::Source;
use crate::rules::{Evaluation, Subject};
use crate::series::Sample;
use crate::view::{LogRecord, Origin, Span, SpanEvent, Value, Visitor};

use super::engine::Engine;
use super::workspace::Workspace;

/// A request's items and what the rules made of them.
pub(super) struct Batch<'a> {
    evaluation: Evaluation<'a>,
    keys: &'a Keys,
    /// Records before this are late.
    deadline: Option<Timestamp>,
    /// The last span, while there are rules for its events.
    span: Span<'a>,
    reads_events: bool,
    /// The last span's attributes are complete: the next one for a span is another span's.
    span_told: bool,
    /// The rest of the workspace; `items` grow on the way.
    work: Workspace,
}

/// One span or log record.
pub(super) struct Item {
    ids: Option<([u8; 16], [u8; 8])>,
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) weight: f64,
    pub(super) fate: Fate,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Matched,
    Unmatched,
    Late,
    Duplicate,
}

impl<'a> Batch<'a> {
    pub(super) fn new(engine: &'a Engine, keys: &'a Keys, now: Timestamp) -> Self {
        let mut work = engine.workspaces.take();
        work.items.clear();
        let scratch = std::mem::take(&mut work.scratch);
        let evaluation = Evaluation::new(&engine.rules, (engine.limits.label_value, now), scratch);
        Self {
            reads_events: evaluation.reads(Source::SpanEvent),
            evaluation,
            keys,
            deadline: engine.limits.late.map(|late| now.before(late)),
            span: Span::default(),
            span_told: false,
            work,
        }
    }

    /// The items, and what the rules made of them.
    pub(super) fn into_work(self) -> Workspace {
        Workspace { scratch: self.evaluation.into_scratch(), ..self.work }
    }

    fn item(&mut self, item: Item, subject: Subject<'_, 'a>) {
        self.work.items.push(item);
        let time = subject.time();
        let late = self.deadline.is_some_and(|deadline| time.0 != 0 && time < deadline);
        if late {
            self.settle(Fate::Late);
        } else {
            self.evaluate(subject);
        }
    }

    /// Runs the rules over a record of the last item.
    fn evaluate(&mut self, subject: Subject<'_, 'a>) {
        let Some((at, item)) = self.work.items.len().checked_sub(1).zip(self.work.items.last())
        else {
            return;
        };
        let weight = item.weight;
        let Ok(at) = u32::try_from(at) else { return };
        if self.evaluation.record(subject, at, weight) {
            self.settle(Fate::Matched);
        }
    }

    fn settle(&mut self, fate: Fate) {
        if let Some(item) = self.work.items.last_mut() {
            item.fate = fate;
        }
    }
}

impl Item {
    /// What nobody sent: it stands for what was.
    pub(super) fn derived() -> Self {
        Self { ids: None, fingerprint: None, weight: 1.0, fate: Fate::Matched }
    }

    /// The record behind a change, its ids when they are whole.
    #[inline]
    pub(super) fn sample(&self, time: Timestamp) -> Sample {
        Sample { time, ids: self.ids }
    }
}

/// A record's ids as exemplars show them: none without a trace id.
#[inline]
fn ids(trace_id: &[u8], span_id: &[u8]) -> Option<([u8; 16], [u8; 8])> {
    let trace_id = trace_id.try_into().ok().filter(|id| *id != [0; 16])?;
    Some((trace_id, span_id.try_into().unwrap_or_default()))
}

impl<'a> Visitor<'a> for Batch<'a> {
    fn resource(&mut self) {
        self.evaluation.resource();
    }

    fn scope(&mut self, name: &'a [u8], _version: &'a [u8]) {
        self.evaluation.scope(name);
    }

    #[inline(always)]
    fn attribute(&mut self, origin: Origin, key: &'a [u8], value: Value<'a>) {
        if origin == Origin::Span && std::mem::take(&mut self.span_told) {
            self.evaluation.forget(Origin::Span);
        }
        self.evaluation.attribute(origin, key, value);
    }

    fn span(&mut self, span: &Span<'a>) {
        if std::mem::replace(&mut self.span_told, true) {
            self.evaluation.forget(Origin::Span);
        }
        if self.reads_events {
            self.span = *span;
        }
        let item = Item {
            ids: ids(span.trace_id, span.span_id),
            fingerprint: Fingerprint::of_span(self.keys, span.trace_id, span.span_id),
            weight: weight(span.trace_state),
            fate: Fate::Unmatched,
        };
        self.item(item, Subject::Span(span));
    }

    fn event(&mut self, event: &SpanEvent<'a>) {
        let live = self.work.items.last().is_some_and(|item| item.fate != Fate::Late);
        if live && self.reads_events {
            let span = self.span;
            self.evaluate(Subject::Event(event, &span));
        }
        self.evaluation.forget(Origin::Event);
    }

    fn log(&mut self, record: &LogRecord<'a>) {
        let item = Item {
            ids: ids(record.trace_id, record.span_id),
            fingerprint: None, // a log record has no identity
            weight: 1.0,
            fate: Fate::Unmatched,
        };
        self.item(item, Subject::Log(record));
        self.evaluation.forget(Origin::Log);
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
    use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
    use opentelemetry_proto::tonic::trace::v1 as sent;
    use prost::Message;

    use super::*;
    use crate::traffic::draw::Dice;
    use crate::wire;

    const NAMES: [&str; 16] = [
        "bot.interaction",
        "bot.interaction thread",
        "bot.ingress slack",
        "bot.context.load",
        "bot.authorize",
        "bot.input.validate",
        "bot.feedback",
        "bot.acknowledged",
        "bot.authz.denied",
        "gen_ai.evaluation.result",
        "send message",
        "chat",
        "exception",
        "session.start",
        "b",
        "",
    ];
    const KEYS: [&str; 20] = [
        "gen_ai.operation.name",
        "openinference.span.kind",
        "bot.outcome",
        "bot.platform",
        "bot.command.name",
        "bot.attempt.number",
        "bot.search.mode",
        "bot.input.verdict",
        "bot.tool.write",
        "bot.job.name",
        "db.system",
        "http.request.method",
        "http.response.status_code",
        "messaging.operation.type",
        "faas.trigger",
        "faas.coldstart",
        "exception.type",
        "error.type",
        "event.name",
        "gen_ai.usage.input_tokens",
    ];
    const TEXTS: [&str; 14] = [
        "chat",
        "invoke_agent",
        "execute_tool",
        "retrieval",
        "LLM",
        "TOOL",
        "AGENT",
        "send",
        "http",
        "true",
        "429",
        "bot.feedback",
        "caf\u{e9}",
        "",
    ];

    fn pick<'t>(dice: &mut Dice, all: &[&'t str]) -> &'t str {
        all[dice.bits() as usize % all.len()]
    }

    fn attributes(dice: &mut Dice) -> Vec<KeyValue> {
        let count = dice.bits() as usize % 7;
        let value = |dice: &mut Dice| match dice.bits() % 8 {
            0 => Some(Any::IntValue(429)),
            1 => Some(Any::BoolValue(true)),
            2 => Some(Any::DoubleValue(0.5)),
            3 => None,
            _ => Some(Any::StringValue(pick(dice, &TEXTS).into())),
        };
        let one = |dice: &mut Dice| KeyValue {
            key: pick(dice, &KEYS).into(),
            value: Some(AnyValue { value: value(dice) }),
            ..KeyValue::default()
        };
        (0..count).map(|_| one(dice)).collect()
    }

    fn spans(dice: &mut Dice) -> Vec<u8> {
        let event = |dice: &mut Dice| sent::span::Event {
            name: pick(dice, &NAMES).into(),
            attributes: attributes(dice),
            ..Default::default()
        };
        let span = |dice: &mut Dice| sent::Span {
            trace_id: dice.bits().to_be_bytes().repeat(2),
            span_id: dice.bits().to_be_bytes().into(),
            parent_span_id: if dice.bits().is_multiple_of(2) { Vec::new() } else { vec![1; 8] },
            name: pick(dice, &NAMES).into(),
            kind: (dice.bits() % 6) as i32,
            end_time_unix_nano: dice.bits() % 100_000_000_000,
            attributes: attributes(dice),
            events: (0..dice.bits() % 3).map(|_| event(dice)).collect(),
            status: Some(sent::Status { code: (dice.bits() % 3) as i32, ..Default::default() }),
            ..Default::default()
        };
        let spans = (0..1_000).map(|_| span(dice)).collect();
        let scope_spans = vec![sent::ScopeSpans { spans, ..Default::default() }];
        let resource_spans = vec![sent::ResourceSpans { scope_spans, ..Default::default() }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    fn logs(dice: &mut Dice) -> Vec<u8> {
        let record = |dice: &mut Dice| LogRecord {
            event_name: pick(dice, &NAMES).into(),
            attributes: attributes(dice),
            trace_id: dice.bits().to_be_bytes().repeat(2),
            span_id: dice.bits().to_be_bytes().into(),
            ..Default::default()
        };
        let log_records = (0..1_000).map(|_| record(dice)).collect();
        let scope_logs = vec![ScopeLogs { log_records, ..Default::default() }];
        let resource_logs = vec![ResourceLogs { scope_logs, ..Default::default() }];
        ExportLogsServiceRequest { resource_logs }.encode_to_vec()
    }

    /// All that rules make of a request, one line each.
    fn made(engine: &Engine, signal: crate::view::Signal, body: &[u8]) -> Vec<String> {
        let keys = Keys::default();
        let mut batch = Batch::new(engine, &keys, Timestamp(1));
        match signal {
            crate::view::Signal::Logs => wire::walk_logs(body, &mut batch).unwrap(),
            _ => wire::walk_traces(body, &mut batch).unwrap(),
        }
        let work = batch.into_work();
        let updates = &work.scratch.updates;
        let update = |one: &crate::rules::Update| {
            let key: Vec<&str> = crate::model::key::values(updates.key(one.key)).collect();
            format!(
                "{} {} {} {:?} {:?} {:?}",
                one.item, one.family, one.shape, one.guard, key, one.op
            )
        };
        let mut lines: Vec<String> = updates.list.iter().map(update).collect();
        lines.extend(updates.skips.iter().map(|skip| format!("{skip:?}")));
        lines.extend(work.items.iter().map(|item| format!("{:?}", item.fate)));
        engine.workspaces.give(work);
        lines
    }

    /// The index of rules must only save work: it may never change what is made of a record.
    #[test]
    fn the_index_of_rules_changes_no_result() {
        for pack in ["oscar", "span_metrics"] {
            let text = format!("use: [{pack}]");
            let source = crate::config::Source { name: "config.yaml".into(), text };
            let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
            let settings = crate::config::load(Some(source), &|_| None, &nothing).settings.unwrap();
            let key = crate::model::HashKey::from_secret(b"key");
            let plan = super::super::Plan::new(&settings, &key);
            let engine = || Engine::new(&plan, None, Timestamp(1));
            let (indexed, mut plain) = (engine(), engine());
            plain.rules = plain.rules.without_index();
            let mut dice = Dice::new(7);
            for _ in 0..3 {
                for (signal, body) in [
                    (crate::view::Signal::Traces, spans(&mut dice)),
                    (crate::view::Signal::Logs, logs(&mut dice)),
                ] {
                    let (one, other) = (made(&indexed, signal, &body), made(&plain, signal, &body));
                    assert!(one.len() >= 1_000);
                    for (one, other) in one.iter().zip(&other) {
                        assert_eq!(one, other);
                    }
                    assert_eq!(one.len(), other.len());
                }
            }
        }
    }
}

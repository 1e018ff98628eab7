//! One request's run through the rules: attributes in, records in, updates out.
//!
//! A record class, an alias, a label value and a label set are evaluated once for a record, or once for its resource or scope when
//! they read nothing else, however many rules use them: each has a memo with the number of what it was worked out for.

mod amount;
mod labels;
mod weight;

use crate::timestamp::Timestamp;
use crate::view::{Origin, Value};

use super::definition::{From, Source};
use super::expression::Reference;
use super::index::Possible;
use super::lasting::Lasting;
use super::memos::{Holds, Memos};
use super::rule::Rule;
use super::ruleset::RuleSet;
use super::scratch::Scratch;
use super::slots::Slots;
use super::subject::Subject;
use super::texts::Texts;
use super::update::{Skip, SkipReason, Update, Updates};

/// The state of one request's run.
pub struct Evaluation<'a> {
    pub(super) rules: &'a RuleSet,
    pub(super) slots: Slots<'a>,
    /// What has come out so far.
    pub updates: Updates,
    pub(super) scope_name: &'a [u8],
    label_bytes: usize,
    pub(super) now: Timestamp,
    /// The number of the current resource, scope and record.
    stamps: [u32; 3],
    pub(super) item: u32,
    /// Ignored weights before the current record.
    ignored: usize,
    pub(super) memos: Memos<'a>,
    /// What is known to be text.
    pub(super) texts: Texts<'a>,
    pub(super) scratch: String,
    identity: String,
}

impl<'a> Evaluation<'a> {
    /// A run with nothing seen, in the memory of another. Label values are cut to `label_bytes`; it is `now`.
    pub fn new(
        rules: &'a RuleSet,
        (label_bytes, now): (usize, Timestamp),
        scratch: Scratch,
    ) -> Self {
        let Scratch { tables, memos, mut updates, text, identity } = scratch;
        updates.clear();
        Self {
            rules,
            slots: Slots::new(&rules.keys, &rules.index, tables),
            updates,
            scope_name: b"",
            label_bytes,
            now,
            stamps: [1, 1, 0],
            item: 0,
            ignored: 0,
            memos: memos.reborn(rules),
            texts: Texts::default(),
            scratch: text,
            identity,
        }
    }

    /// The memory, for the next run. What came out is in it until then.
    pub fn into_scratch(self) -> Scratch {
        let tables = self.slots.into_tables();
        let Self { memos, updates, scratch: text, identity, .. } = self;
        Scratch { tables, memos: memos.empty(), updates, text, identity }
    }

    /// Forgets what has come out so far, and all that refers to it. Attributes of the resource, the scope and the record at hand stay.
    pub fn restart(&mut self) {
        self.updates.clear();
        self.memos.looks.clear();
        self.memos.mapped.clear();
        self.begin(Lasting::Resource);
    }

    /// A new resource.
    pub fn resource(&mut self) {
        self.slots.clear(Origin::Resource);
        self.begin(Lasting::Resource);
    }

    /// A new instrumentation scope.
    pub fn scope(&mut self, name: &'a [u8]) {
        self.slots.clear(Origin::Scope);
        self.begin(Lasting::Scope);
        self.scope_name = name;
    }

    /// An attribute of what is being looked at.
    #[inline(always)]
    pub fn attribute(&mut self, origin: Origin, key: &[u8], value: Value<'a>) {
        self.slots.set(origin, key, value);
    }

    /// Forgets the attributes of a span, event, log record or data point that is no longer looked at.
    #[inline]
    pub fn forget(&mut self, origin: Origin) {
        self.slots.clear(origin);
    }

    /// Whether any rule reads this kind of record.
    pub fn reads(&self, source: Source) -> bool {
        self.rules.by_source[source as usize].iter().any(|word| *word != 0)
    }

    /// Asks each rule that may take this record. Whether any took it.
    pub fn record(&mut self, subject: Subject<'_, 'a>, item: u32, weight: f64) -> bool {
        self.item = item;
        self.ignored = self.updates.ignored_weights.len();
        let mut possible = std::mem::take(&mut self.memos.possible);
        self.possible(subject, &mut possible);
        let rules = self.rules;
        let (mut matched, mut word) = (false, 0);
        while let Some(at) = possible.take(&mut word) {
            let Some(rule) = rules.rules.get(at) else {
                matched |= self.remark(subject);
                break;
            };
            match self.group(rule.group, subject) {
                Holds::Yes(guard) => matched |= self.rule(rule, subject, (guard, weight)),
                Holds::No => {
                    if let Some(group) = rules.groups.get(rule.group) {
                        possible.drop(&group.rules);
                    }
                }
            }
        }
        self.memos.possible = possible;
        matched
    }

    /// Begins a record, and tells which rules may take it.
    #[inline]
    fn possible(&mut self, subject: Subject<'_, 'a>, possible: &mut Possible) {
        let (rules, own) = (self.rules, &self.rules.by_source[subject.source() as usize]);
        if let Subject::Session(_) = subject {
            // It has a resource of its own, in its memory, and no slots that the index could look at.
            self.begin(Lasting::Resource);
            return possible.set(own);
        }
        self.begin(Lasting::Record);
        rules.index.begin(possible);
        self.slots.possible(subject.origins(), possible);
        rules.index.name(self.name(subject), possible);
        possible.keep(own);
    }

    /// Whatever was worked out for the last one, and what lasts shorter, is gone.
    pub(super) fn begin(&mut self, lasting: Lasting) {
        self.stamps.iter_mut().skip(lasting as usize).for_each(|stamp| *stamp += 1);
    }

    /// What a memo must bear to be true now.
    #[inline]
    pub(super) fn stamp(&self, lasting: Lasting) -> u32 {
        let [resource, scope, record] = self.stamps;
        match lasting {
            Lasting::Resource => resource,
            Lasting::Scope => scope,
            Lasting::Record => record,
        }
    }

    /// The name that the index looks up; none when it is no text.
    fn name(&self, subject: Subject<'_, 'a>) -> Option<&'a [u8]> {
        match subject {
            Subject::Span(span) => Some(span.name),
            Subject::Event(event, _) => Some(event.name),
            Subject::Point(_, metric) => Some(metric.name),
            Subject::Session(_) => None,
            Subject::Log(record) if !record.event_name.is_empty() => Some(record.event_name),
            Subject::Log(_) => match self.slots.get(Origin::Log, self.rules.event_name?) {
                None => Some(b""),
                Some(Value::Text(text)) => Some(text),
                Some(_) => None,
            },
        }
    }

    /// Whether the record is one of those that a group of rules reads.
    #[inline]
    fn group(&mut self, at: usize, subject: Subject<'_, 'a>) -> Holds {
        let rules = self.rules;
        let Some(group) = rules.groups.get(at) else { return Holds::No };
        if group.is_plain {
            return Holds::Yes(None);
        }
        let record = self.stamp(Lasting::Record);
        match self.memos.groups.get(at) {
            Some((stamp, holds)) if *stamp == record => return *holds,
            _ => {}
        }
        let holds = self.from(&group.from, subject);
        if let Some(memo) = self.memos.groups.get_mut(at) {
            *memo = (record, holds);
        }
        holds
    }

    pub(super) fn from(&mut self, from: &'a [From], subject: Subject<'_, 'a>) -> Holds {
        for one in from {
            let holds = match one {
                From::Source(source) if *source == subject.source() => Holds::Yes(None),
                From::Source(_) => Holds::No,
                From::Record(class) => self.class(*class, subject),
            };
            if let Holds::Yes(_) = holds {
                return holds;
            }
        }
        Holds::No
    }

    fn class(&mut self, at: usize, subject: Subject<'_, 'a>) -> Holds {
        let record = self.stamp(Lasting::Record);
        match self.memos.classes.get(at) {
            Some((stamp, holds)) if *stamp == record => return *holds,
            _ => {}
        }
        let rules = self.rules;
        let Some(class) = rules.classes.get(at) else { return Holds::No };
        let mut holds = self.from(&class.from, subject);
        if let Holds::Yes(inner) = holds {
            if !self.condition(&class.condition, subject) {
                holds = Holds::No;
            } else if inner.is_none() && !class.unique.is_empty() {
                holds = Holds::Yes(self.guard(at, &class.unique, subject));
            }
        }
        if let Some(memo) = self.memos.classes.get_mut(at) {
            *memo = (record, holds);
        }
        holds
    }

    /// The identity of a record of a class whose records count once: its references' texts, each with its length. A record
    /// that lacks one of them has no identity and always counts.
    fn guard(
        &mut self,
        class: usize,
        unique: &'a [Reference],
        subject: Subject<'_, 'a>,
    ) -> Option<u32> {
        let mut identity = std::mem::take(&mut self.identity);
        identity.clear();
        let whole = unique.iter().all(|reference| {
            let Some(found) = self.resolve(reference, subject) else { return false };
            let text = self.text(found);
            let text = self.updates.text(text);
            identity.push_str(itoa::Buffer::new().format(text.len()));
            identity.push(':');
            identity.push_str(text);
            true
        });
        let made = whole.then(|| self.updates.make(|out| out.push_str(&identity)));
        self.identity = identity;
        Some(self.updates.guard(u32::try_from(class).ok()?, self.item, made?))
    }

    fn rule(
        &mut self,
        rule: &'a Rule,
        subject: Subject<'_, 'a>,
        (guard, weight): (Option<u32>, f64),
    ) -> bool {
        let item = self.item;
        let mut matched = false;
        let (weight, ignored) = self.accepted(rule, subject, weight);
        let updates = self.updates.list.len();
        let skips = self.updates.skips.len();
        for (shape, part) in (0_u32..).zip(&rule.parts) {
            if !part.conditions.iter().all(|condition| self.condition(condition, subject)) {
                continue;
            }
            matched = true;
            let op = match self.op(rule, part, subject, weight) {
                Ok(Some(op)) => op,
                Ok(None) => continue,
                Err(reason) => {
                    self.skip(skips, Skip { family: rule.family, item, guard, reason });
                    continue;
                }
            };
            let key = self.key(part, subject);
            let (family, time) = (rule.family, subject.time());
            self.updates.list.push(Update { family, shape, item, guard, key, op, time });
        }
        if let Some(ignored) = ignored
            && self.updates.list.len() > updates
        {
            let reason = SkipReason::Weight;
            self.skip(skips, Skip { family: rule.family, item, guard, reason });
            self.ignore(ignored);
        }
        matched
    }

    /// Notes that a rule could not use something of a record, unless a part of it did before: `since` this many skips.
    #[cold]
    fn skip(&mut self, since: usize, skip: Skip) {
        let skips = &mut self.updates.skips;
        let own = skips.get(since..).unwrap_or_default();
        if !own.iter().any(|one| one.reason == skip.reason) {
            skips.push(skip);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::definition::{self as from, Comparison, Intrinsic, Row, Step, Test};
    use super::super::pattern::{Pattern, Template};
    use super::*;
    use crate::model::{HashKey, LabelName, MetricName, key};
    use crate::view::{LogRecord, Span, SpanEvent};

    pub(super) fn hash_key() -> HashKey {
        HashKey::from_secret(b"key")
    }

    fn attribute(key: &str) -> from::Reference {
        from::Reference::Attribute(None, key.into())
    }

    fn value(key: &str) -> from::Expression {
        from::Expression { steps: vec![Step::From(attribute(key))], ..Default::default() }
    }

    fn label(name: &str, value: from::Expression) -> from::Label {
        from::Label { name: LabelName::own(name), value, values: None, limit: None }
    }

    pub(super) fn counter(source: Source, labels: Vec<from::Label>) -> from::Metric {
        let part =
            from::Part { conditions: Vec::new(), measure: from::Measure::Constant(1.0), labels };
        from::Metric {
            name: MetricName::own("x_total"),
            help: "X.".into(),
            unit: String::new(),
            kind: from::MetricKind::Counter,
            from: vec![From::Source(source)],
            parts: vec![part],
            weighted: true,
            idle: None,
        }
    }

    fn rules(metrics: Vec<from::Metric>) -> from::Definitions {
        from::Definitions { metrics, ..Default::default() }
    }

    fn only(reference: from::Reference, test: Test) -> from::Condition {
        from::Condition { any: vec![vec![(reference, test)]] }
    }

    /// What a span with these attributes becomes: `Add(1.0) a|b` for each update, `skip reason` for each skip.
    fn spans(
        definitions: &from::Definitions,
        attributes: &[(&str, Value<'static>)],
    ) -> Vec<String> {
        let span = Span { name: b"chat", end: Timestamp(2_000_000_000), ..Span::default() };
        run(definitions, Origin::Span, attributes, Subject::Span(&span))
    }

    fn run(
        definitions: &from::Definitions,
        origin: Origin,
        attributes: &[(&str, Value<'static>)],
        subject: Subject<'_, 'static>,
    ) -> Vec<String> {
        let rules = RuleSet::new(definitions, &hash_key());
        let mut evaluation = Evaluation::new(&rules, (8, Timestamp(5)), Scratch::default());
        for (key, value) in attributes {
            evaluation.slots.set(origin, key.as_bytes(), *value);
        }
        evaluation.record(subject, 0, 2.0);
        let updates = &evaluation.updates;
        let shown = |update: &Update| {
            let texts: Vec<&str> = key::values(updates.key(update.key)).collect();
            format!("{:?} {}", update.op, texts.join("|"))
        };
        let mut all: Vec<String> = updates.list.iter().map(shown).collect();
        all.extend(updates.skips.iter().map(|skip| format!("skip {}", skip.reason.as_str())));
        all
    }

    #[test]
    fn labels_come_from_steps_maps_and_defaults() {
        let mapped = from::Expression {
            steps: vec![
                Step::From(attribute("op")),
                Step::When(only(attribute("tool"), Test::Exists(true)), "TOOL".into()),
            ],
            map: Some(from::Mapping::Rows(vec![
                (Row::Text(Pattern::exact("LLM")), Template::parse("chat", 0).unwrap()),
                (Row::Text(Pattern::parse("us.*").unwrap()), Template::parse("$1!", 1).unwrap()),
                (Row::Range(3.0, 5.0), Template::parse("3-5", 0).unwrap()),
            ])),
            default: Some("none".into()),
        };
        let definitions = rules(vec![counter(Source::Span, vec![label("op", mapped)])]);
        for (attributes, expected) in [
            (&[("op", Value::Text(b"LLM"))][..], "chat"),
            (&[("op", Value::Text(b"us.x"))], "x!"),
            (&[("op", Value::Int(4))], "3-5"),
            (&[("op", Value::Text(b"else"))], "else"),
            (&[("op", Value::Text(b"")), ("tool", Value::Bool(true))], "TOOL"),
            (&[("op", Value::Text(b"a long value"))], "a long v"),
            (&[("op", Value::Text(b"1234567\xc3\xa9"))], "1234567"),
            (&[], "none"),
        ] {
            assert_eq!(spans(&definitions, attributes), [format!("Add(2.0) {expected}")]);
        }
    }

    #[test]
    fn a_declared_label_says_other_and_a_missing_one_nothing() {
        let mut declared = label("o", value("o"));
        declared.values = Some(vec!["ok".into(), "bad".into()]);
        let definitions = rules(vec![counter(Source::Span, vec![declared])]);
        assert_eq!(spans(&definitions, &[("o", Value::Text(b"bad"))]), ["Add(2.0) bad"]);
        assert_eq!(spans(&definitions, &[("o", Value::Text(b"odd"))]), ["Add(2.0) other"]);
        assert_eq!(spans(&definitions, &[]), ["Add(2.0) "]);
    }

    #[test]
    fn conditions_on_missing_values_are_false_but_for_not_and_absence() {
        let exact = |text: &str| Test::AnyOf(vec![Pattern::exact(text)]);
        for (test, present, missing) in [
            (exact("429"), true, false),
            (exact("430"), false, false),
            (Test::Not(Box::new(exact("430"))), true, true),
            (Test::Not(Box::new(exact("429"))), false, true),
            (Test::Exists(true), true, false),
            (Test::Exists(false), false, true),
            (Test::Number(Comparison::Ge, 429.0), true, false),
            (Test::Number(Comparison::Lt, 429.0), false, false),
            (Test::All(vec![Test::Exists(true), Test::Not(Box::new(exact("1")))]), true, false),
        ] {
            let mut metric = counter(Source::Span, Vec::new());
            metric.parts[0].conditions = vec![only(attribute("code"), test.clone())];
            let definitions = rules(vec![metric]);
            let with = spans(&definitions, &[("code", Value::Double(429.0))]);
            assert_eq!(
                (with.len(), spans(&definitions, &[]).len()),
                (present.into(), missing.into())
            );
        }
    }

    #[test]
    fn a_measure_is_a_number_times_its_scale() {
        let table = from::Table { name: "t".into(), rows: [("m".into(), "0.5".into())].into() };
        let mut price = value("model");
        price.map = Some(from::Mapping::Table(0));
        let mut metric = counter(Source::Span, Vec::new());
        metric.parts[0].measure = from::Measure::Value(value("tokens"), from::Scale::Value(price));
        let definitions = from::Definitions { tables: vec![table], ..rules(vec![metric]) };
        let model = ("model", Value::Text(b"m"));
        let tokens = |value| ("tokens", value);
        assert_eq!(spans(&definitions, &[model, tokens(Value::Int(8))]), ["Add(8.0) "]);
        assert_eq!(spans(&definitions, &[model, tokens(Value::Text(b"4"))]), ["Add(4.0) "]);
        assert_eq!(spans(&definitions, &[model, tokens(Value::Text(b"x"))]), ["skip not_a_number"]);
        assert_eq!(spans(&definitions, &[model, tokens(Value::Int(-8))]), ["skip negative"]);
        assert_eq!(
            spans(&definitions, &[model, tokens(Value::Double(f64::NAN))]),
            ["skip not_a_number"]
        );
        assert_eq!(spans(&definitions, &[tokens(Value::Int(8))]), ["skip no_row"]);
        assert!(spans(&definitions, &[model]).is_empty(), "a missing value is no skip");
    }

    fn intrinsic(intrinsic: Intrinsic) -> from::Expression {
        let steps = vec![Step::From(from::Reference::Intrinsic(intrinsic))];
        from::Expression { steps, ..Default::default() }
    }

    #[test]
    fn a_duration_that_is_unknown_or_too_long_is_a_skip_and_no_condition_holds_for_it() {
        let alias =
            from::Alias { name: "took".into(), value: intrinsic(Intrinsic::Duration), hash: false };
        let by_alias = from::Expression {
            steps: vec![Step::From(attribute("own")), Step::From(from::Reference::Alias(0))],
            ..Default::default()
        };
        let mut direct = counter(Source::Span, Vec::new());
        direct.parts[0].measure =
            from::Measure::Value(intrinsic(Intrinsic::Duration), from::Scale::Constant(1.0));
        let mut aliased = direct.clone();
        aliased.parts[0].measure = from::Measure::Value(by_alias, from::Scale::Constant(1.0));
        let duration = || from::Reference::Intrinsic(Intrinsic::Duration);
        let asks = |test| {
            let mut metric = counter(Source::Span, Vec::new());
            metric.parts[0].conditions = vec![only(duration(), test)];
            metric
        };
        let metrics = vec![
            direct,
            aliased,
            asks(Test::Number(Comparison::Ge, 0.0)),
            asks(Test::Number(Comparison::Gt, 45.0)),
            asks(Test::Exists(true)),
            asks(Test::Exists(false)),
        ];
        let definitions = from::Definitions { aliases: vec![alias], ..rules(metrics) };
        const NOW: u64 = 1_800_000_000_000_000_000;
        let told = |start: u64, end: u64, attributes: &[(&str, Value<'static>)]| {
            let span = Span { start: Timestamp(start), end: Timestamp(end), ..Span::default() };
            run(&definitions, Origin::Span, attributes, Subject::Span(&span)).join(", ")
        };
        let known = "Add(4.0) , Add(4.0) , Add(2.0) , Add(2.0) ";
        assert_eq!(told(NOW - 2_000_000_000, NOW, &[]), known);
        assert_eq!(told(NOW, NOW - 1, &[]), known.replace("4.0", "0.0"));
        for (start, end) in [(0, NOW), (NOW, 0), (0, 0)] {
            assert_eq!(told(start, end, &[]), "Add(2.0) , skip no_time, skip no_time");
        }
        for start in [NOW / 1_000_000, NOW - 604_800_000_000_001] {
            assert_eq!(told(start, NOW, &[]), "Add(2.0) , skip too_long, skip too_long");
        }
        let own = told(0, NOW, &[("own", Value::Int(3))]);
        assert_eq!(own, "Add(6.0) , Add(2.0) , skip no_time", "another step has a value");
        let rules = RuleSet::new(&definitions, &hash_key());
        let possible: Vec<&str> = rules.possible_skips().map(|(_, one)| one.as_str()).collect();
        let each = ["not_a_number", "negative", "weight", "no_time", "too_long", "too_large"];
        assert_eq!(possible, [&each[..], &each, &["weight"; 4]].concat());
    }

    #[test]
    fn an_event_needs_its_own_time_and_its_spans_start() {
        let mut metric = counter(Source::SpanEvent, Vec::new());
        metric.parts[0].measure =
            from::Measure::Value(intrinsic(Intrinsic::SinceStart), from::Scale::Constant(1.0));
        let definitions = rules(vec![metric]);
        for (start, time, expected) in [
            (1_000_000_000, 2_500_000_000, "Add(3.0) "),
            (2_500_000_000, 1_000_000_000, "Add(0.0) "),
            (0, 2_500_000_000, "skip no_time"),
            (1_000_000_000, 0, "skip no_time"),
            (1_000_000_000, 604_802_000_000_000, "skip too_long"),
        ] {
            let span = Span { start: Timestamp(start), end: Timestamp(9), ..Span::default() };
            let event = SpanEvent { time: Timestamp(time), ..SpanEvent::default() };
            let told = run(&definitions, Origin::Event, &[], Subject::Event(&event, &span));
            assert_eq!(told, [expected], "{start} to {time}");
        }
    }

    #[test]
    fn a_time_far_ahead_is_the_arrival_and_an_unknown_one_a_skip() {
        let mut metric = counter(Source::Span, Vec::new());
        metric.kind = from::MetricKind::Gauge;
        metric.parts[0].measure =
            from::Measure::Value(intrinsic(Intrinsic::Time), from::Scale::Constant(1.0));
        let definitions = rules(vec![metric]);
        let told = |end| {
            let span = Span { end: Timestamp(end), ..Span::default() };
            run(&definitions, Origin::Span, &[], Subject::Span(&span))
        };
        assert_eq!(told(2_000_000_000), ["Set(2.0) "]);
        assert_eq!(told(u64::MAX), ["Set(5e-9) "], "the arrival");
        assert_eq!(told(0), ["skip no_time"]);
    }

    #[test]
    fn an_increment_has_a_bound_and_a_level_has_none() {
        let bounds = vec![1.0];
        for kind in [
            from::MetricKind::Counter,
            from::MetricKind::Histogram { bounds, native: from::Native::No },
        ] {
            let mut metric = counter(Source::Span, Vec::new());
            metric.kind = kind;
            metric.parts[0].measure = from::Measure::Value(value("n"), from::Scale::Constant(1.0));
            let mut definitions = rules(vec![metric]);
            for (number, skipped) in [(5e11, false), (5.1e11, true), (1e300, true)] {
                let told = spans(&definitions, &[("n", Value::Double(number))]);
                assert_eq!(told == ["skip too_large"], skipped, "{number}: {told:?}");
            }
            definitions.metrics[0].weighted = false;
            assert!(spans(&definitions, &[("n", Value::Double(1e12))])[0] != "skip too_large");
            definitions.metrics[0].kind = from::MetricKind::Gauge;
            assert_eq!(spans(&definitions, &[("n", Value::Double(1e300))]), ["Set(1e300) "]);
        }
    }

    #[test]
    fn a_record_is_skipped_once_for_a_metric_and_a_reason() {
        let mut metric = counter(Source::Span, Vec::new());
        let part = |key: &str| {
            let measure = from::Measure::Value(value(key), from::Scale::Constant(1.0));
            from::Part { measure, ..metric.parts[0].clone() }
        };
        metric.parts = ["a", "b", "c", "d"].map(part).into();
        let definitions = rules(vec![metric.clone(), metric]);
        let attributes = [
            ("a", Value::Text(b"x")),
            ("b", Value::Text(b"y")),
            ("c", Value::Int(-1)),
            ("d", Value::Int(1)),
        ];
        let each = ["skip not_a_number", "skip negative"];
        assert_eq!(spans(&definitions, &attributes)[2..], [each, each].concat());
    }

    #[test]
    fn each_kind_of_record_has_its_own_name_and_attributes() {
        let names = |source| {
            let own = from::Reference::Attribute(Some(Origin::Event), "k".into());
            let own = from::Expression { steps: vec![Step::From(own)], ..Default::default() };
            let labels = vec![label("a", intrinsic(Intrinsic::Name)), label("b", own)];
            rules(vec![counter(source, labels)])
        };
        let span = Span { name: b"chat", ..Span::default() };
        let event = SpanEvent { name: b"e", ..SpanEvent::default() };
        let told = [("k", Value::Int(1))];
        let seen =
            run(&names(Source::SpanEvent), Origin::Event, &told, Subject::Event(&event, &span));
        assert_eq!(seen, ["Add(2.0) e|1"]);
        let seen = run(&names(Source::Span), Origin::Event, &told, Subject::Span(&span));
        assert_eq!(seen, ["Add(2.0) chat|"], "a span has no event attributes");
        let named = [("event.name", Value::Text(b"n"))];
        let seen =
            run(&names(Source::Log), Origin::Log, &named, Subject::Log(&LogRecord::default()));
        assert_eq!(seen, ["Add(2.0) n|"]);
        let record = LogRecord { event_name: b"own", ..LogRecord::default() };
        assert_eq!(
            run(&names(Source::Log), Origin::Log, &named, Subject::Log(&record)),
            ["Add(2.0) own|"]
        );
    }

    #[test]
    fn a_class_made_from_a_class_carries_the_inner_guard() {
        let class = |name: &str, from, test, unique| from::RecordClass {
            name: name.into(),
            from: vec![from],
            condition: only(attribute("k"), test),
            unique,
            most: None,
        };
        let records = vec![
            class("outer", From::Record(1), Test::Exists(true), Vec::new()),
            class("inner", From::Source(Source::Span), Test::Exists(true), vec![attribute("k")]),
        ];
        let mut metric = counter(Source::Span, Vec::new());
        metric.from = vec![From::Record(0)];
        let definitions = from::Definitions { records, ..rules(vec![metric]) };
        let rules = RuleSet::new(&definitions, &hash_key());
        let mut evaluation = Evaluation::new(&rules, (8, Timestamp(5)), Scratch::default());
        evaluation.slots.set(Origin::Span, b"k", Value::Text(b"same"));
        let span = Span::default();
        assert!(evaluation.record(Subject::Span(&span), 0, 1.0));
        let updates = &evaluation.updates;
        let guard = updates.guards[updates.list[0].guard.unwrap() as usize];
        assert_eq!((guard.class, updates.identity(guard)), (1, &b"4:same"[..]));
    }

    #[test]
    fn a_record_without_its_identity_always_counts() {
        let ids = from::Reference::Intrinsic(Intrinsic::TraceId);
        let records = vec![from::RecordClass {
            name: "once".into(),
            from: vec![From::Source(Source::Span)],
            condition: from::Condition::default(),
            unique: vec![ids],
            most: None,
        }];
        let mut metric = counter(Source::Span, Vec::new());
        metric.from = vec![From::Record(0)];
        let definitions = from::Definitions { records, ..rules(vec![metric]) };
        let rules = RuleSet::new(&definitions, &hash_key());
        let mut evaluation = Evaluation::new(&rules, (8, Timestamp(5)), Scratch::default());
        for (trace_id, guarded) in [(&[0; 16][..], false), (&[], false), (&[1; 16], true)] {
            let span = Span { trace_id, ..Span::default() };
            assert!(evaluation.record(Subject::Span(&span), 0, 1.0));
            assert_eq!(evaluation.updates.list.last().unwrap().guard.is_some(), guarded);
        }
    }
}

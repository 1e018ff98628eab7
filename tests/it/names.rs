//! What is accepted is in every format, for every scraper: first come, first served, and no name or series twice.
//!
//! The oracle knows nothing of the table of claims. It asks what a point would show if nothing else were there, reads that from
//! every body, and compares with what was accepted before, by the rules of strict readers: no name of a family may be another's
//! (`prometheus_client`'s OpenMetrics parser, "Clashing name"), and no label set may come twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use config::{self, Source};
use engine::counters::Protocol;
use engine::exposition::{Escaping, Format, Options, Syntax, write};
use engine::model::FamilySnapshot;
use engine::pipeline::{Encoding, Outcome, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model::{
    MetricFamily, MetricType,
};
use proptest::prelude::*;
use prost::Message as _;
use serde_json::{Value, json};
use server::self_metrics::Telemetry;

use crate::exposition::reader;
use crate::support::key;

const SECOND: u64 = 1_000_000_000;
/// When the process began, in seconds.
const BEGAN: u64 = 1_000_000;

const METRICS: [&str; 24] = [
    "x",
    "x.y",
    "x_y",
    "x-y",
    "x_dot_y",
    "U__x_2e_y",
    "x_total",
    "x.total",
    "x_count",
    "x.y_count",
    "x_created",
    "x_bucket",
    "x.y_sum",
    "x_info",
    "target",
    "target.info",
    "up",
    "calls",
    "calls_created",
    "dur.seconds_count",
    "users_register",
    "process.threads",
    "\u{e9}\u{e8}",
    "\u{e8}\u{e9}",
];
const LABELS: [&[(&str, &str)]; 13] = [
    &[],
    &[("x.y", "1")],
    &[("x_y", "1")],
    &[("x-y", "1")],
    &[("x_y", "2")],
    &[("x.y", "1"), ("x_y", "2")],
    &[("x_dot_y", "1")],
    &[("U__x_2e_y", "1")],
    &[("job", "a"), ("exported.job", "a")],
    &[("exported_job", "a")],
    &[("..name--", "1"), ("9a", "1")],
    &[("\u{e9}\u{e8}", "1")],
    &[("a_a", "1"), ("a.b", "2"), ("le ", "3")],
];
const SENDERS: [&[(&str, &str)]; 4] = [
    &[],
    &[("service.name", "a"), ("x.y", "1"), ("x_y", "2")],
    &[("service.name", "a"), ("service.instance.id", "i"), ("__x", "1")],
    &[("service.name", "b"), ("x_y", "1")],
];
const KINDS: [&str; 5] = ["gauge", "counter", "updown", "histogram", "summary"];
const TRANSLATIONS: [&str; 4] = [
    "UnderscoreEscapingWithSuffixes",
    "UnderscoreEscapingWithoutSuffixes",
    "NoUTF8EscapingWithSuffixes",
    "NoTranslation",
];
const DECLARED: &str = "\
metrics:
  calls_total: {help: Calls., type: counter, from: span}
  dur_seconds: {help: Durations., type: histogram, from: span, value: duration, buckets: [1s]}
  users: {help: Users., type: distinct, from: span, of: span.user, windows: [1d], registers: 16}
";

/// One data point, by its place in the lists above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    name: usize,
    kind: usize,
    labels: usize,
    sender: usize,
}

fn settings(translation: &str, declared: &str) -> config::Settings {
    let text = format!("datapoints: {{translation: {translation}}}\n{declared}");
    let source = Source { name: "config.yaml".into(), text };
    let nothing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let loaded = config::load(Some(source), &|_| None, &nothing);
    assert!(loaded.settings.is_some(), "{}", loaded.render());
    loaded.settings.unwrap()
}

fn pipeline(translation: &str, declared: &str) -> Pipeline {
    let settings = settings(translation, declared);
    Pipeline::new(settings.plan(&key()), Arc::default(), at(BEGAN))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp(seconds * SECOND)
}

fn attributes(pairs: &[(&str, &str)]) -> Value {
    let pair = |(key, value): &(&str, &str)| json!({"key": key, "value": {"stringValue": value}});
    pairs.iter().map(pair).collect()
}

fn send(pipeline: &Pipeline, sent: Sent, now: u64) -> Outcome {
    let times = json!({"startTimeUnixNano": ((BEGAN + 1) * SECOND).to_string(), "timeUnixNano": (now * SECOND).to_string()});
    let mut point = times;
    let more = match KINDS[sent.kind] {
        "histogram" => {
            json!({"count": 3, "sum": 4.5, "bucketCounts": [1, 2], "explicitBounds": [1.0]})
        }
        "summary" => {
            json!({"count": 3, "sum": 4.5, "quantileValues": [{"quantile": 0.5, "value": 1.0}]})
        }
        _ => json!({"asDouble": 5.0}),
    };
    let fields = more.as_object().unwrap().clone();
    point.as_object_mut().unwrap().extend(fields);
    point["attributes"] = attributes(LABELS[sent.labels]);
    let points = json!([point]);
    let (field, data) = match KINDS[sent.kind] {
        "gauge" => ("gauge", json!({"dataPoints": points})),
        "histogram" => ("histogram", json!({"aggregationTemporality": 2, "dataPoints": points})),
        "summary" => ("summary", json!({"dataPoints": points})),
        kind => (
            "sum",
            json!({"aggregationTemporality": 2, "isMonotonic": kind == "counter", "dataPoints": points}),
        ),
    };
    let metric = json!({"name": METRICS[sent.name], field: data});
    let resource = json!({"attributes": attributes(SENDERS[sent.sender])});
    let body = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]});
    let (http, json) = (Protocol::Http, Encoding::Json);
    pipeline.ingest(http, Signal::Metrics, json, body.to_string().as_bytes(), at(now)).unwrap()
}

/// A span of a user, so that all families of the config have series.
fn visit(pipeline: &Pipeline) {
    let time = (BEGAN * SECOND).to_string();
    let span = json!({"startTimeUnixNano": time, "endTimeUnixNano": time, "traceId": "1".repeat(32), "spanId": "1".repeat(16), "name": "x", "attributes": attributes(&[("user", "u")])});
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string();
    let (http, json) = (Protocol::Http, Encoding::Json);
    pipeline.ingest(http, Signal::Traces, json, body.as_bytes(), at(BEGAN + 1)).unwrap();
}

/// One series as a body has it: its family's names, and its samples.
#[derive(Clone, Debug, Default, PartialEq)]
struct View {
    family: String,
    names: BTreeSet<String>,
    samples: BTreeSet<String>,
}

/// All that a scraper may ask for.
fn formats() -> impl Iterator<Item = Format> {
    let syntaxes =
        [Syntax::Text0_0_4, Syntax::Text1_0_0, Syntax::OpenMetrics1_0_0, Syntax::Protobuf];
    syntaxes.into_iter().flat_map(|syntax| {
        Escaping::ALL.map(|escaping| Format { syntax, escaping: Some(escaping) })
    })
}

/// What a reader finds of some families, each of which has one group of samples; and how many samples there are.
fn read(families: &[FamilySnapshot], format: Format) -> Vec<View> {
    let mut out = Vec::new();
    let written = write(families, format, Options { created_lines: true }, &mut out);
    assert_eq!(written.quarantined, 0, "{format:?} {written:?}");
    let (kinds, samples) = match format.syntax {
        Syntax::Protobuf => read_protobuf(&out),
        syntax => read_text(std::str::from_utf8(&out).unwrap(), syntax == Syntax::OpenMetrics1_0_0),
    };
    let mut views: BTreeMap<String, View> = BTreeMap::new();
    for (family, kind) in kinds {
        let names = suffixes(&kind, format.syntax == Syntax::OpenMetrics1_0_0);
        let names = names.iter().map(|suffix| format!("{family}{suffix}")).collect();
        let view = View { family: family.clone(), names, samples: BTreeSet::new() };
        assert!(views.insert(family, view).is_none(), "a family twice");
    }
    let mut taken = BTreeSet::new();
    for name in views.values().flat_map(|view| &view.names) {
        assert!(taken.insert(name.clone()), "{format:?}: {name} belongs to two families");
    }
    for (name, labels) in samples {
        let view = views.values_mut().find(|view| view.names.contains(&name)).unwrap();
        assert!(
            view.samples.insert(format!("{name}{labels:?}")),
            "{format:?}: {name}{labels:?} twice"
        );
    }
    views.into_values().collect()
}

type Samples = Vec<(String, BTreeSet<(String, String)>)>;

fn read_text(body: &str, open: bool) -> (Vec<(String, String)>, Samples) {
    let read = reader::read(body, open);
    let types = read.comments.iter().filter(|((word, _), _)| word == "TYPE");
    let types = types.map(|((_, family), kind)| (family.clone(), kind.clone())).collect();
    let samples = read.samples.into_iter().map(|sample| {
        let labels: BTreeSet<_> = sample.labels.iter().cloned().collect();
        let names: BTreeSet<_> = sample.labels.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), sample.labels.len(), "a label twice: {body}");
        (sample.name, labels)
    });
    (types, samples.collect())
}

fn read_protobuf(mut body: &[u8]) -> (Vec<(String, String)>, Samples) {
    let (mut types, mut samples) = (Vec::new(), Vec::new());
    while !body.is_empty() {
        let family = MetricFamily::decode_length_delimited(&mut body).unwrap();
        let kind = match family.r#type() {
            MetricType::Counter => "counter",
            MetricType::Histogram => "histogram",
            MetricType::Summary => "summary",
            _ => "gauge",
        };
        for metric in &family.metric {
            let labels: BTreeSet<_> =
                metric.label.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
            let names: BTreeSet<_> = metric.label.iter().map(|pair| &pair.name).collect();
            assert_eq!(names.len(), metric.label.len(), "a label twice: {metric:?}");
            samples.push((family.name.clone(), labels));
        }
        types.push((family.name, kind.to_owned()));
    }
    (types, samples)
}

/// What a reader takes as the names of a family, by its type.
fn suffixes(kind: &str, open: bool) -> &'static [&'static str] {
    match (kind, open) {
        ("counter", true) => &["", "_total", "_created"],
        ("histogram", true) => &["", "_bucket", "_sum", "_count", "_created"],
        ("histogram", false) => &["", "_bucket", "_sum", "_count"],
        ("summary", true) => &["", "_sum", "_count", "_created"],
        ("summary", false) => &["", "_sum", "_count"],
        ("info", true) => &["", "_info"],
        _ => &[""],
    }
}

/// What was accepted before: the raw family and each of its views.
#[derive(Default)]
struct Oracle {
    alone: BTreeMap<Sent, Option<Candidate>>,
    /// Families of the config and of the exporter.
    own: Vec<Candidate>,
    held: Vec<Candidate>,
}

/// One series and what each scraper sees of it.
#[derive(Clone, Debug)]
struct Candidate {
    name: String,
    kind: engine::model::Kind,
    /// Of the point: a gauge and an up-down sum share a family, and no series.
    sent: Option<usize>,
    labels: Arc<engine::model::Labels>,
    views: Vec<View>,
}

impl Oracle {
    /// What a point shows when nothing else is there, unless it is rejected.
    fn alone(&mut self, translation: &str, sent: Sent) -> Option<Candidate> {
        let alone = || {
            let pipeline = pipeline(translation, "");
            if send(&pipeline, sent, BEGAN + 2).rejected > 0 {
                return None;
            }
            let families = pipeline.gather(at(BEGAN + 3), true, |_| {});
            let mut own = families.filter(|one| one.family.name.as_str() != "target_info");
            let own = own.next().unwrap();
            Some(Candidate { sent: Some(sent.kind), ..candidate(&own) })
        };
        self.alone.entry(sent).or_insert_with(alone).clone()
    }

    /// Whether a point is to be accepted, which then holds its names.
    fn accepts(&mut self, new: &Candidate) -> bool {
        let is_free = |held: &Candidate| match held.name == new.name {
            true if held.kind != new.kind => false,
            true if held.labels == new.labels => held.sent == new.sent,
            true => apart(held, new, |view| &view.samples),
            false => apart(held, new, |view| &view.names),
        };
        let others = self.own.iter().all(|own| apart(own, new, |view| &view.names));
        let accepts = others && self.held.iter().all(is_free);
        if accepts {
            self.held.push(new.clone());
        }
        accepts
    }
}

fn apart(one: &Candidate, other: &Candidate, part: fn(&View) -> &BTreeSet<String>) -> bool {
    one.views.iter().zip(&other.views).all(|(one, other)| part(one).is_disjoint(part(other)))
}

fn candidate(family: &FamilySnapshot) -> Candidate {
    let view = |format| read(std::slice::from_ref(family), format).remove(0);
    Candidate {
        name: family.family.name.as_str().to_owned(),
        kind: family.family.kind,
        sent: None,
        labels: family.rows[0].labels.clone(),
        views: formats().map(view).collect(),
    }
}

fn points() -> impl Strategy<Value = Vec<Sent>> {
    let point = (0..METRICS.len(), 0..KINDS.len(), 0..LABELS.len(), 0..SENDERS.len());
    let few = (0..4usize, 0..KINDS.len(), 0..LABELS.len(), 0..SENDERS.len());
    let sent = |(name, kind, labels, sender)| Sent { name, kind, labels, sender };
    prop::collection::vec(prop_oneof![point.prop_map(sent), few.prop_map(sent)], 1..40)
}

/// Everything a scrape shows.
fn scrape(pipeline: &Arc<Pipeline>, now: u64) -> Vec<FamilySnapshot> {
    let telemetry = Arc::new(Telemetry::new("1", pipeline.counters().clone(), at(BEGAN)));
    let families = pipeline.gather(at(now), true, |_| {});
    // Pieces of one family become one, as a body has them.
    let mut whole: Vec<FamilySnapshot> = Vec::new();
    for piece in families.chain(telemetry.families_of(pipeline, at(now))) {
        match whole.last_mut() {
            Some(last) if Arc::ptr_eq(&last.family, &piece.family) => last.rows.extend(piece.rows),
            _ => whole.push(piece),
        }
    }
    whole.retain(|family| !family.rows.is_empty());
    whole
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_is_in_every_format(translation in 0..TRANSLATIONS.len(), points in points()) {
        let translation = TRANSLATIONS[translation];
        let pipeline = Arc::new(pipeline(translation, DECLARED));
        visit(&pipeline);
        let own = scrape(&pipeline, BEGAN + 1).iter().map(candidate).collect();
        let mut oracle = Oracle { own, ..Oracle::default() };
        let mut accepted = Vec::new();
        for sent in points {
            let outcome = send(&pipeline, sent, BEGAN + 2);
            let alone = oracle.alone(translation, sent);
            let expected = alone.as_ref().is_some_and(|new| oracle.accepts(new));
            prop_assert_eq!(outcome.rejected == 0, expected, "{:?} {:?} {:?}", sent, outcome, alone.map(|one| one.name));
            if expected {
                accepted.push(sent);
            }
        }
        let families = scrape(&pipeline, BEGAN + 3);
        for (at, format) in formats().enumerate() {
            let views = read(&families, format);
            let shown: BTreeSet<&String> = views.iter().flat_map(|view| &view.samples).collect();
            for one in &oracle.held {
                let view = &one.views[at];
                prop_assert!(view.samples.iter().all(|sample| shown.contains(sample)), "{:?} {:?}", format, view);
            }
            let passed: usize = views.iter().filter(|view| {
                oracle.held.iter().any(|one| one.views[at].family == view.family)
            }).map(|view| view.samples.len()).sum();
            let expected: BTreeSet<&String> =
                oracle.held.iter().flat_map(|one| &one.views[at].samples).collect();
            prop_assert_eq!(passed, expected.len(), "{:?}", format);
        }
        let targets: BTreeSet<_> = accepted.iter().map(|sent| sent.sender).filter(|sender| *sender > 0).collect();
        let info = families.iter().find(|one| one.family.name.as_str() == "target_info");
        prop_assert_eq!(info.map_or(0, |info| info.rows.len()), targets.len());
        // All of it is there to stay.
        for sent in accepted {
            prop_assert_eq!(send(&pipeline, sent, BEGAN + 4).rejected, 0);
        }
    }
}

fn names(pipeline: &Pipeline, now: u64) -> Vec<String> {
    let families = pipeline.gather(at(now), true, |_| {}).filter(|family| !family.rows.is_empty());
    families.map(|family| family.family.name.as_str().to_owned()).collect()
}

fn sent(name: &str, kind: &str) -> Sent {
    let find = |list: &[&str], one| list.iter().position(|other| *other == one).unwrap();
    Sent { name: find(&METRICS, name), kind: find(&KINDS, kind), labels: 0, sender: 0 }
}

#[test]
fn a_declared_metric_takes_all_its_names_on_reload() {
    let pipeline = pipeline(TRANSLATIONS[0], "");
    for name in ["calls", "calls_created", "dur.seconds_count", "users_register", "x"] {
        assert_eq!(send(&pipeline, sent(name, "gauge"), BEGAN + 2).rejected, 0, "{name}");
    }
    let settings = settings(TRANSLATIONS[0], DECLARED);
    pipeline.reload(settings.plan(&key()), at(BEGAN + 3));
    assert_eq!(
        names(&pipeline, BEGAN + 4),
        ["calls_total", "dur_seconds", "users", "users_new_total", "x"]
    );
    let again = send(&pipeline, sent("calls", "gauge"), BEGAN + 5);
    assert_eq!(again.message, "rejected: 1 name");
}

#[test]
fn names_and_label_sets_outlive_a_restart() {
    let first = pipeline("NoTranslation", "");
    let labels = |at| Sent { labels: at, ..sent("x.y", "counter") };
    assert_eq!(send(&first, labels(1), BEGAN + 2).rejected, 0);
    let mut second = pipeline("NoTranslation", "");
    second.restore(first.keep_last(at(BEGAN + 3)), Some(Timestamp::MAX), at(BEGAN + 4));
    for (sent, message) in [
        (sent("x_y", "counter"), "rejected: 1 name"),
        (sent("x.y", "gauge"), "rejected: 1 type_conflict"),
        (labels(2), "rejected: 1 name"),
        (labels(1), ""),
        (labels(4), ""),
    ] {
        assert_eq!(send(&second, sent, BEGAN + 5).message, message, "{sent:?}");
    }
}

#[test]
fn target_info_lacks_only_what_no_label_can_be() {
    let pipeline = pipeline("NoTranslation", "");
    for sender in 1..SENDERS.len() {
        send(&pipeline, Sent { sender, ..sent("x", "gauge") }, BEGAN + 2);
    }
    let families: Vec<_> = pipeline.gather(at(BEGAN + 3), true, |_| {}).collect();
    let info = families.iter().find(|one| one.family.name.as_str() == "target_info").unwrap();
    let labels = |row: &engine::model::Row| {
        let pairs = row.labels.0.iter();
        pairs
            .map(|(name, value)| format!("{}={value}", name.as_str()))
            .collect::<Vec<_>>()
            .join(",")
    };
    let shown: Vec<String> = info.rows.iter().map(labels).collect();
    assert_eq!(shown, ["job=a,x.y=1;2", "instance=i,job=a", "job=b,x_y=1"]);
}

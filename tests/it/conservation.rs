//! Conservation: whatever comes, in whatever order, every item of a taken request is accepted or rejected once, a refused request
//! changes only its counter, and a counter holds exactly the weights of what was accepted.

use std::collections::{BTreeMap, HashSet};

use engine::counters::{ItemCounts, Protocol, Rejection};
use engine::model::RowValue;
use engine::pipeline::{Encoding, Pipeline};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::Message;
use testkit::pipeline;

use crate::wire_oracle::build;
use crate::wire_oracle::judge::{self, transcode};
use crate::wire_oracle::record::Call;
use crate::wire_oracle::{Mutation, mutate, mutations};

const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);
const CONFIG: &str = "
limits: {late: 1h}
metrics:
  spans_total: {help: Spans., type: counter, from: span}
  named_total: {help: By an open label., type: counter, from: span, labels: {name: {from: name, limit: 2}}}
  events_total: {help: Events., type: counter, from: span_event}
  seconds: {help: Durations., type: histogram, from: span, value: {from: span.seconds, default: 1}, unit: none, buckets: [1, 2]}
  logs_total: {help: Records., type: counter, from: log}
";

/// One request, as it is sent.
#[derive(Clone, Debug)]
struct Sent {
    signal: Signal,
    encoding: Encoding,
    body: Vec<u8>,
}

/// Ids of few values, so that spans come again; times around the deadline; sampled by halves and quarters.
fn span() -> impl Strategy<Value = (u8, u8, u64, &'static str)> {
    let time =
        select(vec![0, 1, NOW.0 - 3_600_000_000_001, NOW.0 - 3_600_000_000_000, NOW.0, u64::MAX]);
    let state = select(vec!["", "", "a=b", "ot=th:8", "x=y,ot=p:3;th:c", "ot=th:0", "ot=th:zz"]);
    (0..6_u8, 0..6_u8, time, state)
}

fn set(span: &mut Span, (trace, own, time, state): (u8, u8, u64, &str)) {
    let id = |byte: u8, length| if byte == 5 { Vec::new() } else { vec![byte; length] };
    (span.trace_id, span.span_id) = (id(trace, 16), id(own, 8));
    (span.end_time_unix_nano, span.trace_state) = (time, state.to_owned());
}

fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    (build::traces(build::finite()), vec(span(), 1..8)).prop_map(|(mut request, spans)| {
        let scopes = request.resource_spans.iter_mut().flat_map(|one| &mut one.scope_spans);
        for (span, as_is) in scopes.flat_map(|one| &mut one.spans).zip(spans.iter().cycle()) {
            set(span, *as_is);
        }
        request
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let of = |signal, encoding, body| Sent { signal, encoding, body };
    let json = |text: String| text.into_bytes();
    let one = prop_oneof![
        3 => traces().prop_map(move |r| of(Signal::Traces, Encoding::Protobuf, r.encode_to_vec())),
        1 => traces().prop_map(move |r| {
            of(Signal::Traces, Encoding::Json, json(serde_json::to_string(&r).unwrap()))
        }),
        1 => build::logs(build::double())
            .prop_map(move |r| of(Signal::Logs, Encoding::Protobuf, r.encode_to_vec())),
        1 => build::metrics::requests(build::double())
            .prop_map(move |r| of(Signal::Metrics, Encoding::Protobuf, r.encode_to_vec())),
    ];
    let changes = prop_oneof![3 => Just(Vec::<Mutation>::new()), 1 => mutations()];
    (one, changes).prop_map(|(sent, changes)| Sent { body: mutate(sent.body, &changes), ..sent })
}

/// What is sent, some of it again.
fn session() -> impl Strategy<Value = Vec<Sent>> {
    (vec(sent(), 1..8), vec(any::<Index>(), 0..4)).prop_map(|(mut all, again)| {
        let repeats: Vec<Sent> = again.iter().map(|at| at.get(&all).clone()).collect();
        all.extend(repeats);
        all
    })
}

/// What the pipeline should make of it, told by the calls of a walk that `wire_oracle` has proved.
#[derive(Default)]
struct Expected {
    seen: HashSet<(Vec<u8>, Vec<u8>)>,
    totals: BTreeMap<&'static str, f64>,
}

impl Expected {
    fn take(&mut self, calls: &[Call]) -> ItemCounts {
        let mut counts = ItemCounts::default();
        let mut weight = 0.0;
        for call in calls {
            match call {
                Call::Span { bytes: [trace, span, _, state, _], times, .. } => {
                    counts.received += 1;
                    let blank = |id: &Vec<u8>| id.iter().all(|byte| *byte == 0);
                    let known = !blank(trace) && !blank(span);
                    weight = 0.0;
                    if known && !self.seen.insert((trace.clone(), span.clone())) {
                        counts.rejected[Rejection::Duplicate.index()] += 1;
                    } else if is_late(times[1]) {
                        counts.rejected[Rejection::Late.index()] += 1;
                    } else {
                        counts.accepted += 1;
                        weight = weight_of(state);
                        self.add("spans_total", weight);
                    }
                }
                Call::Event { .. } => self.add("events_total", weight),
                Call::Log { times: [time, observed], .. } => {
                    counts.received += 1;
                    if is_late(if *time == 0 { *observed } else { *time }) {
                        counts.rejected[Rejection::Late.index()] += 1;
                    } else {
                        counts.accepted += 1;
                        self.add("logs_total", 1.0);
                    }
                }
                Call::Point { .. } => counts.received += 1,
                _ => {}
            }
        }
        counts
    }

    fn add(&mut self, name: &'static str, weight: f64) {
        *self.totals.entry(name).or_default() += weight;
    }
}

fn is_late(time: u64) -> bool {
    time != 0 && time < NOW.0 - 3_600_000_000_000
}

/// 1/probability: the threshold's digits are what of 1 was thrown away.
fn weight_of(state: &[u8]) -> f64 {
    let state = std::str::from_utf8(state).unwrap_or_default();
    let member = state.split(',').find_map(|member| member.trim().strip_prefix("ot="));
    let digits = member.and_then(|ours| ours.split(';').find_map(|one| one.strip_prefix("th:")));
    let digits = digits.filter(|digits| (1..=14).contains(&digits.len())).unwrap_or_default();
    let (mut thrown, mut place) = (0.0, 1.0);
    for digit in digits.chars() {
        let Some(value) = digit.to_digit(16).filter(|_| !digit.is_ascii_uppercase()) else {
            return 1.0;
        };
        place /= 16.0;
        thrown += f64::from(value) * place;
    }
    1.0 / (1.0 - thrown)
}

/// The same but for the order of adding up.
fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(1.0)
}

/// Every sample of every family, summed by family.
fn totals(pipeline: &Pipeline) -> BTreeMap<String, f64> {
    let mut totals = BTreeMap::new();
    for family in crate::support::families(pipeline, NOW) {
        // The process's own numbers move by themselves.
        let name = family.family.name.as_str().to_owned();
        if name.starts_with("process_") {
            continue;
        }
        let value = |value: &RowValue| match value {
            RowValue::Counter(total, _) => *total,
            RowValue::Gauge(value) => *value,
            RowValue::Histogram(held) => held.counts.iter().sum(),
            RowValue::Native(held) => held.count,
            RowValue::Summary(held) => held.count as f64,
        };
        let sum: f64 = family.rows.iter().map(|row| value(&row.value)).sum();
        *totals.entry(name).or_default() += sum;
    }
    totals
}

fn calls(sent: &Sent) -> Option<Vec<Call>> {
    let body = match sent.encoding {
        Encoding::Protobuf => sent.body.clone(),
        Encoding::Json => transcode(sent.signal, &sent.body).ok()?,
    };
    let walked = match sent.signal {
        Signal::Traces => judge::traces(&body),
        Signal::Logs => judge::logs(&body),
        Signal::Metrics => judge::metrics(&body),
    };
    walked.ok()
}

fn read(pipeline: &Pipeline) -> [ItemCounts; Signal::ALL.len()] {
    Signal::ALL.map(|signal| pipeline.counters().books().read(signal))
}

/// What one taken request added.
fn added(before: &ItemCounts, after: &ItemCounts) -> ItemCounts {
    let mut added = *after;
    added.received -= before.received;
    added.accepted -= before.accepted;
    added.unmatched -= before.unmatched;
    added.rejected.iter_mut().zip(before.rejected).for_each(|(after, before)| *after -= before);
    added
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_item_is_accounted_for_once(session in session()) {
        let (pipeline, mut expected) = (pipeline(CONFIG, NOW), Expected::default());
        for sent in &session {
            let (books, before) = (read(&pipeline), totals(&pipeline));
            let taken = pipeline.ingest(Protocol::Http, sent.signal, sent.encoding, &sent.body, NOW);
            let (after, now) = (read(&pipeline), totals(&pipeline));
            prop_assert!(after.iter().all(ItemCounts::balanced));
            match (taken, calls(sent)) {
                (Ok(outcome), Some(calls)) => {
                    let own = Signal::ALL.iter().position(|one| *one == sent.signal).unwrap();
                    for at in (0..books.len()).filter(|at| *at != own) {
                        prop_assert_eq!(books[at], after[at]);
                    }
                    let mut counts = added(&books[own], &after[own]);
                    let wanted = expected.take(&calls);
                    if sent.signal == Signal::Metrics {
                        // What becomes of a point is told by its stream; that something does is told here.
                        counts = ItemCounts { received: counts.received, ..wanted };
                    }
                    prop_assert_eq!(counts, wanted);
                    let all = added(&books[own], &after[own]).rejected;
                    let repeated = all[Rejection::Duplicate.index()];
                    prop_assert_eq!(outcome.rejected, all.iter().sum::<u64>() - repeated);
                    prop_assert_eq!(outcome.message.is_empty(), outcome.rejected == 0);
                }
                (Err(_), None) => {
                    prop_assert_eq!(books, after);
                    // By their bits: a sender's gauge may be NaN.
                    let is_same = |name: &String, value: &f64| before[name].to_bits() == value.to_bits();
                    let changed = now.iter().filter(|(name, value)| !is_same(name, value));
                    let changed: Vec<_> = changed.map(|(name, value)| (&**name, value - before[name])).collect();
                    prop_assert_eq!(changed, [("oscar_metrics_refused_requests_total", 1.0)]);
                }
                (taken, calls) => prop_assert!(false, "{:?} of {:?}", taken, calls),
            }
        }
        let now = totals(&pipeline);
        let total = |name| expected.totals.get(name).copied().unwrap_or(0.0);
        // Values that were folded count, and so does what a histogram holds.
        for (name, wanted) in [
            ("spans_total", "spans_total"),
            ("named_total", "spans_total"),
            ("seconds", "spans_total"),
            ("events_total", "events_total"),
            ("logs_total", "logs_total"),
        ] {
            let shown = now.get(name).copied().unwrap_or(0.0);
            prop_assert!(close(shown, total(wanted)), "{}: {} of {}", name, shown, total(wanted));
        }
    }
}

#[test]
fn the_property_sees_all_fates() {
    let mut runner = TestRunner::deterministic();
    let (mut refused, mut sum, mut weighed) = (0, ItemCounts::default(), false);
    for _ in 0..200 {
        let session = session().new_tree(&mut runner).unwrap();
        let mut expected = Expected::default();
        for sent in session.current() {
            let Some(calls) = calls(&sent) else {
                refused += 1;
                continue;
            };
            let counts = expected.take(&calls);
            sum.accepted += counts.accepted;
            sum.rejected.iter_mut().zip(counts.rejected).for_each(|(sum, one)| *sum += one);
        }
        weighed |= expected.totals.values().any(|total| *total > 8.0);
    }
    let fates = [Rejection::Duplicate, Rejection::Late].map(|one| sum.rejected[one.index()]);
    assert!(
        refused > 20 && sum.accepted > 200 && weighed && fates.iter().all(|one| *one > 50),
        "{refused} {sum:?}"
    );
}

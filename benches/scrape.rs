//! A scrape of 100,000 lines: its time beside `prometheus-client`'s encoder, and what ingest feels of it and of a snapshot.
//!
//! `cargo bench --bench scrape` prints one line for each figure, a ratio of two times of the same run. Sides take turns, and the
//! best of each counts: whatever else the machine does only ever makes them slower.

// A bench fails by panicking, prints what it found, and is a stopwatch.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs
)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::exposition::{Coder, ContentEncoding, Format, Options, Syntax, Writer};
use engine::pipeline::Pipeline;
use engine::snapshot;
use engine::view::Signal;
use opentelemetry_proto::tonic::trace::v1::Span;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use server::clock;
use testkit::protobuf;

/// Label sets of the counter and of the histogram: 20 lines for each pair.
const SETS: usize = 5_000;
/// Turns of the two encoders.
const ROUNDS: usize = 15;
/// Turns of load with and without scrapes, and how long each is.
const TURNS: usize = 5;
const WHILE: Duration = Duration::from_secs(2);
const BOUNDS: [f64; 16] =
    [0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.4, 2.0, 5.0, 10.0, 15.0];

const CONFIG: &str = "
limits: {series: 20000, series_per_metric: 10000, dedupe: {entries: 0}}
metrics:
  calls_total:
    help: Calls.
    type: counter
    from: span
    labels: &labels
      service_name: {from: span.service}
      span_name: {from: name}
      span_kind: {from: kind}
      status_code: {from: span.status_code}
  duration_seconds:
    help: How long they took.
    type: histogram
    from: span
    value: duration
    buckets: [2ms, 4ms, 6ms, 8ms, 10ms, 50ms, 100ms, 200ms, 400ms, 800ms, 1s, 1400ms, 2s, 5s, 10s, 15s]
    labels: *labels
";

/// The labels of one set, with the lengths that span metrics usually have.
fn labels(set: usize) -> [(&'static str, String); 4] {
    let kinds = ["internal", "server", "client", "producer", "consumer"];
    [
        ("service_name", "checkout-service".into()),
        ("span_name", format!("POST /api/v1/things/{}", set % 500)),
        ("span_kind", kinds[set / 500 % 5].into()),
        ("status_code", ["OK", "ERROR"][set / 2_500].into()),
    ]
}

fn span(set: usize, id: u64) -> Span {
    let [service, (_, name), _, status] = labels(set);
    let attributes = [("service", service.1), ("status_code", status.1)];
    let start = 1_700_000_000_000_000_000 + id;
    Span {
        trace_id: (u128::from(id) + 1).to_be_bytes().into(),
        span_id: (id + 1).to_be_bytes().into(),
        name,
        kind: (set / 500 % 5) as i32 + 1,
        start_time_unix_nano: start,
        end_time_unix_nano: start + took(id),
        attributes: attributes.map(|(key, value)| protobuf::text(key, value)).into(),
        ..Default::default()
    }
}

/// Nanoseconds, over all buckets.
fn took(id: u64) -> u64 {
    (id * 7_919 % 20_000) * 1_000_000 / (1 + id % 97)
}

fn request(sets: impl Iterator<Item = (usize, u64)>) -> Vec<u8> {
    protobuf::traces(sets.map(|(set, id)| span(set, id)).collect())
}

/// A pipeline with all label sets, each of which saw a few spans.
fn ours() -> Arc<Pipeline> {
    let pipeline = testkit::pipeline(CONFIG, clock::now());
    for round in 0..4 {
        for first in (0..SETS).step_by(500) {
            let body = request((first..first + 500).map(|set| (set, (round * SETS + set) as u64)));
            ingest(&pipeline, &body);
        }
    }
    Arc::new(pipeline)
}

fn ingest(pipeline: &Pipeline, body: &[u8]) {
    let outcome = protobuf::ingest(pipeline, Signal::Traces, body, clock::now());
    assert_eq!(outcome.rejected, 0);
}

type Set = Vec<(&'static str, String)>;

/// The same in `prometheus-client`'s registry.
fn theirs() -> Registry {
    let mut registry = Registry::default();
    let calls = Family::<Set, Counter>::default();
    let durations =
        Family::<Set, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS.iter().copied()));
    for id in 0..4 * SETS {
        let set: Set = labels(id % SETS).into();
        calls.get_or_create(&set).inc();
        durations.get_or_create(&set).observe(took(id as u64) as f64 / 1e9);
    }
    registry.register("calls", "Calls", calls);
    registry.register("duration_seconds", "How long they took", durations);
    registry
}

/// A whole scrape as the web port makes it: copied, written and coded piece by piece. `sink` gets the bytes.
fn scrape(
    pipeline: &Pipeline,
    syntax: Syntax,
    coding: ContentEncoding,
    mut sink: impl FnMut(&[u8]),
) {
    let format = Format { syntax, escaping: None };
    let mut writer = Writer::new(format, Options::default());
    let (mut coder, mut plain) = (coding.coder().unwrap(), Vec::new());
    let mut pass = |coder: &mut Coder, plain: &mut Vec<u8>| {
        coder.code(plain).unwrap();
        sink(coder.coded());
        coder.coded().clear();
    };
    for piece in pipeline.gather(clock::now(), format.has_exemplars(), |_| {}) {
        writer.piece(&piece, &mut plain);
        pass(&mut coder, &mut plain);
    }
    let written = writer.finish(&mut plain);
    assert_eq!(written.quarantined, 0);
    pass(&mut coder, &mut plain);
    sink(&coder.finish().unwrap());
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Lines that are samples, of a text.
fn samples(body: &[u8]) -> usize {
    body.split(|byte| *byte == b'\n')
        .filter(|line| line.first().is_some_and(|byte| *byte != b'#'))
        .count()
}

/// The formats and codings that scrapers ask for.
const SIDES: [(&str, Syntax, ContentEncoding); 7] = [
    ("text", Syntax::Text0_0_4, ContentEncoding::Identity),
    ("OpenMetrics, exemplars", Syntax::OpenMetrics1_0_0, ContentEncoding::Identity),
    ("protobuf, exemplars", Syntax::Protobuf, ContentEncoding::Identity),
    ("text, gzip", Syntax::Text0_0_4, ContentEncoding::Gzip),
    ("OpenMetrics, exemplars, gzip", Syntax::OpenMetrics1_0_0, ContentEncoding::Gzip),
    ("protobuf, exemplars, gzip", Syntax::Protobuf, ContentEncoding::Gzip),
    ("OpenMetrics, exemplars, zstd", Syntax::OpenMetrics1_0_0, ContentEncoding::Zstd),
];

fn speed(pipeline: &Pipeline, registry: &Registry) {
    let mut text = Vec::new();
    scrape(pipeline, Syntax::Text0_0_4, ContentEncoding::Identity, |bytes| {
        text.extend_from_slice(bytes)
    });
    let found = samples(&text);
    assert!((100_000..100_500).contains(&found), "{found} lines");
    let mut theirs = Duration::MAX;
    let mut ours = [(Duration::MAX, 0); SIDES.len()];
    let mut body = String::new();
    for _ in 0..ROUNDS {
        body.clear(); // and keeps its room, so that it is not the page faults that are measured
        let took =
            timed(|| prometheus_client::encoding::text::encode(&mut body, registry).unwrap());
        assert_eq!(samples(body.as_bytes()), 20 * SETS);
        theirs = theirs.min(took);
        for ((best, bytes), (_, syntax, coding)) in ours.iter_mut().zip(SIDES) {
            *bytes = 0;
            *best =
                timed(|| scrape(pipeline, syntax, coding, |out| *bytes += out.len())).min(*best);
        }
    }
    for ((best, bytes), (name, ..)) in ours.iter().zip(SIDES) {
        println!("  {name}: {:.2} ms, {bytes} bytes", best.as_secs_f64() * 1e3);
    }
    println!("  prometheus-client: {:.2} ms, {} bytes", theirs.as_secs_f64() * 1e3, body.len());
    let ratio = theirs.as_secs_f64() / ours[0].0.as_secs_f64();
    println!("row\tscrape of 100,000 lines, text, against prometheus-client\t8x\t25x\t{ratio:.1}x");
}

/// How long requests took, without waiting for a core: the longest and the 99th of a hundred.
#[derive(Clone, Copy)]
struct Pauses {
    p99: Duration,
    longest: Duration,
    /// The longest that a request waited for a core: what else runs on this machine, not what we do.
    robbed: Duration,
}

/// How long this thread was ready to run and had no core, as Linux counts it (`/proc/thread-self/schedstat`, second number).
struct Waiting(Option<File>);

impl Waiting {
    fn new() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    fn so_far(&self) -> Duration {
        let mut text = [0; 64];
        let read = self.0.as_ref().and_then(|file| file.read_at(&mut text, 0).ok());
        let text = std::str::from_utf8(&text[..read.unwrap_or_default()]).unwrap_or_default();
        let waited = text.split(' ').nth(1).and_then(|waited| waited.parse().ok());
        Duration::from_nanos(waited.unwrap_or_default())
    }
}

/// Sends requests at 30 % load for a while.
fn load(pipeline: &Pipeline, bodies: &[Vec<u8>], interval: Duration) -> Pauses {
    let (mut took, mut robbed, waiting) = (Vec::new(), Duration::ZERO, Waiting::new());
    let start = Instant::now();
    let mut due = start;
    for body in bodies.iter().cycle() {
        due += interval;
        while Instant::now() < due {
            std::hint::spin_loop(); // a timer would be late by more than what is measured
        }
        let before = waiting.so_far();
        let begin = Instant::now();
        ingest(pipeline, body);
        let all = begin.elapsed();
        let waited = waiting.so_far() - before;
        robbed = robbed.max(waited);
        took.push(all.saturating_sub(waited));
        if start.elapsed() > WHILE {
            break;
        }
    }
    took.sort_unstable();
    Pauses { p99: took[took.len() * 99 / 100], longest: took[took.len() - 1], robbed }
}

/// What goes on beside the load, again and again.
type Work = fn(&Pipeline);

fn scraped(pipeline: &Pipeline) {
    scrape(pipeline, Syntax::OpenMetrics1_0_0, ContentEncoding::Gzip, |_| {});
}

/// A snapshot as the state directory gets it, but for the disk.
fn kept(pipeline: &Pipeline) {
    std::hint::black_box(snapshot::encode(&pipeline.keep(clock::now())).unwrap());
}

/// The same load while this work is done on a pipeline, and how often it was.
fn load_beside(
    (work, on): (Work, &Arc<Pipeline>),
    pipeline: &Pipeline,
    bodies: &[Vec<u8>],
    interval: Duration,
) -> (Pauses, u32) {
    let stop = Arc::new(AtomicBool::new(false));
    let (on, stopped) = (on.clone(), stop.clone());
    let worker = std::thread::spawn(move || {
        let mut times = 0;
        while !stopped.load(Ordering::Relaxed) {
            work(&on);
            times += 1;
        }
        times
    });
    let pauses = load(pipeline, bodies, interval);
    stop.store(true, Ordering::Relaxed);
    (pauses, worker.join().unwrap())
}

/// What ingest feels of a work done again and again: against none, and against the same on another pipeline, which takes the same
/// caches, memory and cores and shares no lock.
fn pauses(pipeline: &Arc<Pipeline>, other: &Arc<Pipeline>, (name, work): (&str, Work)) {
    let requests =
        (0..40).map(|at| request((0..512).map(|n| ((at * 512 + n) % SETS, (at * 512 + n) as u64))));
    let bodies: Vec<_> = requests.collect();
    let took = timed(|| bodies.iter().cycle().take(200).for_each(|body| ingest(pipeline, body)));
    let interval = took / 200 * 10 / 3;
    let rounds: Vec<[Pauses; 3]> = (0..TURNS)
        .map(|_| {
            let without = load(pipeline, &bodies, interval);
            let (beside, _) = load_beside((work, other), pipeline, &bodies, interval);
            let (with, times) = load_beside((work, pipeline), pipeline, &bodies, interval);
            let said = |Pauses { p99, longest, robbed }| {
                let [p99, longest, robbed] = [p99, longest, robbed].map(ms);
                format!("p99 {p99:.3}, longest {longest:.3}, for a core {robbed:.3}")
            };
            let (alone, beside_said) = (said(without), said(beside));
            println!(
                "  ms: {alone}; another {name} {beside_said}; {name} {times} times {}",
                said(with)
            );
            [without, beside, with]
        })
        .collect();
    let ratio = |of: fn(&Pauses) -> Duration, to: usize| {
        let mut all: Vec<f64> =
            rounds.iter().map(|one| ms(of(&one[2])) / ms(of(&one[to]))).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    for (to, what) in [(0, "not".to_owned()), (1, format!("another is {name}"))] {
        let (p99, longest) = (ratio(|one| one.p99, to), ratio(|one| one.longest, to));
        println!(
            "row\tingest at 30 % load while {name}, against {what}\t2x\t1.2x\tp99 {p99:.2}x, longest {longest:.2}x"
        );
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn main() {
    let pipeline = ours();
    if std::env::args().any(|arg| arg == "--once") {
        // For an instruction counter: one scrape and nothing else.
        scrape(&pipeline, Syntax::Text0_0_4, ContentEncoding::Identity, |bytes| {
            std::hint::black_box(bytes);
        });
        return;
    }
    speed(&pipeline, &theirs());
    let other = ours();
    pauses(&pipeline, &other, ("scraped", scraped));
    pauses(&pipeline, &other, ("kept", kept));
}

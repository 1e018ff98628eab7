//! The engine, from a request's bytes to updated series, against yardsticks in the same run: a bare walk over the same bytes, and the
//! same work on `opentelemetry-proto` structs. Deduplication and exemplars are on, ids are fresh in every batch, and a run counts only
//! if every span was accepted and the series say what the yardstick counted.
//!
//! `cargo bench --bench engine` prints rows; `benches/run` makes one table of all benches'. With `-- count CONTENDER BATCHES` one
//! contender runs so many batches and nothing is measured: for callgrind (`benches/run instructions`).

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)] // a bench may fail loudly

mod interpret;
mod structs;
#[path = "../support/mod.rs"]
mod support;
mod walk;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;

use engine::model::RowValue;
use engine::pipeline::Pipeline;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use interpret::Interpreter;
use server::clock;
use simulator::load::{Batches, Profile};
use structs::Structs;
use support::{batches, ingest, pipeline, row};
use testkit::settings;

const SPAN_METRICS: &str = "use: [span_metrics]";
const OSCAR: &str = "use: [oscar]";
/// Rounds that are measured, and those before them that are not.
const ROUNDS: (usize, usize) = (60, 10);

/// Something that takes a request.
type Contender<'c> = &'c mut dyn FnMut(&[u8], Timestamp);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["count", contender, batches] => count(contender, batches.parse().unwrap()),
        _ => {
            peer();
            oscar();
            many();
        }
    }
}

fn peer() {
    let (pipeline, mut structs) = (pipeline(SPAN_METRICS), Structs::default());
    let mut batches = batches(Profile::Peer);
    let (times, sent) = race(
        &mut batches,
        [
            &mut |body, now| ingest(&pipeline, body, now),
            &mut |body, now| assert_eq!(structs.ingest(body, now), 512),
            &mut |body, _| {
                black_box(walk::walk(body).unwrap());
            },
        ],
    );
    let totals = totals(&pipeline, sent);
    let (calls, counted, _) = structs.totals();
    assert_eq!(totals["traces_span_metrics_calls_total"], calls);
    assert_eq!(totals["traces_span_metrics_duration_milliseconds"], counted);
    let [engine, structs, walk] = &times;
    told("peer", &[("engine", engine), ("structs", structs), ("bare walk", walk)]);
    row(
        "engine against opentelemetry-proto structs, `peer`",
        "6x",
        "10x",
        times_of(structs, engine),
    );
    let percent = format!("{:.0} %", 100.0 * ratio(walk, engine));
    row("engine against a bare walk, `peer`", "50 %", "65 %", percent);
}

fn oscar() {
    let settings = settings(OSCAR);
    let (pipeline, mut structs) = (pipeline(OSCAR), Interpreter::new(&settings.definitions));
    let mut batches = batches(Profile::Oscar);
    let (times, sent) = race(
        &mut batches,
        [&mut |body, now| ingest(&pipeline, body, now), &mut |body, now| structs.ingest(body, now)],
    );
    let (ours, theirs) = (totals(&pipeline, sent), structs.totals());
    // The structs leave people and conversations out, which only makes their work less: what they count is compared.
    let differ = |(name, total): &(&String, &f64)| {
        (ours.get(*name).copied().unwrap_or_default() - **total).abs() > 1e-6 * total.abs()
    };
    let differing: Vec<_> =
        theirs.iter().filter(differ).map(|(name, total)| (name, total, ours.get(name))).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(theirs.values().filter(|total| **total > 0.0).count() > 20, "{theirs:#?}");
    let [engine, structs] = &times;
    told("oscar", &[("engine", engine), ("structs", structs)]);
    row(
        "engine against opentelemetry-proto structs, `oscar`",
        "3x",
        "5x",
        times_of(structs, engine),
    );
}

/// 20 metrics that take the spans of `peer`, each by its names, and 180 that take none: half by a name, half by something else.
fn many() {
    let few: String = (0..20).fold("metrics:\n".to_owned(), |mut all, n| {
        let names = format!("[operation-{n}, operation-{}]", n + 20);
        writeln!(all, "  taken_{n}_total: {{help: T., type: counter, from: span, where: {{name: {names}}}, labels: {{kind: kind, route: http.route}}}}").unwrap();
        all
    });
    let many = (0..180).fold(few.clone(), |mut all, n| {
        let condition = match n % 6 {
            0 | 2 | 4 => format!("name: absent-{n}"),
            1 => format!("http.route: /absent/{n}"),
            3 => format!("absent.key.{n}: {{exists: true}}"),
            _ => format!("http.response.status_code: {{ge: {}}}", 600 + n),
        };
        writeln!(all, "  absent_{n}_total: {{help: A., type: counter, from: span, where: {{{condition}}}, labels: {{kind: kind}}}}").unwrap();
        all
    });
    let (few, many) = (pipeline(&few), pipeline(&many));
    let (times, sent) = race(
        &mut batches(Profile::Peer),
        [&mut |body, now| ingest(&few, body, now), &mut |body, now| ingest(&many, body, now)],
    );
    let sum = |pipeline| totals(pipeline, sent).values().sum::<f64>();
    assert_eq!((sum(&few), sum(&many)), (sent as f64, sent as f64));
    let [few, many] = &times;
    told("peer, by names", &[("20 metrics", few), ("200 metrics", many)]);
    row("200 metrics against 20, same matching spans: cost", "2x", "1.2x", times_of(many, few));
}

/// Runs the contenders on the same batches, in turns. Nanoseconds a span of each round, and how many spans there were.
fn race<const N: usize>(
    batches: &mut Batches,
    mut contenders: [Contender<'_>; N],
) -> ([Vec<f64>; N], u64) {
    let mut times = std::array::from_fn(|_| Vec::new());
    let mut sent = 0;
    let round = batches.round().max(8);
    for number in 0..ROUNDS.0 + ROUNDS.1 {
        let (mut nanoseconds, mut spans) = ([0.0; N], 0);
        for _ in 0..round {
            let now = clock::now();
            let (body, held) = batches.next(now);
            spans += held;
            for (sum, contender) in nanoseconds.iter_mut().zip(&mut contenders) {
                let begin = clock::monotonic();
                contender(body, now);
                *sum += begin.elapsed().as_nanos() as f64;
            }
        }
        sent += spans;
        if number >= ROUNDS.1 {
            let each = times.iter_mut().zip(nanoseconds);
            each.for_each(|(times, sum): (&mut Vec<f64>, f64)| times.push(sum / spans as f64));
        }
    }
    (times, sent)
}

/// What each metric counted, once every span that was sent was accepted.
fn totals(pipeline: &Pipeline, sent: u64) -> HashMap<String, f64> {
    let books = pipeline.counters().books().read(Signal::Traces);
    assert_eq!((books.received, books.accepted), (sent, sent));
    let families: Vec<_> = pipeline.gather(clock::now(), true, |_| {}).collect();
    let families =
        families.iter().filter(|family| !family.family.name.as_str().starts_with("oscar_metrics_"));
    let sum = |value: &RowValue| match value {
        RowValue::Counter(total, _) => *total,
        RowValue::Histogram(histogram) => histogram.counts.iter().sum(),
        _ => 0.0,
    };
    let families = families.filter(|family| !family.family.name.as_str().starts_with("process_"));
    // A family comes in pieces.
    let mut totals = HashMap::new();
    for family in families {
        let total: f64 = family.rows.iter().map(|row| sum(&row.value)).sum();
        *totals.entry(family.family.name.as_str().to_owned()).or_default() += total;
    }
    totals
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median of the rounds' ratios: what slows the machine for a round slows both.
fn ratio(one: &[f64], other: &[f64]) -> f64 {
    median(one.iter().zip(other).map(|(one, other)| one / other).collect())
}

fn times_of(one: &[f64], other: &[f64]) -> String {
    format!("{:.1}x", ratio(one, other))
}

fn told(workload: &str, times: &[(&str, &Vec<f64>)]) {
    let each = |(name, times): &(&str, &Vec<f64>)| format!("{name} {:.0}", median(times.to_vec()));
    let each: Vec<String> = times.iter().map(each).collect();
    println!("{workload}, ns a span: {}", each.join(", "));
}

/// One contender alone.
fn count(contender: &str, number: usize) {
    let (profile, text) = match contender {
        "oscar-engine" | "oscar-structs" | "oscar-walk" | "oscar-nothing" => {
            (Profile::Oscar, OSCAR)
        }
        _ => (Profile::Peer, SPAN_METRICS),
    };
    let settings = settings(text);
    let pipeline = pipeline(text);
    let mut structs = Structs::default();
    let mut interpreter = Interpreter::new(&settings.definitions);
    let mut batches = batches(profile);
    let now = clock::now();
    for _ in 0..number {
        let (body, _) = batches.next(now);
        match contender {
            "peer-engine" | "oscar-engine" => ingest(&pipeline, body, now),
            "peer-structs" => {
                structs.ingest(body, now);
            }
            "oscar-structs" => interpreter.ingest(body, now),
            "peer-walk" | "oscar-walk" => {
                black_box(walk::walk(body).unwrap());
            }
            "peer-nothing" | "oscar-nothing" => {}
            other => panic!("no contender is called {other}"),
        }
    }
}

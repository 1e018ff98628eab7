use proptest::prelude::*;

use crate::limits;
use crate::model::amount::{Buckets, Exponential, ExponentialIn, Histogram, Holds, Summary};

use super::*;
use crate::dedupe::Keys;

const BEGAN: u64 = 1_000;

fn identity(one: u8) -> Fingerprint {
    let keys = Keys::new((1, 2));
    Fingerprint::of(&keys, &[&[one]])
}

fn streams() -> Streams {
    Streams::new(1000)
}

/// Folds as the caller does, for whom temporality and kind are part of a stream's identity.
fn fold(streams: &mut Streams, writer: u8, point: PointIn, context: Context) -> Folded {
    let kind = match point.measured.holds() {
        Holds::Newest => 0,
        Holds::Sum => 1,
        Holds::Total(shape) => 2 + shape as u8,
    };
    let identity =
        identity(writer * 16 + kind * 2 + u8::from(point.temporality == Temporality::Delta));
    streams.fold((identity, writer.into()), point, context)
}

const SILENCE: Duration = Duration::from_secs(300);

/// Times in these tests are small numbers; what arrives does so at 2000 unless a test says otherwise.
fn at(now: u64) -> Context {
    Context { now: Timestamp(now), began: Timestamp(BEGAN), scraped: false, silence: SILENCE }
}

fn point(temporality: Temporality, start: u64, time: u64, measured: Measured) -> PointIn {
    let (start, time) = (Timestamp(start), Timestamp(time));
    PointIn { start, time, life: Timestamp(0), temporality, recorded: true, measured }
}

fn sum(value: f64) -> Measured {
    Measured::Sum { value, monotonic: true }
}

fn histogram(counts: &[u64], sum: f64, bounds: &[f64]) -> Measured {
    let count = counts.iter().sum();
    Measured::Histogram(Histogram::new(count, Some(sum), counts, bounds).unwrap())
}

fn native(scale: i32, offset: i32, counts: &[u64]) -> Exponential {
    let (count, sum) = (counts.iter().sum(), Some(counts.len() as f64));
    let positive = (offset, counts);
    let sent = ExponentialIn { scale, count, sum, positive, ..ExponentialIn::default() };
    Exponential::new(&sent).unwrap()
}

fn number(value: f64) -> Folded {
    Folded::Add(Amount::Number(value))
}

fn no(reject: Reject) -> Folded {
    Folded::Rejected(reject)
}

/// Sends sums to one stream: (start, time, value) and what comes of it.
fn script(temporality: Temporality, steps: &[(u64, u64, f64, Folded)]) {
    let mut streams = streams();
    for (nth, (start, time, value, expected)) in steps.iter().enumerate() {
        let point = point(temporality, *start, *time, sum(*value));
        let folded = fold(&mut streams, 0, point, at(2000 + nth as u64));
        assert_eq!(folded, *expected, "step {nth}: ({start}, {time}] {value}");
    }
}

fn deltas(steps: &[(u64, u64, f64, Folded)]) {
    script(Temporality::Delta, steps);
}

fn totals(steps: &[(u64, u64, f64, Folded)]) {
    script(Temporality::Cumulative, steps);
}

#[test]
fn t1_deltas_add_up() {
    deltas(&[(0, 50, 5.0, number(5.0)), (50, 60, 3.0, number(3.0))]);
    deltas(&[(0, 0, 5.0, number(5.0)), (0, 0, 5.0, number(5.0))]);
    deltas(&[
        (0, 50, 5.0, number(5.0)),
        (0, 60, 3.0, number(3.0)),
        (0, 60, 3.0, no(Reject::Duplicate)),
        (60, 60, 1.0, number(1.0)),
    ]);
}

#[test]
fn drops_resent_delta_windows_and_adds_all_others() {
    deltas(&[
        (0, 50, 5.0, number(5.0)),
        (50, 60, 3.0, number(3.0)),
        (50, 60, 3.0, no(Reject::Duplicate)),
        (50, 60, 4.0, number(4.0)), // of another writer
        (10, 55, 1.0, number(1.0)), // overlaps
        (52, 54, 2.0, number(2.0)), // lies inside
        (80, 90, 1.0, number(1.0)), // leaves a gap
        (60, 80, 1.0, number(1.0)), // fills it
        (0, 50, 5.0, no(Reject::Duplicate)),
        (0, 0, 1.0, number(1.0)),
        (0, 0, 1.0, number(1.0)), // without a time nothing tells it from others
    ]);
}

#[test]
fn a_delta_histogram_is_a_duplicate_only_with_all_its_buckets() {
    let mut streams = streams();
    let mut send = |counts: &[u64]| {
        let point = point(Temporality::Delta, 10, 20, histogram(counts, 3.0, &[1.0, 2.0]));
        fold(&mut streams, 0, point, at(2000))
    };
    assert!(matches!(send(&[1, 2, 0]), Folded::Add(_)));
    assert!(matches!(send(&[2, 1, 0]), Folded::Add(_)), "count and sum are the same");
    assert_eq!(send(&[1, 2, 0]), no(Reject::Duplicate));
}

#[test]
fn a_resend_is_known_among_the_last_windows() {
    let mut streams = streams();
    let mut send = |nth: u64| {
        let point = point(Temporality::Delta, nth * 10, nth * 10 + 10, sum(1.0));
        fold(&mut streams, 0, point, at(9000))
    };
    let many = limits::STREAM_WINDOWS as u64;
    (0..=many).for_each(|nth| assert_eq!(send(nth), number(1.0)));
    assert_eq!(send(1), no(Reject::Duplicate));
    assert_eq!(send(0), number(1.0), "one more than are remembered");
}

#[test]
fn up_down_sums_add_by_start_and_deltas_go_on_from_their_level() {
    let mut streams = streams();
    let mut send = |temporality, start, time, value| {
        let measured = Measured::Sum { value, monotonic: false };
        match fold(&mut streams, 0, point(temporality, start, time, measured), at(2000)) {
            Folded::Level { value, .. } => value,
            other => panic!("{other:?}"),
        }
    };
    let total = Temporality::Cumulative;
    assert_eq!(send(total, 100, 200, 2.0), 2.0);
    assert_eq!(send(total, 150, 210, 5.0), 7.0, "two that live at once");
    assert_eq!(send(total, 100, 220, 3.0), 8.0);
    assert_eq!(send(total, 100, 205, 9.0), 8.0, "older");
    assert_eq!(send(total, 300, 310, 1.0), 1.0, "began after the others' last word");
    assert_eq!(send(total, 150, 290, 6.0), 1.0, "the last word of one that has ended");
    assert_eq!(send(total, 150, 320, 6.0), 7.0, "it lives after all");
    let delta = Temporality::Delta;
    assert_eq!(send(delta, 100, 200, 3.0), 3.0);
    assert_eq!(send(delta, 200, 300, -1.0), 2.0);
}

#[test]
fn adds_up_down_sums_of_processes_with_a_clock_ahead() {
    let up_down = |streams: &mut Streams, start, time, value, now| {
        let measured = Measured::Sum { value, monotonic: false };
        let point = point(Temporality::Cumulative, start, time, measured);
        match fold(streams, 0, point, at(now)) {
            Folded::Level { value, .. } => value,
            other => panic!("{other:?}"),
        }
    };
    let mut restarted = streams();
    assert_eq!(up_down(&mut restarted, 5500, 5600, 5.0, 2000), 5.0);
    assert_eq!(up_down(&mut restarted, 2010, 2020, 2.0, 2020), 2.0, "with the clock set right");

    let mut two = streams();
    up_down(&mut two, 5500, 5600, 5.0, 2000);
    let mut both = |now: u64| {
        up_down(&mut two, 1900, now, 2.0, now);
        up_down(&mut two, 5500, 3600 + now + 1, 5.0, now + 1)
    };
    assert_eq!((both(2010), both(2020)), (7.0, 7.0));
}

#[test]
fn t6_without_a_temporality_it_is_refused_unless_it_is_a_gauge() {
    let mut streams = streams();
    for measured in [sum(1.0), histogram(&[1], 1.0, &[]), Measured::Exponential(native(0, 0, &[1]))]
    {
        let point = point(Temporality::Unspecified, 0, 0, measured);
        assert_eq!(fold(&mut streams, 0, point, at(2000)), no(Reject::Temporality));
    }
    let gauge = point(Temporality::Unspecified, 0, 0, Measured::Gauge(1.0));
    let level = Folded::Level { value: 1.0, time: Timestamp(2000), conflict: false };
    assert_eq!(fold(&mut streams, 0, gauge, at(2000)), level);
    assert_eq!(streams.len(), 1);
}

#[test]
fn t7_a_total_adds_what_it_rose_by_and_a_restart_counts_whole() {
    totals(&[
        (1100, 1200, 10.0, number(10.0)),
        (1100, 1210, 10.0, number(0.0)),
        (1100, 1220, 15.0, number(5.0)),
        (1230, 1240, 20.0, number(20.0)),
        (1230, 1250, 4.0, number(4.0)),
        (0, 1260, 5.0, number(1.0)),
        (0, 1270, 2.0, number(2.0)),
    ]);
}

#[test]
fn t8_two_writers_and_a_writers_restart_without_times() {
    let mut streams = streams();
    let mut send = |writer, start, value, now| {
        let point = point(Temporality::Cumulative, start, 0, sum(value));
        fold(&mut streams, writer, point, Context { scraped: now > 2000, ..at(now) })
    };
    assert_eq!(send(1, 0, 10.0, 2000), number(10.0));
    assert_eq!(send(2, 0, 20.0, 2000), number(20.0));
    // The start precedes ours and the target was scraped, but the stream is known.
    assert_eq!(send(1, 500, 4.0, 2001), number(4.0));
    assert_eq!(send(1, 500, 6.0, 2002), number(2.0));
    assert_eq!(send(1, 500, 6.0, 2003), number(0.0));
    assert_eq!(send(1, 500, 7.0, 1500), number(1.0), "the clock was set back");
}

#[test]
fn t9_an_older_point_changes_nothing() {
    totals(&[
        (0, 1200, 10.0, number(10.0)),
        (0, 1100, 8.0, no(Reject::Late)),
        (0, 1200, 10.0, no(Reject::Duplicate)),
        (0, 1200, 11.0, number(1.0)), // a higher total is news
        (0, 1150, 11.5, number(0.5)), // whatever the clock says
        (0, 1150, 11.5, no(Reject::Duplicate)),
        (0, 1300, 12.0, number(0.5)),
    ]);
}

#[test]
fn t10_points_of_an_older_life_still_count_what_they_add() {
    totals(&[
        (1100, 1200, 10.0, number(10.0)),
        (1300, 1400, 3.0, number(3.0)),
        (1100, 1290, 12.0, number(2.0)),
        (1100, 1200, 10.0, no(Reject::Late)),
        (1300, 1410, 4.0, number(1.0)),
    ]);
}

#[test]
fn a_start_told_later_is_the_same_life_unless_something_contradicts() {
    totals(&[(0, 1200, 10.0, number(10.0)), (1100, 1210, 12.0, number(2.0))]);
    totals(&[(0, 1200, 10.0, number(10.0)), (1205, 1210, 12.0, number(12.0))]);
    totals(&[(0, 1200, 10.0, number(10.0)), (1100, 1210, 9.0, number(9.0))]);
}

#[test]
fn starts_are_bounded_and_the_longest_silent_one_makes_room() {
    let mut streams = streams();
    let second = 1_000_000_000;
    let mut send = |start, value, now| {
        let point = point(Temporality::Cumulative, start, 0, sum(value));
        fold(&mut streams, 0, point, at(now))
    };
    let many = limits::STREAM_LIVES as u64;
    for life in 0..many {
        assert_eq!(send(1100 + life, 5.0, (10 + life) * second), number(5.0));
    }
    assert_eq!(send(9000, 5.0, 300 * second), no(Reject::StartLimit), "all of them live");
    assert_eq!(send(9000, 5.0, 311 * second), number(5.0), "the first is silent");
    let joined = Folded::Join(Amount::Number(0.0));
    assert_eq!(send(1100, 9.0, 312 * second), joined, "its total was counted, and is forgotten");
    assert_eq!(send(1100, 11.0, 313 * second), number(2.0));
}

#[test]
fn a_forgotten_stream_joins_without_adding_and_a_new_start_counts() {
    let mut streams = streams();
    let hour = 3_600_000_000_000;
    let send = |streams: &mut Streams, start, value, now| {
        fold(streams, 3, point(Temporality::Cumulative, start, 0, sum(value)), at(now))
    };
    assert_eq!(send(&mut streams, 1100, 10.0, hour), number(10.0));
    assert_eq!(streams.expire(Timestamp(30 * hour), Duration::from_secs(86_400)).len(), 1);
    assert!(streams.is_empty());
    assert_eq!(send(&mut streams, 1100, 12.0, 31 * hour), Folded::Join(Amount::Number(0.0)));
    assert_eq!(send(&mut streams, 1100, 15.0, 32 * hour), number(3.0));
    assert_eq!(send(&mut streams, 31 * hour, 4.0, 33 * hour), number(4.0));
    assert_eq!(streams.evict_writers(|writer| writer == 3).len(), 1);
    assert_eq!(send(&mut streams, 40 * hour, 2.0, 41 * hour), number(2.0), "never seen before");
}

#[test]
fn a_gauge_that_two_processes_write_is_a_conflict_and_a_restart_is_none() {
    let mut streams = streams();
    let mut send = |life| {
        let point = PointIn {
            life: Timestamp(life),
            ..point(Temporality::Unspecified, 0, 0, Measured::Gauge(1.0))
        };
        matches!(fold(&mut streams, 0, point, at(2000)), Folded::Level { conflict: true, .. })
    };
    assert_eq!([7, 7, 8, 8, 8].map(&mut send), [false; 5], "a restart");
    assert_eq!([7, 8, 7].map(&mut send), [true; 3]);
}

#[test]
fn a_stream_that_began_before_us_joins_from_its_first_point() {
    let cases = [
        (500, true, 0.0),
        (500, false, 10.0), // nobody has seen more of it than we show
        (1500, true, 10.0), // it began under our eyes
        (0, true, 10.0),    // it doesn't say
    ];
    for (start, scraped, first) in cases {
        let mut streams = streams();
        let mut send = |start, time, value| {
            let point = point(Temporality::Cumulative, start, time, sum(value));
            fold(&mut streams, 0, point, Context { scraped, ..at(2000) })
        };
        let expected = if first > 0.0 { number(first) } else { Folded::Join(Amount::Number(0.0)) };
        assert_eq!(send(start, 1600, 10.0), expected, "{start} {scraped}");
        assert_eq!(send(start, 1700, 13.0), number(3.0));
        assert_eq!(send(900, 1800, 2.0), number(2.0), "a known stream's restart counts whole");
    }
}

#[test]
fn t13_to_t16_histograms_add_bucket_by_bucket() {
    let mut streams = streams();
    let mut send = |temporality, start, time, measured| {
        fold(&mut streams, 0, point(temporality, start, time, measured), at(2000))
    };
    let add = |measured| match measured {
        Measured::Histogram(histogram) => Folded::Add(Amount::Histogram(histogram)),
        _ => panic!(),
    };
    let total = Temporality::Cumulative;
    let first = || histogram(&[2, 3, 1], 12.5, &[1.0, 5.0]);
    assert_eq!(send(total, 10, 20, first()), add(first()), "T13");
    let second = histogram(&[2, 4, 3], 20.0, &[1.0, 5.0]);
    assert_eq!(send(total, 10, 30, second), add(histogram(&[0, 1, 2], 7.5, &[1.0, 5.0])));
    let fallen = || histogram(&[1, 9, 9], 30.0, &[1.0, 5.0]);
    assert_eq!(send(total, 10, 40, fallen()), add(fallen()), "one count fell");
    let delta = Temporality::Delta;
    assert_eq!(
        send(delta, 0, 20, histogram(&[6], 1.0, &[])),
        add(histogram(&[6], 1.0, &[])),
        "T14"
    );
    assert_eq!(
        send(delta, 20, 30, histogram(&[2], 1.0, &[])),
        add(histogram(&[2], 1.0, &[])),
        "T15"
    );
}

#[test]
fn t16_changed_bounds_reshape_the_series() {
    // The same life, another life, and the next delta.
    for (temporality, start) in
        [(Temporality::Cumulative, 10), (Temporality::Cumulative, 20), (Temporality::Delta, 20)]
    {
        let mut streams = streams();
        let mut send = |start, time, counts: &[u64], bounds: &[f64]| {
            let measured = histogram(counts, 1.0, bounds);
            fold(&mut streams, 0, point(temporality, start, time, measured), at(2000))
        };
        send(10, 20, &[1, 1], &[1.0]);
        let Folded::Reshape(anew) = send(start, 30, &[1, 1], &[2.0]) else { panic!() };
        assert_eq!((anew.bounds(), anew.counts()), (&[2.0][..], &[1, 1][..]));
        let folded = send(30, 40, &[1, 2], &[2.0]);
        assert!(matches!(folded, Folded::Add(_)), "and then it goes on");
    }
}

#[test]
fn t20_a_total_that_was_made_coarser_still_rises() {
    let mut streams = streams();
    let mut send = |time, sent| {
        let measured = Measured::Exponential(sent);
        let folded =
            fold(&mut streams, 0, point(Temporality::Cumulative, 10, time, measured), at(2000));
        let Folded::Add(Amount::Exponential(rise)) = folded else { panic!("{folded:?}") };
        (rise.scale(), rise.positive().clone(), rise.count())
    };
    send(20, native(1, 0, &[1, 2, 4]));
    // The same at scale 0 is 3 and 4; one came into each, and one above.
    let rise = send(30, native(0, 0, &[4, 5, 1]));
    assert_eq!(rise, (0, Buckets { offset: 1, counts: vec![1.0, 1.0, 1.0] }, 3.0));
    assert_eq!(send(40, native(0, 0, &[1])).2, 1.0, "a count fell: it counts whole");
}

#[test]
fn no_recorded_value_ends_what_a_known_stream_shows() {
    let mut streams = streams();
    let mut send = |time, measured, recorded| {
        let point = PointIn { recorded, ..point(Temporality::Cumulative, 10, time, measured) };
        fold(&mut streams, 0, point, at(2000))
    };
    assert_eq!(send(20, sum(5.0), true), number(5.0));
    assert_eq!(send(30, sum(f64::NAN), false), Folded::End, "its value means nothing");
    assert_eq!(send(40, sum(7.0), true), number(2.0), "it came back");
    assert_eq!(send(50, Measured::Gauge(0.0), false), Folded::Nothing, "of a stream nobody knows");
    send(60, Measured::Gauge(1.0), true);
    assert_eq!(send(70, Measured::Gauge(0.0), false), Folded::End);
}

#[test]
fn t23_no_number_is_a_level_but_no_count() {
    let mut streams = streams();
    for odd in [f64::NAN, f64::INFINITY, -1.0] {
        for temporality in [Temporality::Delta, Temporality::Cumulative] {
            let folded = fold(&mut streams, 0, point(temporality, 0, 0, sum(odd)), at(2000));
            assert_eq!(folded, no(Reject::Invalid));
        }
        let gauge = point(Temporality::Unspecified, 0, 5, Measured::Gauge(odd));
        assert!(matches!(fold(&mut streams, 0, gauge, at(2000)), Folded::Level { .. }));
    }
    assert_eq!(streams.len(), 1);
}

#[test]
fn t22_a_summary_rises_with_its_latest_quantiles() {
    let mut streams = streams();
    let mut send = |start, time, count, median| {
        let summary = Summary::new(count, count as f64 * 2.0, [(0.5, median)].into()).unwrap();
        let point = point(Temporality::Unspecified, start, time, Measured::Summary(summary));
        match fold(&mut streams, 0, point, at(2000)) {
            Folded::Add(Amount::Summary(rise)) => (rise.count(), rise.quantiles().to_vec()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(send(1100, 1200, 5, 1.0), (5, vec![(0.5, 1.0)]));
    assert_eq!(send(1100, 1300, 7, 9.0), (2, vec![(0.5, 9.0)]));
    assert_eq!(send(1400, 1500, 3, 4.0), (3, vec![(0.5, 4.0)]), "a restart counts whole");
}

#[test]
fn streams_are_bounded_and_expire_by_arrival() {
    let hour = Duration::from_secs(3600);
    let mut streams = Streams::new(2);
    let send = |streams: &mut Streams, writer, seconds: u64| {
        let now = Timestamp(seconds * 1_000_000_000);
        let point = point(Temporality::Cumulative, 0, 0, sum(5.0));
        (fold(streams, writer, point, Context { now, ..at(0) }), streams.len())
    };
    assert_eq!(send(&mut streams, 1, 10_000), (number(5.0), 1));
    assert_eq!(send(&mut streams, 2, 10_000), (number(5.0), 2));
    assert_eq!(send(&mut streams, 3, 10_000), (no(Reject::StreamLimit), 2));
    assert_eq!(send(&mut streams, 2, 12_000), (number(0.0), 2), "the known ones go on");
    assert_eq!(streams.expire(Timestamp(13_599 * 1_000_000_000), hour).len(), 0);
    assert_eq!(streams.expire(Timestamp(13_825 * 1_000_000_000), hour).len(), 1);
    assert_eq!(send(&mut streams, 3, 13_825), (number(5.0), 2), "the first one has expired");
    streams.expire(Timestamp(20_000 * 1_000_000_000), hour);
    assert_eq!((streams.is_empty(), streams.len()), (true, 0));
}

/// What a writer does: lives of increments, one point after each. A life that begins is a restart.
type Lives = Vec<Vec<u8>>;

fn lives() -> impl Strategy<Value = Lives> {
    prop::collection::vec(prop::collection::vec(0_u8..20, 1..8), 1..5)
}

/// The points of a writer as (start, time, value), and what truly happened.
fn points(lives: &Lives, temporality: Temporality) -> (Vec<(u64, u64, f64)>, f64) {
    let (mut clock, mut all, mut truth) = (1_100, Vec::new(), 0.0);
    for life in lives {
        let (begun, mut total) = (clock, 0.0);
        for increment in life {
            let since = clock;
            clock += 10;
            total += f64::from(*increment);
            truth += f64::from(*increment);
            all.push(match temporality {
                Temporality::Delta => (since, clock, f64::from(*increment)),
                _ => (begun, clock, total),
            });
        }
        clock += 5; // it was down
    }
    (all, truth)
}

/// Moves each point up to `reach` places, repeats some, and mixes the writers; all from one seed.
fn mixed(
    writers: Vec<Vec<(u64, u64, f64)>>,
    reach: usize,
    seed: u64,
) -> Vec<(u8, (u64, u64, f64))> {
    let mut state = seed | 1;
    let mut random = move |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let mut all = Vec::new();
    for (writer, points) in (0..).zip(writers) {
        for (nth, point) in points.into_iter().enumerate() {
            for _ in 0..1 + usize::from(random(4) == 0) {
                all.push((nth + random(reach + 1), random(1000), writer, point));
            }
        }
    }
    all.sort_by_key(|(place, tie, ..)| (*place, *tie));
    all.into_iter().map(|(_, _, writer, point)| (writer, point)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_series_is_the_sum_of_all_true_increments(
        writers in prop::collection::vec((lives(), any::<bool>()), 1..4),
        reach in 0_usize..5,
        seed in any::<u64>(),
    ) {
        let (mut sent, mut truth, mut kinds) = (Vec::new(), 0.0, Vec::new());
        for (lives, delta) in &writers {
            let kind = if *delta { Temporality::Delta } else { Temporality::Cumulative };
            let (points, true_sum) = points(lives, kind);
            truth += true_sum;
            sent.push(points);
            kinds.push(kind);
        }
        let (mut streams, mut series) = (streams(), 0.0);
        for (writer, (start, time, value)) in mixed(sent, reach, seed) {
            let point = point(kinds[usize::from(writer)], start, time, sum(value));
            match fold(&mut streams, writer, point, at(9_000)) {
                Folded::Add(Amount::Number(rise)) => {
                    prop_assert!(rise >= 0.0);
                    series += rise;
                }
                Folded::Rejected(Reject::Duplicate | Reject::Late) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        prop_assert_eq!(series, truth);
    }

    #[test]
    fn native_increments_add_up_at_any_scale(
        steps in prop::collection::vec((-4_i32..12, -40_i32..40, 0_u64..9, 1_u64..9), 1..12),
    ) {
        // The sender merges what it sees, as SDKs do; the exported series merges the rises.
        let mut streams = streams();
        let (mut sender, mut series): (Option<Exponential>, Option<Exponential>) = (None, None);
        for (nth, (scale, offset, zero_count, count)) in steps.iter().enumerate() {
            let counts = [*count, 0, 1];
            let seen = Exponential::new(&ExponentialIn {
                scale: *scale,
                count: count + 1 + zero_count,
                sum: Some(1.0),
                zero_count: *zero_count,
                positive: (*offset, &counts),
                ..ExponentialIn::default()
            }).unwrap();
            match &mut sender { None => sender = Some(seen), Some(total) => total.merge(&seen) }
            let total = Measured::Exponential(sender.clone().unwrap());
            let point = point(Temporality::Cumulative, 1_100, 1_200 + nth as u64, total);
            let Folded::Add(Amount::Exponential(rise)) = fold(&mut streams, 0, point, at(9_000))
            else { panic!("not added") };
            match &mut series { None => series = Some(rise), Some(all) => all.merge(&rise) }
        }
        prop_assert_eq!(series, sender);
    }
}

//! What a scrape reads is what the store held, in every format, whatever the texts hold.

// A test's helpers fail by panicking; the lints know tests only by their attribute.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::string_slice)]

mod protobuf;
pub mod reader;

use std::sync::Arc;

use engine::exposition::{
    Escaping, Fault, Format, Options, Syntax, Writer, Written, edge, format, write,
};
use engine::model::amount::Sum;
use engine::model::{
    Exemplar, Family, FamilySnapshot, HistogramRow, Kind, LabelName, Labels, MetricName, NativeRow,
    Row, RowValue, SummaryRow,
};
use engine::rules::SkipReason;
use engine::timestamp::Timestamp;
use proptest::prelude::*;

const TEXT: Format = Format { syntax: Syntax::Text0_0_4, escaping: None };
const OPEN: Format = Format { syntax: Syntax::OpenMetrics1_0_0, escaping: None };

fn family(name: &str, kind: Kind, rows: Vec<Row>) -> FamilySnapshot {
    let family = Family {
        name: MetricName::foreign(name).unwrap(),
        help: String::new(),
        unit: String::new(),
        kind,
        labels: Vec::new(),
        bounds: Vec::new(),
    };
    FamilySnapshot { family: Arc::new(family), rows }
}

fn described(
    mut snapshot: FamilySnapshot,
    help: &str,
    unit: &str,
    bounds: &[f64],
) -> FamilySnapshot {
    let mut family = (*snapshot.family).clone();
    (family.help, family.unit, family.bounds) = (help.into(), unit.into(), bounds.into());
    snapshot.family = Arc::new(family);
    snapshot
}

fn row(labels: &[(&str, &str)], value: RowValue) -> Row {
    let pair = |(name, value): &(&str, &str)| (LabelName::foreign(name).unwrap(), (*value).into());
    let labels = Arc::new(labels.iter().map(pair).collect::<Labels>());
    Row { labels, start: Some(Timestamp(1_700_000_000_250_000_000)), born: None, value }
}

fn exemplar(span: u8, value: f64) -> Exemplar {
    let time = Timestamp(1_700_000_001_000_000_001);
    Exemplar { trace_id: [0xab; 16], span_id: [span; 8], value, time }
}

fn histogram(counts: &[f64], sum: f64, exemplars: &[Option<Exemplar>]) -> RowValue {
    RowValue::Histogram(HistogramRow {
        bounds: None,
        counts: counts.into(),
        sum: sum.into(),
        exemplars: exemplars.into(),
    })
}

fn body(families: &[FamilySnapshot], format: Format, options: Options) -> (String, Written) {
    let mut out = Vec::new();
    let written = write(families, format, options, &mut out);
    (String::from_utf8(out).unwrap(), written)
}

fn one_of_each() -> Vec<FamilySnapshot> {
    let hostile = "a\"b\\c\nd \u{1f980}";
    let replies = vec![
        row(
            &[("outcome", "answered"), ("team", hostile)],
            RowValue::Counter(5.0, Some(exemplar(1, 1.0))),
        ),
        row(&[("outcome", "error")], RowValue::Counter(0.5, None)),
    ];
    let seconds = vec![
        row(
            &[("tool", "jira")],
            histogram(&[2.0, 0.0, 1.0], 61.5, &[Some(exemplar(0, 0.2)), None, None]),
        ),
        row(&[], histogram(&[0.0, 0.0, 0.0], 0.0, &[])),
    ];
    let level =
        vec![row(&[], RowValue::Gauge(f64::NAN)), row(&[("a", "b")], RowValue::Gauge(-1e-9))];
    vec![
        described(
            family("replies_total", Kind::Counter, replies),
            "Replies \"sent\".\n\\o/",
            "",
            &[],
        ),
        described(family("reply_seconds", Kind::Histogram, seconds), "", "seconds", &[0.25, 45.0]),
        described(family("level", Kind::Gauge, level), "A level.", "seconds", &[]),
        family("nothing", Kind::Gauge, Vec::new()),
    ]
}

#[test]
fn text_0_0_4() {
    let (found, written) = body(&one_of_each(), TEXT, Options { created_lines: true });
    assert_eq!(written, Written::default());
    insta::assert_snapshot!(found, @r#"
    # HELP replies_total Replies "sent".\n\\o/
    # TYPE replies_total counter
    replies_total{outcome="answered",team="a\"b\\c\nd 🦀"} 5
    replies_total{outcome="error"} 0.5
    # TYPE reply_seconds histogram
    reply_seconds_bucket{tool="jira",le="0.25"} 2
    reply_seconds_bucket{tool="jira",le="45.0"} 2
    reply_seconds_bucket{tool="jira",le="+Inf"} 3
    reply_seconds_sum{tool="jira"} 61.5
    reply_seconds_count{tool="jira"} 3
    reply_seconds_bucket{le="0.25"} 0
    reply_seconds_bucket{le="45.0"} 0
    reply_seconds_bucket{le="+Inf"} 0
    reply_seconds_sum 0
    reply_seconds_count 0
    # HELP level A level.
    # TYPE level gauge
    level NaN
    level{a="b"} -1e-9
    "#);
    let text_1 = Format { syntax: Syntax::Text1_0_0, escaping: None };
    assert_eq!(body(&one_of_each(), text_1, Options::default()).0, found);
}

#[test]
fn openmetrics_1_0_0() {
    let (found, written) = body(&one_of_each(), OPEN, Options::default());
    assert_eq!(written, Written::default());
    insta::assert_snapshot!(found, @r##"
    # HELP replies Replies \"sent\".\n\\o/
    # TYPE replies counter
    replies_total{outcome="answered",team="a\"b\\c\nd 🦀"} 5 # {trace_id="abababababababababababababababab",span_id="0101010101010101"} 1 1700000001.000000001
    replies_total{outcome="error"} 0.5
    # TYPE reply_seconds histogram
    # UNIT reply_seconds seconds
    reply_seconds_bucket{tool="jira",le="0.25"} 2 # {trace_id="abababababababababababababababab"} 0.2 1700000001.000000001
    reply_seconds_bucket{tool="jira",le="45.0"} 2
    reply_seconds_bucket{tool="jira",le="+Inf"} 3
    reply_seconds_sum{tool="jira"} 61.5
    reply_seconds_count{tool="jira"} 3
    reply_seconds_bucket{le="0.25"} 0
    reply_seconds_bucket{le="45.0"} 0
    reply_seconds_bucket{le="+Inf"} 0
    reply_seconds_sum 0
    reply_seconds_count 0
    # HELP level A level.
    # TYPE level gauge
    level NaN
    level{a="b"} -1e-9
    # EOF
    "##);
    let draft = Format { syntax: Syntax::OpenMetrics0_0_1, escaping: None };
    assert_eq!(body(&one_of_each(), draft, Options::default()).0, found);
}

#[test]
fn created_lines_come_only_when_asked_for() {
    let (found, _) = body(&one_of_each(), OPEN, Options { created_lines: true });
    let created: Vec<_> = found.lines().filter(|line| line.contains("_created")).collect();
    insta::assert_snapshot!(created.join("\n"), @r#"
    replies_created{outcome="answered",team="a\"b\\c\nd 🦀"} 1700000000.25
    replies_created{outcome="error"} 1700000000.25
    reply_seconds_created{tool="jira"} 1700000000.25
    reply_seconds_created 1700000000.25
    "#);
}

#[test]
fn no_exemplar_without_a_trace_and_no_time_without_a_time() {
    let orphan = Exemplar { trace_id: [0; 16], ..exemplar(1, 1.0) };
    let timeless = Exemplar { time: Timestamp(0), ..exemplar(0, 2.5) };
    let rows = vec![
        row(&[("a", "1")], RowValue::Counter(1.0, Some(orphan))),
        row(&[("a", "2")], RowValue::Counter(1.0, Some(timeless))),
    ];
    insta::assert_snapshot!(body(&[family("x_total", Kind::Counter, rows)], OPEN, Options::default()).0, @r##"
    # TYPE x counter
    x_total{a="1"} 1
    x_total{a="2"} 1 # {trace_id="abababababababababababababababab"} 2.5
    # EOF
    "##);
}

#[test]
fn a_counter_that_openmetrics_has_no_form_for_is_unknown_there() {
    let families = [family(
        "hits",
        Kind::Counter,
        vec![row(&[], RowValue::Counter(1.0, Some(exemplar(1, 1.0))))],
    )];
    assert_eq!(body(&families, TEXT, Options::default()).0, "# TYPE hits counter\nhits 1\n");
    let (found, _) = body(&families, OPEN, Options { created_lines: true });
    assert_eq!(found, "# TYPE hits unknown\nhits 1\n# EOF\n");
}

#[test]
fn a_bad_row_is_left_out_alone() {
    let rows = vec![
        row(&[("a", "1")], RowValue::Counter(-1.0, None)),
        row(&[("a", "2"), ("a", "2")], RowValue::Counter(1.0, None)),
        row(&[("a", "3")], RowValue::Counter(3.0, None)),
        row(&[("a", "4")], RowValue::Gauge(1.0)),
    ];
    let bad = vec![
        row(&[], histogram(&[1.0], 1.0, &[])),
        row(&[("le", "1")], histogram(&[1.0, 1.0], 1.0, &[])),
    ];
    let families = [
        family("x_total", Kind::Counter, rows),
        described(family("h", Kind::Histogram, bad), "All of it is bad.", "", &[1.0]),
        family("y", Kind::Gauge, vec![row(&[], RowValue::Gauge(1.0))]),
    ];
    for (format, expected) in [
        (TEXT, "# TYPE x_total counter\nx_total{a=\"3\"} 3\n# TYPE y gauge\ny 1\n"),
        (OPEN, "# TYPE x counter\nx_total{a=\"3\"} 3\n# TYPE y gauge\ny 1\n# EOF\n"),
    ] {
        let (found, written) = body(&families, format, Options::default());
        assert_eq!(found, expected);
        assert_eq!(written.quarantined, 5);
        assert_eq!(written.first, Some((MetricName::new("x_total").unwrap(), Fault::Count)));
    }
}

#[test]
fn of_two_families_with_one_name_the_first_stays() {
    let gauge = |name| family(name, Kind::Gauge, vec![row(&[], RowValue::Gauge(1.0))]);
    let counter = |name| family(name, Kind::Counter, vec![row(&[], RowValue::Counter(2.0, None))]);
    let spread = || {
        described(
            family("h", Kind::Histogram, vec![row(&[], histogram(&[1.0], 1.0, &[]))]),
            "",
            "",
            &[],
        )
    };
    let lost = |families: &[FamilySnapshot], format| {
        let (found, written) = body(families, format, Options::default());
        assert!(
            written.quarantined == 0 || written.first.unwrap().1 == Fault::NameTaken,
            "{found}"
        );
        written.quarantined
    };
    for format in [TEXT, OPEN] {
        assert_eq!(lost(&[gauge("a"), gauge("a"), counter("a_total")], format), 2);
        assert_eq!(lost(&[spread(), gauge("h_count"), gauge("h_counts")], format), 1);
        assert_eq!(lost(&[gauge("h_sum"), spread(), gauge("h")], format), 1);
        assert_eq!(lost(&[counter("b_total"), counter("c_total")], format), 0);
    }
}

#[test]
fn the_own_metrics_are_written_like_any_other() {
    let counters = Arc::<engine::counters::Counters>::default();
    let telemetry = server::self_metrics::Telemetry::new("1.2.3", counters.clone(), Timestamp(1));
    counters.declare([("replies_total", SkipReason::NoRow)], []);
    let families = telemetry.gather(&engine::pipeline::State::default());
    for format in [TEXT, OPEN] {
        let (found, written) = body(&families, format, Options { created_lines: true });
        assert_eq!(written, Written::default());
        let read = reader::read(&found, format == OPEN);
        let received = "oscar_metrics_received_items_total";
        assert_eq!(read.samples.iter().filter(|one| one.name == received).count(), 3);
    }
}

#[test]
fn what_is_negotiated_is_what_is_written() {
    let open = format(Some("application/openmetrics-text"));
    assert!(body(&one_of_each(), open, Options::default()).0.ends_with("# EOF\n"));
    assert!(!body(&one_of_each(), format(None), Options::default()).0.contains("# EOF"));
}

#[test]
fn what_senders_bring_has_a_place_in_every_text() {
    let native = NativeRow {
        zero_count: 1.0,
        positive: [(0, 2.0), (3, 1.0)].into(),
        negative: [(1, 4.0)].into(),
        count: 8.0,
        sum: 3.5.into(),
        ..NativeRow::default()
    };
    let summary = SummaryRow {
        quantiles: [(0.5, 10.0), (0.99, f64::NAN)].into(),
        sum: 100.0.into(),
        count: 7,
    };
    let families = [
        family("lat", Kind::Histogram, vec![row(&[], RowValue::Native(Box::new(native)))]),
        family("rpc", Kind::Summary, vec![row(&[("a", "b")], RowValue::Summary(summary))]),
        family("target_info", Kind::Info, vec![row(&[("job", "x")], RowValue::Gauge(1.0))]),
        family("odd", Kind::Unknown, vec![row(&[], RowValue::Gauge(2.0))]),
    ];
    let (text, written) = body(&families, TEXT, Options::default());
    assert_eq!(written, Written::default());
    insta::assert_snapshot!(text, @r##"
    # TYPE lat histogram
    lat_bucket{le="-1.0"} 4
    lat_bucket{le="0.0"} 5
    lat_bucket{le="1.0"} 7
    lat_bucket{le="8.0"} 8
    lat_bucket{le="+Inf"} 8
    lat_sum 3.5
    lat_count 8
    # TYPE rpc summary
    rpc{a="b",quantile="0.5"} 10
    rpc{a="b",quantile="0.99"} NaN
    rpc_sum{a="b"} 100
    rpc_count{a="b"} 7
    # TYPE target_info gauge
    target_info{job="x"} 1
    # TYPE odd untyped
    odd 2
    "##);
    let (open, _) = body(&families, OPEN, Options { created_lines: true });
    let differs: Vec<_> =
        open.lines().filter(|line| !text.lines().any(|other| other == *line)).collect();
    insta::assert_snapshot!(differs.join("\n"), @r##"
    lat_created 1700000000.25
    rpc_created{a="b"} 1700000000.25
    # TYPE target info
    # TYPE odd unknown
    # EOF
    "##);
}

/// Names, suffixes and values of the samples of one row that are neither buckets nor quantiles.
fn sums(kind: Kind, bounds: &[f64], value: RowValue, format: Format) -> String {
    let family = described(family("x", kind, vec![row(&[], value)]), "", "", bounds);
    let (found, written) = body(&[family], format, Options::default());
    assert_eq!(written, Written::default());
    let lines = found.lines().filter(|line| line.starts_with("x_") && !line.contains("bucket"));
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_sum_is_left_out_where_it_is_unknown_or_no_counter() {
    let negative = {
        let mut sum = Sum::from(-3.0);
        sum.add(Some(5.0));
        sum
    };
    let held = |sum| HistogramRow { counts: [1.0, 2.0].into(), sum, ..HistogramRow::default() };
    for (sum, bound, text, open) in [
        (Sum::from(2.0), 1.0, "x_sum 2 x_count 3", "x_sum 2 x_count 3"),
        (Sum::of(None), 1.0, "x_count 3", ""),
        (negative, 1.0, "x_sum 2 x_count 3", ""),
        (Sum::from(2.0), -1.0, "x_sum 2 x_count 3", ""),
        (Sum::from(2.0), 0.0, "x_sum 2 x_count 3", "x_sum 2 x_count 3"),
    ] {
        let found =
            |format| sums(Kind::Histogram, &[bound], RowValue::Histogram(held(sum)), format);
        assert_eq!((&*found(TEXT), &*found(OPEN)), (text, open), "{sum:?} {bound}");
    }
    let native = NativeRow {
        negative: [(1, 4.0)].into(),
        count: 4.0,
        sum: 1.0.into(),
        ..NativeRow::default()
    };
    let native =
        |format| sums(Kind::Histogram, &[], RowValue::Native(native.clone().into()), format);
    assert_eq!((&*native(TEXT), &*native(OPEN)), ("x_sum 1 x_count 4", ""));
}

#[test]
fn a_summary_keeps_its_count_and_what_openmetrics_can_have() {
    let held = |sum| SummaryRow { quantiles: [(0.5, -2.0), (0.9, 1.0)].into(), sum, count: 3 };
    for (sum, text, open) in [
        (Sum::from(2.0), "x_sum 2 x_count 3", "x_sum 2 x_count 3"),
        (Sum::from(-2.0), "x_sum -2 x_count 3", "x_count 3"),
        (Sum::of(None), "x_count 3", "x_count 3"),
    ] {
        let found = |format| sums(Kind::Summary, &[], RowValue::Summary(held(sum)), format);
        assert_eq!((&*found(TEXT), &*found(OPEN)), (text, open), "{sum:?}");
    }
    let rows = vec![row(&[], RowValue::Summary(held(Sum::default())))];
    let (found, _) = body(&[family("x", Kind::Summary, rows)], OPEN, Options::default());
    assert!(!found.contains("-2") && found.contains("x{quantile=\"0.9\"} 1"), "{found}");
}

#[test]
fn names_travel_by_the_scrapers_scheme() {
    let labels = [("http.method", "GET"), ("plain", "")];
    let counter =
        vec![row(&labels, RowValue::Counter(5.0, None)), row(&[], RowValue::Counter(1.0, None))];
    let spread = vec![row(&[("a:b", "c")], histogram(&[1.0], 2.0, &[]))];
    let families = [
        described(family("foo.bar_bytes_total", Kind::Counter, counter), "", "bytes", &[]),
        family("h \"i\"", Kind::Histogram, spread),
    ];
    let of = |escaping| {
        let format = Format { syntax: Syntax::OpenMetrics1_0_0, escaping };
        let (found, written) = body(&families, format, Options::default());
        assert_eq!(written, Written::default());
        found
    };
    insta::assert_snapshot!(of(Some(Escaping::AllowUtf8)), @r##"
    # TYPE "foo.bar_bytes" counter
    # UNIT "foo.bar_bytes" bytes
    {"foo.bar_bytes_total","http.method"="GET",plain=""} 5
    {"foo.bar_bytes_total"} 1
    # TYPE "h \"i\"" histogram
    {"h \"i\"_bucket","a:b"="c",le="+Inf"} 1
    {"h \"i\"_sum","a:b"="c"} 2
    {"h \"i\"_count","a:b"="c"} 1
    # EOF
    "##);
    insta::assert_snapshot!(of(Some(Escaping::Values)), @r##"
    # TYPE U__foo_2e_bar__bytes_ counter
    U__foo_2e_bar__bytes__total{U__http_2e_method="GET",plain=""} 5
    U__foo_2e_bar__bytes__total 1
    # TYPE U__h_20__22_i_22_ histogram
    U__h_20__22_i_22__bucket{U__a_3a_b="c",le="+Inf"} 1
    U__h_20__22_i_22__sum{U__a_3a_b="c"} 2
    U__h_20__22_i_22__count{U__a_3a_b="c"} 1
    # EOF
    "##);
    insta::assert_snapshot!(of(Some(Escaping::Dots)), @r##"
    # TYPE foo_dot_bar__bytes_ counter
    foo_dot_bar__bytes__total{http_dot_method="GET",plain=""} 5
    foo_dot_bar__bytes__total 1
    # TYPE h____i__ histogram
    h____i___bucket{a__b="c",le="+Inf"} 1
    h____i___sum{a__b="c"} 2
    h____i___count{a__b="c"} 1
    # EOF
    "##);
    assert_eq!(of(None), of(Some(Escaping::Underscores)));
    insta::assert_snapshot!(of(None), @r##"
    # TYPE foo_bar_bytes counter
    # UNIT foo_bar_bytes bytes
    foo_bar_bytes_total{http_method="GET",plain=""} 5
    foo_bar_bytes_total 1
    # TYPE h__i_ histogram
    h__i__bucket{a_b="c",le="+Inf"} 1
    h__i__sum{a_b="c"} 2
    h__i__count{a_b="c"} 1
    # EOF
    "##);
}

#[test]
fn names_that_become_one_are_left_out_where_they_do() {
    let gauge = |name, labels| family(name, Kind::Gauge, vec![row(labels, RowValue::Gauge(1.0))]);
    let families =
        [gauge("a.b", &[]), gauge("a_b", &[]), gauge("c", &[("d.e", "1"), ("d_e", "2")])];
    for syntax in [Syntax::Text0_0_4, Syntax::OpenMetrics1_0_0, Syntax::Protobuf] {
        let lost = |escaping| {
            let mut out = Vec::new();
            write(&families, Format { syntax, escaping }, Options::default(), &mut out)
        };
        assert_eq!(lost(Some(Escaping::AllowUtf8)), Written::default());
        assert_eq!(lost(Some(Escaping::Values)), Written::default());
        let first = Some((MetricName::new("a_b").unwrap(), Fault::NameTaken));
        assert_eq!(lost(None), Written { quarantined: 2, first });
    }
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[\"\\\\\n{}=, #a]{1,12}",
        "\\PC{0,12}",
        "[\\x00-\\x1f\\x7f]{1,4}",
        Just("\" 1\n# EOF\n".to_owned()),
    ]
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        (0u32..1000).prop_map(f64::from),
        Just(f64::INFINITY),
        Just(9_007_199_254_740_992.0),
    ]
}

fn any_row(kind: Kind, buckets: usize, at: usize) -> impl Strategy<Value = Row> {
    let labels = proptest::collection::vec(hostile(), 0..4);
    let held = any_histogram(buckets);
    let all = (labels, held, numbers(), any_exemplar(), any_native(), any::<bool>());
    all.prop_map(move |(values, held, number, exemplar, mut native, more)| {
        let names = ["a", "b_2", "C.\n\"", "le_x"];
        let at = at.to_string();
        let mut labels = vec![("row", at.as_str())];
        labels.extend(names.into_iter().zip(values.iter().map(String::as_str)));
        let value = match kind {
            Kind::Gauge | Kind::Unknown | Kind::Info => RowValue::Gauge(number),
            Kind::Counter if number.is_nan() => RowValue::Counter(0.0, None),
            Kind::Counter => RowValue::Counter(number.abs(), Some(exemplar)),
            Kind::Histogram if more => {
                RowValue::Histogram(HistogramRow { sum: number.into(), ..held })
            }
            Kind::Histogram => {
                native.sum = number.into();
                if native.zero_count > 3.0 {
                    native.exemplars = [exemplar].into();
                    native.classic = Some(adding_up(held, native.count));
                }
                RowValue::Native(Box::new(native))
            }
            Kind::Summary => {
                let quantiles = held.counts.iter().enumerate();
                let quantiles = quantiles.map(|(at, value)| (at as f64 / 8.0, *value)).collect();
                let count = u64::from(number.to_bits() as u32);
                RowValue::Summary(SummaryRow { quantiles, sum: number.into(), count })
            }
        };
        row(&labels, value)
    })
}

/// The same buckets with so many observations in all.
fn adding_up(mut held: HistogramRow, count: f64) -> HistogramRow {
    let rest = count - held.counts.iter().sum::<f64>();
    if rest < 0.0 {
        held.counts.fill(0.0);
    }
    let more = if rest < 0.0 { count } else { rest };
    held.counts.last_mut().into_iter().for_each(|last| *last += more);
    held
}

/// In halves and quarters: sums are exact.
fn any_count() -> impl Strategy<Value = f64> {
    prop_oneof![(0u32..100).prop_map(f64::from), (0u32..100).prop_map(|one| f64::from(one) / 4.0)]
}

fn any_histogram(buckets: usize) -> impl Strategy<Value = HistogramRow> {
    let counts = proptest::collection::vec(any_count(), buckets);
    let whole = proptest::collection::vec((0u32..100).prop_map(f64::from), buckets);
    let exemplars = proptest::collection::vec(proptest::option::of(any_exemplar()), buckets);
    (prop_oneof![counts, whole], exemplars).prop_map(|(counts, exemplars)| HistogramRow {
        bounds: None,
        counts: counts.into(),
        sum: Sum::default(),
        exemplars: exemplars.into(),
    })
}

fn any_native() -> impl Strategy<Value = NativeRow> {
    let side = |low| proptest::collection::btree_map(low..20, 1u32..9, 0..6);
    let scale = prop_oneof![Just(1.0), Just(0.25)];
    (-2i32..=0, 0u32..6, side(-20), side(-4), scale).prop_map(
        |(schema, zero, positive, negative, scale)| {
            let held = zero + positive.values().sum::<u32>() + negative.values().sum::<u32>();
            let side = |buckets: std::collections::BTreeMap<i32, u32>| {
                buckets.into_iter().map(|(at, count)| (at, f64::from(count) * scale)).collect()
            };
            NativeRow {
                schema,
                zero_threshold: 1e-128,
                zero_count: f64::from(zero) * scale,
                positive: side(positive),
                negative: side(negative),
                count: f64::from(held) * scale,
                ..NativeRow::default()
            }
        },
    )
}

fn any_exemplar() -> impl Strategy<Value = Exemplar> {
    let id = prop_oneof![Just([0; 16]), any::<[u8; 16]>()];
    (id, any::<[u8; 8]>(), -1e9..1e9, any::<u64>()).prop_map(|(trace_id, span_id, value, time)| {
        Exemplar { trace_id, span_id, value, time: Timestamp(time) }
    })
}

fn any_family(at: usize) -> impl Strategy<Value = FamilySnapshot> {
    let kind = prop_oneof![
        Just(Kind::Counter),
        Just(Kind::Gauge),
        Just(Kind::Histogram),
        Just(Kind::Summary),
        Just(Kind::Unknown),
        Just(Kind::Info),
    ];
    let bounds = proptest::collection::btree_set(-1000i32..100_000, 0..5);
    (kind, bounds, hostile(), hostile()).prop_flat_map(move |(kind, bounds, help, odd)| {
        let bounds: Vec<f64> = bounds.into_iter().map(|bound| f64::from(bound) / 8.0).collect();
        let rows: Vec<_> = (0..3).map(|row| any_row(kind, bounds.len() + 1, row)).collect();
        rows.prop_map(move |rows| {
            let end = match kind {
                Kind::Counter => "_total",
                Kind::Info => "_info",
                _ => "",
            };
            let snapshot = family(&format!("f{at}{odd}_seconds{end}"), kind, rows);
            let bounds = if kind == Kind::Histogram { &bounds[..] } else { &[] };
            described(snapshot, &help, "seconds", bounds)
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(families in (0..4usize).map(any_family).collect::<Vec<_>>()) {
        for syntax in [Syntax::Text1_0_0, Syntax::OpenMetrics1_0_0] {
            let format = Format { syntax, escaping: Some(Escaping::AllowUtf8) };
            let open = syntax == Syntax::OpenMetrics1_0_0;
            let (found, written) = body(&families, format, Options { created_lines: true });
            prop_assert_eq!(written, Written::default());
            prop_assert_eq!(reader::read(&found, open), reader::expected(&families, open), "{}", found);
        }
        let format = Format { syntax: Syntax::Protobuf, escaping: Some(Escaping::AllowUtf8) };
        let mut out = Vec::new();
        prop_assert_eq!(write(&families, format, Options::default(), &mut out), Written::default());
        prop_assert_eq!(protobuf::read(&out), protobuf::expected(&families));
    }

    #[test]
    fn a_body_is_the_same_in_pieces(
        families in (0..4usize).map(any_family).collect::<Vec<_>>(),
        sizes in proptest::collection::vec(1usize..3, 4),
    ) {
        for syntax in [Syntax::Text0_0_4, Syntax::OpenMetrics1_0_0, Syntax::Protobuf] {
            let format = Format { syntax, escaping: None };
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            let written = write(&families, format, Options::default(), &mut whole);
            let mut writer = Writer::new(format, Options::default());
            for (snapshot, size) in families.iter().zip(&sizes) {
                let family = &snapshot.family;
                for rows in [&[][..]].into_iter().chain(snapshot.rows.chunks(*size)) {
                    let piece = FamilySnapshot { family: family.clone(), rows: rows.to_vec() };
                    let mut out = Vec::new();
                    writer.piece(&piece, &mut out);
                    pieces.append(&mut out);
                }
            }
            prop_assert_eq!(writer.finish(&mut pieces), written);
            prop_assert!(pieces == whole);
        }
    }

    #[test]
    fn edges_read_back(bound in any::<f64>()) {
        let text = edge(bound);
        prop_assert!(bound.is_nan() || text.parse::<f64>() == Ok(bound), "{}", text);
        prop_assert!(text.contains(['.', 'e']) || text.contains("Inf") || text == "NaN", "{}", text);
    }
}

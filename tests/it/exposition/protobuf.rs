//! The protobuf body through the eyes of the types that the registry generates from the published schema.

use engine::exposition::{Escaping, Format, Options, Syntax, Written, write};
use engine::model::{
    Exemplar, FamilySnapshot, HistogramRow, Kind, NativeRow, Row, RowValue, SummaryRow,
};
use engine::timestamp::Timestamp;
use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model as model;
use prost::Message as _;

use super::reader::{Example, Number, shown};
#[cfg(test)]
use super::{described, exemplar, family, histogram, row};

#[cfg(test)]
const FORMAT: Format = Format { syntax: Syntax::Protobuf, escaping: None };

/// A family as its sender meant it, whatever the form of its fields.
#[derive(Debug, PartialEq)]
pub struct Read {
    name: String,
    help: String,
    unit: String,
    kind: model::MetricType,
    metrics: Vec<Metric>,
}

#[derive(Debug, PartialEq)]
struct Metric {
    labels: Vec<(String, String)>,
    start: Option<Timestamp>,
    value: Value,
}

#[derive(Debug, PartialEq)]
enum Value {
    Number(Number, Option<Example>),
    Summary(Vec<(Number, Number)>, Number, u64),
    Histogram(Number, Number, Vec<(Number, Number, Option<Example>)>, Option<Native>),
}

/// Schema, zero threshold, zero count, positive and negative buckets, exemplars.
type Native = (i32, Number, Number, Vec<(i64, f64)>, Vec<(i64, f64)>, Vec<Example>);

/// Reads a body or panics where it is not one, or not canonical.
pub fn read(mut body: &[u8]) -> Vec<Read> {
    let mut families = Vec::new();
    while !body.is_empty() {
        let before = body;
        let family = model::MetricFamily::decode_length_delimited(&mut body).unwrap();
        let used = &before[..before.len() - body.len()];
        assert!(used == family.encode_length_delimited_to_vec(), "not canonical: {family:?}");
        let read = |metric| self::metric(metric, family.r#type());
        families.push(Read {
            metrics: family.metric.iter().map(read).collect(),
            kind: family.r#type(),
            name: family.name,
            help: family.help,
            unit: family.unit,
        });
    }
    families
}

fn metric(metric: &model::Metric, kind: model::MetricType) -> Metric {
    use model::MetricType::{Counter, Gauge, Summary, Untyped};
    let number = |value: f64| Value::Number(Number(value), None);
    let (start, value) = match kind {
        Counter => {
            let held = metric.counter.as_ref().unwrap();
            let value = Value::Number(Number(held.value), held.exemplar.as_ref().map(example));
            (held.start_timestamp, value)
        }
        Gauge => (None, number(metric.gauge.unwrap().value)),
        Untyped => (None, number(metric.untyped.unwrap().value)),
        Summary => {
            let held = metric.summary.as_ref().unwrap();
            let ranks = held.quantile.iter().map(|one| (Number(one.quantile), Number(one.value)));
            let (sum, count) = (Number(held.sample_sum), held.sample_count);
            (held.start_timestamp, Value::Summary(ranks.collect(), sum, count))
        }
        _ => {
            let held = metric.histogram.as_ref().unwrap();
            (held.start_timestamp, spread(held))
        }
    };
    let labels = metric.label.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
    Metric { labels, start: start.map(|time| moment(time.seconds, time.nanos)), value }
}

fn spread(held: &model::Histogram) -> Value {
    let float = |float: f64, whole: u64| if float > 0.0 { float } else { whole as f64 };
    let bucket = |one: &model::Bucket| {
        let count = float(one.cumulative_count_float, one.cumulative_count);
        (Number(one.upper_bound), Number(count), one.exemplar.as_ref().map(example))
    };
    let spans = held.positive_span.len() + held.negative_span.len();
    let native = (spans > 0 || held.zero_threshold > 0.0).then(|| {
        let fractional = held.sample_count_float > 0.0;
        let side = |spans: &[model::BucketSpan], deltas: &[i64], counts: &[f64]| {
            assert!(if fractional { deltas.is_empty() } else { counts.is_empty() });
            let mut total = 0;
            let sums = deltas.iter().map(|delta| {
                total += delta;
                total as f64
            });
            let mut counts = sums.chain(counts.iter().copied()).collect::<Vec<_>>().into_iter();
            let (mut index, mut out) = (0, Vec::new());
            for span in spans {
                index += i64::from(span.offset);
                for _ in 0..span.length {
                    out.push((index, counts.next().unwrap()));
                    index += 1;
                }
            }
            assert_eq!(counts.next(), None);
            out
        };
        (
            held.schema,
            Number(held.zero_threshold),
            Number(float(held.zero_count_float, held.zero_count)),
            side(&held.positive_span, &held.positive_delta, &held.positive_count),
            side(&held.negative_span, &held.negative_delta, &held.negative_count),
            held.exemplars.iter().map(example).collect(),
        )
    });
    let count = Number(float(held.sample_count_float, held.sample_count));
    Value::Histogram(
        count,
        Number(held.sample_sum),
        held.bucket.iter().map(bucket).collect(),
        native,
    )
}

fn moment(seconds: i64, nanoseconds: i32) -> Timestamp {
    Timestamp(seconds as u64 * 1_000_000_000 + nanoseconds as u64)
}

fn example(found: &model::Exemplar) -> Example {
    let labels = found.label.iter().map(|pair| (pair.name.clone(), pair.value.clone())).collect();
    let time = found.timestamp.map(|time| {
        let text = format!("{}.{:09}", time.seconds, time.nanos);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    });
    (labels, Number(found.value), time)
}

/// What a reader should find of these families.
pub fn expected(families: &[FamilySnapshot]) -> Vec<Read> {
    let read = |snapshot: &FamilySnapshot| {
        let family = &snapshot.family;
        let kind = match family.kind {
            Kind::Counter => model::MetricType::Counter,
            Kind::Gauge | Kind::Info => model::MetricType::Gauge,
            Kind::Histogram => model::MetricType::Histogram,
            Kind::Summary => model::MetricType::Summary,
            Kind::Unknown => model::MetricType::Untyped,
        };
        Read {
            name: family.name.as_str().to_owned(),
            help: family.help.clone(),
            unit: if family.kind == Kind::Info { String::new() } else { family.unit.clone() },
            kind,
            metrics: snapshot.rows.iter().map(|row| meant(row, &family.bounds)).collect(),
        }
    };
    families.iter().map(read).collect()
}

fn meant(row: &Row, bounds: &[f64]) -> Metric {
    let value = match &row.value {
        RowValue::Gauge(value) => Value::Number(Number(*value), None),
        RowValue::Counter(value, exemplar) => {
            Value::Number(Number(*value), exemplar.as_ref().and_then(shown))
        }
        RowValue::Summary(SummaryRow { quantiles, sum, count }) => {
            let ranks = quantiles.iter().map(|(rank, value)| (Number(*rank), Number(*value)));
            Value::Summary(ranks.collect(), Number(sum.total()), *count)
        }
        RowValue::Histogram(held) => {
            let count = held.counts.iter().sum();
            Value::Histogram(Number(count), Number(held.sum.total()), buckets(held, bounds), None)
        }
        RowValue::Native(held) => native(held, bounds),
    };
    let pairs = row.labels.0.iter();
    let labels = pairs.map(|(name, value)| (name.as_str().to_owned(), value.to_string())).collect();
    let counts = !matches!(row.value, RowValue::Gauge(_));
    Metric { labels, start: row.start.filter(|start| counts && start.0 != 0), value }
}

fn buckets(held: &HistogramRow, bounds: &[f64]) -> Vec<(Number, Number, Option<Example>)> {
    let bucket = |at: usize| {
        let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
        let exemplar = held.exemplars.get(at).and_then(Option::as_ref).and_then(shown);
        (Number(bound), Number(held.counts[..=at].iter().sum()), exemplar)
    };
    (0..held.counts.len()).map(bucket).collect()
}

fn native(held: &NativeRow, bounds: &[f64]) -> Value {
    let side = |buckets: &[(i32, f64)]| {
        buckets.iter().map(|(at, count)| (i64::from(*at), *count)).collect()
    };
    let timed = |one: &&Exemplar| one.time != Timestamp(0);
    let native = (
        held.schema,
        Number(held.zero_threshold),
        Number(held.zero_count),
        side(&held.positive),
        side(&held.negative),
        held.exemplars.iter().filter(timed).filter_map(shown).collect(),
    );
    let twin = held.classic.as_ref().map_or(Vec::new(), |twin| buckets(twin, bounds));
    Value::Histogram(Number(held.count), Number(held.sum.total()), twin, Some(native))
}

#[cfg(test)]
fn body(families: &[FamilySnapshot]) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(write(families, FORMAT, Options::default(), &mut out), Written::default());
    out
}

#[test]
fn a_counter_byte_by_byte() {
    let rows = vec![row(&[("a", "b")], RowValue::Counter(1.5, None))];
    let families =
        [described(family("x_seconds_total", Kind::Counter, rows), "H.", "seconds", &[])];
    let mut expected = vec![64];
    expected.extend(b"\x0a\x0fx_seconds_total\x12\x02H."); // the type of a counter is 0
    expected.extend(b"\x22\x20\x0a\x06\x0a\x01a\x12\x01b"); // a metric and its label
    expected.extend(b"\x1a\x16\x09\x00\x00\x00\x00\x00\x00\xf8\x3f"); // 1.5
    expected.extend(b"\x1a\x0b\x08\x80\xe2\xcf\xaa\x06\x10\x80\xe5\x9aw"); // since
    expected.extend(b"\x2a\x07seconds");
    let found = body(&families);
    read(&found);
    assert_eq!(found, expected);
}

#[test]
fn native_buckets_are_spans_and_deltas_and_fractions_are_not() {
    let held = |scale: f64| NativeRow {
        schema: 3,
        zero_threshold: 0.001,
        zero_count: 2.0 * scale,
        positive: [(4, 10.0 * scale), (5, 1.0 * scale), (9, 20.0 * scale)].into(),
        negative: [(-2, 5.0 * scale)].into(),
        count: 38.0 * scale,
        sum: 7.5.into(),
        exemplars: [exemplar(1, 3.0)].into(),
        classic: None,
    };
    let decoded = |held: NativeRow| {
        let rows = vec![row(&[], RowValue::Native(Box::new(held)))];
        let families = [family("h", Kind::Histogram, rows)];
        let found = body(&families);
        assert_eq!(read(&found), expected(&families));
        let found = model::MetricFamily::decode_length_delimited(&found[..]).unwrap();
        found.metric[0].histogram.clone().unwrap()
    };
    let span = |offset, length| model::BucketSpan { offset, length };
    let whole = decoded(held(1.0));
    assert_eq!(whole.positive_span, [span(4, 2), span(3, 1)]);
    assert_eq!((whole.positive_delta, whole.negative_delta), (vec![10, -9, 19], vec![5]));
    assert_eq!((whole.sample_count, whole.zero_count, whole.sample_count_float), (38, 2, 0.0));
    assert_eq!(whole.exemplars.len(), 1);
    let parts = decoded(held(0.5));
    assert_eq!(parts.positive_count, [5.0, 0.5, 10.0]);
    assert_eq!(
        (parts.sample_count, parts.sample_count_float, parts.zero_count_float),
        (0, 19.0, 1.0)
    );
    let empty = decoded(NativeRow::default());
    assert_eq!(empty.positive_span, [span(0, 0)], "still a native one");
}

#[test]
fn sampled_observations_stay_fractions() {
    let rows = vec![row(&[], histogram(&[0.5, 0.5], 3.0, &[]))];
    let families = [described(family("h", Kind::Histogram, rows), "", "", &[1.0])];
    let found = body(&families);
    assert_eq!(read(&found), expected(&families));
    let found = model::MetricFamily::decode_length_delimited(&found[..]).unwrap();
    let held = found.metric[0].histogram.as_ref().unwrap();
    assert_eq!((held.sample_count, held.sample_count_float), (0, 1.0));
    assert_eq!(held.bucket[1].upper_bound, f64::INFINITY);
}

#[test]
fn nothing_to_show_is_an_empty_body_and_a_bad_row_is_left_out_alone() {
    assert!(body(&[]).is_empty() && body(&[family("x", Kind::Gauge, Vec::new())]).is_empty());
    let rows = |first| vec![row(&[("a", "1")], RowValue::Counter(first, None))];
    let families =
        [family("x_total", Kind::Counter, rows(-1.0)), family("y", Kind::Counter, rows(1.0))];
    let mut out = Vec::new();
    assert_eq!(write(&families, FORMAT, Options::default(), &mut out).quarantined, 1);
    assert_eq!(read(&out), expected(&families[1..]));
}

#[test]
fn names_are_escaped_and_units_that_end_no_name_left_out() {
    let rows = vec![row(&[("http.method", "GET")], RowValue::Gauge(1.0))];
    let families = [described(family("foo.bar", Kind::Gauge, rows), "", "By", &[])];
    for (escaping, name, label) in [
        (Some(Escaping::AllowUtf8), "foo.bar", "http.method"),
        (Some(Escaping::Values), "U__foo_2e_bar", "U__http_2e_method"),
        (None, "foo_bar", "http_method"),
    ] {
        let mut out = Vec::new();
        let format = Format { escaping, ..FORMAT };
        write(&families, format, Options::default(), &mut out);
        let found = read(&out);
        assert_eq!((&*found[0].name, &*found[0].unit), (name, ""));
        assert_eq!(found[0].metrics[0].labels, [(label.to_owned(), "GET".to_owned())]);
    }
}

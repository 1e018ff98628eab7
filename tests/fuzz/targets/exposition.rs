//! Any families in every format, read back by readers that are not ours: what is sound reads back equal, the rest is left out and
//! counted.
#![no_main]

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use engine::exposition::{Escaping, Format, Options, Syntax, write};
use engine::limits::NATIVE_INDEX;
use engine::model::{
    Exemplar, Family, FamilySnapshot, HistogramRow, Kind, LabelName, Labels, MetricName, NativeRow,
    Row, RowValue, SummaryRow,
};
use engine::timestamp::Timestamp;
use libfuzzer_sys::fuzz_target;
use oscar_metrics_fuzz::exposition::{protobuf, reader};

fuzz_target!(|data: &[u8]| {
    let Ok(case) = Case::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let families: Vec<FamilySnapshot> =
        case.families.iter().take(4).enumerate().map(|(at, one)| one.family(at)).collect();
    let (sound, bad) = split(&families);
    for syntax in [Syntax::Text1_0_0, Syntax::OpenMetrics1_0_0, Syntax::Protobuf] {
        let body = body(&families, syntax, Escaping::AllowUtf8, bad);
        match syntax {
            Syntax::Protobuf => assert_eq!(protobuf::read(&body), protobuf::expected(&sound)),
            _ => compare(&body, &sound, syntax == Syntax::OpenMetrics1_0_0),
        }
    }
    // What a scheme makes of names may clash; what is written is a body all the same.
    for escaping in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
        for syntax in [Syntax::Text0_0_4, Syntax::OpenMetrics1_0_0, Syntax::Protobuf] {
            let mut out = Vec::new();
            let format = Format { syntax, escaping: Some(escaping) };
            let written = write(&families, format, Options { created_lines: true }, &mut out);
            assert!(written.quarantined >= bad);
            match syntax {
                Syntax::Protobuf => drop(protobuf::read(&out)),
                _ => drop(reader::read(text(&out), syntax == Syntax::OpenMetrics1_0_0)),
            }
        }
    }
});

fn body(families: &[FamilySnapshot], syntax: Syntax, escaping: Escaping, bad: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let format = Format { syntax, escaping: Some(escaping) };
    let written = write(families, format, Options { created_lines: true }, &mut out);
    assert_eq!(written.quarantined, bad, "{written:?}");
    assert_eq!(written.first.is_some(), bad > 0);
    out
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).expect("text is UTF-8")
}

fn compare(body: &[u8], sound: &[FamilySnapshot], open: bool) {
    let found = reader::read(text(body), open);
    let rows = || sound.iter().flat_map(|family| &family.rows);
    if rows().all(|row| is_exact(&row.value)) {
        assert_eq!(found, reader::expected(sound, open), "{}", text(body));
    }
}

/// Whether the reader can tell the classic buckets of a native histogram to the last bit: those whose edges are whole powers, few, and
/// without exemplars.
fn is_exact(value: &RowValue) -> bool {
    let RowValue::Native(held) = value else { return true };
    let near = |side: &[(i32, f64)]| {
        side.iter().all(|(at, count)| at.unsigned_abs() <= 40 && *count >= 1.0) && side.len() < 20
    };
    let whole = [&held.positive, &held.negative].iter().all(|side| near(side));
    held.classic.is_some()
        || ((-2..=0).contains(&held.schema) && whole && held.exemplars.is_empty())
            && (held.zero_count == 0.0 || held.zero_threshold < 1e-40)
            && (held.count.fract() == 0.0 && held.count < 1e9)
}

/// The families without what may not be written, and how much that is, by rules written from the formats' own.
fn split(families: &[FamilySnapshot]) -> (Vec<FamilySnapshot>, u64) {
    let mut bad = 0;
    let mut sound = Vec::new();
    for snapshot in families {
        let bounds = &snapshot.family.bounds;
        let rising = bounds.windows(2).all(|pair| pair[0] < pair[1]);
        let good = rising && bounds.iter().all(|bound| bound.is_finite());
        let rows = snapshot.rows.iter().filter(|row| good && is_sound(&snapshot.family, row));
        let rows: Vec<Row> = rows.cloned().collect();
        bad += (snapshot.rows.len() - rows.len()) as u64;
        if !rows.is_empty() {
            sound.push(FamilySnapshot { family: snapshot.family.clone(), rows });
        }
    }
    (sound, bad)
}

fn is_sound(family: &Family, row: &Row) -> bool {
    let mut names: Vec<&str> = row.labels.0.iter().map(|(name, _)| name.as_str()).collect();
    let reserved = match family.kind {
        Kind::Histogram => "le",
        Kind::Summary => "quantile",
        _ => "__name__",
    };
    if names.iter().any(|name| *name == reserved || *name == "__name__") {
        return false;
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    let is_count = |count: &f64| *count >= 0.0;
    let classic = |held: &HistogramRow| {
        held.counts.len() == family.bounds.len() + 1 && held.counts.iter().all(is_count)
    };
    all == names.len()
        && match (family.kind, &row.value) {
            (Kind::Counter, RowValue::Counter(total, _)) => is_count(total),
            (Kind::Gauge | Kind::Unknown | Kind::Info, RowValue::Gauge(_)) => true,
            (Kind::Histogram, RowValue::Histogram(held)) => classic(held),
            (Kind::Histogram, RowValue::Native(held)) => {
                held.classic.iter().all(classic) && is_native(held)
            }
            (Kind::Summary, RowValue::Summary(held)) => {
                let ranks: Vec<f64> = held.quantiles.iter().map(|(rank, _)| *rank).collect();
                ranks.iter().all(|rank| *rank >= 0.0 && *rank <= 1.0)
                    && ranks.windows(2).all(|pair| pair[0] < pair[1])
            }
            _ => false,
        }
}

fn is_native(held: &NativeRow) -> bool {
    let side = |side: &[(i32, f64)]| {
        side.windows(2).all(|pair| pair[0].0 < pair[1].0)
            && side.iter().all(|(at, count)| at.unsigned_abs() <= NATIVE_INDEX && *count >= 0.0)
    };
    let total: f64 = held.positive.iter().chain(&held.negative).map(|(_, count)| count).sum();
    let twins = held.classic.iter().map(|twin| twin.counts.iter().sum::<f64>());
    let adds_up =
        |total: f64| total == held.count || (total - held.count).abs() <= held.count * 1e-9;
    (-4..=8).contains(&held.schema)
        && (0.0..f64::INFINITY).contains(&held.zero_threshold)
        && side(&held.positive)
        && side(&held.negative)
        && held.zero_count >= 0.0
        && held.count >= 0.0
        && std::iter::once(total + held.zero_count).chain(twins).all(adds_up)
}

#[derive(Arbitrary, Debug)]
struct Case {
    families: Vec<AnyFamily>,
}

#[derive(Arbitrary, Debug)]
struct AnyFamily {
    kind: u8,
    name: String,
    help: String,
    bounds: Vec<Number>,
    rows: Vec<AnyRow>,
}

#[derive(Arbitrary, Debug)]
struct AnyRow {
    labels: Vec<(String, String)>,
    start: Option<u64>,
    other_kind: bool,
    numbers: Vec<Number>,
    sum: Number,
    exemplar: Option<AnyExemplar>,
    native: Option<AnyNative>,
}

#[derive(Arbitrary, Debug)]
struct AnyNative {
    schema: i8,
    zero_threshold: Number,
    zero_count: u8,
    positive: Vec<(i8, u8)>,
    negative: Vec<(i32, Number)>,
    count: Option<Number>,
    quarters: bool,
    twin: bool,
}

#[derive(Arbitrary, Debug)]
struct AnyExemplar {
    ids: ([u8; 16], [u8; 8]),
    value: Number,
    time: u64,
}

/// Small ones are the rule.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Small(u8),
    Quarter(i16),
    Any(f64),
}

impl Number {
    fn value(self) -> f64 {
        match self {
            Self::Small(value) => value.into(),
            Self::Quarter(value) => f64::from(value) / 4.0,
            Self::Any(value) => value,
        }
    }
}

impl AnyFamily {
    fn family(&self, at: usize) -> FamilySnapshot {
        let (kind, ending) = match self.kind % 6 {
            0 => (Kind::Counter, "_total"),
            1 => (Kind::Gauge, ""),
            2 => (Kind::Histogram, ""),
            3 => (Kind::Summary, ""),
            4 => (Kind::Unknown, ""),
            _ => (Kind::Info, "_info"),
        };
        let mut bounds: Vec<f64> = self.bounds.iter().map(|bound| bound.value()).collect();
        if kind != Kind::Histogram {
            bounds.clear();
        }
        let name = format!("f{at}_{}_seconds{ending}", self.name);
        let rows = self.rows.iter().map(|row| row.row(kind, bounds.len() + 1)).collect();
        let family = Family {
            name: MetricName::foreign(&name).expect("not empty"),
            help: self.help.clone(),
            unit: "seconds".into(),
            kind,
            labels: Vec::new(),
            bounds,
        };
        FamilySnapshot { family: Arc::new(family), rows }
    }
}

impl AnyRow {
    fn row(&self, kind: Kind, buckets: usize) -> Row {
        let pair = |(name, value): &(String, String)| {
            Some((LabelName::foreign(name).ok()?, value.as_str().into()))
        };
        let labels = Arc::new(self.labels.iter().filter_map(pair).collect::<Labels>());
        Row {
            labels,
            start: self.start.map(Timestamp),
            born: None,
            value: self.value(kind, buckets),
        }
    }

    fn value(&self, kind: Kind, buckets: usize) -> RowValue {
        let (sum, exemplar) = (self.sum.value(), self.exemplar.as_ref().map(AnyExemplar::exemplar));
        let numbers = self.numbers.iter().map(|number| number.value());
        match kind {
            _ if self.other_kind => RowValue::Summary(SummaryRow::default()),
            Kind::Counter => RowValue::Counter(sum, exemplar),
            Kind::Gauge | Kind::Unknown | Kind::Info => RowValue::Gauge(sum),
            Kind::Histogram => {
                // As many as there are buckets, or one more.
                let mut counts: Vec<f64> = numbers.collect();
                counts.resize(buckets + usize::from(counts.len() == buckets + 1), 0.0);
                let exemplars =
                    exemplar.map_or(Box::default(), |one| vec![Some(one); counts.len()].into());
                let held = HistogramRow {
                    bounds: None,
                    counts: counts.into(),
                    sum: sum.into(),
                    exemplars,
                };
                match &self.native {
                    None => RowValue::Histogram(held),
                    Some(native) => RowValue::Native(Box::new(native.row(held, exemplar))),
                }
            }
            Kind::Summary => {
                let ranks: Vec<f64> = numbers.collect();
                let quantiles = ranks.chunks(2).map(|pair| (pair[0] / 16.0, pair[pair.len() - 1]));
                RowValue::Summary(SummaryRow {
                    quantiles: quantiles.collect(),
                    sum: sum.into(),
                    count: self.start.unwrap_or(3),
                })
            }
        }
    }
}

impl AnyNative {
    fn row(&self, classic: HistogramRow, exemplar: Option<Exemplar>) -> NativeRow {
        let scale = if self.quarters { 0.25 } else { 1.0 };
        let mut index = -20;
        let positive = self.positive.iter().map(|(gap, count)| {
            index += i32::from(*gap).abs();
            (index, f64::from(*count) * scale)
        });
        let positive: Box<[_]> = positive.collect();
        let negative: Box<[_]> =
            self.negative.iter().map(|(at, count)| (*at, count.value() * scale)).collect();
        let zero_count = f64::from(self.zero_count) * scale;
        let held: f64 = positive.iter().chain(&negative).map(|(_, count)| count).sum();
        let count = self.count.map_or(held + zero_count, Number::value);
        let sum = classic.sum;
        // A twin that doesn't add up is left out: mostly it does.
        let twin = |mut twin: HistogramRow| {
            if self.zero_count % 4 > 0 {
                twin.counts.fill(0.0);
                twin.counts.iter_mut().take(1).for_each(|one| *one = count);
            }
            twin
        };
        NativeRow {
            schema: (self.schema % 12).into(),
            zero_threshold: self.zero_threshold.value(),
            zero_count,
            positive,
            negative,
            count,
            sum,
            exemplars: exemplar.into_iter().collect(),
            classic: self.twin.then(|| twin(classic)),
        }
    }
}

impl AnyExemplar {
    fn exemplar(&self) -> Exemplar {
        let (trace_id, span_id) = self.ids;
        Exemplar { trace_id, span_id, value: self.value.value(), time: Timestamp(self.time) }
    }
}

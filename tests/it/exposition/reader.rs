//! A small strict reader of the text formats, written from the standards and not from the writer,
//! and what it should find.

use std::collections::BTreeMap;

use engine::exposition::edge;
use engine::model::{Exemplar, FamilySnapshot, HistogramRow, Kind, NativeRow, Row, RowValue};

/// A body as a reader has it.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    /// Comment word and family to text.
    pub comments: BTreeMap<(String, String), String>,
    /// In the order of the body.
    pub samples: Vec<Sample>,
}

/// A sample; numbers are kept as bits, so that NaN equals itself.
#[derive(Debug, PartialEq)]
pub struct Sample {
    pub name: String,
    pub labels: Vec<(String, String)>,
    pub value: Number,
    pub exemplar: Option<Example>,
}

/// An exemplar's labels, value and time.
pub type Example = (Vec<(String, String)>, Number, Option<String>);

/// A double that equals itself, and whose zeros are one.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}

/// Reads a body or panics where it is not one.
pub fn read(body: &str, open: bool) -> Read {
    let mut read = Read::default();
    let mut lines: Vec<&str> = body.split('\n').collect();
    assert_eq!(lines.pop(), Some(""), "the last line has its line feed");
    if open {
        assert_eq!(lines.pop(), Some("# EOF"));
    }
    for line in lines {
        if let Some(comment) = line.strip_prefix("# ") {
            let (word, rest) = comment.split_once(' ').expect(line);
            let (name, rest) = name(rest, " ");
            let (word, text) = (word.to_owned(), rest.strip_prefix(' ').expect(line).to_owned());
            let text = if word == "HELP" { unescape(&text, open).0 } else { text };
            assert_eq!(read.comments.insert((word, name), text), None, "{line}");
        } else {
            read.samples.push(sample(line));
        }
    }
    read
}

/// A quoted name, or one that ends before one of these characters; and what follows it.
fn name<'a>(text: &'a str, ends: &str) -> (String, &'a str) {
    if let Some(inside) = text.strip_prefix('"') {
        let (name, used) = unescape(inside, true);
        assert!(!classic(&name, ends != "="), "quoted for nothing: {text}");
        return (name, inside[used..].strip_prefix('"').expect(text));
    }
    let (name, rest) = text.split_at(text.find(|c| ends.contains(c)).expect(text));
    assert!(classic(name, ends != "="), "{text}");
    (name.to_owned(), rest)
}

/// Only metric names may have colons.
fn classic(name: &str, colon: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
    name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn sample(line: &str) -> Sample {
    let (name, rest) = match line.strip_prefix('{') {
        Some(inside) => {
            let (name, rest) = name(inside, "");
            (name, rest.strip_prefix(',').or(rest.strip_prefix('}')).expect(line))
        }
        None => name(line, "{ "),
    };
    let inside = rest
        .strip_prefix('{')
        .or((line.starts_with('{') && !rest.starts_with(' ')).then_some(rest));
    let (labels, rest) = inside.map_or((Vec::new(), rest), labels);
    let rest = rest.strip_prefix(' ').expect(line);
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, tail)) => (value, Some(example(tail))),
        None => (rest, None),
    };
    Sample { name, labels, value: number(value), exemplar }
}

fn example(tail: &str) -> Example {
    let (labels, rest) = labels(tail.strip_prefix('{').expect(tail));
    let words: Vec<_> = rest.strip_prefix(' ').expect(tail).split(' ').collect();
    assert!(words.len() <= 2, "{tail}");
    (labels, number(words[0]), words.get(1).map(|time| (*time).to_owned()))
}

fn labels(text: &str) -> (Vec<(String, String)>, &str) {
    let (mut rest, mut labels) = (text, Vec::new());
    loop {
        let (name, after) = name(rest, "=");
        let after = after.strip_prefix("=\"").expect(text);
        let (value, used) = unescape(after, true);
        labels.push((name, value));
        rest = after[used..].strip_prefix('"').expect(text);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, rest.strip_prefix('}').expect(text)),
        }
    }
}

/// Undoes escapes up to a bare quote (where quotes are escaped at all) or the end, and says how far
/// it came.
fn unescape(text: &str, quotes: bool) -> (String, usize) {
    let (mut out, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if quotes => return (out, at),
            '\\' => match characters.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, '\\')) => out.push('\\'),
                Some((_, '"')) if quotes => out.push('"'),
                other => panic!("escape {other:?} in {text:?}"),
            },
            _ => out.push(character),
        }
    }
    (out, text.len())
}

fn number(text: &str) -> Number {
    let plain = |byte: u8| byte.is_ascii_digit() || b"+-.e".contains(&byte);
    assert!(text.bytes().all(plain) || ["NaN", "+Inf", "-Inf"].contains(&text), "{text}");
    Number(text.parse().expect(text))
}

/// What a reader should find of these families, with start times where the format has them.
pub fn expected(families: &[FamilySnapshot], open: bool) -> Read {
    let mut read = Read::default();
    for FamilySnapshot { family, rows } in families {
        let name = family.name.as_str();
        let base = match (open, family.kind) {
            (true, Kind::Counter) => name.strip_suffix("_total").unwrap(),
            (true, Kind::Info) => name.strip_suffix("_info").unwrap(),
            _ => name,
        };
        let mut comment = |word: &str, text: &str| {
            read.comments.insert((word.to_owned(), base.to_owned()), text.to_owned());
        };
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
            Kind::Unknown if open => "unknown",
            Kind::Unknown => "untyped",
            Kind::Info if open => "info",
            Kind::Info => "gauge",
        };
        let counts = matches!(family.kind, Kind::Counter | Kind::Histogram | Kind::Summary);
        comment("TYPE", kind);
        if !family.help.is_empty() {
            comment("HELP", &family.help);
        }
        if open && family.kind != Kind::Info {
            comment("UNIT", &family.unit);
        }
        for row in rows {
            read.samples.extend(samples(name, &family.bounds, row, open));
            let start = row.start.filter(|start| start.0 != 0);
            if let (true, Some(start), true) = (open, start, counts) {
                // As a reader of the decimal has it: adding seconds and parts as doubles may be a bit off.
                let (whole, part) = (start.0 / 1_000_000_000, start.0 % 1_000_000_000);
                let created = Number(format!("{whole}.{part:09}").parse().unwrap());
                read.samples.push(plain(&format!("{base}_created"), row, created));
            }
        }
    }
    read
}

fn plain(name: &str, row: &Row, value: Number) -> Sample {
    let pairs = row.labels.0.iter();
    let labels = pairs.map(|(name, value)| (name.as_str().to_owned(), value.to_string())).collect();
    Sample { name: name.to_owned(), labels, value, exemplar: None }
}

fn samples(name: &str, bounds: &[f64], row: &Row, open: bool) -> Vec<Sample> {
    let shown = |exemplar: Option<&Exemplar>| exemplar.filter(|_| open).and_then(shown);
    match &row.value {
        RowValue::Gauge(value) => vec![plain(name, row, Number(*value))],
        RowValue::Counter(value, exemplar) => {
            let sample = plain(name, row, Number(*value));
            vec![Sample { exemplar: shown(exemplar.as_ref()), ..sample }]
        }
        RowValue::Histogram(held) => histogram(name, bounds, (row, open), held, shown),
        RowValue::Native(held) => match &held.classic {
            Some(held) => histogram(name, bounds, (row, open), held, shown),
            None => {
                let (bounds, held) = classic_of(held);
                histogram(name, &bounds, (row, open), &held, shown)
            }
        },
        RowValue::Summary(held) => {
            let mut out = Vec::new();
            for (rank, value) in
                held.quantiles.iter().filter(|one| !open || one.1.is_nan() || one.1 >= 0.0)
            {
                let mut sample = plain(name, row, Number(*value));
                sample.labels.push(("quantile".into(), edge(*rank)));
                out.push(sample);
            }
            let sum = if open { held.sum.counter() } else { held.sum.known() };
            out.extend(sum.map(|sum| plain(&format!("{name}_sum"), row, Number(sum))));
            out.push(plain(&format!("{name}_count"), row, Number(held.count as f64)));
            out
        }
    }
}

fn histogram(
    name: &str,
    bounds: &[f64],
    (row, open): (&Row, bool),
    held: &HistogramRow,
    shown: impl Fn(Option<&Exemplar>) -> Option<Example>,
) -> Vec<Sample> {
    let mut out = Vec::new();
    for at in 0..held.counts.len() {
        let total = Number(held.counts[..=at].iter().sum());
        let mut sample = plain(&format!("{name}_bucket"), row, total);
        let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
        sample.labels.push(("le".into(), edge(bound)));
        sample.exemplar = shown(held.exemplars.get(at).and_then(Option::as_ref));
        out.push(sample);
    }
    // OpenMetrics 1.0, "Histogram": a sum is a counter, there is none beside negative thresholds, and both or neither.
    let may_fall = bounds.iter().any(|bound| *bound < 0.0);
    let sum = match open {
        true => held.sum.counter().filter(|_| !may_fall),
        false => held.sum.known(),
    };
    out.extend(sum.map(|sum| plain(&format!("{name}_sum"), row, Number(sum))));
    if sum.is_some() || !open {
        out.push(plain(&format!("{name}_count"), row, Number(held.counts.iter().sum())));
    }
    out
}

/// The classic buckets of a native histogram of few buckets that has no exemplars.
fn classic_of(held: &NativeRow) -> (Vec<f64>, HistogramRow) {
    let power = |index: i32| 2f64.powf(f64::from(index) * 2f64.powi(-held.schema));
    let mut buckets: Vec<(f64, f64)> = vec![(held.zero_threshold, held.zero_count)];
    buckets.extend(held.positive.iter().map(|(at, count)| (power(*at), *count)));
    buckets.extend(held.negative.iter().map(|(at, count)| (-power(at - 1), *count)));
    buckets.retain(|(_, count)| *count > 0.0);
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut counts: Vec<f64> = buckets.iter().map(|(_, count)| *count).collect();
    counts.push(held.count - counts.iter().sum::<f64>());
    let held = HistogramRow {
        bounds: None,
        counts: counts.into(),
        sum: held.sum,
        exemplars: Box::default(),
    };
    (buckets.into_iter().map(|(bound, _)| bound).collect(), held)
}

/// What a reader of any format with exemplars should find of one.
pub fn shown(exemplar: &Exemplar) -> Option<Example> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut labels = vec![("trace_id".to_owned(), hex(&exemplar.trace_id))];
    if exemplar.span_id != [0; 8] {
        labels.push(("span_id".to_owned(), hex(&exemplar.span_id)));
    }
    let (whole, part) = (exemplar.time.0 / 1_000_000_000, exemplar.time.0 % 1_000_000_000);
    let time = format!("{whole}.{part:09}");
    let time = time.trim_end_matches('0').trim_end_matches('.').to_owned();
    let time = (exemplar.time.0 != 0).then_some(time);
    (exemplar.trace_id != [0; 16]).then_some((labels, Number(exemplar.value), time))
}

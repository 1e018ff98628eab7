//! A small strict reader of the text formats, written from the standards and not from the writer,
//! and what it should find.

use std::collections::BTreeMap;

use oscar_metrics::exposition::edge;
use oscar_metrics::model::{Exemplar, FamilySnapshot, Kind, Row, RowValue};

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
pub struct Number(f64);

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
            let mut parts = comment.splitn(3, ' ');
            let mut next = || parts.next().expect(line).to_owned();
            let (word, name, text) = (next(), next(), next());
            let text = if word == "HELP" { unescape(&text, open).0 } else { text };
            assert_eq!(read.comments.insert((word, name), text), None, "{line}");
        } else {
            read.samples.push(sample(line));
        }
    }
    read
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect(line);
    let (name, rest) = line.split_at(end);
    let (labels, rest) = labels(rest);
    let rest = rest.strip_prefix(' ').expect(line);
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, tail)) => (value, Some(example(tail))),
        None => (rest, None),
    };
    Sample { name: name.to_owned(), labels, value: number(value), exemplar }
}

fn example(tail: &str) -> Example {
    assert!(tail.starts_with('{'), "{tail}");
    let (labels, rest) = labels(tail);
    let words: Vec<_> = rest.strip_prefix(' ').expect(tail).split(' ').collect();
    assert!(words.len() <= 2, "{tail}");
    (labels, number(words[0]), words.get(1).map(|time| (*time).to_owned()))
}

fn labels(text: &str) -> (Vec<(String, String)>, &str) {
    let Some(mut rest) = text.strip_prefix('{') else { return (Vec::new(), text) };
    let mut labels = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect(text);
        let (value, used) = unescape(after, true);
        labels.push((name.to_owned(), value));
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
        let base = if open { name.trim_end_matches("_total") } else { name };
        let mut comment = |word: &str, text: &str| {
            read.comments.insert((word.to_owned(), base.to_owned()), text.to_owned());
        };
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        comment("TYPE", kind);
        if !family.help.is_empty() {
            comment("HELP", &family.help);
        }
        if open {
            comment("UNIT", &family.unit);
        }
        for row in rows {
            read.samples.extend(samples(name, &family.bounds, row, open));
            if let (true, Some(start), true) = (open, row.start, kind != "gauge") {
                let created = Number(start.seconds());
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
        RowValue::Histogram(held) => {
            let mut out = Vec::new();
            for at in 0..held.counts.len() {
                let total = Number(held.counts[..=at].iter().sum());
                let mut sample = plain(&format!("{name}_bucket"), row, total);
                let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
                sample.labels.push(("le".into(), edge(bound)));
                sample.exemplar = shown(held.exemplars.get(at).and_then(Option::as_ref));
                out.push(sample);
            }
            out.push(plain(&format!("{name}_sum"), row, Number(held.sum)));
            out.push(plain(&format!("{name}_count"), row, Number(held.counts.iter().sum())));
            out
        }
    }
}

fn shown(exemplar: &Exemplar) -> Option<Example> {
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

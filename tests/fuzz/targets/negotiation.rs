//! Any `Accept` and `Accept-Encoding`: there is always a format we can write, and the one that RFC 9110 says.
//!
//! The naive chooser never sees a header: it chooses among the choices that the header was written from.
#![no_main]

use std::cmp::Reverse;

use arbitrary::{Arbitrary, Unstructured};
use engine::exposition::{
    ContentEncoding, Escaping, Format, Options, Syntax, encoding, format, write,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else { return };
    if mode % 2 == 0 {
        any_text(&String::from_utf8_lossy(rest));
    } else if let Ok(asked) = Asked::arbitrary_take_rest(Unstructured::new(rest)) {
        let header = asked.accept.iter().map(|one| one.written(&asked.style));
        let header = joined(header, &asked.style);
        assert_eq!(format(Some(&header)), best_format(&asked.accept), "{header}");
        let header = asked.encodings.iter().map(|one| one.written(&asked.style));
        let header = joined(header, &asked.style);
        assert_eq!(encoding(Some(&header)), best_encoding(&asked.encodings), "{header}");
    }
});

fn any_text(header: &str) {
    let chosen = format(Some(header));
    write(&[], chosen, Options::default(), &mut Vec::new());
    let media_type = chosen.content_type();
    assert!(media_type.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{media_type}");
    // A scraper that repeats what it got gets it again.
    let again = format(Some(&media_type));
    assert_eq!((again.syntax, again.escaping()), (chosen.syntax, chosen.escaping()));
    let coding = encoding(Some(header));
    assert_eq!(encoding(coding.as_str()), coding);
}

#[derive(Arbitrary, Debug)]
struct Asked {
    accept: Vec<Choice>,
    encodings: Vec<Coding>,
    style: Style,
}

/// How a header is spelled, which must not matter.
#[derive(Arbitrary, Debug)]
struct Style {
    upper: bool,
    spaces: bool,
    quotes: bool,
    empties: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum Media {
    Anything,
    AnyText,
    AnyApplication,
    Plain,
    OpenMetrics,
    Protobuf,
    Html,
    Nonsense,
}

#[derive(Arbitrary, Debug)]
enum Weight {
    Unsaid,
    Thousandths(u16),
    Malformed(u8),
}

#[derive(Arbitrary, Debug)]
struct Choice {
    media: Media,
    version: Option<u8>,
    proto: Option<bool>,
    delimited: Option<bool>,
    escaping: Option<u8>,
    weight_first: bool,
    weight: Weight,
}

#[derive(Arbitrary, Debug)]
struct Coding {
    name: u8,
    weight: Weight,
}

const VERSIONS: [&str; 5] = ["0.0.4", "1.0.0", "0.0.1", "2.0.0", "x"];
const CODINGS: [&str; 7] = ["gzip", "x-gzip", "zstd", "identity", "*", "br", "deflate"];
const SCHEMES: [(&str, Option<Escaping>); 5] = [
    ("allow-utf-8", Some(Escaping::AllowUtf8)),
    ("underscores", Some(Escaping::Underscores)),
    ("dots", Some(Escaping::Dots)),
    ("values", Some(Escaping::Values)),
    ("backslashes", None),
];

fn pick<T: Copy>(all: &[T], at: u8) -> T {
    all[usize::from(at) % all.len()]
}

impl Weight {
    /// Thousandths; none: no choice at all.
    fn value(&self) -> Option<u16> {
        match self {
            Self::Unsaid => Some(1000),
            Self::Thousandths(weight) => Some(weight % 1001),
            Self::Malformed(_) => None,
        }
    }

    fn written(&self, style: &Style) -> Option<String> {
        let text = match self {
            Self::Unsaid => return None,
            Self::Thousandths(weight) => match weight % 1001 {
                1000 => "1.000".to_owned(),
                weight => format!("0.{weight:03}"),
            },
            Self::Malformed(at) => pick(&["-1", "1.001", "x", "2", "nan", "0,5"], *at).to_owned(),
        };
        // A comma would end the choice.
        let text = text.replace(',', ";");
        Some(pair("q", &text.replace(';', "_"), style))
    }
}

impl Choice {
    fn written(&self, style: &Style) -> String {
        let media = match self.media {
            Media::Anything => "*/*",
            Media::AnyText => "text/*",
            Media::AnyApplication => "application/*",
            Media::Plain => "text/plain",
            Media::OpenMetrics => "application/openmetrics-text",
            Media::Protobuf => "application/vnd.google.protobuf",
            Media::Html => "text/html",
            Media::Nonsense => "text",
        };
        let media = if style.upper { media.to_uppercase() } else { media.to_owned() };
        let mut parts = vec![media];
        let weight = self.weight.written(style);
        parts.extend(weight.clone().filter(|_| self.weight_first));
        parts.extend(self.version.map(|at| pair("version", pick(&VERSIONS, at), style)));
        let proto = |right| if right { "io.prometheus.client.MetricFamily" } else { "other" };
        parts.extend(self.proto.map(|right| pair("proto", proto(right), style)));
        let form = |right| if right { "delimited" } else { "text" };
        parts.extend(self.delimited.map(|right| pair("encoding", form(right), style)));
        parts.extend(self.escaping.map(|at| pair("escaping", pick(&SCHEMES, at).0, style)));
        parts.extend(weight.filter(|_| !self.weight_first));
        parts.join(if style.spaces { " ; " } else { ";" })
    }

    /// How closely it names a syntax, 1 to 4; none: not at all.
    fn closeness(&self, syntax: Syntax) -> Option<u8> {
        let (media, version) = match syntax {
            Syntax::Text0_0_4 => (Media::Plain, "0.0.4"),
            Syntax::Text1_0_0 => (Media::Plain, "1.0.0"),
            Syntax::OpenMetrics0_0_1 => (Media::OpenMetrics, "0.0.1"),
            Syntax::OpenMetrics1_0_0 => (Media::OpenMetrics, "1.0.0"),
            Syntax::Protobuf => {
                let whole = self.media == Media::Protobuf
                    && (self.proto, self.delimited) == (Some(true), Some(true));
                return whole.then_some(4);
            }
        };
        let any = if media == Media::Plain { Media::AnyText } else { Media::AnyApplication };
        match self.media {
            Media::Anything => Some(1),
            other if other == any => Some(2),
            other if other == media => match self.version.map(|at| pick(&VERSIONS, at)) {
                None => Some(3),
                Some(said) => (said == version).then_some(4),
            },
            _ => None,
        }
    }
}

impl Coding {
    fn written(&self, style: &Style) -> String {
        let name = pick(&CODINGS, self.name);
        let name = if style.upper { name.to_uppercase() } else { name.to_owned() };
        let parts: Vec<String> =
            [Some(name), self.weight.written(style)].into_iter().flatten().collect();
        parts.join(";")
    }
}

fn pair(name: &str, value: &str, style: &Style) -> String {
    let name = if style.upper { name.to_uppercase() } else { name.to_owned() };
    if style.quotes { format!("{name}=\"{value}\"") } else { format!("{name}={value}") }
}

fn joined(choices: impl Iterator<Item = String>, style: &Style) -> String {
    let choices: Vec<String> = choices.collect();
    choices.join(if style.empties { ", ,\t," } else { "," })
}

/// RFC 9110, section 12.5.1: the closest range weighs a type; the heaviest type wins. Where it leaves us free: one that is named,
/// then the one listed first, then our own order.
fn best_format(accept: &[Choice]) -> Format {
    let ours = [
        Syntax::Text0_0_4,
        Syntax::OpenMetrics1_0_0,
        Syntax::OpenMetrics0_0_1,
        Syntax::Text1_0_0,
        Syntax::Protobuf,
    ];
    let mut ranked = Vec::new();
    for (order, syntax) in ours.into_iter().enumerate() {
        let mut closest = Vec::new();
        for (at, choice) in accept.iter().enumerate() {
            if let (Some(weight), Some(close)) = (choice.weight.value(), choice.closeness(syntax)) {
                closest.push((close, weight, Reverse(at)));
            }
        }
        closest.sort();
        if let Some((close, weight, at)) = closest.pop()
            && weight > 0
        {
            ranked.push((weight, close.min(3), at, Reverse(order)));
        }
    }
    ranked.sort();
    ranked.pop().map_or(Format { syntax: Syntax::Text0_0_4, escaping: None }, |best| Format {
        syntax: ours[best.3.0],
        escaping: accept[best.2.0].escaping.and_then(|at| pick(&SCHEMES, at).1),
    })
}

/// RFC 9110, section 12.5.3, but that a wildcard asks for no coding.
fn best_encoding(accept: &[Coding]) -> ContentEncoding {
    let weight = |names: &[&str]| {
        let valid =
            accept.iter().filter_map(|one| Some((pick(&CODINGS, one.name), one.weight.value()?)));
        valid.filter(|(name, _)| names.contains(name)).map(|(_, weight)| weight).next()
    };
    let gzip = weight(&["gzip", "x-gzip"]).unwrap_or(0);
    let zstd = weight(&["zstd"]).unwrap_or(0);
    let identity = weight(&["identity"]).or(weight(&["*"])).unwrap_or(0);
    let mut best = (identity, ContentEncoding::Identity);
    if zstd > 0 && zstd >= best.0 {
        best = (zstd, ContentEncoding::Zstd);
    }
    if gzip > 0 && gzip >= best.0 {
        best = (gzip, ContentEncoding::Gzip);
    }
    best.1
}

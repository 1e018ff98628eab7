//! Which record it is: its kind and name, what identifies it, and whether it was rejected.

use engine::explain::{Told, Verdict};
use engine::rules::Subject;
use engine::rules::explain::Found;
use engine::view::{Data, Metric, Temporality};

use super::paper::Paper;
use super::words;

/// Where what is said of a record begins; what is said of an event is further in.
const INDENT: usize = 4;

/// Writes it.
pub(super) fn write(told: &Told<'_, '_, '_>, paper: &mut Paper<'_>) {
    let name = |bytes: &[u8]| shown(&Found::text(&String::from_utf8_lossy(bytes)));
    let (what, marks) = match told.subject {
        Subject::Span(span) => {
            let duration = match span.seconds() {
                Ok(seconds) => format!("{seconds} s"),
                Err(error) => format!("no duration: {error}"),
            };
            let ids =
                format!("trace {}, span {}", words::hex(span.trace_id), words::hex(span.span_id));
            let marks = vec![ids, words::time(span.end), duration];
            (format!("span {}", name(span.name)), marks)
        }
        Subject::Event(event, _) => {
            (format!("event {}", name(event.name)), vec![words::time(event.time)])
        }
        Subject::Log(record) => {
            let mut marks = vec![words::time(told.subject.time())];
            if !record.trace_id.is_empty() {
                let ids = (words::hex(record.trace_id), words::hex(record.span_id));
                marks.insert(0, format!("trace {}, span {}", ids.0, ids.1));
            }
            let what = match record.event_name.is_empty() {
                true => "log record".to_owned(),
                false => format!("log record {}", name(record.event_name)),
            };
            (what, marks)
        }
        Subject::Session(session) => {
            (format!("conversation of {} turns", session.turns), vec![words::time(session.end)])
        }
        Subject::Point(point, metric) => {
            let what = format!("data point of {} ({})", name(metric.name), kind(metric));
            (what, vec![words::time(point.time)])
        }
    };
    let mut marks: Vec<String> = marks.into_iter().filter(|mark| !mark.is_empty()).collect();
    let indent = indent(told);
    if indent == INDENT {
        paper.gap();
        match &told.service {
            Found::Missing => {}
            service => marks.push(format!("service {}", shown(service))),
        }
    }
    paper.line(indent - INDENT, "", &what);
    if !marks.is_empty() {
        paper.line(indent, "", &marks.join(", "));
    }
    let attributes = told.point.iter().flat_map(|point| &point.attributes);
    let attributes = attributes.map(|(key, found)| format!("{}={}", plain(key), shown(found)));
    let attributes: Vec<String> = attributes.collect();
    if !attributes.is_empty() {
        paper.line(indent, "", &attributes.join(", "));
    }
    let is_event = matches!(told.subject, Subject::Event(..));
    if let Verdict::Rejected(reason) = told.verdict
        && !is_event
    {
        // What the rules were not asked about is late by the config, not by its stream.
        let of_stream = told.point.is_some() && told.account.is_some();
        let why = words::why(reason, of_stream);
        paper.line(indent, "", &format!("rejected: {}: {why}", reason.as_str()));
    }
}

/// Where what is said of a record begins.
pub(super) fn indent(told: &Told<'_, '_, '_>) -> usize {
    if matches!(told.subject, Subject::Event(..)) { 2 * INDENT } else { INDENT }
}

/// In quotes, if it may be seen.
pub(super) fn shown(found: &Found) -> String {
    match found {
        Found::Missing => "(none)".to_owned(),
        Found::Hidden => "(hidden)".to_owned(),
        Found::Text(text) => words::quoted(text),
    }
}

/// A key without what moves a terminal.
fn plain(key: &str) -> String {
    match Found::text(key) {
        Found::Text(key) => key.escape_debug().to_string(),
        Found::Missing | Found::Hidden => String::new(),
    }
}

fn kind(metric: &Metric<'_>) -> String {
    let temporality = |temporality: Temporality| match temporality {
        Temporality::Unspecified => "neither delta nor cumulative",
        Temporality::Delta => "delta",
        Temporality::Cumulative => "cumulative",
    };
    let kind = match metric.data {
        Data::Gauge => "gauge".to_owned(),
        Data::Summary => "summary".to_owned(),
        Data::Sum { temporality: of, monotonic: true } => format!("{} sum", temporality(of)),
        Data::Sum { temporality: of, .. } => format!("{} sum that may fall", temporality(of)),
        Data::Histogram { temporality: of } => format!("{} histogram", temporality(of)),
        Data::Exponential { temporality: of } => {
            format!("{} exponential histogram", temporality(of))
        }
    };
    match std::str::from_utf8(metric.unit) {
        Ok(unit) if !unit.is_empty() => format!("{kind}, {}", plain(unit)),
        _ => kind,
    }
}

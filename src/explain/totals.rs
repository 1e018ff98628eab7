//! The end of it: the series that a file makes, as `/metrics` shows them, and the books.

use engine::counters::Rejection;
use engine::exposition::{self, Escaping, Format, Syntax};
use engine::model::{FamilySnapshot, Row, RowValue};
use engine::pipeline::Pipeline;
use engine::rules::SkipReason;
use engine::rules::definition::{Definitions, MetricKind};
use engine::timestamp::Timestamp;
use engine::view::Signal;

use super::Question;
use super::paper::Paper;

/// Writes both.
pub(super) fn write(
    pipeline: &Pipeline,
    (definitions, question): (&Definitions, &Question),
    now: Timestamp,
    paper: &mut Paper<'_>,
) {
    let mut families: Vec<FamilySnapshot> = pipeline.gather(now, true, |_| {}).collect();
    paper.gap();
    let zeros = if question.all { "" } else { "; those at 0 are left out, --all shows them" };
    paper.line(0, "", &format!("Series, as /metrics shows them{zeros}:"));
    paper.gap();
    if let Some(metric) = &question.metric {
        families.retain(|family| family.family.name.as_str() == metric);
    }
    if !question.all {
        for family in &mut families {
            let counts = counts_people(definitions, family);
            family.rows.retain(|row| !(is_zero(row) || counts && is_level(row, 0.0)));
        }
    }
    match body(&families) {
        none if none.is_empty() => paper.line(2, "", "none"),
        lines => paper.raw(&lines),
    }
    paper.gap();
    paper.line(0, "", "Books:");
    for signal in Signal::ALL {
        page(pipeline, signal, paper);
    }
    let skips = pipeline.counters().skips();
    let skips = skips.iter().flat_map(|(metric, counts)| {
        let counts = SkipReason::ALL.into_iter().zip(counts);
        counts.map(move |(reason, count)| (metric, reason.as_str(), count.unwrap_or_default()))
    });
    let mut skips: Vec<_> = skips.collect();
    skips.sort_unstable();
    for (metric, reason, count) in skips {
        count_line("rule skips", &format!("{metric} {reason}"), count, paper);
    }
    for (record, count) in pipeline.counters().repeats() {
        count_line("repeated records", &record, count, paper);
    }
    for family in pipeline.state(now).series {
        count_line("folded to `other` by a limit", &family.name, family.overflow, paper);
    }
}

fn count_line(word: &str, labels: &str, count: u64, paper: &mut Paper<'_>) {
    if count > 0 {
        paper.line(2, "", &format!("{word}: {labels} {count}"));
    }
}

/// Whether a family says how many there were, so that 0 is nobody.
fn counts_people(definitions: &Definitions, family: &FamilySnapshot) -> bool {
    let name = family.family.name.as_str();
    let mut metrics = definitions.metrics.iter();
    let metric = metrics.find(|metric| metric.name.as_str() == name);
    metric.is_some_and(|metric| matches!(metric.kind, MetricKind::Distinct { .. }))
}

fn is_level(row: &Row, level: f64) -> bool {
    matches!(row.value, RowValue::Gauge(now) if now == level)
}

/// Whether nothing has happened to a series. A level of 0 is something.
fn is_zero(row: &Row) -> bool {
    match &row.value {
        RowValue::Counter(total, _) => *total == 0.0,
        RowValue::Gauge(_) => false,
        RowValue::Histogram(held) => held.counts.iter().all(|count| *count == 0.0),
        RowValue::Native(held) => held.count == 0.0,
        RowValue::Summary(held) => held.count == 0,
    }
}

/// The lines of a scrape, with nothing in them that moves a terminal.
fn body(families: &[FamilySnapshot]) -> Vec<u8> {
    let mut body = Vec::new();
    let format = Format { syntax: Syntax::Text1_0_0, escaping: Some(Escaping::AllowUtf8) };
    exposition::write(families, format, exposition::Options::default(), &mut body);
    let text = String::from_utf8_lossy(&body);
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => safe.push('\n'),
            _ if character.is_control() => safe.extend(character.escape_default()),
            _ => safe.push(character),
        }
    }
    safe.into_bytes()
}

fn page(pipeline: &Pipeline, signal: Signal, paper: &mut Paper<'_>) {
    let counts = pipeline.counters().books().read(signal);
    if counts.received == 0 {
        return;
    }
    let rejected = Rejection::ALL.into_iter().zip(counts.rejected).filter(|(_, count)| *count > 0);
    let reasons: Vec<String> =
        rejected.map(|(reason, count)| format!("{count} {}", reason.as_str())).collect();
    let total: u64 = counts.rejected.iter().sum();
    let reasons =
        if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
    let (received, accepted, unmatched) = (counts.received, counts.accepted, counts.unmatched);
    let word = signal.as_str();
    paper.line(
        2,
        "",
        &format!("{word}: {received} received = {accepted} accepted ({unmatched} unmatched) + {total} rejected{reasons}"),
    );
}

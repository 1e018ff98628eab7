//! From answers to the page: numbers into their places, shares over enough, and what deserves a look.

use engine::timestamp::Timestamp;

use super::draft::{Column, ENOUGH, FigureDraft, ObjectiveDraft, TableDraft};
use super::{Answers, Cell, Draft, Figure, Page, Period, Question, Sample, Table, Unit, When};

/// Rows of a table; the rest is in the dashboards.
const ROWS: usize = 12;
/// By how much a figure must have got worse to be a note.
const WORSE: f64 = 0.2;

/// The page that a draft and its answers make. A question without an answer is as good as one that nobody counted for.
pub fn fill(draft: &Draft, answers: &Answers, period: Period) -> Page {
    let figures: Vec<Figure> = draft.figures.iter().map(|one| figure(one, answers)).collect();
    let mut notes: Vec<String> =
        draft.objectives.iter().filter_map(|one| broken(one, answers)).collect();
    notes.extend(
        draft.figures.iter().zip(&figures).filter_map(|(draft, figure)| worse(draft, figure)),
    );
    notes.extend(draft.checks.iter().filter_map(|check| {
        let count = one(answers, &check.query, When::Now).filter(|count| count.round() >= 1.0)?;
        Some(format!("{} {}.", Unit::Count.told(count), check.says))
    }));
    let mut tables: Vec<Table> = promises(&draft.objectives, answers).into_iter().collect();
    tables.extend(draft.tables.iter().filter_map(|one| table(one, answers)));
    Page {
        from: day(period.end_of(When::Before)),
        until: day(period.end),
        days: period.length.as_secs_f64() / 86_400.0,
        notes,
        figures,
        tables,
    }
}

fn day(time: Timestamp) -> String {
    time.utc().date().to_string()
}

fn samples<'a>(answers: &'a Answers, query: &str, when: When) -> &'a [Sample] {
    answers.get(&Question { query: query.to_owned(), when }).map_or(&[], Vec::as_slice)
}

/// The number of a query that has one.
fn one(answers: &Answers, query: &str, when: When) -> Option<f64> {
    samples(answers, query, when)
        .first()
        .map(|sample| sample.value)
        .filter(|value| value.is_finite())
}

/// A number over another, where that is enough to say something.
fn share(part: Option<f64>, whole: f64) -> Option<f64> {
    // Nothing of something is a share of 0.
    (whole.round() >= ENOUGH).then(|| part.unwrap_or(0.0) / whole)
}

fn figure(draft: &FigureDraft, answers: &Answers) -> Figure {
    let of = |when| draft.of.as_ref().map(|of| one(answers, of, when).unwrap_or(0.0));
    let value = |when| {
        let number = one(answers, &draft.query, when);
        match of(when) {
            Some(whole) if draft.divided => share(number, whole),
            Some(whole) => number.filter(|_| whole.round() >= ENOUGH),
            None => number,
        }
    };
    Figure {
        title: draft.title.clone(),
        about: draft.about.clone(),
        unit: draft.unit,
        value: value(When::Now),
        before: value(When::Before),
        events: of(When::Now).map(f64::round),
    }
}

/// A figure that got clearly worse.
fn worse(draft: &FigureDraft, figure: &Figure) -> Option<String> {
    let (value, before) = figure.value.zip(figure.before)?;
    let rise = match figure.unit {
        // A share of 97 % that falls to 90 % has three times as many on its bad side.
        Unit::Share => ((1.0 - value) - (1.0 - before)) / (1.0 - before).max(0.05),
        _ if before > 0.0 => value / before - 1.0,
        _ => return None,
    };
    let up_is_worse = draft.worse_up?;
    let worse = if figure.unit == Unit::Share || up_is_worse { rise } else { -rise };
    (worse > WORSE).then(|| {
        let (now, then) = (figure.unit.told(value), figure.unit.told(before));
        format!("{}: {now}, after {then} in the period before.", figure.title)
    })
}

/// How much of a promise was kept, over how many events.
fn kept(objective: &ObjectiveDraft, answers: &Answers) -> (Option<f64>, f64) {
    let all = one(answers, &objective.all, When::Now).unwrap_or(0.0);
    (share(one(answers, &objective.bad, When::Now), all).map(|bad| 1.0 - bad), all)
}

fn broken(objective: &ObjectiveDraft, answers: &Answers) -> Option<String> {
    let (kept, total) = kept(objective, answers);
    let kept = kept.filter(|kept| *kept < objective.target)?;
    Some(format!(
        "The objective \"{}\" was missed: {} of {}, where {} were promised.",
        objective.name,
        Unit::Share.told(kept),
        Unit::Count.told(total),
        Unit::Share.told(objective.target)
    ))
}

fn promises(objectives: &[ObjectiveDraft], answers: &Answers) -> Option<Table> {
    let row = |objective: &ObjectiveDraft| {
        let (kept, total) = kept(objective, answers);
        vec![
            Cell::Text(objective.name.clone()),
            Cell::Number { value: Some(objective.target), unit: Unit::Share },
            Cell::Number { value: kept, unit: Unit::Share },
            Cell::Number { value: Some(total), unit: Unit::Count },
        ]
    };
    let columns = ["Objective", "Promised", "Kept", "Events"].map(str::to_owned).to_vec();
    let rows: Vec<_> = objectives.iter().map(row).collect();
    (!rows.is_empty()).then(|| Table { title: "What was promised".to_owned(), columns, rows })
}

/// The rows with the largest first column; none when nothing happened.
fn table(draft: &TableDraft, answers: &Answers) -> Option<Table> {
    let first = samples(answers, &draft.columns.first()?.query, When::Now);
    let mut rows: Vec<(&str, f64)> = first
        .iter()
        .filter(|sample| sample.value.round() >= 1.0)
        .map(|sample| (label(sample, &draft.label), sample.value))
        .collect();
    rows.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    rows.truncate(ROWS);
    let cells = |name: &str| {
        let name_cell = Cell::Text(match draft.names.get(name) {
            Some(text) => text.clone(),
            None if name.is_empty() => "(none)".to_owned(),
            None => name.to_owned(),
        });
        let numbers = draft.columns.iter().map(|column| cell(column, &draft.label, name, answers));
        std::iter::once(name_cell).chain(numbers).collect()
    };
    let columns =
        std::iter::once(&draft.heading).chain(draft.columns.iter().map(|column| &column.title));
    let rows: Vec<Vec<Cell>> = rows.iter().map(|(name, _)| cells(name)).collect();
    (!rows.is_empty()).then(|| Table {
        title: draft.title.clone(),
        columns: columns.cloned().collect(),
        rows,
    })
}

fn cell(column: &Column, by: &str, name: &str, answers: &Answers) -> Cell {
    let find = |query: &str| {
        let all = samples(answers, query, When::Now).iter();
        all.filter(|sample| label(sample, by) == name)
            .map(|sample| sample.value)
            .find(|value| value.is_finite())
    };
    let value = match &column.of {
        Some(of) => share(find(&column.query), find(of).unwrap_or(0.0)),
        None => find(&column.query),
    };
    Cell::Number { value, unit: column.unit }
}

fn label<'s>(sample: &'s Sample, name: &str) -> &'s str {
    sample.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
}

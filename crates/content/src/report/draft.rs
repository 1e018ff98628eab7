//! What a report asks: the figures and tables that a config can answer.
//!
//! Metrics and labels are looked up in the catalogue, so that a config without them has a shorter report and no empty one.
//! Numbers come from `increase`, which estimates at the edges of a period: counts are rounded to whole ones.

use config::catalogue::Catalogue;
use config::content::{self, Names, Titled};
use config::{Objective, content::Figure as Asked};
use engine::query::{Measure, Query, Window};
use engine::rules::definition::MetricKind;

use crate::expression::Expression;
use crate::series::{Over, Place, Scope};
use crate::{Events, objective_events};

use super::{Period, Question, Unit, When};

/// Fewer than these, and a share says nothing.
pub(super) const ENOUGH: f64 = 20.0;

/// What to ask.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    pub(super) figures: Vec<FigureDraft>,
    pub(super) tables: Vec<TableDraft>,
    pub(super) objectives: Vec<ObjectiveDraft>,
    pub(super) checks: Vec<Check>,
}

/// One number, or one number of another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FigureDraft {
    pub title: String,
    pub about: String,
    pub unit: Unit,
    /// The number; of a ratio the numerator.
    pub query: String,
    /// The denominator, or what a rank is founded on.
    pub of: Option<String>,
    /// Whether the number is divided by `of`.
    pub divided: bool,
    /// Whether more is worse.
    pub worse_up: Option<bool>,
}

/// Rows by a label, the first column deciding which come first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TableDraft {
    pub title: String,
    pub label: String,
    pub heading: String,
    pub columns: Vec<Column>,
    /// What people call the values of the label.
    pub names: Names,
}

/// A column; the number of a column with `of` is a share of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub title: String,
    pub unit: Unit,
    pub query: String,
    pub of: Option<String>,
}

/// A promise.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectiveDraft {
    pub name: String,
    pub target: f64,
    pub bad: String,
    pub all: String,
}

/// Something that should be 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Check {
    pub query: String,
    /// What is wrong when it is not, after the number.
    pub says: String,
}

/// Queries of a period.
struct Writer<'c> {
    scope: Scope<'c>,
    period: Period,
    over: Over,
    matchers: &'c [String],
}

impl Draft {
    /// What a config lets us ask about a period; `matchers`, such as `environment="prod"`, narrow all of it.
    pub fn new(catalogue: &Catalogue<'_>, period: Period, matchers: &[String]) -> Self {
        let scope = Scope { catalogue, place: Place::Report(matchers) };
        let writer = Writer { scope, period, over: Over::Last(period.range()), matchers };
        let report = &catalogue.content.report;
        Self {
            figures: report.figures.iter().filter_map(|one| writer.figure(one)).collect(),
            tables: report.tables.iter().map(|one| writer.table(one)).collect(),
            objectives: catalogue
                .objectives
                .iter()
                .filter_map(|one| writer.objective(one))
                .collect(),
            checks: report.checks.iter().map(|one| writer.check(one)).collect(),
        }
    }

    /// Everything there is to ask, each once.
    pub fn questions(&self) -> Vec<Question> {
        let mut all = Vec::new();
        let mut ask = |query: &String, when| all.push(Question { query: query.clone(), when });
        for figure in &self.figures {
            for query in std::iter::once(&figure.query).chain(&figure.of) {
                ask(query, When::Now);
                ask(query, When::Before);
            }
        }
        for column in self.tables.iter().flat_map(|table| &table.columns) {
            ask(&column.query, When::Now);
            column.of.iter().for_each(|of| ask(of, When::Now));
        }
        for objective in &self.objectives {
            ask(&objective.bad, When::Now);
            ask(&objective.all, When::Now);
        }
        self.checks.iter().for_each(|check| ask(&check.query, When::Now));
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Writer<'_> {
    fn figure(&self, declared: &Asked) -> Option<FigureDraft> {
        let mut query = declared.query.clone();
        let window = self.fit(&mut query)?;
        let one = Expression::new(self.scope, &query);
        let whole = one.whole().map(|whole| whole.measure(&[], &self.over));
        let rests = query.min.is_some() && whole.is_none();
        let events = rests.then(|| one.events(&[], &self.over));
        Some(FigureDraft {
            title: declared.title.replace("{window}", &window),
            about: declared.about.clone(),
            unit: unit(one, declared.unit),
            query: self.value(one),
            divided: whole.is_some(),
            of: whole.or(events),
            worse_up: declared.worse_up,
        })
    }

    /// What a query measures in the period; denominators are queries of their own.
    fn value(&self, one: Expression<'_>) -> String {
        match &one.query.measure {
            // Of one sidecar: several know only their own.
            Measure::Distinct(_, Window::Named(window)) => {
                format!("max({})", one.series().selector().clone().is("window", window))
            }
            _ => one.numerator(&[], &self.over),
        }
    }

    /// Puts the window that is nearest to the period, and no longer, in the place of `fit`; else the shortest. None without one.
    fn fit(&self, query: &mut Query) -> Option<String> {
        let Measure::Distinct(name, window) = &mut query.measure else {
            return Some(String::new());
        };
        if *window == Window::Fit {
            let entry = self.scope.catalogue.find(name)?;
            let MetricKind::Distinct { windows, .. } = &entry.metric.kind else { return None };
            let slides = || windows.iter().filter_map(|window| Some((window.length()?, window)));
            let fits = slides().filter(|(length, _)| *length <= self.period.length);
            let longest = fits.max_by_key(|(length, _)| *length);
            let (_, found) = longest.or_else(|| slides().min_by_key(|(length, _)| *length))?;
            *window = Window::Named(found.name.to_string());
        }
        match window {
            Window::Named(name) => Some(name.clone()),
            Window::Fit => None,
        }
    }

    fn table(&self, declared: &content::Table) -> TableDraft {
        let column = |one: &Titled| {
            let expression = Expression::new(self.scope, &one.query);
            let by = [&*declared.by];
            Column {
                title: one.title.clone().unwrap_or_default(),
                unit: unit(expression, one.unit),
                query: expression.numerator(&by, &self.over),
                of: expression.whole().map(|whole| whole.measure(&by, &self.over)),
            }
        };
        TableDraft {
            title: declared.title.clone(),
            label: declared.by.clone(),
            heading: declared.heading.clone(),
            columns: declared.columns.iter().map(column).collect(),
            names: self.names(declared),
        }
    }

    fn names(&self, declared: &content::Table) -> Names {
        let metric = declared.columns.first().and_then(|first| first.query.metric());
        let names =
            metric.and_then(|metric| self.scope.catalogue.value_names(metric, &declared.by));
        names.cloned().unwrap_or_default()
    }

    fn check(&self, declared: &content::Check) -> Check {
        let one = Expression::new(self.scope, &declared.query);
        Check { query: one.measure(&[], &self.over), says: declared.says.clone() }
    }

    fn objective(&self, objective: &Objective) -> Option<ObjectiveDraft> {
        let Events { all, bad } =
            objective_events(self.scope.catalogue, objective, &self.period.range(), self.matchers)?;
        Some(ObjectiveDraft { name: objective.name.clone(), target: objective.target, bad, all })
    }
}

/// What the numbers of a query are.
fn unit(one: Expression<'_>, said: Option<content::Unit>) -> Unit {
    match said {
        Some(content::Unit::Share) => return Unit::Share,
        Some(content::Unit::Seconds) => return Unit::Seconds,
        Some(content::Unit::Usd | content::Unit::SmallUsd) => return Unit::Usd,
        Some(_) => return Unit::Count,
        None => {}
    }
    let query = one.query;
    let of_metric = || match one.entry().map(|entry| &*entry.shown.unit) {
        Some("seconds") => Unit::Seconds,
        Some("usd") => Unit::Usd,
        _ => Unit::Count,
    };
    match (&query.measure, query.of.is_some()) {
        (Measure::Count(_) | Measure::Under(..), true) => Unit::Share,
        (Measure::Sum(_) | Measure::Quantile(..) | Measure::Level(..), _) => of_metric(),
        _ => Unit::Count,
    }
}

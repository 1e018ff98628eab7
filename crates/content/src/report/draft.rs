//! What a report asks: the figures and tables that a config can answer.
//!
//! Metrics and labels are looked up in the catalogue, so that a config without them has a shorter report and no empty one.
//! Numbers come from `increase`, which estimates at the edges of a period: counts are rounded to whole ones.

use crate::observations;
use crate::promql::{Selector, sum};
use crate::{Events, objective_events};
use config::Objective;
use config::catalogue::Catalogue;
use engine::rules::definition::MetricKind;

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
    pub about: &'static str,
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
    pub heading: &'static str,
    pub columns: Vec<Column>,
}

/// A column; the number of a column with `of` is a share of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub title: &'static str,
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
    pub says: &'static str,
}

/// Looks things up in a config and asks about them.
struct Writer<'c> {
    catalogue: &'c Catalogue<'c>,
    range: String,
    matchers: &'c [String],
}

impl Draft {
    /// What a config lets us ask about a period; `matchers`, such as `environment="prod"`, narrow all of it.
    pub fn new(catalogue: &Catalogue<'_>, period: Period, matchers: &[String]) -> Self {
        let writer = Writer { catalogue, range: period.range(), matchers };
        let figures = [
            writer.messages(),
            writer.people(period),
            writer.answered(),
            writer.satisfaction(),
            writer.resolved(),
            writer.time(),
            writer.cost(),
            writer.cost_each(),
        ];
        Self {
            figures: figures.into_iter().flatten().collect(),
            tables: writer.tables(),
            objectives: catalogue
                .objectives
                .iter()
                .filter_map(|one| writer.objective(one))
                .collect(),
            checks: writer.checks(),
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
    /// A metric's series, if the config has it.
    fn series(&self, name: &str) -> Option<Selector> {
        self.catalogue.find(name).map(|_| self.any(name))
    }

    /// Series of any name.
    fn any(&self, name: &str) -> Selector {
        self.matchers.iter().fold(Selector::new(name), |all, matcher| all.matching(matcher.clone()))
    }

    /// A metric's series with a label among these values, if the config has the label and all of them.
    fn labelled(&self, name: &str, label: &str, values: &[&str]) -> Option<Selector> {
        let entry = self.catalogue.find(name)?;
        values
            .iter()
            .all(|value| entry.may_be(label, value))
            .then(|| self.any(name).any_of(label, values))
    }

    fn grown(&self, series: &Selector) -> String {
        sum(&[], series.increase(&self.range))
    }

    fn grown_by(&self, label: &str, series: &Selector) -> String {
        sum(&[label], series.increase(&self.range))
    }

    /// Messages that were for the bot and from people it serves.
    fn asked(&self) -> Option<Selector> {
        let name = "bot_interactions_total";
        let entry = self.catalogue.find(name)?;
        let apart: Vec<&str> = ["denied", "ignored", "duplicate"]
            .into_iter()
            .filter(|value| entry.may_be("outcome", value))
            .collect();
        let series = self.any(name);
        Some(if apart.is_empty() { series } else { series.none_of("outcome", &apart) })
    }

    fn messages(&self) -> Option<FigureDraft> {
        Some(FigureDraft {
            title: "Messages".into(),
            about: "What people asked the bot. Refused, ignored and repeated messages are left out.",
            unit: Unit::Count,
            query: self.grown(&self.asked()?),
            of: None,
            divided: false,
            worse_up: None,
        })
    }

    /// The window that is nearest to the period, and no longer; else the shortest.
    fn people(&self, period: Period) -> Option<FigureDraft> {
        let entry = self.catalogue.find("bot_active_users")?;
        let MetricKind::Distinct { windows, .. } = &entry.metric.kind else { return None };
        let slides = || windows.iter().filter_map(|window| Some((window.length()?, window)));
        let fits = slides().filter(|(length, _)| *length <= period.length);
        let longest = fits.max_by_key(|(length, _)| *length);
        let (_, window) = longest.or_else(|| slides().min_by_key(|(length, _)| *length))?;
        let series = self.any(entry.name()).is("window", &window.name);
        Some(FigureDraft {
            title: format!("People in the last {}", window.name),
            about: "Different people who used the bot, each counted once. Several sidecars each know only their own.",
            unit: Unit::Count,
            query: format!("max({series})"),
            of: None,
            divided: false,
            worse_up: Some(false),
        })
    }

    fn answered(&self) -> Option<FigureDraft> {
        let good = self.labelled(
            "bot_interactions_total",
            "outcome",
            &["answered", "confirmation_requested"],
        )?;
        Some(FigureDraft {
            title: "Answered".into(),
            about: "Messages that got an answer, of all that were asked.",
            unit: Unit::Share,
            query: self.grown(&good),
            of: Some(self.grown(&self.asked()?)),
            divided: true,
            worse_up: Some(false),
        })
    }

    fn satisfaction(&self) -> Option<FigureDraft> {
        let name = "bot_feedback_total";
        let (up, both) = (
            self.labelled(name, "label", &["up"])?,
            self.labelled(name, "label", &["up", "down"])?,
        );
        Some(FigureDraft {
            title: "Thumbs up".into(),
            about: "Of all thumbs that people gave.",
            unit: Unit::Share,
            query: self.grown(&up),
            of: Some(self.grown(&both)),
            divided: true,
            worse_up: Some(false),
        })
    }

    fn resolved(&self) -> Option<FigureDraft> {
        let name = "bot_sessions_total";
        Some(FigureDraft {
            title: "Conversations resolved".into(),
            about: "Conversations that ended with an answer or a thumb up, of all that ended.",
            unit: Unit::Share,
            query: self.grown(&self.labelled(name, "resolution", &["confirmed", "implied"])?),
            of: Some(self.grown(&self.series(name)?)),
            divided: true,
            worse_up: Some(false),
        })
    }

    fn time(&self) -> Option<FigureDraft> {
        let name = "bot_interaction_duration_seconds";
        let entry = self.catalogue.find(name)?;
        let MetricKind::Histogram { bounds, .. } = &entry.metric.kind else { return None };
        if bounds.is_empty() {
            return None;
        }
        let buckets = self.any(&format!("{name}_bucket"));
        Some(FigureDraft {
            title: "Time to reply, nine of ten".into(),
            about: "Nine of ten messages were answered within this time.",
            unit: Unit::Seconds,
            query: format!("histogram_quantile(0.9, {})", self.grown_by("le", &buckets)),
            of: Some(self.grown(&observations::of(&buckets, entry))),
            divided: false,
            worse_up: Some(true),
        })
    }

    fn cost(&self) -> Option<FigureDraft> {
        Some(FigureDraft {
            title: "Model cost".into(),
            about: "At list price, before discounts for cached input.",
            unit: Unit::Usd,
            query: self.grown(&self.series("bot_cost_usd_total")?),
            of: None,
            divided: false,
            worse_up: Some(true),
        })
    }

    fn cost_each(&self) -> Option<FigureDraft> {
        let answered = self.labelled("bot_interactions_total", "outcome", &["answered"])?;
        Some(FigureDraft {
            title: "Cost of an answer".into(),
            about: "Model cost, shared among the messages that were answered.",
            unit: Unit::Usd,
            query: self.grown(&self.series("bot_cost_usd_total")?),
            of: Some(self.grown(&answered)),
            divided: true,
            worse_up: Some(true),
        })
    }

    fn tables(&self) -> Vec<TableDraft> {
        let table = |title: &str,
                     (name, label): (&str, &str),
                     heading,
                     columns: Vec<Option<Column>>| {
            self.catalogue.find(name)?.label(label)?;
            let columns = columns.into_iter().flatten().collect();
            Some(TableDraft { title: title.to_owned(), label: label.to_owned(), heading, columns })
        };
        let by = |title, unit, label: &str, series: Option<Selector>, of: Option<Selector>| {
            let query = self.grown_by(label, &series?);
            Some(Column { title, unit, query, of: of.map(|of| self.grown_by(label, &of)) })
        };
        let (messages, tools, models) =
            ("bot_interactions_total", "bot_tool_calls_total", "bot_model_calls_total");
        let failed = self.labelled(messages, "outcome", &["error", "timeout"]);
        let broken = self.labelled(tools, "outcome", &["declared_error", "transport_error"]);
        let all = [
            table(
                "What people asked about",
                (messages, "feature"),
                "Feature",
                vec![
                    by("Messages", Unit::Count, "feature", self.asked(), None),
                    by("Failed", Unit::Share, "feature", failed, self.asked()),
                ],
            ),
            table(
                "How messages ended",
                (messages, "outcome"),
                "Outcome",
                vec![by("Messages", Unit::Count, "outcome", self.series(messages), None)],
            ),
            table(
                "Models",
                (models, "model"),
                "Model",
                vec![
                    by("Calls", Unit::Count, "model", self.series(models), None),
                    by("Tokens", Unit::Count, "model", self.series("bot_tokens_total"), None),
                    by("Cost", Unit::Usd, "model", self.series("bot_cost_usd_total"), None),
                ],
            ),
            table(
                "Tools",
                (tools, "tool"),
                "Tool",
                vec![
                    by("Calls", Unit::Count, "tool", self.series(tools), None),
                    by("Failed", Unit::Share, "tool", broken, self.series(tools)),
                ],
            ),
            table(
                "Refused for lack of rights",
                ("bot_authorization_denials_total", "reason"),
                "Reason",
                vec![by(
                    "Requests",
                    Unit::Count,
                    "reason",
                    self.series("bot_authorization_denials_total"),
                    None,
                )],
            ),
        ];
        all.into_iter().flatten().collect()
    }

    fn checks(&self) -> Vec<Check> {
        let own = |name: &str| self.grown(&self.any(name));
        vec![
            Check {
                query: own("oscar_metrics_rejected_items_total"),
                says: "items of telemetry could not be counted",
            },
            Check {
                query: own("oscar_metrics_refused_requests_total"),
                says: "requests of telemetry were refused",
            },
            Check {
                query: own("oscar_metrics_series_overflow_total"),
                says: "updates went to `other`, because a limit was reached",
            },
        ]
    }

    fn objective(&self, objective: &Objective) -> Option<ObjectiveDraft> {
        let Events { all, bad } =
            objective_events(self.catalogue, objective, &self.range, self.matchers)?;
        Some(ObjectiveDraft { name: objective.name.clone(), target: objective.target, bad, all })
    }
}

//! What a config says, as generators and reports ask for it: metrics by name, labels over all parts, what is common to all.

use engine::model::OTHER;
use engine::rules::definition::{Definitions, From, Metric, MetricKind, Source};

use super::content::{Content, Names};
use super::settings::{Alerting, Objective, Presentation, Settings};

/// A config, read for what is made from it.
#[derive(Debug)]
pub struct Catalogue<'s> {
    /// All metrics, in the order of the config.
    pub metrics: Vec<Entry<'s>>,
    /// What the bot promises.
    pub objectives: &'s [Objective],
    /// What alerts and boards need to know that no metric says.
    pub alerting: &'s Alerting,
    /// What people look at.
    pub content: &'s Content,
    /// Names of the labels that every derived metric has unless it takes them away.
    pub common: &'s [String],
}

/// A metric.
#[derive(Debug)]
pub struct Entry<'s> {
    /// As the rules have it.
    pub metric: &'s Metric,
    /// How it is shown.
    pub shown: &'s Presentation,
    /// Whether it is made of senders' own data points.
    pub from_points: bool,
    /// Its labels over all parts, the common ones too, each once.
    pub labels: Vec<Label<'s>>,
}

/// A label of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label<'s> {
    /// Its name.
    pub name: &'s str,
    /// All values there can be but `other`; none: it is open-ended.
    pub values: Option<Vec<&'s str>>,
    /// How many values an open-ended one may have.
    pub limit: Option<usize>,
}

impl<'s> Catalogue<'s> {
    /// Reads settings.
    pub fn new(settings: &'s Settings) -> Self {
        let shown = settings.definitions.metrics.iter().zip(&settings.presentations);
        let entry = |(metric, shown): (&'s Metric, &'s Presentation)| {
            let from_points = reads_points(&settings.definitions, &metric.from);
            Entry { metric, shown, from_points, labels: labels(metric) }
        };
        let metrics = shown.map(entry).collect();
        let Settings { objectives, alerting, content, common, .. } = settings;
        Self { metrics, objectives, alerting, content, common }
    }

    /// The metric of this name.
    pub fn find(&self, name: &str) -> Option<&Entry<'s>> {
        self.metrics.iter().find(|entry| entry.name() == name)
    }

    /// The metrics of this role, in the order of the config.
    pub fn of_role<'c>(&'c self, role: &'c str) -> impl Iterator<Item = &'c Entry<'s>> {
        self.metrics.iter().filter(move |entry| entry.role() == role)
    }

    /// What people call the values of a metric's label.
    pub fn value_names(&self, metric: &str, label: &str) -> Option<&'s Names> {
        let of =
            |metric: &str| self.content.value_names.get(&(metric.to_owned(), label.to_owned()));
        of(metric).or_else(|| of(""))
    }

    /// Whether the operator declares it, and no built-in pack.
    pub fn is_own(&self, entry: &Entry<'_>) -> bool {
        self.content.own_metrics.contains(entry.name())
    }

    /// The counter that says how much the bot is used: the first of role `usage`, else of `traffic`, else the first of any.
    pub fn headline(&self) -> Option<&Entry<'s>> {
        let counter = |entry: &&Entry<'_>| entry.kind() == "counter";
        let of =
            |role| self.metrics.iter().filter(move |entry| entry.shown.role == role).find(counter);
        of("usage").or_else(|| of("traffic")).or_else(|| self.metrics.iter().find(counter))
    }

    /// Whether a label is one that all metrics have.
    pub fn is_common(&self, label: &str) -> bool {
        self.common.iter().any(|common| common == label)
    }
}

impl<'s> Entry<'s> {
    /// Its name.
    pub fn name(&self) -> &'s str {
        self.metric.name.as_str()
    }

    /// What people call it: its title, else words made from its name.
    pub fn title(&self) -> String {
        if !self.shown.title.is_empty() {
            return self.shown.title.clone();
        }
        let name = self.name();
        let name = name.strip_suffix("_total").unwrap_or(name);
        let unit = format!("_{}", self.metric.unit);
        let name = name.strip_suffix(&unit).filter(|_| unit.len() > 1).unwrap_or(name);
        let words = name.replace(['_', ':'], " ");
        let mut letters = words.trim().chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    }

    /// What it is about: its role, else what its kind and unit suggest.
    pub fn role(&self) -> &str {
        match (&*self.shown.role, &self.metric.kind, &*self.shown.unit) {
            ("", _, "usd") => "cost",
            ("", MetricKind::Distinct { .. }, _) => "usage",
            ("", MetricKind::Histogram { .. }, "seconds") => "latency",
            ("", ..) => "traffic",
            (role, ..) => role,
        }
    }

    /// The config's word for its type.
    pub fn kind(&self) -> &'static str {
        match self.metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram { .. } => "histogram",
            MetricKind::Distinct { .. } => "distinct",
        }
    }

    /// Whether a histogram has `_count` in every format. OpenMetrics leaves it out together with the sum: where senders may keep
    /// none, and where bounds are below 0.
    pub fn has_count(&self) -> bool {
        let may_fall = match &self.metric.kind {
            MetricKind::Histogram { bounds, .. } => bounds.iter().any(|bound| *bound < 0.0),
            _ => false,
        };
        !may_fall && !self.from_points
    }

    /// The label of this name.
    pub fn label(&self, name: &str) -> Option<&Label<'s>> {
        self.labels.iter().find(|label| label.name == name)
    }

    /// Whether a label may have this value.
    pub fn may_be(&self, label: &str, value: &str) -> bool {
        match self.label(label).map(|label| &label.values) {
            Some(Some(values)) => value == OTHER || values.contains(&value),
            Some(None) => true,
            None => false,
        }
    }
}

/// Whether data points are among the records.
fn reads_points(definitions: &Definitions, from: &[From]) -> bool {
    from.iter().any(|one| match one {
        From::Source(source) => *source == Source::Datapoint,
        // `check` refuses classes that read each other in a circle.
        From::Record(class) => definitions
            .records
            .get(*class)
            .is_some_and(|class| reads_points(definitions, &class.from)),
    })
}

/// The labels over all parts: closed where each part that has it closes it.
fn labels(metric: &Metric) -> Vec<Label<'_>> {
    let mut all: Vec<Label<'_>> = Vec::new();
    for label in metric.parts.iter().flat_map(|part| &part.labels) {
        let values = label.known();
        match all.iter_mut().find(|known| known.name == label.name.as_str()) {
            None => all.push(Label { name: label.name.as_str(), values, limit: label.limit }),
            Some(known) => {
                known.limit = known.limit.or(label.limit);
                known.values = known.values.take().zip(values).map(|(mut one, other)| {
                    one.extend(
                        other
                            .iter()
                            .filter(|value| !one.contains(value))
                            .copied()
                            .collect::<Vec<_>>(),
                    );
                    one
                });
            }
        }
    }
    all
}

//! How many label sets a config may make, before anything is counted.

use engine::limits::Limits;
use engine::rules::definition::{Label, Metric, MetricKind};

/// The label sets of all metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Budget {
    /// Each metric, in the order of the definitions.
    pub metrics: Vec<MetricBudget>,
    /// Sets that exist from boot, of all metrics.
    pub declared: usize,
    /// `limits.series`.
    pub series: usize,
    /// `limits.series_per_metric`.
    pub series_per_metric: usize,
}

/// The label sets of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricBudget {
    /// Its name.
    pub name: String,
    /// Its type, in the config's word.
    pub kind: &'static str,
    /// Its labels, over all parts.
    pub labels: Vec<(String, Dimension)>,
    /// Sets of enumerated values: all there are, or what each combination of open-ended values brings.
    pub sets: usize,
    /// Whether there is an open-ended label.
    pub open: bool,
}

/// How many values a label may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// So many, `other` not counted.
    Enumerated(usize),
    /// Whatever comes, up to a limit.
    Open(Option<usize>),
}

/// Counts the label sets of some metrics.
pub(super) fn of(metrics: &[Metric], limits: &Limits) -> Budget {
    let metrics: Vec<MetricBudget> = metrics.iter().map(metric).collect();
    let closed = metrics.iter().filter(|metric| !metric.open).map(|metric| metric.sets);
    Budget {
        declared: closed.fold(0, usize::saturating_add),
        metrics,
        series: limits.series,
        series_per_metric: limits.series_per_metric,
    }
}

fn metric(metric: &Metric) -> MetricBudget {
    let product = |labels: &[Label]| {
        let sizes = labels.iter().filter_map(Label::known).map(|values| values.len().max(1));
        sizes.fold(1, usize::saturating_mul)
    };
    let mut shapes: Vec<&[Label]> = Vec::new();
    let mut labels: Vec<(String, Dimension)> = Vec::new();
    for part in &metric.parts {
        if !shapes.contains(&&*part.labels) {
            shapes.push(&part.labels);
        }
        for label in &part.labels {
            if !labels.iter().any(|(name, _)| name == label.name.as_str()) {
                labels.push((label.name.as_str().to_owned(), dimension(metric, label)));
            }
        }
    }
    MetricBudget {
        name: metric.name.as_str().to_owned(),
        kind: match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram { .. } => "histogram",
            MetricKind::Distinct { .. } => "distinct",
        },
        open: labels.iter().any(|(_, dimension)| matches!(dimension, Dimension::Open(_))),
        sets: shapes.into_iter().map(product).fold(0, usize::saturating_add),
        labels,
    }
}

/// The values of a label over all parts that have it.
fn dimension(metric: &Metric, label: &Label) -> Dimension {
    let same = metric.parts.iter().flat_map(|part| &part.labels);
    let mut values = std::collections::HashSet::new();
    for label in same.filter(|other| other.name == label.name) {
        match label.known() {
            Some(known) => values.extend(known),
            None => return Dimension::Open(label.limit),
        }
    }
    Dimension::Enumerated(values.len())
}

//! Names in an exposition: no two metrics may claim the same one.

use std::collections::HashMap;

use engine::rules::definition::{Metric, MetricKind};

use super::super::budget::Budget;
use super::super::diagnostic::Place;
use super::Resolver;

/// Every name a metric claims: its family in OpenMetrics, its samples in all formats (OpenMetrics 1.0, "Suffixes").
fn claims(metric: &Metric) -> Vec<String> {
    let name = metric.name.as_str();
    let with = |base: &str, suffixes: &[&str]| {
        suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect()
    };
    match &metric.kind {
        MetricKind::Counter => {
            with(name.strip_suffix("_total").unwrap_or(name), &["", "_total", "_created"])
        }
        MetricKind::Gauge => with(name, &[""]),
        MetricKind::Histogram { .. } => with(name, &["", "_bucket", "_count", "_sum", "_created"]),
        MetricKind::Distinct { .. } => {
            with(name, &["", "_register", "_new", "_new_total", "_new_created"])
        }
    }
}

impl Resolver<'_, '_, '_> {
    /// Faults for metrics that claim a name of another one.
    pub(super) fn families(&mut self, metrics: &[Metric]) {
        let places = self.metric_places();
        let place = |name: &str| places.get(name).copied().unwrap_or_default();
        let mut taken: HashMap<String, &str> = HashMap::new();
        for metric in metrics {
            let name = metric.name.as_str();
            let claims = claims(metric);
            let clash = claims.iter().find_map(|claim| Some((claim, *taken.get(claim)?)));
            if let Some((claim, other)) = clash {
                let message = format!("`{name}` and `{other}` both claim the name `{claim}`");
                let fault = self.report.error(place(name), message);
                fault.also(place(other), "the other one").help("give one of them another name");
            }
            for claim in claims {
                taken.entry(claim).or_insert(name);
            }
        }
    }

    /// Faults for metrics that declare more label sets than may be.
    pub(super) fn budget(&mut self, budget: &Budget) {
        let places = self.metric_places();
        let place = |name: &str| places.get(name).copied().unwrap_or_default();
        let most = budget.series_per_metric;
        for metric in budget.metrics.iter().filter(|metric| metric.sets > most) {
            let name = &metric.name;
            let message = format!(
                "`{name}` declares {} label sets: `limits.series_per_metric` is {most}",
                metric.sets
            );
            let help = "drop a label or some `values`, or raise the limit";
            self.report.error(place(name), message).help(help);
        }
        if budget.declared > budget.series {
            let at = self.root.get("metrics").map_or(Place::default(), |node| node.at);
            let at = Place { end: at.start, ..at };
            let message = format!(
                "all metrics declare {} label sets: `limits.series` is {}",
                budget.declared, budget.series
            );
            self.report.error(at, message).help("drop labels, or raise the limit");
        }
    }

    /// Where each metric stands, those that failed to resolve included.
    pub(super) fn metric_places(&self) -> HashMap<String, Place> {
        self.section("metrics").iter().map(|entry| (entry.key.clone(), entry.at)).collect()
    }
}

//! Names in an exposition: no two metrics may claim the same one.

use std::collections::HashMap;

use engine::model::{Claims, Clash, Kind, claims};
use engine::rules::definition::{Metric, MetricKind};

use super::super::budget::Budget;
use super::super::diagnostic::Place;
use super::Resolver;

/// Name and kind of each family that a metric is shown by.
fn families(metric: &Metric) -> Vec<(String, Kind)> {
    let name = metric.name.as_str();
    let kind = match &metric.kind {
        MetricKind::Counter => Kind::Counter,
        MetricKind::Gauge => Kind::Gauge,
        MetricKind::Histogram { .. } => Kind::Histogram,
        MetricKind::Distinct { .. } => return claims::distinct(name).into(),
    };
    vec![(name.into(), kind)]
}

impl Resolver<'_, '_, '_> {
    /// Faults for metrics that claim a name of another one, or a reserved one.
    pub(super) fn families(&mut self, metrics: &[Metric]) {
        let places = self.metric_places();
        let place = |name: &str| places.get(name).copied().unwrap_or_default();
        let mut claims = Claims::default();
        for metric in metrics {
            let name = metric.name.as_str();
            for (family, kind) in families(metric) {
                match claims.take(&family, kind, name) {
                    Ok(()) => {}
                    Err(Clash::Held(claim, other)) => {
                        let message =
                            format!("`{name}` and `{other}` both claim the name `{claim}`");
                        let fault = self.report.error(place(name), message);
                        fault.also(place(other), "the other one");
                        fault.help("give one of them another name");
                    }
                    Err(Clash::Reserved(claim, owner)) => {
                        let message =
                            format!("`{name}` claims the name `{claim}`, reserved for {owner}");
                        self.report.error(place(name), message).help("give it another name");
                    }
                }
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

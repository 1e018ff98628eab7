//! What Prometheus can have: the config's metrics, the sidecar's own, what rules record, and what Prometheus itself adds.

use std::collections::{BTreeMap, BTreeSet};

use content::{Catalogue, Product, recorded};
use engine::rules::definition::{MetricKind, Native};
use engine::series::FamilyCount;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use server::self_metrics::Telemetry;

/// Names with their labels.
pub struct Known {
    all: BTreeMap<String, BTreeSet<String>>,
    counters: BTreeSet<String>,
    /// Which metric of the config a name belongs to.
    of: BTreeMap<String, String>,
}

impl Known {
    pub fn new(catalogue: &Catalogue<'_>) -> Self {
        let mut known =
            Self { all: BTreeMap::new(), counters: BTreeSet::new(), of: BTreeMap::new() };
        known.configured(catalogue);
        known.own();
        known.recorded(catalogue);
        for name in
            ["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_series_added"]
        {
            known.add(name, []);
        }
        known.add("ALERTS", ["alertname", "alertstate", "severity"]);
        known
    }

    /// The labels a name's series can have; none: there is no such name.
    pub fn labels(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.all.get(name)
    }

    pub fn is_counter(&self, name: &str) -> bool {
        self.counters.contains(name)
    }

    /// The metric of the config behind a name.
    pub fn metric(&self, name: &str) -> Option<&str> {
        self.of.get(name).map(String::as_str)
    }

    fn add<'l>(&mut self, name: &str, labels: impl IntoIterator<Item = &'l str>) {
        let all = labels.into_iter().chain(["job", "instance"]).map(str::to_owned);
        self.all.insert(name.to_owned(), all.collect());
    }

    fn configured(&mut self, catalogue: &Catalogue<'_>) {
        for entry in &catalogue.metrics {
            let labels: Vec<&str> = entry.labels.iter().map(|label| label.name).collect();
            let suffixes: &[(&str, &[&str], bool)] = match entry.metric.kind {
                MetricKind::Counter => &[("", &[], true)],
                MetricKind::Gauge => &[("", &[], false)],
                MetricKind::Histogram { native: Native::Only, .. } => &[("", &[], true)],
                MetricKind::Histogram { .. } => {
                    &[("_bucket", &["le"], true), ("_count", &[], true), ("_sum", &[], true)]
                }
                MetricKind::Distinct { .. } => &[
                    ("", &["window"], false),
                    ("_new_total", &[], true),
                    ("_register", &["key", "register"], false),
                ],
            };
            for (suffix, more, counter) in suffixes {
                let name = format!("{}{suffix}", entry.name());
                self.add(&name, labels.iter().chain(*more).copied());
                if *counter {
                    self.counters.insert(name.clone());
                }
                self.of.insert(name, entry.name().to_owned());
            }
        }
    }

    fn own(&mut self) {
        let counters = std::sync::Arc::<engine::counters::Counters>::default();
        let telemetry = Telemetry::new("0", counters.clone(), Timestamp(0));
        counters.declare([("m", engine::rules::SkipReason::ALL[0])], ["r"]);
        telemetry.target("host:1", &Signal::ALL);
        let series = vec![FamilyCount { name: "m".into(), series: 1, overflow: 0 }];
        let state = engine::pipeline::State { series, ..Default::default() };
        for family in telemetry.gather(&state) {
            let name = family.family.name.as_str().to_owned();
            let labels = family
                .rows
                .iter()
                .flat_map(|row| row.labels.0.iter())
                .map(|(name, _)| name.as_str().to_owned());
            let labels: Vec<String> = labels.collect();
            self.add(&name, labels.iter().map(String::as_str));
            if name.ends_with("_total") {
                self.counters.insert(name);
            }
        }
    }

    fn recorded(&mut self, catalogue: &Catalogue<'_>) {
        let by = recorded::by(catalogue);
        let mut names: Vec<String> = Vec::new();
        for entry in &catalogue.metrics {
            let name = entry.name();
            names.push(recorded::increase(catalogue, name, "1h"));
            names.push(recorded::expected(catalogue, name));
            names.push(recorded::expected_upper(catalogue, name));
            names.push(recorded::expected_lower(catalogue, name));
            if let MetricKind::Distinct { windows, .. } = &entry.metric.kind {
                names.extend(
                    windows.iter().map(|window| recorded::distinct(catalogue, name, &window.name)),
                );
            }
        }
        let made = made(catalogue);
        let made = |name: &&String| made.is_empty() || made.contains(*name);
        names.iter().filter(made).for_each(|name| self.add(name, by.iter().copied()));
        let windows = ["1h", "6h", "1d", "3d", "7d", "28d"];
        let mut names = vec![recorded::budget_left(catalogue)];
        for window in windows {
            names.push(recorded::objective_events(catalogue, window));
            names.push(recorded::objective_bad(catalogue, window));
            names.push(recorded::budget_spent(catalogue, window));
        }
        let labels = || by.iter().copied().chain(["objective"]);
        names.iter().filter(made).for_each(|name| self.add(name, labels()));
        // A constant of the rules: nobody scraped it.
        let target = recorded::objective_target(catalogue);
        self.all.insert(target, ["objective".to_owned()].into());
    }
}

/// The names that the generated rules record.
fn made(catalogue: &Catalogue<'_>) -> BTreeSet<String> {
    let files = Product::Rules.artifacts(catalogue, &[]);
    let lines = files.iter().flat_map(|file| file.text.lines());
    let name = |line: &str| Some(line.split_once("record: ")?.1.trim().to_owned());
    lines.filter_map(name).collect()
}

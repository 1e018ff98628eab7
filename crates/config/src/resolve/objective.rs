//! `objectives`: what the bot promises, checked against the metrics that tell.

use std::collections::{BTreeSet, HashMap};

use engine::rules::definition::{Metric, MetricKind, Test};
use engine::rules::pattern::Pattern;

use super::super::diagnostic::Place;
use super::super::document::{Entry, Kind, Node};
use super::super::fields::{self, Fields};
use super::super::quantity;
use super::super::settings::{Indicator, Match, Objective, Selection, Traffic};
use super::Resolver;

const KEYS: [&str; 10] = [
    "metric", "bad", "under", "ignore", "good", "total", "target", "window", "expected", "traffic",
];

/// The metrics that objectives may speak of.
struct Known<'m> {
    metrics: &'m [Metric],
    indices: HashMap<&'m str, usize>,
    /// Those that failed to resolve included.
    places: HashMap<String, Place>,
}

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn objectives(&mut self, metrics: &[Metric]) -> Vec<Objective> {
        let indices = metrics.iter().enumerate();
        let indices = indices.map(|(at, metric)| (metric.name.as_str(), at)).collect();
        let known = Known { metrics, indices, places: self.metric_places() };
        let entries = self.section("objectives");
        entries.iter().filter_map(|entry| self.objective(entry, &known)).collect()
    }

    fn objective(&mut self, entry: &'n Entry, metrics: &Known<'_>) -> Option<Objective> {
        let what = format!("the objective `{}`", entry.key);
        let fields = Fields::of(&entry.value, &what, &KEYS, self.report);
        for key in ["target", "window"] {
            if fields.get(key).is_none() {
                let fault = self.report.error(entry.at, format!("{what} lacks `{key}`"));
                fault.help("such as `target: 99%, window: 28d`");
            }
        }
        let target = fields.get("target").and_then(|node| self.target_share(node));
        let window = fields.read("window", fields::positive, self.report);
        let expected = fields.read("expected", fields::number, self.report);
        if let Some(node) = fields.get("expected")
            && expected.is_some_and(|expected| expected <= 0.0)
        {
            self.report.error(node.at, "`expected` is a number of events above 0");
        }
        let words = [("low", Traffic::Low), ("normal", Traffic::Normal)];
        let word = |node: &Node, report: &mut _| fields::word(node, &words, report);
        let traffic = fields.read("traffic", word, self.report);
        let indicator = self.indicator(entry, &fields, metrics);
        Some(Objective {
            name: entry.key.clone(),
            indicator: indicator?,
            target: target?,
            window: window?,
            expected,
            traffic: traffic.unwrap_or_default(),
        })
    }

    fn target_share(&mut self, node: &Node) -> Option<f64> {
        let share = match &node.kind {
            Kind::Text(text) => quantity::share(text).filter(|share| 0.0 < *share && *share < 1.0),
            _ => None,
        };
        if share.is_none() {
            let fault = fields::expected("a share above 0% and below 100%", node, self.report);
            fault.help("such as `99%`: a promise of 100% can't be kept");
        }
        share
    }

    fn indicator(
        &mut self,
        entry: &'n Entry,
        fields: &Fields<'n>,
        metrics: &Known<'_>,
    ) -> Option<Indicator> {
        let has = |key: &str| fields.get(key);
        match (has("metric"), has("bad"), has("under"), has("good"), has("total")) {
            (Some(metric), Some(bad), None, None, None) => {
                let metric = self.metric_word(metric, metrics)?;
                let bad = self.matches(bad, metrics.metrics.get(metric)?);
                let ignore = self.ignored(fields, metrics.metrics.get(metric)?);
                Some(Indicator::Bad { metric, bad, ignore })
            }
            (Some(metric), None, Some(under), None, None) => {
                let metric = self.metric_word(metric, metrics)?;
                let ignore = self.ignored(fields, metrics.metrics.get(metric)?);
                let under = self.edge(under, metrics.metrics.get(metric)?)?;
                Some(Indicator::Under { metric, under, ignore })
            }
            (None, None, None, Some(good), Some(total)) => {
                let good = self.selection(good, metrics);
                let total = self.selection(total, metrics);
                Some(Indicator::Ratio { good: good?, total: total? })
            }
            _ => {
                let message = format!("the objective `{}` doesn't say what is good", entry.key);
                let help =
                    "either `metric` with `bad`, or `metric` with `under`, or `good` with `total`";
                self.report.error(entry.at, message).help(help);
                None
            }
        }
    }

    fn metric_word(&mut self, node: &'n Node, metrics: &Known<'_>) -> Option<usize> {
        let name = fields::text(node, self.report)?;
        self.find_metric(name, node.at, metrics)
    }

    fn ignored(&mut self, fields: &Fields<'n>, metric: &Metric) -> Vec<Match> {
        fields.get("ignore").map(|node| self.matches(node, metric)).unwrap_or_default()
    }

    /// An edge of a histogram: what lies between two edges nobody can tell.
    fn edge(&mut self, node: &'n Node, metric: &Metric) -> Option<f64> {
        let MetricKind::Histogram { bounds, .. } = &metric.kind else {
            let message =
                format!("`under` needs a histogram, and `{}` is none", metric.name.as_str());
            self.report.error(node.at, message);
            return None;
        };
        let under = match &node.kind {
            Kind::Number(_) if metric.unit != "seconds" && metric.unit != "bytes" => {
                fields::number(node, self.report)
            }
            Kind::Text(text) if metric.unit != "seconds" => {
                quantity::bytes(text).or_else(|| fields::number(node, self.report))
            }
            _ => fields::seconds(node, self.report),
        }?;
        if !bounds.contains(&under) && !bounds.is_empty() {
            let distance = |bound: &&f64| (**bound - under).abs();
            let near = bounds.iter().min_by(|one, two| distance(one).total_cmp(&distance(two)));
            let (name, said) = (metric.name.as_str(), node.text_form().unwrap_or_default());
            let unit = if metric.unit == "seconds" { "s" } else { "" };
            let fault =
                self.report.error(node.at, format!("no bucket of `{name}` ends at `{said}`"));
            fault.help = near.map(|near| format!("the nearest edge is `{near}{unit}`"));
        }
        Some(under)
    }

    /// The index of a metric, unless it failed to resolve.
    fn find_metric(&mut self, name: &str, at: Place, known: &Known<'_>) -> Option<usize> {
        if !known.places.contains_key(name) {
            let names = self.section("metrics").iter().map(|entry| &*entry.key);
            let near = self.report.nearest(name, names);
            self.report.error(at, format!("there is no metric `{name}`")).suggest(near);
        }
        known.indices.get(name).copied()
    }

    /// `{METRIC: {LABEL: MATCH}}`.
    fn selection(&mut self, node: &'n Node, metrics: &Known<'_>) -> Option<Selection> {
        let [entry] = node.entries() else {
            fields::expected("a map of one metric", node, self.report)
                .help("such as `{answers_total: {outcome: ok}}`");
            return None;
        };
        let metric = self.find_metric(&entry.key, entry.at, metrics)?;
        let matches = self.matches(&entry.value, metrics.metrics.get(metric)?);
        Some(Selection { metric, matches })
    }

    fn matches(&mut self, node: &'n Node, metric: &Metric) -> Vec<Match> {
        let entries = fields::map(node, "labels and their values", self.report);
        let entries = entries.unwrap_or_default();
        entries.iter().filter_map(|entry| self.label_match(entry, metric)).collect()
    }

    fn label_match(&mut self, entry: &'n Entry, metric: &Metric) -> Option<Match> {
        let labels = || metric.parts.iter().flat_map(|part| &part.labels);
        if !labels().any(|label| label.name.as_str() == entry.key) {
            let names = labels().map(|label| label.name.as_str());
            let near = self.report.nearest(&entry.key, names);
            let message = format!("`{}` has no label `{}`", metric.name.as_str(), entry.key);
            self.report.error(entry.at, message).suggest(near);
            return None;
        }
        let (node, negated) = match entry.value.entries() {
            [not] if not.key == "not" => (&not.value, true),
            _ => (&entry.value, false),
        };
        let test = self.any_of(node)?;
        if let (Test::AnyOf(patterns), Some(values)) = (&test, values(metric, &entry.key)) {
            for (pattern, node) in patterns.iter().zip(fields::one_or_more(node)) {
                self.declared_value(pattern, node, &values, (metric, &entry.key));
            }
        }
        let test = if negated { Test::Not(Box::new(test)) } else { test };
        Some(Match { label: entry.key.clone(), test })
    }

    /// A value that an enumerated label never takes is a slip.
    fn declared_value(
        &mut self,
        pattern: &Pattern,
        node: &Node,
        values: &BTreeSet<&str>,
        (metric, label): (&Metric, &str),
    ) {
        let taken = match pattern {
            Pattern::Exact(text) => values.contains(&**text),
            _ => values.iter().any(|value| pattern.fits(value)),
        };
        if !taken {
            let text = node.text_form().unwrap_or_default();
            let name = metric.name.as_str();
            let near = self.report.nearest(&text, values.iter().copied());
            let message = format!("`{}` is no value of `{label}` in `{name}`", fields::cut(&text));
            let fault = self.report.error(node.at, message);
            fault.help("its values are declared there").suggest(near);
        }
    }
}

/// The values a label may have; none of an open-ended one.
fn values<'m>(metric: &'m Metric, label: &str) -> Option<BTreeSet<&'m str>> {
    let mut values = BTreeSet::from([engine::model::OTHER]);
    let parts = metric.parts.iter().flat_map(|part| &part.labels);
    for label in parts.filter(|one| one.name.as_str() == label) {
        values.extend(label.known()?);
    }
    Some(values)
}

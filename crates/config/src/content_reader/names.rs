//! Names that a query may use: metrics, labels and their values, settings.

use engine::model::LabelName;
use engine::query::{Condition, Measure};
use engine::rules::definition::{MetricKind, Test};
use engine::rules::pattern::Pattern;

use super::super::catalogue;
use super::super::content::fields::{BOUND, CONDITION};
use super::super::document::{Entry, Kind, Node};
use super::super::fields as read;
use super::super::quantity;
use super::super::settings::Indicator;
use super::{Gone, Read, Reader};

/// Whether the sidecar or Prometheus makes this metric.
pub(super) fn is_own(name: &str) -> bool {
    name.starts_with("oscar_metrics_")
        || name.starts_with("process_")
        || name.starts_with("scrape_")
        || name == "up"
}

impl<'n, 'c> Reader<'n, 'c, '_, '_> {
    /// A metric of one of these kinds: its name, and its entry unless it is the sidecar's own.
    pub(super) fn metric(
        &mut self,
        node: &'n Node,
        kinds: &[&str],
    ) -> Read<(String, Option<&'c catalogue::Entry<'c>>)> {
        let name = read::text(node, self.report).ok_or(Gone::Fault)?;
        let Some(entry) = self.catalogue.find(name) else {
            if is_own(name) {
                return Ok((name.to_owned(), None));
            }
            if self.failed.contains(name) {
                return Err(Gone::Fault);
            }
            let catalogue = self.catalogue;
            let names = catalogue.metrics.iter().map(catalogue::Entry::name);
            let near = self.report.nearest(name, names);
            return Err(self.unknown(
                node,
                format!("there is no metric `{}`", read::cut(name)),
                near,
            ));
        };
        if kinds.contains(&entry.kind()) {
            return Ok((name.to_owned(), Some(entry)));
        }
        let wanted = kinds.join(" or a ");
        let message = format!("`{name}` is a {} metric: expected a {wanted}", entry.kind());
        Err(self.unknown(node, message, None))
    }

    /// A label of a metric, checked unless the metric is the sidecar's own.
    pub(super) fn label(&mut self, node: &'n Node, metric: Option<&str>) -> Read<String> {
        let label = read::text(node, self.report).ok_or(Gone::Fault)?;
        self.has_label(node, label, metric)?;
        Ok(label.to_owned())
    }

    fn has_label(&mut self, node: &Node, label: &str, metric: Option<&str>) -> Read<()> {
        if let Err(error) = LabelName::new(label) {
            self.report.error(node.at, error.to_string());
            return Err(Gone::Fault);
        }
        let catalogue = self.catalogue;
        let Some(entry) = metric.and_then(|name| catalogue.find(name)) else { return Ok(()) };
        if entry.label(label).is_some() {
            return Ok(());
        }
        let near = self.report.nearest(label, entry.labels.iter().map(|label| label.name));
        let message = format!("`{}` has no label `{}`", entry.name(), read::cut(label));
        Err(self.unknown(node, message, near))
    }

    /// A condition on a label; none when it holds for every series of the metric.
    pub(super) fn condition(
        &mut self,
        line: &'n Entry,
        metric: Option<&str>,
    ) -> Read<Option<Condition>> {
        let (values, negated) = match &line.value.kind {
            Kind::Map(_) => {
                let fields = self.fields(&line.value, "a condition on a label", &CONDITION);
                (
                    fields
                        .get("not")
                        .ok_or_else(|| self.missing(line.value.at, "a condition", "not"))?,
                    true,
                )
            }
            _ => (&line.value, false),
        };
        let place = Node { at: line.at, ..Node::default() };
        match self.has_label(&place, &line.key, metric) {
            Err(Gone::Absent(_)) if negated => return Ok(None),
            other => other?,
        }
        let mut patterns = Vec::new();
        let mut why = String::new();
        for node in read::one_or_more(values) {
            match self.value(node, &line.key, metric) {
                Ok(pattern) => patterns.push(pattern),
                Err(Gone::Absent(reason)) => why = reason,
                Err(Gone::Fault) => return Err(Gone::Fault),
            }
        }
        match (patterns.is_empty(), negated) {
            (true, true) => Ok(None),
            (true, false) if why.is_empty() => {
                self.report.error(values.at, "an empty list of values matches nothing");
                Err(Gone::Fault)
            }
            (true, false) => Err(Gone::Absent(why)),
            (false, _) => {
                let test = Test::AnyOf(patterns);
                let test = if negated { Test::Not(Box::new(test)) } else { test };
                Ok(Some(Condition { label: line.key.clone(), test }))
            }
        }
    }

    /// A value of a label, a glob or a regular expression.
    fn value(&mut self, node: &Node, label: &str, metric: Option<&str>) -> Read<Pattern> {
        let text = read::scalar(node, self.report).ok_or(Gone::Fault)?;
        let pattern = self.pattern(&text, node)?;
        let catalogue = self.catalogue;
        let Some(entry) = metric.and_then(|name| catalogue.find(name)) else { return Ok(pattern) };
        let values = entry.label(label).and_then(|label| label.values.as_ref());
        let Some(values) = values else { return Ok(pattern) };
        if pattern.fits(engine::model::OTHER) || values.iter().any(|value| pattern.fits(value)) {
            return Ok(pattern);
        }
        let near = self.report.nearest(&text, values.iter().copied());
        let message =
            format!("`{}` is no value of `{label}` in `{}`", read::cut(&text), entry.name());
        Err(self.unknown(node, message, near))
    }

    /// A bucket bound of a histogram: a number, or that of an objective.
    pub(super) fn bound(
        &mut self,
        node: &'n Node,
        name: &str,
        entry: Option<&'c catalogue::Entry<'c>>,
    ) -> Read<f64> {
        let objective = match &node.kind {
            Kind::Map(_) => {
                let fields = self.fields(node, "a bound", &BOUND);
                let name = fields.get("objective").and_then(|node| read::text(node, self.report));
                Some(Some(name.ok_or(Gone::Fault)?))
            }
            Kind::Text(text) if text == "objective" => Some(None),
            _ => None,
        };
        if let Some(wanted) = objective {
            return self.objective_bound(node, name, wanted);
        }
        let bound = self.quantity(node)?;
        let Some(entry) = entry else { return Ok(bound) };
        let MetricKind::Histogram { bounds, .. } = &entry.metric.kind else { return Ok(bound) };
        if bounds.contains(&bound) || bounds.is_empty() {
            return Ok(bound);
        }
        let distance = |edge: &&f64| (**edge - bound).abs();
        let near = bounds.iter().min_by(|one, two| distance(one).total_cmp(&distance(two)));
        let text = node.text_form().unwrap_or_default();
        let near = near.map(|near| format!("; the nearest bound is {near}")).unwrap_or_default();
        Err(self.unknown(node, format!("no bucket of `{name}` ends at `{text}`{near}"), None))
    }

    fn objective_bound(&mut self, node: &Node, metric: &str, wanted: Option<&str>) -> Read<f64> {
        let catalogue = self.catalogue;
        let found = catalogue.objectives.iter().find_map(|objective| match objective.indicator {
            Indicator::Under { metric: at, under, .. } => {
                let same = catalogue.metrics.get(at).is_some_and(|entry| entry.name() == metric);
                (same && wanted.is_none_or(|name| name == objective.name)).then_some(under)
            }
            _ => None,
        });
        let what = wanted
            .map_or_else(|| "no objective".to_owned(), |name| format!("no objective `{name}`"));
        found.ok_or_else(|| self.unknown(node, format!("{what} with `under` on `{metric}`"), None))
    }

    /// A number, a share, a time, a size, or the value of a setting.
    pub(super) fn quantity(&mut self, node: &Node) -> Read<f64> {
        let Kind::Text(text) = &node.kind else {
            return read::number(node, self.report).ok_or(Gone::Fault);
        };
        let number = quantity::share(text)
            .or_else(|| quantity::seconds(text))
            .or_else(|| quantity::bytes(text));
        match number {
            Some(number) => Ok(number),
            None => self.setting(text, node),
        }
    }

    /// The value of a setting of `alerting`.
    pub(super) fn setting(&mut self, name: &str, node: &Node) -> Read<f64> {
        let alerting = self.catalogue.alerting;
        let found = match name {
            "slots" => alerting.slots.map(|slots| slots as f64),
            "cost_per_day" => alerting.cost_per_day,
            _ => {
                read::expected(
                    "a number, a share, a time, a size, `slots` or `cost_per_day`",
                    node,
                    self.report,
                );
                return Err(Gone::Fault);
            }
        };
        // A setting may be left unset anywhere: then there is no such alert.
        found.ok_or_else(|| Gone::Absent(format!("`alerting.{name}` is not set")))
    }

    /// The counter that says how much the bot is used.
    pub(super) fn headline(&self) -> Read<Measure> {
        match self.catalogue.headline() {
            Some(entry) => Ok(Measure::Count(entry.name().to_owned())),
            None => Err(Gone::Absent("there is no counter".to_owned())),
        }
    }
}

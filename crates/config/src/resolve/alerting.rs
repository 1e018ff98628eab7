//! `alerting`: what generated alerts need to know that no metric tells.

use engine::model::LabelName;

use super::super::document::{Entry, Node};
use super::super::fields::{self, Fields};
use super::super::settings::Alerting;
use super::Resolver;

const KEYS: [&str; 5] = ["runbooks", "grafana", "labels", "slots", "cost_per_day"];

/// Where the runbooks of this project are read.
const RUNBOOKS: &str =
    "https://github.com/opensearch-project/oscar-metrics/blob/main/dashboards/rules/runbooks.md";

/// Labels that alerts have of themselves.
const RESERVED: [&str; 4] = ["alertname", "severity", "kind", "objective"];

impl<'n> Resolver<'n, '_, '_> {
    pub(super) fn alerting(&mut self) -> Alerting {
        let mut alerts = Alerting { runbooks: RUNBOOKS.to_owned(), ..Alerting::default() };
        let Some(node) = self.root.get("alerting") else { return alerts };
        let fields = Fields::of(node, "`alerting`", &KEYS, self.report);
        alerts.runbooks = self.address_of(&fields, "runbooks").unwrap_or(alerts.runbooks);
        alerts.grafana = self.address_of(&fields, "grafana");
        let labels = fields.get("labels").and_then(|labels| {
            fields::map(labels, "labels and their values", self.report).map(<[Entry]>::to_vec)
        });
        let labels = labels.unwrap_or_default();
        alerts.labels = labels.iter().filter_map(|entry| self.alert_label(entry)).collect();
        let slot = |node: &Node, report: &mut _| fields::count(node, 1, report);
        alerts.slots = fields.read("slots", slot, self.report);
        alerts.cost_per_day = fields.get("cost_per_day").and_then(|node| self.above_zero(node));
        alerts
    }

    /// An address on the web, without a slash at its end.
    fn address_of(&mut self, fields: &Fields<'n>, key: &str) -> Option<String> {
        let node = fields.get(key)?;
        let text = fields::text(node, self.report)?;
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.contains(char::is_whitespace)) {
            let fault = fields::expected("an address on the web", node, self.report);
            fault.help("such as `https://example.org/runbooks`: people follow it from a message");
            return None;
        }
        Some(text.trim_end_matches('/').to_owned())
    }

    fn alert_label(&mut self, entry: &Entry) -> Option<(String, String)> {
        let value = fields::scalar(&entry.value, self.report)?;
        if RESERVED.contains(&&*entry.key) {
            let message = format!("alerts have a label `{}` of their own", entry.key);
            self.report.error(entry.at, message).help("call it otherwise");
            return None;
        }
        if let Err(error) = LabelName::new(&entry.key) {
            self.report.error(entry.at, error.to_string());
            return None;
        }
        Some((entry.key.clone(), value))
    }

    fn above_zero(&mut self, node: &Node) -> Option<f64> {
        let number = fields::number(node, self.report)?;
        if number <= 0.0 {
            self.report.error(node.at, "expected a number above 0");
            return None;
        }
        Some(number)
    }
}

//! Groups of rules, and how they are written.

use crate::Artifact;
use config::Alerting;

use super::alert::Alert;
use super::yaml::{self, File};

/// A recorded series.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// What it is.
    pub expr: String,
    /// Labels that it gets beside.
    pub labels: Vec<(&'static str, String)>,
}

impl Record {
    /// A recorded series.
    pub fn new(name: impl Into<String>, expr: impl Into<String>) -> Self {
        Self { name: name.into(), expr: expr.into(), labels: Vec::new() }
    }

    /// With a label.
    pub fn labelled(mut self, name: &'static str, value: &str) -> Self {
        self.labels.push((name, value.to_owned()));
        self
    }
}

/// Recorded series that are evaluated together, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// How often.
    pub interval: &'static str,
    /// Its series.
    pub records: Vec<Record>,
}

/// How often alerts are looked at.
const INTERVAL: &str = "1m";

/// A file of rules: recorded series, then alerts.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Its name without `.yaml`; that of its group of alerts too, with `oscar-metrics-` in front.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The heading of its runbooks.
    pub heading: &'static str,
    /// Recorded series, in the order in which they need each other.
    pub groups: Vec<Group>,
    /// Its alerts.
    pub alerts: Vec<Alert>,
}

impl RuleFile {
    /// The name of its group of alerts.
    pub fn group(&self) -> String {
        format!("oscar-metrics-{}", self.name)
    }

    /// Where it lies.
    pub fn path(&self) -> String {
        format!("{}.yaml", self.name)
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.alerts.is_empty()
    }

    /// The file.
    pub fn artifact(&self, settings: &Alerting) -> Artifact {
        let mut file = File::new(self.about, "rules");
        file.line(0, "groups:");
        for group in &self.groups {
            recorded(&mut file, group);
        }
        if !self.alerts.is_empty() {
            file.line(1, &format!("- name: {}", self.group()));
            file.line(2, &format!("interval: {INTERVAL}"));
            file.line(2, "rules:");
            self.alerts.iter().for_each(|alert| rule(&mut file, alert, settings));
        }
        Artifact::new(self.path(), file.end())
    }
}

fn recorded(file: &mut File, group: &Group) {
    file.line(1, &format!("# {}", group.about));
    file.line(1, &format!("- name: {}", group.name));
    file.line(2, &format!("interval: {}", group.interval));
    file.line(2, "rules:");
    for record in &group.records {
        file.pair(3, "- record", &record.name);
        file.block(4, "expr", &record.expr);
        if !record.labels.is_empty() {
            file.line(4, "labels:");
            for (name, value) in &record.labels {
                file.line(5, &format!("{name}: {}", yaml::quoted(value)));
            }
        }
    }
}

fn rule(file: &mut File, alert: &Alert, settings: &Alerting) {
    file.pair(3, "- alert", &alert.name);
    file.block(4, "expr", &alert.expr);
    for (key, time) in [("for", &alert.hold), ("keep_firing_for", &alert.keep)] {
        if !time.is_empty() {
            file.line(4, &format!("{key}: {time}"));
        }
    }
    file.line(4, "labels:");
    for (name, value) in labels(alert, settings) {
        file.pair(5, &name, &value);
    }
    file.line(4, "annotations:");
    for (name, text) in annotations(alert, settings) {
        file.line(5, &format!("{name}: {}", yaml::quoted(&alert.template(&text))));
    }
}

/// The labels that an alert adds.
pub fn labels(alert: &Alert, settings: &Alerting) -> Vec<(String, String)> {
    let own = [("severity", alert.severity.word()), ("kind", alert.kind.word())];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own.into_iter().chain(settings.labels.iter().cloned()).collect()
}

/// Its annotations, not yet filled in.
pub fn annotations(alert: &Alert, settings: &Alerting) -> [(&'static str, String); 4] {
    let heading = alert.name.to_lowercase();
    let grafana = settings.grafana.as_deref().unwrap_or_default();
    [
        ("summary", alert.summary.clone()),
        ("description", alert.description.clone()),
        ("runbook_url", format!("{}#{heading}", settings.runbooks)),
        ("dashboard_url", format!("{grafana}/d/{}", alert.board)),
    ]
}

//! The unit tests of alerts, as promtool reads them ("Unit Testing for Rules" of the Prometheus documentation).

use crate::Artifact;
use crate::promql::Selector;
use config::Alerting;

use super::alert::Alert;
use super::case::Case;
use super::group::{self, RuleFile};
use super::yaml::{self, File};

/// The tests of a file of alerts, one file for each distance of evaluations: weeks are not gone through by the minute. `beside`
/// are files whose recorded series it reads.
pub fn artifacts(rules: &RuleFile, beside: &[&RuleFile], settings: &Alerting) -> Vec<Artifact> {
    let paces = ["1m", "5m", "30m"];
    paces.iter().filter_map(|pace| artifact(rules, beside, settings, pace)).collect()
}

fn artifact(
    rules: &RuleFile,
    beside: &[&RuleFile],
    settings: &Alerting,
    pace: &str,
) -> Option<Artifact> {
    let mut cases = rules
        .alerts
        .iter()
        .flat_map(|alert| alert.cases.iter().map(move |case| (alert, case)))
        .filter(|(_, case)| case.pace() == pace)
        .peekable();
    cases.peek()?;
    let path = format!("tests/{}-{pace}.yaml", rules.name);
    let what = format!(
        "Each alert of {} fires when it should, and stays silent in the cases that fool naive rules.\n\
         promtool test rules {path}",
        rules.path()
    );
    let mut file = File::new(&what, "rules");
    file.line(0, "rule_files:");
    for one in beside.iter().chain([&rules]) {
        file.line(1, &format!("- ../{}", one.path()));
    }
    file.line(0, &format!("evaluation_interval: {pace}"));
    file.line(0, "group_eval_order:");
    for group in beside.iter().chain([&rules]).flat_map(|file| &file.groups) {
        file.line(1, &format!("- {}", group.name));
    }
    file.line(1, &format!("- {}", rules.group()));
    file.line(0, "tests:");
    cases.for_each(|(alert, case)| test(&mut file, alert, case, settings));
    Some(Artifact::new(path, file.end()))
}

fn test(file: &mut File, alert: &Alert, case: &Case, settings: &Alerting) {
    let verdict = if case.fires.is_empty() { "stays silent" } else { "fires" };
    let name = format!("{} {verdict}: {}", alert.name, case.what);
    file.line(1, &format!("- name: {}", yaml::quoted(&name)));
    file.line(2, &format!("interval: {}", case.interval));
    file.line(2, if case.series.is_empty() { "input_series: []" } else { "input_series:" });
    for (series, values) in &case.series {
        file.line(3, &format!("- series: {}", single(series)));
        file.line(4, &format!("values: {}", single(values)));
    }
    match &case.only {
        None => expected_alerts(file, alert, case, settings),
        Some((label, value)) => {
            let firing = firing(alert).is(label, value);
            file.line(2, "promql_expr_test:");
            file.line(3, &format!("- expr: {}", single(&firing.to_string())));
            file.line(4, &format!("eval_time: {}", case.at));
            expected_samples(file, alert, case, settings);
        }
    }
}

/// All alerts of the name, with all that they say.
fn expected_alerts(file: &mut File, alert: &Alert, case: &Case, settings: &Alerting) {
    file.line(2, "alert_rule_test:");
    file.line(3, &format!("- eval_time: {}", case.at));
    file.line(4, &format!("alertname: {}", alert.name));
    file.line(4, if case.fires.is_empty() { "exp_alerts: []" } else { "exp_alerts:" });
    for firing in &case.fires {
        file.line(5, "- exp_labels:");
        let own = group::labels(alert, settings);
        for (name, value) in own.iter().chain(&firing.labels) {
            file.line(7, &format!("{name}: {}", yaml::quoted(value)));
        }
        file.line(6, "exp_annotations:");
        for (name, text) in group::annotations(alert, settings) {
            let text = alert.filled(&text, &firing.labels, firing.value);
            file.line(7, &format!("{name}: {}", yaml::quoted(&text)));
        }
    }
}

fn expected_samples(file: &mut File, alert: &Alert, case: &Case, settings: &Alerting) {
    file.line(4, if case.fires.is_empty() { "exp_samples: []" } else { "exp_samples:" });
    for fires in &case.fires {
        let own = group::labels(alert, settings);
        let labels = own.iter().chain(&fires.labels);
        let series = labels.fold(firing(alert), |series, (name, value)| series.is(name, value));
        file.line(5, &format!("- labels: {}", single(&series.to_string())));
        file.line(6, "value: 1");
    }
}

/// The series that Prometheus writes of a firing alert.
fn firing(alert: &Alert) -> Selector {
    Selector::new("ALERTS").is("alertname", &alert.name).is("alertstate", "firing")
}

/// A text in single quotes: selectors have double ones.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

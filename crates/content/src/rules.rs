//! Rules for Prometheus with everything that belongs to them: recorded series, alerts, their unit tests and their runbooks.
//!
//! Portable from Prometheus 2.42 to 3.x. What an alert needs is looked up in the config: without the metric, no alert. Counts and
//! floors, not rates: a bot with a few messages an hour is the normal case.

use config::Objective;
use config::content::AlertGroup;

use super::{Artifact, Catalogue};

mod alert;
mod case;
mod condition;
mod declared;
mod distinct;
mod examples;
mod group;
mod indicator;
mod matching;
mod objectives;
mod recording;
mod runbook;
mod scope;
mod testing;
mod yaml;

pub use indicator::Events;

use group::RuleFile;
use scope::Scope;

/// Its files.
pub fn artifacts(catalogue: &Catalogue<'_>) -> Vec<Artifact> {
    let files = files(&Scope::new(catalogue));
    let mut artifacts = vec![runbook::page(&files)];
    artifacts.extend(files.iter().map(|file| file.artifact(catalogue.alerting)));
    let recorded: Vec<&RuleFile> = files.iter().filter(|file| file.name == RECORDING).collect();
    for file in files.iter().filter(|file| !file.alerts.is_empty()) {
        // These read what others record.
        let beside = if READERS.contains(&file.name) { &*recorded } else { &[] };
        artifacts.extend(testing::artifacts(file, beside, catalogue.alerting));
    }
    artifacts
}

/// What an objective counts in a window such as `7d`, over all series that have these matchers, added up to one number each.
pub fn objective_events(
    catalogue: &Catalogue<'_>,
    objective: &Objective,
    window: &str,
    matchers: &[String],
) -> Option<Events> {
    let scope = Scope { catalogue, by: Vec::new(), matchers };
    indicator::events(&scope, objective, window)
}

const RECORDING: &str = "recording";
const READERS: [&str; 2] = ["bot", "trends"];

/// The files: without alerts that are switched off, and without files that would be empty.
fn files(scope: &Scope<'_>) -> Vec<RuleFile> {
    let file =
        |name, heading, about, groups, alerts| RuleFile { name, about, heading, groups, alerts };
    let mut files = vec![
        file(
            RECORDING,
            "",
            "Recorded series, named level:metric:operations; instances are added up in all of them. Windows of a day and more are put\n\
             together from hours: raw counters over a month are more samples than a query may read.",
            recording::groups(scope),
            Vec::new(),
        ),
        file(
            "distinct",
            "",
            "Different users over windows and replicas, from the registers that the sidecars show.",
            distinct::groups(scope),
            Vec::new(),
        ),
        file(
            "objectives",
            "Promises",
            "What the bot promises: what counts, what was bad, and alerts on the share of the budget that it spent.",
            objectives::groups(scope),
            objectives::alerts(scope),
        ),
        file(
            "bot",
            "The bot",
            "Alerts on what the bot suffers and does.",
            Vec::new(),
            declared::alerts(scope, AlertGroup::Bot),
        ),
        file(
            "trends",
            "Trends",
            "Alerts on what is not as it used to be: against the same hour of three weeks, the week before, the usual day.",
            Vec::new(),
            declared::alerts(scope, AlertGroup::Trends),
        ),
        file(
            "health",
            "The sidecar",
            "Alerts on the sidecar: whether it is there, hears something, and keeps what it hears.",
            Vec::new(),
            declared::alerts(scope, AlertGroup::Health),
        ),
    ];
    let silenced = &scope.catalogue.content.silenced;
    for file in &mut files {
        file.alerts.retain(|alert| !silenced.contains(&alert.name));
    }
    files.retain(|file| !file.is_empty());
    files
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use testkit::settings;

    fn names(text: &str) -> Vec<String> {
        let settings = settings(text);
        let catalogue = Catalogue::new(&settings);
        let files = files(&Scope::new(&catalogue));
        files.iter().flat_map(|file| &file.alerts).map(|alert| alert.name.clone()).collect()
    }

    const FULL: &str = "use: [oscar]\nalerting: {cost_per_day: 100, slots: 10}\nobjectives: {busy: \
        {metric: bot_interactions_total, bad: {outcome: error}, target: 99.9%, window: 28d}}";

    #[test]
    fn writes_every_alert_of_packs_and_objectives_once() {
        let made = names(FULL);
        let unique: BTreeSet<_> = made.iter().collect();
        assert_eq!(unique.len(), made.len(), "{made:?}");
        assert_eq!(made.len(), 52);
        assert!(config::BUDGET_ALERTS.iter().all(|name| made.iter().any(|made| made == name)));
    }

    #[test]
    fn leaves_out_alerts_without_their_metric_and_removed_ones() {
        let has = |names: &[String], name: &str| names.iter().any(|made| made == name);
        let own = |name: &String| name.starts_with("OscarMetrics");
        assert!(names("{}").iter().all(own), "{:?}", names("{}"));
        let spans = names("use: [span_metrics]");
        assert!(has(&spans, "BotTrafficStopped") && !has(&spans, "BotTimeouts"));
        let off = "use: [oscar]\nalerts: {BotTimeouts: null, BotBudgetGone: null}\nalerting: {slots: null}";
        let off = names(off);
        for name in ["BotTimeouts", "BotBudgetGone", "BotSlotsBusy"] {
            assert!(!has(&off, name), "{name}");
        }
    }

    #[test]
    fn every_alert_has_a_runbook_and_a_case_of_each_kind() {
        let settings = settings(FULL);
        let catalogue = Catalogue::new(&settings);
        for alert in files(&Scope::new(&catalogue)).iter().flat_map(|file| &file.alerts) {
            let name = &alert.name;
            let texts = [&alert.runbook, &alert.summary, &alert.description];
            assert!(texts.iter().all(|text| !text.is_empty()), "{name}");
            assert!(alert.cases.iter().any(|case| !case.fires.is_empty()), "{name} is never shown");
            let silent = alert.cases.iter().any(|case| case.fires.is_empty());
            assert!(silent || name == "OscarMetricsWatchdog", "{name} is never shown silent");
        }
    }
}

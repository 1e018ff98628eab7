//! Different users over a window and all replicas, from registers: merged in two tiers, then estimated.
//!
//! The first tier reads what is scraped, the second reads the first hour by hour: a month of raw registers is more samples than a
//! query may read. The formula is `model::estimator`'s.

use crate::promql::grouped;
use crate::{Entry, recorded};
use engine::model::estimator;
use engine::rules::definition::MetricKind;

use super::group::{Group, Record};
use super::scope::Scope;

/// The groups: hours, which read what is scraped, and windows, which read hours.
pub fn groups(scope: &Scope<'_>) -> Vec<Group> {
    let (mut hours, mut windows) = (Vec::new(), Vec::new());
    for entry in &scope.catalogue.metrics {
        let MetricKind::Distinct { windows: spans, registers, .. } = &entry.metric.kind else {
            continue;
        };
        if *registers == 0 {
            continue;
        }
        let name = entry.name();
        let hour = recorded::registers(scope.catalogue, name, "1h");
        let by = by(scope, entry);
        let newest = estimator::merged_registers(&format!("{name}_register"), &by, "1h");
        hours.push(Record::new(hour.clone(), newest));
        // PromQL can look back so long, and not to a midnight.
        for window in spans.iter().filter(|window| window.length().is_some()) {
            let window = &*window.name;
            let merged = recorded::registers(scope.catalogue, name, window);
            let max = format!("max_over_time({hour}[{window}:1h])");
            windows.push(Record::new(merged.clone(), max));
            let mut keyed = by.clone();
            keyed.push("key");
            let estimate = estimator::distinct_from_registers(&merged, *registers, &keyed);
            // Sketches with different keys never merge: after a change of the key the larger one counts.
            let lines = estimate.replace(" + ", "\n  + ");
            let estimate = grouped("max", &by, format!("\n  {lines}\n"));
            windows.push(Record::new(recorded::distinct(scope.catalogue, name, window), estimate));
        }
    }
    let groups = vec![
        Group {
            name: "oscar-metrics-registers",
            about: "Registers of distinct users, the largest of all replicas and of an hour.",
            interval: "5m",
            records: hours,
        },
        Group {
            name: "oscar-metrics-distinct",
            about: "The largest of a window, and how many different users that makes (Ertl's improved estimator).",
            interval: "5m",
            records: windows,
        },
    ];
    groups.into_iter().filter(|group| !group.records.is_empty()).collect()
}

/// The labels that are kept, and the metric's own.
fn by<'c>(scope: &Scope<'c>, entry: &Entry<'c>) -> Vec<&'c str> {
    let own = entry.labels.iter().map(|label| label.name).filter(|name| !scope.by.contains(name));
    scope.by.iter().copied().chain(own).collect()
}

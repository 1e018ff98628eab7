//! Different users over a window and all replicas, from registers: merged in two tiers, then estimated.
//!
//! Method: Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), the improved estimator, with hashes of 64
//! bits, so that no register is ever full. `design` section 7 tells its accuracy.

use crate::generators::{Entry, recorded};
use crate::rules::definition::MetricKind;

use super::group::{Group, Record};
use super::scope::Scope;

/// Terms of the sum over the share of empty registers: log2 of 1024 registers and four more, for an error below one in a thousand.
const TERMS: u32 = 13;

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
        let newest = format!("max by ({by}, key, register) (max_over_time({name}_register[1h]))");
        hours.push(Record::new(hour.clone(), newest));
        for window in spans {
            let window = &*window.name;
            let merged = recorded::registers(scope.catalogue, name, window);
            let max = format!("max_over_time({hour}[{window}:1h])");
            windows.push(Record::new(merged.clone(), max));
            let estimate = format!("max by ({by}) (\n{}\n)", estimate(&merged, *registers));
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
fn by(scope: &Scope<'_>, entry: &Entry<'_>) -> String {
    let own = entry.labels.iter().map(|label| label.name).filter(|name| !scope.by.contains(name));
    scope.by.iter().copied().chain(own).collect::<Vec<_>>().join(", ")
}

/// How many different ones registers stand for. Registers at 0 have no series.
fn estimate(merged: &str, registers: usize) -> String {
    let m = registers as f64;
    let seen = format!("{merged} > 0");
    let empty = format!("(1 - count without (register) ({seen}) / {registers})");
    let mut sum = vec![empty.clone()];
    for k in 1..TERMS {
        let (factor, power) = (1_u64 << (k - 1), 1_u64 << k);
        let factor = if factor == 1 { String::new() } else { format!("{factor} * ") };
        sum.push(format!("{factor}{empty} ^ {power}"));
    }
    let alpha = 0.5 / std::f64::consts::LN_2;
    format!(
        "  {} / (\n    {registers} * (\n        {}\n    )\n    + sum without (register) (2 ^ -({seen}))\n  )",
        super::scope::number(alpha * m * m),
        sum.join("\n      + ")
    )
}

//! The exporter's own metrics as generators need them: read off the registry itself, so that no list of them can grow old.

use std::sync::Arc;

use content::own::Own;
use engine::counters::Counters;
use engine::model::{FamilySnapshot, Kind};
use engine::pipeline::State;
use engine::rules::SkipReason;
use engine::series::FamilyCount;
use engine::timestamp::Timestamp;
use engine::view::Signal;

use super::Telemetry;

/// Labels whose values depend on the config or the machine.
const OPEN: [&str; 6] = ["metric", "record", "target", "version", "os", "arch"];

/// All of them, by name.
pub fn families() -> Vec<Own> {
    let counters = Arc::new(Counters::default());
    let telemetry = Telemetry::new("", counters.clone(), Timestamp::default());
    counters.declare(SkipReason::ALL.map(|reason| ("METRIC", reason)), ["RECORD"]);
    let _ = telemetry.target("TARGET", &Signal::ALL);
    let series = vec![FamilyCount { name: "METRIC".into(), series: 0, overflow: 0 }];
    let counted = State { series, ..State::default() };
    let mut all: Vec<Own> = telemetry.gather(&counted).iter().map(own).collect();
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

fn own(family: &FamilySnapshot) -> Own {
    let labels = family.family.labels.iter().map(|label| {
        let pairs = family.rows.iter().flat_map(|row| &row.labels.0);
        let values = pairs.filter(|(name, _)| name == label).map(|(_, value)| value.to_string());
        let open = OPEN.contains(&label.as_str());
        (label.as_str().to_owned(), (!open).then(|| values.collect()))
    });
    Own {
        name: family.family.name.as_str().to_owned(),
        help: family.family.help.clone(),
        kind: if family.family.kind == Kind::Counter { "counter" } else { "gauge" },
        labels: labels.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_sets_are_told_and_open_ones_named() {
        let all = families();
        let find = |name: &str| all.iter().find(|own| own.name == name).unwrap();
        let refused = find("oscar_metrics_refused_requests_total");
        assert_eq!(refused.kind, "counter");
        let reasons = refused.labels.iter().find(|(label, _)| label == "reason").unwrap();
        assert!(reasons.1.as_ref().unwrap().contains("too_large"));
        let skips = find("oscar_metrics_rule_skips_total");
        assert!(skips.labels.contains(&("metric".to_owned(), None)), "{skips:?}");
        assert!(find("process_resident_memory_bytes").labels.is_empty());
        assert!(!find("oscar_metrics_series").labels.is_empty());
    }
}

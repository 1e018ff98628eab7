//! From the registry's own model to snapshots.
//!
//! The registry keeps label sets in hash maps, so rows are sorted here: a body that changes only
//! where a number did compresses well and reads well.

use std::sync::Arc;

use prometheus_client::encoding::prometheus_protobuf::prometheus_data_model as encoded;

use engine::model::{Family, FamilySnapshot, Kind, LabelName, Labels, MetricName, Row, RowValue};
use engine::pipeline::State;
use engine::series::FamilyCount;
use engine::timestamp::Timestamp;

/// One family of the registry; none for a type that nothing of ours has.
pub(super) fn family(family: encoded::MetricFamily, start: Timestamp) -> Option<FamilySnapshot> {
    let kind = match family.r#type() {
        encoded::MetricType::Counter => Kind::Counter,
        encoded::MetricType::Gauge => Kind::Gauge,
        _ => return None,
    };
    let rows: Vec<Row> = family.metric.into_iter().filter_map(|one| row(one, start)).collect();
    Some(snapshot((&family.name, &family.help, &family.unit), kind, rows))
}

/// What the pipeline holds.
pub(super) fn state(state: &State, start: Timestamp) -> Vec<FamilySnapshot> {
    let rows = |value: &dyn Fn(&FamilyCount) -> RowValue| {
        let row = |one: &FamilyCount| Row {
            labels: labels([("metric", &*one.name)]),
            start: Some(start),
            born: None,
            value: value(one),
        };
        state.series.iter().map(row).collect()
    };
    let now = rows(&|one| RowValue::Gauge(one.series as f64));
    let overflow = rows(&|one| RowValue::Counter(one.overflow as f64, None));
    let single = |value: f64| {
        let (labels, start) = (labels([]), Some(start));
        vec![Row { labels, start, born: None, value: RowValue::Gauge(value) }]
    };
    let gauge = |name: &str, help: &str, unit: &str, value| {
        snapshot((name, help, unit), Kind::Gauge, single(value))
    };
    let help = "Updates past a metric's or the global series limit.";
    vec![
        snapshot(("oscar_metrics_series", "Label sets by metric.", ""), Kind::Gauge, now),
        snapshot(("oscar_metrics_series_overflow_total", help, ""), Kind::Counter, overflow),
        gauge(
            "oscar_metrics_senders_series",
            "Label sets of passed-through metrics, places reserved for overflow sets included.",
            "",
            state.senders_series as f64,
        ),
        gauge(
            "oscar_metrics_senders_series_limit",
            "Label sets that all passed-through metrics together may have.",
            "",
            state.senders_series_limit as f64,
        ),
        gauge(
            "oscar_metrics_dedupe_horizon_seconds",
            "For how long back every resent span is recognized as a duplicate.",
            "seconds",
            state.dedupe_horizon.as_secs_f64(),
        ),
    ]
}

fn row(metric: encoded::Metric, start: Timestamp) -> Option<Row> {
    let value = match (&metric.counter, &metric.gauge) {
        (Some(counter), _) => RowValue::Counter(counter.value, None),
        (_, Some(gauge)) => RowValue::Gauge(gauge.value),
        _ => return None,
    };
    let pairs = metric.label.iter().map(|pair| (pair.name.as_str(), pair.value.as_str()));
    Some(Row { labels: labels(pairs), start: Some(start), born: None, value })
}

fn snapshot(
    (name, help, unit): (&str, &str, &str),
    kind: Kind,
    mut rows: Vec<Row>,
) -> FamilySnapshot {
    rows.sort_by(|one, other| values(one).cmp(values(other)));
    let labels = rows.first().map(|row| row.labels.0.iter().map(|(name, _)| name.clone()));
    let family = Family {
        name: MetricName::own(name),
        help: help.into(),
        unit: unit.into(),
        kind,
        labels: labels.into_iter().flatten().collect(),
        bounds: Vec::new(),
    };
    FamilySnapshot { family: Arc::new(family), rows }
}

fn values(row: &Row) -> impl Iterator<Item = &Arc<str>> {
    row.labels.0.iter().map(|(_, value)| value)
}

fn labels<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Arc<Labels> {
    let own = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    Arc::new(own.map(|(name, value)| (LabelName::own(name), value.into())).collect())
}

//! What a scrape sees of the exporter itself.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use engine::counters::{ItemCounts, Protocol, Refusal, Rejection};
use engine::model::claims::claimed;
use engine::model::{Kind, OWN_NAMES, RowValue};
use engine::rules::SkipReason;
use engine::series::FamilyCount;
use engine::view::Signal;

const BOOT: Timestamp = Timestamp(1_700_000_000_500_000_000);

fn telemetry() -> Telemetry {
    Telemetry::new("1.2.3", Arc::default(), BOOT)
}

fn counted() -> (Arc<Counters>, Telemetry) {
    let counters = Arc::<Counters>::default();
    (counters.clone(), Telemetry::new("1.2.3", counters, BOOT))
}

/// `name{label="value",...}` of every row, and its value.
fn rows(families: &[FamilySnapshot]) -> Vec<(String, f64)> {
    let mut out = Vec::new();
    for snapshot in families {
        for row in &snapshot.rows {
            let pairs = row.labels.0.iter();
            let labels: Vec<_> =
                pairs.map(|(name, value)| format!("{}=\"{value}\"", name.as_str())).collect();
            let value = match row.value {
                RowValue::Counter(value, _) | RowValue::Gauge(value) => value,
                _ => panic!("counters and gauges are all of ours"),
            };
            out.push((format!("{}{{{}}}", snapshot.family.name.as_str(), labels.join(",")), value));
        }
    }
    out
}

fn value(families: &[FamilySnapshot], row: &str) -> Option<f64> {
    rows(families).into_iter().find(|(name, _)| name == row).map(|(_, value)| value)
}

#[test]
fn every_name_of_the_contract_is_there_from_the_start() {
    let (counters, telemetry) = counted();
    counters.declare(SkipReason::ALL.map(|reason| ("a_total", reason)), ["feedback"]);
    let series = vec![FamilyCount { name: "a_total".into(), series: 3, overflow: 4 }];
    let state = State { series, senders_series: 7, ..State::default() };
    let families = telemetry.gather(&state);
    let names: Vec<_> = families
        .iter()
        .map(|one| (one.family.name.as_str(), one.family.kind, one.rows.len()))
        .collect();
    let own: Vec<_> =
        names.iter().copied().filter(|(name, ..)| name.starts_with("oscar_metrics_")).collect();
    use Kind::{Counter, Gauge};
    assert_eq!(
        own,
        [
            ("oscar_metrics_build_info", Gauge, 1),
            ("oscar_metrics_config_last_reload_successful", Gauge, 1),
            ("oscar_metrics_config_last_reload_success_timestamp_seconds", Gauge, 1),
            ("oscar_metrics_closed_connections_total", Counter, 27),
            ("oscar_metrics_open_connections", Gauge, 3),
            ("oscar_metrics_web_refused_requests_total", Counter, 5),
            ("oscar_metrics_panics_total", Counter, 1),
            ("oscar_metrics_quarantined_rows_total", Counter, 1),
            ("oscar_metrics_scrapes_total", Counter, 1),
            ("oscar_metrics_received_items_total", Counter, 3),
            ("oscar_metrics_accepted_items_total", Counter, 3),
            ("oscar_metrics_unmatched_items_total", Counter, 3),
            ("oscar_metrics_rejected_items_total", Counter, 33),
            ("oscar_metrics_last_received_timestamp_seconds", Gauge, 3),
            ("oscar_metrics_refused_requests_total", Counter, 14),
            ("oscar_metrics_rule_skips_total", Counter, 8),
            ("oscar_metrics_repeated_items_total", Counter, 1),
            ("oscar_metrics_series_limit", Gauge, 1),
            ("oscar_metrics_streams_joined_total", Counter, 1),
            ("oscar_metrics_writer_conflicts_total", Counter, 1),
            ("oscar_metrics_series", Gauge, 1),
            ("oscar_metrics_series_overflow_total", Counter, 1),
            ("oscar_metrics_senders_series", Gauge, 1),
            ("oscar_metrics_senders_series_limit", Gauge, 1),
            ("oscar_metrics_dedupe_horizon_seconds", Gauge, 1),
        ]
    );
    let counters = families.iter().filter(|one| one.family.kind == Counter);
    for (row, value) in rows(&counters.cloned().collect::<Vec<_>>()) {
        assert!(value == 0.0 || row.starts_with("process_") || row.contains("overflow"), "{row}");
    }
    assert_eq!(value(&families, "oscar_metrics_senders_series{}"), Some(7.0));
    assert_eq!(value(&families, "oscar_metrics_series{metric=\"a_total\"}"), Some(3.0));
    let overflow = "oscar_metrics_series_overflow_total{metric=\"a_total\"}";
    assert_eq!(value(&families, overflow), Some(4.0));
}

#[test]
fn help_texts_are_sentences_and_rows_come_in_order() {
    for one in telemetry().gather(&State::default()) {
        let (name, help) = (one.family.name.as_str(), &one.family.help);
        assert!(help.ends_with('.') && !help.ends_with("..") && help.len() > 5, "{name}: {help}");
    }
    let rejected = rows(&telemetry().gather(&State::default()))
        .into_iter()
        .map(|(row, _)| row)
        .filter(|row| row.starts_with("oscar_metrics_rejected_items_total{signal=\"logs\""))
        .collect::<Vec<_>>();
    assert_eq!(rejected.len(), Rejection::COUNT);
    assert!(rejected.is_sorted());
}

#[test]
fn what_happens_is_counted() {
    let (counters, telemetry) = counted();
    counters.refused(Protocol::Http, Refusal::TooLarge);
    counters.skipped("a_total", SkipReason::NoRow, 2);
    counters.repeated("feedback", 3);
    let meter = telemetry.listener(Listener::Web);
    meter.closed(Closing::FirstByte);
    meter.opened();
    telemetry.panicked();
    let fault = engine::exposition::Fault::Count;
    let first = Some((engine::model::MetricName::own("x"), fault));
    telemetry.scraped(&Written { quarantined: 5, first });
    counters.limit_series(50_000);
    telemetry.reloaded(true, Timestamp(1_800_000_000_000_000_000));
    let families = telemetry.gather(&State::default());
    for (row, expected) in [
        ("refused_requests_total{protocol=\"http\",reason=\"too_large\"}", 1.0),
        ("refused_requests_total{protocol=\"grpc\",reason=\"too_large\"}", 0.0),
        ("rule_skips_total{metric=\"a_total\",reason=\"no_row\"}", 2.0),
        ("repeated_items_total{record=\"feedback\"}", 3.0),
        ("closed_connections_total{listener=\"web\",reason=\"first_byte\"}", 1.0),
        ("open_connections{listener=\"web\"}", 1.0),
        ("panics_total{}", 1.0),
        ("scrapes_total{}", 1.0),
        ("quarantined_rows_total{}", 5.0),
        ("series_limit{}", 50_000.0),
        ("config_last_reload_successful{}", 1.0),
        ("config_last_reload_success_timestamp_seconds{}", 1_800_000_000.0),
    ] {
        assert_eq!(value(&families, &format!("oscar_metrics_{row}")), Some(expected), "{row}");
    }
    telemetry.reloaded(false, Timestamp(1_900_000_000_000_000_000));
    let families = telemetry.gather(&State::default());
    let successful = "oscar_metrics_config_last_reload_successful{}";
    assert_eq!(value(&families, successful), Some(0.0));
    let success = "oscar_metrics_config_last_reload_success_timestamp_seconds{}";
    assert_eq!(value(&families, success), Some(1_800_000_000.0));
}

#[test]
fn the_build_says_what_it_is() {
    let rows = rows(&telemetry().gather(&State::default()));
    let (build, value) = rows.first().unwrap();
    assert!(build.starts_with("oscar_metrics_build_info{version=\"1.2.3\",os=\""), "{build}");
    assert_eq!(*value, 1.0);
}

#[test]
fn the_process_is_described_where_the_kernel_tells() {
    if !std::path::Path::new("/proc/self/stat").exists() {
        return;
    }
    let families = telemetry().gather(&State::default());
    let of = |name: &str| value(&families, &format!("process_{name}{{}}")).unwrap();
    assert!(of("start_time_seconds") > 1_600_000_000.0);
    assert!(of("start_time_seconds") <= crate::clock::now().seconds() + 1.0);
    assert!(of("cpu_seconds_total") >= 0.0);
    assert!(of("resident_memory_bytes") > 100_000.0);
    assert!(of("virtual_memory_bytes") >= of("resident_memory_bytes"));
    assert!(of("threads") >= 1.0);
    assert!(of("open_fds") >= 3.0 && of("open_fds") <= of("max_fds"));
}

#[test]
fn counters_say_since_when_they_count() {
    for one in telemetry().gather(&State::default()) {
        assert!(one.rows.iter().all(|row| row.start == Some(BOOT)));
    }
}

/// One request's items, all of them accounted for.
fn request(size: u64) -> ItemCounts {
    let mut counts =
        ItemCounts { received: 3 * size, accepted: size, unmatched: size, ..Default::default() };
    counts.rejected[Rejection::Late.index()] = size;
    counts.rejected[Rejection::Duplicate.index()] = size;
    counts
}

#[test]
fn received_is_accepted_and_rejected_in_every_scrape() {
    let ((counters, telemetry), done) = (counted(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for size in 0..20_000 {
                counters.books().post(Signal::Traces, &request(size % 7), BOOT);
            }
            done.store(true, Ordering::Release);
        });
        let mut scrapes = 0;
        while scrapes == 0 || !done.load(Ordering::Acquire) {
            let all = rows(&telemetry.gather(&State::default()));
            let sum = |name: &str| -> f64 {
                let start = format!("oscar_metrics_{name}_items_total{{signal=\"traces\"");
                all.iter().filter(|(row, _)| row.starts_with(&start)).map(|(_, value)| value).sum()
            };
            assert_eq!(sum("received"), sum("accepted") + sum("rejected"));
            scrapes += 1;
        }
    });
    let total: u64 = (0..20_000).map(|size| size % 7).sum();
    assert_eq!(counters.books().read(Signal::Traces), request(total));
    assert_eq!(counters.books().read(Signal::Logs), ItemCounts::default());
    let families = telemetry.gather(&State::default());
    let last = "oscar_metrics_last_received_timestamp_seconds{signal=\"traces\"}";
    assert_eq!(value(&families, last), Some(BOOT.seconds()));
}

#[test]
fn books_balance_or_are_a_fault_of_ours() {
    assert!(request(3).balanced() && ItemCounts::default().balanced());
    let lost = ItemCounts { received: 2, accepted: 1, ..Default::default() };
    let twice = ItemCounts { received: 2, ..request(1) };
    assert!(!lost.balanced() && !twice.balanced());
}

#[test]
fn every_own_name_without_the_prefix_is_reserved_and_no_other() {
    let families = telemetry().gather(&State::default());
    let own = families.iter().map(|one| &one.family);
    let others = own.filter(|one| !one.name.as_str().starts_with("oscar_metrics_"));
    let target_info = claimed("target_info", Kind::Info).into_iter();
    let claims = others.flat_map(|one| claimed(one.name.as_str(), one.kind)).chain(target_info);
    let (mut claims, mut reserved): (Vec<_>, Vec<_>) =
        (claims.collect(), OWN_NAMES.iter().map(|(name, _)| (*name).to_owned()).collect());
    claims.sort_unstable();
    reserved.sort_unstable();
    assert_eq!(claims, reserved);
}

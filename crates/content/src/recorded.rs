//! Names of recorded series: what rules write and dashboards read, `level:metric:operations` as the Prometheus documentation has
//! it ("Recording rules").
//!
//! The level is what is left after instances are added up: the common labels, and `job` always. Series of objectives share
//! their names and are told apart by the label `objective`.

use std::time::Duration;

use config::content::Recorded;
use engine::query::Query;

use super::Catalogue;
use super::promql::span;

/// The labels that recorded series keep: `job` and the common ones.
pub fn by<'c>(catalogue: &'c Catalogue<'_>) -> Vec<&'c str> {
    std::iter::once("job").chain(catalogue.common.iter().map(String::as_str)).collect()
}

/// What a metric grew by in a window, such as `1h`.
pub fn increase(catalogue: &Catalogue<'_>, metric: &str, window: &str) -> String {
    let metric = metric.strip_suffix("_total").unwrap_or(metric);
    name(catalogue, metric, &format!("increase{window}"))
}

/// What a metric is expected to grow by in an hour: the median of the same hour of the last three weeks.
pub fn expected(catalogue: &Catalogue<'_>, metric: &str) -> String {
    increase(catalogue, metric, "1h") + "_expected"
}

/// The upper end of what is no surprise beside [`expected`].
pub fn expected_upper(catalogue: &Catalogue<'_>, metric: &str) -> String {
    expected(catalogue, metric) + "_upper"
}

/// The lower end of what is no surprise beside [`expected`].
pub fn expected_lower(catalogue: &Catalogue<'_>, metric: &str) -> String {
    expected(catalogue, metric) + "_lower"
}

/// Events that an objective counts, in a window.
pub fn objective_events(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "objective_events", &format!("increase{window}"))
}

/// Bad ones among [`objective_events`].
pub fn objective_bad(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "objective_bad_events", &format!("increase{window}"))
}

/// The share of an objective's whole budget that was spent in a window: 1 is all of it.
pub fn budget_spent(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "objective_budget", &format!("spent{window}"))
}

/// The share of an objective's budget that is left at the end of its own window: below 0 it is overspent.
pub fn budget_left(catalogue: &Catalogue<'_>) -> String {
    name(catalogue, "objective_budget", "left")
}

/// The share that an objective asks for, 0 to 1, so that boards can draw it.
pub fn objective_target(catalogue: &Catalogue<'_>) -> String {
    name(catalogue, "objective", "target")
}

/// Different ones in a window, estimated from the registers of all replicas.
pub fn distinct(catalogue: &Catalogue<'_>, metric: &str, window: &str) -> String {
    name(catalogue, metric, &format!("distinct{window}"))
}

/// A mean over a window: what goes on at the same time.
pub fn mean(catalogue: &Catalogue<'_>, metric: &str, window: &str) -> String {
    name(catalogue, metric, &format!("mean{window}"))
}

/// A ratio over a window, where there are enough events.
pub fn ratio(catalogue: &Catalogue<'_>, metric: &str, window: &str) -> String {
    name(catalogue, metric, &format!("ratio{window}"))
}

/// By how much of itself a metric grew against the window before: 1 is twice as much.
pub fn change(catalogue: &Catalogue<'_>, metric: &str, window: &str) -> String {
    let metric = metric.strip_suffix("_total").unwrap_or(metric);
    name(catalogue, metric, &format!("change{window}"))
}

/// The registers of a distinct metric, merged over replicas and over a window.
pub fn registers(catalogue: &Catalogue<'_>, metric: &str, window: &str) -> String {
    name(catalogue, &format!("{metric}_register"), &format!("max{window}"))
}

/// The name under which the result of a query is recorded over a window, if it is.
pub fn of_query(catalogue: &Catalogue<'_>, query: &Query, window: Duration) -> Option<String> {
    let bare = |query: &Query| {
        let min = query.min.filter(|_| query.of.is_some());
        Query { scale: None, min, ..query.core() }
    };
    let wanted = bare(query);
    let found = catalogue.content.recorded.iter().find(|one| bare(&one.query) == wanted)?;
    let hourly = is_plain(&found.query) && window == HOUR;
    (query.by.is_none() && (hourly || found.windows.contains(&window)))
        .then(|| name_of(catalogue, found, &span(window)))
}

/// The name under which one of the recorded queries is recorded over a window.
pub fn name_of(catalogue: &Catalogue<'_>, one: &Recorded, window: &str) -> String {
    let metric = one.name.as_deref().or(one.query.metric()).unwrap_or_default();
    match &one.query {
        query if query.of.is_some() => ratio(catalogue, metric, window),
        query if query.per_second => mean(catalogue, metric, window),
        _ => increase(catalogue, metric, window),
    }
}

/// Whether a query is a count or an amount, of which longer windows are made from hours.
pub fn is_plain(query: &Query) -> bool {
    query.of.is_none() && !query.per_second
}

/// The window that longer ones are made of.
pub const HOUR: Duration = Duration::from_secs(3600);

fn name(catalogue: &Catalogue<'_>, metric: &str, operations: &str) -> String {
    let level = match catalogue.common {
        [] => "job".to_owned(),
        labels => labels.join("_"),
    };
    format!("{level}:{metric}:{operations}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::settings;

    #[test]
    fn names_tell_level_metric_and_operations() {
        let settings = settings("{labels: {service: service, env: resource.e}}");
        let catalogue = Catalogue::new(&settings);
        assert_eq!(by(&catalogue), ["job", "service", "env"]);
        assert_eq!(increase(&catalogue, "a_total", "1h"), "service_env:a:increase1h");
        assert_eq!(
            expected_lower(&catalogue, "a_total"),
            "service_env:a:increase1h_expected_lower"
        );
        assert_eq!(budget_left(&catalogue), "service_env:objective_budget:left");
        let bare = testkit::settings("{}");
        assert_eq!(distinct(&Catalogue::new(&bare), "u", "7d"), "job:u:distinct7d");
    }
}

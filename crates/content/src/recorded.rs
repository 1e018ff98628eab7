//! Names of recorded series: what rules write and dashboards read, `level:metric:operations` as the Prometheus documentation has
//! it ("Recording rules").
//!
//! The level is what is left after instances are added up: the common labels, and `job` always. Series of objectives share
//! their names and are told apart by the label `objective`.

use super::Catalogue;

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

/// Time from message to reply, of which the mean number of messages in progress is made.
pub const DURATION: &str = "bot_interaction_duration_seconds";

/// The mean number of messages in progress, by Little's law: the seconds worked in each second.
pub fn in_flight(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_interactions_in_flight", &format!("mean{window}"))
}

/// US dollars for each answer, where there are enough of them.
pub fn cost_per_answer(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_cost_usd_per_answer", &format!("ratio{window}"))
}

/// US dollars for each conversation that got what it came for, where there are enough of them.
pub fn cost_per_resolved(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_cost_usd_per_resolved_session", &format!("ratio{window}"))
}

/// Answers in a window: messages whose outcome is `answered`.
pub fn answers(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_answers", &format!("increase{window}"))
}

/// Conversations in a window that got what they came for.
pub fn resolved(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_resolved_sessions", &format!("increase{window}"))
}

/// Thumbs in a window, up and down.
pub fn thumbs(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_feedback", &format!("increase{window}"))
}

/// Those among [`thumbs`] that point down.
pub fn thumbs_down(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_feedback_down", &format!("increase{window}"))
}

/// The share of thumbs that point down, where there are enough of them.
pub fn thumbs_down_share(catalogue: &Catalogue<'_>, window: &str) -> String {
    name(catalogue, "bot_feedback_down", &format!("ratio{window}"))
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

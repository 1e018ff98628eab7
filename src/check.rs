//! `check`: every fault of a config at once, or what the config will make and what that costs.
//!
//! [`report`] is a pure function from a loaded config to text.

use std::io::{Write, stderr, stdout};

use config::{Budget, Dimension, Loaded, MetricBudget, Settings};
use engine::limits::MIB;

use super::args::CheckArgs;
use server::service::source::{self, Location};

use super::{Exit, Failure};

/// Checks a config: what it makes goes to standard output, what is wrong with it to standard error.
///
/// # Errors
///
/// [`Exit::Data`] when it has faults.
pub fn run(args: &CheckArgs) -> Result<(), Failure> {
    let file = args.path.as_deref().or(args.config_file.as_deref());
    let mut loaded = source::load(Location::new(file, args.packs.as_deref()))?;
    if let Some(settings) = &loaded.settings {
        // Flags of `serve` may say other addresses; here the config's own are all there is.
        let server = &settings.server;
        let doors: Vec<_> = server.grpc.iter().chain(&server.http).copied().collect();
        loaded.refuse_loops(&doors, &|_| false);
    }
    let (mut text, good) = report(&loaded, args.print);
    if args.verbose && !args.print && good {
        text.push_str(&omitted(&loaded));
    }
    // Whoever closed the pipe has read enough.
    let _ = if good {
        stdout().write_all(text.as_bytes())
    } else {
        stderr().write_all(text.as_bytes())
    };
    if good { Ok(()) } else { Err(Failure::new(Exit::Data, "the config is not good")) }
}

/// What `check` says, and whether the config is good. With `print`, a good one is said as merged YAML alone.
pub fn report(loaded: &Loaded, print: bool) -> (String, bool) {
    if loaded.settings.is_none() {
        return (format!("{}\n{}\n", loaded.render(), verdict(loaded)), false);
    }
    if print {
        return (loaded.print(), true);
    }
    let mut out = loaded.render();
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&table(&loaded.budget));
    if let Some(settings) = &loaded.settings {
        out.push_str(&sizes(settings));
    }
    (out, true)
}

/// What of the packs was left out, and why.
fn omitted(loaded: &Loaded) -> String {
    let all = loaded.settings.iter().flat_map(|settings| &settings.content.omitted);
    let lines: Vec<String> =
        all.map(|one| format!("  {}: {}: {}\n", one.place, one.what, one.why)).collect();
    match &*lines {
        [] => "nothing of the packs is left out\n".to_owned(),
        lines => format!("left out of the packs:\n{}", lines.concat()),
    }
}

/// The memory sizes as they are on this machine.
fn sizes(settings: &Settings) -> String {
    let (limits, configured) = (&settings.limits, settings.sizes);
    let size = |name: &str, bytes: usize, configured: Option<usize>| {
        let mib = bytes as f64 / MIB as f64;
        let auto = if configured.is_none() { " (auto)" } else { "" };
        format!("{name} {mib:.1} MiB{auto}")
    };
    let sizes = [
        size("memory", limits.memory, configured.memory),
        size("requests in flight", limits.in_flight, configured.in_flight),
        size("one request", limits.request, configured.request),
    ];
    format!("limits here: {}\n", sizes.join(", "))
}

fn verdict(loaded: &Loaded) -> String {
    use config::Severity::Error;
    match loaded.diagnostics.iter().filter(|one| one.severity == Error).count() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    }
}

/// Each metric with its labels and label sets, and the sum against the budget.
fn table(budget: &Budget) -> String {
    let head = ["metric", "type", "series", "labels"].map(str::to_owned);
    let rows: Vec<[String; 4]> =
        std::iter::once(head).chain(budget.metrics.iter().map(row)).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.len()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let mut out = String::new();
    for [name, kind, sets, labels] in &rows {
        let [first, second, third] = widths;
        let line = format!("{name:first$}  {kind:second$}  {sets:>third$}  {labels}");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let (metrics, declared) = (budget.metrics.len(), budget.declared);
    let (series, each) = (budget.series, budget.series_per_metric);
    out.push_str(&format!(
        "\n{metrics} metrics; {declared} series declared of {series}, at most {each} for a metric\n"
    ));
    if budget.metrics.iter().any(|metric| metric.open) {
        out.push_str("+ each combination of open values brings so many more\n");
    }
    out
}

fn row(metric: &MetricBudget) -> [String; 4] {
    let label = |(name, dimension): &(String, Dimension)| match dimension {
        Dimension::Enumerated(size) => format!("{name} ({size})"),
        Dimension::Open(Some(limit)) => format!("{name} (open, limit {limit})"),
        Dimension::Open(None) => format!("{name} (open)"),
    };
    let labels = metric.labels.iter().map(label).collect::<Vec<_>>().join(", ");
    let more = if metric.open { "+" } else { "" };
    [metric.name.clone(), metric.kind.to_owned(), format!("{}{more}", metric.sets), labels]
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::load;

    const GOOD: &str = "
metrics:
  a_total: {help: A., type: counter, from: span, labels: {x: {from: p, values: [m, n], default: d}, y: z}}
  b_seconds: {help: B., type: histogram, from: span, value: duration, buckets: [1s], labels: {x: {from: p, values: [m, n]}}}
";

    #[test]
    fn a_good_config_is_told_by_its_series() {
        let (text, ok) = report(&load(GOOD), false);
        let wanted = "\
metric     type       series  labels
a_total    counter        3+  x (3), y (open)
b_seconds  histogram       2  x (2)

2 metrics; 2 series declared of 50000, at most 2000 for a metric
+ each combination of open values brings so many more
limits here: memory 512.0 MiB (auto), requests in flight 256.0 MiB (auto), one request 64.0 MiB (auto)
";
        assert!(ok);
        assert_eq!(text, wanted);
    }

    #[test]
    fn a_bad_config_is_told_by_its_faults() {
        let (text, ok) = report(&load("metrics: {a: {}}\nmetric: 1\n"), true);
        assert!(!ok);
        assert!(text.contains("did you mean `metrics`?") && text.ends_with("4 errors\n"), "{text}");
    }
}

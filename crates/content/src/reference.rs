//! The page that tells every metric: what it means, of what type it is, which labels it has and what they can be.

use std::collections::BTreeSet;

use engine::model::Reach;
use engine::rules::definition::{MetricKind, Native};

use super::own::Own;
use super::{Artifact, Catalogue, Entry, Label, MARK};

/// Headings by role, in the order of the page. What has another role, or none, comes last.
const ROLES: [(&str, &str); 8] = [
    ("usage", "Who uses it, and how"),
    ("quality", "How good the answers are"),
    ("traffic", "What goes through"),
    ("errors", "What goes wrong"),
    ("latency", "How long it takes"),
    ("cost", "What it costs"),
    ("safety", "Who is refused"),
    ("work", "What the bot changes"),
];

/// Values of one label that are told before "and so many more".
const VALUES: usize = 16;

/// The page, in Markdown.
pub fn page(catalogue: &Catalogue<'_>, own: &[Own]) -> Artifact {
    let mut out = format!(
        "# Metrics\n\n<!-- Written by `{MARK} reference` from the config: change that. -->\n\n{}",
        introduction(catalogue)
    );
    let known: BTreeSet<&str> = ROLES.iter().map(|(role, _)| *role).collect();
    for (role, heading) in ROLES {
        section(&mut out, heading, catalogue, catalogue.of_role(role));
    }
    let others = catalogue.metrics.iter();
    section(&mut out, "More", catalogue, others.filter(|entry| !known.contains(entry.role())));
    out.push_str("\n## The sidecar itself\n");
    out.extend(own.iter().map(sidecar));
    Artifact::new("reference.md", out)
}

fn introduction(catalogue: &Catalogue<'_>) -> String {
    let common = catalogue.common.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>();
    let mut text = format!("{} metrics.", catalogue.metrics.len());
    if !common.is_empty() {
        text.push_str(&format!(
            " Every one has the labels {}, which are left out below.",
            common.join(" and ")
        ));
    }
    text.push_str(
        " A label with values in braces is *closed*: these values exist at 0 before anything happens, and everything else is \
         `other`. An *open* one takes what comes, up to its limit.\n",
    );
    text
}

/// Writes the metrics of a section; nothing at all when there is none.
fn section<'e, 's: 'e>(
    out: &mut String,
    heading: &str,
    catalogue: &Catalogue<'_>,
    entries: impl Iterator<Item = &'e Entry<'s>>,
) {
    let mut entries = entries.peekable();
    if entries.peek().is_none() {
        return;
    }
    out.push_str(&format!("\n## {heading}\n"));
    for entry in entries {
        out.push_str(&format!(
            "\n### {}\n\n`{}` · {}\n\n{}\n",
            entry.title(),
            entry.name(),
            kind(entry),
            entry.metric.help
        ));
        let own = entry.labels.iter().filter(|label| !catalogue.is_common(label.name));
        let lines: Vec<String> = own.map(line).collect();
        if !lines.is_empty() {
            out.push_str(&format!("\n{}\n", lines.join("\n")));
        }
    }
}

/// Type, unit and what belongs to the type.
fn kind(entry: &Entry<'_>) -> String {
    let mut text = entry.kind().to_owned();
    if !entry.shown.unit.is_empty() {
        text.push_str(&format!(" in {}", entry.shown.unit));
    }
    match &entry.metric.kind {
        MetricKind::Histogram { bounds, native } => {
            let edges = bounds.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
            text.push_str(match native {
                Native::No => ", buckets up to ",
                Native::Both => ", native and buckets up to ",
                Native::Only => ", native buckets",
            });
            if *native != Native::Only {
                text.push_str(&edges);
            }
        }
        MetricKind::Distinct { windows, registers, .. } => {
            let named = windows.iter().map(|window| match &window.reach {
                Reach::Back(_) => format!("the last {}", window.name),
                Reach::Midnight(zone) => format!("{} in {}", window.name, zone.name()),
            });
            let named = named.collect::<Vec<_>>().join(", ").replace(", the last ", ", ");
            text.push_str(&format!(" over {named}"));
            if *registers > 0 {
                text.push_str(&format!(", {registers} registers that merge"));
            }
        }
        MetricKind::Counter | MetricKind::Gauge => {}
    }
    text
}

/// One of our own.
fn sidecar(own: &Own) -> String {
    let mut text = format!("\n`{}` · {}\n\n{}\n", own.name, own.kind, own.help);
    if !own.labels.is_empty() {
        text.push('\n');
    }
    for (name, values) in &own.labels {
        let values = values.as_ref().map(|values| values.iter().map(String::as_str).collect());
        text.push_str(&line(&Label { name, values, limit: None }));
        text.push('\n');
    }
    text
}

fn line(label: &Label<'_>) -> String {
    let name = label.name;
    match (&label.values, label.limit) {
        (Some(values), _) => {
            let shown =
                values.iter().take(VALUES).map(|value| format!("`{value}`")).collect::<Vec<_>>();
            let more = match values.len().saturating_sub(VALUES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("- `{name}`: {{{}}}{more}", shown.join(", "))
        }
        (None, Some(limit)) => format!("- `{name}`: open, at most {limit} values"),
        (None, None) => format!("- `{name}`: open"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::settings;

    #[test]
    fn a_metric_is_told_with_its_labels() {
        let settings = settings(
            "labels: {env: resource.e}
metrics:
  a_total: {help: All of it., type: counter, from: span, role: usage, labels: {x: {from: p, values: [m, n], default: d}, y: z}}
  b_seconds: {help: Time., type: histogram, from: span, value: duration, buckets: [1s, 2500ms]}
",
        );
        let page = page(&Catalogue::new(&settings), &[]).text;
        let usage = "## Who uses it, and how\n\n### A\n\n`a_total` · counter\n\nAll of it.\n\n- `x`: {`m`, `n`, `d`}\n- `y`: open\n";
        assert!(page.contains(usage), "{page}");
        assert!(
            page.contains(
                "## How long it takes\n\n### B\n\n`b_seconds` · histogram in seconds, buckets up to 1, 2.5\n"
            ),
            "{page}"
        );
        assert!(page.contains("labels `env`") && !page.contains("- `env`"), "{page}");
    }
}

//! The page of runbooks: what each alert means, what to look at, how to silence it honestly.

use crate::{Artifact, MARK};

use super::alert::Alert;
use super::group::RuleFile;

const HEAD: &str = "\
How to read an alert: `severity` says who is told (critical pages, warning goes to the team, info into the digest), `kind` what it
speaks of (objective: a promise, health: something does not work, trend: something is not as it used to be).

How to silence any of them for a while, so that it comes back by itself, and says who did it and why:

    amtool silence add alertname=NAME environment=ENVIRONMENT --duration=4h --author=YOU --comment=WHY

For good: `alerts: {NAME: null}` in the config, or another bound, `alerts: {NAME: {above: 5%}}` (or `at_least`), and generate the rules
again. A rule that nobody acts on is worse than none.
";

/// The page.
pub fn page(files: &[RuleFile]) -> Artifact {
    let mut out = format!(
        "# Runbooks\n\n<!-- Written by `{MARK} rules` from the config: change that. -->\n\n{HEAD}"
    );
    for file in files.iter().filter(|file| !file.alerts.is_empty()) {
        out.push_str(&format!("\n# {}\n", file.heading));
        file.alerts.iter().for_each(|alert| out.push_str(&section(alert)));
    }
    Artifact::new("runbooks.md", out)
}

fn section(alert: &Alert) -> String {
    let Alert { name, kind, severity, runbook, .. } = alert;
    format!("\n## {name}\n\n`{}` · `{}`\n\n{runbook}\n", severity.word(), kind.word())
}

//! What a release bot is asked, how often, how long it takes and how it fails: the table behind every simulated turn.
//!
//! All figures are assumptions shaped by the real bot's time limits; the table is data, `model` draws from it.

use std::sync::LazyLock;

use super::people::Tier;

/// One kind of matter that people bring.
#[derive(Debug)]
pub struct Row {
    /// Its `bot.feature`.
    pub feature: &'static str,
    /// What it is, where a feature has several: a plain question unless said otherwise.
    pub matter: Matter,
    /// Per cent of all interactions.
    pub share: f64,
    /// Median and 95th percentile of the time to a reply, seconds.
    pub duration: (f64, f64),
    /// Share that fails, 0 to 1.
    pub failure: f64,
    /// Whether only privileged people bring it.
    pub privileged: bool,
    /// How it is worked on.
    pub work: Work,
    /// The slash commands it comes by; none: a mention or a direct message.
    pub commands: &'static [&'static str],
}

/// How a turn goes on beyond asking and answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matter {
    /// A question and its answer.
    Question,
    /// Needs a second turn that confirms it, which 78 % give.
    Confirmed,
    /// Starts a worker that reports minutes later.
    Remediation,
    /// Links or shows an identity; no model is asked.
    Identity,
    /// Politely sent away.
    OutOfScope,
    /// Refused at the door.
    Denied,
    /// Refused by validation.
    Invalid,
}

/// The models, tools and sources behind an answer.
#[derive(Debug)]
pub struct Work {
    /// The collaborator agent that is asked, if any.
    pub agent: Option<&'static str>,
    /// Model calls.
    pub calls: u32,
    /// Tools that may be called, and how many calls: low and high.
    pub tools: (&'static [Tool], u32, u32),
    /// The knowledge base that is searched, if any.
    pub source: Option<&'static str>,
}

/// A tool of a collaborator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// `gen_ai.tool.name`.
    pub name: &'static str,
    /// Whether it changes the world.
    pub write: bool,
    /// What it talks to.
    pub dependency: Dependency,
}

/// What stands behind a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// A search index.
    OpenSearch,
    /// The build server, over HTTP.
    Jenkins,
    /// The forge, over MCP.
    GitHub,
    /// The chat platform itself.
    Slack,
    /// A worker that is started.
    Fargate,
}

/// Names of tools that no tool has: as if each carried the number of a request.
static INVENTED: LazyLock<Vec<String>> =
    LazyLock::new(|| (0..500).map(|n| format!("query_metrics_{n:04}")).collect());

/// One of 500 names of tools that no tool has.
pub fn invented_tool(number: u32) -> &'static str {
    INVENTED.get(number as usize % INVENTED.len()).map_or("query_metrics", String::as_str)
}

const fn reads(name: &'static str, dependency: Dependency) -> Tool {
    Tool { name, write: false, dependency }
}

const fn writes(name: &'static str, dependency: Dependency) -> Tool {
    Tool { name, write: true, dependency }
}

const METRICS: &[Tool] = &[reads("query_metrics", Dependency::OpenSearch)];
const RELEASE: &[Tool] = &[
    reads("get_release_status", Dependency::OpenSearch),
    reads("get_release_window", Dependency::OpenSearch),
    reads("query_release_state", Dependency::OpenSearch),
];
const JENKINS: &[Tool] = &[
    reads("get_job_info", Dependency::Jenkins),
    reads("list_jobs", Dependency::Jenkins),
    reads("get_build_status", Dependency::Jenkins),
    reads("get_build_failure_details", Dependency::Jenkins),
];
const GITHUB: &[Tool] = &[
    reads("list_pull_requests", Dependency::GitHub),
    reads("get_issue", Dependency::GitHub),
    reads("search_code", Dependency::GitHub),
];
const GITHUB_WRITE: &[Tool] = &[
    writes("merge_pull_request", Dependency::GitHub),
    writes("add_issue_comment", Dependency::GitHub),
    writes("create_issue", Dependency::GitHub),
];
const ADVISORIES: &[Tool] = &[
    reads("query_vulnerabilities", Dependency::OpenSearch),
    reads("query_tickets", Dependency::OpenSearch),
    reads("list_affected_repositories", Dependency::OpenSearch),
];

const fn asks(agent: &'static str, calls: u32, tools: (&'static [Tool], u32, u32)) -> Work {
    Work { agent: Some(agent), calls, tools, source: None }
}

const NO_TOOLS: (&[Tool], u32, u32) = (&[], 0, 0);
const NO_WORK: Work = Work { agent: None, calls: 0, tools: NO_TOOLS, source: None };

const fn row(feature: &'static str, share: f64, duration: (f64, f64), failure: f64) -> Row {
    Row {
        feature,
        matter: Matter::Question,
        share,
        duration,
        failure,
        privileged: false,
        work: NO_WORK,
        commands: &[],
    }
}

/// The table, in per cent of interactions.
pub const ROWS: &[Row] = &[
    Row {
        work: Work { agent: None, calls: 2, tools: NO_TOOLS, source: Some("release-docs") },
        ..row("knowledge", 26.2, (9.0, 22.0), 0.035)
    },
    Row {
        work: asks("Metrics-Specialist", 4, (METRICS, 2, 2)),
        ..row("metrics.test", 12.1, (18.0, 48.0), 0.075)
    },
    Row {
        work: asks("Metrics-Specialist", 4, (METRICS, 2, 2)),
        ..row("metrics.build", 6.6, (18.0, 48.0), 0.075)
    },
    Row {
        work: asks("Metrics-Specialist", 4, (METRICS, 2, 2)),
        ..row("metrics.release", 3.3, (18.0, 48.0), 0.075)
    },
    Row {
        work: asks("Metrics-Specialist", 3, (RELEASE, 1, 2)),
        commands: &["/oscar-rc-details", "/oscar-missing-notes"],
        ..row("release.status", 8.0, (13.0, 30.0), 0.04)
    },
    Row {
        privileged: true,
        work: asks("Jenkins-Specialist", 3, (JENKINS, 1, 2)),
        ..row("jenkins.read", 9.0, (12.0, 30.0), 0.05)
    },
    Row {
        matter: Matter::Confirmed,
        privileged: true,
        work: asks("Jenkins-Specialist", 3, (&[writes("trigger_job", Dependency::Jenkins)], 1, 1)),
        commands: &["/oscar-integration-test"],
        ..row("jenkins.trigger", 5.0, (24.0, 58.0), 0.07)
    },
    Row {
        privileged: true,
        work: asks("GitHub-Specialist", 3, (GITHUB, 1, 2)),
        ..row("github.read", 6.0, (14.0, 35.0), 0.05)
    },
    Row {
        privileged: true,
        work: asks("GitHub-Specialist", 4, (GITHUB_WRITE, 1, 2)),
        commands: &["/oscar-assign-owner", "/oscar-request-owner"],
        ..row("github.write", 3.0, (20.0, 50.0), 0.09)
    },
    Row {
        matter: Matter::Confirmed,
        privileged: true,
        work: asks(
            "GitHub-Specialist",
            4,
            (&[writes("bulk_merge_prs", Dependency::GitHub)], 5, 60),
        ),
        ..row("github.write", 0.4, (60.0, 115.0), 0.12)
    },
    Row {
        privileged: true,
        work: asks("Security-Advisories-Specialist", 4, (ADVISORIES, 1, 3)),
        ..row("advisories", 6.0, (20.0, 60.0), 0.07)
    },
    Row {
        matter: Matter::Remediation,
        privileged: true,
        work: asks(
            "Security-Advisories-Specialist",
            4,
            (&[writes("remediate_cve", Dependency::Fargate)], 1, 1),
        ),
        ..row("remediation", 0.8, (16.0, 40.0), 0.08)
    },
    Row {
        matter: Matter::Confirmed,
        privileged: true,
        work: Work {
            agent: None,
            calls: 4,
            tools: (&[writes("send_automated_message", Dependency::Slack)], 1, 3),
            source: Some("message-templates"),
        },
        commands: &["/oscar-announce", "/oscar-broadcast"],
        ..row("communication", 5.0, (25.0, 65.0), 0.06)
    },
    Row {
        matter: Matter::Identity,
        commands: &["/oscar-link-github", "/oscar-unlink-github", "/oscar-identity-status"],
        ..row("identity", 2.0, (0.4, 1.5), 0.03)
    },
    Row {
        matter: Matter::OutOfScope,
        work: Work { agent: None, calls: 1, tools: NO_TOOLS, source: None },
        ..row("out_of_scope", 3.0, (4.0, 9.0), 0.01)
    },
    Row { matter: Matter::Denied, ..row("unknown", 2.4, (0.6, 1.8), 0.0) },
    Row { matter: Matter::Invalid, ..row("unknown", 1.2, (0.3, 1.0), 0.0) },
];

impl Row {
    /// Turns a session about this matter has in the mean: what turns shares of turns into shares of sessions.
    pub fn mean_turns(&self) -> f64 {
        match self.matter {
            Matter::Confirmed => 1.0 + CONFIRMED,
            Matter::Question | Matter::OutOfScope => MEAN_TURNS,
            _ => 1.0,
        }
    }

    /// The tiers that may bring it, drawn person's tier given.
    pub const fn tier_of(&self, person: Tier, unlinked: bool) -> Tier {
        match self.matter {
            Matter::Denied if unlinked => Tier::Unlinked,
            Matter::Denied => Tier::Limited,
            _ => person,
        }
    }
}

/// Requests for confirmation that are given.
pub const CONFIRMED: f64 = 0.78;
/// Turns a session: one of them, its weight, lowest and highest.
pub const TURNS: [(f64, u32, u32); 4] = [(0.52, 1, 1), (0.22, 2, 2), (0.20, 3, 5), (0.06, 6, 10)];
/// The mean of [`TURNS`].
const MEAN_TURNS: f64 = 0.52 + 0.44 + 0.80 + 0.48;

/// Why a turn failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The agent service said so.
    Agent,
    /// A tool answered with an error, politely wrapped.
    Tool,
    /// A tool's own guard refused.
    Guardrail,
    /// Too many requests at the model.
    Throttling,
    /// Two minutes passed.
    Timeout,
    /// The reply could not be posted.
    Send,
    /// The context store failed.
    Storage,
    /// The answer was empty or not to be read.
    Empty,
}

/// Causes in per cent of failures.
pub const CAUSES: [(Cause, f64); 7] = [
    (Cause::Agent, 30.0),
    (Cause::Tool, 28.0),
    (Cause::Throttling, 14.0),
    (Cause::Timeout, 14.0),
    (Cause::Send, 5.0),
    (Cause::Storage, 4.0),
    (Cause::Empty, 5.0),
];

/// Turns that hang until the limit because of an oversized tool result, on top of the failures.
pub const HANGS: f64 = 0.008;
/// Seconds after which the user is told that it took too long.
pub const TIME_LIMIT: f64 = 120.0;
/// Seconds after which the hourglass appears.
pub const SLOW: f64 = 45.0;
/// First attempts that fail, and those of them that the second recovers.
pub const FIRST_ATTEMPT_FAILS: f64 = 0.05;
/// See [`FIRST_ATTEMPT_FAILS`].
pub const SECOND_RECOVERS: f64 = 0.80;
/// Ingress calls that start a cold sandbox.
pub const COLD: f64 = 0.20;
/// Messages that the platform delivers twice.
pub const REDELIVERED: f64 = 0.015;
/// Answers that get feedback, and the good share of it.
pub const FEEDBACK: (f64, f64) = (0.04, 0.78);
/// Knowledge base searches that find nothing.
pub const NOTHING_FOUND: f64 = 0.06;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_causes_are_per_cent() {
        assert!((ROWS.iter().map(|row| row.share).sum::<f64>() - 100.0).abs() < 1e-9);
        assert!((CAUSES.iter().map(|(_, share)| share).sum::<f64>() - 100.0).abs() < 1e-9);
        assert!((TURNS.iter().map(|(share, _, _)| share).sum::<f64>() - 1.0).abs() < 1e-9);
    }
}

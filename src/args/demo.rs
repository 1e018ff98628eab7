//! The flags of `demo`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{ServeArgs, duration};
use engine::model::LabelName;
use simulator::incident::{Incident, Script};

/// A simulated release bot, as lively as you like.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    #[allow(missing_docs)] // the flags of `serve`
    #[command(flatten)]
    pub serve: ServeArgs,
    /// Simulated seconds a second: 60 is a day in 24 minutes, 1 is real time
    #[arg(
        long,
        env = "OSCAR_METRICS_SPEED",
        value_name = "FACTOR",
        default_value_t = 60.0,
        value_parser = speed
    )]
    pub speed: f64,
    /// The same seed is the same bot
    #[arg(long, env = "OSCAR_METRICS_SEED", value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Write what the bot really did to this JSON file, every second and at the end
    #[arg(long, env = "OSCAR_METRICS_TRUTH", value_name = "FILE")]
    pub truth: Option<PathBuf>,
    /// Stop by itself: 500ms, 10s, 2m, 1h
    #[arg(
        long,
        env = "OSCAR_METRICS_DURATION",
        value_name = "TIME",
        value_parser = duration
    )]
    pub duration: Option<Duration>,
    /// What goes wrong for a while; the truth file tells what it did
    #[arg(long, env = "OSCAR_METRICS_INCIDENT", value_name = "NAME", value_enum)]
    pub incident: Option<IncidentName>,
    /// How long all is well before, in simulated time
    #[arg(
        long,
        env = "OSCAR_METRICS_INCIDENT_AFTER",
        value_name = "TIME",
        default_value = "10m",
        value_parser = duration
    )]
    pub incident_after: Duration,
    /// How long it lasts, in simulated time
    #[arg(
        long,
        env = "OSCAR_METRICS_INCIDENT_FOR",
        value_name = "TIME",
        default_value = "2h",
        value_parser = duration
    )]
    pub incident_for: Duration,
    #[allow(missing_docs)] // the flags of a history
    #[command(flatten)]
    pub history: HistoryArgs,
}

/// The flags of a history.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "History")]
pub struct HistoryArgs {
    /// Write the past instead of serving: so many days of scrapes, as 28d
    ///
    /// Writes what Prometheus would have scraped from this exporter over the last so many simulated days, as OpenMetrics text
    /// with timestamps, and ends. The interactions go as OTLP through the exporter itself, with the simulated time for a clock.
    ///
    /// Load it with `promtool tsdb create-blocks-from openmetrics --max-block-duration=960h FILE DATA`, and start Prometheus
    /// on DATA with `--storage.tsdb.retention.time=90d` and a `--query.lookback-delta` above the step. Windows of two steps
    /// and more have the two samples that `rate` needs.
    #[arg(
        long,
        env = "OSCAR_METRICS_HISTORY",
        value_name = "TIME",
        value_parser = duration,
        requires = "out"
    )]
    pub history: Option<Duration>,
    /// Where the past is written
    #[arg(long, env = "OSCAR_METRICS_OUT", value_name = "FILE", requires = "history")]
    pub out: Option<PathBuf>,
    /// Time from scrape to scrape, whole seconds
    #[arg(
        long,
        env = "OSCAR_METRICS_STEP",
        value_name = "TIME",
        default_value = "30m",
        value_parser = duration
    )]
    pub step: Duration,
    /// A label on every series, as a scrape would add it: job=bot; may be repeated
    #[arg(long, env = "OSCAR_METRICS_LABEL", value_name = "NAME=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
    /// Only metrics of these names, globs: bot_*; may be repeated
    #[arg(long, env = "OSCAR_METRICS_ONLY", value_name = "GLOB")]
    pub only: Vec<String>,
    /// When the past ends, seconds since 1970; without it: now
    #[arg(long, env = "OSCAR_METRICS_END", value_name = "SECONDS")]
    pub end: Option<u64>,
    /// How long before the end `--incident` begins
    #[arg(
        long,
        env = "OSCAR_METRICS_INCIDENT_BEFORE_END",
        value_name = "TIME",
        default_value = "6h",
        value_parser = duration
    )]
    pub incident_before_end: Duration,
}

impl DemoArgs {
    /// What goes wrong, when it begins at this simulated second.
    pub fn script(&self, from: f64) -> Option<Script> {
        let incident = self.incident?.into();
        Some(Script { incident, from, until: from + self.incident_for.as_secs_f64() })
    }
}

/// The incidents by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum IncidentName {
    /// The model's provider turns most questions away: overloaded, after three attempts
    ThrottleStorm,
    /// A crowd asks more than ten slots answer: slow replies, repeated deliveries, lost messages
    Saturation,
    /// A new version fails in a third of its turns, until it is rolled back
    BadDeploy,
    /// Hundreds of hostile messages an hour: injections, spoofed identities, guardrail hits
    InjectionBurst,
    /// Tools give back more than 400 kB, and the agent hangs to its time limit
    OversizeToolResult,
    /// Three times as many input tokens in every model call
    CostRegression,
    /// The bot works and sends nothing
    TelemetryGap,
    /// Tools under hundreds of names that nobody knows: label values fold to `other`
    LabelExplosion,
}

impl From<IncidentName> for Incident {
    fn from(name: IncidentName) -> Self {
        match name {
            IncidentName::ThrottleStorm => Self::ThrottleStorm,
            IncidentName::Saturation => Self::Saturation,
            IncidentName::BadDeploy => Self::BadDeploy,
            IncidentName::InjectionBurst => Self::InjectionBurst,
            IncidentName::OversizeToolResult => Self::OversizeToolResult,
            IncidentName::CostRegression => Self::CostRegression,
            IncidentName::TelemetryGap => Self::TelemetryGap,
            IncidentName::LabelExplosion => Self::LabelExplosion,
        }
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= 100_000.0 => Ok(speed),
        _ => Err("a speed is a number above 0, at most 100000".to_owned()),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let fault = || format!("{text:?} is no label: write name=value, as job=bot");
    let (name, value) = text.split_once('=').ok_or_else(fault)?;
    LabelName::new(name).map_err(|error| error.to_string())?;
    if value.is_empty() { Err(fault()) } else { Ok((name.to_owned(), value.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_has_one_name() {
        for name in IncidentName::value_variants() {
            let value = name.to_possible_value().unwrap();
            assert_eq!(value.get_name(), Incident::from(*name).name());
            assert!(value.get_help().is_some());
        }
        assert_eq!(IncidentName::value_variants().len(), Incident::ALL.len());
    }
}

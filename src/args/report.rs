//! The arguments of `report`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use http::{HeaderName, HeaderValue};

use engine::model::LabelName;

use super::duration;

/// The flags of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// The Prometheus, or what speaks like one: http://127.0.0.1:9090, with user:password@ and a path where it needs them
    #[arg(long, env = "OSCAR_METRICS_PROMETHEUS", value_name = "URL", hide_env_values = true)]
    pub prometheus: String,
    /// How far back: 24h, 7d, 4w. The period before it, as long, is what it is compared with
    #[arg(long, env = "OSCAR_METRICS_SINCE", value_name = "TIME", default_value = "7d", value_parser = duration)]
    pub since: Duration,
    /// The end of the period, in seconds since 1970. Without: now
    #[arg(long, env = "OSCAR_METRICS_UNTIL", value_name = "SECONDS")]
    pub until: Option<u32>,
    /// What to write
    #[arg(long, env = "OSCAR_METRICS_FORMAT", value_enum, default_value_t = FormName::Md)]
    pub format: FormName,
    /// Only series with this label, as PromQL writes it: environment="prod". May be repeated
    #[arg(long = "match", env = "OSCAR_METRICS_MATCH", value_name = "MATCHER", value_parser = matcher)]
    pub matchers: Vec<String>,
    /// A header of every request, as "X-Scope-OrgID: team". May be repeated
    #[arg(long, env = "OSCAR_METRICS_HEADER", value_name = "HEADER", value_parser = header, hide_env_values = true)]
    pub header: Vec<(HeaderName, HeaderValue)>,
    /// The config. Without one the built-in `use: [oscar]`
    #[arg(long = "config.file", env = "OSCAR_METRICS_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// A folder with packs, which come before the built-in packs of the same name
    #[arg(long, env = "OSCAR_METRICS_PACKS", value_name = "DIR")]
    pub packs: Option<PathBuf>,
}

/// The forms of a report by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    /// Markdown
    Md,
    /// One HTML page
    Html,
    /// The numbers as JSON
    Json,
    /// Blocks for a Slack webhook
    Slack,
}

/// `label="value"`, `label=~"regex"` and their opposites.
fn matcher(text: &str) -> Result<String, String> {
    let fault = || format!("{text:?} is no matcher: write label=\"value\"");
    let end = text.find(['=', '!']).ok_or_else(fault)?;
    let (label, rest) = text.split_at_checked(end).ok_or_else(fault)?;
    let value = ["=~", "!~", "!=", "="]
        .iter()
        .find_map(|operator| rest.strip_prefix(operator))
        .ok_or_else(fault)?;
    let quoted = value.len() >= 2 && value.starts_with('"') && value.ends_with('"');
    let inner = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
    let closed = !inner.replace("\\\\", "").replace("\\\"", "").contains('"');
    if LabelName::new(label).is_ok() && quoted && closed && !inner.ends_with('\\') {
        Ok(text.to_owned())
    } else {
        Err(fault())
    }
}

/// `Name: value`.
pub(super) fn header(text: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let fault = "a header is written as \"Name: value\"";
    let (name, value) = text.split_once(':').ok_or(fault)?;
    let name: HeaderName = name.trim().parse().map_err(|_| fault)?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| fault)?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_can_not_leave_its_quotes() {
        for good in ["a=\"b\"", "a!=\"\"", "a=~\"x.*\"", "a=\"say \\\"hi\\\"\""] {
            assert_eq!(matcher(good).as_deref(), Ok(good));
        }
        for bad in [
            "a",
            "=\"b\"",
            "a=b",
            "a=\"b",
            "a=\"b\"} or up{c=\"d\"",
            "a=\"b\\\"",
            "9=\"b\"",
            "a=\"\"\"",
            "a=\"",
        ] {
            assert!(matcher(bad).is_err(), "{bad}");
        }
        assert!(header("X-Scope-OrgID: a").is_ok() && header("nothing").is_err());
    }
}

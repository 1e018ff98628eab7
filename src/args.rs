//! Arguments and their environment twins: what may be said, and nothing about what is done with it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use engine::view::Signal;

#[cfg(feature = "demo")]
mod demo;
mod explore;
mod generate;
#[cfg(feature = "demo")]
mod load;
mod probe;
mod report;

#[cfg(feature = "demo")]
pub use demo::{DemoArgs, HistoryArgs, IncidentName};
pub use explore::{ExploreArgs, ViewName};
pub use generate::{GenerateArgs, ProductName};
#[cfg(feature = "demo")]
pub use load::{EncodingName, LoadArgs, ProfileName};
pub use probe::{ProbeArgs, ProbeUrl};
pub use report::{FormName, ReportArgs};

/// The sidecar that turns what a chat bot emits over OpenTelemetry into Prometheus series.
///
/// Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "oscar-metrics", version, max_term_width = 100)]
#[command(after_help = "The flags of `serve` may be given without the word: see `serve --help`.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands there are.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive OTLP and serve metrics.
    Serve(ServeArgs),
    /// Say everything that is wrong with a config.
    Check(CheckArgs),
    /// Say what becomes of each record of an OTLP file, and why.
    Explain(ExplainArgs),
    /// Say what a running instance receives, what of it no rule uses, and what labels cost.
    Explore(ExploreArgs),
    /// Write the files that belong to a config: dashboards, rules, the reference.
    Generate(GenerateArgs),
    /// Sum a period up for people, from a Prometheus.
    Report(ReportArgs),
    /// Serve, and run a simulated bot that speaks real OTLP to it.
    #[cfg(feature = "demo")]
    Demo(Box<DemoArgs>),
    /// Send spans as fast as told and count every one.
    #[cfg(feature = "demo")]
    Load(LoadArgs),
    /// Ask a running instance whether it is ready: 0 is yes, 69 no.
    Probe(ProbeArgs),
}

/// The flags of `serve`. What is not given here is as the config says.
#[derive(Clone, Debug, Default, Args)]
pub struct ServeArgs {
    /// The config. Without one the built-in `use: [oscar]` is served.
    #[arg(long = "config.file", env = "OSCAR_METRICS_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// A folder with packs, which come before the built-in packs of the same name
    #[arg(long, env = "OSCAR_METRICS_PACKS", value_name = "DIR")]
    pub packs: Option<PathBuf>,
    /// Serve the last good config, else the built-in one, when the config is wrong at the start.
    #[arg(
        long = "config.fallback",
        env = "OSCAR_METRICS_CONFIG_FALLBACK",
        value_parser = BoolishValueParser::new()
    )]
    pub config_fallback: bool,
    /// Where state is kept over restarts.
    #[arg(long = "state.dir", env = "OSCAR_METRICS_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// How log lines are written.
    #[arg(
        long = "log.format",
        env = "OSCAR_METRICS_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// The least important log lines that are written.
    #[arg(
        long = "log.level",
        env = "OSCAR_METRICS_LOG_LEVEL",
        value_name = "LEVEL",
        default_value = "info"
    )]
    pub log_level: LogLevel,
    /// Where Prometheus and people look.
    #[arg(
        long = "web.listen-address",
        env = "OSCAR_METRICS_WEB_LISTEN_ADDRESS",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    pub web_listen_address: Vec<String>,
    /// The path of the metrics.
    #[arg(
        long = "web.telemetry-path",
        env = "OSCAR_METRICS_WEB_TELEMETRY_PATH",
        value_name = "PATH",
        default_value = "/metrics",
        value_parser = path
    )]
    pub web_telemetry_path: String,
    /// TLS and passwords of the web port, as a Prometheus exporter-toolkit file.
    #[arg(long = "web.config.file", env = "OSCAR_METRICS_WEB_CONFIG_FILE", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Let other machines reload the config without a password (POST /-/reload).
    #[arg(
        long = "web.enable-lifecycle",
        env = "OSCAR_METRICS_WEB_ENABLE_LIFECYCLE",
        value_parser = BoolishValueParser::new()
    )]
    pub web_enable_lifecycle: bool,
    /// Where OTLP over gRPC comes in.
    #[arg(
        long = "otlp.grpc.listen-address",
        env = "OSCAR_METRICS_OTLP_GRPC_LISTEN_ADDRESS",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    pub otlp_grpc_listen_address: Vec<String>,
    /// Where OTLP over HTTP comes in.
    #[arg(
        long = "otlp.http.listen-address",
        env = "OSCAR_METRICS_OTLP_HTTP_LISTEN_ADDRESS",
        value_name = "ADDR",
        value_delimiter = ','
    )]
    pub otlp_http_listen_address: Vec<String>,
}

/// The flags of `check`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// The config. Without one the built-in `use: [oscar]` is checked.
    #[arg(long = "config.file", env = "OSCAR_METRICS_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// A folder with packs, which come before the built-in packs of the same name
    #[arg(long, env = "OSCAR_METRICS_PACKS", value_name = "DIR")]
    pub packs: Option<PathBuf>,
    /// Print the config as it is after packs and defaults.
    #[arg(long)]
    pub print: bool,
    /// List the panels, columns and alerts of packs that are left out, and why.
    #[arg(long)]
    pub verbose: bool,
    /// A config, or the folder of a pack, in which nothing may be missing.
    #[arg(value_name = "PATH", conflicts_with = "config_file")]
    pub path: Option<PathBuf>,
}

/// The flags of `explain`.
#[derive(Clone, Debug, Default, Args)]
pub struct ExplainArgs {
    /// The config. Without one the built-in `use: [oscar]` explains.
    #[arg(long = "config.file", env = "OSCAR_METRICS_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// A folder with packs, which come before the built-in packs of the same name
    #[arg(long, env = "OSCAR_METRICS_PACKS", value_name = "DIR")]
    pub packs: Option<PathBuf>,
    /// OTLP JSON, one request a line or pretty-printed, or one protobuf request; `-` is standard input.
    #[arg(long, env = "OSCAR_METRICS_OTLP", value_name = "FILE")]
    pub otlp: PathBuf,
    /// Only what is of this signal; for protobuf, which says nothing of it.
    #[arg(long, env = "OSCAR_METRICS_SIGNAL", value_enum)]
    pub signal: Option<SignalName>,
    /// Only this metric, and every condition on the way to it.
    #[arg(long, env = "OSCAR_METRICS_METRIC", value_name = "NAME")]
    pub metric: Option<String>,
    /// Every rule, however far, and every series, those at 0 too.
    #[arg(long, env = "OSCAR_METRICS_ALL", value_parser = BoolishValueParser::new())]
    pub all: bool,
}

/// The signals by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SignalName {
    /// Spans and their events
    Traces,
    /// Data points
    Metrics,
    /// Log records
    Logs,
}

impl From<SignalName> for Signal {
    fn from(name: SignalName) -> Self {
        match name {
            SignalName::Traces => Self::Traces,
            SignalName::Metrics => Self::Metrics,
            SignalName::Logs => Self::Logs,
        }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)] // the words everybody uses
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl Cli {
    /// Reads a command line, the program's name first. Flags without a command are those of `serve`.
    ///
    /// # Errors
    ///
    /// What clap has to say: a fault, or the help that was asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let first = arguments.get(1).map(|first| first.to_string_lossy());
        let general = ["-h", "--help", "-V", "--version"];
        let flag = |first: &str| first.starts_with('-') && !general.contains(&first);
        if first.is_none_or(|first| flag(&first)) {
            arguments.insert(arguments.len().min(1), "serve".into());
        }
        Self::try_parse_from(arguments)
    }
}

fn path(text: &str) -> Result<String, &'static str> {
    let plain = |character: char| character.is_ascii_graphic() && !"?#".contains(character);
    if !text.starts_with('/') || !text.chars().all(plain) {
        Err("a path begins with `/` and has no blanks, no `?` and no `#`")
    } else if text.starts_with("/-/") || text.starts_with("/api/") {
        Err("`/-/` and `/api/` are taken")
    } else {
        Ok(text.into())
    }
}

/// A time with its unit: ms, s, m, h, d or w.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let fault =
        || format!("{text:?} is not a time: write a number and ms, s, m, h, d or w, as 10s");
    let at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(fault)?;
    let (number, unit) = text.split_at_checked(at).ok_or_else(fault)?;
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return Err(fault()),
    };
    let number: f64 = number.parse().map_err(|_| fault())?;
    let time = Duration::try_from_secs_f64(number * scale).map_err(|_| fault())?;
    if time.is_zero() || time > Duration::from_secs(365 * 86_400) { Err(fault()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn read(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::read(["oscar-metrics"].iter().chain(words).map(OsString::from))
    }

    fn serve(words: &[&str]) -> ServeArgs {
        match read(words).unwrap().command {
            Command::Serve(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_need_no_word_in_front() {
        Cli::command().debug_assert();
        assert_eq!(serve(&[]).web_telemetry_path, "/metrics");
        for words in [&["serve", "--log.format=json"][..], &["--log.format", "json"]] {
            assert_eq!(serve(words).log_format, LogFormat::Json);
        }
        let both = serve(&["--otlp.grpc.listen-address=127.0.0.1:1,[::1]:1"]);
        assert_eq!(both.otlp_grpc_listen_address, ["127.0.0.1:1", "[::1]:1"]);
        assert!(serve(&["--config.fallback"]).config_fallback);
    }

    #[test]
    fn nonsense_is_refused() {
        let bad = ["--nonsense", "nonsense", "--log.level=loud", "--web.telemetry-path=metrics"];
        for word in bad.into_iter().chain(["--web.telemetry-path=/-/x", "check --x"]) {
            assert!(read(&word.split(' ').collect::<Vec<_>>()).is_err(), "{word}");
        }
    }

    #[test]
    fn every_flag_of_serve_has_its_twin() {
        let command = Cli::command();
        let serve = command.find_subcommand("serve").unwrap();
        let flags: Vec<_> = serve.get_arguments().filter(|flag| flag.get_id() != "help").collect();
        assert!(flags.len() >= 10);
        for flag in flags {
            let long = flag.get_long().unwrap();
            let twin = long.replace(['.', '-'], "_").to_uppercase();
            let env = flag.get_env().unwrap().to_str().unwrap();
            assert_eq!(env, format!("OSCAR_METRICS_{twin}"));
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("28d"), Ok(Duration::from_secs(28 * 86_400)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "10", "s", "0s", "-1s", "10 parsecs", "infs", "1e300h", "nans"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}

//! `load`: the generator alone, against any OTLP receiver.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::traffic::TrafficError;
use crate::traffic::load::{self, Encoding, LoadOptions, Profile, Report, Target};

use super::{Exit, Failure, server};

/// Sends spans as fast as told and counts every one.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// Receiver: http://host:4318 is OTLP/HTTP, grpc://host:4317 is OTLP/gRPC
    #[arg(long, env = "OSCAR_METRICS_TARGET", value_name = "URL", value_parser = target)]
    pub target: Target,
    /// Spans a second; 0 is as fast as possible
    #[arg(long, env = "OSCAR_METRICS_RATE", value_name = "N", default_value_t = 0)]
    pub rate: u64,
    /// How long to send: 500ms, 10s, 2m, 1h
    #[arg(
        long,
        env = "OSCAR_METRICS_DURATION",
        value_name = "TIME",
        default_value = "10s",
        value_parser = duration
    )]
    pub duration: Duration,
    /// Spans a request
    #[arg(
        long,
        env = "OSCAR_METRICS_BATCH",
        value_name = "N",
        default_value_t = 512,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub batch: u32,
    /// Connections, each with one request under way
    #[arg(
        long,
        env = "OSCAR_METRICS_CONNECTIONS",
        value_name = "N",
        default_value_t = 4,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    pub connections: u32,
    /// What to send
    #[arg(long, env = "OSCAR_METRICS_PROFILE", value_enum, default_value_t = ProfileName::Oscar)]
    pub profile: ProfileName,
    /// How to write it; JSON over HTTP only
    #[arg(
        long,
        env = "OSCAR_METRICS_ENCODING",
        value_enum,
        default_value_t = EncodingName::Protobuf
    )]
    pub encoding: EncodingName,
    /// Compress the requests
    #[arg(long, env = "OSCAR_METRICS_GZIP")]
    pub gzip: bool,
}

/// The profiles by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileName {
    /// Requests of a web service, 10 to 14 attributes a span
    Peer,
    /// The simulated bot's own mix
    Oscar,
    /// The same mix, asked by 100,000 people
    Stress,
}

/// The encodings by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EncodingName {
    /// OTLP protobuf
    Protobuf,
    /// OTLP JSON
    Json,
}

/// Runs the generator on this thread and prints the report to standard output.
///
/// # Errors
///
/// [`Exit::Internal`] when not everything that was sent was accepted, [`Exit::Unavailable`] when nobody answers at the target,
/// [`Exit::Usage`] when the flags contradict each other.
pub fn run(args: &LoadArgs) -> Result<(), Failure> {
    let visible = io::stderr().is_terminal();
    let report = load::run(args.options(), |so_far| progress(visible, so_far));
    let report = server::runtime()?.block_on(report).map_err(|error| {
        let exit = match error {
            TrafficError::Unreachable { .. } => Exit::Unavailable,
            TrafficError::Target { .. } => Exit::Usage,
            TrafficError::Sdk(_) | TrafficError::Truth { .. } => Exit::Internal,
        };
        Failure::new(exit, error)
    })?;
    let printed = writeln!(io::stdout().lock(), "{report}");
    printed.map_err(|error| Failure::new(Exit::Internal, error))?;
    if report.complete() {
        Ok(())
    } else {
        Err(Failure::new(Exit::Internal, "not everything that was sent was accepted"))
    }
}

impl LoadArgs {
    fn options(&self) -> LoadOptions {
        LoadOptions {
            target: self.target.clone(),
            rate: self.rate,
            duration: self.duration,
            batch: self.batch as usize,
            connections: self.connections as usize,
            profile: match self.profile {
                ProfileName::Peer => Profile::Peer,
                ProfileName::Oscar => Profile::Oscar,
                ProfileName::Stress => Profile::Stress,
            },
            encoding: match self.encoding {
                EncodingName::Protobuf => Encoding::Protobuf,
                EncodingName::Json => Encoding::Json,
            },
            gzip: self.gzip,
            seed: None,
        }
    }
}

/// A line a second for people; nothing in a pipe.
fn progress(visible: bool, so_far: &Report) {
    if visible {
        // Progress that cannot be shown is no reason to stop.
        let _ = writeln!(
            io::stderr().lock(),
            "{:>4.0} s  {:>12} sent  {:>12} accepted  {:>10.0} spans/s",
            so_far.elapsed.as_secs_f64(),
            so_far.sent,
            so_far.accepted,
            so_far.rate()
        );
    }
}

fn target(text: &str) -> Result<Target, String> {
    text.parse().map_err(|error: TrafficError| error.to_string())
}

/// A time with its unit: ms, s, m or h.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let fault = || format!("{text:?} is not a time: write a number and ms, s, m or h, as 10s");
    let at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(fault)?;
    let (number, unit) = text.split_at_checked(at).ok_or_else(fault)?;
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(fault()),
    };
    let number: f64 = number.parse().map_err(|_| fault())?;
    let time = Duration::try_from_secs_f64(number * scale).map_err(|_| fault())?;
    if time.is_zero() || time > Duration::from_secs(365 * 86_400) { Err(fault()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        load: LoadArgs,
    }

    fn parse(line: &[&str]) -> Result<LoadArgs, clap::Error> {
        Line::try_parse_from(["load"].iter().chain(line)).map(|line| line.load)
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "10", "s", "0s", "-1s", "10 parsecs", "infs", "1e300h", "nans"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_sdks() {
        let args = parse(&["--target", "http://localhost:4318"]).unwrap();
        assert_eq!((args.rate, args.batch, args.profile), (0, 512, ProfileName::Oscar));
        assert!(parse(&[]).is_err());
        assert!(parse(&["--target", "localhost"]).is_err());
        assert!(parse(&["--target", "http://a:1", "--batch", "0"]).is_err());
    }

    #[test]
    fn json_over_grpc_is_a_mistake_of_use_and_a_dead_port_is_not() {
        let json = parse(&["--target", "grpc://127.0.0.1:9", "--encoding", "json"]).unwrap();
        assert_eq!(run(&json).unwrap_err().exit, Exit::Usage);
        // Bound and dropped: nobody listens there any more.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dead = parse(&["--target", &format!("http://127.0.0.1:{port}")]).unwrap();
        assert_eq!(run(&dead).unwrap_err().exit, Exit::Unavailable);
    }
}

//! `load`: the generator alone, against any OTLP receiver.

use std::io::{self, IsTerminal, Write};

use simulator::TrafficError;
use simulator::load::{self, Encoding, LoadOptions, Profile, Report};

use super::args::{EncodingName, LoadArgs, ProfileName};
use server::service::runtime;

use super::{Exit, Failure};

/// Runs the generator on this thread and prints the report to standard output.
///
/// # Errors
///
/// [`Exit::Internal`] when not everything that was sent was accepted, [`Exit::Unavailable`] when nobody answers at the target,
/// [`Exit::Usage`] when the flags contradict each other.
pub fn run(args: &LoadArgs) -> Result<(), Failure> {
    let visible = io::stderr().is_terminal();
    let report = load::run(args.options(), |so_far| progress(visible, so_far));
    let report = runtime()?.block_on(report).map_err(|error| {
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

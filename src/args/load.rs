//! The flags of `load`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use simulator::TrafficError;
use simulator::load::Target;

use super::duration;

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

fn target(text: &str) -> Result<Target, String> {
    text.parse().map_err(|error: TrafficError| error.to_string())
}

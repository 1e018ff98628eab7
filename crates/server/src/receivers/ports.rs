//! The two ports of OTLP: the path of each signal, and the messages for senders at the wrong port.

use engine::view::Signal;

/// The ports of OTLP; none where a protocol is not served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// OTLP/gRPC.
    pub grpc: Option<u16>,
    /// OTLP/HTTP.
    pub http: Option<u16>,
}

impl Ports {
    /// The error message for OTLP/HTTP at the port of OTLP/gRPC.
    pub fn http_at_grpc(self) -> String {
        format!("this port is OTLP/gRPC; OTLP/HTTP {}", listens(self.http))
    }

    /// The error message for OTLP/gRPC at the port of OTLP/HTTP.
    pub fn grpc_at_http(self) -> String {
        format!("this port is OTLP/HTTP; OTLP/gRPC {}", listens(self.grpc))
    }
}

fn listens(port: Option<u16>) -> String {
    port.map_or("is not served here".to_owned(), |port| format!("listens on {port}"))
}

/// The signal whose OTLP/HTTP requests have this path.
pub fn http_signal(path: &str) -> Option<Signal> {
    match path {
        "/v1/traces" => Some(Signal::Traces),
        "/v1/metrics" => Some(Signal::Metrics),
        "/v1/logs" => Some(Signal::Logs),
        _ => None,
    }
}

/// The signal whose OTLP/gRPC calls have this path.
pub fn grpc_signal(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

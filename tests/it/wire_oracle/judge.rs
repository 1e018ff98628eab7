//! The walk against `prost`: what each tells of a body, and the differences that are allowed. The fuzz targets judge by it too.

use engine::view::Signal;
use engine::wire::{WireError, json_to_protobuf, walk_logs, walk_metrics, walk_traces};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::{DecodeError, Message};

use super::record::{Call, Recorder, log_calls, metric_calls, trace_calls};

const LIMIT: usize = 16 << 20;

/// The calls of a walk.
pub fn traces(body: &[u8]) -> Result<Vec<Call>, WireError> {
    let mut recorder = Recorder::default();
    walk_traces(body, &mut recorder).map(|()| recorder.0)
}

/// The calls of a walk.
pub fn logs(body: &[u8]) -> Result<Vec<Call>, WireError> {
    let mut recorder = Recorder::default();
    walk_logs(body, &mut recorder).map(|()| recorder.0)
}

/// The calls of a walk.
pub fn metrics(body: &[u8]) -> Result<Vec<Call>, WireError> {
    let mut recorder = Recorder::default();
    walk_metrics(body, &mut recorder).map(|()| recorder.0)
}

/// A JSON request as protobuf.
pub fn transcode(signal: Signal, json: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::new();
    json_to_protobuf(signal, json, LIMIT, &mut out).map(|()| out)
}

/// Whether prost refuses for a reason that the walk does not share, by its documented differences.
fn may_refuse(error: &DecodeError) -> bool {
    let text = error.to_string();
    text.contains("UTF-8") || text.contains("recursion limit")
}

/// Whether the walk refuses for a reason that prost does not share, by its documented differences.
fn may_be_refused(error: &WireError) -> bool {
    error.to_string().contains("a group")
}

/// Both take the body and see the same, or both refuse it, but for the documented differences.
fn agree<T>(ours: Result<T, WireError>, theirs: Result<T, DecodeError>)
where
    T: PartialEq + std::fmt::Debug,
{
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => assert!(may_refuse(&error), "prost alone refuses: {error}"),
        (Err(error), Ok(_)) => assert!(may_be_refused(&error), "the walk alone refuses: {error}"),
    }
}

/// Panics where the walk and `prost` disagree.
pub fn agree_on_traces(body: &[u8]) {
    agree(traces(body), ExportTraceServiceRequest::decode(body).map(|r| trace_calls(&r)));
}

/// Panics where the walk and `prost` disagree.
pub fn agree_on_logs(body: &[u8]) {
    agree(logs(body), ExportLogsServiceRequest::decode(body).map(|r| log_calls(&r)));
}

/// Panics where the walk and `prost` disagree.
pub fn agree_on_metrics(body: &[u8]) {
    agree(metrics(body), ExportMetricsServiceRequest::decode(body).map(|r| metric_calls(&r)));
}

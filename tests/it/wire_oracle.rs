//! The reader tells what `prost` decodes, takes what it takes and refuses what it refuses; and nothing makes it panic.

pub mod build;
pub mod judge;
pub mod record;
mod scatter;

use engine::view::Signal;
use engine::wire::inflate;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;

use judge::{agree_on_logs, agree_on_metrics, agree_on_traces, logs, metrics, traces, transcode};
use record::{log_calls, metric_calls, trace_calls};

/// One change of a body.
#[derive(Clone, Debug)]
pub enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Repeat(Index, Index),
    Cut(Index),
}

pub fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<Index>;
    // Small numbers are keys and lengths, where it hurts.
    let byte = || prop_oneof![any::<u8>(), 0..0x80_u8];
    let one = prop_oneof![
        4 => (at(), byte()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        2 => (at(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        2 => at().prop_map(Mutation::Remove),
        1 => (at(), at()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        1 => at().prop_map(Mutation::Cut),
    ];
    prop::collection::vec(one, 1..4)
}

pub fn mutate(mut body: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        if body.is_empty() {
            return body;
        }
        let length = body.len();
        match mutation {
            Mutation::Set(at, byte) => body[at.index(length)] = *byte,
            Mutation::Flip(at, bit) => body[at.index(length)] ^= 1 << bit,
            Mutation::Insert(at, byte) => body.insert(at.index(length), *byte),
            Mutation::Remove(at) => {
                body.remove(at.index(length));
            }
            Mutation::Repeat(from, to) => {
                let (from, to) = (from.index(length), to.index(length));
                body.extend_from_within(from.min(to)..from.max(to));
            }
            Mutation::Cut(at) => body.truncate(at.index(length)),
        }
    }
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn traces_are_told_as_prost_decodes_them(request in build::traces(build::double())) {
        prop_assert_eq!(traces(&request.encode_to_vec()), Ok(trace_calls(&request)));
    }

    #[test]
    fn logs_are_told_as_prost_decodes_them(request in build::logs(build::double())) {
        prop_assert_eq!(logs(&request.encode_to_vec()), Ok(log_calls(&request)));
    }

    #[test]
    fn metrics_are_told_as_prost_decodes_them(
        request in build::metrics::requests(build::double()),
    ) {
        // Decoded, because the encoder takes -0.0 for a double that was not set.
        let body = request.encode_to_vec();
        let decoded = ExportMetricsServiceRequest::decode(&*body).unwrap();
        prop_assert_eq!(metrics(&body), Ok(metric_calls(&decoded)));
    }

    #[test]
    fn metrics_in_pieces_and_out_of_order_are_told_alike(
        body in scatter::requests(build::double()),
    ) {
        prop_assert!(ExportMetricsServiceRequest::decode(&*body).is_ok());
        agree_on_metrics(&body);
    }

    #[test]
    fn traces_in_json_are_the_same_request(request in build::traces(build::finite())) {
        let json = serde_json::to_vec(&request).unwrap();
        let protobuf = transcode(Signal::Traces, &json).unwrap();
        prop_assert_eq!(traces(&protobuf), Ok(trace_calls(&request)));
        prop_assert_eq!(ExportTraceServiceRequest::decode(&*protobuf).unwrap(), request);
    }

    #[test]
    fn logs_in_json_are_the_same_request(request in build::logs(build::finite())) {
        let json = serde_json::to_vec(&request).unwrap();
        let protobuf = transcode(Signal::Logs, &json).unwrap();
        prop_assert_eq!(logs(&protobuf), Ok(log_calls(&request)));
        prop_assert_eq!(ExportLogsServiceRequest::decode(&*protobuf).unwrap(), request);
    }

    #[test]
    fn metrics_in_json_are_the_same_request(
        request in build::metrics::requests(build::finite()),
    ) {
        let json = serde_json::to_vec(&request).unwrap();
        let protobuf = transcode(Signal::Metrics, &json).unwrap();
        prop_assert_eq!(metrics(&protobuf), Ok(metric_calls(&request)));
        prop_assert_eq!(ExportMetricsServiceRequest::decode(&*protobuf).unwrap(), request);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_traces_are_judged_alike(
        request in build::traces(build::double()), changes in mutations(),
    ) {
        agree_on_traces(&mutate(request.encode_to_vec(), &changes));
    }

    #[test]
    fn changed_logs_are_judged_alike(
        request in build::logs(build::double()), changes in mutations(),
    ) {
        agree_on_logs(&mutate(request.encode_to_vec(), &changes));
    }

    #[test]
    fn changed_metrics_are_judged_alike(
        request in build::metrics::requests(build::double()), changes in mutations(),
    ) {
        agree_on_metrics(&mutate(request.encode_to_vec(), &changes));
    }

    #[test]
    fn changed_full_metrics_are_judged_alike(changes in mutations()) {
        agree_on_metrics(&mutate(build::metrics::sample().encode_to_vec(), &changes));
    }

    #[test]
    fn any_bytes_are_judged_alike(body in prop::collection::vec(any::<u8>(), 0..200)) {
        agree_on_traces(&body);
        agree_on_logs(&body);
        agree_on_metrics(&body);
    }

    #[test]
    fn any_bytes_are_read_without_harm(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for signal in Signal::ALL {
            let _ = transcode(signal, &body);
        }
        let _ = inflate::gzip(&body, 4096);
        let _ = inflate::zstd(&body, 4096);
        let _ = inflate::deflate(&body, 4096);
        let _ = inflate::deflate(&[&[0x78, 0x9c], &*body].concat(), 4096);
        let _ = inflate::gzip(&[&[0x1f, 0x8b, 8, 0], &*body].concat(), 4096);
        let _ = inflate::zstd(&[&[0x28, 0xb5, 0x2f, 0xfd], &*body].concat(), 4096);
    }

    #[test]
    fn changed_json_is_refused_or_a_request(changes in mutations()) {
        let json = mutate(serde_json::to_vec(&build::metrics::sample()).unwrap(), &changes);
        if let Ok(protobuf) = transcode(Signal::Metrics, &json) {
            let decoded = ExportMetricsServiceRequest::decode(&*protobuf).unwrap();
            prop_assert_eq!(metrics(&protobuf), Ok(metric_calls(&decoded)));
        }
    }
}

#[test]
fn a_request_cut_anywhere_is_judged_alike() {
    let (traces, logs) = build::sample();
    let (traces, logs) = (traces.encode_to_vec(), logs.encode_to_vec());
    let metrics = build::metrics::sample().encode_to_vec();
    for end in 0..=traces.len() {
        agree_on_traces(&traces[..end]);
    }
    for end in 0..=logs.len() {
        agree_on_logs(&logs[..end]);
    }
    for end in 0..=metrics.len() {
        agree_on_metrics(&metrics[..end]);
    }
}

#[test]
fn every_bit_of_a_request_may_be_wrong() {
    let (traces, logs) = build::sample();
    let mut bodies = vec![
        (traces.encode_to_vec(), agree_on_traces as fn(&[u8])),
        (logs.encode_to_vec(), agree_on_logs),
    ];
    let metrics = build::metrics::one_by_one().into_iter();
    bodies.extend(metrics.map(|one| (one.encode_to_vec(), agree_on_metrics as fn(&[u8]))));
    for (mut body, agree) in bodies {
        for at in 0..8 * body.len() {
            body[at / 8] ^= 1 << (at % 8);
            agree(&body);
            body[at / 8] ^= 1 << (at % 8);
        }
    }
}

//! Small bodies that inflate to millions of items, as the binary takes them: the answer, the counter, the memory before, meanwhile
//! and after, and what a sender gets beside them.

use std::fs;

use engine::limits::MIB;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::grpc::{self, Client};
use crate::state::place::{Place, Process, within};
use crate::support::*;

/// Bytes of a bomb when it is inflated.
const INFLATED: usize = 16 * MIB - 1024;

/// Memory that may be more afterwards, and meanwhile beside what the request is charged.
const SLACK: usize = 8 * MIB;

type Compress = fn(&[u8]) -> Vec<u8>;

/// A length-delimited field of protobuf.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

/// So many bytes of this.
fn many(piece: &[u8]) -> Vec<u8> {
    piece.repeat(INFLATED / piece.len())
}

/// A request whose scope holds these items.
fn scope(items: &[u8]) -> Vec<u8> {
    field(1, &field(2, items))
}

/// A request of one metric with this data.
fn metric(data: &[u8]) -> Vec<u8> {
    scope(&field(2, data))
}

/// Each kind of thing that takes two or four bytes on the wire and far more when it is evaluated: its path, its body.
fn protobuf_bombs() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("spans", "/v1/traces", scope(&many(&[0x12, 0]))),
        ("events", "/v1/traces", scope(&field(2, &many(&[0x5a, 0])))),
        ("logs", "/v1/logs", scope(&many(&[0x12, 0]))),
        ("points", "/v1/metrics", metric(&field(5, &many(&[0x0a, 0])))),
        ("histograms", "/v1/metrics", metric(&field(9, &many(&[0x0a, 0])))),
        ("metrics", "/v1/metrics", scope(&many(&[0x12, 2, 0x2a, 0]))),
        ("attributes", "/v1/metrics", metric(&field(5, &field(1, &many(&[0x3a, 0]))))),
        (
            "resource attributes",
            "/v1/metrics",
            field(1, &[field(1, &many(&[0x0a, 0])), field(2, &field(2, &field(5, &[])))].concat()),
        ),
    ]
}

fn json_bombs() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let nested = |keys: &[&str], piece: &str| {
        let open: String = keys.iter().map(|key| format!("{{\"{key}\":[")).collect();
        let close = "]}".repeat(keys.len());
        [open.as_bytes(), &many(piece.as_bytes()), b"{}", close.as_bytes()].concat()
    };
    let points = {
        let metric = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"gauge\":";
        [metric.as_bytes(), &nested(&["dataPoints"], "{},"), b"}]}]}]}"].concat()
    };
    vec![
        ("spans", "/v1/traces", nested(&["resourceSpans", "scopeSpans", "spans"], "{},")),
        ("logs", "/v1/logs", nested(&["resourceLogs", "scopeLogs", "logRecords"], "{},")),
        ("points", "/v1/metrics", points),
    ]
}

/// The binary with the default limits of a machine without a container.
fn start() -> (Place, Process) {
    let place = Place::new("use: [oscar]\nlimits: {memory: 512MiB}\n");
    let process = place.start();
    process.span("warm", 1, &[]);
    (place, process)
}

/// Resident bytes of a process, now and at most since [`forget_peak`].
fn memory(process: &Process) -> (usize, usize) {
    let status = fs::read_to_string(format!("/proc/{}/status", process.child.id())).unwrap();
    let kib = |key: &str| -> usize {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    (kib("VmRSS:") * 1024, kib("VmHWM:") * 1024)
}

fn forget_peak(process: &Process) {
    fs::write(format!("/proc/{}/clear_refs", process.child.id()), "5").unwrap();
}

/// What the process may need at most for a request that is charged so much, and must not need a second later.
fn stays_bounded(process: &Process, what: &str, charged: usize, send: impl FnOnce()) {
    forget_peak(process);
    let (before, _) = memory(process);
    send();
    let (_, peak) = memory(process);
    let grown = peak.saturating_sub(before);
    assert!(grown <= charged + SLACK, "{what}: {} MiB at most", grown / MIB);
    within(|| memory(process).0 <= before + SLACK);
}

fn refused(process: &Process, protocol: &str) -> f64 {
    process.value(&format!(
        "oscar_metrics_refused_requests_total{{protocol=\"{protocol}\",reason=\"too_large\"}}"
    ))
}

fn received(process: &Process) -> f64 {
    let of = |signal| {
        process.value(&format!("oscar_metrics_received_items_total{{signal=\"{signal}\"}}"))
    };
    ["traces", "metrics", "logs"].map(of).iter().sum()
}

#[test]
fn refuses_millions_of_items_over_http() {
    let (_place, process) = start();
    let codings: [(&str, Compress); 3] = [("gzip", gzip), ("zstd", zstd), ("deflate", zlib)];
    let before = received(&process);
    let mut expected = refused(&process, "http");
    let protobuf = protobuf_bombs().into_iter().map(|bomb| (PROTOBUF, 1, bomb));
    // JSON is in memory in both forms.
    let json = json_bombs().into_iter().map(|bomb| (JSON, 2, bomb));
    for (at, (media_type, forms, (name, path, body))) in protobuf.chain(json).enumerate() {
        let (coding, compress) = codings[at % codings.len()];
        let what = format!("{name} {media_type} {coding}");
        let (body, charged) = (compress(&body), forms * body.len());
        let headers = format!("{media_type}Content-Encoding: {coding}\r\n");
        stays_bounded(&process, &what, charged, || {
            let reply = post(process.http, path, &headers, &body);
            assert_eq!(reply.status, 413, "{what}");
        });
        expected += 1.0;
        assert_eq!(refused(&process, "http"), expected, "{what}");
    }
    assert_eq!(received(&process), before, "nothing of them is in the books");
    process.span("after", 2, &[]);
}

#[test]
fn refuses_millions_of_items_over_grpc() {
    let (place, process) = start();
    let client = Client::to(([127, 0, 0, 1], place.ports[0]).into());
    let rows = [
        ("spans", grpc::TRACES, CompressionEncoding::Gzip),
        ("logs", grpc::LOGS, CompressionEncoding::Zstd),
        ("points", grpc::METRICS, CompressionEncoding::Deflate),
    ];
    for (name, path, coding) in rows {
        let (_, _, body) = protobuf_bombs().into_iter().find(|one| one.0 == name).unwrap();
        stays_bounded(&process, name, body.len(), || {
            let status = client.compressed(path, body, Some(coding)).unwrap_err();
            assert_eq!(status.code(), Code::ResourceExhausted, "{name}");
            assert!(status.details().is_empty(), "{name}: there is no use in a retry");
        });
    }
    let largest = metric(&field(5, &many(&[0x0a, 0]).repeat(3)));
    stays_bounded(&process, "the largest", largest.len(), || {
        let status = client.compressed(grpc::METRICS, largest, Some(CompressionEncoding::Zstd));
        assert_eq!(status.unwrap_err().code(), Code::ResourceExhausted);
    });
    assert_eq!(refused(&process, "grpc"), 4.0);
    process.span("after", 2, &[]);
}

#[test]
fn a_large_point_is_rejected_before_it_is_read() {
    let (_place, process) = start();
    let counts = field(2, &many(&[1]));
    let exponential = metric(&field(10, &field(1, &field(8, &counts))));
    let summary = metric(&field(11, &field(1, &many(&[0x32, 0]))));
    let exemplars = metric(&field(5, &field(1, &many(&[0x2a, 0]))));
    for (name, body) in
        [("exponential", exponential), ("summary", summary), ("exemplars", exemplars)]
    {
        let headers = format!("{PROTOBUF}Content-Encoding: zstd\r\n");
        stays_bounded(&process, name, body.len(), || {
            let reply = post(process.http, "/v1/metrics", &headers, &zstd(&body));
            assert_eq!(reply.status, 200, "{name}");
        });
    }
    let rejected =
        process.value("oscar_metrics_rejected_items_total{signal=\"metrics\",reason=\"invalid\"}");
    assert_eq!(rejected, 3.0);
}

//! Batches decode to what they should be, in both encodings, and no id comes twice.

use std::collections::HashSet;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::template::Fresh;
use super::*;

const NOW: u64 = 1_790_000_000_000_000_000;

fn options(profile: Profile, encoding: Encoding, batch: usize) -> LoadOptions {
    LoadOptions {
        target: "http://localhost:4318".parse().unwrap(),
        rate: 0,
        duration: Duration::from_secs(1),
        batch,
        connections: 1,
        profile,
        encoding,
        gzip: false,
        seed: Some(1),
    }
}

/// The spans of the first batches as a receiver sees them.
fn decoded(options: &LoadOptions, batches: u64) -> Vec<Vec<Span>> {
    let templates = corpus::templates(options);
    (0..batches)
        .map(|number| {
            let template = &templates[number as usize % templates.len()];
            let mut bytes = template.bytes.clone();
            let first = number * options.batch as u64;
            template.freshen(&mut bytes, Fresh { run: 0x1234_5678_9abc_def0, first, now: NOW });
            let request: ExportTraceServiceRequest = match options.encoding {
                Encoding::Protobuf => Message::decode(bytes.as_slice()).unwrap(),
                Encoding::Json => serde_json::from_slice(&bytes).unwrap(),
            };
            let resource = &request.resource_spans[0];
            let keys: Vec<&str> = resource
                .resource
                .as_ref()
                .unwrap()
                .attributes
                .iter()
                .map(|pair| pair.key.as_str())
                .collect();
            assert!(keys.contains(&"service.name"));
            assert_eq!(resource.scope_spans[0].scope.as_ref().unwrap().name, "oscar.bot");
            resource.scope_spans[0].spans.clone()
        })
        .collect()
}

#[test]
fn both_encodings_say_the_same() {
    for profile in [Profile::Peer, Profile::Oscar, Profile::Stress] {
        let protobuf = decoded(&options(profile, Encoding::Protobuf, 512), 12);
        let json = decoded(&options(profile, Encoding::Json, 512), 12);
        assert_eq!(protobuf, json, "{profile:?}");
    }
}

#[test]
fn ids_are_fresh_in_every_batch_and_distinct_over_all() {
    for batch in [1, 7, 512, 6_000] {
        let mut spans = HashSet::new();
        let mut traces: HashSet<Vec<u8>> = HashSet::new();
        let mut count = 0;
        let batches = 3 + 9_000 / batch as u64;
        for batch in decoded(&options(Profile::Oscar, Encoding::Protobuf, batch), batches) {
            let here: HashSet<Vec<u8>> = batch.iter().map(|span| span.trace_id.clone()).collect();
            assert!(traces.is_disjoint(&here));
            traces.extend(here);
            for span in batch {
                assert!((span.trace_id.len(), span.span_id.len()) == (16, 8));
                assert!(span.span_id.iter().any(|byte| *byte != 0));
                spans.insert(span.span_id);
                count += 1;
            }
        }
        assert_eq!(spans.len(), count);
    }
}

#[test]
fn parents_are_in_their_trace_and_times_are_now() {
    for batch in decoded(&options(Profile::Oscar, Encoding::Protobuf, 8_192), 1) {
        assert_eq!(batch.len(), 8_192);
        let at = |id: &[u8]| batch.iter().find(|span| span.span_id == id);
        let mut children = 0;
        for span in batch.iter().take(2_000) {
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
            assert!(span.end_time_unix_nano <= NOW);
            assert!(span.end_time_unix_nano > NOW - 1_000_000_000_000);
            if !span.parent_span_id.is_empty() {
                children += 1;
                assert_eq!(at(&span.parent_span_id).unwrap().trace_id, span.trace_id);
            }
        }
        assert!(children > 1_500, "{children}");
    }
}

#[test]
fn peer_spans_have_ten_to_fourteen_attributes_and_stress_has_many_people() {
    let batch = decoded(&options(Profile::Peer, Encoding::Protobuf, 512), 1).remove(0);
    assert_eq!(batch.len(), 512);
    for span in &batch {
        assert!((10..=14).contains(&span.attributes.len()), "{span:?}");
    }
    let kinds: HashSet<i32> = batch.iter().map(|span| span.kind).collect();
    assert_eq!(kinds.len(), 5);
    let people = |profile| {
        let batches = decoded(&options(profile, Encoding::Protobuf, 512), 100);
        let spans = batches.iter().flatten().flat_map(|span| &span.attributes);
        let ids =
            spans.filter(|pair| pair.key == "user.id").map(|pair| format!("{:?}", pair.value));
        ids.collect::<HashSet<String>>().len()
    };
    assert!(people(Profile::Oscar) <= 180);
    assert!(people(Profile::Stress) > 1_000);
}

#[test]
fn targets_are_read() {
    let target = |text: &str| text.parse::<Target>();
    let http = target("http://localhost").unwrap();
    assert_eq!((http.authority.as_str(), http.path.as_str()), ("localhost:4318", "/v1/traces"));
    let grpc = target("grpc://[::1]:9").unwrap();
    assert_eq!((grpc.protocol, grpc.authority.as_str()), (Protocol::Grpc, "[::1]:9"));
    assert_eq!(target("http://a:1/x/y").unwrap().path, "/x/y");
    for wrong in ["localhost:4318", "https://a:1", "grpc://a:1/path", "http://", "http://a b"] {
        assert!(target(wrong).is_err(), "{wrong}");
    }
}

//! The other way: `opentelemetry-proto` decodes a request into owned structs, then spans are counted and measured by what
//! span_metrics labels them with. Written as one would for speed: keys looked up borrowed, fast hashes, one map for both series.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use engine::limits::{DEDUPE_ENTRIES, DEDUPE_WINDOW, SAMPLING_MOST};
use engine::timestamp::Timestamp;
use hashbrown::{Equivalent, HashMap};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// Bounds of the duration histogram in milliseconds: those of the pack.
const BOUNDS: [f64; 16] = [
    2.0, 4.0, 6.0, 8.0, 10.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1000.0, 1400.0, 2000.0, 5000.0,
    10000.0, 15000.0,
];

/// What two spans have in common that are counted together.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    service: String,
    name: String,
    kind: i32,
    status: i32,
}

#[derive(Clone, Copy)]
struct Borrowed<'a> {
    service: &'a str,
    name: &'a str,
    kind: i32,
    status: i32,
}

impl Hash for Borrowed<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.service, self.name, self.kind, self.status).hash(state);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { service, name, kind, status } = self;
        Borrowed { service, name, kind: *kind, status: *status }.hash(state);
    }
}

impl Equivalent<Key> for Borrowed<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        (self.kind, self.status) == (key.kind, key.status)
            && self.name == key.name
            && self.service == key.service
    }
}

/// The record behind a number.
type Exemplar = ([u8; 16], [u8; 8], f64, u64);

#[derive(Default)]
struct Series {
    calls: f64,
    last: Option<Exemplar>,
    counts: [f64; BOUNDS.len() + 1],
    sum: f64,
    exemplars: [Option<Exemplar>; BOUNDS.len() + 1],
}

/// The series so far, and the ids that came.
#[derive(Default)]
pub struct Structs {
    series: HashMap<Key, Series, foldhash::fast::RandomState>,
    young: HashSet<([u8; 16], [u8; 8]), foldhash::fast::RandomState>,
    elder: HashSet<([u8; 16], [u8; 8]), foldhash::fast::RandomState>,
    since: Timestamp,
}

impl Structs {
    /// Decodes a request and counts its spans. How many were new.
    pub fn ingest(&mut self, body: &[u8], now: Timestamp) -> u64 {
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let mut accepted = 0;
        for resource in &request.resource_spans {
            let attributes = resource.resource.iter().flat_map(|resource| &resource.attributes);
            let mut services = attributes.filter(|attribute| attribute.key == "service.name");
            let service = services.next().and_then(|service| service.value.as_ref());
            let service = match service.and_then(|value| value.value.as_ref()) {
                Some(Value::StringValue(text)) => text,
                _ => "unknown_service",
            };
            for span in resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
                accepted += u64::from(self.span(service, span, now));
            }
        }
        accepted
    }

    fn span(&mut self, service: &str, span: &Span, now: Timestamp) -> bool {
        let trace_id: [u8; 16] = span.trace_id.as_slice().try_into().unwrap_or_default();
        let span_id: [u8; 8] = span.span_id.as_slice().try_into().unwrap_or_default();
        if trace_id != [0; 16] && span_id != [0; 8] && self.repeated((trace_id, span_id), now) {
            return false;
        }
        let weight = engine::weight::weight(span.trace_state.as_bytes());
        let weight = if weight > SAMPLING_MOST { 1.0 } else { weight };
        let status = span.status.as_ref().map_or(0, |status| status.code);
        let key = Borrowed { service, name: &span.name, kind: span.kind, status };
        let (start, end) =
            (Timestamp(span.start_time_unix_nano), Timestamp(span.end_time_unix_nano));
        let took = end.seconds_since(start).ok().map(|seconds| seconds * 1000.0);
        if !self.series.contains_key(&key) {
            let (service, name) = (service.to_owned(), span.name.clone());
            let key = Key { service, name, kind: span.kind, status };
            self.series.insert(key, Series::default());
        }
        let series = self.series.get_mut(&key).unwrap();
        let exemplar = |value| Some((trace_id, span_id, value, span.end_time_unix_nano));
        series.calls += weight;
        series.last = exemplar(weight);
        // Without a start or an end there is nothing to measure.
        if let Some(took) = took {
            let at = BOUNDS.partition_point(|bound| *bound < took);
            series.counts[at] += weight;
            series.sum += took * weight;
            series.exemplars[at] = exemplar(took);
        }
        true
    }

    fn repeated(&mut self, ids: ([u8; 16], [u8; 8]), now: Timestamp) -> bool {
        if self.young.len() >= DEDUPE_ENTRIES || now.since(self.since) >= DEDUPE_WINDOW {
            std::mem::swap(&mut self.young, &mut self.elder);
            self.young.clear();
            self.since = now;
        }
        self.elder.contains(&ids) || !self.young.insert(ids)
    }

    /// The totals: calls, and what the histograms counted and summed.
    pub fn totals(&self) -> (f64, f64, f64) {
        let all = || self.series.values();
        let counted = all().map(|series| series.counts.iter().sum::<f64>()).sum();
        (all().map(|series| series.calls).sum(), counted, all().map(|series| series.sum).sum())
    }
}

//! What is sent: each profile as traces, cut into batches.

use super::super::day;
use super::super::incident::VERSIONS;
use super::super::model::{Happening, Model};
use super::super::story::{self, Kind, Span, Trace, Value};
use super::template::{Batch, Ids, Placed, Template};
use super::{Encoding, LoadOptions, Protocol, json, protobuf};

/// Interactions that the `oscar` and `stress` corpora hold.
const INTERACTIONS: usize = 300;
/// Traces and spans in each of them of the `peer` corpus: 512 spans.
const PEER: (usize, usize) = (64, 8);
/// People of the `stress` profile.
const MANY_PEOPLE: u32 = 100_000;

/// What to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Requests of a web service: 10 to 14 attributes, as span metrics of other products are measured with.
    Peer,
    /// The simulated bot's own mix.
    Oscar,
    /// The same mix asked by 100,000 people.
    Stress,
}

impl Profile {
    /// How many people ask; 0: they stay who they are.
    pub(super) const fn people(self) -> u32 {
        match self {
            Self::Stress => MANY_PEOPLE,
            Self::Peer | Self::Oscar => 0,
        }
    }

    /// The traces of the profile, the same every time.
    pub(super) fn traces(self) -> Vec<Trace> {
        match self {
            Self::Peer => (0..PEER.0).map(peer).collect(),
            Self::Oscar | Self::Stress => Model::new(1, day::FIRST_MOMENT)
                .filter(|moment| matches!(moment.what, Happening::Turn(_)))
                .take(INTERACTIONS)
                .flat_map(|moment| story::tell(&moment.what))
                .collect(),
        }
    }
}

/// The encoded batches of a run: each span of the corpus at least once, each batch full.
pub(super) fn templates(options: &LoadOptions) -> Vec<Template> {
    let traces = options.profile.traces();
    let spans: Vec<Placed<'_>> = (0_u32..).zip(&traces).flat_map(placed).collect();
    let size = options.batch.max(1);
    let batches = spans.len().div_ceil(size);
    let mut all = spans.iter().cycle();
    (0..batches)
        .map(|_| {
            let batch = Batch {
                resource: &story::resource(VERSIONS.0),
                scope: story::SCOPE,
                spans: all.by_ref().take(size).copied().collect(),
            };
            let people = options.profile.people();
            match (options.encoding, options.target.protocol) {
                (Encoding::Json, _) => json::encode(&batch, people),
                (Encoding::Protobuf, Protocol::Http) => {
                    protobuf::encode(&batch, Ids::Fresh(people))
                }
                (Encoding::Protobuf, Protocol::Grpc) => {
                    protobuf::encode(&batch, Ids::Fresh(people)).framed()
                }
            }
        })
        .collect()
}

pub(super) fn placed((number, trace): (u32, &Trace)) -> impl Iterator<Item = Placed<'_>> {
    let end = trace.spans.iter().map(|span| span.end).max().unwrap_or(0);
    let place = move |(local, span)| Placed { trace: number, local, end, span };
    (0_u32..).zip(&trace.spans).map(place)
}

/// A request through a few services: names, kinds and statuses as a span metrics connector keys them by.
fn peer(trace: usize) -> Trace {
    let spans = (0..PEER.1).map(|n| peer_span(trace, n)).collect();
    Trace { spans, ..Trace::default() }
}

fn peer_span(trace: usize, n: usize) -> Span {
    let kinds = [Kind::Server, Kind::Internal, Kind::Client, Kind::Producer, Kind::Consumer];
    let kind = kinds.get(n % kinds.len()).copied().unwrap_or(Kind::Internal);
    let took = 1_000_000 * (1 + (trace * 37 + n * 11) % 900) as i64;
    let start = 500_000 * n as i64;
    let failed = (trace + n).is_multiple_of(19);
    let status = if failed { 503 } else { 200 };
    let text = |text: String| Value::Text(text.into());
    let mut attributes: Vec<(&'static str, Value)> = vec![
        ("http.request.method", Value::from(if n.is_multiple_of(3) { "POST" } else { "GET" })),
        ("http.response.status_code", Value::Int(status)),
        ("http.route", text(format!("/api/v1/things/{}", trace % 20))),
        ("url.scheme", Value::from("https")),
        ("url.path", text(format!("/api/v1/things/{}/{}", trace % 20, trace * 8 + n))),
        ("server.address", Value::from("things.internal.example")),
        ("server.port", Value::Int(8443)),
        ("network.protocol.version", Value::from("1.1")),
        ("user_agent.original", Value::from("things-client/4.2 (linux; x86_64)")),
        ("client.address", text(format!("10.4.{}.{}", trace % 200, n))),
        ("thread.id", Value::Int(n as i64 + 17)),
        ("enduser.pseudo.id", text(format!("a1b2c3d4{trace:08}"))),
        ("feature.enabled", Value::Bool(n.is_multiple_of(2))),
        ("cache.hits", Value::Int((trace % 7) as i64)),
    ];
    attributes.truncate(10 + (trace + n) % 5);
    Span {
        name: format!("operation-{}", (trace * PEER.1 + n) % 40).into(),
        kind,
        parent: n.checked_sub(1),
        start,
        end: start + took,
        error: failed.then_some("upstream unavailable"),
        attributes,
        events: Vec::new(),
    }
}

//! One trace at a time, at a time of its own: what a bot would have sent of it.

use super::super::story::{SCOPE, Trace, resource};
use super::corpus::placed;
use super::protobuf;
use super::template::{Batch, Fresh, Ids, Template};

/// Makes requests of traces, each with ids of its own; people and conversations keep theirs.
#[derive(Clone, Debug)]
pub struct Encoder {
    run: u64,
    spans: u64,
}

impl Encoder {
    /// Ids that no encoder with another number makes.
    pub const fn new(run: u64) -> Self {
        Self { run, spans: 0 }
    }

    /// The request with the spans of a trace that began at `begin` (nanoseconds since the epoch), and the one with its log
    /// records, if it has any. In protobuf.
    pub fn encode(
        &mut self,
        trace: &Trace,
        begin: u64,
        version: &'static str,
    ) -> (Vec<u8>, Option<Vec<u8>>) {
        let resource = resource(version);
        let spans = placed((0, trace)).collect();
        let batch = Batch { resource: &resource, scope: SCOPE, spans };
        let end = trace.spans.iter().map(|span| span.end).max().unwrap_or(0);
        let fresh =
            Fresh { run: self.run, first: self.spans, now: begin.saturating_add_signed(end) };
        self.spans += trace.spans.len() as u64;
        let bytes = |mut template: Template| {
            template.freshen_own(fresh);
            template.bytes
        };
        let logs =
            (!trace.logs.is_empty()).then(|| bytes(protobuf::logs(&batch, trace, end, Ids::Own)));
        (bytes(protobuf::encode(&batch, Ids::Own)), logs)
    }
}

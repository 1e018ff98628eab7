//! The first walk over a large request: it counts and checks, allocates nothing, and refuses what is too much.

use crate::limits;
use crate::view::{LogRecord, Metric, Origin, Point, Signal, Span, SpanEvent, Value, Visitor};
use crate::wire::{self, WireError};

/// Charges a request of at most `most` bytes for its items, and returns the bytes that it takes to evaluate it in chunks.
///
/// # Errors
/// When it is malformed, or charged more.
pub(super) fn measure(signal: Signal, body: &[u8], most: usize) -> Result<usize, WireError> {
    let limit = limits::charge(most);
    let mut meter = Meter { limit, has_points: signal == Signal::Metrics, ..Meter::default() };
    let walked = match signal {
        Signal::Traces => wire::walk_traces(body, &mut meter),
        Signal::Metrics => wire::walk_metrics(body, &mut meter),
        Signal::Logs => wire::walk_logs(body, &mut meter),
    };
    match walked {
        Err(WireError::Stopped) => Err(WireError::TooManyItems { limit }),
        walked => walked.map(|()| meter.charged.min(limits::CHUNK + meter.most_attributes)),
    }
}

/// The visitor.
#[derive(Default)]
struct Meter {
    limit: usize,
    charged: usize,
    /// Attributes are held only of data points, until their chunk ends.
    has_points: bool,
    /// Bytes for attributes of the resource and scope at hand, of the point at hand, and the most of both.
    home: [usize; 2],
    own: usize,
    most_attributes: usize,
}

impl Meter {
    fn charge(&mut self, bytes: usize) {
        self.charged = self.charged.saturating_add(bytes);
    }
}

impl<'a> Visitor<'a> for Meter {
    fn resource(&mut self) {
        self.home = [0, 0];
    }

    fn scope(&mut self, _name: &'a [u8], _version: &'a [u8]) {
        self.home[1] = 0;
    }

    #[inline]
    fn attribute(&mut self, origin: Origin, _key: &'a [u8], _value: Value<'a>) {
        if !self.has_points {
            return;
        }
        self.charge(limits::ATTRIBUTE_CHARGE);
        let sum = match origin {
            Origin::Resource => &mut self.home[0],
            Origin::Scope => &mut self.home[1],
            _ => &mut self.own,
        };
        *sum += limits::ATTRIBUTE_CHARGE;
        self.most_attributes = self.most_attributes.max(self.home[0] + self.home[1] + self.own);
    }

    fn span(&mut self, _span: &Span<'a>) {
        self.charge(limits::SPAN_CHARGE);
    }

    fn event(&mut self, _event: &SpanEvent<'a>) {
        self.charge(limits::EVENT_CHARGE);
    }

    fn log(&mut self, _record: &LogRecord<'a>) {
        self.charge(limits::LOG_CHARGE);
    }

    fn metric(&mut self, _metric: &Metric<'a>) {
        self.charge(limits::METRIC_CHARGE);
    }

    fn point(&mut self, _metric: &Metric<'a>, _point: &Point<'a>) {
        self.charge(limits::POINT_CHARGE);
        self.own = 0;
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.charged > self.limit
    }
}

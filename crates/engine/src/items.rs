//! The items of a request on their way, and what becomes of each.

use std::ops::Range;

use crate::counters::{ItemCounts, Rejection};
use crate::dedupe::Fingerprint;
use crate::rules::room;
use crate::series::Sample;
use crate::timestamp::Timestamp;
use crate::view::{Metric, Point, Value};

/// One span or log record.
pub(crate) struct Item {
    pub(crate) ids: Option<([u8; 16], [u8; 8])>,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) weight: f64,
    pub(crate) fate: Fate,
}

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Matched,
    Unmatched,
    Late,
    Duplicate,
}

impl Item {
    /// What nobody sent: it stands for what was.
    pub(crate) fn derived() -> Self {
        Self { ids: None, fingerprint: None, weight: 1.0, fate: Fate::Matched }
    }

    /// The record behind a change, its ids when they are whole.
    #[inline]
    pub(crate) fn sample(&self, time: Timestamp, arrival: Timestamp) -> Sample {
        Sample { time, arrival, ids: self.ids }
    }
}

/// Enters one item in the books.
pub(crate) fn count(counts: &mut ItemCounts, fate: Fate) {
    match fate {
        Fate::Matched => counts.accepted += 1,
        Fate::Unmatched => {
            counts.accepted += 1;
            counts.unmatched += 1;
        }
        Fate::Late => counts.reject(Rejection::Late),
        Fate::Duplicate => counts.reject(Rejection::Duplicate),
    }
}

/// An attribute as it was sent.
pub(crate) type Attribute<'a> = (&'a [u8], Value<'a>);

/// The resource and scope that metrics come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home<'a> {
    /// Of its attributes, whatever their order.
    pub(crate) resource_hash: u64,
    pub(crate) resource: Range<usize>,
    pub(crate) scope_hash: u64,
    pub(crate) scope: Range<usize>,
    pub(crate) scope_name: &'a [u8],
    pub(crate) scope_version: &'a [u8],
    pub(crate) schema: &'a [u8],
}

/// A metric, where it comes from, and whether the config lets it pass.
pub(crate) struct Told<'a> {
    pub(crate) metric: Metric<'a>,
    pub(crate) home: usize,
    pub(crate) passes: bool,
}

/// One data point.
pub(crate) struct PointItem<'a> {
    pub(crate) metric: usize,
    pub(crate) point: Point<'a>,
    pub(crate) attributes: Range<usize>,
    /// Of its stream: resource, scope, metric and attributes.
    pub(crate) stream: Fingerprint,
    /// What rules made of it.
    pub(crate) updates: Range<usize>,
    pub(crate) fate: Fate,
}

/// The room of a batch.
#[derive(Default)]
pub(crate) struct PointRoom {
    pub(crate) attributes: Vec<Attribute<'static>>,
    pub(crate) homes: Vec<Home<'static>>,
    pub(crate) metrics: Vec<Told<'static>>,
    pub(crate) items: Vec<PointItem<'static>>,
}

impl PointRoom {
    /// Its bytes.
    pub(crate) fn room(&self) -> usize {
        let Self { attributes, homes, metrics, items } = self;
        room(attributes) + room(homes) + room(metrics) + room(items)
    }
}
